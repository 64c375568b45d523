"""The CPython in a process or core: which file holds it, and what its tracemalloc traces."""

import os
import re

from .errors import AllocsnapError, ErrorCode
from .kept import Taken
from .library import interpreters
from .library.inferior import MappedSymbols

# Programs and libraries of the interpreter's; extension modules have other names.
_NAME = re.compile(r"(lib)?python3?(\.\d+)?\w*(-dbg)?(\.so[.\d]*)?( \(deleted\))?\Z")

# What gcc puts behind the name of a static variable when it links the interpreter as a whole (-flto).
_BY_LINKER = ".lto_priv.0"

_NONE = (
    "there is no CPython in {}: no program or library that is mapped is called python3 or libpython3,"
    " or has the symbol _PyRuntime"
)


def read(place, process, regions, calls):
    """A Taken of what the tracemalloc of the interpreter in a process traces, which is where `find` says.
    The process stands still; `regions` and `calls` are of it."""
    path, known = place
    interpreter = interpreters.Interpreter(calls, regions, path, known)
    notes = []
    if regions.missing:
        notes.append(
            "{} bytes of the program's memory are missing from the core file: it is truncated".format(
                regions.missing
            )
        )
    snapshot = interpreter.snapshot(notes)
    return Taken(snapshot, "{}, tracemalloc of {}".format(process.description, interpreter.name))


def find(target, process, regions, calls):
    """(path of the interpreter's file, {field of native.CpythonSymbols: value})."""
    named = _candidates(regions)
    program = target.program_path()
    others = [program] if program in regions.paths() and program not in named else []
    for path in named + others:
        known = _symbols(target, regions, calls, path)
        if "runtime" in known:
            return path, known
    known = _told(target)
    region = regions.find(known["runtime"]) if known else None
    if region is not None and region.path:
        return os.fsdecode(region.path), known
    if named:
        return named[0], known
    raise AllocsnapError(_NONE.format(process.description), ErrorCode.NO_HOOKS)


def _candidates(regions):
    """The files that are called as interpreters are, libraries first: where there is one, the
    program is a few lines around it."""
    found = [path for path in regions.paths() if _NAME.match(os.path.basename(path))]
    return sorted(found, key=lambda path: (not os.path.basename(path).startswith("lib"), path))


def _symbols(target, regions, calls, path):
    """{field: value} by the symbol tables of a file."""
    symbols = MappedSymbols(calls, regions.only({path}), target.files())
    known = {}
    for field, name in interpreters.SYMBOLS.items():
        places = _variables(symbols, name) or _variables(symbols, name + _BY_LINKER)
        if len(places) == 1:
            known[field] = places[0].address
            if field == "runtime":
                known["runtime_size"] = places[0].size
    return known


def _variables(symbols, name):
    return [place for place in symbols.named(name) if not place.is_function]


def _told(target):
    """{field: value} by the debugger's own symbols, where its files cannot be read here."""
    known = {}
    for field, name in interpreters.SYMBOLS.items():
        address = target.find_symbol(name)
        if not address and field == "runtime":
            return {}
        if address:
            known[field] = address
    return known
