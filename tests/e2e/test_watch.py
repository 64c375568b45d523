"""`snapshot watch`: the program stops at the allocation that reaches a limit, as at a watchpoint."""

import os
import re
import unittest

import expectations

from . import debuggers, harness
from .debuggers import CONTINUE, RUN, Step
from .harness import HOOKS, Case, program

SHOW = "snapshot watch"
STATS = "snapshot stats"
BACKTRACE = Step("backtrace", "thread backtrace")
SOURCE = expectations.source("watched.c")
GROW = "by grow at {}:{}.\n".format(SOURCE, harness.tag_line(SOURCE, "grow"))
ASK = "by ask at {}:{}.\n".format(SOURCE, harness.tag_line(SOURCE, "ask"))
NOTHING = (
    "Nothing is watched: `snapshot watch 100M` stops the program when its heap passes 100 MiB.\n"
)
PROGRAM = program("watched")


def total(size, count):
    return "Total: size={} B, count={}\n".format(size, count)


def told(text):
    """What is told of limits in a debugger's output, paths made whole."""
    lines = re.findall(r"^(?:Heap passed|Request of) .*\n", text, re.M)
    return [re.sub(r" at (?:.*/)?(watched\.c:\d+\.)$", " at {}/\\1".format(os.path.dirname(SOURCE)), line, flags=re.M) for line in lines]


class Stops(Case):
    seconds = 40

    def run_in(self, debugger, commands, *arguments):
        return debugger.run(self, commands, PROGRAM, [str(one) for one in arguments])

    def test_size(self):
        for debugger in debuggers.every():
            with self.subTest(debugger=debugger.name):
                results = self.run_in(
                    debugger,
                    ["snapshot watch 5000", RUN, STATS, BACKTRACE, SHOW, CONTINUE, " " + STATS],
                    "grow", 1000, 100,
                )
                self.assertEqual(
                    told(results[RUN]), ["Heap passed 4.88 KiB: 4.98 KiB in 51 blocks, " + GROW]
                )
                self.assertTrue(results[STATS].endswith(total(5100, 51)), results[STATS])
                self.assertIn("grow", results[BACKTRACE])
                self.assertIn("reached: Heap passed 4.88 KiB: 4.98 KiB in 51 blocks\n", results[SHOW])
                self.assertNotIn("watched:", results[SHOW])
                # It is reached once.
                self.assertEqual(told(results[CONTINUE]), [])
                self.assertIn("exited ", results[CONTINUE])

    def test_every_limit_of_a_process(self):
        """They are set one beside the other, and reached one by one."""
        main = debuggers.stop_at("main")
        asked = ["snapshot watch +3000", "snapshot watch --count 40 --failed", "snapshot watch --block 100"]
        goes = [Step("continue" + " " * i, "continue" + " " * i) for i in range(4)]
        for debugger in debuggers.every():
            with self.subTest(debugger=debugger.name):
                results = self.run_in(
                    debugger,
                    ["snapshot start", main, RUN] + asked + [SHOW] + goes[:1] + ["snapshot watch +1000"] + goes[1:],
                    "grow", 1000, 100,
                )
                self.assertEqual(
                    results[SHOW],
                    "watched: more than 2.93 KiB traced\nwatched: a request of 100 B or more\n"
                    "watched: more than 40 blocks traced\nwatched: a request that gets no memory\n"
                    "waiting: the hooks begin at the program's next malloc or free\n",
                )
                self.assertEqual(
                    [told(results[go]) for go in goes],
                    [
                        ["Request of 100 B (100 B or more): heap of 100 B in 1 block, " + GROW],
                        ["Heap passed 1.07 KiB: 1.17 KiB in 12 blocks, " + GROW],
                        ["Heap passed 40 blocks: 4 KiB in 41 blocks, " + GROW],
                        [],
                    ],
                )

    def test_requests(self):
        for debugger in debuggers.every():
            for words, size, wanted in (
                ("--block 1M", 1 << 20, "Request of 1 MiB (1 MiB or more): heap of 1 MiB in 1 block, "),
                ("--failed", 1 << 62, "Request of 4 EiB got no memory: heap of 0 B in 0 blocks, "),
            ):
                with self.subTest(words, debugger=debugger.name):
                    results = self.run_in(debugger, ["snapshot watch " + words, RUN, SHOW], "ask", 0, size)
                    self.assertEqual(told(results[RUN]), [wanted + ASK])

    def test_one_stop_of_threads(self):
        for debugger in debuggers.every():
            for _ in range(3):
                results = self.run_in(
                    debugger, ["snapshot watch 100000", RUN, SHOW, CONTINUE], "threads", 8000, 100
                )
                self.assertEqual(len(told(results[RUN])), 1, results[RUN])
                self.assertIn("by grow_some at", results[RUN])
                self.assertEqual(told(results[CONTINUE]), [])
                self.assertIn("exited ", results[CONTINUE])

    def test_child(self):
        """It is the child that is followed which stops."""
        for debugger in debuggers.every():
            with self.subTest(debugger=debugger.name):
                results = self.run_in(
                    debugger,
                    [debuggers.FOLLOW_CHILD, "snapshot watch --count 600", RUN, STATS],
                    "fork", 1000, 100,
                )
                self.assertEqual(
                    told(results[RUN]), ["Heap passed 600 blocks: 58.69 KiB in 601 blocks, " + GROW]
                )
                self.assertTrue(results[STATS].endswith("count=601\n"), results[STATS])

    def test_sample_says_about(self):
        results = self.batch(
            ["snapshot start --sample 1K", "snapshot watch 10M", "run", SHOW], "--args", PROGRAM, "grow", "100", "1000000"
        )
        self.assertEqual(told(results["run"]), ["Heap passed 10 MiB: about 10.49 MiB in 11 blocks, " + GROW])


class InGdb(Case):
    def watched(self, commands, *arguments):
        return self.batch(commands, "--args", PROGRAM, *map(str, arguments))

    def test_the_stop_begins_at_the_caller(self):
        results = self.watched(
            ["snapshot watch 5000", "run", "backtrace", "frame", "backtrace -no-filters", "up", "break exit", "continue", "backtrace 1"],
            "grow", 1000, 100,
        )
        frames = re.findall(r"^#\d+ +(?:0x[0-9a-f]+ in )?(\w+) \(", results["backtrace"], re.M)
        self.assertEqual(frames, ["grow", "main"])
        self.assertRegex(results["frame"], r"\A#\d+ .* in grow \(\) at ")
        self.assertIn("allocsnap_watch_reached", results["backtrace -no-filters"])
        self.assertRegex(results["up"], r"\A#\d+ .* in main \(")
        self.assertRegex(results["backtrace 1"], r"\A#0 .*exit ")

    def test_each_run(self):
        """The limit of the next run holds for each; the breakpoint is in no list."""
        results = self.watched(
            ["snapshot watch 5000", "info breakpoints", "delete", "run", "kill", " run", "kill ",
             "snapshot watch off", "show environment ALLOCSNAP_WATCH", "  run"],
            "grow", 1000, 100,
        )
        self.assertRegex(results["info breakpoints"], r"\ANo breakpoints\b.*\.\n\Z")
        for run in ("run", " run"):
            self.assertEqual(len(told(results[run])), 1)
        self.assertEqual(results["snapshot watch off"], "Nothing is watched any more.\n")
        self.assertIn("not defined", results["show environment ALLOCSNAP_WATCH"])
        self.assertEqual(told(results["  run"]), [])

    def test_users_variables_come_back(self):
        mine = "set environment ALLOCSNAP_WATCH = 7G"
        show = "show environment ALLOCSNAP_WATCH"
        results = self.watched([mine, "snapshot watch 1G", show, "snapshot stop", " " + show])
        self.assertEqual(results[show], "ALLOCSNAP_WATCH = 1073741824\n")
        self.assertEqual(results[" " + show], "ALLOCSNAP_WATCH = 7G\n")

    def test_next_run_is_traced_and_said_so(self):
        results = self.watched(["snapshot watch 500M", SHOW, "snapshot start 5", " " + SHOW, "snapshot watch --count 7", "show environment ALLOCSNAP_WATCH"])
        self.assertEqual(
            results["snapshot watch 500M"],
            "The next `run` traces the heap, 16 frames of each stack.\n"
            "The next `run` stops at more than 500 MiB traced.\n",
        )
        self.assertEqual(results[SHOW], "next run: more than 500 MiB traced\n")
        self.assertEqual(results[" " + SHOW], results[SHOW])
        self.assertEqual(results["show environment ALLOCSNAP_WATCH"], "ALLOCSNAP_WATCH = 524288000,count=7\n")

    def test_off_in_a_process(self):
        results = self.watched(
            ["snapshot start", "break main", "run", SHOW, "snapshot watch 5000", "snapshot watch off", " " + SHOW, "continue"],
            "grow", 1000, 100,
        )
        self.assertEqual(results[SHOW], NOTHING)
        self.assertEqual(
            results["snapshot watch off"],
            "Nothing is watched any more, from its next malloc or free on.\n",
        )
        self.assertEqual(results[" " + SHOW], NOTHING)
        self.assertEqual(told(results["continue"]), [])

    def test_process_that_is_attached_to(self):
        """Of hooks that were in it before gdb was."""
        commands = ["set environment LD_PRELOAD " + HOOKS, "break main", "run", "snapshot watch 5000", "continue"]
        results = self.watched(commands, "grow", 1000, 100)
        self.assertEqual(len(told(results["continue"])), 1)

    def test_breakpoints_condition_and_other_stops_are_not_disturbed(self):
        results = self.watched(
            ["snapshot watch 5000", "break grow", "run", "continue", " continue"], "grow", 1000, 100
        )
        self.assertEqual(told(results["run"]), [])
        self.assertEqual(len(told(results["continue"])), 1)
        self.assertEqual(told(results[" continue"]), [])


class AbortedCore(Case):
    def test_core_holds_the_heap_of_that_moment(self):
        core = os.path.join(self.directory, "core")
        written = self.batch(
            ["set environment LD_PRELOAD " + HOOKS, "set environment ALLOCSNAP_WATCH 5000", "run",
             "generate-core-file " + core],
            "--args", PROGRAM, "grow", "1000", "100",
        )
        self.assertIn("SIGABRT", written["run"])
        results = self.batch([STATS, SHOW, "snapshot watch 1M", "snapshot watch off", "backtrace"], PROGRAM, core)
        self.assertTrue(results[STATS].endswith(total(5100, 51)), results[STATS])
        self.assertEqual(results[SHOW], "reached: Heap passed 4.88 KiB: 4.98 KiB in 51 blocks\n")
        cannot = "a core cannot be changed: start the program with `run` to trace it\n"
        self.assertEqual(results["snapshot watch 1M"], cannot)
        self.assertEqual(results["snapshot watch off"], cannot)
        self.assertIn(" grow ", results["backtrace"])


class Errors(Case):
    def test_what_cannot_be_watched(self):
        how = "; `snapshot watch --help` shows how\n"
        size = 'is not a size (bytes, or with K, M or G: 512K)'
        expected = {
            "snapshot watch 1.5G": 'argument SIZE|off: "1.5G" ' + size + how,
            "snapshot watch -5": None,
            "snapshot watch 0": 'argument SIZE|off: "0" is no limit: it is from 1 on' + how,
            "snapshot watch +0": 'argument SIZE|off: "0" is no limit: it is from 1 on' + how,
            "snapshot watch ++5": 'argument SIZE|off: "+5" ' + size + how,
            "snapshot watch OFF": 'argument SIZE|off: "OFF" ' + size + how,
            "snapshot watch --block 0": 'argument --block: "0" is no limit: it is from 1 on' + how,
            "snapshot watch --count 1K": 'argument --count: "1K" is not a number of blocks (from 1 to'
            " 9223372036854775807)" + how,
            "snapshot watch off --failed": "`off` stands alone" + how,
            "snapshot watch 9223372036854775808": 'argument SIZE|off: "9223372036854775808" ' + size + how,
        }
        results = self.batch(list(expected) + [SHOW], PROGRAM)
        for command, message in expected.items():
            with self.subTest(command):
                if message is None:
                    self.assertTrue(results[command].endswith(how))
                else:
                    self.assertEqual(results[command], message)
        self.assertEqual(results[SHOW], NOTHING)

    def test_process_that_is_past_it_or_not_traced(self):
        results = self.batch(
            ["snapshot watch 5000", "run", "snapshot watch 4K", "snapshot watch --count 7",
             "snapshot watch +9223372036854775807", "snapshot stop", "snapshot watch 1G"],
            "--args", PROGRAM, "grow", "1000", "100",
        )
        larger = "already: give a larger limit, or +SIZE for as much more than now\n"
        self.assertEqual(results["snapshot watch 4K"], "the heap has 4.98 KiB " + larger)
        self.assertEqual(results["snapshot watch --count 7"], "the heap has 51 blocks " + larger)
        self.assertEqual(
            results["snapshot watch +9223372036854775807"],
            "no heap is as large as that: give a smaller size\n",
        )
        self.assertEqual(
            results["snapshot watch 1G"],
            "the process is not traced: `snapshot start` traces it from now on\n",
        )

    def test_process_without_hooks(self):
        results = self.batch(["break main", "run", "snapshot watch 1G", SHOW], PROGRAM)
        for command in ("snapshot watch 1G", SHOW):
            self.assertIn("no allocsnap hooks in this process", results[command])

    def test_command_line_has_none(self):
        results = harness.subprocess.run(
            [harness.ROOT + "/core/install/allocsnap", "watch", "1G"],
            stdout=harness.subprocess.PIPE, stderr=harness.subprocess.STDOUT, encoding="utf-8", check=False,
        )
        self.assertNotEqual(results.returncode, 0)
        self.assertIn("watch", results.stdout)


if __name__ == "__main__":
    unittest.main()
