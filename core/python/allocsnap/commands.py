"""The `snapshot` commands, the same in every debugger.

COMMANDS is the one list of them: help, completion and what a debugger registers
come from it.
"""

from .commands_reports import Diff, Stats
from .commands_snapshots import Delete, List, Take
from .commands_tracing import Clear, ResetPeak, Start, Status, Stop
from .errors import AllocsnapError, ErrorCode, one_line
from .grammar import HelpRequested
from .session import Session

#: Every command, in the order that help shows them.
COMMANDS = tuple(
    command()
    for command in (
        Start,
        Stop,
        Clear,
        ResetPeak,
        Status,
        Take,
        List,
        Delete,
        Stats,
        Diff,
    )
)

PREFIX_HELP = "Snapshots of the program's heap: which source lines hold the memory."


class Shell:
    """Carries out commands for one debugger: the one place where errors end."""

    def __init__(self, target):
        self.session = Session(target)

    def execute(self, command, line):
        """Runs `command` with the arguments in `line`; returns what to print.

        Whatever goes wrong becomes an AllocsnapError of one line.
        """
        try:
            return command.run(self.session, command.parser.parse_line(line))
        except HelpRequested as request:
            return str(request)
        except KeyboardInterrupt:
            message, code = "interrupted: what was taken before is kept", ErrorCode.INTERRUPTED
        except AllocsnapError as error:
            message, code = str(error), error.code
        except MemoryError:
            message = "out of memory in the debugger: close what is not needed and try again"
            code = ErrorCode.NO_MEMORY
        except self.session.target.errors as error:
            message, code = str(error), ErrorCode.IO
        except Exception as error:  # pylint: disable=broad-except
            message = "internal error, please report it: {}: {}".format(type(error).__name__, error)
            code = ErrorCode.INVALID_ARGUMENT
        raise AllocsnapError(one_line(message), code) from None

    def unknown(self, line):
        """The error for a sub-command that does not exist."""
        return AllocsnapError(
            'no command "snapshot {}": the commands are {}'.format(
                line.split()[0], ", ".join(command.name for command in COMMANDS)
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
        """The words that may stand in place of the last word of `text`."""
        words = text.split(" ")
        typed, last = [word for word in words[:-1] if word], words[-1]
        if typed and command.parser.takes_value(typed[-1]):
            return []
        if last.startswith("-"):
            candidates = [name for name in command.parser.option_names() if name not in typed]
        else:
            candidates = command.words(self.session, typed)
        return [word for word in candidates if word.startswith(last)]


_shells = {}


def shell_for(debugger, make_target):
    """The Shell of a debugger; loading its script again finds the same one."""
    if debugger not in _shells:
        _shells[debugger] = Shell(make_target())
    return _shells[debugger]
