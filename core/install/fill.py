"""Prints a template, filled in: `fill.py FILE`. @NAME@ is the environment's NAME, written as
the kind of file (its ending) wants it. Of a page of mdoc, @COMMANDS@ is the reference of the commands,
@SHELL@ the list of those of the command line, @DEBUGGERS@ the synopsis of all debuggers, and @SCRIPTS@ their
files."""

import os
import re
import sys

import mdoc_reference

_DEBUGGERS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "debuggers.txt")
_PLACE = re.compile(r"@([A-Z]+)@")


def _in_pc(text):
    """As a value of pkg-config's, which are not quoted but may have a comment behind."""
    return text.replace("#", "\\#")


def _in_page(text):
    """As one word of a line of mdoc, also of a macro's arguments."""
    return mdoc_reference.escaped(text).replace('"', "\\(dq").replace(" ", "\\ ")


def _debuggers():
    """For each line of the table: what it is called, the lines of mdoc for its script, for its command and for
    its init file."""
    with open(_DEBUGGERS, encoding="utf-8") as file:
        lines = [line.rstrip("\n").split("|") for line in file if not line.startswith("#")]
    for folder, called, init, command, _, _ in lines:
        script = "%s/%s/allocsnap_%s.py" % (os.environ["SHAREDIR"], folder, folder)
        yield called, _in_page(script), command.replace("SCRIPT", _in_page(script)), init


def _synopsis():
    form = ".No %s Ns Li \\&:\n.Ic %s\n.Pq Pa %s"
    return "\n.Pp\n".join(form % (called, command, init) for called, _, command, init in _debuggers())


def _scripts():
    return "\n".join(
        ".It Pa %s\nThe commands for %s." % (script, called) for called, script, _, _ in _debuggers()
    )


_MADE = {
    "COMMANDS": mdoc_reference.commands,
    "SHELL": mdoc_reference.command_line,
    "DEBUGGERS": _synopsis,
    "SCRIPTS": _scripts,
}


def filled(path):
    """The text of the file at `path`, with its places filled in."""
    write = _in_pc if path.endswith(".pc") else _in_page

    def value(place):
        name = place.group(1)
        return _MADE[name]() if name in _MADE else write(os.environ[name])

    with open(path, encoding="utf-8") as file:
        return _PLACE.sub(value, file.read())


if __name__ == "__main__":
    sys.stdout.buffer.write(filled(sys.argv[1]).encode("utf-8", "surrogateescape"))
