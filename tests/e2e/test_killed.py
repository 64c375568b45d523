"""A program that is killed while the graph over its heap is read, and a debugger whose reads are refused
from some moment on: one line says so, at whichever read, and nothing has changed."""

import os
import unittest

from .harness import Case, program

# Which read of a command it is, is counted by the code that reads; it goes on once the process is a zombie.
SCRIPT = """
import os
import signal

from allocsnap.library import calls
import gdb

REFUSED = "ptrace: Operation not permitted."

class Reads:
    left = asked = 0
    refuse = False

def kill():
    pid = gdb.selected_inferior().pid
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)

def counted(whole):
    def callback(self, *arguments):
        Reads.asked += 1
        if Reads.asked == Reads.left and not Reads.refuse:
            kill()
        return whole(self, *arguments)
    return callback

def refused(whole):
    def read(self, address, size):
        if Reads.refuse and Reads.asked >= Reads.left:
            raise gdb.error(REFUSED)
        return whole(self, address, size)
    return read

calls.Calls._on_read = counted(calls.Calls._on_read)
GdbTarget.read_memory = refused(GdbTarget.read_memory)

def run(command, left=0, refuse=False):
    Reads.left, Reads.asked, Reads.refuse = left, 0, refuse and left > 0
    try:
        return gdb.execute(command, to_string=True)
    except gdb.error as error:
        return "error: {}\\n".format(error)
    finally:
        Reads.left, Reads.refuse = 0, False

def anew():
    gdb.execute("kill", to_string=True)
    gdb.execute("run", to_string=True)

def kill_at_each(command, step):
    anew()
    whole, count = run(command), Reads.asked
    told = set()
    for left in range(1, count + 1, step):
        anew()
        was = run("snapshot list"), run("snapshot stats --json a")
        pid = gdb.selected_inferior().pid
        answers = [run(command, left), run(command), run("snapshot status")]
        told.update(answer.replace(str(pid), "PID") for answer in answers)
        assert (run("snapshot list"), run("snapshot stats --json a")) == was
    anew()
    print(count > 5, run(command) == whole, sorted(told))

def refuse_at_each(command):
    run(command)
    whole, count = run(command), Reads.asked
    told = {run(command, left, True) for left in range(1, count + 1)}
    print(count > 5, run(command) == whole, sorted(told))
"""

ENDED = (
    "error: process PID has ended, without the debugger having it go on, as when it is killed from outside: its memory"
    " is gone; what was taken before is kept, and to see more start the program again\n"
)


class Killed(Case):
    seconds = 40

    def stopped(self):
        gdb = self.gdb("--args", program("holds"))
        path = os.path.join(self.directory, "killed.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(SCRIPT)
        gdb.run("set confirm off")
        gdb.run("snapshot start")
        gdb.run("break stop_here")
        self.assertIn("Breakpoint 1, ", gdb.run("run"))
        self.assertIn("Snapshot a: ", gdb.run("snapshot take a"))
        gdb.run("source " + path)
        return gdb

    def test_killed_at_any_read(self):
        gdb = self.stopped()
        for command, step in (("leaks", 4), ("refs kept[3]", 13), ("path kept[3]", 13), ("retained", 17)):
            with self.subTest(command):
                said = gdb.run("python kill_at_each('snapshot {}', {})".format(command, step))
                # Before it gdb shows each stop.
                self.assertEqual(said.splitlines()[-1], "True True {}".format([ENDED]))

    def test_reads_refused_from_any_on(self):
        gdb = self.stopped()
        whole = gdb.run("snapshot list"), gdb.run("snapshot stats --json")
        for command in ("leaks", "leaks --kinds all", "refs kept[3]", "path kept[3]", "retained", "stats type"):
            with self.subTest(command):
                said = gdb.run("python refuse_at_each('snapshot {}')".format(command))
                self.assertEqual(said, "True True {}\n".format(["error: ptrace: Operation not permitted.\n"]))
        self.assertEqual((gdb.run("snapshot list"), gdb.run("snapshot stats --json")), whole)


if __name__ == "__main__":
    unittest.main()
