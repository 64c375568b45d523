"""What gdb answers: the output of its commands, and values of expressions."""

import re
import shlex
import tempfile

import gdb

# What can be an address by itself.
NUMBERS = (
    gdb.TYPE_CODE_PTR,
    gdb.TYPE_CODE_INT,
    gdb.TYPE_CODE_ENUM,
    gdb.TYPE_CODE_CHAR,
    gdb.TYPE_CODE_BOOL,
)


def text_of(ask):
    """The text that `ask` gets from gdb, bytes that are not UTF-8 as surrogates
    (names of files); gdb itself fails on what is not in its character set."""
    try:
        return ask()
    except UnicodeDecodeError:
        charset = gdb.parameter("host-charset")
        gdb.execute("set host-charset ISO-8859-1")
        try:
            return ask().encode("latin-1").decode("utf-8", "surrogateescape")
        finally:
            gdb.execute("set host-charset {}".format(charset))


def output(command):
    """What a gdb command prints (to a string it does so without colours), without the command
    itself, which `set trace-commands on` has gdb print first."""
    try:
        text = gdb.execute(command, to_string=True)
    except UnicodeDecodeError:
        # A file's name that is not UTF-8 spoils the whole; a pipe has bytes.
        with tempfile.NamedTemporaryFile() as file:
            gdb.execute("pipe -d // {} // cat >{}".format(command, shlex.quote(file.name)))
            text = file.read().decode("utf-8", "surrogateescape")
    if gdb.parameter("trace-commands"):
        text = re.sub(r"^\++.*\n", "", text, flags=re.M)
    return text


def number_of(expression):
    """The value of a C expression, whatever the program's language is. Not by a command that may
    fail: then gdb reads commands again, also where the program is at the condition of a
    breakpoint, and goes on."""
    language = gdb.parameter("language")
    gdb.execute("set language c", to_string=True)
    try:
        return int(gdb.parse_and_eval(expression))
    finally:
        gdb.execute("set language {}".format(language), to_string=True)


def address_of(value):
    """Where a value is in the program's memory; None where it is not. For a string in an
    expression gdb would have the program allocate memory, by a call."""
    allowed = gdb.parameter("may-call-functions")
    gdb.execute("set may-call-functions off")
    try:
        return value.address
    except gdb.error:
        return None
    finally:
        gdb.execute("set may-call-functions {}".format("on" if allowed else "off"))
