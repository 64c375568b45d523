"""Hooks that a process has loaded after it was started without them: what they do not know."""

from . import hookless
from .errors import AllocsnapError, ErrorCode, UnreadableMemory
from .library import heaps, library_files
from .library.calls import Calls, Regions
from .library.inferior import MappedSymbols

#: Data of the hooks, and what it says (core/hooks/entry/redirect.h).
REDIRECTED = "allocsnap_redirected"
STARTED_WITH, LED_HERE, LED_PAST = range(3)


def symbol(target, name):
    """The address of a symbol of the hooks; 0: there is none. Of hooks without a file, which the debugger
    does not find, the same library here has it."""
    place = target.find_symbol(name)
    if place:
        return place
    regions = Regions(target.memory_map())
    without_file = [path for path in regions.paths() if path.startswith("/memfd:liballocsnap-hooks")]
    if not without_file:
        return 0
    symbols = MappedSymbols(Calls(target), regions.only(without_file), [library_files.hooks_path()])
    found = symbols.named(name)
    return found[0].address if found else 0


def state(target):
    """Whether the program's calls are led to its hooks."""
    try:
        place = symbol(target, REDIRECTED)
        return int.from_bytes(target.read_memory(place, 4), "little") if place else STARTED_WITH
    except UnreadableMemory:
        return STARTED_WITH


def note(target, process, calls, regions, root, status):
    """What a snapshot of such a process lacks, in a line; None where it was started with the hooks.
    `status`: the native.Status that goes with the snapshot."""
    if state(target) == STARTED_WITH or not status.tracing:
        return None
    told = _from_before(target, process, calls, regions, root, status)
    return (
        "the process was started without the hooks: {} from before tracing {} not among these".format(
            *(("blocks", "are") if told is None else told)
        )
    )


def _from_before(target, process, calls, regions, root, status):
    """(how many blocks in words, "is" or "are"); None where they cannot be counted."""
    if process.moving or status.sample_period or hookless.other_allocator(target, regions):
        return None
    try:
        own = heaps.OwnRanges(calls, root)
        heap = hookless.read_heap(target, calls, regions, own=own.array)
    except AllocsnapError as error:
        if error.code in (ErrorCode.INTERRUPTED, ErrorCode.NO_MEMORY):
            raise
        return None
    live = sum(area.sums[0].count for area in heap.areas)
    count = live - status.traced_count
    if heap.notes or count < 0:
        return None
    return "{} block{}".format(count, "" if count == 1 else "s"), "is" if count == 1 else "are"
