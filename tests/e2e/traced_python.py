"""A program for CPython 3.8 and later that traces its own memory, and stops where its tables are what it
writes afterwards: `python3 traced_python.py NFRAME FILE [odd]`. It stops by SIGSTOP; when it goes on it
writes, as JSON, what tracemalloc gives at that very place. `odd`: with names that no file can have."""

import ctypes
import json
import os
import signal
import sys
import tracemalloc

#: File names of every kind of str: of ASCII, of one, two and four bytes a character, with bytes that are no
#: UTF-8, empty, long.
NAMES = [
    "ascii.py",
    "caf\xe9.py",
    "\u0434\u043e\u043c/\u65e5\u672c.py",
    "smile\U0001f600.py",
    "bytes\udcff\udc80.py",
    "new\nline.py",
    "",
    "long" * 500 + ".py",
    "\u0434" * 5000,
]

#: Bytes that are UTF-8 when they come together, surrogates that stand for no byte, a NUL.
ODD = ["utf8\udcc3\udca9.py", "lone\ud800.py", "\U0001f600\udfff\udcff.py", "nul\0.py"]

#: (domain, address, size) of blocks that are told to tracemalloc.
TOLD = [
    (1, 0x1000, 10),
    (1, 0x2000, 0),
    (389047, 0x1000, 12345),
    (2**32 - 1, 0x7FFFFFFFFFFF, 2**40),
    (0, 0x3000, 77),
]

SOURCE = "\n\ndef hold(size, depth):\n    if depth:\n        return hold(size, depth - 1)\n    return bytearray(size)\n"


def compiled(name):
    """The function `hold` of a source with this file name."""
    found = {}
    exec(renamed(compile(SOURCE, "somewhere.py", "exec"), name), found)  # pylint: disable=exec-used
    return found["hold"]


def renamed(code, name):
    """Code, and that within it, with another file name."""
    constants = tuple(
        renamed(one, name) if isinstance(one, type(code)) else one for one in code.co_consts
    )
    return code.replace(co_filename=name, co_consts=constants)


class Name(str):
    """A file name that is no plain str."""


def hold_all(names):
    """Blocks below every name and at several depths."""
    kept = []
    for place, name in enumerate(names + [Name("subclass\u0434.py")]):
        hold = compiled(name)
        for depth in (0, 1, 7, 40):
            kept.append((hold, [hold(1000 + place, depth) for _ in range(3)]))
    return kept


def rows(statistics):
    """Statistics as JSON has them."""
    return [
        [one.size, one.count, [[frame.filename, frame.lineno] for frame in one.traceback], str(one)]
        for one in statistics
    ]


def main():
    limit, path = int(sys.argv[1]), sys.argv[2]
    keys = [("lineno", False), ("filename", False), ("traceback", False)]
    keys += [("lineno", True), ("filename", True)]
    track = ctypes.pythonapi.PyTraceMalloc_Track
    track.argtypes = [ctypes.c_uint, ctypes.c_size_t, ctypes.c_size_t]
    tracemalloc.start(limit)
    kept = hold_all(NAMES + (ODD if len(sys.argv) > 3 else []))
    kept.extend(object() for _ in range(20000))
    for told in TOLD:
        assert track(*told) == 0
    stop, pid, number = os.kill, os.getpid(), signal.SIGSTOP
    get_traces = tracemalloc._get_traces  # pylint: disable=protected-access
    for turn in range(2):
        # The list of the first turn is the one that the second uses again, from the same line: nothing
        # that is traced happens between the stop and the copy that tracemalloc makes of its tables.
        traces = None
        if turn:
            stop(pid, number)
        traces = get_traces()
    memory = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    snapshot = tracemalloc.Snapshot(traces, limit)
    result = {
        "version": list(sys.version_info[:3]),
        "limit": limit,
        "peak": memory[1],
        "traces": [[trace[0], trace[1], list(map(list, trace[2]))] + list(trace[3:]) for trace in traces],
        "statistics": [[key, cumulative, rows(snapshot.statistics(key, cumulative))] for key, cumulative in keys],
        "kept": len(kept),
    }
    with open(path, "w", encoding="ascii") as file:
        json.dump(result, file)


main()
