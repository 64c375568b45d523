"""Frame and Traceback: where a block was asked for."""

from __future__ import annotations

import io
import linecache
import os
import sys
import tokenize
from functools import total_ordering
from typing import Any, List, Optional, Sequence, SupportsIndex, Tuple, Union, overload

from .library.native import NAMED_LINE, named_by_text
from .regular_files import open_regular

# Bytes; the largest sources are generated and smaller.
_LARGEST_SOURCE = 16 << 20

# Raw frames and traces, as tracemalloc's: (filename, lineno), and (domain, size, frames,
# total_nframe), its frames the most recent first.
FrameTuple = Tuple[str, int]
TraceTuple = Tuple[int, int, Sequence[FrameTuple], Optional[int]]

# From, below; None: without a bound.
Bounds = Tuple[int, Optional[int]]

# Module, build ID and offset of a frame; None: unknown.
PlaceTuple = Tuple[Optional[str], Optional[str], Optional[int]]


class NativeFrame(Tuple[str, int]):
    """(filename, lineno) of a frame that the library named, and its function.

    It equals the plain tuple: functions take no part in tracemalloc's comparisons.
    """

    function: Optional[str] = None  # None where unknown
    inlined = False  # into the next older frame
    named_by = NAMED_LINE  # asnap_named_by; 0: as it looks
    place: PlaceTuple = (None, None, None)  # as those of a Frame

    @classmethod
    def make(
        cls,
        filename: str,
        lineno: int,
        function: Optional[str],
        inlined: bool,
        named_by: int = 0,
        place: PlaceTuple = place,
    ) -> NativeFrame:
        frame = cls((filename, lineno))
        if function is not None:
            frame.function = function
        if inlined:
            frame.inlined = True
        if named_by != NAMED_LINE:
            frame.named_by = named_by
        if place != cls.place:
            frame.place = place
        return frame


def _format_size(size: float, sign: bool) -> str:
    """A size, which may be a fraction, in the largest unit that keeps it readable."""
    number = "%+.*f %s" if sign else "%.*f %s"
    for unit in ("B", "KiB", "MiB", "GiB"):
        if unit != "B" and abs(size) < 100:
            return number % (1, size, unit)
        if abs(size) < 10240:
            return number % (0, size, unit)
        size /= 1024
    return number % (1 if abs(size) < 100 else 0, size, "TiB")


def _normalize_filename(filename: str) -> str:
    """A file name as filters compare it: the source of a compiled Python file."""
    name = os.path.normcase(filename)
    return name[:-1] if name.endswith(".pyc") else name


def _read_source(filename: str) -> Tuple[int, Optional[float], List[str], str]:
    """What linecache keeps of a file, which it would open whatever it is: size, time of
    change, lines, path. It looks for relative names along sys.path."""
    places = [filename]
    if not os.path.isabs(filename):
        places += [os.path.join(place, filename) for place in sys.path]
    for place in places:
        try:
            with open_regular(place) as file:
                status = os.fstat(file.fileno())
                if status.st_size > _LARGEST_SOURCE:
                    continue
                data = io.BytesIO(file.read(_LARGEST_SOURCE))
            encoding = tokenize.detect_encoding(data.readline)[0]
            data.seek(0)
            lines = io.TextIOWrapper(data, encoding).readlines()
            return status.st_size, status.st_mtime, lines, place
        except (OSError, ValueError, SyntaxError, TypeError):
            continue
    return 0, None, [], filename


def _source_line(filename: str, lineno: int) -> str:
    if not lineno:
        return ""
    cache: Any = linecache.cache  # the type of its entries has no name
    is_known = filename in cache
    if not is_known:
        cache[filename] = _read_source(filename)
    line = linecache.getline(filename, lineno).strip()
    if not is_known and not cache[filename][2]:
        del cache[filename]  # it may be there the next time
    return line


@total_ordering
class Frame:
    """A frame of a traceback, from a (filename, lineno) tuple."""

    __slots__ = ("_frame",)

    def __init__(self, frame: FrameTuple) -> None:
        self._frame = frame

    @property
    def filename(self) -> str:
        return self._frame[0]

    @property
    def lineno(self) -> int:
        return self._frame[1]

    @property
    def function(self) -> Optional[str]:
        """The function's name, None where unknown."""
        return getattr(self._frame, "function", None)

    @property
    def inlined(self) -> bool:
        """Whether the function was inlined into that of the next older frame."""
        return getattr(self._frame, "inlined", False)

    @property
    def named_by(self) -> Optional[str]:
        """What the name is from: "inline", "line table", "symbol table", "debugger",
        "address" where it was not looked for yet, "none"; None where the
        maker of the frame does not say."""
        return named_by_text(getattr(self._frame, "named_by", 0))

    @property
    def module(self) -> Optional[str]:
        """The path of the program or library that its code is in, None where unknown."""
        return getattr(self._frame, "place", NativeFrame.place)[0]

    @property
    def build_id(self) -> Optional[str]:
        """The build ID of that file in hexadecimal, None where unknown."""
        return getattr(self._frame, "place", NativeFrame.place)[1]

    @property
    def offset(self) -> Optional[int]:
        """The address of the call in that file, as addr2line takes it, None where unknown."""
        return getattr(self._frame, "place", NativeFrame.place)[2]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Frame):
            return self._frame == other._frame
        return NotImplemented

    def __lt__(self, other: object) -> bool:
        if isinstance(other, Frame):
            return self._frame < other._frame
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self._frame)

    def __str__(self) -> str:
        return "{}:{}".format(self.filename, self.lineno)

    def __repr__(self) -> str:
        return "<Frame filename={!r} lineno={!r}>".format(self.filename, self.lineno)


@total_ordering
class Traceback(Sequence[Frame]):
    """Frames, the oldest first; made from frame tuples, the most recent first."""

    __slots__ = ("_frames", "_total_nframe")

    def __init__(self, frames: Sequence[FrameTuple], total_nframe: Optional[int] = None) -> None:
        super().__init__()
        self._frames = tuple(reversed(frames))
        self._total_nframe = total_nframe

    @property
    def total_nframe(self) -> Optional[int]:
        """The frames of the whole stack, those beyond the limit too; may be None."""
        return self._total_nframe

    def __len__(self) -> int:
        return len(self._frames)

    @overload
    def __getitem__(self, index: SupportsIndex) -> Frame: ...

    @overload
    def __getitem__(self, index: slice) -> Tuple[Frame, ...]: ...

    def __getitem__(self, index: Union[SupportsIndex, slice]) -> Union[Frame, Tuple[Frame, ...]]:
        if isinstance(index, slice):
            return tuple(map(Frame, self._frames[index]))
        return Frame(self._frames[index])

    def __contains__(self, frame: Any) -> bool:
        return frame._frame in self._frames

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Traceback):
            return self._frames == other._frames
        return NotImplemented

    def __lt__(self, other: object) -> bool:
        if isinstance(other, Traceback):
            return self._frames < other._frames
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self._frames)

    def __str__(self) -> str:
        return str(self[0])

    def __repr__(self) -> str:
        total = "" if self._total_nframe is None else " total_nframe={}".format(self._total_nframe)
        return "<Traceback {}{}>".format(tuple(self), total)

    def format(self, limit: Optional[int] = None, most_recent_first: bool = False) -> List[str]:
        """Lines for people: each frame, and its source line where there is one.

        A positive `limit` keeps the most recent frames, a negative one the oldest.
        """
        frames = self[:]
        if limit is not None:
            frames = self[-limit:] if limit > 0 else self[:limit]
        lines = []
        for frame in reversed(frames) if most_recent_first else frames:
            lines.append('  File "{}", line {}'.format(frame.filename, frame.lineno))
            source = _source_line(frame.filename, frame.lineno)
            if source:
                lines.append("    " + source)
        return lines


@total_ordering
class Group(Traceback):
    """What a row of statistics is of where that is no place: a function, a module, a thread,
    or a range of ages or sizes. Its frames are one for a function or a module, else none."""

    __slots__ = ("_label", "_range", "_thread")

    def __init__(
        self,
        label: str,
        frames: Sequence[FrameTuple] = (),
        range: Optional[Bounds] = None,
        thread: Optional[int] = None,
    ) -> None:
        super().__init__(frames)
        self._label = label
        self._range = range
        self._thread = thread

    @property
    def label(self) -> str:
        """What it is called."""
        return self._label

    @property
    def range(self) -> Optional[Bounds]:
        """(from, below) of an age in seconds, or of a size in bytes; `below` is None where
        there is no bound. None: it is no range, or not known."""
        return self._range

    @property
    def thread(self) -> Optional[int]:
        """The kernel's number of a thread; None: it is no thread, or not known."""
        return self._thread

    def _values(self) -> Tuple[int, int, str, Tuple[FrameTuple, ...]]:
        start = -1 if self._range is None else self._range[0]
        return (self._thread or 0, start, self._label, self._frames)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Group):
            return self._values() == other._values()
        if isinstance(other, Traceback):
            return False
        return NotImplemented

    def __lt__(self, other: object) -> bool:
        if isinstance(other, Group):
            return self._values() < other._values()
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self._values())

    def __str__(self) -> str:
        return self._label

    def __repr__(self) -> str:
        return "<Group {!r}>".format(self._label)
