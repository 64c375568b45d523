"""Standard output, where it is a terminal."""

import os
import sys

from ..terminal import ADDRESS, FILE, FUNCTION, NOTE, SIZE, Terminal

#: As gdb's styles are unless they are changed.
_STYLES = {FILE: "32", FUNCTION: "33", ADDRESS: "34", SIZE: "1", NOTE: "2"}


def terminal():
    """The Terminal that it is, or None; without colours where NO_COLOR (no-color.org) or the kind of
    terminal says so."""
    if sys.stdout is None or not sys.stdout.isatty():
        return None
    is_plain = os.environ.get("NO_COLOR") or os.environ.get("TERM", "dumb") == "dumb"
    columns = os.get_terminal_size(sys.stdout.fileno()).columns
    return Terminal(columns or None, {} if is_plain else _STYLES)
