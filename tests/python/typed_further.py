"""Code of a user's with types, for what allocsnap has beyond tracemalloc. Strict mypy takes it, which
looks for every mistake below where it is marked, and only there."""

import sys
import tracemalloc
from pathlib import Path
from typing import List, Optional, Sequence, Tuple, assert_type

import allocsnap
from allocsnap import BaseFilter, Filter, Frame, Group, ReachFilter, Snapshot, Traceback
from allocsnap.errors import AllocsnapError, ErrorCode


class Large(BaseFilter):
    def _match(self, trace: Tuple[int, int, Sequence[Tuple[str, int]], Optional[int]]) -> bool:
        return (trace[1] >= 1000) == self.inclusive


class Small:
    """It derives from nothing, and has what a filter has."""

    inclusive = False

    def _match(self, trace: Tuple[int, int, Sequence[Tuple[str, int]], Optional[int]]) -> bool:
        return trace[1] >= 1000


def place(frame: Frame) -> str:
    assert_type((frame.function, frame.named_by), Tuple[Optional[str], Optional[str]])
    assert_type((frame.module, frame.build_id), Tuple[Optional[str], Optional[str]])
    assert_type((frame.offset, frame.inlined), Tuple[Optional[int], bool])
    return frame.function or str(frame)


def groups(snapshot: Snapshot) -> List[Group]:
    tracebacks = [row.traceback for row in snapshot.statistics("size")]
    assert_type(tracebacks, List[Traceback])
    found = [one for one in tracebacks if isinstance(one, Group)]
    assert_type(found[0].range, Optional[Tuple[int, Optional[int]]])
    assert_type((found[0].label, found[0].thread), Tuple[str, Optional[int]])
    return found


def code(error: AllocsnapError) -> ErrorCode:
    assert_type((error.errno, error.filename), Tuple[Optional[int], Optional[str]])
    return error.code


def found(address: int) -> Optional[Traceback]:
    return allocsnap.get_object_traceback(address)


def leaked(snapshot: Snapshot) -> Snapshot:
    lost = ReachFilter(True, "definite")
    assert_type((lost.inclusive, lost.reach), Tuple[bool, str])
    return snapshot.filter_traces([lost, ReachFilter(inclusive=False, reach="possible")])


def from_raw() -> int:
    """Raw traces, of this package or of the standard library's, with their last part and without."""
    frames = (("a.c", 1), ("b.c", 2))
    new = Snapshot([(0, 1000, frames, 2), (0, 10, frames)], 16)
    old = tracemalloc.Snapshot((), 16)
    return new.compare_to(old, "traceback")[0].size_diff


def without_known(snapshot: Snapshot, file: Path) -> List[str]:
    """What has leaked but for the rules of a file, and what these left out."""
    rules = allocsnap.Suppressions(file, builtin=False)
    left = snapshot.leaks(("definite", "indirect"), rules)
    assert_type(rules.rules, List[str])
    return [one.rule for one in snapshot.suppressed(suppressions=rules)] + [str(left.traces)]


def mistakes(snapshot: Snapshot) -> None:
    """Not to be called."""
    allocsnap.take_snapsot()  # type: ignore[attr-defined]
    snapshot.traces[0].adress  # type: ignore[attr-defined]
    snapshot.statistics(1)  # type: ignore[arg-type]
    snapshot.filter_traces(["*/use.c"])  # type: ignore[list-item]
    snapshot.traces[0].traceback[0].function.upper()  # type: ignore[union-attr]
    Filter("*/use.c", True)  # type: ignore[arg-type]
    ReachFilter("definite", True)  # type: ignore[arg-type]
    allocsnap.start("5")  # type: ignore[arg-type]
    snapshot.leaks(suppressions="my.supp")  # type: ignore[arg-type]
    allocsnap.Suppressions(3)  # type: ignore[arg-type]
    snapshot.dump("one", "allocsnap")  # type: ignore[misc]
    snapshot.export("one.csv", old_snapshot="two")  # type: ignore[arg-type]
    snapshot.export("one", "csv", snapshot)  # type: ignore[misc]


def main(dump: str) -> None:
    snapshot = Snapshot.load(Path(dump)).skip(["x*alloc"], ["libc"], mine=["*/nothing/*"])
    mine = snapshot.filter_traces([Filter(True, "*/use.c"), Large(True), Small()])
    assert_type((mine.start_time, mine.traces[0].time), Tuple[Optional[float], Optional[float]])
    mine.export(Path(dump + ".folded"), old_snapshot=snapshot, count=True)
    mine.export(dump + ".exported", "csv")
    print(sorted(place(trace.traceback[-1]) for trace in mine.traces), len(groups(mine)), from_raw())


if __name__ == "__main__":
    main(sys.argv[1])
