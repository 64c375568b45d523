"""What every `snapshot` command is."""

from typing import Tuple

from ..library import rows as results
from ..terminal import FILE
from .grammar import Parser
from ..library.native import named_by_text, shown_name


#: In place of possible words: the debugger completes file names.
FILES = object()


class Command:
    """A sub-command. Derived classes give the texts, the arguments and `run`."""

    name = ""
    aliases: Tuple[str, ...] = ()  # beginnings of the name that stand for it, though others begin so, too
    summary = ""  # one sentence
    details = ""
    takes_files = False  # whether FILES is among its words
    of_sessions = False  # for what is kept between commands, which a command line is not
    rest_of_line = False  # its last argument is the rest of the line as it stands

    def __init__(self):
        description = "\n\n".join(text for text in (self.summary, self.details) if text)
        self.parser = Parser(self.name, description)
        self.arguments(self.parser)
        self.parser.add_common()

    def arguments(self, parser):
        """Declares the arguments."""

    def parse(self, line):
        """The arguments in a line, as the user typed it after the command's name."""
        if self.rest_of_line:
            return self.parser.parse_rest(line)
        return self.parser.parse_line(line)

    def run(self, session, options):
        """Carries it out; returns what to print, with its line ends."""
        raise NotImplementedError

    def words(self, _session, _typed):
        """What may come next, after the words `typed`; options aside. FILES: a file."""
        return []

    def values(self, _session, option, begun=""):
        """What can follow this option where it takes a value; None where it takes none. `begun`: how
        the value begins."""
        return self.parser.values(option, begun)

    @property
    def help(self):
        """The help, whose first line is a sentence."""
        usage = self.parser.format_help().split("\n\n", 1)[0]
        text = self.parser.format_help()[len(usage) :].strip()
        summary, _, rest = text.partition("\n\n")
        return "{}\n\n{}\n\n{}".format(summary, usage, rest).rstrip()


def plural(count, noun):
    """"1 block", "2 blocks"."""
    return "{} {}{}".format(count, noun, "" if count == 1 else "s")


# How many files without lines are shown.
_FILES_SHOWN = 3

_WHY_NO_LINES = {
    "address": "not looked for yet: `snapshot symbolize {name}` does",
    "none": "without symbols",
    "symbol table": "without debug information",
    "debugger": "without lines, named by the debugger",
    "line table": "in code that its debug information gives no line",
    "inline": "in code that its debug information gives no line",
}
_HINT = (
    "          Install the debug symbols of these files (on Debian the package of that name with"
    " -dbgsym\n          or -dbg), or let the debugger fetch them (debuginfod), then `snapshot"
    " symbolize {name}`.\n"
)


def naming_lines(session, name):
    """What the names of a kept snapshot are from, in lines."""
    snapshot = session.snapshots.get(name).snapshot.skip(session.rules)
    if not snapshot.size:
        return "named:    no bytes\n"
    parts = snapshot.naming

    def share(size):
        return "{:.1f}%".format(100 * size / snapshot.size)

    text = "named:    {} of bytes to the line\n".format(
        share(sum(part.size for part in parts if part.has_line))
    )
    bare = [part for part in parts if not part.has_line and part.size]
    for part in bare[:_FILES_SHOWN]:
        why = _WHY_NO_LINES[named_by_text(part.named_by)].format(name=name)
        text += "          {} in {}, {}\n".format(
            share(part.size), _in_file(session, part.path), why
        )
    if len(bare) > _FILES_SHOWN:
        text += "          {} elsewhere\n".format(
            share(sum(part.size for part in bare[_FILES_SHOWN:]))
        )
    if any(named_by_text(part.named_by) in ("none", "symbol table") and part.path for part in bare):
        text += _HINT.format(name=name)
    return text


def _in_file(session, path):
    name = shown_name(path)
    return session.shown.marked(FILE, name) if name else "unknown code"


def period_text(session, period):
    """What a sample of this period is, for people."""
    return "a sample of one block for each {} allocated".format(session.shown.size(period))


def sampled_text(snapshot):
    """From how many blocks the amount of a snapshot is estimated; "" where it is counted."""
    if not snapshot.sample_period:
        return ""
    return ", estimated from {}".format(plural(snapshot.trace_count, "sampled block"))


def amount(snapshot, size=results.format_size):
    """The size and the number of blocks of a snapshot, for people; `size` writes bytes."""
    return size(snapshot.size), plural(snapshot.count, "block")
