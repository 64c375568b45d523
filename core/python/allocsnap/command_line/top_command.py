"""`allocsnap top`: a live table of a process, on a terminal."""

import argparse
import curses
import locale
import re
import signal
import sys
import textwrap
import time

from ..errors import AllocsnapError, UsageError
from ..library.rows import format_size
from ..printable import printable
from . import process_files
from .own_command import OwnCommand, process_number, shell_of
from .process_target import ProcessTarget
from .top_model import ORDERS, Model, amount

_SECONDS = 2.0
#: Of one processor, at most so much is used: a reading that takes longer makes the interval longer.
_SHARE = 0.02

_HELP = """\
k        the next key: {keys}
o        order by size, count, growth
f        filter: a PATTERN as of --include, empty for all
Enter    the stacks of the chosen row
Up Down PgUp PgDn Home End   choose a row
Space    read now
p        pause, and go on
h ?      this help
q        quit"""


def _seconds(text):
    if re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", text) and float(text) >= 0.1:
        return float(text)
    raise argparse.ArgumentTypeError('"{}" is not a number of seconds (from 0.1 on)'.format(text[:40]))


class Top(OwnCommand):
    """top [-d SECONDS] PID"""

    name = "top"
    takes_process = True
    summary = "Show what holds a process's memory and what grows, as a live table."
    details = (
        "The process runs on. It is read every 2 seconds, or less often where that would take\n"
        "more than 2% of a processor. Keys: k next key, o order, f filter, Enter stacks of the\n"
        "chosen row, Space reads now, p pauses, h helps, q quits. What was shown last stays\n"
        "where the process ends."
    )

    def arguments(self, parser):
        parser.add_argument(
            "-d", "--delay", metavar="SECONDS", type=_seconds, default=_SECONDS,
            help="read so often, at most (default: {:g})".format(_SECONDS),
        )  # fmt: skip
        parser.add_argument("pid", metavar="PID", nargs="?", type=process_number, help="the process")

    def words(self):
        return ["@processes"]

    def run(self, options, asked):
        pid = options.pid if options.pid is not None else asked.pid
        if pid is None:
            raise UsageError("which process? `allocsnap top PID`; `allocsnap top --help` shows how")
        if sys.stdout is None or not (sys.stdout.isatty() and sys.stdin is not None and sys.stdin.isatty()):
            raise AllocsnapError(
                "top needs a terminal: `allocsnap -p {0} stats` prints the same once,"
                " `allocsnap every` writes a series".format(pid)
            )
        target = ProcessTarget(pid)
        model = Model(target, shell_of(target, asked.settings))
        model.read()
        if model.total is None:
            target.check()
        locale.setlocale(locale.LC_ALL, "")
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _interrupt)
        try:
            curses.wrapper(lambda screen: _Screen(screen, model, options.delay, pid).run())
        except curses.error as error:
            raise AllocsnapError("the terminal (TERM) cannot show the table: {}".format(error)) from None
        except KeyboardInterrupt:
            pass
        return 0


def _interrupt(_number, _frame):
    raise KeyboardInterrupt


class _Screen:
    """The terminal."""

    def __init__(self, screen, model, delay, pid):
        self._screen = screen
        self._model = model
        self._delay = delay
        self._interval = delay
        self._pid = pid
        self._name = printable(process_files.field(pid, "Name") or "")
        self._chosen = self._first = 0
        self._is_paused = False
        self._error = ""
        try:
            curses.curs_set(0)
        except curses.error:
            pass

    def run(self):
        """Shows the table until the user quits."""
        due = time.monotonic() + self._interval
        while True:
            self._draw()
            left = due - time.monotonic()
            is_reading = not self._is_paused and self._model.ended is None
            key = self._key(left if is_reading else None)
            if key == ord("q"):
                return
            if key == ord(" ") or (key == -1 and is_reading and time.monotonic() >= due):
                self._read()
                due = time.monotonic() + self._interval
            elif key == curses.KEY_RESIZE:
                self._screen.clear()
            elif key != -1:
                self._press(key)

    def _key(self, seconds=None):
        """The next key; -1: there was none in this time. ncurses looks whether the terminal has another size
        before it waits, and overlooks a signal that comes in between: so it waits again and again."""
        end = None if seconds is None else time.monotonic() + seconds
        while True:
            left = 1.0 if end is None else max(0.0, min(1.0, end - time.monotonic()))
            self._screen.timeout(int(left * 1000))
            key = self._screen.getch()
            if key != -1 or (end is not None and time.monotonic() >= end):
                return key

    def _read(self):
        begin = time.process_time()
        self._try(self._model.read)
        used = time.process_time() - begin
        self._interval = max(self._delay, used / _SHARE)

    def _try(self, step, *arguments):
        self._error = ""
        try:
            return step(*arguments)
        except AllocsnapError as error:
            self._error = str(error)
            return None

    def _press(self, key):
        page = max(1, self._height() - 1)
        moves = {
            curses.KEY_UP: -1, curses.KEY_DOWN: 1, curses.KEY_PPAGE: -page, curses.KEY_NPAGE: page,
            curses.KEY_HOME: -(10**9), curses.KEY_END: 10**9,
        }  # fmt: skip
        if key in moves:
            self._chosen = max(0, min(len(self._model.rows) - 1, self._chosen + moves[key]))
        elif key == ord("k"):
            self._try(self._model.next_key)
        elif key == ord("o"):
            self._model.next_order()
        elif key == ord("p"):
            self._is_paused = not self._is_paused
        elif key == ord("f"):
            pattern = self._asked("filter (PATTERN of --include, empty: all): ")
            if pattern is not None:
                self._try(self._model.filter, pattern)
        elif key in (ord("h"), ord("?")):
            self._page(self._help())
        elif key in (curses.KEY_ENTER, 10, 13) and self._model.rows:
            lines = self._try(
                self._model.stacks, self._model.rows[self._chosen], self._screen.getmaxyx()[1]
            )
            if lines is not None:
                self._page(lines)

    def _help(self):
        """Its lines, which go on below what they say of a key."""
        columns = max(20, self._screen.getmaxyx()[1] - 1)
        lines = _HELP.format(keys=", ".join(self._model.keys)).splitlines()
        return [part for line in lines for part in textwrap.wrap(line, columns, subsequent_indent=" " * 9)]

    # ---- what is drawn ----

    def _height(self):
        """Rows of the table that there is room for."""
        return max(0, self._screen.getmaxyx()[0] - 4)

    def _put(self, line, text, style=0):
        lines, columns = self._screen.getmaxyx()
        if line >= lines or columns < 2:
            return
        text = text[: columns - 1]
        try:
            self._screen.addstr(line, 0, text, style)
        except (curses.error, UnicodeEncodeError):
            ascii_text = text.encode("ascii", "replace").decode("ascii")
            try:
                self._screen.addstr(line, 0, ascii_text, style)
            except curses.error:
                pass

    def _draw(self):
        model, screen = self._model, self._screen
        screen.erase()
        total = model.total
        state = "paused" if self._is_paused else "every {:.1f} s".format(self._interval)
        if model.ended is not None:
            state = "has ended"
        self._put(0, "top: process {} ({}), {}".format(self._pid, self._name, state))
        self._put(
            1,
            "total {} in {} blocks, {}/s; by {}, {} first{}".format(
                format_size(total["size"]), total["count"], amount(model.total_growth), model.key,
                ORDERS[model.order][0], "; filter " + printable(model.pattern) if model.pattern else "",
            ),
        )  # fmt: skip
        self._put(2, self._error or "; ".join(model.notes) or "h: help, q: quit")
        self._put(3, "{:>10} {:>9} {:>11}  {}".format("SIZE", "COUNT", "GROWTH/s", model.key.upper()), curses.A_REVERSE)
        height = self._height()
        self._chosen = max(0, min(self._chosen, len(model.rows) - 1))
        self._first = max(min(self._first, self._chosen), self._chosen - height + 1, 0)
        for place, row in enumerate(model.rows[self._first : self._first + height]):
            text = "{:>10} {:>9} {:>11}  ".format(format_size(row.size), row.count, amount(row.growth))
            room = self._screen.getmaxyx()[1] - 1 - len(text)
            style = curses.A_BOLD if self._first + place == self._chosen else 0
            self._put(4 + place, text + _shortened(row.name, max(0, room)), style)
        screen.refresh()

    def _page(self, lines):
        """Shows lines until a key is pressed."""
        first = 0
        while True:
            self._screen.erase()
            height = max(1, self._screen.getmaxyx()[0] - 1)
            first = max(0, min(first, len(lines) - height))
            for place, text in enumerate(lines[first : first + height]):
                self._put(place, text)
            self._put(height, "any key: back" + ("; Up, Down" if len(lines) > height else ""), curses.A_REVERSE)
            self._screen.refresh()
            key = self._key()
            if key in (curses.KEY_UP, curses.KEY_DOWN):
                first += 1 if key == curses.KEY_DOWN else -1
            elif key == curses.KEY_RESIZE:
                self._screen.clear()
            else:
                return

    def _asked(self, prompt):
        """A line that the user types; None: Escape was pressed."""
        typed = ""
        while True:
            line = min(2, self._screen.getmaxyx()[0] - 1)
            self._screen.move(line, 0)
            self._screen.clrtoeol()
            self._put(line, prompt + printable(typed) + "_")
            self._screen.refresh()
            key = self._key()
            if key == 27:
                return None
            if key in (curses.KEY_ENTER, 10, 13):
                return typed
            if key in (curses.KEY_BACKSPACE, 8, 127):
                typed = typed[:-1]
            elif 32 <= key < 127 and len(typed) < 4096:
                typed += chr(key)


def _shortened(text, room):
    """A text in a line of so many columns: long ones lose their middle, as their ends tell more."""
    if len(text) <= room:
        return text
    if room < 8:
        return text[:room]
    left = (room - 3) // 3
    return text[:left] + "..." + text[len(text) - (room - 3 - left) :]
