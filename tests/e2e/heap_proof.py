"""The blocks out of glibc's own structures beside those that the hooks have recorded, of one process
or core at one moment."""

import ctypes
from typing import Dict, List, NamedTuple

from allocsnap import hookless
from allocsnap.library import heaps, native


class Differences(NamedTuple):
    """What one side has and the other has not: {address: size}."""

    count: int  # blocks that the hooks have
    only_hooks: Dict[int, int]
    only_heap: Dict[int, int]
    other_size: Dict[int, tuple]  # (what was asked for, what glibc has for it)
    notes: List[str]


def _recorded(snapshot):
    """{address: size} of the blocks of a library's Snapshot."""
    array = ctypes.POINTER(native.Trace)()
    native.check(native.library().asnap_snapshot_traces(snapshot, ctypes.byref(array)))
    return {array[i].address: array[i].size for i in range(snapshot.trace_count)}


def _fits(asked, chunk, is_mapped):
    """Whether a chunk is what malloc takes for a block of so many bytes: what would be too small to
    be a chunk stays with it, on one side or, where it was aligned, on both."""
    if is_mapped:
        return asked <= chunk.usable
    least = max(32, (asked + 8 + 15) // 16 * 16)
    return chunk.size - least in (0, 16, 32)


def differences(session):
    """The Differences of a process that stands still, or a core."""
    process = session.stopped_process()
    taken, regions = session.find_mapped("now")
    recorded = _recorded(taken.snapshot)
    calls, root = session.inferior(process, regions)
    own = heaps.OwnRanges(calls, root)
    heap = hookless.read_heap(session.target, calls, regions, own=own.array)
    areas = heap.areas
    live = {chunk.address: chunk for chunk in heap.chunks if heaps.USES[chunk.use] == "live"}
    other = {
        address: (asked, live[address].usable)
        for address, asked in recorded.items()
        if address in live
        and not _fits(asked, live[address], areas[live[address].area].kind == heaps.AREA_MAPPED)
    }
    return Differences(
        len(recorded),
        {address: size for address, size in recorded.items() if address not in live},
        {address: chunk.usable for address, chunk in live.items() if address not in recorded},
        other,
        heap.notes,
    )
