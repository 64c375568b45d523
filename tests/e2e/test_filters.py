"""Filters of `stats` and `diff`: what they keep, and what is said of it."""

import unittest

import expectations

from .harness import Case, program, tag_line

SOURCE = expectations.source("holds.c")
MARKS = expectations.named(SOURCE)
ALL = (10128, 14)


def line(name):
    """The line of a mark, or of a tag."""
    return MARKS[name].line if name in MARKS else tag_line(SOURCE, name)


def held(*names):
    """(size, count) of these marks together."""
    return (
        sum(MARKS[name].size for name in names),
        sum(MARKS[name].count for name in names),
    )


def total(answer, field="total"):
    return answer[field]["size"], answer[field]["count"]


class Filters(Case):
    def check(self, cases):
        """cases: {options: (size, count) that is left}."""
        commands = {"snapshot stats --json " + words: left for words, left in cases.items()}
        results = self.at_stop(commands, "holds")
        for command, left in commands.items():
            with self.subTest(command):
                answer = results.json(command)
                self.assertEqual(total(answer), left)
                self.assertEqual(total(answer, "unfiltered"), ALL)

    def test_patterns(self):
        small, moved = line("small"), line("moved")
        self.check(
            {
                "--include {}".format(SOURCE): ALL,
                "--include */hold?.c": ALL,
                "--include holds.c": ALL,
                "--include *": ALL,
                "--include *:{}".format(small): held("small"),
                "--include={}:{}".format(SOURCE, small): held("small"),
                "--include *:{} --include *:{}".format(small, moved): held("small", "moved"),
                "--include *:0": (0, 0),
                "--include *[:]{}".format(small): (0, 0),
                "--exclude *:{}".format(small): (ALL[0] - 1000, ALL[1] - 10),
                "--exclude *": (0, 0),
                "--include */holds.c --exclude *:{}".format(small): (ALL[0] - 1000, ALL[1] - 10),
                "--include *:{0} --exclude *:{0}".format(small): (0, 0),
            }
        )

    def test_all_frames(self):
        deep, small = line("main deep"), line("main small")
        self.check(
            {
                "--include *:{}".format(deep): (0, 0),
                "--include *:{} --all-frames".format(deep): held("deepest"),
                "--exclude *:{} --all-frames".format(small): (ALL[0] - 1000, ALL[1] - 10),
                "--all-frames --include *:{} --exclude *:{}".format(deep, line("deeper")): (0, 0),
                "--cumulative --include *:{} --all-frames".format(deep): held("deepest"),
            }
        )

    def test_domains(self):
        small = line("small")
        self.check(
            {
                "--domain 0": ALL,
                "--domain 7": (0, 0),
                "--domain 7 --domain 0": ALL,
                "--domain 0 --include *:{}".format(small): held("small"),
                "--domain 7 --include *:{}".format(small): (0, 0),
                "--domain 0 --exclude *:{}".format(small): (ALL[0] - 1000, ALL[1] - 10),
                "--domain 4294967295": (0, 0),
            }
        )

    def test_text_says_what_is_left(self):
        command = "snapshot stats --include *:{}".format(line("small"))
        nothing = "snapshot stats --include nothing"
        results = self.at_stop([command, nothing, "snapshot stats"], "holds")
        self.assertEqual(
            results[command].splitlines()[:2],
            ["filtered: 10 of 14 blocks (1000 B of 10128 B)", "1 line, by size"],
        )
        self.assertTrue(results[command].endswith("\nTotal: size=1000 B, count=10\n"))
        self.assertEqual(
            results[nothing],
            "filtered: 0 of 14 blocks (0 B of 10128 B)\nNo live traced blocks.\n",
        )
        self.assertNotIn("filtered", results["snapshot stats"])

    def test_without_filters_json_has_no_word_of_them(self):
        results = self.at_stop(["snapshot stats --json"], "holds")
        self.assertNotIn("unfiltered", results.json("snapshot stats --json"))

    def test_differences(self):
        small = line("small")
        commands = [
            "snapshot diff --json before --include *:{}".format(small),
            "snapshot diff before --exclude *:{}".format(small),
        ]
        results = self.batch(
            ["snapshot start", "break hold_nothing", "run", "snapshot take before"]
            + ["break stop_here", "continue"]
            + commands,
            program("holds"),
        )
        answer = results.json(commands[0])
        self.assertEqual(
            answer["unfiltered"],
            {"size": 10128, "size_diff": 32, "count": 14, "count_diff": 2},
        )
        self.assertEqual(
            answer["total"], {"size": 1000, "size_diff": 0, "count": 10, "count_diff": 0}
        )
        self.assertEqual(
            results[commands[1]].splitlines()[0],
            "filtered: 4 of 14 blocks (9128 B of 10128 B),"
            " before 2 of 12 blocks (9096 B of 10096 B)",
        )

    def test_errors(self):
        shows = "; `snapshot stats --help` shows how\n"
        cases = {
            "--all-frames": "--all-frames goes with --include or --exclude: give one of them\n",
            "--include ''": "argument --include: no path is empty: write * for any file" + shows,
            "--exclude :3": "argument --exclude: no path is empty: write * for any file" + shows,
            "--include *:4294967296": 'argument --include: "4294967296" is not a line'
            " (from 0 to 4294967295)" + shows,
            "--include holds.c:-1": 'argument --include: "-1" is not a line'
            " (from 0 to 4294967295)" + shows,
            "--exclude holds.c:": 'argument --exclude: "" is not a line'
            " (from 0 to 4294967295)" + shows,
            "--include": "argument --include: expected one argument" + shows,
            "--domain": "argument --domain: expected one argument" + shows,
            "--domain -1": 'argument --domain: "-1" is not a domain (from 0 to 4294967295)'
            + shows,
            "--domain 4294967296": 'argument --domain: "4294967296" is not a domain'
            " (from 0 to 4294967295)" + shows,
        }
        commands = {"snapshot stats " + words: message for words, message in cases.items()}
        results = self.at_stop(commands, "holds")
        for command, message in commands.items():
            with self.subTest(command):
                self.assertEqual(results[command], message)


if __name__ == "__main__":
    unittest.main()
