"""Where gdb's output goes, and in which colours."""

import glob
import os
import re

import gdb
from allocsnap import terminal as pieces

#: gdb's style for each kind of piece.
_STYLES = {
    pieces.FILE: "filename",
    pieces.FUNCTION: "function",
    pieces.ADDRESS: "address",
    pieces.SIZE: "title",
    pieces.NOTE: "metadata",
}

# SGR's numbers (ECMA-48, 8.3.117) of what gdb's parameters say.
_COLOURS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
_INTENSITIES = {"bold": "1", "dim": "2"}

# Of an interpreter other than that for people (-i=mi, --interpreter mi, dap).
_INTERPRETER = re.compile(r"\0--?i(?:nterpreter)?[=\0](?!console\0|tui\0)")


def terminal():
    """The terminal.Terminal that gdb's output goes to, or None."""
    if not os.isatty(1) or _is_elsewhere():
        return None
    return pieces.Terminal(gdb.parameter("width") or None, _styles())


def _is_elsewhere():
    """Whether the terminal does not get what is printed: another program talks with gdb, or a command
    takes the output."""
    with open("/proc/self/cmdline", "r", encoding="utf-8", errors="replace") as file:
        if _INTERPRETER.search(file.read()):
            return True
    redirects = gdb.parameter("logging enabled") and gdb.parameter("logging redirect")
    return bool(redirects) or _is_piped()


def _is_piped():
    """Whether a command of gdb's (`pipe`) has what is printed be read by another program: a child of
    gdb's reads from a pipe that gdb holds. gdb tells no script of it."""
    held = {_link(path) for path in glob.glob("/proc/self/fd/*")}
    for thread in os.listdir("/proc/self/task"):
        try:
            with open("/proc/self/task/{}/children".format(thread), encoding="ascii") as file:
                numbers = file.read().split()
        except OSError:
            continue  # of a thread that has ended
        for number in numbers:
            read = _link("/proc/{}/fd/0".format(number))
            if read.startswith("pipe:") and read in held:
                return True
    return False


def _link(path):
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _styles():
    """The colours, by gdb's parameters."""
    if not gdb.parameter("style enabled"):
        return {}
    found = {kind: _style(name) for kind, name in _STYLES.items()}
    return {kind: style for kind, style in found.items() if style}


def _style(name):
    """SGR's parameters for one of gdb's styles."""
    parts = [
        _colour(gdb.parameter("style {} foreground".format(name)), True),
        _colour(gdb.parameter("style {} background".format(name)), False),
        _INTENSITIES.get(gdb.parameter("style {} intensity".format(name)), ""),
    ]
    return ";".join(part for part in parts if part)


def _colour(colour, is_foreground):
    if hasattr(colour, "escape_sequence"):  # gdb 17 and later
        return "" if colour.is_none else colour.escape_sequence(is_foreground)[2:-1]
    if colour not in _COLOURS:
        return ""
    return str((30 if is_foreground else 40) + _COLOURS.index(colour))
