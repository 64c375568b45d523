"""Code of a user's with types, written for the standard library's tracemalloc. Strict mypy takes it
as it is, and with allocsnap in its place; so does python3 (Stranger.check_types in installed.py)."""

import sys
import tracemalloc
from typing import List, Tuple, assert_type


def shown(snapshot: tracemalloc.Snapshot, key: str) -> List[str]:
    rows = snapshot.statistics(key)
    assert_type(rows, List[tracemalloc.Statistic])
    assert_type((rows[0].size, rows[0].count), Tuple[int, int])
    assert_type(rows[0].traceback, tracemalloc.Traceback)
    return ["{} {} {}".format(row.size, row.count, row.traceback[0].lineno) for row in rows]


def grown(old: tracemalloc.Snapshot, new: tracemalloc.Snapshot) -> int:
    rows = new.compare_to(old, "filename", cumulative=False)
    assert_type(rows, List[tracemalloc.StatisticDiff])
    assert_type(rows[0].count_diff, int)
    return sum(row.size_diff for row in rows)


def innermost(trace: tracemalloc.Trace) -> tracemalloc.Frame:
    assert_type((trace.domain, trace.size), Tuple[int, int])
    assert_type(trace.traceback.format(limit=2), List[str])
    frame = trace.traceback[-1]
    assert_type((frame.filename, frame.lineno), Tuple[str, int])
    return frame


def traced() -> tracemalloc.Snapshot:
    """In a process that is traced, which this is not when the tests run it."""
    tracemalloc.start(5)
    assert_type(tracemalloc.get_traced_memory(), Tuple[int, int])
    assert_type(tracemalloc.get_traceback_limit(), int)
    tracemalloc.clear_traces()
    tracemalloc.stop()
    return tracemalloc.take_snapshot()


def main(dump: str) -> None:
    snapshot = tracemalloc.Snapshot.load(dump)
    mine = snapshot.filter_traces([tracemalloc.Filter(True, "*/use.c", all_frames=False)])
    heap = mine.filter_traces([tracemalloc.DomainFilter(True, 0)])
    print(shown(heap, "lineno"), grown(heap, mine), len(heap.traces), tracemalloc.is_tracing())
    print(innermost(heap.traces[0]) == innermost(heap.traces[1]))


if __name__ == "__main__":
    main(sys.argv[1])
