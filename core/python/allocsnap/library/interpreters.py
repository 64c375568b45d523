"""CPython's own tracemalloc, by the library."""

import ctypes
from ctypes import POINTER, byref, c_char_p, c_size_t, c_uint32, c_uint64, c_void_p

from ..target import path_bytes
from . import native, objects
from .calls import Object
from .native import Memory, Progress, Region, check, library, text_of

#: The symbol that each field of native.CpythonSymbols leads to. The last ones are static variables
#: of CPython 3.11 and earlier.
SYMBOLS = {
    "runtime": "_PyRuntime",
    "version": "Py_Version",
    "config": "_Py_tracemalloc_config",
    "traces": "tracemalloc_traces",
    "domains": "tracemalloc_domains",
    "lock": "tables_lock",
    "traced": "tracemalloc_traced_memory",
    "peak": "tracemalloc_peak_traced_memory",
}


class Interpreter:
    """An interpreter whose tracemalloc traces (asnap_cpython_find). `path`: of its file; `known`:
    {field of native.CpythonSymbols: its value}."""

    def __init__(self, calls, regions, path, known):
        self._calls = calls
        self._regions = regions
        self._found = native.Cpython()
        symbols = native.CpythonSymbols(path=path_bytes(path) if path else None, **known)
        calls.run(
            library().asnap_cpython_find,
            calls.memory,
            byref(symbols),
            regions.array,
            regions.count,
            calls.progress,
            byref(self._found),
        )

    @property
    def name(self):
        """"CPython 3.11.2"."""
        return text_of(self._found.name)

    def snapshot(self, notes):
        """The objects.Snapshot of its traces. `notes`: what is known to be missing, a line each."""
        made = objects.Snapshot()
        lines = (c_char_p * len(notes))(*[path_bytes(note) for note in notes])
        self._calls.run(
            library().asnap_cpython_snapshot,
            self._calls.memory,
            byref(self._found),
            self._regions.array,
            self._regions.count,
            ctypes.cast(lines, ctypes.POINTER(c_char_p)),
            len(notes),
            self._calls.progress,
            made.out,
        )
        return made


class Arena(ctypes.Structure):
    """An arena of CPython's own allocator (asnap_cpython_arena)."""

    _fields_ = [
        ("address", c_uint64),
        ("size", c_uint64),
        ("pool_size", c_uint32),
        ("pools", c_uint32),
        ("used_pools", c_uint32),
        ("blocks", c_uint32),
        ("size_in_use", c_uint64),
        ("size_free", c_uint64),
    ]


class BlockClass(ctypes.Structure):
    """Blocks of one size (asnap_cpython_class)."""

    _fields_ = [("pools", c_uint64), ("blocks", c_uint64), ("free_blocks", c_uint64)]


native.declare(
    {
        "asnap_cpython_arenas_read": (
            c_void_p,
            [
                POINTER(Memory),
                c_char_p,
                POINTER(Region),
                c_size_t,
                POINTER(Progress),
                POINTER(c_void_p),
            ],
        ),
        "asnap_cpython_arenas_destroy": (None, [c_void_p]),
        "asnap_cpython_arenas_list": (POINTER(Arena), [c_void_p, POINTER(c_size_t)]),
        "asnap_cpython_arenas_classes": (POINTER(BlockClass), [c_void_p, POINTER(c_size_t)]),
        "asnap_cpython_arenas_damaged": (c_uint64, [c_void_p]),
        "asnap_cpython_arenas_add": (c_void_p, [c_void_p, c_void_p]),
    }
)


class Arenas(Object):
    """The arenas of the interpreter whose file is at `path`, in a program that stands still."""

    destroy = "asnap_cpython_arenas_destroy"

    def __init__(self, calls, regions, path):
        super().__init__()
        calls.run(
            library().asnap_cpython_arenas_read,
            calls.memory,
            path_bytes(path),
            regions.array,
            regions.count,
            calls.progress,
            self.out,
        )

    def _listed(self, function):
        count = c_size_t()
        array = function(self, byref(count))
        return array[: count.value]

    @property
    def arenas(self):
        """The Arenas."""
        return self._listed(library().asnap_cpython_arenas_list)

    @property
    def classes(self):
        """[(bytes of a block, BlockClass)] of which there are pools."""
        every = self._listed(library().asnap_cpython_arenas_classes)
        return [(16 * (i + 1), one) for i, one in enumerate(every) if one.pools]

    @property
    def damaged(self):
        """How many pools contradict themselves, or cannot be read."""
        return library().asnap_cpython_arenas_damaged(self)

    @property
    def note(self):
        """What is uncertain, a line, or None."""
        if not self.damaged:
            return None
        return (
            "{} of Python's arenas cannot be read or contradict themselves: a thread was changing"
            " them, or the program has overwritten them".format(
                "1 pool" if self.damaged == 1 else "{} pools".format(self.damaged)
            )
        )

    def add_to(self, raw):
        """Adds the blocks in use to an objects.Raw."""
        check(library().asnap_cpython_arenas_add(self, raw))
