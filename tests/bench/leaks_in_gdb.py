"""Runs inside gdb, with a core of a traced program: the graph over its blocks, beside a first reading
of the core."""

import os
import time

from allocsnap.library import graphs
from allocsnap.roots import Computed
from allocsnap.session import Session

PIECE = 1 << 20


def spent(step):
    """The processor time of a step, in seconds, and its result."""
    begin = time.process_time()
    result = step()
    return time.process_time() - begin, result


def read_core(path):
    """Reads all of a file, in pieces; how many bytes it has."""
    piece = bytearray(PIECE)
    size = 0
    with open(path, "rb", buffering=0) as core:
        while count := core.readinto(piece):
            size += count
    return size


def main():
    path = os.environ["ALLOCSNAP_BENCH_CORE"]
    read_core(path)  # into the page cache
    reading, size = min(spent(lambda: read_core(path)) for _ in range(3))
    session = Session(__import__("__main__").GdbTarget())
    take, taken = spent(session.read)  # names every frame, which is not what is measured
    take, taken = min(spent(session.read) for _ in range(2))
    count = taken.snapshot.count
    del taken
    # Twice, as the reading: how long memory that was never touched takes is the system's.
    first, computed = spent(lambda: Computed(session, graphs.Options()))
    first_retain, _ = spent(lambda: computed.graph.retain(computed.calls))
    del computed
    graph, computed = spent(lambda: Computed(session, graphs.Options()))
    graph = min(graph, first)
    made = computed.graph
    _, definite = made.sums()["definite"]
    block = next(i for i in range(count // 2, count) if made.class_of(i) == "reachable")
    paths, _ = spent(lambda: (made.referrers(block, 10), made.paths(block, 1)))
    retain, _ = spent(lambda: made.retain(computed.calls))
    retain = min(retain, first_retain)
    total = graph + paths
    print("bench: blocks, of them lost\t{}, {}\t".format(count, definite))
    print("bench: reading of the core, {:.0f} MB\t{:.3f} s\t".format(size / 1e6, reading))
    print("bench: table, edges, classes\t{:.2f} s\t".format(graph))
    print("bench: in-edges and a path\t{:.2f} s\t".format(paths))
    print("bench: all these / reading\t{:.1f} times\tat most 15 times".format(total / reading))
    print("bench: table alone / reading\t{:.1f} times\t".format(take / reading))
    print("bench: dominators / reading\t{:.1f} times\tat most 15 times".format(retain / reading))
    print("bench-seconds: {}".format(graph))
    print("bench: end")


main()
