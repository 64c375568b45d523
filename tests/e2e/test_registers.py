"""Registers of a live process that the debugger, or the kernel, does not tell: the first line of `leaks` says of how
many threads, and how that errs; the rest is right."""

import json
import os
import re
import subprocess
import unittest

from . import debuggers, harness
from .debuggers import RUN, Step, stop_at
from .harness import program
from .test_reach import SOURCE, expected, lines_of
from .typed import Typed

#: What is not told of the first thread: registers by their names.
LOST = {
    "every one": ".*",
    "the stack pointer": "rsp",
    "a general one": "rbx",
    "the vectors": r"[xyz]mm\d+",
    "the thread pointer": "fs_base",
}

IN_GDB = r"""
import re
import gdb

class Frame:
    def __init__(self, frame):
        self._frame = frame

    def architecture(self):
        return self._frame.architecture()

    def read_register(self, name):
        if re.fullmatch(LOST, name):
            raise gdb.error("value is not available")
        return self._frame.read_register(name)

def newest_frame(real=gdb.newest_frame):
    if LOST is None or gdb.selected_thread().num != 1:
        return real()
    if LOST == ".*":
        raise gdb.error("Couldn't get registers: No such process.")
    return Frame(real())

LOST = None
gdb.newest_frame = newest_frame
"""

IN_LLDB = r"""
import re
import lldb_target

class Frame:
    def __init__(self, frame):
        self._frame = frame

    def IsValid(self):
        return LOST != ".*"

    def GetRegisters(self):
        sets = self._frame.GetRegisters()
        return [[one for one in registers if not re.fullmatch(LOST, one.GetName())] for registers in sets]

class Thread:
    def __init__(self, thread):
        self._thread = thread

    def GetThreadID(self):
        return self._thread.GetThreadID()

    def GetFrameAtIndex(self, index):
        return Frame(self._thread.GetFrameAtIndex(index))

def thread_facts(thread, real=lldb_target._thread_facts):
    return real(Thread(thread) if LOST and thread.GetIndexID() == 1 else thread)

LOST = None
lldb_target._thread_facts = thread_facts
"""

#: A program whose vector registers are all zero, with a block that none of its registers holds.
ZEROED = r"""
#include <stdlib.h>
#include <unistd.h>
void *kept;
int main(void)
{
    kept = malloc(100);
    __asm__ volatile("vzeroall" ::: "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
                     "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
    if (write(1, "ready\n", 6) != 6)
        return 1;
    for (;;)
        pause();
}
"""

LEAKS = "snapshot leaks --json"
OLD = ", and old values on stacks may hide others"


def note(what, count):
    first = "{} of 1 of {} threads are not known: ".format(what, count)
    if what == "the thread pointers":
        return first + "old values on stacks of threads that have ended may hide leaks"
    return first + "blocks that only they hold are shown as leaked" + (OLD if what == "the registers" else "")


class Registers(Typed):
    def told_by(self, debugger):
        """{what is lost: the answer of `leaks`}, and the number of threads."""
        script = os.path.join(self.directory, "losing.py")
        with open(script, "w", encoding="utf-8") as file:
            file.write(IN_GDB if debugger.name == "gdb" else IN_LLDB)
        commands = [
            "snapshot start 16", stop_at("stop_here"), RUN,
            Step("source " + script, "command script import " + script),
            Step(
                "python print(len(gdb.selected_inferior().threads()))",
                "script print(lldb.debugger.GetSelectedTarget().process.num_threads)",
            ),
        ]
        for lost in LOST.values():
            commands.append(Step("python LOST = {!r}".format(lost), "script losing.LOST = {!r}".format(lost)))
            commands.append(LEAKS)
        results = debugger.run(self, commands, program("reach"))
        answers = [json.loads(text) for text in results.of(LEAKS)]
        return dict(zip(LOST, answers)), int(re.search(r"\d+", results.outputs[4]).group())

    def test_of_the_first_thread(self):
        known = set(expected()["definite"])
        in_registers = set(lines_of("a register") + lines_of("a vector register"))
        for debugger in [debuggers.gdb()] + debuggers.lldbs():
            with self.subTest(debugger.name):
                answers, count = self.told_by(debugger)
                notes = {lost: answer["notes"][0] for lost, answer in answers.items()}
                whole = note("the registers", count)
                self.assertEqual(
                    notes,
                    {
                        "every one": whole,
                        "the stack pointer": whole,
                        "a general one": note("some registers", count),
                        "the vectors": note("the vector registers", count),
                        "the thread pointer": note("the thread pointers", count),
                    },
                )
                for lost, answer in answers.items():
                    frames = [row["traceback"][0] for row in answer["statistics"]]
                    lines = {frame["lineno"] for frame in frames if frame["filename"] == SOURCE}
                    if lost in ("a general one", "the vectors"):
                        # With the others, old values on stacks hide some.
                        self.assertLessEqual(known, lines, lost)
                    self.assertLessEqual(lines - known, in_registers, lost)

    def test_zeros_are_known(self):
        """Registers in which no address is are not taken for ones that are not told."""
        path = os.path.join(self.directory, "zeroed")
        with open(path + ".c", "w", encoding="utf-8") as file:
            file.write(ZEROED)
        subprocess.run(["gcc", "-g", "-O1", "-mavx", path + ".c", "-o", path], check=True)
        process = subprocess.Popen(
            [path],
            stdout=subprocess.PIPE,
            env=harness.environment(self.home, LD_PRELOAD=harness.HOOKS, ALLOCSNAP="16"),
        )
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        answer = json.loads(self.told("-p", process.pid, "leaks", "--json"))
        self.assertEqual((answer["notes"], answer["statistics"]), ([], []))


if __name__ == "__main__":
    unittest.main()
