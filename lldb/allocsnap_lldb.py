"""allocsnap in LLDB (14 and later): `command script import` this file, then `help snapshot`."""

import os
import re
import shlex
import sys

import lldb


def _find_package():
    """Puts the Python package on the path; it lies the same in a checkout and where
    it is installed. Returns what is wrong, or None."""
    here = os.path.dirname(os.path.realpath(__file__))
    directory = os.path.join(os.path.dirname(here), "core", "python")
    if not os.path.isdir(os.path.join(directory, "allocsnap")):
        return "the Python package allocsnap is not in {}: install allocsnap again".format(directory)
    package = sys.modules.get("allocsnap")
    loaded = package and os.path.dirname(os.path.dirname(os.path.realpath(package.__file__)))
    if loaded and loaded != directory:
        return "allocsnap is here already, from {}: start LLDB anew to have that of {}".format(
            loaded, directory
        )
    for path in (here, directory):
        if path not in sys.path:
            sys.path.insert(0, path)
    return None


# LLDB prints a traceback where the import of a script fails: it succeeds, and tells.
_WRONG = _find_package()
if _WRONG is None:
    # pylint: disable=wrong-import-position
    from allocsnap import commands
    from allocsnap.errors import AllocsnapError
    from allocsnap.target import is_of_script
    from lldb_target import LldbTarget, quoted

    LldbTarget.call_callback = __name__ + "._at_call"


def _at_call(frame, _location, _arguments, _dictionary):
    """What breakpoints of watch_calls call; whether to stop."""
    debugger = frame.GetThread().GetProcess().GetTarget().GetDebugger()
    return _shell(debugger).session.target.call_reached(frame)


def _shell(debugger):
    """The Shell of a debugger; an IDE has several in one process."""
    return commands.shell_for(
        "lldb {}".format(debugger.GetID()), lambda: LldbTarget(debugger)
    )


def _printable(text):
    """Text as LLDB takes it, without the last line's end, which LLDB adds."""
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text[:-1] if text.endswith("\n") else text


class _Subcommand:
    """A command as LLDB calls it, with the line as it was typed; derived classes have the
    `command`."""

    command = None

    def __init__(self, debugger, _dictionary):
        self._shell = _shell(debugger)

    def __call__(self, _debugger, argument, _context, result):
        self._execute(argument, result)

    def _execute(self, argument, result):
        LldbTarget.in_script = is_of_script()
        try:
            result.AppendMessage(_printable(self._shell.execute(self.command, argument)))
        except AllocsnapError as error:
            result.SetError(_printable(str(error)))
        except KeyboardInterrupt:
            result.SetError("interrupted")
        finally:
            LldbTarget.in_script = False

    def get_short_help(self):
        return self.command.help.partition("\n")[0]

    def get_long_help(self):
        return self.command.help.partition("\n\n")[2]

    def get_repeat_command(self, _line):
        """Nothing: an empty line does not do it again."""
        return ""


class _ParsedSubcommand(_Subcommand):
    """One whose words LLDB has parted, and completes. To LLDB it has no options: so they come
    as words."""

    def get_options_definition(self):
        return {}

    def get_flags(self):
        return 0

    def get_args_definition(self):
        kind = lldb.eArgTypeFilename if self.command.takes_files else lldb.eArgTypeValue
        return [[{"arg_type": kind, "repeat": "star"}]]

    def option_parsing_started(self):
        """LLDB asks for it."""

    def handle_argument_completion(self, words, place, cursor):
        """What LLDB completes; False: the name of a file, which it does by itself."""
        words = list(words[:place]) + [words[place][:cursor] if place < len(words) else ""]
        found = self._shell.complete(self.command, " ".join(words))
        if found is commands.FILES:
            return False
        return {"values": found} if found else True

    def __call__(self, _debugger, words, _context, result):
        words = [words.GetItemAtIndex(place) for place in range(words.GetSize())]
        line = " ".join(shlex.quote(word.GetStringValue(2**16)) for word in words)
        self._execute(line, result)


def _parses(debugger, command):
    """Whether LLDB shall part a command's words: where it can complete them."""
    version = re.search(r"lldb version (\d+)", debugger.GetVersionString())
    return not command.rest_of_line and version is not None and int(version.group(1)) >= 20


def _argument(arguments, name):
    """The text of an argument of a breakpoint's function, or None."""
    value = arguments.GetValueForKey(name)
    if value.GetType() == lldb.eStructuredDataTypeInteger:  # LLDB 15 and later
        return str(value.GetIntegerValue())
    return value.GetStringValue(4096) or None


def _stops_above(function):
    """What `breakpoint command add -F` takes, for a Function of the commands."""

    def stops(frame, _location, arguments, _dictionary):
        debugger = frame.GetThread().GetProcess().GetTarget().GetDebugger()
        try:
            above, place = (_argument(arguments, name) for name in ("above", "place"))
            return function.exceeds(__name__, above, place, _shell(debugger).measure)
        except AllocsnapError as error:
            print("error: {}".format(_printable(str(error))), file=sys.stderr)
            return True

    return stops


def __lldb_init_module(debugger, _dictionary):
    """Registers `snapshot` and its sub-commands; LLDB calls it."""
    if _WRONG is not None:
        print("error: {}".format(_WRONG), file=sys.stderr)
        return
    # An alias, because lldb-dap overlooks what has sub-commands, and compiles it as C++.
    lines = ['command container add -o -h "{}" allocsnap'.format(commands.PREFIX_HELP)]
    for word, command in commands.WORDS:
        name = "snapshot_" + word.replace("-", "_") + "_command"
        parsed = _parses(debugger, command)
        base = _ParsedSubcommand if parsed else _Subcommand
        globals()[name] = type(name, (base,), {"command": command})
        lines.append(
            "command script add -o {} -c {}.{} allocsnap {}".format(
                "-p" if parsed else "", __name__, name, word
            )
        )
    lines.append(
        "command alias -h {} -H {} -- snapshot allocsnap".format(
            quoted(commands.PREFIX_HELP), quoted(_shell(debugger).overview())
        )
    )
    for function in commands.FUNCTIONS:
        globals()[function.name] = _stops_above(function)
    for line in lines:
        result = lldb.SBCommandReturnObject()
        debugger.GetCommandInterpreter().HandleCommand(line, result, False)
        if not result.Succeeded():
            print(
                "error: allocsnap needs LLDB 14 or later; this is {}".format(
                    debugger.GetVersionString().partition("\n")[0]
                ),
                file=sys.stderr,
            )
            return
