"""How far a long command has come is told on a terminal, and nowhere else."""

import os
import pty
import re
import subprocess
import threading
import unittest

from . import debuggers, harness
from .harness import Case, program

#: As if two seconds went by from each report to the next.
SLOW_CLOCK = """
from allocsnap.library import calls
_init = calls.Calls.__init__
def _slow(self, target=None, **options):
    _init(self, target, clock=iter(range(0, 10**6, 2)).__next__, **options)
calls.Calls.__init__ = _slow
"""
PROGRESS = re.compile(r"^\w[\w ]*: [0-9]+%\r?$", re.M)
NAMING = re.compile(r"^naming frames: [0-9]+%\r?$", re.M)
TOTAL = re.compile(r"^Total: size=10128 B, count=14\r?$", re.M)


class Progress(Case):
    def slow_clock(self):
        path = os.path.join(self.directory, "slow_clock.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(SLOW_CLOCK)
        return path

    def in_gdb(self, commands):
        """The command line of a session in gdb."""
        line = [harness.GDB, "-nx", "-q"] + harness.GDB_OPTIONS
        settings = ["set confirm off", "set width 0", "set height 0", "set style enabled off",
                    "set inferior-tty /dev/null"]
        steps = ["source " + harness.SCRIPT, "source " + self.slow_clock(), "snapshot start",
                 "break stop_here", "run"]
        for command in settings + steps + commands + ["quit"]:
            line += ["-ex", command]
        return line + [program("holds")]

    def in_lldb(self, commands):
        steps = ["settings set auto-confirm true", "settings set target.input-path /dev/null",
                 "command script import " + debuggers.LLDB_SCRIPT, "command script import " + self.slow_clock(),
                 "snapshot start", "breakpoint set -n stop_here", "run"]
        line = [debuggers.installed_lldb(), "--no-lldbinit", "--no-use-colors"]
        for command in steps + commands + ["quit"]:
            line += ["-o", command]
        return line + [program("holds")]

    def run_with(self, line, stdout_is_terminal, stderr_is_terminal):
        """(what came on the terminal, what came in a pipe) of a command with these."""
        master, slave = pty.openpty()
        process = subprocess.Popen(
            line,
            stdin=subprocess.DEVNULL,
            stdout=slave if stdout_is_terminal else subprocess.PIPE,
            stderr=slave if stderr_is_terminal else subprocess.STDOUT,
            cwd=self.directory,
            env=harness.environment(self.home),
            start_new_session=True,
        )
        os.close(slave)
        shown = []

        def read_terminal():
            try:
                while True:
                    shown.append(os.read(master, 65536))
                    if not shown[-1]:
                        return
            except OSError:
                return  # nobody has the other side open

        reader = threading.Thread(target=read_terminal)
        reader.start()
        piped = b""
        try:
            if process.stdout is not None:
                piped = process.stdout.read()
            process.wait(harness.DEADLINE)
        finally:
            process.kill()
            process.wait()
            reader.join()
            os.close(master)
            if process.stdout is not None:
                process.stdout.close()
        return b"".join(shown).decode("utf-8"), piped.decode("utf-8")

    def check(self, line):
        shown, piped = self.run_with(line, True, True)
        self.assertRegex(shown, TOTAL)
        self.assertRegex(shown, NAMING)
        shown, piped = self.run_with(line, False, True)
        self.assertRegex(piped, TOTAL)
        self.assertRegex(shown, NAMING)
        self.assertNotRegex(piped, PROGRESS)
        shown, piped = self.run_with(line, False, False)
        self.assertEqual(shown, "")
        self.assertRegex(piped, TOTAL)
        self.assertNotRegex(piped, PROGRESS)

    def test_gdb(self):
        self.check(self.in_gdb(["snapshot stats"]))

    def test_lldb(self):
        self.check(self.in_lldb(["snapshot stats"]))

    def test_a_string_that_a_script_of_gdb_asks_for(self):
        ask = "python text = gdb.execute('snapshot stats', to_string=True)"
        shown, _ = self.run_with(self.in_gdb([ask, "python print(text)"]), True, True)
        self.assertRegex(shown, TOTAL)
        self.assertNotRegex(shown, PROGRESS)

    def test_commands_of_a_breakpoint_in_gdb(self):
        path = os.path.join(self.directory, "commands")
        with open(path, "w", encoding="utf-8") as file:
            file.write("commands 1\nsnapshot stats\nend\n")
        line = self.in_gdb([])
        line[line.index("run") - 1 : line.index("run") - 1] = ["-ex", "source " + path]
        shown, _ = self.run_with(line, True, True)
        self.assertRegex(shown, TOTAL)
        self.assertNotRegex(shown, PROGRESS)


if __name__ == "__main__":
    unittest.main()
