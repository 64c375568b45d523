"""CPython's own tracemalloc, by the library."""

import ctypes
from ctypes import byref, c_char_p

from ..target import path_bytes
from . import native, objects
from .native import library, text_of

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
