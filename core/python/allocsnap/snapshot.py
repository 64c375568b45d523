"""Snapshot, Trace and the sequence of a snapshot's traces."""

from __future__ import annotations

import operator
import os
from itertools import repeat
from typing import TYPE_CHECKING, Any, Dict, Iterable, Iterator, List, Optional
from typing import Sequence, SupportsIndex, Tuple, Union, overload

from . import bulk, dump_files, export_files, filters as filtering
from . import kept_graph, raw_traces, reachability
from .errors import AllocsnapError, ErrorCode
from .frames import FrameTuple, Traceback, TraceTuple, _format_size
from .library import native, objects
from .library.keys import keys
from .library.skip_rules import SkipRules, skip_sets
from .library.calls import Calls
from .statistic import Statistic, StatisticDiff
from .suppressions import Suppressed, Suppressions

if TYPE_CHECKING:
    import tracemalloc

_OWN_ATTRIBUTES = ("traces", "traceback_limit")
_CHUNK = 4096  # traces made into objects at a time
_NO_ORIGIN = (0, native.TIME_UNKNOWN)

Path = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]
# The last part may be left out.
GivenTrace = Union[TraceTuple, Tuple[int, int, Sequence[FrameTuple]]]


class Trace:
    """A block, from a (domain, size, frames, total_nframe) tuple."""

    __slots__ = ("_trace", "_origin", "_reach")

    def __init__(
        self,
        trace: TraceTuple,
        origin: Tuple[int, int] = _NO_ORIGIN,
        reach: Optional[str] = None,
    ) -> None:
        self._trace = trace
        self._origin = origin
        self._reach = reach

    @property
    def domain(self) -> int:
        return self._trace[0]

    @property
    def size(self) -> int:
        return self._trace[1]

    @property
    def traceback(self) -> Traceback:
        return Traceback(*self._trace[2:])

    @property
    def thread(self) -> Optional[int]:
        """The kernel's number of the thread that asked for the block; None: unknown."""
        return self._origin[0] or None

    @property
    def time(self) -> Optional[float]:
        """When it did: seconds after the hooks' start; None: unknown."""
        time = self._origin[1]
        return None if time == native.TIME_UNKNOWN else time / native.TIMES_PER_SECOND

    @property
    def reach(self) -> Optional[str]:
        """Whether the program could get at it: "definite", "indirect", "possible" or
        "reachable"; None: that was not found out."""
        return self._reach

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Trace):
            return self._trace == other._trace
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self._trace)

    def __str__(self) -> str:
        return "{}: {}".format(self.traceback, _format_size(self.size, False))

    def __repr__(self) -> str:
        return "<Trace domain={} size={}, traceback={!r}>".format(
            self.domain, _format_size(self.size, False), self.traceback
        )


class _Traces(Sequence[Trace]):
    """The traces of a snapshot: raw traces that were given, or those of a snapshot of
    the library, which become objects when they are asked for."""

    def __init__(self, traces: Any) -> None:
        super().__init__()
        self._given = traces
        self._object: Any = None  # the library's snapshot
        self._origin: Optional[List[Any]] = None  # the raw traces that its addresses count
        self._table: Optional[bulk.TraceTable] = None

    @classmethod
    def of(cls, snapshot: objects.Snapshot, origin: Optional[List[Any]] = None) -> _Traces:
        """The traces of a snapshot of the library. Where it was made of raw traces,
        `origin` is the list of those."""
        made = cls(None)
        made._object = snapshot
        made._origin = origin
        return made

    def object(self, traceback_limit: int) -> objects.Snapshot:
        """The library's snapshot."""
        if self._object is None:
            origin = list(self._given)
            self._object = raw_traces.build(origin, traceback_limit)
            self._origin = origin
        return self._object

    @property
    def origin(self) -> Optional[List[Any]]:
        """See `of`."""
        return self._origin

    @property
    def start_time(self) -> int:
        """When their times begin: nanoseconds since 1970; 0: unknown."""
        return 0 if self._object is None else self._object.start_time

    @property
    def sample_period(self) -> int:
        """Of the sample that these are, in bytes; 0: every trace is there."""
        return 0 if self._object is None else self._object.sample_period

    @property
    def notes(self) -> List[str]:
        """What is missing from the snapshot, a line each."""
        return [] if self._object is None else self._object.notes

    @property
    def _traces(self) -> Any:
        """The raw traces as a list."""
        if self._given is None:
            self._given = self._raw(slice(None))
            self._table = None  # with the tuples it has made
        return self._given

    def _objects(self, places: slice) -> Iterator[Trace]:
        """The traces at a slice of places, to go over."""
        raw = self._raw(places)
        if not self._is_found:
            return map(Trace, raw)
        table = self._known_table()
        if self._object.computed is None:
            return map(Trace, raw, table.origins(places))
        graph = self._object.computed.graph
        return map(Trace, raw, table.origins(places), table.reach(places, graph))

    @property
    def _is_found(self) -> bool:
        """Whether the library has read them: they were not given as raw traces."""
        return self._object is not None and self._origin is None

    def _known_table(self) -> bulk.TraceTable:
        if self._table is None:
            self._table = bulk.TraceTable(self._object)
        return self._table

    def _raw(self, places: slice) -> Any:
        """The raw traces at a slice of places."""
        if self._given is not None:
            return self._given[places]
        if self._origin is None:
            return self._known_table().tuples(places)
        return list(map(self._origin.__getitem__, self._known_table().addresses(places)))

    def __len__(self) -> int:
        if self._given is not None:
            return len(self._given)
        return self._object.trace_count

    @overload
    def __getitem__(self, index: SupportsIndex) -> Trace: ...

    @overload
    def __getitem__(self, index: slice) -> Tuple[Trace, ...]: ...

    def __getitem__(self, index: Union[SupportsIndex, slice]) -> Union[Trace, Tuple[Trace, ...]]:
        if isinstance(index, slice):
            return tuple(self._objects(index))
        if self._given is not None and not self._is_found:
            return Trace(self._given[index])
        place = range(len(self))[index]
        return next(self._objects(slice(place, place + 1)))

    def __iter__(self) -> Iterator[Trace]:
        for start in range(0, len(self), _CHUNK):
            yield from self._objects(slice(start, start + _CHUNK))

    def __contains__(self, trace: Any) -> bool:
        return trace._trace in self._traces

    def __eq__(self, other: Any) -> bool:
        if isinstance(other, _Traces):
            return self._traces == other._traces
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), (self._traces,)

    def __repr__(self) -> str:
        return "<Traces len={}>".format(len(self))


def _check_key(key_type: str, cumulative: bool) -> None:
    # Not every object can be looked for in a dictionary.
    if key_type not in tuple(keys()):
        raise ValueError("unknown key_type: %r" % (key_type,))
    if cumulative and not keys()[key_type].has_cumulative:
        raise ValueError("cumulative mode cannot by used with key type %r" % key_type)


class Snapshot:
    """The live blocks of a program at one moment.

    Made from raw traces as tracemalloc's; `take_snapshot`, `load` and `filter_traces`
    make others. Raw traces are read when they are first needed: a list must not change
    after that.
    """

    def __init__(self, traces: Sequence[GivenTrace], traceback_limit: int) -> None:
        self.traces = _Traces(traces)
        self.traceback_limit = traceback_limit

    @property
    def start_time(self) -> Optional[float]:
        """When the times of its traces begin: seconds since 1970; None: unknown."""
        start = self.traces.start_time
        return start / 1e9 if start else None

    @property
    def sample_period(self) -> int:
        """The period of the sample that its traces are, in bytes: statistics are estimates, of more
        than the traces hold. 0: every block is there."""
        return self.traces.sample_period

    @classmethod
    def _of(cls, snapshot: objects.Snapshot, origin: Optional[List[Any]] = None) -> Snapshot:
        """A Snapshot of a snapshot of the library."""
        made = cls((), snapshot.traceback_limit)
        made.traces = _Traces.of(snapshot, origin)
        return made

    @property
    def _object(self) -> objects.Snapshot:
        return self.traces.object(self.traceback_limit)

    def dump(self, filename: Path, *, format: str = "allocsnap") -> None:
        """Writes the snapshot to a file, as a whole or not at all, with the strings that
        it was given as attributes. With the format "tracemalloc" it is a file for the
        standard library's tracemalloc.Snapshot.load."""
        attributes = {
            name: value for name, value in vars(self).items() if name not in _OWN_ATTRIBUTES
        }
        dump_files.dump(self._object_to_dump(), filename, attributes, format)

    def export(
        self,
        filename: Path,
        format: Optional[str] = None,
        *,
        old_snapshot: Optional[Snapshot] = None,
        count: bool = False,
        source: bool = True,
    ) -> None:
        """Writes the snapshot to a file of another program, as a whole or not at all, as `snapshot
        export` does. `format`: "folded", "pprof", "sqlite" or another of those; None: by the end of
        the file's name. `old_snapshot`: what it is compared with, where the format can. `count`:
        blocks count and not bytes, where a format has one number. `source`: whether a report has
        lines of sources, where they can be read."""
        old = None if old_snapshot is None else old_snapshot._object
        export_files.export(self._object, filename, format, old, bool(count), bool(source))

    @staticmethod
    def load(filename: Path) -> Snapshot:
        """The Snapshot that `dump`, or `snapshot dump`, has written."""
        snapshot, attributes = dump_files.load(filename)
        made = Snapshot._of(snapshot.skip())
        for name, value in attributes.items():
            # A file comes from anywhere: it replaces nothing that is here already.
            if name not in _OWN_ATTRIBUTES and not hasattr(Snapshot, name):
                vars(made)[name] = value
        return made

    def _object_to_dump(self) -> objects.Snapshot:
        limit = self.traceback_limit
        if not raw_traces.is_limit(limit):
            raise ValueError("traceback_limit cannot be dumped: {!r}".format(limit))
        if limit == self._object.traceback_limit:
            return self._object
        if self.traces.origin is None:
            raise ValueError("the traceback_limit of a snapshot that was taken cannot change")
        return raw_traces.build(list(self.traces._traces), limit)

    def skip(
        self,
        patterns: Iterable[str] = (),
        standard: Union[bool, str, Iterable[str]] = True,
        mine: Iterable[str] = (),
    ) -> Snapshot:
        """A Snapshot whose statistics by frame, and whose filters, pass over those that ask
        for memory on behalf of others: the most recent frames whose function, or whose
        file where it has a "/", matches a pattern, and those of the built-in sets; `standard`:
        whether these count, or the names of those that do. `mine`: patterns of paths of
        sources and modules; the first frame there is the one. `take_snapshot` and `load`
        give such snapshots; tracebacks keep every frame."""
        if isinstance(standard, str):
            standard = (standard,)
        sets = (None if standard else ()) if isinstance(standard, int) else tuple(standard)
        unknown = [name for name in sets or () if name not in skip_sets()]
        if unknown:
            raise ValueError(
                "no skip set {!r}: the sets are {}".format(unknown[0], ", ".join(skip_sets()))
            )
        rules = SkipRules(tuple(patterns), sets, tuple(mine))
        made = Snapshot._of(self._object.skip(rules), self.traces.origin)
        made.traceback_limit = self.traceback_limit
        return made

    def symbolize(self, files: Iterable[Path] = (), debug_directories: Optional[str] = None) -> Snapshot:
        """A Snapshot whose frames without a line are named better, by the files that were
        mapped when it was taken, at their paths, or by `files`, where these have their
        build IDs. `debug_directories`: where separate debug files are, as text divided by
        colons; None: /usr/lib/debug. Skip rules are those of `take_snapshot`."""
        symbolizer = objects.Symbolizer(debug_directories)
        symbolizer.set_files([os.path.abspath(os.fsdecode(file)) for file in files])
        named = kept_graph.symbolize(self._object, Calls(), symbolizer)
        made = Snapshot._of(named.skip())
        for name, value in vars(self).items():
            if name not in _OWN_ATTRIBUTES:
                vars(made)[name] = value
        return made

    def filter_traces(self, filters: Iterable[filtering.AnyFilter]) -> Snapshot:
        """A Snapshot of the traces that an inclusive filter lets through, where there
        is one, and that no exclusive filter holds back."""
        if not isinstance(filters, Iterable):
            raise TypeError("filters must be a list of filters, not " + type(filters).__name__)
        filters = list(filters)
        # Any object may be a filter that has these.
        own = [one for one in filters if not filtering.is_known(one)]
        for one in own:
            one.inclusive, one._match  # pylint: disable=pointless-statement
        if own and self.sample_period:
            raise AllocsnapError(
                "filters of your own cannot go over a sample: it would not be known any more what its"
                " traces stand for",
                ErrorCode.UNSUPPORTED,
            )
        if own:
            made = Snapshot(self._passing(filters), self.traceback_limit)
        else:
            of_library = list(map(filtering.for_library, filters))
            if any(isinstance(one, filtering.ReachFilter) for one in filters):
                kept = reachability.filtered(self._object, of_library)
            else:
                kept = self._object.filter(of_library)
            made = Snapshot._of(kept, self.traces.origin)
            made.traceback_limit = self.traceback_limit
        return made

    def _passing(self, filters: Sequence[filtering.AnyFilter]) -> List[TraceTuple]:
        """The raw traces that filters let through, some of which are not the library's."""
        raw = self.traces._traces
        reach: Iterable[Optional[str]] = repeat(None)
        if any(isinstance(one, filtering.ReachFilter) for one in filters):
            reachability.check(self._object)
            reach = (trace.reach for trace in self.traces)
        return _passing(raw, reach, filters)

    def statistics(self, key_type: str, cumulative: bool = False) -> List[Statistic]:
        """The traces in groups by 'filename', 'lineno' or 'traceback', or by 'function',
        'module', 'thread', 'age', 'size', 'type' or 'owner', whose tracebacks are Groups: a list of
        Statistics, the largest first. `cumulative` counts a trace once for each of its
        frames, in the group of that frame."""
        _check_key(key_type, cumulative)
        return bulk.statistics(self._object, key_type, bool(cumulative))

    def compare_to(
        self,
        old_snapshot: Union[Snapshot, tracemalloc.Snapshot],
        key_type: str,
        cumulative: bool = False,
    ) -> List[StatisticDiff]:
        """The groups of this snapshot and of an older one: a list of StatisticDiffs,
        the largest difference first."""
        _check_key(key_type, cumulative)
        if not isinstance(old_snapshot, Snapshot):
            # tracemalloc's own, for one.
            given = old_snapshot.traces._traces  # type: ignore[attr-defined]
            old_snapshot = Snapshot(given, old_snapshot.traceback_limit)
        return bulk.differences(self._object, old_snapshot._object, key_type, bool(cumulative))

    def leaks(
        self,
        kinds: Sequence[str] = ("definite",),
        suppressions: Optional[Suppressions] = None,
    ) -> Snapshot:
        """A Snapshot of the blocks of these kinds: "definite", "indirect", "possible",
        "reachable". Of one taken with take_snapshot(graph=True), or made of it. `suppressions`:
        rules for blocks that are none; None: the built-in ones."""
        made = Snapshot._of(reachability.selected(self._object, kinds, suppressions))
        made.traceback_limit = self.traceback_limit
        return made

    def suppressed(
        self,
        kinds: Sequence[str] = ("definite",),
        suppressions: Optional[Suppressions] = None,
    ) -> List[Suppressed]:
        """What `leaks` leaves out, by rule. What is suppressed counts as held by the program,
        and so does what it leads to, which is in no number here."""
        return reachability.suppressed(self._object, kinds, suppressions)

    def references(self, address: SupportsIndex) -> List[reachability.Reference]:
        """What the block that holds an address points to: a list of References."""
        return reachability.references(self._object, operator.index(address))

    def referrers(self, address: SupportsIndex) -> List[reachability.Reference]:
        """What points to the block that holds an address, likewise."""
        return reachability.referrers(self._object, operator.index(address))

    def paths(self, address: SupportsIndex, limit: int = 1) -> List[reachability.Way]:
        """Ways to the block that holds an address, the shortest first: lists of a Reference
        that is in no block, and the addresses of blocks."""
        return reachability.paths(self._object, operator.index(address), limit)

    def retained(self, key_type: str, exact: bool = False) -> List[reachability.Retained]:
        """What the groups of `statistics` keep alive: a list of Retained, those that retain
        most first. `exact`: with `exact_size` and `exact_count`, what all blocks of a group
        together keep alive, at the cost of a pass over all pointers for each group."""
        _check_key(key_type, False)
        return reachability.retained(self._object, key_type, bool(exact))

    def _group_by(self, key_type: str, cumulative: bool) -> Dict[Traceback, Statistic]:
        return {one.traceback: one for one in self.statistics(key_type, cumulative)}


def _lets_through(
    one: filtering.AnyFilter, trace: TraceTuple, reach: Optional[str]
) -> bool:
    if isinstance(one, filtering.ReachFilter) and filtering.is_known(one):
        return one._match_reach(reach)
    return one._match(trace)


def _passing(
    traces: Iterable[Any], reach: Iterable[Optional[str]], filters: Sequence[filtering.AnyFilter]
) -> List[TraceTuple]:
    """The raw traces that filters let through; `reach`: their classes."""
    inclusive = [one for one in filters if one.inclusive]
    exclusive = [one for one in filters if not one.inclusive]
    traces = [trace if len(trace) > 3 else tuple(trace) + (None,) for trace in traces]
    return [
        trace
        for trace, of in zip(traces, reach)
        if (not inclusive or any(_lets_through(one, trace, of) for one in inclusive))
        and all(_lets_through(one, trace, of) for one in exclusive)
    ]
