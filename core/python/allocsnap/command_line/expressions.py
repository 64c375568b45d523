"""What an expression is worth where no debugger evaluates it: numbers, and the symbols of the program's
files."""

import re

from ..errors import AllocsnapError
from ..printable import printable
from ..target import shown_path

_NUMBER = r"(?:0[xX][0-9a-fA-F]+|[0-9]+)"
_SUM = re.compile(r"\s*[-+]?\s*{0}(?:\s*[-+]\s*{0})*\s*".format(_NUMBER))
_TERM = re.compile(r"([-+]?)\s*({})".format(_NUMBER))
#: Also of C++: operators and templates can be in its names, and parameters behind them.
_NAME = re.compile(r"(&?)\s*([A-Za-z_$~(][^\[\]{}.?]*)", re.S)
_POINTER_BYTES = 8

_OPERATORS = re.compile(r"->|(?<!operator)[-+*/%=|^!]|\(\*")

_CANNOT = (
    "`{}` cannot be evaluated without a debugger: give an address, or the name of a global variable or"
    " function, as `table` or `&table`; gdb and LLDB evaluate all expressions (`snapshot who ...`)"
)


def value(expression, symbols, program, pointer_at):
    """As Target.value: (number, address). `symbols`: a library.inferior.MappedSymbols; `program`: the
    path of the program's own file, or None; `pointer_at`: gives what lies at an address where that is 0
    or the address of memory, else None."""
    if _SUM.fullmatch(expression):
        return _sum(expression), None
    match = _NAME.fullmatch(expression.strip())
    if match is None or _OPERATORS.search(match.group(2)):
        raise AllocsnapError(_CANNOT.format(expression))
    found = _symbol(match.group(2).strip(), symbols, program)
    if match.group(1):
        return found.address, None
    return _of_symbol(found, pointer_at)


def _sum(expression):
    return sum(
        (-1 if sign == "-" else 1) * (int(digits, 0) if digits[:2] in ("0x", "0X") else int(digits))
        for sign, digits in _TERM.findall(expression)
    )


def _symbol(name, symbols, program):
    """The one symbol that a name stands for: the program's own before those of libraries, as linkers
    have it, and a global one before those of single files."""
    found = symbols.named(name)
    for chosen in (
        [one for one in found if one.path == program and not one.is_local],
        [one for one in found if one.path == program],
        [one for one in found if not one.is_local],
        found,
    ):
        if len(chosen) == 1:
            return chosen[0]
        if chosen:
            raise AllocsnapError(
                "`{}` stands for several: {}; give the address of one".format(
                    printable(name),
                    ", ".join("{:#x} in {}".format(one.address, shown_path(one.path)) for one in chosen),
                )
            )
    raise AllocsnapError(
        "`{}` is no global variable and no function in the symbol tables of the program's files:"
        " give an address; gdb and LLDB know variables of functions too".format(printable(name))
    )


def _of_symbol(found, pointer_at):
    """The value of what a symbol stands for. Its type is not known, but what is as large as a pointer and
    holds the address of memory is one."""
    if found.is_function or found.size > _POINTER_BYTES:
        return None, found.address
    if found.size == _POINTER_BYTES:
        number = pointer_at(found.address)
        if number is not None:
            return number, None
    raise AllocsnapError(
        "whether `{0}` is a pointer, its symbol does not say: `&{0}` is where it lies".format(
            printable(found.name)
        )
    )
