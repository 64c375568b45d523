"""The contents of the library's snapshots and rows, many at a time."""

import contextlib
import ctypes
import gc
import struct
from ctypes import POINTER, byref
from itertools import repeat

from .frames import Group, NativeFrame, Traceback
from .library import native, rows as results
from .library.keys import LABEL_PLACE, LABEL_SIZE, LABEL_THREAD, keys, range_of
from .library.names import decoded_name
from .statistic import Source, Statistic, StatisticDiff

FRAME = struct.Struct("PPI?B2x")  # asnap_frame, which many are read of
PLACE = struct.Struct("PPQ")  # asnap_place, likewise
_CHUNK = 256  # frames read at once


@contextlib.contextmanager
def many_objects():
    """Collects no garbage meanwhile: looking through ever more objects that all stay
    takes longer than making them."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _view(pointer, kind, count):
    """The bytes of `count` structures that the library lends."""
    if not count:
        return memoryview(b"")
    address = ctypes.addressof(pointer.contents)
    return memoryview((kind * count).from_address(address)).cast("B").toreadonly()


class _Strings(dict):
    """Address of a string that the library lends -> the string."""

    def __missing__(self, address):
        text = self[address] = decoded_name(ctypes.string_at(address))
        return text


class _Frames(dict):
    """Fields of an asnap_frame, and of its asnap_place -> its NativeFrame."""

    def __init__(self):
        super().__init__()
        self._strings = _Strings()

    def __missing__(self, key):
        (filename, function, lineno, inlined, named_by), (module, build_id, offset) = key
        frame = self[key] = NativeFrame.make(
            self._strings[filename],
            lineno,
            self._strings[function] if function else None,
            inlined,
            named_by,
            (
                self._strings[module] if module else None,
                (self._strings[build_id] if build_id else "") or None,
                offset or None,
            ),
        )
        return frame

    def of(self, frames, places):
        """The NativeFrames of arrays of native.Frame and native.Place."""
        keys = zip(FRAME.iter_unpack(frames), PLACE.iter_unpack(places))
        return map(self.__getitem__, keys)


class _FramesByNumber(dict):
    """Number of a snapshot's frame -> its NativeFrame."""

    def __init__(self, snapshot):
        super().__init__()
        self._snapshot = snapshot
        self._count = native.library().asnap_snapshot_frame_count(snapshot)
        self._frames = _Frames()

    def __missing__(self, number):
        # Where one is asked for, others will be.
        first = number - number % _CHUNK
        count = min(_CHUNK, self._count - first)
        frames, places = (native.Frame * count)(), (native.Place * count)()
        native.library().asnap_snapshot_frames(self._snapshot, first, count, frames)
        native.library().asnap_snapshot_places(self._snapshot, first, count, places)
        self.update(enumerate(self._frames.of(frames, places), first))
        return self[number]


class _Totals(dict):
    """Number of a snapshot's traceback -> the frames of the whole stack; None: not counted."""

    def __init__(self, numbers):
        super().__init__()
        self._numbers = numbers

    def __missing__(self, number):
        total = self._numbers[number]
        self[number] = known = None if total == native.TOTAL_UNKNOWN else total
        return known


class _Tracebacks(dict):
    """Number of a snapshot's traceback -> its frames, most recent first."""

    def __init__(self, snapshot):
        super().__init__()
        lib = native.library()
        count = lib.asnap_snapshot_traceback_count(snapshot)
        tracebacks = _view(lib.asnap_snapshot_tracebacks(snapshot), native.Traceback, count)
        columns = native.columns(tracebacks, native.Traceback)
        self._first = columns["first"]
        self._count = columns["frame_count"]
        self.total = _Totals(columns["total_nframe"])
        self._ids = _view(
            lib.asnap_snapshot_frame_ids(snapshot),
            ctypes.c_uint32,
            lib.asnap_snapshot_frame_id_count(snapshot),
        ).cast("I")
        self._frames = _FramesByNumber(snapshot)

    def __missing__(self, number):
        first = self._first[number]
        ids = self._ids[first : first + self._count[number]].tolist()
        frames = self[number] = tuple(map(self._frames.__getitem__, ids))
        return frames


class TraceTable:
    """The traces of a snapshot of the library."""

    def __init__(self, snapshot):
        self._snapshot = snapshot  # owns what the views show
        lib = native.library()
        lent = POINTER(native.Trace)()
        native.check(lib.asnap_snapshot_traces(snapshot, byref(lent)))
        self._lent, self._count = lent, lib.asnap_snapshot_count(snapshot)
        traces = _view(lent, native.Trace, self._count)
        columns = native.columns(traces, native.Trace)
        self._addresses = columns["address"]
        self._sizes = columns["size"]
        self._traceback_ids = columns["traceback_id"]
        self._domains = columns["domain"]
        self._threads = columns["thread"]
        self._times = columns["time"]
        self._thread_numbers = None  # by what _threads holds
        self._tracebacks = _Tracebacks(snapshot)

    def addresses(self, places):
        return self._addresses[places].tolist()

    def origins(self, places):
        """(kernel thread number or 0, hundredths of a second or native.TIME_UNKNOWN) of the
        traces at a slice of places."""
        if self._thread_numbers is None:
            self._thread_numbers = self._snapshot.threads or [0]
        threads = self._threads[places].tolist()
        return zip(
            map(self._thread_numbers.__getitem__, threads), self._times[places].tolist()
        )

    def reach(self, places, graph):
        """The classes of the traces at a slice of places, in a graphs.Graph."""
        for place in range(*places.indices(self._count)):
            yield graph.class_of_trace(self._lent[place])

    def tuples(self, places):
        """The raw traces at a slice of places, as a list."""
        ids = self._traceback_ids[places].tolist()
        with many_objects():
            return list(
                zip(
                    self._domains[places].tolist(),
                    self._sizes[places].tolist(),
                    map(self._tracebacks.__getitem__, ids),
                    map(self._tracebacks.total.__getitem__, ids),
                )
            )


def traceback_of(snapshot, address):
    """(frames, total_nframe) of the block that holds an address, or None."""
    trace = snapshot.find(address)
    if trace is None:
        return None
    tracebacks = _Tracebacks(snapshot)
    return tracebacks[trace.traceback_id], tracebacks.total[trace.traceback_id]


class _Rows(Source):
    """The rows of Statistics or of a Diff of the library, by the key of this name."""

    def __init__(self, owner, prefix, kind, key):
        self._owner = owner
        self._key = keys()[key]
        lib = native.library()
        self._label = getattr(lib, prefix + "_label")
        self._bounds = getattr(lib, prefix + "_bounds")
        self._row = getattr(lib, prefix + "_row")
        self._row_frames = getattr(lib, prefix + "_frames")
        self._row_places = getattr(lib, prefix + "_places")
        self._frames = _Frames()
        self.count = getattr(lib, prefix + "_count")(owner)
        rows = (kind * self.count)()
        getattr(lib, prefix + "_rows")(owner, 0, self.count, rows)
        #: {field: its values} of all rows.
        self.columns = native.columns(memoryview(rows).cast("B"), kind)

    def traceback(self, index):
        count = self._row(self._owner, index).frame_count
        frames, places = (native.Frame * count)(), (native.Place * count)()
        self._row_frames(self._owner, index, frames)
        self._row_places(self._owner, index, places)
        made = tuple(self._frames.of(frames, places))
        return Traceback(made) if self._key.label == LABEL_PLACE else self._group(index, made)

    def _group(self, index, frames):
        buffer = ctypes.create_string_buffer(LABEL_SIZE)
        label = decoded_name(self._label(self._owner, index, buffer))
        bounds = self._bounds(self._owner, index)
        if self._key.label == LABEL_THREAD:
            return Group(label, frames, thread=bounds.from_ or None)
        return Group(label, frames, range_of(bounds))

    def made(self, kind, *columns):
        """A list of the rows as objects of a class."""
        with many_objects():
            return list(map(kind, range(self.count), *columns, repeat(self)))


def statistics(snapshot, key, cumulative):
    """The Statistics of a snapshot of the library, as a sorted list."""
    owner = results.Statistics(snapshot, key, cumulative)
    rows = _Rows(owner, "asnap_statistics", native.Statistic, key)
    return rows.made(Statistic, rows.columns["size"].tolist(), rows.columns["count"].tolist())


def rows_of(owner, key):
    """(traceback, size, count) of the rows of results.Statistics."""
    rows = _Rows(owner, "asnap_statistics", native.Statistic, key)
    columns = rows.columns["size"].tolist(), rows.columns["count"].tolist()
    return [(rows.traceback(index),) + row for index, row in enumerate(zip(*columns))]


def differences(new, old, key, cumulative):
    """The StatisticDiffs of two snapshots of the library, as a sorted list."""
    owner = results.Diff(new, old, key, cumulative)
    rows = _Rows(owner, "asnap_diff", native.StatisticDiff, key)
    fields = ("size", "size_diff", "count", "count_diff")
    return rows.made(StatisticDiff, *(rows.columns[field].tolist() for field in fields))
