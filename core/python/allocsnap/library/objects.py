"""The library's objects, as Python's: tables, symbolizers, snapshots."""

from ctypes import byref, c_bool, c_char_p, c_uint64
from typing import NamedTuple, Optional

from ..printable import printable, printable_text
from ..target import SeenFile, path_bytes
from . import native
from .calls import Object
from .native import Status, check, library, shown_name, text_of
from .skip_rules import SkipRules


class Raw(Object):
    """The contents of a table, frames still unnamed. `moving`: other threads of the
    program go on meanwhile."""

    destroy = "asnap_raw_destroy"

    def __init__(self, calls, root, moving=False):
        super().__init__()
        calls.run(library().asnap_raw_read, calls.memory, root, moving, calls.progress, self.out)

    @classmethod
    def freed(cls, calls, root, moving=False):
        """(native.Freed, Raw) of the blocks that were freed last (asnap_freed_read)."""
        return cls._with_told(library().asnap_freed_read, native.Freed(), calls, root, moving)

    @classmethod
    def errors(cls, calls, root, moving=False):
        """(native.Errors, Raw) of calls that were to free what is no live traced block
        (asnap_errors_read)."""
        return cls._with_told(library().asnap_errors_read, native.Errors(), calls, root, moving)

    @classmethod
    def totals(cls, calls, root, moving=False, kind=0):
        """(native.TotalsTold, Raw) of what was ever allocated (asnap_totals_read)."""
        return cls._with_told(library().asnap_totals_read, native.TotalsTold(), calls, root, moving, kind)

    @classmethod
    def _with_told(cls, read, told, calls, root, moving, *more):
        made = cls.__new__(cls)
        Object.__init__(made)
        calls.run(read, calls.memory, root, moving, calls.progress, *more, byref(told), made.out)
        return told, made

    @property
    def count(self):
        """How many blocks there are."""
        return library().asnap_raw_trace_count(self)

    def set_missing(self, size):
        """Tells that the core file lacks so many bytes of the program's memory."""
        library().asnap_raw_set_missing(self, size)

    def note(self, text):
        """Tells what else is missing from it, in a line."""
        check(library().asnap_raw_add_note(self, path_bytes(text)))


class Symbolizer(Object):
    """Names frames, and remembers what it found."""

    destroy = "asnap_symbolizer_destroy"

    def __init__(self, debug_directories):
        super().__init__()
        directories = None if debug_directories is None else path_bytes(debug_directories)
        check(library().asnap_symbolizer_create(directories, self.out))
        # The debugger must outlive any file.
        library().asnap_symbolizer_read_apart(self, True)

    def set_regions(self, calls, regions):
        calls.run(
            library().asnap_symbolizer_set_regions, self, calls.memory, regions.array, regions.count
        )

    def set_files(self, paths):
        """`paths`: text, and SeenFiles."""
        array = c_char_p * len(paths)
        mapped = [path_bytes(path.mapped) if isinstance(path, SeenFile) else None for path in paths]
        opened = [path_bytes(path) for path in paths]
        check(
            library().asnap_symbolizer_set_seen_files(self, array(*mapped), array(*opened), len(paths))
        )

    def variable(self, file, offset, is_thread_local=False):
        """(name, offset in it, source or None) of the variable so many bytes behind where a file
        begins in memory, or behind its thread-local storage; None: of none that symbols know."""
        found = native.Variable()
        check(library().asnap_symbolizer_variable(self, file, offset, is_thread_local, byref(found)))
        if found.name is None:
            return None
        source = None if found.source is None else printable(found.source)
        return printable(found.name), found.offset, source


class Filter(NamedTuple):
    """Which traces to keep (asnap_filter)."""

    inclusive: bool
    filename_pattern: Optional[str] = None  # None: any file
    lineno: Optional[int] = None  # None: any line
    all_frames: bool = False
    domain: Optional[int] = None  # None: any domain
    classes: int = 0  # bits of graph_types.REACH; 0: any class. Of graphs.Graph.filter alone


def filter_array(filters):
    """Filters in the library's form."""
    array = (native.Filter * len(filters))()
    for place, one in zip(array, filters):
        place.inclusive = one.inclusive
        if one.filename_pattern is not None:
            place.filename_pattern = path_bytes(one.filename_pattern)
        place.has_lineno = one.lineno is not None
        place.lineno = one.lineno or 0
        place.all_frames = one.all_frames
        place.has_domain = one.domain is not None
        place.domain = one.domain or 0
        place.classes = one.classes
    return array


class Snapshot(Object):
    """The live blocks of a process at one moment. It is filled by its maker."""

    destroy = "asnap_snapshot_destroy"
    # roots.Computed, or kept_graph.KeptGraph, where what points to its blocks was found out.
    computed = None
    # The heaps.Heap that its blocks are from, where they are no records of hooks.
    heap = None
    # And that of blocks which were added to these records.
    earlier = None

    @classmethod
    def create(cls, calls, raw, symbolizer, extent=native.NAMING_WHOLE):
        """Names the frames of a Raw, as far as one of native.NAMING_... says."""
        made = cls()
        create = library().asnap_snapshot_create
        library().asnap_symbolizer_set_debugger(symbolizer, calls.debugger)
        try:
            calls.run(create, raw, symbolizer, extent, calls.progress, made.out)
        except KeyboardInterrupt:
            if extent != native.NAMING_UNTIL_STOPPED or not made._as_parameter_:
                raise
        finally:
            library().asnap_symbolizer_set_debugger(symbolizer, None)
        return made

    def symbolize(self, calls, symbolizer):
        """The same Snapshot with better names (asnap_snapshot_symbolize)."""
        made = type(self)()
        calls.run(library().asnap_snapshot_symbolize, self, symbolizer, calls.progress, made.out)
        return made

    @property
    def unnamed(self):
        """How many frames are bare addresses."""
        return library().asnap_snapshot_unnamed_count(self)

    @property
    def naming(self):
        """The native.NamingParts of its blocks, the largest first."""
        summary = _NamingSummary()
        lib = library()
        check(lib.asnap_naming_summary_create(self, summary.out))
        count = lib.asnap_naming_summary_count(summary)
        parts = [lib.asnap_naming_summary_part(summary, index) for index in range(count)]
        # The paths are the snapshot's.
        return parts

    def _derived(self):
        """A Snapshot to be made of some of the same blocks."""
        made = type(self)()
        made.computed = self.computed
        return made

    def filter(self, filters):
        """The Snapshot of the traces that these Filters keep."""
        made = self._derived()
        array = filter_array(list(filters))
        check(library().asnap_snapshot_filter(self, array, len(array), made.out))
        return made

    def slice(self, first, count):
        """The Snapshot of so many of its traces, from a place on."""
        made = self._derived()
        check(library().asnap_snapshot_slice(self, first, count, made.out))
        return made

    def skip(self, rules=SkipRules()):
        """The Snapshot whose blocks are attributed as these SkipRules say."""
        made = self._derived()
        check(library().asnap_snapshot_skip(self, byref(rules.native()), made.out))
        return made

    def has_own(self, pattern):
        """Whether a pattern of SkipRules.mine is for a source or module of any frame."""
        has = c_bool()
        check(library().asnap_snapshot_has_own(self, path_bytes(pattern), byref(has)))
        return has.value

    def dump_tracemalloc(self, path, attributes=None, count=0):
        """Writes it to a file that the standard library's tracemalloc loads; `path` in bytes,
        `attributes`: native ones, or None."""
        check(library().asnap_snapshot_dump_tracemalloc(self, path, attributes, count))

    def dump(self, path, attributes, count):
        """Writes it to a file, with what points to its blocks where that was found out; `path`
        in bytes, `attributes`: native ones."""
        if self.computed is None:
            check(library().asnap_snapshot_dump(self, path, attributes, count))
        else:
            self.computed.graph.dump(self.computed.calls, self, path, attributes, count)

    @property
    def attributes(self):
        """What it was dumped with, {name: text}."""
        lib = library()
        count = lib.asnap_snapshot_attribute_count(self)
        pairs = [lib.asnap_snapshot_attribute(self, index) for index in range(count)]
        return {text_of(pair.name): text_of(pair.value) for pair in pairs}

    @property
    def domains(self):
        """[(number, name)] of the domains that have a name."""
        lib = library()
        count = lib.asnap_snapshot_domain_count(self)
        numbers = [lib.asnap_snapshot_domain(self, index) for index in range(count)]
        return [(number, shown_name(lib.asnap_snapshot_domain_name(self, number))) for number in numbers]

    @property
    def threads(self):
        """The kernel's numbers of the threads that blocks name, by place."""
        lib = library()
        return [lib.asnap_snapshot_thread(self, i) for i in range(lib.asnap_snapshot_thread_count(self))]

    @property
    def start_time(self):
        """When the times of its blocks begin: nanoseconds since 1970; 0: not known."""
        return library().asnap_snapshot_start_time(self)

    @property
    def newest_time(self):
        """When its newest block was asked for, in hundredths of a second; 0: not known."""
        return library().asnap_snapshot_newest_time(self)

    def attributed(self, traceback_id):
        """(file, line or 0, function or "") of the frame that blocks of a traceback are
        attributed to, to be printed."""
        lib = library()
        skipped = lib.asnap_snapshot_skipped_frames(self, traceback_id)
        first = lib.asnap_snapshot_tracebacks(self)[traceback_id].first
        frame = lib.asnap_snapshot_frame(self, lib.asnap_snapshot_frame_ids(self)[first + skipped])
        return shown_name(frame.filename), frame.lineno, shown_name(frame.function)

    def find(self, address):
        """The native.Trace of the block that holds an address, or None."""
        found, trace = c_bool(), native.Trace()
        check(library().asnap_snapshot_find(self, address, byref(found), byref(trace)))
        return trace if found else None

    @property
    def estimate(self):
        """What there is as far as is known, a native.Estimate."""
        return library().asnap_snapshot_estimate(self)

    @property
    def size(self):
        """Bytes in all blocks; of a sample an estimate."""
        return self.estimate.size

    @property
    def count(self):
        """All blocks; of a sample an estimate."""
        return round(self.estimate.count)

    @property
    def trace_count(self):
        """The blocks that are known one by one."""
        return library().asnap_snapshot_count(self)

    def class_of(self, trace):
        """What the class of the object in the block of a native.Trace is called; None: not known."""
        name = library().asnap_snapshot_class(self, byref(trace))
        return None if name is None else printable_text(name)

    @property
    def sample_period(self):
        """Of the sample that its blocks are, in bytes; 0: every block is there."""
        return library().asnap_snapshot_sample_period(self)

    @property
    def traceback_limit(self):
        """The frame limit that was in force."""
        return library().asnap_snapshot_traceback_limit(self)

    @property
    def notes(self):
        """What is missing from it, a line each."""
        lib = library()
        count = lib.asnap_snapshot_note_count(self)
        return [printable_text(lib.asnap_snapshot_note(self, index)) for index in range(count)]


class _NamingSummary(Object):
    destroy = "asnap_naming_summary_destroy"


def find_root(calls, candidate, regions):
    """The address of the table's root (asnap_root_find)."""
    root = c_uint64()
    calls.run(
        library().asnap_root_find,
        calls.memory,
        candidate,
        *regions.searched,
        calls.progress,
        byref(root),
    )
    return root.value


def read_status(calls, root):
    """The Status of the hooks."""
    status = Status()
    calls.run(library().asnap_status_read, calls.memory, root, byref(status))
    return status


def read_history(calls, root):
    """The native.History of the hooks."""
    history = native.History()
    calls.run(library().asnap_history_read, calls.memory, root, byref(history))
    return history


def prepare_request(calls, root, request, frame_limit=0, sample_period=None):
    """[(address, bytes)] to be written, in this order, for the hooks to obey a request,
    one of native.REQUESTS (asnap_request_prepare). For "start": a limit of 0 and a period of None
    are those that were there before."""
    start = native.Start(frame_limit, sample_period is not None, sample_period or 0)
    writes = (native.Write * native.REQUEST_WRITES)()
    calls.run(
        library().asnap_request_prepare,
        calls.memory,
        root,
        native.REQUESTS[request],
        byref(start),
        writes,
    )
    return [(write.address, bytes(write.bytes[: write.size])) for write in writes]


def read_watch(calls, root):
    """The native.Watch of the table whose root is there."""
    watch = native.Watch()
    calls.run(library().asnap_watch_read, calls.memory, root, byref(watch))
    return watch


def prepare_watch(calls, root, limits):
    """As prepare_request, for the hooks to watch for native.WatchLimits in place of all others."""
    writes = (native.Write * native.WATCH_WRITES)()
    calls.run(library().asnap_watch_prepare, calls.memory, root, byref(limits), writes)
    return [(write.address, bytes(write.bytes[: write.size])) for write in writes]
