"""The CPython in a process or core: which file holds it, and what its tracemalloc traces."""

import os
import re

from .errors import AllocsnapError, ErrorCode
from .kept import Taken
from .library import interpreters
from .library.inferior import MappedSymbols
from .target import shown_path

# Programs and libraries of the interpreter's; extension modules have other names.
_NAME = re.compile(r"(lib)?python3?(\.\d+)?\w*(-dbg)?(\.so[.\d]*)?( \(deleted\))?\Z")

# What gcc puts behind the name of a static variable when it links the interpreter as a whole (-flto).
_BY_LINKER = ".lto_priv.0"

_NONE = (
    "there is no CPython in {}: no program or library that is mapped is called python3 or libpython3,"
    " or has the symbol _PyRuntime"
)


def read(places, process, regions, calls):
    """A Taken of what the tracemalloc of an interpreter in a process traces, the first of those that
    `find` has found that traces. The process stands still; `regions` and `calls` are of it."""
    interpreter, path = _tracing(places, regions, calls)
    notes = []
    if regions.missing:
        notes.append(
            "{} bytes of the program's memory are missing from the core file: it is truncated".format(
                regions.missing
            )
        )
    others = [one for one, _ in places if one != path]
    if others:
        notes.append(
            "there {} of CPython here, too: this is of {}, and nothing of {}".format(
                "is another copy" if len(others) == 1 else "are {} other copies".format(len(others)),
                shown_path(path),
                ", ".join(map(shown_path, others)),
            )
        )
    snapshot = interpreter.snapshot(notes)
    return Taken(snapshot, "{}, tracemalloc of {}".format(process.description, interpreter.name))


def _tracing(places, regions, calls):
    """(interpreters.Interpreter that traces, path of its file)."""
    why = None
    for path, known in places:
        try:
            return interpreters.Interpreter(calls, regions, path, known), path
        except AllocsnapError as error:
            if error.code not in (ErrorCode.NOT_TRACING, ErrorCode.UNSUPPORTED):
                raise
            why = why or error
    raise why


def arenas(target, regions, calls):
    """The interpreters.Arenas of each interpreter in a process that stands still, of which there are any."""
    found = [interpreters.Arenas(calls, regions, path) for path in _files(target, regions)]
    return [one for one in found if one.arenas]


def hint(target, process, regions, calls):
    """What to say of a process without hooks where a tracemalloc traces; None where none does."""
    if not _candidates(regions):
        return None
    name = traced_name(find(target, process, regions, calls), regions, calls)
    if name is None:
        return None
    return (
        "tracemalloc of {} traces here: `snapshot take --python`, or `python` in place of a snapshot's"
        " name, has its blocks with the lines of Python that they are from".format(name)
    )


def traced_name(places, regions, calls):
    """What the interpreter is called whose tracemalloc traces, of those that `find` has found; None: it
    traces in none."""
    try:
        return _tracing(places, regions, calls)[0].name
    except AllocsnapError as error:
        if error.code in (ErrorCode.INTERRUPTED, ErrorCode.NO_MEMORY):
            raise
        return None


def _files(target, regions):
    """The files that may hold an interpreter: those that are called so first, then the program."""
    named = _candidates(regions)
    program = target.program_path()
    return named + ([program] if program in regions.paths() and program not in named else [])


def find(target, process, regions, calls):
    """[(path of an interpreter's file, {field of native.CpythonSymbols: value})], one at least."""
    found = [(path, _symbols(target, regions, calls, path)) for path in _files(target, regions)]
    with_symbols = [one for one in found if "runtime" in one[1]]
    if with_symbols:
        return with_symbols
    known = _told(target)
    region = regions.find(known["runtime"]) if known else None
    if region is not None and region.path:
        return [(os.fsdecode(region.path), known)]
    named = _candidates(regions)
    if named:
        return [(named[0], known)]
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
