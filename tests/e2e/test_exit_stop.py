"""A traced program stops by itself at its exit, or at its end."""

import subprocess

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

#: Ends while another thread waits.
WAITS = """
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static void *kept;

static void *wait_for_ever(void *unused)
{
    for (;;)
        pause();
    return unused;
}

int main(void)
{
    pthread_t thread;
    int failed = pthread_create(&thread, NULL, wait_for_ever, NULL);
    kept = malloc(700); /* kept */
    return failed;
}
"""

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

    def test_each_run_in_lldb(self):
        """The same, but that they take a number."""
        for debugger in debuggers.lldbs():
            with self.subTest(debugger=debugger.name):
                commands = ["snapshot set stop-at-exit exit", "snapshot start", "breakpoint list"]
                commands += ["breakpoint set -n main", "breakpoint disable", "breakpoint delete -f"]
                commands += ["run", STATS, "process kill", "process launch", " " + STATS, "continue"]
                results = debugger.run(self, commands, program("exits"))
                self.assertNotIn("exit", results["breakpoint list"])
                self.assertIn("(2 breakpoints)", results["breakpoint delete -f"])
                for run, stats in (("run", STATS), ("process launch", " " + STATS)):
                    self.assertIn(AT_EXIT, results[run])
                    self.assertTrue(results[stats].endswith(ALL))
                self.assertIn(ended(debugger), results["continue"])
                off = ["snapshot set stop-at-exit exit", "snapshot start", "snapshot set stop-at-exit off", "run"]
                self.assertNotIn("The traced program", str(debugger.run(self, off, program("exits"))))

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

    def test_other_threads_that_run(self):
        """In non-stop mode the others are to be stopped first, as is said."""
        source, made = self.directory + "/waits.c", self.directory + "/waits"
        with open(source, "w", encoding="utf-8") as file:
            file.write(WAITS)
        subprocess.run(["gcc", "-g", "-pthread", "-o", made, source], check=True)
        line = 1 + WAITS[: WAITS.index("/* kept */")].count("\n")
        stats = STATS + " --include waits.c:{}".format(line)
        for mode, told, way in (("exit", AT_EXIT, "on"), ("end", AT_END, "on"), ("exit", AT_EXIT, "off")):
            with self.subTest(mode=mode, non_stop=way):
                gdb = self.gdb(made)
                gdb.run("set non-stop " + way)
                gdb.run("snapshot set stop-at-exit " + mode)
                gdb.run("snapshot start")
                shown = gdb.run("run")
                if way == "on":
                    told = told.replace(": `", ": its other threads run, `interrupt -a` stops them; then `", 1)
                    told = told.replace("`continue`", "`continue -a`")
                self.assertEqual(shown.count("The traced program"), 1)
                self.assertIn(told, shown)
                if way == "on":
                    self.assertIn("interrupt -a", gdb.run(stats))
                    # gdb says when, before or after its prompt.
                    gdb.start("interrupt -a")
                    gdb.wait_for('"waits" stopped.')
                gdb.start(stats)
                gdb.wait_for("Total: size=700 B, count=1\n")
                gdb.start("continue -a" if way == "on" else "continue")
                gdb.wait_for("exited normally]")

    def test_a_single_thread_in_non_stop_mode(self):
        commands = ["set non-stop on", "snapshot set stop-at-exit exit", "snapshot start", "run", STATS]
        results = self.batch(commands, program("exits"))
        self.assertIn(AT_EXIT, results["run"])
        self.assertTrue(results[STATS].endswith(ALL))

    def test_errors(self):
        which = "stop-at-exit is off, exit or end: say which\n"
        for words in ("", " on", " off on"):
            command = "snapshot set stop-at-exit" + words
            self.assertEqual(self.batch([command])[command], which)
