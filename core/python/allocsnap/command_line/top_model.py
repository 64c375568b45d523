"""What `allocsnap top` shows: rows of two readings, and what is asked of them."""

import json
import shlex
import time

from ..commands.options import Choice, split_words, whole
from ..commands.reports import Stats, show
from ..errors import AllocsnapError
from ..kept import NOW
from ..library.keys import OWNER, TYPE, known_names
from ..library.rows import Statistics, format_size
from ..printable import printable
from ..terminal import Terminal
from .own_command import by_name

#: What rows can be ordered by: (name, the number of a row).
ORDERS = (
    ("size", lambda row: row.size),
    ("count", lambda row: row.count),
    ("growth", lambda row: row.growth),
)
_NEW, _OLD = "top", "before"
_TRACEBACK = "traceback"

#: So many stacks of a row are shown.
_STACKS = 5


class Row:
    """A line of the table."""

    def __init__(self, found, seconds):
        self.size, self.count = found["size"], found["count"]
        self.growth = found.get("size_diff", 0) / seconds if seconds else 0.0
        self.group = _group(found)
        self.name = _name(found)


def _group(found):
    """What tells a row of a key from the others, whether it is one of statistics or of a difference."""
    frames = [(frame["filename"], frame["lineno"]) for frame in found["traceback"]]
    return found.get("label"), found["total_nframe"], frames


def _name(found):
    """What a row is called, in a line."""
    frame = found["traceback"][0] if found["traceback"] else {}
    if "label" in found:
        return printable(found["label"])
    where = frame.get("filename") or "<unknown>"
    if frame.get("lineno"):
        where += ":{}".format(frame["lineno"])
    function = frame.get("function")
    return printable(where + (" " + function if function else ""))


def amount(number):
    """Bytes a second, with a sign."""
    if not round(number):
        return "0"
    return ("+" if number > 0 else "-") + format_size(abs(round(number)))


class Model:
    """The newest reading of a process beside the one before."""

    def __init__(self, target, shell):
        self._target = target
        self._shell = shell
        self._session = shell.session
        self._read_at = None
        self._typed = (False, False)  # whether classes are known of the reading before, and of the newest
        self.seconds = 0.0  # between the two readings
        # The program would stand still for what leads to its blocks.
        self.keys = [name for name in known_names() if name != OWNER]
        self.key, self.order, self.pattern = "lineno", 0, ""
        self.rows, self.total, self.total_growth, self.notes = [], None, 0.0, []
        self.ended = None  # why nothing new is read

    def read(self):
        """Reads the process anew; where it has ended, what was read last stays."""
        if self.ended is not None:
            return
        self._target.forget()
        is_typed = self.key == TYPE
        try:
            taken = self._session.find_typed(NOW) if is_typed else self._session.read()
        except AllocsnapError:
            self.ended = self._target.why_gone()
            if self.ended is None:
                raise
            return
        self.ended = self._target.why_gone()
        if self.ended is not None:
            return
        now = time.monotonic()
        kept = self._session.snapshots
        if _NEW in kept.all:
            old = kept.get(_NEW)
            kept.delete([name for name in (_OLD, _NEW) if name in kept.all])
            kept.keep(_OLD, old)
            self.seconds = now - self._read_at
        kept.keep(_NEW, taken)
        self._read_at = now
        self._typed = (self._typed[1], is_typed)
        self.show()

    def show(self):
        """Makes the rows anew, as they are asked for now."""
        kept = self._session.snapshots.all
        if _NEW not in kept:
            return
        line = "{} --json -n all{}".format(self.key, self._filter())
        # What is known of the classes of one reading alone is no growth.
        if _OLD in kept and (self.key != TYPE or all(self._typed)):
            said = self._shell.execute(by_name("diff"), "{} {} {}".format(_OLD, _NEW, line))
        else:
            said = self._shell.execute(by_name("stats"), "{} {}".format(_NEW, line))
        found = json.loads(said)
        self.rows = [Row(one, self.seconds) for one in found["statistics"] if one["count"] or one["size"]]
        self.rows.sort(key=ORDERS[self.order][1], reverse=True)
        self.total = found["total"]
        self.total_growth = self.total.get("size_diff", 0) / self.seconds if self.seconds else 0.0
        self.notes = [printable(note) for note in found["notes"]]

    def _filter(self):
        return " --include " + shlex.quote(self.pattern) if self.pattern else ""

    def filter(self, pattern):
        """Shows only what a pattern of --include matches; fails as the commands do, and changes nothing
        then."""
        before, self.pattern = self.pattern, pattern
        try:
            self.show()
        except AllocsnapError:
            self.pattern = before
            raise

    def next_key(self):
        self.key = self.keys[(self.keys.index(self.key) + 1) % len(self.keys)]
        if self.key == TYPE and not self._typed[1] and self.ended is None:
            self.read()
        else:
            self.show()

    def next_order(self):
        self.order = (self.order + 1) % len(ORDERS)
        self.rows.sort(key=ORDERS[self.order][1], reverse=True)

    def stacks(self, row, columns):
        """The stacks of a row, in lines that are not wider than the terminal."""
        line = "{} {} -n {}{}".format(self.key, _NEW, _STACKS, self._filter())
        self._target.find_terminal = lambda: Terminal(columns, {})
        try:
            return self._shell.execute(_Stacks(row.group), line).splitlines()
        finally:
            self._target.find_terminal = lambda: None


class _Stacks(Stats):
    """The stacks of one row of `stats`."""

    def __init__(self, group):
        super().__init__()
        self._group = group

    def run(self, session, options):
        key, (name,) = split_words(session, options.words, 1)
        (chosen,) = Choice(session, options).of(whole(session, name, options, key))
        rows = Statistics(chosen, key)
        found = [_group(one) for one in json.loads(rows.render("json"))["statistics"]]
        if self._group not in found:
            return "Nothing is left of this row.\n"
        return show(session, Statistics(rows.blocks(found.index(self._group)), _TRACEBACK), options, None)
