"""Prints a template, filled in: `fill.py FILE`. @NAME@ is the environment's NAME, written as
the kind of file (its ending) wants it; @COMMANDS@ is the reference of the commands, @SHELL@ the list
of those of the command line."""

import os
import re
import sys

import mdoc_reference

_PLACE = re.compile(r"@([A-Z]+)@")


def _in_pc(text):
    """As a value of pkg-config's, which are not quoted but may have a comment behind."""
    return text.replace("#", "\\#")


def _in_page(text):
    """As one word of a line of mdoc, also of a macro's arguments."""
    return mdoc_reference.escaped(text).replace('"', "\\(dq").replace(" ", "\\ ")


def filled(path):
    """The text of the file at `path`, with its places filled in."""
    write = _in_pc if path.endswith(".pc") else _in_page

    def value(place):
        name = place.group(1)
        made = {"COMMANDS": mdoc_reference.commands, "SHELL": mdoc_reference.command_line}.get(name)
        return made() if made is not None else write(os.environ[name])

    with open(path, encoding="utf-8") as file:
        return _PLACE.sub(value, file.read())


if __name__ == "__main__":
    sys.stdout.buffer.write(filled(sys.argv[1]).encode("utf-8", "surrogateescape"))
