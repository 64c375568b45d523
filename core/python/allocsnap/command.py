"""What every `snapshot` command is."""

from . import objects
from .grammar import Parser


#: In place of possible words: the debugger completes file names.
FILES = object()


class Command:
    """A sub-command. Derived classes give the texts, the arguments and `run`."""

    name = ""
    summary = ""  # one sentence
    details = ""
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

    def values(self, _session, option):
        """What can follow this option where it takes a value; None where it takes none."""
        return self.parser.values(option)

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


def amount(snapshot):
    """The size and the number of blocks of a snapshot, for people."""
    return objects.format_size(snapshot.size), plural(snapshot.count, "block")
