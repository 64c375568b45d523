"""Dump and load of 1,000,000 traces with stacks of 16 frames, side by side with the standard
library's tracemalloc on the same traces: milliseconds, and how many times as fast."""

import ctypes
import os
import random
import sys
import tempfile
import time
import tracemalloc
from ctypes import byref

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "core", "python"))

TRACES = 1000000
DEPTH = 16
PLACES = 4000
ROUNDS = 5


def best(action, rounds):
    """The least milliseconds that `action` takes, and its last result."""
    least, result = float("inf"), None
    for _ in range(rounds):
        result = None
        start = time.perf_counter()
        result = action()
        least = min(least, (time.perf_counter() - start) * 1e3)
    return least, result


class Library:
    """Calls of liballocsnap.so, whose errors end the bench."""

    def __init__(self):
        from allocsnap.library import native  # once ALLOCSNAP_LIBRARY is set

        self.native = native
        self.library = native.library()

    def call(self, name, *arguments):
        error = getattr(self.library, name)(*arguments)
        if error:
            sys.exit(self.library.asnap_error_message(error).decode())

    def out(self, name, *arguments):
        """The object that a function makes."""
        made = ctypes.c_void_p()
        self.call(name, *arguments, byref(made))
        return made

    def build(self, stacks, traces):
        """A snapshot of [(size, stack number)]."""
        native, builder = self.native, self.out("asnap_builder_create")
        number = ctypes.c_uint32()
        frames, tracebacks = {}, []
        for stack in stacks:
            ids = (ctypes.c_uint32 * DEPTH)()
            for i, (filename, lineno) in enumerate(stack):
                if (filename, lineno) not in frames:
                    frame = native.Frame(filename.encode(), None, lineno, False)
                    self.call("asnap_builder_frame", builder, byref(frame), byref(number))
                    frames[filename, lineno] = number.value
                ids[i] = frames[filename, lineno]
            self.call("asnap_builder_traceback", builder, ids, DEPTH, DEPTH, byref(number))
            tracebacks.append(number.value)
        array = (native.Trace * len(traces))()
        for i, (size, stack) in enumerate(traces):
            array[i] = (0x10000 + 64 * i, size, tracebacks[stack], 0)
        self.call("asnap_builder_traces", builder, array, len(traces))
        snapshot = self.out("asnap_builder_finish", builder, DEPTH)
        self.library.asnap_builder_destroy(builder)
        return snapshot


def report(what, ours, theirs, goal):
    print(
        "%s\t%.1f ms, tracemalloc %.0f ms: %.1f times as fast\t%s"
        % (what, ours, theirs, theirs / ours, goal),
        flush=True,
    )


def measure_theirs(stacks, traces, path):
    """The milliseconds of tracemalloc's dump, of its load, and of its load while it traces:
    as one loads in the program that is looked at. And the size of its file."""
    snapshot = tracemalloc.Snapshot([(0, size, stacks[i], DEPTH) for size, i in traces], DEPTH)
    dumped, _ = best(lambda: snapshot.dump(path), 2)
    loaded, _ = best(lambda: tracemalloc.Snapshot.load(path), 2)
    tracemalloc.start(DEPTH)
    try:
        traced, _ = best(lambda: tracemalloc.Snapshot.load(path), 2)
    finally:
        tracemalloc.stop()
    return dumped, loaded, traced, os.path.getsize(path)


def measure(library, name, stack_count, goals, directory):
    generator = random.Random(3)
    places = [
        ("/usr/src/project/module%d/file%d.c" % (i % 17, i % 200), i + 1) for i in range(PLACES)
    ]
    shared = tuple(places[DEPTH // 2 + 1 : DEPTH])
    stacks = [
        tuple(generator.choices(places, k=DEPTH - len(shared))) + shared for _ in range(stack_count)
    ]
    chosen = list(range(stack_count)) + generator.choices(
        range(stack_count), k=TRACES - stack_count
    )
    traces = [(16 + generator.randrange(2000), stack) for stack in chosen]
    path = os.path.join(directory, "dump")

    snapshot = library.build(stacks, traces)
    dumping, _ = best(
        lambda: library.call("asnap_snapshot_dump", snapshot, path.encode(), None, 0), ROUNDS
    )
    file_size = os.path.getsize(path)

    def load():
        library.library.asnap_snapshot_destroy(library.out("asnap_snapshot_load", path.encode()))

    loading, _ = best(load, ROUNDS)
    converting, _ = best(
        lambda: library.call(
            "asnap_snapshot_dump_tracemalloc", snapshot, path.encode(), None, 0
        ),
        ROUNDS,
    )
    library.library.asnap_snapshot_destroy(snapshot)
    dumped, loaded, traced, theirs_size = measure_theirs(stacks, traces, path)
    report("dump, " + name, dumping, dumped, goals[0])
    report("dump --format tracemalloc, " + name, converting, dumped, "")
    report("load, %s, tracemalloc tracing" % name, loading, traced, goals[1])
    report("load, %s, tracemalloc stopped" % name, loading, loaded, goals[2])
    print(
        "file, %s\t%.1f MiB, tracemalloc %.1f MiB\t"
        % (name, file_size / 1048576, theirs_size / 1048576),
        flush=True,
    )


def main():
    os.environ["ALLOCSNAP_LIBRARY"] = os.path.join(os.path.abspath(sys.argv[1]), "liballocsnap.so")
    library = Library()
    with tempfile.TemporaryDirectory() as directory:
        measure(library, "4,000 stacks", 4000, ("no slower", "at least 50 times", ""), directory)
        measure(library, "1,000,000 stacks", TRACES, ("10 times",) * 3, directory)


if __name__ == "__main__":
    main()
