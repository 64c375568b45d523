"""A terminal of one's own, on which a shell has jobs."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

from . import harness
from .typed import ALLOCSNAP, PYTHON


class Terminal:
    """bash on a terminal of 80 columns, as a user has it. What it shows is kept."""

    def __init__(self, case, lines=24, columns=80):
        self.shown = ""
        self._file, child = pty.openpty()
        self.resize(lines, columns)
        # A session of its own, whose terminal becomes this one: with control of jobs.
        self.process = subprocess.Popen(
            ["setsid", "--ctty", "bash", "--norc", "--noprofile", "--noediting", "-i"],
            stdin=child,
            stdout=child,
            stderr=child,
            env=harness.environment(case.home, TERM="xterm", PS1="$ "),
            cwd=case.directory,
        )
        os.close(child)
        case.addCleanup(os.close, self._file)
        case.addCleanup(self.process.wait)
        case.addCleanup(self.process.kill)
        case.addCleanup(self._end_jobs)
        self.begin("allocsnap() {{ {} -B {} \"$@\"; }}".format(PYTHON, ALLOCSNAP))

    def _end_jobs(self):
        """Those that a failed test has left."""
        try:
            os.write(self._file, b"\x03\nkill -9 %1; exit\n")
        except OSError:
            pass

    def resize(self, lines, columns):
        """Makes it as large, which its programs are told by SIGWINCH."""
        fcntl.ioctl(self._file, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def type(self, text):
        os.write(self._file, text.encode())

    def begin(self, line):
        """Types a command; what it shows is waited for from here on. Returns where that begins."""
        since = len(self.shown)
        self.type(line + "\n")
        return since

    def read(self):
        """Reads what there is, waiting for some; False: the terminal is not used any more."""
        if not select.select([self._file], [], [], harness.DEADLINE)[0]:
            raise harness.Failed("nothing is shown any more: {!r}".format(self.shown))
        try:
            data = os.read(self._file, 65536)
        except OSError:
            return False
        self.shown += data.decode("utf-8", "surrogateescape")
        return bool(data)

    def wait_for(self, wanted, since=0):
        """Reads until something is shown from there on; returns the match."""
        pattern, deadline = re.compile(wanted, re.S), time.monotonic() + harness.DEADLINE
        while True:
            match = pattern.search(self.shown, since)
            if match is not None:
                return match
            if time.monotonic() > deadline or not self.read():
                raise harness.Failed("not shown: {!r} in {!r}".format(wanted, self.shown[since:]))
