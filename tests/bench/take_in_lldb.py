"""Runs inside LLDB, at a stop of a traced program with many blocks, or on its core."""

import resource
import sys
import time

from allocsnap.session import Session

ROUNDS = 7


def best(session, rounds=ROUNDS):
    """The least time of some snapshots, in milliseconds."""
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        session.read()
        times.append(time.perf_counter() - begin)
    return min(times) * 1000


def page_faults(session):
    """Of one snapshot, after others."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    session.read()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def __lldb_init_module(debugger, _dictionary):
    target = sys.modules["allocsnap_lldb"].LldbTarget(debugger)
    session = Session(target)
    session.read()  # names every frame, which is not what is measured
    print("bench: take\t{:.1f} ms\t".format(best(session)))
    print("bench: take, page faults\t{}\tat most 100".format(page_faults(session)))
    if not target.process().is_core:
        target._local_pid = lambda: None
        # Only once: LLDB keeps what it has read.
        print("bench: take, read by LLDB\t{:.1f} ms\t".format(best(session, 1)))
    print("bench: end")
