"""`snapshot dump` and `load`: snapshots in files, and what can go wrong with files."""

import os
import stat
import tracemalloc
import unittest

import expectations

from .harness import Case, program

SOURCE = expectations.source("holds.c")
MARKS = expectations.named(SOURCE)
STATS = [
    "snapshot stats {} a",
    "snapshot stats {} a --json",
    "snapshot stats {} a filename --cumulative",
    "snapshot stats {} a traceback -n 100",
    "snapshot traces {} a",
]


class Files(Case):
    seconds = 10

    def path(self, name="file.dump"):
        return os.path.join(self.directory, name)

    def dumped(self, *more):
        """A dump of the program, and what the commands before it printed."""
        commands = [command.format("").replace("  ", " ") for command in STATS]
        results = self.at_stop(
            ["snapshot take a"] + commands + ["snapshot dump a " + self.path()] + list(more),
            "holds",
        )
        self.assertEqual(
            results["snapshot dump a " + self.path()],
            "{}: 10128 B in 14 blocks.\n".format(self.path()),
        )
        return [results[command] for command in commands]

    def test_loaded_elsewhere_it_says_the_same(self):
        before = self.dumped()
        commands = [command.format("").replace("  ", " ") for command in STATS]
        results = self.batch(
            ["snapshot load {} a".format(self.path())] + commands + ["snapshot list"]
        )
        self.assertEqual(
            results["snapshot load {} a".format(self.path())],
            "Snapshot a: 10128 B in 14 blocks.\n",
        )
        self.assertEqual([results[command] for command in commands], before)
        self.assertRegex(
            results["snapshot list"],
            r"\na +10128 B +14 +16  file {}, of process \d+\n$".format(self.path()),
        )

    def test_numbers_names_and_differences(self):
        self.dumped()
        load = "snapshot load {}".format(self.path())
        results = self.batch(
            ["snapshot start", "break hold_nothing", "run", load, "snapshot diff 1 --json"]
            + ["snapshot take", load + " 1", load + " now", " " + load]
            + ["kill", "snapshot diff 1 2 --json", "snapshot diff 1 3"],
            program("holds"),
        )
        self.assertEqual(results[load], "Snapshot 1: 10128 B in 14 blocks.\n")
        # From the file, taken later in the program, back to now.
        total = {"size": 10096, "size_diff": -32, "count": 12, "count_diff": -2}
        self.assertEqual(results.json("snapshot diff 1 --json")["total"], total)
        self.assertEqual(results.json("snapshot diff 1 2 --json")["total"], total)
        self.assertIn("Snapshot 2: ", results["snapshot take"])
        self.assertIn('there is a snapshot "1" already', results[load + " 1"])
        self.assertIn('"now" has a meaning of its own', results[load + " now"])
        self.assertIn("Snapshot 3: ", results[" " + load])
        self.assertIn("Total: size=10128 B (+0 B), count=14 (+0)\n", results["snapshot diff 1 3"])

    def test_of_a_core_and_of_a_file(self):
        core = self.kernel_core("holds", "abort")
        results = self.batch(
            ["snapshot dump now {}".format(self.path()), "snapshot load {} a".format(self.path())]
            + ["snapshot dump a {}".format(self.path("again")), "snapshot list"],
            program("holds"),
            core,
        )
        self.assertIn(
            "file {}, of core {}\n".format(self.path(), core), results["snapshot list"]
        )
        with open(self.path(), "rb") as first, open(self.path("again"), "rb") as second:
            self.assertEqual(first.read()[:16], second.read()[:16])
        results = self.batch(
            ["snapshot load {}".format(self.path("again")), "snapshot stats --json"]
        )
        self.assertEqual(
            results.json("snapshot stats --json")["total"], {"size": 10128, "count": 14}
        )

    def test_a_file_that_is_there_is_replaced(self):
        for content in (b"", b"something else"):
            with open(self.path(), "wb") as file:
                file.write(content)
            command = "snapshot dump now {}".format(self.path())
            results = self.at_stop([command, "snapshot load {}".format(self.path())], "holds")
            self.assertEqual(
                results[command],
                "{}: 10128 B in 14 blocks, in place of the file that was there.\n".format(
                    self.path()
                ),
            )
            self.assertIn("Snapshot 1: ", results["snapshot load {}".format(self.path())])
        self.assertEqual(sorted(os.listdir(self.directory)), ["file.dump", "home"])

    def test_home_relative_and_quoted_paths(self):
        results = self.at_stop(
            ["snapshot dump now ~/at-home", "snapshot load ~/at-home"]
            + ["snapshot dump now 'with blank'", "snapshot load 'with blank' b"],
            "holds",
        )
        home = os.path.join(self.home, "at-home")
        self.assertEqual(
            results["snapshot dump now ~/at-home"], "{}: 10128 B in 14 blocks.\n".format(home)
        )
        self.assertTrue(os.path.isfile(home))
        self.assertIn("Snapshot 1: ", results["snapshot load ~/at-home"])
        self.assertTrue(os.path.isfile(self.path("with blank")))
        self.assertIn("Snapshot b: ", results["snapshot load 'with blank' b"])

    def test_for_tracemalloc(self):
        command = "snapshot dump now --format tracemalloc {}".format(self.path())
        load = "snapshot load {}".format(self.path())
        results = self.at_stop([command, load], "holds")
        self.assertEqual(results[command], "{}: 10128 B in 14 blocks.\n".format(self.path()))
        loaded = tracemalloc.Snapshot.load(self.path())
        self.assertEqual(loaded.traceback_limit, 16)
        self.assertEqual(
            {
                (row.traceback[0].lineno, row.size, row.count)
                for row in loaded.statistics("lineno")
                if row.traceback[0].filename == SOURCE
            },
            {(mark.line, mark.size, mark.count) for mark in MARKS.values() if mark.count},
        )
        self.assertRegex(results[load], r"^cannot load \S+: .*dump.*\n$")

    def test_bad_files(self):
        self.dumped()
        with open(self.path(), "rb") as file:
            whole = file.read()
        bad = {"empty": b"", "text": b"hello\n" * 100, "cut": whole[:-1], "more": whole + b"x"}
        for place in (0, 20, 200):
            changed = bytearray(whole)
            changed[place] ^= 1
            bad["changed-{}".format(place)] = bytes(changed)
        for name, content in bad.items():
            with open(self.path(name), "wb") as file:
                file.write(content)
        paths = [self.path(name) for name in bad] + [self.directory, "/nonexistent/x", "/dev/null"]
        commands = ["snapshot load {}".format(path) for path in paths]
        results = self.batch(
            ["snapshot load {} a".format(self.path())] + commands + ["snapshot list"]
        )
        for command in commands:
            with self.subTest(command):
                self.assertRegex(results[command], r"^cannot load /\S*: [^\n]+: [^\n]+\n$")
        self.assertEqual(results["snapshot list"].count("\n"), 2)

    def test_places_that_cannot_be_written(self):
        with open(self.path("kept"), "wb") as file:
            file.write(b"kept")
        os.mkdir(self.path("closed"))
        paths = ["/nonexistent/x", self.directory, self.path("kept") + "/x", "/dev/full"]
        # In which nobody can make a file, whoever runs this.
        paths.append("/sys/kernel/x")
        if os.geteuid() != 0:
            os.chmod(self.path("closed"), stat.S_IRUSR | stat.S_IXUSR)
            paths.append(self.path("closed") + "/x")
        commands = ["snapshot dump a {}".format(path) for path in paths]
        results = self.at_stop(["snapshot take a"] + commands + ["snapshot list"], "holds")
        for command in commands:
            with self.subTest(command):
                self.assertRegex(results[command], r"^cannot write /\S*: [^\n]+: [^\n]+\n$")
        self.assertEqual(results["snapshot list"].count("\n"), 2)
        with open(self.path("kept"), "rb") as file:
            self.assertEqual(file.read(), b"kept")
        self.assertEqual(sorted(os.listdir(self.directory)), ["closed", "home", "kept"])

    def test_what_was_loaded_stays_of_its_process(self):
        """Also where it is dumped again and again."""
        self.dumped()
        again = self.path("again")
        list_command = "snapshot list"
        results = self.batch(
            ["snapshot load {} a".format(self.path()), "snapshot dump a {}".format(again)]
            + ["snapshot load {} b".format(again), list_command]
        )
        self.assertRegex(
            results[list_command],
            r"\nb +10128 B +14 +16  file {}, of process \d+\n$".format(again),
        )
        with open(self.path(), "rb") as first, open(again, "rb") as second:
            self.assertEqual(first.read(), second.read())

    def test_a_full_disk_leaves_the_old_file(self):
        """A limit on the size of files stands for the full disk."""
        self.dumped()
        with open(self.path(), "rb") as file:
            whole = file.read()
        limit = (
            "python import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
            " resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))"
        )
        command = "snapshot dump a {}".format(self.path())
        results = self.batch(
            ["snapshot load {} a".format(self.path()), limit, command, "snapshot stats a --json"]
        )
        self.assertRegex(results[command], r"^cannot write \S+: File too large: [^\n]+\n$")
        self.assertEqual(results.json("snapshot stats a --json")["total"]["count"], 14)
        with open(self.path(), "rb") as file:
            self.assertEqual(file.read(), whole)
        self.assertEqual(sorted(os.listdir(self.directory)), ["file.dump", "home"])

    def test_a_pickle_is_refused_and_says_why(self):
        path = self.path("pickle")
        write = "snapshot dump now {} --format tracemalloc".format(path)
        load = "snapshot load {}".format(path)
        results = self.at_stop([write, load], "holds")
        self.assertEqual(
            results[load],
            "cannot load {}: it is a pickle, as tracemalloc writes, and to load one can run any"
            " code in it: choose a file that `snapshot dump` has written, without `--format"
            " tracemalloc`; where you trust it, Python's tracemalloc loads it\n".format(path),
        )

    def test_a_directory_that_is_not_there(self):
        path = self.path("none") + "/x"
        results = self.at_stop(["snapshot dump now {}".format(path)], "holds")
        self.assertEqual(
            results["snapshot dump now {}".format(path)],
            "cannot write {}: there is no such directory: make it, or choose another file\n".format(
                path
            ),
        )

    def test_errors(self):
        shows = "; `snapshot dump --help` shows how\n"
        cases = {
            "snapshot dump": "the following arguments are required: NAME, FILE" + shows,
            "snapshot dump now": "the following arguments are required: FILE" + shows,
            "snapshot dump b x": 'no snapshot "b": there are no snapshots: `snapshot take`'
            " takes one\n",
            "snapshot dump now x y": "unrecognized arguments: y" + shows,
            "snapshot dump now x --format pickle": "argument --format: 'pickle' is none of"
            " allocsnap, tracemalloc" + shows,
            "snapshot load": "the following arguments are required: FILE;"
            " `snapshot load --help` shows how\n",
        }
        results = self.at_stop(list(cases), "holds")
        for command, message in cases.items():
            with self.subTest(command):
                self.assertEqual(results[command], message)
        self.assertEqual(os.listdir(self.directory), ["home"])


if __name__ == "__main__":
    unittest.main()
