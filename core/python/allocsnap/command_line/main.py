"""Runs one command of the command line, and ends with its status."""

import os
import re
import signal
import sys

from ..commands.grammar import HelpRequested
from ..commands.shell import COMMANDS, Shell
from ..errors import AllocsnapError, ErrorCode, UsageError, one_line
from ..kept import FRESH
from ..printable import printable_text
from ..regular_files import open_regular
from ..target import Target, shown_path
from . import invocation, standard_output
from .core_target import CoreTarget
from .own_command import write_out
from .process_target import ProcessTarget

DONE, WRONG, NOT_UNDERSTOOD = 0, 1, 2

#: Commands whose first argument is a snapshot, which may be left out here.
_NAMED = ("dump", "symbolize")

_EXPRESSION = (
    "On the command line, EXPRESSION is a number, the name of a global variable or\n"
    "function, or & and such a name.\n"
)


class NoProgram(Target):
    """Where there are files of dumps alone."""

    errors = (OSError,)
    run_command = "allocsnap run"
    starts_programs = False
    how_to_keep = "name the file of a dump before the command to have one"

    def process(self):
        return None

    def launch_id(self):
        return 0

    def terminal(self):
        return standard_output.terminal()


def main(words=None):
    """Runs the command line; returns its exit status."""
    words = sys.argv[1:] if words is None else words
    # As with any program in a pipe that is not read to its end.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        done = _run(words)
        return done if isinstance(done, int) else _print(done)
    except UsageError as error:
        return _complain(error, NOT_UNDERSTOOD)
    except AllocsnapError as error:
        if error.code == ErrorCode.INTERRUPTED:
            return _complain(error, 128 + signal.SIGINT)
        return _complain(error, WRONG)
    except KeyboardInterrupt:
        return _complain("interrupted", 128 + signal.SIGINT)
    except OSError as error:
        return _complain(error, WRONG)


def _complain(error, status):
    if sys.stderr is not None:
        text = "allocsnap: {}\n".format(printable_text(one_line(error)))
        sys.stderr.buffer.write(text.encode("utf-8", "backslashreplace"))
        sys.stderr.buffer.flush()
    return status


def _print(text):
    write_out(text)
    return DONE


def _run(words):
    """What is to be printed, or the exit status of a command that has printed itself."""
    asked = invocation.read(words)
    if isinstance(asked, str):
        return asked
    if asked.word in invocation.OWN:
        return _run_own(asked)
    for command in COMMANDS:
        command.parser.prog = "allocsnap " + command.name
        command.parser.how_to_help = "allocsnap {} --help".format(command.name)
    if _asks_for_help(asked):
        return asked.command.help + "\n" + ("\n" + _EXPRESSION if asked.command.rest_of_line else "")
    try:
        return _looked(asked)
    except AllocsnapError as error:
        worded = type(error)(_worded(str(error), asked), error.code, error.filename, error.errno)
        raise worded from None


def _run_own(asked):
    try:
        options = asked.command.parse(asked.rest)
    except HelpRequested as request:
        return str(request)
    if asked.core is not None or asked.files or asked.stop or asked.output is not None:
        raise UsageError(
            "`{0}` takes nothing that stands before it but --set{1}; `allocsnap {0} --help` shows how".format(
                asked.word, " and -p" if asked.command.takes_process else ""
            )
        )
    if asked.pid is not None and not asked.command.takes_process:
        raise UsageError("-p goes not with `{}`, which starts a process".format(asked.word))
    return asked.command.run(options, asked)


def _asks_for_help(asked):
    """Also fails where the arguments are wrong, before anything is looked at."""
    try:
        asked.command.parse(asked.line)
    except HelpRequested:
        return True
    except UsageError:
        if asked.command.name not in _NAMED:
            raise
        asked.command.parse("1 " + asked.line)
    return False


def _looked(asked):
    """What the command prints of what it looks at."""
    programs, dumps = _told_apart(asked)
    target = _target(asked, programs)
    shell = Shell(target)
    for line in asked.settings:
        shell.execute(next(one for one in COMMANDS if one.name == "set"), line)
    for path in dumps:
        shell.session.load(os.path.abspath(path))
    shell.session.is_chosen = True
    try:
        if asked.stop and asked.pid is not None:
            shell.session.keep_still()
        text = shell.execute(asked.command, _line(asked, shell.session))
    finally:
        if asked.pid is not None:
            target.release()
    if asked.pid is not None:
        target.check()
    if asked.output is not None:
        text += _written(asked, shell.session)
    return text


def _told_apart(asked):
    """(files of a core's program, files of dumps) among those before the command."""
    if asked.core is None:
        if asked.pid is None and not asked.files:
            raise UsageError(
                "what is to be looked at? Give -c CORE, -p PID or the file of a dump before `{}`;"
                " `allocsnap --help` shows how".format(asked.word)
            )
        return [], asked.files
    programs = [path for path in asked.files if _is_elf(path)]
    if len(programs) > 1:
        raise UsageError(
            "two programs, {} and {}: a core is of one".format(*map(shown_path, programs[:2]))
        )
    return programs, [path for path in asked.files if path not in programs]


def _is_elf(path):
    try:
        with open_regular(path) as file:
            return file.read(4) == b"\x7fELF"
    except OSError:
        return False


def _target(asked, programs):
    if asked.core is not None and asked.pid is not None:
        raise UsageError("-c and -p contradict each other: give one of them")
    if asked.stop and asked.pid is None:
        raise UsageError("--stop goes with -p: only a process can be stopped")
    if asked.output is not None and asked.word != "symbolize":
        raise UsageError("-o goes with symbolize: `dump` writes other snapshots to files")
    if asked.core is not None:
        return CoreTarget(asked.core, *programs)
    return ProcessTarget(asked.pid) if asked.pid is not None else NoProgram()


def _line(asked, session):
    """The command's arguments, and the snapshot that they leave out."""
    name, kept = asked.command.name, list(session.snapshots.all)
    typed = asked.command.parser.positions(asked.rest)
    is_named = any(map(session.snapshots.is_name, typed))
    wanted = None
    # A fresh reading is what the dump is compared with.
    is_new = [word for word in typed if session.snapshots.is_name(word)] in [[word] for word in FRESH]
    if name == "diff" and kept and (is_new or not is_named):
        wanted = kept[0]
    elif name == "status" and not typed and session.process() is None:
        wanted = kept[-1]
    elif name == "symbolize" and kept and not is_named:
        wanted = kept[-1]
    elif name == "dump" and len(typed) == 1:
        wanted = session.default_name()
    return asked.line if wanted is None else wanted + " " + asked.line


def _written(asked, session):
    """Writes the snapshot that symbolize has left to a file; returns what to say."""
    name = asked.command.parse(_line(asked, session)).name
    path = os.path.abspath(asked.output)
    taken, _ = session.dump(name, path)
    return "written to {}\n".format(shown_path(path)) if taken else ""


def _worded(text, asked):
    """A message with the commands as they are typed here."""

    def command(match):
        # A dump is not made of a dump.
        is_made = match.group(1) == "dump" and asked.core is None and asked.pid is None
        return "`" + " ".join(["allocsnap", "..." if is_made else asked.target_words, match.group(1)])

    return re.sub("`snapshot ({})\\b".format("|".join(sorted(invocation.HERE))), command, text)


if __name__ == "__main__":
    sys.exit(main())
