"""The main job: who holds the heap, at a breakpoint and in core dumps."""

import shutil
import subprocess
import unittest

import expectations

from .harness import HOOKS, Case, environment, program, tag_line

SOURCE = expectations.source("holds.c")
MARKS = expectations.named(SOURCE)
TOTAL = {"size": 10128, "count": 14}

# By size, as the rows come.
FUNCTIONS = {
    "moved": "hold_large",
    "zeroed": "hold_large",
    "small": "hold_small",
    "deepest": "hold_deep",
    "empty": "hold_nothing",
}


def line(name):
    """The line of a mark, or of a tag."""
    return MARKS[name].line if name in MARKS else tag_line(SOURCE, name)


STATS = [
    "snapshot stats lineno -n 100",
    "snapshot stats filename -n 100",
    "snapshot stats traceback -n 100",
    "snapshot stats lineno --cumulative -n 100",
    "snapshot stats filename --cumulative -n 100",
    "snapshot stats lineno --json",
    "snapshot stats filename --json",
    "snapshot stats traceback --json",
    "snapshot stats lineno --cumulative --json",
    "snapshot stats filename --cumulative --json",
]


def groups(answer):
    """The groups of a JSON answer: (file, line) of the newest frame -> size, count."""
    return {
        (row["traceback"][0]["filename"], row["traceback"][0]["lineno"]): (
            row["size"],
            row["count"],
        )
        for row in answer["statistics"]
    }


class AtBreakpoint(Case):
    def test_lines_sizes_and_counts_are_exact(self):
        answer = self.at_stop(["snapshot stats --json"], "holds").json(
            "snapshot stats --json"
        )
        self.assertEqual(answer["total"], TOTAL)
        self.assertEqual(
            [
                (
                    row["traceback"][0]["filename"],
                    row["traceback"][0]["lineno"],
                    row["traceback"][0]["function"],
                    row["size"],
                    row["count"],
                )
                for row in answer["statistics"]
            ],
            [
                (SOURCE, line(name), function, MARKS[name].size, MARKS[name].count)
                for name, function in FUNCTIONS.items()
            ],
        )

    def test_text_names_line_function_and_source(self):
        text = self.at_stop(["snapshot stats"], "holds")["snapshot stats"]
        self.assertIn(
            "{}:{}: size=5000 B, count=1, average=5000 B".format(SOURCE, line("moved")), text
        )
        self.assertIn(
            "{}:{}: size=1000 B, count=10, average=100 B".format(SOURCE, line("small")), text
        )
        self.assertIn("moved = realloc(moved, 5000);", text)
        self.assertIn("hold_small", text)
        self.assertIn("10128 B", text)

    def test_cumulative_counts_each_frame_of_a_stack(self):
        command = "snapshot stats --cumulative --json"
        held = groups(self.at_stop([command], "holds").json(command))
        self.assertEqual(held[SOURCE, line("main small")], (1000, 10))
        self.assertEqual(held[SOURCE, line("main large")], (9096, 2))
        self.assertEqual(held[SOURCE, line("main nothing")], (0, 1))
        self.assertEqual(held[SOURCE, line("main deep")], (32, 1))
        # The recursion passes this line three times, and each counts (tracemalloc).
        self.assertEqual(held[SOURCE, line("deeper")], (3 * 32, 3))

    def test_traceback_is_the_whole_stack(self):
        command = "snapshot stats traceback --json"
        answer = self.at_stop([command], "holds").json(command)
        stacks = [
            [
                (frame["function"], frame["lineno"])
                for frame in row["traceback"]
                if frame["filename"] == SOURCE
            ]
            for row in answer["statistics"]
        ]
        deeper = ("hold_deep", line("deeper"))
        self.assertIn(
            [("hold_deep", line("deepest"))] + [deeper] * 3 + [("main", line("main deep"))], stacks
        )
        self.assertIn([("hold_small", line("small")), ("main", line("main small"))], stacks)

    def test_frame_limit_cuts_the_stack(self):
        command = "snapshot stats traceback --json"
        answer = self.at_stop([command], "holds", nframe=2).json(command)
        self.assertEqual(answer["total"], TOTAL)
        self.assertEqual({len(row["traceback"]) for row in answer["statistics"]}, {2})

    def test_one_frame_without_the_number_of_all(self):
        stats = "snapshot stats traceback --json"
        traces, shown = "snapshot traces --json", "snapshot stats traceback -n 1"
        results = self.at_stop([stats, traces, shown], "holds", nframe=1)
        self.assertEqual(results.json(stats)["total"], TOTAL)
        for rows in results.json(stats)["statistics"], results.json(traces)["traces"]:
            self.assertEqual({len(row["traceback"]) for row in rows}, {1})
            self.assertEqual({row["total_nframe"] for row in rows}, {None})
        self.assertIn("\n    ... older frames not counted\n", results[shown])

    def test_limit_sums_up_the_rest(self):
        results = self.at_stop(["snapshot stats -n 2", "snapshot stats -n 1 --json"], "holds")
        self.assertNotIn(":{}: ".format(line("small")), results["snapshot stats -n 2"])
        answer = results.json("snapshot stats -n 1 --json")
        self.assertEqual(len(answer["statistics"]), 1)
        self.assertEqual(answer["total"], TOTAL)

    def test_key_and_name_in_either_order(self):
        commands = [
            "snapshot take before",
            "snapshot stats before filename",
            "snapshot stats filename before",
            "snapshot stats filename now",
            "snapshot stats -n 3 before --cumulative filename",
            "snapshot stats filename --cumulative before -n 3",
        ]
        results = self.at_stop(commands, "holds")
        self.assertIn("{}:0: size=10128 B, count=14".format(SOURCE), results[commands[1]])
        self.assertEqual(results[commands[1]], results[commands[2]])
        self.assertEqual(results[commands[1]], results[commands[3]])
        self.assertIn(" (cumulative: a block counts for each of its frames)\n", results[commands[4]])
        self.assertEqual(results[commands[4]], results[commands[5]])


class AfterTheEnd(Case):
    """Without a process it is the newest snapshot, and text says so."""

    def test_which_snapshot_is_shown(self):
        first = "Snapshot b, the newest: there is no process and no core.\n"
        commands = ["stats", "traces", "diff a", "who 1", "stats filename"]
        named = ["stats b", "stats a lineno", "traces b", "diff a b", "who --in b 1"]
        commands, named = (["snapshot " + one for one in each] for each in (commands, named))
        as_json = ["snapshot stats --json", "snapshot traces --json"]
        before = ["snapshot take a", "snapshot take b", " snapshot stats", "kill"]
        results = self.at_stop(before + commands + named + as_json, "holds")
        self.assertFalse(results[" snapshot stats"].startswith("Snapshot"))
        for command in commands:
            with self.subTest(command):
                self.assertTrue(results[command].startswith(first), results[command])
                self.assertEqual(results[command].count("Snapshot "), 1)
        for command in named:
            with self.subTest(command):
                self.assertNotIn("Snapshot ", results[command])
        self.assertEqual(results["snapshot stats"], first + results["snapshot stats b"])
        self.assertEqual(results.json(as_json[0])["total"], TOTAL)
        self.assertEqual(results.json(as_json[1])["total"], TOTAL)


class MemoryMaps(Case):
    """Where /proc or the core file cannot be read, what gdb prints does as well."""

    COMMANDS = ["snapshot stats --json", "snapshot stats traceback --json"]

    def test_of_a_process(self):
        hide = [
            "python def _no_maps(pid): raise OSError",
            "python import allocsnap.target as target; target.linux_memory_map = _no_maps",
            "python print(len(GdbTarget().memory_map()) > 5)",
        ]
        shown = self.at_stop(self.COMMANDS, "holds")
        printed = self.at_stop(hide + self.COMMANDS, "holds")
        self.assertEqual(printed[hide[-1]], "True\n")
        for command in self.COMMANDS:
            self.assertEqual(printed[command], shown[command])
        self.assertEqual(shown.json(self.COMMANDS[0])["total"], TOTAL)

    def test_of_a_core(self):
        core = self.kernel_core("holds", "abort")
        shown = self.batch(self.COMMANDS, program("holds"), core)
        hide = [
            "python from allocsnap.library import calls",
            "python def _no_map(path): raise AllocsnapError(path)",
            "python calls.CoreMap = _no_map",
        ]
        printed = self.batch(hide + self.COMMANDS, program("holds"), core)
        for command in self.COMMANDS:
            self.assertEqual(printed[command], shown[command])
        self.assertEqual(shown.json(self.COMMANDS[0])["total"], TOTAL)


class Locale(Case):
    def test_names_beyond_ascii_in_the_c_locale(self):
        built = "{}/größe".format(self.directory)
        shutil.copy(program("holds"), built)
        results = self.batch(
            ["snapshot start", "break stop_here", "run", "snapshot stats filename --cumulative"],
            built,
            env={"LC_ALL": "C"},
        )
        self.assertIn("/größe:0: size=", results["snapshot stats filename --cumulative"])


class Attached(Case):
    def test_process_that_was_started_with_the_hooks(self):
        self.need_attach()
        started = subprocess.Popen(
            [program("holds"), "pause"],
            stdout=subprocess.PIPE,
            env=environment(self.home, LD_PRELOAD=HOOKS, ALLOCSNAP="16"),
        )
        self.addCleanup(started.stdout.close)
        self.addCleanup(started.wait)
        self.addCleanup(started.kill)
        self.assertEqual(started.stdout.readline(), b"ready\n")
        command = "snapshot stats --json"
        results = self.batch([command, "detach"], "-p", str(started.pid))
        self.assertEqual(results.json(command)["total"], TOTAL)


class FromCores(Case):
    def live(self):
        core = "{}/gcore".format(self.directory)
        results = self.at_stop(STATS + ["generate-core-file {}".format(core)], "holds")
        return [results[command] for command in STATS], core

    def from_core(self, core):
        results = self.batch(STATS, program("holds"), core)
        return [results[command] for command in STATS]

    def test_core_of_gcore_gives_the_live_statistics(self):
        live, core = self.live()
        self.assertIn(str(TOTAL["size"]), live[-1])
        self.assertEqual(self.from_core(core), live)

    def test_core_of_the_kernel_gives_the_live_statistics(self):
        core = self.kernel_core("holds", "abort")
        live, _ = self.live()
        self.assertIn(str(TOTAL["size"]), live[-1])
        self.assertEqual(self.from_core(core), live)

    def test_core_opens_without_the_hooks_symbol(self):
        """The table is found by its magic where the symbol cannot be resolved."""
        core = self.kernel_core("holds", "abort")
        hide = "python GdbTarget.find_symbol = lambda self, name: 0"
        command = "snapshot stats lineno --json"
        results = self.batch([hide, command], program("holds"), core)
        self.assertEqual(results.json(command)["total"], TOTAL)


if __name__ == "__main__":
    unittest.main()
