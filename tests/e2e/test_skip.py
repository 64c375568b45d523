"""Skip rules: `--skip`, `--no-skip` and `snapshot set skip`."""

import unittest

import expectations

from .harness import Case, program, tag_line

SOURCE = expectations.source("holds.c")
MARKS = expectations.named(SOURCE)
OVERLOAD = expectations.source("overload.cc")


def by_line(answer, source=SOURCE):
    """{line: size} of the rows of a source."""
    return {
        row["traceback"][0]["lineno"]: row["size"]
        for row in answer["statistics"]
        if row["traceback"][0]["filename"] == source
    }


def line(name):
    """The line of a mark, or of a tag."""
    return MARKS[name].line if name in MARKS else tag_line(SOURCE, name)


ALL = {line(name): MARKS[name].size for name in ("small", "zeroed", "moved", "empty", "deepest")}
SMALL_SKIPPED = dict(ALL)
SMALL_SKIPPED[line("main small")] = SMALL_SKIPPED.pop(line("small"))
CALLERS = {
    line("main small"): 1000,
    line("main large"): 9096,
    line("main nothing"): 0,
    line("main deep"): 32,
}

STATS = "snapshot stats --json"


SETS = ["libc", "c++", "rust", "glib", "qt", "wrappers", "nameless"]
UNUSED = (
    "`set mine {}`: no frame here is in such a source, program or library;"
    " `snapshot stats filename --no-skip` and `module --no-skip` list them"
)
OTHERS = "mine: default\nnames: auto\npaths: auto\nsuppressions: off\nearlier: graph\nstop-at-exit: off\n"


class Skip(Case):
    def test_option(self):
        rows = {
            "": ALL,
            "--no-skip": ALL,
            "--skip hold_small": SMALL_SKIPPED,
            "--skip hold_sma*": SMALL_SKIPPED,
            "--skip=hold_smal?": SMALL_SKIPPED,
            "--skip small": ALL,
            "--skip hold_small --skip hold_[ldn]*": CALLERS,
            # Of files, the whole path; a stack of skipped frames stays where it is.
            "--skip holds.c": ALL,
            "--skip */nothing.c": ALL,
        }
        results = self.at_stop([STATS + " " + words for words in rows], "holds")
        for words, expected in rows.items():
            with self.subTest(words):
                self.assertEqual(by_line(results.json(STATS + " " + words)), expected)

    def test_of_a_file(self):
        command = STATS + " --skip */holds.c"
        answer = self.at_stop([command], "holds").json(command)
        self.assertEqual(by_line(answer), {})
        self.assertEqual(answer["total"], {"size": 10128, "count": 14})

    def test_setting_stays(self):
        results = self.at_stop(
            ["snapshot set", "snapshot take a", "snapshot set skip hold_small hold_[ldn]*"]
            + ["snapshot set ", STATS, STATS + " a", STATS + " --no-skip"]
            + ["snapshot diff a --json -n 1", "snapshot set skip hold_small", STATS + " --limit 9"]
            + [STATS + " --skip hold_[ldn]*", "snapshot set skip default", "snapshot set  ", STATS + " -n 9"]
            + ["snapshot stats traceback --json -n 1", "snapshot stats a --json --cumulative"]
            + ["snapshot stats --json --include *:{}".format(line("main small"))],
            "holds",
        )
        self.assertEqual(results["snapshot set"], "skip: default\n" + OTHERS)
        self.assertEqual(results["snapshot set skip hold_small hold_[ldn]*"], "")
        self.assertEqual(results["snapshot set "], "skip: hold_small 'hold_[ldn]*'\n" + OTHERS)
        for command in (STATS, STATS + " a"):
            self.assertEqual(by_line(results.json(command)), CALLERS)
        self.assertEqual(by_line(results.json(STATS + " --no-skip")), ALL)
        self.assertEqual(results.json("snapshot diff a --json -n 1")["rows"], len(CALLERS))
        # The later setting replaces the former; an option adds to it.
        self.assertEqual(by_line(results.json(STATS + " --limit 9")), SMALL_SKIPPED)
        self.assertEqual(by_line(results.json(STATS + " --skip hold_[ldn]*")), CALLERS)
        self.assertEqual(results["snapshot set  "], "skip: default\n" + OTHERS)
        self.assertEqual(by_line(results.json(STATS + " -n 9")), ALL)

    def test_tracebacks_and_cumulative_statistics_keep_every_frame(self):
        commands = ["snapshot stats traceback --json", "snapshot stats --cumulative --json"]
        results = self.at_stop(
            commands + ["snapshot set skip hold_*"] + [" " + command for command in commands],
            "holds",
        )
        for command in commands:
            self.assertEqual(results.json(" " + command), results.json(command))

    def test_filters_see_the_frame_that_blocks_are_attributed_to(self):
        command = STATS + " --include *:{}".format(line("main small"))
        results = self.at_stop([command, command + " --skip hold_small"], "holds")
        self.assertEqual(results.json(command)["total"]["count"], 0)
        self.assertEqual(results.json(command + " --skip hold_small")["total"]["count"], 10)

    def test_blocks_are_listed_at_the_frame_they_are_attributed_to(self):
        command = "snapshot traces -n 1"
        results = self.at_stop([command, command + " --skip hold_*"], "holds")
        self.assertIn(", at {}:{} in hold_large\n".format(SOURCE, line("moved")), results[command])
        self.assertIn(
            ", at {}:{} in main\n".format(SOURCE, line("main large")),
            results[command + " --skip hold_*"],
        )

    def test_operator_new_is_skipped_unless_told_otherwise(self):
        commands = [STATS, STATS + " --no-skip"]
        results = self.at_stop(commands, "overload")
        marks = expectations.expected(OVERLOAD)
        new = expectations.named(OVERLOAD)["global"].line
        self.assertNotIn(new, by_line(results.json(STATS), OVERLOAD))
        self.assertEqual(
            by_line(results.json(STATS + " --no-skip"), OVERLOAD),
            {number: size for number, (size, _) in marks.items()},
        )

    def test_sets_are_listed(self):
        results = self.batch(
            ["snapshot set skip", "snapshot set skip no-glib no-c++ my_*", "snapshot set skip "]
            + ["snapshot set", "snapshot set skip default", "snapshot set "]
        )
        listed = results["snapshot set skip"].splitlines()
        self.assertEqual(listed[0], "Passed over, but for --no-skip:")
        self.assertEqual([line.split()[0] for line in listed[1:-1]], SETS)
        self.assertEqual(listed[-1], "Rules of your own: none")
        self.assertNotIn("(off)", results["snapshot set skip"])
        without = results["snapshot set skip "].splitlines()
        self.assertEqual(
            [line.split()[0] for line in without if "(off)" in line], ["c++", "glib"]
        )
        self.assertEqual(without[-1], "Rules of your own: 'my_*'")
        self.assertEqual(results["snapshot set"], "skip: no-c++ no-glib 'my_*'\n" + OTHERS)
        self.assertEqual(results["snapshot set "], "skip: default\n" + OTHERS)

    def test_without_a_set(self):
        results = self.at_stop(
            ["snapshot set skip no-c++", STATS, "snapshot set skip default", STATS + " -n all"], "overload"
        )
        new = expectations.named(OVERLOAD)["global"].line
        self.assertIn(new, by_line(results.json(STATS), OVERLOAD))
        self.assertNotIn(new, by_line(results.json(STATS + " -n all"), OVERLOAD))

    def test_own_code(self):
        main = {line("main small"): 1000, line("main large"): 9096, line("main nothing"): 0,
                line("main deep"): 32}
        results = self.at_stop(
            ["snapshot set mine", "snapshot set mine holds.c", "snapshot set", "snapshot set mine "]
            + [STATS, STATS + " --skip hold_*", STATS + " --no-skip", "snapshot take a"]
            + ["snapshot dump a a.dump", "snapshot load a.dump b", STATS + " --skip hold_* b"]
            + ["snapshot set mine nothing.c", STATS + " a", "snapshot set mine default", "snapshot set "],
            "holds",
        )
        self.assertEqual(results["snapshot set mine"], "Your own code: none named\n")
        self.assertEqual(results["snapshot set mine "], "Your own code: holds.c\n")
        self.assertEqual(results["snapshot set"].splitlines()[1], "mine: holds.c")
        self.assertEqual(by_line(results.json(STATS)), ALL)
        self.assertEqual(by_line(results.json(STATS + " --skip hold_*")), main)
        self.assertEqual(by_line(results.json(STATS + " --no-skip")), ALL)
        self.assertEqual(by_line(results.json(STATS + " --skip hold_* b")), main)
        # There is no such code: all is as without, and that is said.
        self.assertEqual(by_line(results.json(STATS + " a")), ALL)
        self.assertEqual(results.json(STATS + " a")["notes"], [UNUSED.format("nothing.c")])
        self.assertEqual(results.json(STATS)["notes"], [])
        self.assertEqual(results["snapshot set "], "skip: default\n" + OTHERS)

    def test_own_code_that_is_not_there_is_said(self):
        commands = ["snapshot stats -n 1", "snapshot traces -n 1", "snapshot diff a -n 1",
                    "snapshot stats function -n 1 --cumulative"]
        results = self.at_stop(
            ["snapshot set mine holds.c nothing.c lib*.so.9", "snapshot take a"] + commands
            + ["snapshot stats -n 1 --no-skip", "snapshot set mine holds", "snapshot stats -n 1 a"],
            "holds",
        )
        said = "".join("warning: {}\n".format(UNUSED.format(name)) for name in ("nothing.c", "lib*.so.9"))
        for command in commands:
            self.assertTrue(results[command].startswith(said), results[command])
        self.assertNotIn("set mine", results["snapshot stats -n 1 --no-skip"])
        self.assertNotIn("set mine", results["snapshot stats -n 1 a"])

    def test_own_code_by_module(self):
        of_program = STATS + " --all-frames --include cxx.cc"
        results = self.at_stop(["snapshot set mine cxx", of_program], "cxx")
        rows = results.json(of_program)["statistics"]
        self.assertEqual({row["traceback"][0]["module"] for row in rows}, {program("cxx")})

    def test_what_a_row_came_through(self):
        command = STATS + " --skip hold_large"
        text = "snapshot stats -n all --skip hold_large"
        both = "snapshot stats filename --skip hold_*"
        results = self.at_stop([command, text, both], "holds")
        rows = {row["traceback"][0]["lineno"]: row for row in results.json(command)["statistics"]}
        self.assertEqual(
            rows[line("main large")]["through"],
            {"function": "hold_large", "functions": 1, "size": 9096, "count": 2},
        )
        self.assertNotIn("through", rows[line("small")])
        self.assertRegex(
            results[text], r"holds\.c:{}: .*, in main \(through hold_large\)\n".format(line("main large"))
        )
        self.assertRegex(results[text], r"holds\.c:{}: .*, in hold_small\n".format(line("small")))
        self.assertRegex(results[both], r"holds\.c:0: .* \(through hold_large and 3 others\)\n")

    def test_errors(self):
        shows = "; `snapshot {} --help` shows how\n"
        cases = {
            "snapshot stats --skip a --no-skip": "--skip and --no-skip contradict each other:"
            " give one of them\n",
            "snapshot stats --skip ''": "argument --skip: no function's name is empty: name one"
            + shows.format("stats"),
            "snapshot stats --skip": "argument --skip: expected one argument"
            + shows.format("stats"),
            "snapshot set skip ''": "no function's name is empty: give a pattern of one\n",
            "snapshot set skip no-glob": 'no skip set "glob": the sets are ' + ", ".join(SETS) + "\n",
            "snapshot set skip default a": "`default` stands alone: give it, or patterns and sets\n",
            "snapshot set mine default a": "`default` stands alone: give it, or patterns\n",
            "snapshot set mine ''": "no path is empty: give a pattern of a source or a module\n",
            "snapshot set colour red": "argument setting: 'colour' is none of"
            " skip, mine, names, paths, suppressions, earlier, stop-at-exit" + shows.format("set"),
        }
        results = self.batch(list(cases), program("holds"))
        for command, message in cases.items():
            with self.subTest(command):
                self.assertEqual(results[command], message)


if __name__ == "__main__":
    unittest.main()
