"""Filter, DomainFilter, and what the library makes of them."""

from __future__ import annotations

import fnmatch
from typing import Any, Optional, Protocol, Sequence

from .frames import FrameTuple, TraceTuple, _normalize_filename
from .library import objects
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


def _number(value: Any) -> Optional[int]:
    """The 32-bit number that equals `value`; None where there is none."""
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if number == value and 0 <= number <= _UINT32_MAX else None


def is_known(one: object) -> bool:
    """Whether the library can carry out this filter: one of the two above, with
    nothing overridden."""
    kind = type(one)
    base = Filter if isinstance(one, Filter) else DomainFilter
    if not isinstance(one, base):
        return False
    names = ("_match", "_match_traceback", "_match_frame", "_match_frame_impl")
    return all(
        name not in vars(one) and getattr(kind, name, None) is getattr(base, name, None)
        for name in names
    )


def for_library(one: Any) -> objects.Filter:
    """A known filter as the library's."""
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
