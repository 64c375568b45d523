"""Filter, DomainFilter, ReachFilter, and what the library makes of them."""

from __future__ import annotations

import fnmatch
from typing import Any, Optional, Protocol, Sequence

from .errors import AllocsnapError, ErrorCode
from .frames import FrameTuple, TraceTuple, _normalize_filename
from .library import graph_types, objects
from .library.names import encoded_name

# A set that holds nothing: the library matches no file name with it.
_NEVER = "[b-a]"
_UINT32_MAX = 2**32 - 1


class AnyFilter(Protocol):
    """What every object has that serves as a filter."""

    inclusive: bool

    def _match(self, trace: TraceTuple) -> bool: ...


class BaseFilter:
    """What filters have in common. A class of yours decides in `_match(trace)`, from a
    (domain, size, frames, total_nframe) tuple, whether the trace passes."""

    def __init__(self, inclusive: bool) -> None:
        self.inclusive = inclusive

    def _match(self, trace: TraceTuple) -> bool:
        raise NotImplementedError


class Filter(BaseFilter):
    """Traces by file name (a pattern as in fnmatch, for the whole path), line, domain.

    It looks at the most recent frame, or at all of them with `all_frames`.
    """

    def __init__(
        self,
        inclusive: bool,
        filename_pattern: str,
        lineno: Optional[int] = None,
        all_frames: bool = False,
        domain: Optional[int] = None,
    ) -> None:
        super().__init__(inclusive)
        self._filename_pattern = _normalize_filename(filename_pattern)
        self.lineno = lineno
        self.all_frames = all_frames
        self.domain = domain

    @property
    def filename_pattern(self) -> str:
        return self._filename_pattern

    def _match_frame_impl(self, filename: str, lineno: int) -> bool:
        if not fnmatch.fnmatch(_normalize_filename(filename), self._filename_pattern):
            return False
        return self.lineno is None or lineno == self.lineno

    def _match_frame(self, filename: str, lineno: int) -> bool:
        return self._match_frame_impl(filename, lineno) ^ (not self.inclusive)

    def _match_traceback(self, traceback: Sequence[FrameTuple]) -> bool:
        if not self.all_frames:
            filename, lineno = traceback[0]
            return self._match_frame(filename, lineno)
        matches = any(self._match_frame_impl(filename, lineno) for filename, lineno in traceback)
        return self.inclusive if matches else not self.inclusive

    def _match(self, trace: TraceTuple) -> bool:
        domain, _size, traceback = trace[:3]
        passes = self._match_traceback(traceback)
        if self.domain is None:
            return passes
        if self.inclusive:
            return passes and domain == self.domain
        return passes or domain != self.domain


class DomainFilter(BaseFilter):
    """Traces by domain."""

    def __init__(self, inclusive: bool, domain: int) -> None:
        super().__init__(inclusive)
        self._domain = domain

    @property
    def domain(self) -> int:
        return self._domain

    def _match(self, trace: TraceTuple) -> bool:
        return (trace[0] == self.domain) ^ (not self.inclusive)


class ReachFilter(BaseFilter):
    """Traces by class: "definite", "indirect", "possible" or "reachable", of snapshots that
    were taken with take_snapshot(graph=True)."""

    def __init__(self, inclusive: bool, reach: str) -> None:
        super().__init__(inclusive)
        if reach not in tuple(graph_types.REACH):
            raise ValueError(
                "reach is one of {}, not {!r}".format(", ".join(sorted(graph_types.REACH)), reach)
            )
        self._reach = reach

    @property
    def reach(self) -> str:
        return self._reach

    def _match_reach(self, reach: Optional[str]) -> bool:
        return (reach == self.reach) ^ (not self.inclusive)

    def _match(self, trace: TraceTuple) -> bool:
        raise AllocsnapError(
            "a trace by itself does not say its class: filter_traces looks it up in the snapshot",
            ErrorCode.UNSUPPORTED,
        )


def _number(value: Any) -> Optional[int]:
    """The 32-bit number that equals `value`; None where there is none."""
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if number == value and 0 <= number <= _UINT32_MAX else None


def is_known(one: object) -> bool:
    """Whether the library can carry out this filter: one of those above, with
    nothing overridden."""
    kind = type(one)
    bases = [base for base in (Filter, DomainFilter, ReachFilter) if isinstance(one, base)]
    if not bases:
        return False
    base = bases[0]
    names = ("_match", "_match_traceback", "_match_frame", "_match_frame_impl", "_match_reach")
    return all(
        name not in vars(one) and getattr(kind, name, None) is getattr(base, name, None)
        for name in names
    )


def for_library(one: Any) -> objects.Filter:
    """A known filter as the library's."""
    if isinstance(one, ReachFilter):
        return objects.Filter(bool(one.inclusive), classes=1 << graph_types.REACH[one.reach])
    pattern = lineno = domain = None
    all_frames = False
    possible = True
    if one.domain is not None or isinstance(one, DomainFilter):
        domain = _number(one.domain)
        possible = domain is not None
    if isinstance(one, Filter):
        pattern = one.filename_pattern
        encoded_name(pattern)  # refuses what the library cannot be told
        all_frames = bool(one.all_frames)
        lineno = _number(one.lineno)
        possible = possible and (one.lineno is None or lineno is not None)
    if not possible:
        pattern = _NEVER
    return objects.Filter(bool(one.inclusive), pattern, lineno, all_frames, domain)
