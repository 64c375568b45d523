"""Ctrl-C during long steps: nothing is lost, and all goes on working."""

import os
import unittest

from .harness import Case, program

# Each has the moment chosen by the code that is interrupted, not by the clock.
# A signal sent from inside a callback is what a Ctrl-C in the C code before it is.
SIGNAL_IN_READ = """
python
import os, signal
_whole = GdbTarget.read_memory
def _interrupted(self, address, size, _left=[{left}]):
    _left[0] -= 1
    if _left[0] == 0:
        os.kill(os.getpid(), signal.SIGINT)
    return _whole(self, address, size)
GdbTarget.read_memory = _interrupted
end
"""

RAISE_IN_READ = """
python
_whole = GdbTarget.read_memory
def _interrupted(self, address, size, _left=[{left}]):
    _left[0] -= 1
    if _left[0] == 0:
        raise KeyboardInterrupt
    return _whole(self, address, size)
GdbTarget.read_memory = _interrupted
end
"""

RAISE_IN_PROGRESS = """
python
from allocsnap.library import calls
def _stop(self, context, step, done, total):
    raise KeyboardInterrupt
_whole, calls.Calls._on_report = calls.Calls._on_report, _stop
end
"""

# The callback itself is not entered: as where the interpreter finds the pending
# signal at its first instruction, outside of every `try`.
ESCAPE_FROM_READ = """
python
from allocsnap.library import calls
_report = calls.Calls._on_report
def _escape(self, context, address, buffer, size):
    raise KeyboardInterrupt
_read, calls.Calls._on_read = calls.Calls._on_read, _escape
end
"""

WAIT_IN_READ = """
python
_whole = GdbTarget.read_memory
def _waiting(self, address, size, _left=[{left}]):
    _left[0] -= 1
    if _left[0] == 0:
        gdb.write("waiting for Ctrl-C" + chr(10))
        gdb.flush()
        while True:
            pass
    return _whole(self, address, size)
GdbTarget.read_memory = _waiting
end
"""

ERROR_IN_READ = """
python
_whole = GdbTarget.read_memory
def _broken(self, address, size):
    raise gdb.error("the target went away")
GdbTarget.read_memory = _broken
end
"""

# Each callback of a command in turn is where Ctrl-C is noticed; every other run is whole.
STOP_AT_EACH = """
from allocsnap.library import calls
import gdb

class Stops:
    left = asked = 0

def stopping(whole):
    def callback(self, *arguments):
        Stops.asked += 1
        if Stops.asked == Stops.left:
            raise KeyboardInterrupt
        return whole(self, *arguments)
    return callback

calls.Calls._on_read = stopping(calls.Calls._on_read)
calls.Calls._on_report = stopping(calls.Calls._on_report)

def run(command, left=0):
    Stops.left, Stops.asked = left, 0
    try:
        return gdb.execute(command, to_string=True)
    except gdb.error as error:
        return "{}\\n".format(error)

def stop_at_each(command):
    run(command)  # names are known from now on
    whole, count = run(command), Stops.asked
    answers = {run(command, left) for left in range(1, count + 1)}
    same = run(command) == whole
    print(count > 20, same, sorted(answers))
"""

INTERRUPTED = "interrupted: what was taken before is kept\n"


class Interrupt(Case):
    def stopped(self, name="holds"):
        gdb = self.gdb("--args", program(name))
        gdb.run("snapshot start")
        gdb.run("break stop_here")
        self.assertIn("Breakpoint 1, ", gdb.run("run"))
        self.whole = gdb.run("snapshot stats --json")
        self.assertIn('"total"', self.whole)
        self.assertIn("Snapshot a: ", gdb.run("snapshot take a"))
        return gdb

    def patch(self, gdb, script):
        for line in script.strip().splitlines()[:-1]:
            gdb.start(line)
        gdb.run("end")

    def check_all_works(self, gdb):
        self.assertEqual(gdb.run("snapshot list").count("\n"), 2)
        self.assertEqual(gdb.run("snapshot stats --json a"), self.whole)
        self.assertEqual(gdb.run("snapshot stats --json now"), self.whole)
        self.assertIn("Snapshot b: ", gdb.run("snapshot take b"))
        self.assertEqual(gdb.run("snapshot stats --json b"), self.whole)

    def check(self, script, message, undo):
        gdb = self.stopped()
        self.patch(gdb, script)
        self.assertEqual(gdb.run("snapshot take"), message)
        gdb.run("python " + undo)
        self.check_all_works(gdb)

    def test_signal_during_each_early_read(self):
        for left in (1, 2, 3, 4):
            with self.subTest(left):
                self.check(
                    SIGNAL_IN_READ.format(left=left),
                    INTERRUPTED,
                    "GdbTarget.read_memory = _whole",
                )

    def test_exception_in_a_read(self):
        for left in (1, 3):
            with self.subTest(left):
                self.check(
                    RAISE_IN_READ.format(left=left),
                    INTERRUPTED,
                    "GdbTarget.read_memory = _whole",
                )

    def test_exception_that_escapes_a_callback(self):
        self.check(ESCAPE_FROM_READ, INTERRUPTED, "calls.Calls._on_read = _read")

    def test_exception_in_progress(self):
        self.check(RAISE_IN_PROGRESS, INTERRUPTED, "calls.Calls._on_report = _whole")

    def test_ctrl_c_while_a_million_blocks_are_read(self):
        for left in (1, 20):
            with self.subTest(left):
                gdb = self.stopped("million")
                self.assertIn('"count":1000000', self.whole)
                self.patch(gdb, WAIT_IN_READ.format(left=left))
                gdb.start("snapshot stats")
                gdb.wait_for("waiting for Ctrl-C\n")
                gdb.interrupt()
                self.assertEqual(gdb.prompt(), INTERRUPTED)
                gdb.run("python GdbTarget.read_memory = _whole")
                self.check_all_works(gdb)

    def test_each_callback_of_the_graph(self):
        gdb = self.stopped()
        path = os.path.join(self.directory, "stop_at_each.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(STOP_AT_EACH)
        gdb.run("source " + path)
        commands = ("leaks", "leaks --kinds all", "refs kept[3]", "path kept[3]", "retained",
                    "retained --exact", "retained --top", "stats --leaked", "stats type")
        for command in commands:
            with self.subTest(command):
                said = gdb.run("python stop_at_each('snapshot {}')".format(command))
                self.assertEqual(said, "True True {}\n".format([INTERRUPTED]))
        self.check_all_works(gdb)

    def test_error_of_the_debugger_in_a_read(self):
        self.check(ERROR_IN_READ, "the target went away\n", "GdbTarget.read_memory = _whole")


if __name__ == "__main__":
    unittest.main()
