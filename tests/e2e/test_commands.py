"""The commands around the main job: names, help, completion."""

import os
import re
import unittest

from . import harness
from .harness import Case

NO_PROCESS = (
    "there is no process and no core: start the program with `run`, or load a core file\n"
)


KEYS = ["filename", "lineno", "traceback", "function", "module", "thread", "age", "size", "type", "owner"]
NAMES = (
    "start stop clear reset-peak status watch take list delete stats diff traces who freed errors history leaks refs path retained"
    " heap place dump load export symbolize set"
).split()


class Settings(Case):
    def test_commands_that_gdb_prints_before_it_runs_them(self):
        commands = ["snapshot status", "snapshot who kept[0]", "snapshot set"]
        before = self.at_stop(commands, "plain")
        results = self.at_stop(["set trace-commands on"] + commands, "plain")
        for command in commands[1:]:
            wanted = re.sub("at 20.*|thread [0-9]+", "", before[command])
            got = re.sub("at 20.*|thread [0-9]+", "", results[command])
            self.assertIn(wanted, got)
        self.assertIn("\ntracing: on, 16 frames of each stack\n", results[commands[0]])


class Names(Case):
    def test_take_numbers_what_has_no_name(self):
        results = self.at_stop(
            [
                "snapshot take",
                "snapshot take 2",
                "snapshot take before",
                "snapshot delete 1",
                "python print('--')",
                "snapshot take ",
                "snapshot list",
            ],
            "holds",
        )
        amount = "10128 B in 14 blocks."
        self.assertEqual(results["snapshot take"], "Snapshot 1: {}\n".format(amount))
        self.assertEqual(results["snapshot take 2"], "Snapshot 2: {}\n".format(amount))
        self.assertEqual(results["snapshot take before"], "Snapshot before: {}\n".format(amount))
        self.assertEqual(results["snapshot delete 1"], "")
        # Numbers are not used twice.
        self.assertEqual(results["snapshot take "], "Snapshot 3: {}\n".format(amount))
        rows = [row.split() for row in results["snapshot list"].splitlines()]
        self.assertEqual(rows[0], ["NAME", "SIZE", "BLOCKS", "FRAMES", "FROM"])
        self.assertEqual(
            [row[:6] for row in rows[1:]],
            [[name, "10128", "B", "14", "16", "process"] for name in ("2", "before", "3")],
        )

    def test_a_name_is_not_taken_twice(self):
        results = self.at_stop(
            [
                "snapshot take a",
                "snapshot take  a",
                "snapshot take lineno",
                "snapshot take now",
                "snapshot take -x",
                "snapshot take 'a b'",
                "snapshot take a b",
            ],
            "holds",
        )
        self.assertEqual(
            results["snapshot take  a"],
            'there is a snapshot "a" already: choose another name,'
            " or `snapshot delete a` first\n",
        )
        for word in ("lineno", "now"):
            self.assertEqual(
                results["snapshot take " + word],
                '"{}" has a meaning of its own in the commands: choose another name\n'.format(word),
            )
        self.assertEqual(
            results["snapshot take -x"],
            "unrecognized arguments: -x; `snapshot take --help` shows how\n",
        )
        self.assertIn("cannot be the name of a snapshot", results["snapshot take 'a b'"])
        self.assertEqual(
            results["snapshot take a b"],
            "unrecognized arguments: b; `snapshot take --help` shows how\n",
        )

    def test_snapshots_outlive_their_process(self):
        results = self.at_stop(
            [
                "snapshot take a",
                "snapshot take b",
                "snapshot stats --json a",
                "kill",
                "snapshot stats --json",
                "snapshot stats now",
                "snapshot list",
                "snapshot delete c a",
                "snapshot delete b",
                "snapshot stats a --json",
            ],
            "holds",
        )
        self.assertEqual(results["snapshot stats --json"], results["snapshot stats --json a"])
        self.assertEqual(results["snapshot stats now"], NO_PROCESS)
        self.assertEqual(len(results["snapshot list"].splitlines()), 3)
        # All or none of them.
        self.assertEqual(
            results["snapshot delete c a"], 'no snapshot "c": the snapshots are a, b\n'
        )
        self.assertEqual(
            results["snapshot stats a --json"], results["snapshot stats --json a"]
        )

    def test_a_malloc_of_its_own(self):
        """The hooks say that the program has one, with calloc, realloc and free (bits 0 to 2 and
        9); here the test says so for them."""
        results = self.at_stop(
            ["snapshot status", "set var allocsnap_root.preceded = 519", "snapshot take"]
            + ["snapshot stats", "snapshot status"],
            "holds",
        )
        before, after = results.of("snapshot status")
        self.assertNotIn("\nunseen: ", before)
        self.assertRegex(after, r"\nunseen:  the program has a malloc of its own, [^\n]*\n")
        for command in ("snapshot take", "snapshot stats"):
            self.assertTrue(
                results[command].startswith("warning: the program has a malloc of its own, "),
                results[command],
            )

    def test_status(self):
        results = self.at_stop(["snapshot status"], "holds", nframe=7)
        rows = dict(line.split(":", 1) for line in results["snapshot status"].splitlines())
        self.assertEqual(rows["tracing"].strip(), "on, 7 frames of each stack")
        self.assertTrue(rows["traced"].strip().startswith("10128 B in 14 blocks, peak "))
        self.assertEqual(rows["dropped"].strip(), "0 blocks")
        self.assertIn("table version 5", rows["hooks"])
        self.assertRegex(rows["target"], r"^ +process \d+$")


class Help(Case):
    def test_each_command_has_help(self):
        results = self.batch(
            ["help snapshot", "snapshot", "help snapshot stats", "snapshot stats --help"]
        )
        for name in NAMES:
            self.assertRegex(results["help snapshot"], r"(?m)^snapshot {}(, .*)? -- ".format(name))
            self.assertRegex(results["snapshot"], r"(?m)^  snapshot {} +[A-Z].*\.$".format(name))
        self.assertIn("--cumulative", results["help snapshot stats"])
        self.assertIn("--cumulative", results["snapshot stats --help"])

    def test_sourcing_twice_keeps_everything(self):
        again = "source {}".format(harness.SCRIPT)
        results = self.at_stop(["snapshot take a", again, "snapshot list"], "holds")
        self.assertEqual(results[again], "")
        self.assertIn("\na ", results["snapshot list"])


class Completion(Case):
    def complete(self, *texts):
        commands = ["complete " + text for text in texts]
        results = self.at_stop(["snapshot take a-1", "snapshot take b"] + commands, "holds")
        return [results[command].splitlines() for command in commands]

    def test_words(self):
        found = self.complete(
            "snapshot st",
            "snapshot stats ",
            "snapshot stats lineno ",
            "snapshot stats now ",
            "snapshot stats li",
            "snapshot stats a-",
            "snapshot stats --",
            "snapshot stats --json --cu",
            "snapshot stats -n ",
            "snapshot stats --kinds ",
            "snapshot leaks --kinds de",
            "snapshot traces --kinds definite,possible,",
            "snapshot diff --kinds definite,indirect b ",
            "snapshot delete ",
            "snapshot delete b ",
            "snapshot start ",
            "snapshot diff ",
            "snapshot diff b ",
            "snapshot diff lineno b now ",
            "snapshot diff --include ",
            "snapshot diff --domain ",
            "snapshot traces ",
            "snapshot traces b ",
            "snapshot dump ",
            "snapshot dump --format ",
            "snapshot dump --format tracemalloc a",
            "snapshot set ",
            "snapshot set skip ",
            "snapshot who --",
            "snapshot who --in ",
            "snapshot who --json --in b",
        )
        stats, diff = "snapshot stats ", "snapshot diff "
        self.assertEqual(
            found,
            [
                ["snapshot " + name for name in ("start", "stats", "status", "stop")],
                [stats + w for w in sorted(KEYS + ["a-1", "b", "now", "python"])],
                [stats + "lineno " + w for w in ("a-1", "b", "now", "python")],
                [stats + "now " + w for w in sorted(KEYS)],
                [stats + "lineno"],
                [stats + "a-1"],
                [
                    stats + "--" + w
                    for w in (
                        "all-frames",
                        "allocated",
                        "cumulative",
                        "domain",
                        "exclude",
                        "help",
                        "include",
                        "json",
                        "kinds",
                        "leaked",
                        "limit",
                        "no-skip",
                        "no-suppressions",
                        "skip",
                        "suppressions",
                        "temporary",
                    )
                ],
                [stats + "--json --cumulative"],
                [],
                [stats + "--kinds " + w for w in ("all", "definite", "indirect", "possible", "reachable")],
                ["snapshot leaks --kinds definite"],
                ["snapshot traces --kinds definite,possible," + w for w in ("indirect", "reachable")],
                [diff + "--kinds definite,indirect b " + w for w in sorted(KEYS + ["a-1", "now", "python"])],
                ["snapshot delete " + w for w in ("a-1", "b")],
                ["snapshot delete b a-1"],
                [],
                [diff + w for w in sorted(KEYS + ["a-1", "b", "now", "python"])],
                [diff + "b " + w for w in sorted(KEYS + ["a-1", "now", "python"])],
                [],
                [],
                [],
                ["snapshot traces " + w for w in ("a-1", "b", "now", "python")],
                [],
                ["snapshot dump " + w for w in ("a-1", "b", "now", "python")],
                ["snapshot dump --format " + w for w in ("allocsnap", "tracemalloc")],
                ["snapshot dump --format tracemalloc a-1"],
                [
                    "snapshot set " + w
                    for w in ("earlier", "mine", "names", "paths", "skip", "stop-at-exit", "suppressions")
                ],
                ["snapshot set skip default"]
                + [
                    "snapshot set skip no-" + w
                    for w in ("c++", "glib", "libc", "nameless", "qt", "rust", "wrappers")
                ],
                ["snapshot who --" + w for w in ("help", "in", "json")],
                ["snapshot who --in " + w for w in ("a-1", "b", "now", "python")],
                ["snapshot who --json --in b"],
            ],
        )

    def test_files(self):
        for name in ("dump-a", "dump-b", "other"):
            with open(os.path.join(self.directory, name), "w", encoding="ascii"):
                pass
        os.mkdir(os.path.join(self.directory, "dumps"))
        found = self.complete(
            "snapshot load du",
            "snapshot load dump-a b",
            "snapshot dump now du",
            "snapshot dump now {}/o".format(self.directory),
            "snapshot dump now /nonexistent/",
            "snapshot dump now other o",
        )
        names = ("dump-a", "dump-b", "dumps")
        self.assertEqual([line.rstrip("/") for line in found[0]], ["snapshot load " + n for n in names])
        self.assertEqual(found[1], [])
        self.assertEqual(found[2], ["snapshot dump now " + n for n in ("dump-a", "dump-b", "dumps/")])
        self.assertEqual(found[3], ["snapshot dump now {}/other".format(self.directory)])
        self.assertEqual(found[4:], [[], []])


if __name__ == "__main__":
    unittest.main()
