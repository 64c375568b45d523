"""Statistic and StatisticDiff: what the blocks of one place sum to."""

from __future__ import annotations

from typing import Any, List, Mapping, Optional, Tuple, Union

from .frames import Traceback, _format_size


class Source:
    """What makes the tracebacks of rows. A row that has one has an index instead of its
    traceback, until that is asked for."""

    def traceback(self, index: int) -> Traceback:
        raise NotImplementedError


def _average(size: int, count: int) -> str:
    return ", average=" + _format_size(size / count, False) if count else ""


class _Row:
    """A row whose traceback may still have to be made."""

    __slots__ = ("_traceback", "_source")

    _traceback: Union[Traceback, int]
    _source: Optional[Source]

    @property
    def traceback(self) -> Traceback:
        # Another thread may be setting both.
        source = self._source
        made: Any = self._traceback
        if type(made) is int and source is not None:
            made = self.traceback = source.traceback(made)
        return made

    @traceback.setter
    def traceback(self, traceback: Traceback) -> None:
        self._traceback = traceback
        self._source = None

    def _values(self) -> Tuple[Any, ...]:
        """What it was made from, which is also what makes it equal to another."""
        raise NotImplementedError

    def __hash__(self) -> int:
        return hash(self._values())

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), self._values()


class Statistic(_Row):
    """The blocks of one place: their size in bytes and how many they are."""

    __slots__ = ("size", "count")

    def __init__(
        self, traceback: Traceback, size: int, count: int, _source: Optional[Source] = None
    ) -> None:
        self._traceback = traceback
        self._source = _source
        self.size = size
        self.count = count

    def _values(self) -> Tuple[Traceback, int, int]:
        return (self.traceback, self.size, self.count)

    __hash__ = _Row.__hash__

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Statistic):
            return self._values() == other._values()
        return NotImplemented

    def __str__(self) -> str:
        return "%s: size=%s, count=%i%s" % (
            self.traceback,
            _format_size(self.size, False),
            self.count,
            _average(self.size, self.count),
        )

    def __repr__(self) -> str:
        return "<Statistic traceback=%r size=%i count=%i>" % self._values()

    def _sort_key(self) -> Tuple[int, int, Traceback]:
        return (self.size, self.count, self.traceback)


class StatisticDiff(_Row):
    """The same of a new snapshot, with what it has more than an old one."""

    __slots__ = ("size", "size_diff", "count", "count_diff")

    def __init__(
        self,
        traceback: Traceback,
        size: int,
        size_diff: int,
        count: int,
        count_diff: int,
        _source: Optional[Source] = None,
    ) -> None:
        self._traceback = traceback
        self._source = _source
        self.size = size
        self.size_diff = size_diff
        self.count = count
        self.count_diff = count_diff

    def _values(self) -> Tuple[Traceback, int, int, int, int]:
        return (self.traceback, self.size, self.size_diff, self.count, self.count_diff)

    __hash__ = _Row.__hash__

    def __eq__(self, other: object) -> bool:
        if isinstance(other, StatisticDiff):
            return self._values() == other._values()
        return NotImplemented

    def __str__(self) -> str:
        return "%s: size=%s (%s), count=%i (%+i)%s" % (
            self.traceback,
            _format_size(self.size, False),
            _format_size(self.size_diff, True),
            self.count,
            self.count_diff,
            _average(self.size, self.count),
        )

    def __repr__(self) -> str:
        return "<StatisticDiff traceback=%r size=%i (%+i) count=%i (%+i)>" % self._values()

    def _sort_key(self) -> Tuple[int, int, int, int, Traceback]:
        return (
            abs(self.size_diff),
            self.size,
            abs(self.count_diff),
            self.count,
            self.traceback,
        )


def _compare_grouped_stats(
    old_group: Mapping[Traceback, Statistic], new_group: Mapping[Traceback, Statistic]
) -> List[StatisticDiff]:
    """The StatisticDiffs of two {traceback: Statistic}, in no order."""
    rows = []
    for traceback, new in new_group.items():
        old = old_group.get(traceback)
        size, count = (0, 0) if old is None else (old.size, old.count)
        rows.append(
            StatisticDiff(traceback, new.size, new.size - size, new.count, new.count - count)
        )
    for traceback, old in old_group.items():
        if traceback not in new_group:
            rows.append(StatisticDiff(traceback, 0, -old.size, 0, -old.count))
    return rows
