"""The commands and the API in Breakpoint.stop, where gdb looks whether to stop: it says that the
process runs, and can read it."""

import os
import unittest

import expectations

from .harness import Case, program

#: Defines `at`, which carries out the commands of a file twice: in stop(), and at the prompt.
SCRIPT = """
import gdb, allocsnap as tracemalloc

def carry_out(commands):
    for command in commands:
        try:
            print(">", command)
            print(gdb.execute(command, to_string=True), end="")
        except gdb.error as error:
            print(error)

def api():
    print(tracemalloc.is_tracing(), tracemalloc.get_traced_memory(), tracemalloc.get_traceback_limit())
    snapshot = tracemalloc.take_snapshot()
    print(len(snapshot.traces), snapshot.traces.notes)
    print(snapshot.statistics("lineno")[0])
    print(tracemalloc.get_object_traceback(gdb.parse_and_eval("kept[0]")))

class Looks(gdb.Breakpoint):
    def stop(self):
        print("in stop()")
        api()
        carry_out(COMMANDS)
        return True

Looks("stop_here")
"""

COMMANDS = [
    "snapshot status",
    "snapshot stats",
    "snapshot stats traceback --json",
    "snapshot take one",
    "snapshot diff one",
    "snapshot traces -n 3",
    "snapshot who kept[3]",
    "snapshot who --json 1",
    "snapshot place holds.c",
    "output $snapshot_count(1)",
    "snapshot delete one",
    "snapshot clear",
    "snapshot status",
]

COUNTED = """
import gdb, allocsnap as tracemalloc
class Looks(gdb.Breakpoint):
    looks = blocks = 0
    def stop(self):
        Looks.looks += 1
        taken = tracemalloc.take_snapshot()
        Looks.blocks = max(Looks.blocks, len(taken.traces), tracemalloc.get_traced_memory()[0] // 1000)
        gdb.execute("snapshot stats", to_string=True)
        return False
Looks("threads.c:{}")
"""


class BreakpointStop(Case):
    def script(self, text):
        path = os.path.join(self.directory, "script.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return "source " + path

    def test_what_is_said_is_what_the_prompt_says(self):
        script = self.script("COMMANDS = {!r}\n{}".format(COMMANDS, SCRIPT))
        again = ["python api()", "python carry_out(COMMANDS[:11])"]
        results = self.batch(
            ["snapshot start", script, "run"] + again + ["python carry_out(['snapshot stats'])"],
            program("holds"),
        )
        said = results["run"].partition("in stop()\n")[2]
        inside, _, _ = said.partition("> snapshot clear\n")
        self.assertIn("14 []\n", inside)
        self.assertIn("Total: size=10128 B, count=14\n", inside)
        self.assertNotIn("running", said)
        # The traces were cleared by the last command of stop(), at the next malloc.
        self.assertIn("The traces of 14 blocks are dropped at the program's next malloc or free.\n", said)
        self.assertIn("waiting: clear, until the program's next malloc or free\n", said)
        script = self.script("COMMANDS = {!r}\n{}".format(COMMANDS[:11], SCRIPT))
        results = self.batch(["snapshot start", script, "run"] + again, program("holds"))
        at_prompt = results[again[0]] + results[again[1]]
        said = results["run"].partition("in stop()\n")[2]
        self.assertTrue(at_prompt.startswith("True (10128, "), at_prompt)
        self.assertTrue(said.startswith(at_prompt), said)

    def test_while_other_threads_go_on(self):
        late = expectations.named(expectations.source("threads.c"))["late"]
        results = self.batch(
            ["snapshot start", self.script(COUNTED.format(late.line)), "break stop_here", "run"]
            + ["python print(Looks.looks, Looks.blocks > 100)"],
            program("threads"),
        )
        self.assertIn("Breakpoint 2, stop_here ", results["run"])
        self.assertNotIn("rror", results["run"])
        self.assertEqual(
            results["python print(Looks.looks, Looks.blocks > 100)"], "{} True\n".format(late.count)
        )

    def test_program_that_is_not_traced_goes_on(self):
        """gdb reads commands again where one of its own has failed, though the program runs."""
        script = """
import gdb, allocsnap as tracemalloc
class Looks(gdb.Breakpoint):
    said = []
    def stop(self):
        Looks.said.append(tracemalloc.is_tracing())
        try:
            tracemalloc.take_snapshot()
        except RuntimeError:
            Looks.said.append("not traced")
        return False
Looks("stop_here")
"""
        for language in ("c", "rust", "ada"):
            with self.subTest(language):
                results = self.batch(
                    ["set language " + language, self.script(script), "run", "python print(Looks.said)"],
                    program("holds"),
                )
                self.assertIn("exited normally]", results["run"])
                self.assertEqual(results["python print(Looks.said)"], "[False, 'not traced']\n")

    def test_a_thread_that_runs_is_refused(self):
        """Also where another one has come to a stop, as in non-stop mode."""
        gdb = self.gdb("--args", program("holds"), "pause")
        for command in ("set non-stop on", "snapshot start", "break stop_here"):
            gdb.run(command)
        self.assertIn("Breakpoint 1, ", gdb.run("run"))
        self.assertIn("Total: size=10128 B, count=14\n", gdb.run("snapshot stats"))
        gdb.run("continue &")
        self.assertIn("the process is running: interrupt it first", gdb.run("snapshot stats"))
        self.assertIn(
            "the process is running: interrupt it first",
            gdb.run("python import allocsnap; print(allocsnap.is_tracing())"),
        )


if __name__ == "__main__":
    unittest.main()
