"""Text from outside, as a terminal may get it: names, paths, notes, messages.

What core/base/printable.h says, for what is put together in Python.
"""

import re

# As in printable.c; lone surrogates stand for bytes that are not UTF-8.
_UNPRINTABLE = (
    "\x00-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
_IN_TEXT = re.compile("[{}]".format(_UNPRINTABLE))
_IN_NAME = re.compile("[{}]|\\\\(?=x[0-9a-fA-F]{{2}})".format(_UNPRINTABLE))
_IN_LINES = re.compile("(?!\n)[{}]".format(_UNPRINTABLE))


def _escaped(match):
    character = match.group()
    try:
        raw = character.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raw = character.encode("utf-8", "surrogatepass")
    return "".join("\\x{:02x}".format(byte) for byte in raw)


def printable(name):
    """The printable form of a name, text or bytes. It can be told from any other's: a backslash
    that would look as if it began an escape is escaped too."""
    if isinstance(name, bytes):
        name = name.decode("utf-8", "surrogateescape")
    return _IN_NAME.sub(_escaped, name)


def printable_text(text):
    """A text for people on one line, whose names are printable mostly."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "surrogateescape")
    return _IN_TEXT.sub(_escaped, text)


def printable_lines(text):
    """The same of several lines: what a command prints. Nothing else gets to a terminal."""
    return _IN_LINES.sub(_escaped, text)
