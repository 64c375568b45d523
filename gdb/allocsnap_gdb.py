"""allocsnap in gdb (12 and later): `source` this file, then `help snapshot`."""

import os
import sys

import gdb


def _find_package():
    """Puts the Python package and this directory on the path; they lie the same in a checkout and
    where it is installed. Returns what is wrong, or None."""
    if not hasattr(gdb.Inferior, "connection"):
        return "allocsnap needs gdb 12 or later; this is gdb {}".format(gdb.VERSION)
    here = os.path.dirname(os.path.realpath(__file__))
    directory = os.path.join(os.path.dirname(here), "core", "python")
    if not os.path.isdir(os.path.join(directory, "allocsnap")):
        return "the Python package allocsnap is not in {}: install allocsnap again".format(directory)
    package = sys.modules.get("allocsnap")
    loaded = package and os.path.dirname(os.path.dirname(os.path.realpath(package.__file__)))
    if loaded and loaded != directory:
        return "allocsnap is here already, from {}: start gdb anew to have that of {}".format(
            loaded, directory
        )
    for path in (here, directory):
        if path not in sys.path:
            sys.path.insert(0, path)
    return None


# gdb prints a traceback where a script fails: this one prints what is wrong, and ends.
_WRONG = _find_package()
if _WRONG is None:
    # pylint: disable=wrong-import-position
    from allocsnap import charsets, commands
    from allocsnap.errors import AllocsnapError
    from allocsnap.target import is_of_script
    from gdb_target import GdbTarget


def _string(value):
    """The text of a string in any language; None where it is none."""
    kind = value.type.strip_typedefs()
    charset = gdb.target_charset()
    try:
        if kind.code == gdb.TYPE_CODE_STRUCT:  # &str of Rust
            return _characters(value["data_ptr"], charset, length=int(value["length"]))
        if kind.code == gdb.TYPE_CODE_STRING:  # of Fortran
            low, high = kind.range()
            return _characters(value.cast(kind.target().array(high - low)), charset)
        if kind.code in (gdb.TYPE_CODE_ARRAY, gdb.TYPE_CODE_PTR):
            return _characters(value, charset)
        return None
    except gdb.error:
        return None
    except UnicodeDecodeError:
        raise AllocsnapError(
            "the place is not text in the program's character set {} (`show target-charset`): give"
            " its number, from `snapshot place`".format(charset)
        ) from None


def _characters(value, charset, **length):
    """The text of an array of characters, or of a pointer to them."""
    if value.type.strip_typedefs().target().sizeof > 1:
        return value.string(**length)
    # Not by gdb, which fails on character sets that Python does not know.
    raw = value.string(encoding="iso-8859-1", **length).encode("iso-8859-1")
    return charsets.decoded(raw, charset)


def _place(value):
    """A place as an argument of a function: its number or its text; None where it is neither."""
    if value.type.strip_typedefs().code == gdb.TYPE_CODE_INT:
        return int(value)
    return _string(value)


def _take_utf8():
    """Has gdb take UTF-8 for the terminal's character set and the program's, where it has taken
    ASCII, as in the C locale: it passes nothing else to Python then. ASCII is part of UTF-8."""
    if gdb.parameter("host-charset") == "auto" and charsets.is_ascii(gdb.host_charset()):
        gdb.execute("set host-charset UTF-8")
        if gdb.parameter("target-charset") == "auto":
            # A string of an expression is converted from the one to the other.
            gdb.execute("set target-charset UTF-8")


def _show(text):
    """Prints what a command says. Who leaves the pager has seen enough: that is no error."""
    try:
        gdb.write(text)
    except KeyboardInterrupt:
        pass


def _register(shell):
    """Registers `snapshot` and its sub-commands."""

    class Prefix(gdb.Command):
        __doc__ = commands.PREFIX_HELP

        def __init__(self):
            super().__init__("snapshot", gdb.COMMAND_DATA, prefix=True)

        def invoke(self, argument, _from_tty):
            self.dont_repeat()
            if argument.strip() in ("", "-h", "--help"):
                _show(shell.overview())
                return
            raise gdb.GdbError(str(shell.unknown(argument)))

    class Subcommand(gdb.Command):
        def __init__(self, command):
            self.__doc__ = command.help
            self._command = command
            super().__init__("snapshot " + command.name, gdb.COMMAND_DATA)
            for word in command.aliases:
                # An abbreviation: it is not listed, and not what completion offers.
                gdb.execute("alias -a -- snapshot {} = snapshot {}".format(word, command.name))

        def invoke(self, argument, from_tty):
            self.dont_repeat()
            GdbTarget.in_script = not from_tty or is_of_script()
            try:
                text = shell.execute(self._command, argument)
            except AllocsnapError as error:
                raise gdb.GdbError(str(error)) from None
            except KeyboardInterrupt:
                raise gdb.GdbError("interrupted") from None
            finally:
                GdbTarget.in_script = False
            _show(text)

        def complete(self, text, word):
            if word is None:
                return None
            words = shell.complete(self._command, text)
            if words is commands.FILES:
                return gdb.COMPLETE_FILENAME
            # gdb breaks words at more places than blanks, and wants what comes
            # after the last break.
            begun = len(text.split(" ")[-1]) - len(word)
            return [found[begun:] for found in words]

    class Function(gdb.Function):
        def __init__(self, function):
            self.__doc__ = function.help
            self._function = function
            super().__init__(function.name)

        def invoke(self, *values):  # pylint: disable=arguments-differ
            try:
                return shell.measure(self._function, *map(_place, values))
            except AllocsnapError as error:
                raise gdb.GdbError(str(error)) from None

    Prefix()
    for function in commands.FUNCTIONS:
        Function(function)
    for command in commands.COMMANDS:
        Subcommand(command)


if _WRONG is None:
    _take_utf8()
    _register(commands.shell_for("gdb", GdbTarget))
else:
    gdb.write("error: {}\n".format(_WRONG), gdb.STDERR)
