"""What stands on the command line: what to look at, then a command and its arguments."""

import re
import shlex
from typing import List, NamedTuple, Optional

from .. import __version__
from ..commands.shell import COMMANDS, WORDS
from ..errors import UsageError
from ..printable import printable
from .every_command import Every
from .run_command import Run
from .top_command import Top

#: {word: Command} of what the commands of debuggers are here.
HERE = {word: command for word, command in WORDS if not command.of_sessions}

#: {word: OwnCommand} of those that debuggers do not have.
OWN = {command.name: command for command in (Run(), Every(), Top())}

_ELSEWHERE = {word for word, command in WORDS if command.of_sessions}

#: What kind of value follows each option before the command; of OPTIONS, those that take none.
VALUES = {
    "-c": "file", "--core": "file",
    "-p": "process", "--pid": "process",
    "-o": "file", "--output": "file",
    "--set": "setting",
}  # fmt: skip
OPTIONS = list(VALUES) + ["--stop", "--version", "-h", "--help"]

USAGE = """\
usage: allocsnap -c CORE [PROGRAM] [DUMP...] COMMAND [ARGUMENT...]
       allocsnap -p PID [--stop] [DUMP...] COMMAND [ARGUMENT...]
       allocsnap DUMP... COMMAND [ARGUMENT...]
       allocsnap run [OPTION...] PROGRAM [ARGUMENT...]
       allocsnap every INTERVAL -p PID -o FILE
       allocsnap top PID
"""

_OPTIONS = """\
options, before the command:
  -c, --core CORE    look at this core file; PROGRAM: the file that it is of, where that
                     is not at its path any more
  -p, --pid PID      look at this process, which runs on, but for leaks, refs, path,
                     retained, --leaked, --kinds and export --graph: these stop it for the
                     moment of reading
  --stop             stop it for every command
  --set SETTING      as `snapshot set` in debuggers, such as --set 'names short'; may be
                     repeated
  -o, --output FILE  write what symbolize has found as a dump
  --version          print the version
  -h, --help         print this; after a command, its own help

DUMP is a file that `dump` has written, here or in a debugger. The first is snapshot 1, the
second 2; `now` is a reading of the core or process, and `python` one of what the
tracemalloc of a CPython in it traces.

exit status: 0; 1 where something went wrong; 2 where the command line is not understood;
of run, the program's own, 128 and the number of the signal that has ended it, 127 where
there is no such program, 126 where it cannot be started, 125 where it cannot be traced.
"""


class Invocation(NamedTuple):
    """One line of the command line."""

    core: Optional[str]
    pid: Optional[int]
    stop: bool
    settings: List[str]
    output: Optional[str]
    files: List[str]  # of dumps; of a core's program
    word: str  # the command
    rest: List[str]  # its arguments

    @property
    def command(self):
        """The Command, or OwnCommand."""
        return HERE.get(self.word) or OWN[self.word]

    @property
    def line(self):
        """The arguments as a debugger has them, in one line."""
        if self.command.rest_of_line:
            return " ".join(self.rest)
        return " ".join(shlex.quote(word) for word in self.rest)

    @property
    def target_words(self):
        """What says what is looked at, to be typed again."""
        words = ["-c", self.core] if self.core is not None else []
        words += ["-p", str(self.pid)] if self.pid is not None else []
        return " ".join(shlex.quote(word) for word in words + self.files)


class _Reader:
    """Takes words from the front."""

    def __init__(self, words):
        self.words = list(words)

    def value(self, option, attached):
        """The value of an option: behind a =, or the next word."""
        if attached is not None:
            return attached
        if not self.words:
            raise UsageError("{} needs a value; `allocsnap --help` shows how".format(option))
        return self.words.pop(0)


def overview():
    """The commands, a line each, and the options."""
    shown = [command for command in COMMANDS if not command.of_sessions] + list(OWN.values())
    width = max(len(command.name) for command in shown)
    lines = ["  {:<{}}  {}".format(command.name, width, command.summary) for command in shown]
    return "{}\nWhich source lines hold the memory of a program that runs with allocsnap's hooks.\n\n{}\n\n{}".format(
        USAGE, "\n".join(["commands:"] + lines), _OPTIONS
    )


def version():
    """The version, in a line."""
    return "allocsnap {}\n".format(__version__)


def read(words):
    """The Invocation in the words of a command line; the text to be printed where they ask for help
    or the version."""
    reader = _Reader(words)
    found = {"core": None, "pid": None, "stop": False, "output": None}
    settings, files = [], []
    while reader.words:
        word = reader.words.pop(0)
        if word in HERE or word in OWN:
            return Invocation(settings=settings, files=files, word=word, rest=reader.words, **found)
        if not word.startswith("-") or word == "-":
            _check_word(word)
            files.append(word)
            continue
        option, attached = _parted(word)
        if option in ("-h", "--help"):
            return overview()
        if option == "--version":
            return version()
        if option == "--stop" and attached is None:
            found["stop"] = True
        elif option in ("-c", "--core"):
            found["core"] = _once(found["core"], option, reader.value(option, attached))
        elif option in ("-p", "--pid"):
            found["pid"] = _once(found["pid"], option, _pid(reader.value(option, attached)))
        elif option in ("-o", "--output"):
            found["output"] = _once(found["output"], option, reader.value(option, attached))
        elif option == "--set":
            settings.append(reader.value(option, attached))
        else:
            raise UsageError(
                "no option {} before the command; `allocsnap --help` lists those that there are".format(
                    printable(word)
                )
            )
    raise UsageError(
        "which command? {} {}; `allocsnap --help` says more".format(
            '"{}" is none: they are'.format(printable(files[-1])) if files else "They are",
            ", ".join([command.name for command in COMMANDS if not command.of_sessions] + list(OWN))
        )
    )


def _parted(word):
    """(option, value or None) of --option=value, -cVALUE."""
    if word.startswith("--"):
        option, equals, value = word.partition("=")
        return option, value if equals else None
    return word[:2], word[2:] or None


def _once(before, option, value):
    if before is not None:
        raise UsageError("{} twice: give one".format(option))
    return value


def _pid(text):
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) == 0:
        raise UsageError('"{}" is not the number of a process (-p)'.format(printable(text)))
    return int(text)


def _check_word(word):
    if word in _ELSEWHERE:
        raise UsageError(
            "`{}` is for sessions of debuggers, which keep snapshots: here, `dump now FILE` writes one to"
            " a file, and the file of a dump, named before the command, is a snapshot".format(word)
        )
