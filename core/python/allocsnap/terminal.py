"""Text for a terminal: in its colours, and no wider than it is.

Pieces of a text are marked while it is made. Once all that came from outside is printable, lines that
are too long are cut in pieces that can be, never in a number, and marks become colours. A mark has a
number in it that is not known outside, so that no name can be taken for one."""

import re
import secrets
import unicodedata
from typing import Mapping, NamedTuple, Optional

#: What a piece can be, as of struct asnap_render_marks.
FILE, FUNCTION, NAME, ADDRESS, SIZE, NOTE, SOURCE = KINDS = (
    "file", "function", "name", "address", "size", "note", "source",
)  # fmt: skip

#: In place of what was cut out, and the columns that a function keeps at least.
_ELLIPSIS = "..."
_FUNCTION_LEAST = 24
_NAME_LEAST = 12


def plain(_kind, piece):
    """A piece without marks: what `Marks.marked` is where nothing is for a terminal."""
    return piece


class Terminal(NamedTuple):
    """A terminal that a command prints on."""

    columns: Optional[int]  # None: lines are as long as they come
    styles: Mapping[str, str]  # the parameters of SGR (ECMA-48, 8.3.117) for a kind of piece


class Marks:
    """What marks the pieces of one text."""

    def __init__(self):
        secret = secrets.token_hex(16)
        self.begin = {kind: "<{}:{}>".format(secret, kind) for kind in KINDS}
        self.end = "<{}>".format(secret)
        self._mark = re.compile("<{}(?::([a-z]+))?>".format(secret))

    def marked(self, kind, piece):
        """A piece with its marks."""
        return self.begin[kind] + piece + self.end

    def pieces(self, line):
        """[kind or None, text] of each piece of a line."""
        parts = self._mark.split(line)
        # Text, then the kind of a mark and the text after it.
        found = zip([None] + parts[1::2], parts[::2])
        return [[kind, text] for kind, text in found if text]


def finished(text, marks, terminal, whole=()):
    """A marked text, all of which is printable, as the terminal gets it. `whole`: kinds of pieces that
    shall not be cut."""
    lines = []
    for line in text.split("\n"):
        pieces = marks.pieces(line)
        if terminal.columns is not None:
            # A debugger takes a line that ends in the last column for two.
            fit(pieces, terminal.columns - 1, whole)
        lines.append("".join(_styled(piece, terminal.styles.get(kind)) for kind, piece in pieces))
    return "\n".join(lines)


def _styled(piece, style):
    return "\x1b[{}m{}\x1b[m".format(style, piece) if style else piece


def columns_of(text):
    """How many columns a printable text takes."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


def _columns(character):
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def fit(pieces, columns, whole=()):
    """Cuts pieces of a line that is too long, as far as they may be: source lines, then paths down to
    the name of the file, functions, and at last these names."""
    over = sum(columns_of(piece) for _, piece in pieces) - columns
    for kinds, cut, least in (
        ((SOURCE,), _without_end, lambda piece: 0),
        ((FILE,), _without_middle, _base_columns),
        ((FUNCTION, NAME), _without_end, lambda piece: _FUNCTION_LEAST),
        ((FILE,), _without_middle, lambda piece: _NAME_LEAST),
        ((FUNCTION, NAME), _without_end, lambda piece: _NAME_LEAST),
    ):
        for place in pieces:
            if over > 0 and place[0] in kinds and place[0] not in whole:
                before = columns_of(place[1])
                wanted = max(before - over, least(place[1]), len(_ELLIPSIS))
                if wanted < before:
                    place[1] = cut(place[1], wanted)
                    over -= before - columns_of(place[1])


def _base(path):
    """The name of the file of a path, with the / before it."""
    return path[max(path.rfind("/"), 0) :]


def _base_columns(path):
    """The columns of a path that is cut to the name of its file."""
    return len(_ELLIPSIS) + columns_of(_base(path))


def _without_end(text, columns):
    return _beginning(text, columns - len(_ELLIPSIS)) + _ELLIPSIS


def _without_middle(path, columns):
    """A path whose name is kept as far as it may be, and half of what is left before it."""
    room = columns - len(_ELLIPSIS)
    base = min(columns_of(_base(path)), room)
    tail = base + (room - base) // 2
    return _beginning(path, room - tail) + _ELLIPSIS + _beginning(path[::-1], tail)[::-1]


def _beginning(text, columns):
    """As much of a text as fits into some columns."""
    for place, character in enumerate(text):
        columns -= _columns(character)
        if columns < 0:
            return text[:place]
    return text
