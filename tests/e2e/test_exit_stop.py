"""A traced program stops by itself at its exit, or at its end."""

from . import debuggers
from .debuggers import Step
from .harness import HOOKS, Case, program

NOTICE = (
    "The traced program {}: `snapshot stats` shows what it holds, `continue` lets it end (`snapshot"
    " set stop-at-exit off` has it not stop here).\n"
)
AT_EXIT, AT_END = NOTICE.format("is about to exit"), NOTICE.format("is at its end")
ALL, LEFT = "Total: size=600 B, count=3\n", "Total: size=300 B, count=1\n"
#: What a handler, but no destructor, has freed.
QUICKLY = "Total: size=500 B, count=2\n"
STATS = "snapshot stats"

#: {(mode, how the program ends): (what is told, what it holds then)}
CASES = {
    ("exit", "return"): (AT_EXIT, ALL),
    ("exit", "exit"): (AT_EXIT, ALL),
    ("exit", "quick_exit"): (AT_EXIT, ALL),
    ("exit", "_exit"): (AT_END, ALL),
    ("end", "return"): (AT_END, LEFT),
    ("end", "exit"): (AT_END, LEFT),
    ("end", "quick_exit"): (AT_END, QUICKLY),
    ("end", "_exit"): (AT_END, ALL),
}
ENDED = {"gdb": "exited normally]", "lldb": "exited with status = 0"}


def ended(debugger):
    return ENDED["gdb" if debugger.name == "gdb" else "lldb"]


class ExitStop(Case):
    seconds = 60

    def each(self):
        return debuggers.every()

    def test_ways_to_end(self):
        for debugger in self.each():
            for (mode, way), (told, total) in CASES.items():
                with self.subTest(debugger=debugger.name, mode=mode, way=way):
                    commands = ["snapshot set stop-at-exit " + mode, "snapshot start"]
                    commands += [debuggers.RUN, STATS, Step("continue", "continue")]
                    results = debugger.run(self, commands, program("exits"), [way])
                    self.assertEqual(results[debuggers.RUN].count("The traced program"), 1)
                    self.assertIn(told, results[debuggers.RUN])
                    self.assertTrue(results[STATS].endswith(total), results[STATS])
                    self.assertIn(ended(debugger), results[commands[-1]])

    def test_no_stop(self):
        """Neither where it is off, nor in what is not traced, or no longer."""
        off = "snapshot set stop-at-exit off"
        stop = ["break main", "run", "snapshot stop", "continue"]
        for commands in (
            [off, "snapshot start", "run"],
            ["snapshot set stop-at-exit exit", "snapshot start", off, "run"],
            ["snapshot set stop-at-exit exit", "run"],
            ["snapshot set stop-at-exit exit", "snapshot start", "snapshot stop", "run"],
            ["snapshot set stop-at-exit exit", "snapshot start"] + stop,
        ):
            with self.subTest(commands):
                results = self.batch(commands, program("exits"))
                self.assertNotIn("The traced program", str(results))
                self.assertIn("exited normally]", results[commands[-1]])

    def test_it_is_on_by_default(self):
        results = self.batch(["snapshot set", "snapshot start"], program("exits"), stops=True)
        self.assertIn("\nstop-at-exit: exit\n", results["snapshot set"])

    def test_each_run(self):
        """And the breakpoints are in no list, and stay when all are deleted."""
        commands = ["snapshot set stop-at-exit exit", "snapshot start", "info breakpoints", "delete"]
        commands += ["run", STATS, "kill", " run", " " + STATS, "continue"]
        results = self.batch(commands, program("exits"))
        self.assertEqual(results["snapshot start"].count("\n"), 1)
        self.assertRegex(results["info breakpoints"], r"\ANo breakpoints\b.*\.\n\Z")
        for run, stats in (("run", STATS), (" run", " " + STATS)):
            self.assertIn(AT_EXIT, results[run])
            self.assertTrue(results[stats].endswith(ALL))
        self.assertIn("exited normally]", results["continue"])

    def test_process_that_is_traced_later(self):
        commands = ["snapshot set stop-at-exit exit", "break main", "set environment LD_PRELOAD "]
        commands[2] += HOOKS
        commands += ["run", "snapshot start", "continue"]
        results = self.batch(commands, program("exits"))
        self.assertIn(AT_EXIT, results["continue"])

    def test_child(self):
        """What gdb follows is what stops."""
        commands = ["snapshot set stop-at-exit exit", "snapshot start", "set follow-fork-mode child"]
        commands += ["run", STATS, "info inferiors"]
        results = self.batch(commands, program("exits"))
        self.assertIn(AT_EXIT, results["run"])
        self.assertTrue(results[STATS].endswith(ALL))

    def test_errors(self):
        which = "stop-at-exit is off, exit or end: say which\n"
        for words in ("", " on", " off on"):
            command = "snapshot set stop-at-exit" + words
            self.assertEqual(self.batch([command])[command], which)
