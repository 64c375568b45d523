"""The reference of the commands for the manual page, in mdoc(7), from their own help."""

import os
import re
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(_HERE), "python"))

# pylint: disable=wrong-import-position
from allocsnap.command_line.invocation import OWN  # noqa: E402
from allocsnap.commands import COMMANDS, FUNCTIONS  # noqa: E402
from allocsnap.library import native  # noqa: E402


def escaped(text):
    """Plain text as roff wants it."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return text.replace("`", "\\(ga").replace("'", "\\(aq").replace("~", "\\(ti").replace("^", "\\(ha")


def _line(text):
    """Text for people, in one line that is not taken for a request; `code` is bold."""
    text = re.sub(r"\\\(ga(.*?)\\\(ga", r"\\fB\1\\fR", escaped(" ".join(text.split())))
    return "\\&" + text if text.startswith((".", "\\(aq")) else text


def _sentences(text):
    """The same, each sentence on a line of its own, which is how mdoc tells their ends."""
    return re.sub(r"(?<=[a-z)R]\.) (?=[A-Z$])", "\n", _line(text))


def _paragraph(text):
    """One of the help's: lines set in by blanks stay as they are."""
    filled = [line for line in text.splitlines() if not line.startswith(" ")]
    verbatim = [escaped(line.strip()) for line in text.splitlines() if line.startswith(" ")]
    lines = [_sentences(" ".join(filled))]
    if verbatim:
        lines += [".Bd -literal -offset indent -compact"] + verbatim + [".Ed"]
    return lines


def _value(action):
    return "|".join(action.choices) if action.choices else action.metavar or action.dest.upper()


def _position(action):
    """A positional argument, as arguments of a macro."""
    name = "Ar " + escaped(_value(action))
    if action.nargs in ("*", "+"):
        name += " ..."
    return "Oo {} Oc".format(name) if action.nargs in ("*", "?") else name


def _option(action):
    """The forms of an option."""
    value = "" if action.nargs == 0 else " Ar " + escaped(_value(action))
    # Fl writes the first dash.
    forms = ["Fl {}{}".format(escaped(form[1:]), value) for form in action.option_strings]
    return " , ".join(forms)


class _Reference:
    """Says once what several commands have in common."""

    def __init__(self):
        self._said = {}  # a paragraph, or an option and its help -> the command that had it

    def _is_news(self, what, command):
        return self._said.setdefault(what, command.name) == command.name

    def command(self, command):
        actions = [action for action in command.parser.actions() if action.dest != "help"]
        positions = [action for action in actions if not action.option_strings]
        options = [action for action in actions if action.option_strings]
        title = ["Ic snapshot " + escaped(command.name)]
        title += ["Oo Ar options Oc"] if options else []
        lines = [".It " + " ".join(title + [_position(action) for action in positions])]
        lines += _paragraph(command.summary)
        for paragraph in command.details.split("\n\n") if command.details else []:
            if self._is_news(paragraph, command):
                lines += [".Pp"] + _paragraph(paragraph)
        items = [(_position(action).replace("Oo ", "").replace(" Oc", ""), action) for action in positions]
        others = {}
        for option in options:
            key = (_option(option), option.help)
            if self._is_news(key, command):
                items.append((_option(option), option))
            else:
                others.setdefault(self._said[key], []).append(option.option_strings[-1])
        if items:
            lines += [".Pp", ".Bl -tag -width Ds -compact"]
            for form, action in items:
                lines += [".It " + form, _sentences(action.help)]
            lines += [".El"]
        for other, names in others.items():
            lines += [".Pp", "As in", ".Ic snapshot " + escaped(other) + " :"]
            lines += [".Fl {}{}".format(escaped(name[1:]), " ," * (name != names[-1])) for name in names]
        return lines

    @staticmethod
    def function(function):
        summary, _, rest = function.help.partition("\n\n")
        lines = [".It Ic $" + escaped(function.name)] + _paragraph(summary)
        return lines + [".Pp"] + _paragraph(rest)


def command_line():
    """The commands of the command line, by name and what they do."""
    lines = [".Bl -tag -width Ds -compact"]
    for command in [one for one in COMMANDS if not one.of_sessions] + list(OWN.values()):
        lines += [".It Ic " + escaped(command.name)] + _paragraph(command.summary)
    return "\n".join(lines + [".El"])


def commands():
    """The commands and the functions, a list of each."""
    native.library()  # without it, the commands' help names no keys: say what is wrong
    reference = _Reference()
    lines = [".Bl -tag -width Ds"]
    for command in COMMANDS:
        lines += reference.command(command)
    lines += [".El", ".Ss Functions", "In expressions, such as conditions of breakpoints in gdb:"]
    lines += [".Bl -tag -width Ds"]
    for function in FUNCTIONS:
        lines += reference.function(function)
    return "\n".join(lines + [".El"])
