"""The Python API against the standard library's tracemalloc, on the same traces: how many
times faster it is. Making a snapshot of raw traces is measured by itself, and what the
rows after it measure begins with a snapshot that has been made. The standard library does
each thing once, allocsnap several times, of which the quickest counts.

ALLOCSNAP_BENCH_STACKS sets the traces of the shape in which every stack is distinct.
"""

import gc
import os
import random
import sys
import tempfile
import time
import tracemalloc

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "core", "python"))

TRACES = 1000000
STACKS = 4000
# The standard library takes minutes for 1,000,000 of these.
DISTINCT = int(os.environ.get("ALLOCSNAP_BENCH_STACKS", "100000"))
DEPTH = 16
FRAMES = 20000
ROUNDS = 10


def raw_traces(generator, count, stacks):
    """As tracemalloc takes them: in no order, each stack one object with frames of its own."""
    order = [index % len(stacks) for index in range(count)]
    generator.shuffle(order)
    return [(0, generator.randrange(8, 4096), stacks[index], DEPTH) for index in order]


def seconds(call, rounds):
    """The least that a call took. What it returns is freed outside of the time."""
    least = float("inf")
    for _ in range(rounds):
        gc.collect()
        begin = time.perf_counter()
        result = call()
        least = min(least, time.perf_counter() - begin)
        del result
    return least


def row(what, wanted, got, goal):
    ratio = wanted / got
    print("%s\t%.4g times faster (%.3g s, %.3g ms)\t%s" % (what, ratio, wanted, got * 1e3, goal),
          flush=True)


def measure(shape, count, stacks, goals):
    """Prints a row for each operation. `goals`: for those of the first shape and others."""
    import allocsnap

    generator = random.Random(7)
    old, new = [raw_traces(generator, count, stacks) for _ in range(2)]
    begin = time.perf_counter()
    snapshots = {module: [module.Snapshot(traces, DEPTH) for traces in (new, old)]
                 for module in (tracemalloc, allocsnap)}
    for snapshot in snapshots[allocsnap]:
        len(snapshot.filter_traces([]).traces)  # makes the library's snapshot
    built = time.perf_counter() - begin
    print("%s: made of tuples\t%.3g s for %d\t" % (shape, built / 2, count), flush=True)

    def both(what, call, goal):
        times = [seconds(lambda module=module: call(module, *snapshots[module]), rounds)
                 for module, rounds in ((tracemalloc, 1), (allocsnap, ROUNDS))]
        row("%s: %s" % (shape, what), times[0], times[1], goal)

    for key in ("filename", "lineno", "traceback"):
        both("statistics %s" % key, lambda m, s, o: s.statistics(key), goals["statistics"])
    both("statistics lineno, cumulative", lambda m, s, o: s.statistics("lineno", True),
         goals["cumulative"])
    both("filter_traces", lambda m, s, o: s.filter_traces(
        [m.Filter(True, "/src/dir1*"), m.Filter(False, "*/file7.c", all_frames=True)]),
         goals["filter"])
    for key in ("lineno", "traceback"):
        both("compare_to %s" % key, lambda m, s, o: s.compare_to(o, key), goals["compare"])
    with tempfile.TemporaryDirectory() as directory:
        def path(module):
            return os.path.join(directory, module.__name__)

        both("dump", lambda m, s, o: s.dump(path(m)), goals["dump"])
        both("load", lambda m, s, o: m.Snapshot.load(path(m)), goals["load"])
        sizes = [os.path.getsize(path(module)) for module in (tracemalloc, allocsnap)]
    print("%s: file\t%.3g times the size (%.3g MB)\t" % (
        shape, sizes[1] / sizes[0], sizes[1] / 1e6), flush=True)


def main(build):
    os.environ["ALLOCSNAP_LIBRARY"] = os.path.join(build, "liballocsnap.so")
    generator = random.Random(5)
    files = ["/src/dir%d/file%d.c" % (i % 50, i) for i in range(400)]
    stacks = [
        tuple((files[i % 400], i % 997 + 1) for i in generator.choices(range(FRAMES), k=DEPTH))
        for _ in range(DISTINCT)
    ]
    ten = "at least 10 times"
    measure("4,000 stacks", TRACES, stacks[:STACKS], {
        "statistics": "at least 300 times",
        "compare": "at least 300 times",
        "cumulative": "at least 1000 times",
        "filter": "at least 1000 times",
        "dump": "at least 1 time",
        "load": "at least 50 times",
    })
    measure("{:,} stacks".format(DISTINCT), DISTINCT, stacks, dict.fromkeys(
        ("statistics", "compare", "cumulative", "filter", "dump", "load"), ten))


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]))
