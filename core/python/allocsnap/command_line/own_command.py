"""What the command line's own commands are, which debuggers do not have."""

import argparse
import os
import re
import sys

from ..commands.grammar import Parser
from ..commands.shell import COMMANDS, Shell
from ..errors import AllocsnapError, ErrorCode


def by_name(name):
    """The Command of this name."""
    return next(command for command in COMMANDS if command.name == name)


def shell_of(target, settings):
    """A Shell for a PlainTarget, with what --set has set. What its commands say is not printed as it is."""
    target.find_terminal = lambda: None
    shell = Shell(target)
    for line in settings:
        shell.execute(by_name("set"), line)
    shell.session.is_chosen = True
    return shell


def process_number(text):
    """An argparse type: the number of a process."""
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) == 0:
        raise argparse.ArgumentTypeError('"{}" is not the number of a process'.format(text[:40]))
    return int(text)


def write_out(text):
    """Writes to standard output at once, without a buffer, which Python would try to write once more at
    its end."""
    if sys.stdout is None:
        raise AllocsnapError("there is no standard output to write to", ErrorCode.IO)
    rest = text.encode("utf-8", "backslashreplace")
    try:
        while rest:
            rest = rest[os.write(sys.stdout.fileno(), rest) :]
    except OSError as error:
        raise AllocsnapError("cannot write: {}".format(error.strerror), ErrorCode.IO) from None


class OwnCommand:
    """One of them. Derived classes give the texts, the arguments and `run`."""

    name = ""
    summary = ""  # one sentence
    details = ""
    takes_process = False  # whether -p may stand before it

    def __init__(self):
        self.parser = Parser(self.name, "\n\n".join(filter(None, (self.summary, self.details))))
        self.parser.prog = "allocsnap " + self.name
        self.parser.how_to_help = "allocsnap {} --help".format(self.name)
        self.arguments(self.parser)
        self.parser.add_common()

    def arguments(self, parser):
        """Declares the arguments."""

    def parse(self, words):
        """The arguments among the words behind the command."""
        return self.parser.parse_intermixed_args(words)

    def run(self, options, asked):
        """Carries it out; returns the exit status. `asked`: the Invocation, with what stands before
        the command."""
        raise NotImplementedError

    def words(self):
        """Words that may stand at its positions; None: the names of files."""
        return []

    def values(self, option):
        """What may follow an option that takes a value, for completion; "@files": the names of files."""
        return self.parser.values(option)

    @property
    def help(self):
        return self.parser.format_help()
