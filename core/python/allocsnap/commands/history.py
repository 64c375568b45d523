"""The command that shows how much was traced over the time."""

import datetime
import json

from ..charsets import speaks_utf8
from ..errors import AllocsnapError
from ..library.rows import format_size
from .command import Command, period_text, plural

#: How many rows are shown, the one of now among them, and how many columns the line has.
ROWS = 20
COLUMNS = 60

#: What the line is drawn with, from nothing on to the most.
_BLOCKS = "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"
_ASCII = "_.:-=+*#"

_PER_SECOND = 100  # units of time, as of records

_NOT_TRACED = "there is no history, as nothing is traced: `snapshot start` traces from now on"
_BEGINS_LATER = "there is no history yet: it begins at the program's next malloc or free"


class History(Command):
    """history"""

    name = "history"
    summary = "Show how much was traced over the time since tracing began."
    details = (
        "Where the program was started with ALLOCSNAP_HISTORY=1, the hooks keep how many bytes\n"
        "and blocks were traced at up to 2048 times, equally far apart: 0.01 s at first, and\n"
        "twice as far each time that there is no more room. The last row is what is traced\n"
        "now. What is larger only between two of these times is not among them; the peak is."
    )

    def arguments(self, parser):
        parser.add_argument("--json", action="store_true", help="one JSON object on one line, with all points")

    def run(self, session, options):
        told, status = session.history()
        if not told.is_kept:
            raise AllocsnapError(
                "the hooks keep no history here: start the program with ALLOCSNAP_HISTORY=1 in its"
                " environment"
            )
        if not told.count:
            raise AllocsnapError(_BEGINS_LATER if status.tracing else _NOT_TRACED)
        if options.json:
            return _json(told, status)
        return _text(session, told, status)


def _seconds(told, place):
    """When a point was, in units of the table."""
    return told.begin + place * told.period


def _json(told, status):
    rest = {
        "period": told.period / _PER_SECOND,
        "points": [
            {
                "time": _seconds(told, place) / _PER_SECOND,
                "size": point.size,
                "count": point.count,
            }
            for place, point in enumerate(told.points[: told.count])
        ],
        "now": {"size": told.now.size, "count": told.now.count},
        "peak": status.peak_size,
        "sample_period": status.sample_period,
    }
    start = "{}.{:09}".format(*divmod(told.start, 10**9)) if told.start else "null"
    return '{{"start": {}, {}\n'.format(start, json.dumps(rest)[1:])


def line(sizes, utf8):
    """A line of characters as high as sizes are, at most COLUMNS: each as the largest of those that
    it stands for."""
    levels = _BLOCKS if utf8 else _ASCII
    columns = min(COLUMNS, len(sizes))
    shown = [
        max(sizes[i * len(sizes) // columns : (i + 1) * len(sizes) // columns]) for i in range(columns)
    ]
    most = max(shown)
    return "".join(levels[size * (len(levels) - 1) // most if most else 0] for size in shown)


def chosen(count, most):
    """Places of at most so many of `count` things, equally far apart, the first and the last among
    them."""
    if count <= most:
        return list(range(count))
    return [i * (count - 1) // (most - 1) for i in range(most)]


def _signed(size):
    if not size:
        return format_size(0)
    return ("-" if size < 0 else "+") + format_size(abs(size))


def _text(session, told, status):
    points = told.points[: told.count]
    places = chosen(len(points), ROWS - 1)
    rows = [("{:.2f} s".format(_seconds(told, i) / _PER_SECOND), points[i]) for i in places]
    rows.append(("now", told.now))
    about = "about " if told.of_sample else ""
    text = "{}{} in {} now, peak {}{}\n".format(
        about,
        session.shown.size(told.now.size),
        plural(told.now.count, "block"),
        about,
        session.shown.size(status.peak_size),
    )
    text += "{}, {:.2f} s apart, in seconds after the start of the hooks{}\n".format(
        plural(len(points), "point"), told.period / _PER_SECOND, _day(told.start)
    )
    if told.of_sample:
        text += "estimated from {}\n".format(period_text(session, status.sample_period))
    sizes = [point.size for point in points] + [told.now.size]
    text += "\n{}\n\n".format(line(sizes, speaks_utf8(session.target.output_charset())))
    cells = [("time", "size", "count", "change")]
    before = None
    for name, point in rows:
        change = "" if before is None else _signed(point.size - before.size)
        cells.append((name, format_size(point.size), str(point.count), change))
        before = point
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    for row in cells:
        text += "  ".join(cell.rjust(width) for cell, width in zip(row, widths)).rstrip() + "\n"
    return text


def _day(start):
    """When the hooks came into the program, in the debugger's time zone; "" where it is not known."""
    try:
        when = datetime.datetime.fromtimestamp(start // 10**9)
    except (OverflowError, ValueError, OSError):
        return ""
    return ", at {}".format(when.strftime("%Y-%m-%d %H:%M:%S")) if start else ""
