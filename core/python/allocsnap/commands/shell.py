"""The `snapshot` commands, the same in every debugger.

COMMANDS is the one list of them: help, completion and what a debugger registers
come from it.
"""

import contextlib
import os
import sys
import types

from .. import tracing
from ..errors import AllocsnapError, ErrorCode, UsageError, one_line
from ..printable import printable, printable_lines
from ..session import Session
from .allocator import Heap
from .command import FILES
from .conditions import Place
from .control import Clear, ResetPeak, Start, Status, Stop
from .exporting import Export
from .grammar import HelpRequested
from .graph import Leaks, Path, Refs, Retained
from .history import History
from .keeping import Delete, Dump, List, Load, Symbolize, Take
from .reports import Diff, Errors, Freed, Stats, Traces, Who
from .settings import Set
from .watch import Watch

#: Every command, in the order that help shows them.
COMMANDS = tuple(
    command()
    for command in (
        Start,
        Stop,
        Clear,
        ResetPeak,
        Status,
        Watch,
        Take,
        List,
        Delete,
        Stats,
        Diff,
        Traces,
        Who,
        Freed,
        Errors,
        History,
        Leaks,
        Refs,
        Path,
        Retained,
        Heap,
        Place,
        Dump,
        Load,
        Export,
        Symbolize,
        Set,
    )
)

#: (word, Command) of every word that a debugger registers after `snapshot`.
WORDS = tuple(
    (word, command) for command in COMMANDS for word in (command.name,) + command.aliases
)

PREFIX_HELP = "Snapshots of the program's heap: which source lines hold the memory."


class Shell:
    """Carries out commands for one debugger: the one place where errors end."""

    def __init__(self, target):
        self.session = Session(target)

    def execute(self, command, line):
        """Runs `command` with the arguments in `line`; returns what to print.

        Whatever goes wrong becomes an AllocsnapError of one line. From now on the functions of
        the package act on the program of this debugger.
        """
        tracing.set_session(self.session)
        shown = self.session.shown
        with self._one_line():
            try:
                options = command.parse(line)
            except HelpRequested as request:
                return str(request)
            # JSON is the same wherever it goes.
            is_json = getattr(options, "json", False) or getattr(options, "format", None) == "json"
            terminal = None if is_json else self.session.target.terminal()
            with shown.printing_on(terminal):
                return shown.finished(printable_lines(command.run(self.session, options)))

    def measure(self, function, *places):
        """The value of a Function, for a place or for all; fails as `execute` does."""
        with self._one_line():
            function.check(places)
            return function.of(*self.session.measure(*places))

    @contextlib.contextmanager
    def _one_line(self):
        kind = AllocsnapError
        try:
            yield
            return
        except KeyboardInterrupt:
            message, code = "interrupted: what was taken before is kept", ErrorCode.INTERRUPTED
        except AllocsnapError as error:
            message, code = str(error), error.code
            kind = UsageError if isinstance(error, UsageError) else kind
        except MemoryError:
            message = "out of memory in the debugger: close what is not needed and try again"
            code = ErrorCode.NO_MEMORY
        except self.session.target.errors as error:
            message, code = str(error), ErrorCode.IO
        except Exception as error:  # pylint: disable=broad-except
            message = "internal error, please report it: {}: {}".format(type(error).__name__, error)
            code = ErrorCode.INVALID_ARGUMENT
        raise kind(one_line(message), code) from None

    def unknown(self, line):
        """The error for a sub-command that does not exist."""
        word = line.split()[0]
        found = [command.name for command in COMMANDS if command.name.startswith(word)]
        return AllocsnapError(
            'no command "snapshot {}": the commands {}are {}'.format(
                word,
                "that begin so " if found else "",
                ", ".join(found or [command.name for command in COMMANDS]),
            )
        )

    def overview(self):
        """The commands, a line each."""
        width = max(len(command.name) for command in COMMANDS)
        lines = [
            "  snapshot {:<{}}  {}".format(command.name, width, command.summary)
            for command in COMMANDS
        ]
        return "\n".join([PREFIX_HELP, ""] + lines) + "\n"

    def complete(self, command, text):
        """The words that may stand in place of the last word of `text`; FILES where
        that, all of `text`, is the name of a file."""
        words = text.split(" ")
        typed, last = [word for word in words[:-1] if word], words[-1]
        values = command.values(self.session, typed[-1], last) if typed else None
        if values is not None:
            candidates = values
        elif last.startswith("-"):
            candidates = [name for name in command.parser.option_names() if name not in typed]
        else:
            typed = command.parser.positions(typed)
            candidates = command.words(self.session, typed)
            if candidates is FILES:
                # A debugger's own completion takes all that was typed for one name.
                return _paths(last) if typed else FILES
        return [word for word in candidates if word.startswith(last)]


def _paths(begun):
    """The paths of files that begin so; a directory ends with a /."""
    directory, name = os.path.split(begun)
    try:
        entries = sorted(os.listdir(os.path.expanduser(directory) or "."))
    except OSError:
        return []
    # A debugger shows them as they are.
    found = [entry for entry in entries if entry.startswith(name) and printable(entry) == entry]
    paths = [os.path.join(directory, entry) for entry in found]
    return [path + "/" * os.path.isdir(os.path.expanduser(path)) for path in paths]


_shells = {}


def shell_for(debugger, make_target):
    """The Shell of a debugger; loading its script again finds the same one."""
    if debugger not in _shells:
        _shells[debugger] = Shell(make_target())
        _hold_modules()
    return _shells[debugger]


def _hold_modules():
    """Keeps these modules for the package's next import (allocsnap/__init__.py)."""
    package = sys.modules[__name__.rpartition(".commands")[0]]
    prefix = package.__name__ + "."
    sys._allocsnap_in_debugger = types.SimpleNamespace(
        version=package.__version__,
        directory=os.path.dirname(os.path.dirname(package.__file__)),
        modules={
            name[len(prefix) :]: module
            for name, module in sys.modules.items()
            if name.startswith(prefix)
        },
    )
