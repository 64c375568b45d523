"""tracemalloc's raw traces made into a snapshot of the library.

A raw trace is (domain, size, frames, total_nframe), the last optional or None; its frames
are (filename, lineno) tuples, the most recent first.
"""

import ctypes
from array import array
from ctypes import byref, c_uint32
from operator import itemgetter

from . import bulk
from .library import native, objects
from .library.calls import Object
from .library.names import encoded_name

_UINT32_MAX = 2**32 - 1
_UINT32 = "I"  # of array and memoryview
_UINT64 = "Q"


class _Builder(Object):
    destroy = "asnap_builder_destroy"

    def __init__(self):
        super().__init__()
        native.check(native.library().asnap_builder_create(self.out))


def _buffer(numbers):
    """An array of 32-bit numbers for ctypes."""
    return (c_uint32 * len(numbers)).from_buffer(numbers) if numbers else (c_uint32 * 1)()


def _column(kind, values, what):
    try:
        return array(kind, values)
    except (TypeError, OverflowError) as error:
        raise ValueError("the traces have a {} that is none: {}".format(what, error)) from None


class _FrameNumbers(dict):
    """(filename, lineno) -> the number of the frame in the builder."""

    def __init__(self, builder):
        super().__init__()
        self._builder = builder
        self._native = {}

    def __missing__(self, frame):
        number = self[frame] = self._add(frame)
        return number

    def of_native(self, frame):
        """The number of a frame that may have a function."""
        function = getattr(frame, "function", None)
        if function is None:
            return self[frame]
        key = (frame, function, frame.inlined, frame.named_by)
        if key not in self._native:
            self._native[key] = self._add(frame, encoded_name(function), *key[2:])
        return self._native[key]

    def _add(self, frame, function=None, inlined=False, named_by=0):
        filename, lineno = frame
        if not isinstance(lineno, int) or not 0 <= lineno <= _UINT32_MAX:
            raise ValueError(
                "a line number must be from 0 to {}, not {!r}".format(_UINT32_MAX, lineno)
            )
        place = native.Frame(encoded_name(filename), function, lineno, inlined, named_by)
        number = c_uint32()
        native.check(
            native.library().asnap_builder_frame(
                self._builder, byref(place), 0, native.NO_MAPPING, byref(number)
            )
        )
        return number.value


def _counted(total, frame_count):
    """How many frames a stack had, for the library. tracemalloc looks at this number
    nowhere, so it may be anything; none may be taken for an unknown one."""
    counted = max(total, frame_count)
    if counted == native.TOTAL_UNKNOWN:
        raise ValueError("the traces have a number of frames that is none: {}".format(counted))
    return counted


def _add_tracebacks(builder, tracebacks):
    """Adds (frames, total_nframe) pairs; returns their numbers as an array."""
    frame_numbers = _FrameNumbers(builder)
    frame_ids, counts, totals = array(_UINT32), array(_UINT32), []
    for frames, total in tracebacks:
        known = frame_numbers.__getitem__
        if set(map(type, frames)) - {tuple}:
            known = frame_numbers.of_native
        frame_ids.extend(map(known, frames))
        counts.append(len(frames))
        totals.append(native.TOTAL_UNKNOWN if total is None else _counted(total, len(frames)))
    totals = _column(_UINT32, totals, "number of frames")
    numbers = array(_UINT32, bytes(4 * len(counts)))
    native.check(
        native.library().asnap_builder_tracebacks(
            builder,
            _buffer(frame_ids),
            _buffer(counts),
            _buffer(totals),
            len(counts),
            _buffer(numbers),
        )
    )
    return numbers


def _totals(traces):
    try:
        return list(map(itemgetter(3), traces))
    except IndexError:
        return [trace[3] if len(trace) > 3 else None for trace in traces]


def is_limit(limit):
    """Whether the library can keep this frame limit."""
    return isinstance(limit, int) and 0 <= limit <= _UINT32_MAX


def build(traces, traceback_limit):
    """The library's snapshot of a list of raw traces; the addresses are their places in it."""
    builder = _Builder()
    with bulk.many_objects():
        _fill(builder, traces)
    if not is_limit(traceback_limit):
        traceback_limit = 0
    made = objects.Snapshot()
    native.check(native.library().asnap_builder_finish(builder, traceback_limit, made.out))
    return made


def _fill(builder, traces):
    try:
        tracebacks = list(map(itemgetter(2), traces))
    except IndexError:
        raise ValueError("a raw trace is (domain, size, frames, total_nframe)") from None
    totals = _totals(traces)
    # Equal stacks are mostly one object; the builder finds those that are not.
    keys = list(zip(map(id, tracebacks), totals))
    distinct = dict(zip(keys, zip(tracebacks, totals)))
    numbers = dict(zip(distinct, _add_tracebacks(builder, distinct.values())))
    _add_traces(builder, traces, list(map(numbers.__getitem__, keys)))


def _add_traces(builder, traces, traceback_ids):
    count = len(traces)
    blocks = bytearray(ctypes.sizeof(native.Trace) * count)
    columns = native.columns(memoryview(blocks), native.Trace)
    columns["address"][:] = array(_UINT64, range(count))
    columns["size"][:] = _column(_UINT64, map(itemgetter(1), traces), "size")
    columns["traceback_id"][:] = array(_UINT32, traceback_ids)
    columns["domain"][:] = _column(_UINT32, map(itemgetter(0), traces), "domain")
    array_type = native.Trace * count
    native.check(
        native.library().asnap_builder_traces(builder, array_type.from_buffer(blocks), count)
    )
