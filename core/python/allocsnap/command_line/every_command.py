"""`allocsnap every`: a series of dumps of a process."""

import argparse
import os
import re
import shlex
import signal
import sys
import time

from ..commands.grammar import whole_number
from ..errors import AllocsnapError, UsageError
from . import file_names
from .own_command import OwnCommand, by_name, process_number, shell_of, write_out
from .process_target import ProcessTarget

_PARTS = {
    "t": "the time of universal time, as in 20260131T235959.123Z",
    "n": "the number of the dump, from 1 on",
    "p": "the number of the process",
}
_UNITS = {"ms": 0.001, "s": 1, "": 1, "m": 60, "h": 3600}
_SECONDS_MOST = 366 * 24 * 3600
_LOOK = 0.2  # how often, in seconds, it is looked whether the process is there


def interval(text):
    """An argparse type: seconds of 30s, 500ms, 5m, 2h or a number."""
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h|)", text)
    if match is not None:
        seconds = float(match.group(1)) * _UNITS[match.group(2)]
        if 0.01 <= seconds <= _SECONDS_MOST:
            return seconds
    raise argparse.ArgumentTypeError(
        '"{}" is not an interval such as 30s, 500ms, 5m or 2h (from 10ms on)'.format(text[:40])
    )


class Every(OwnCommand):
    """every INTERVAL -p PID -o FILE"""

    name = "every"
    takes_process = True
    summary = "Write a dump of a process to a file now, and again after each interval."
    details = (
        "It ends with the process, after COUNT dumps or by Ctrl-C, and each file is whole then.\n"
        "FILE has %t, the time, or %n, the number of the dump, in its name: heap-%t.dump. The\n"
        "process runs on while it is read, unless --stop is given. `allocsnap OLD NEW diff`\n"
        "compares two."
    )

    def arguments(self, parser):
        parser.add_argument("interval", metavar="INTERVAL", type=interval, help="30s, 500ms, 5m or 2h")
        parser.add_argument("-p", "--pid", metavar="PID", type=process_number, help="the process")
        parser.add_argument(
            "-o", "--output", metavar="FILE", required=True, help="with %%t or %%n; %%p is the process"
        )
        parser.add_argument(
            "-n",
            "--count",
            metavar="COUNT",
            type=whole_number("number of dumps", 1),
            help="end after so many dumps (default: with the process)",
        )
        parser.add_argument(
            "--stop", action="store_true", help="have the process stand still for the moment of reading"
        )

    def values(self, option):
        if option in ("-p", "--pid"):
            return ["@processes"]
        return ["@files"] if option in ("-o", "--output") else super().values(option)

    def run(self, options, asked):
        pid = options.pid if options.pid is not None else asked.pid
        if pid is None:
            raise UsageError("which process? Give -p PID; `allocsnap every --help` shows how")
        file_names.check(options.output, _PARTS)
        if options.count != 1 and not any(file_names.has(options.output, letter) for letter in "tn"):
            raise UsageError(
                "each dump would replace the one before: put %t, the time, or %n, its number, into the name"
            )
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _interrupt)
        target = ProcessTarget(pid)
        return _Series(target, shell_of(target, asked.settings), options).run()


def _interrupt(_number, _frame):
    raise KeyboardInterrupt


class _Series:
    def __init__(self, target, shell, options):
        self._target = target
        self._shell = shell
        self._options = options
        self._written = 0

    def run(self):
        """Writes dumps until it is over; returns the exit status."""
        begin, turn, why = time.monotonic(), 0, None
        try:
            while why is None:
                why = self._write()
                if self._options.count is not None and self._written >= self._options.count:
                    return 0
                now = time.monotonic()
                # Those that could not be in time are left out.
                turn = max(turn + 1, int((now - begin) / self._options.interval))
                why = why or self._wait(begin + turn * self._options.interval)
        except KeyboardInterrupt:
            return 0
        if not self._written:
            raise AllocsnapError(why)
        sys.stderr.write("allocsnap: process {} has ended, after dump {}\n".format(self._target.pid, self._written))
        return 0

    def _wait(self, when):
        """Waits for a time; returns what to say where the process has ended meanwhile."""
        while True:
            why = self._target.why_gone()
            left = when - time.monotonic()
            if why is not None or left <= 0:
                return why
            time.sleep(min(left, _LOOK))

    def _write(self):
        """Writes one dump; returns what to say where the process has ended meanwhile."""
        now = time.time()
        values = {"t": file_names.time_text(now), "n": self._written + 1, "p": self._target.pid}
        path = os.path.abspath(os.path.expanduser(file_names.filled(self._options.output, values)))
        existed = os.path.lexists(path)
        self._target.forget()
        try:
            if self._options.stop:
                self._shell.session.keep_still()
            said = self._shell.execute(by_name("dump"), "now " + shlex.quote(path))
        except AllocsnapError:
            why = self._target.why_gone()
            if why is None:
                raise
            return why
        finally:
            self._target.release()
        why = self._target.why_gone()
        if why is not None:
            # What was read may be of a process that was being taken down.
            if not existed:
                os.unlink(path)
            return why
        self._written += 1
        write_out(said)
        return None
