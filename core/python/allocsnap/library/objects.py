"""The library's objects, as Python's."""

import ctypes
import sys
import time
from ctypes import byref, c_char_p, c_uint64, c_void_p
from typing import NamedTuple, Optional, Sequence, Tuple

from ..errors import UnreadableMemory
from ..target import path_bytes
from . import native
from .native import KEYS, Status, check, library, text_of


# A call that takes longer tells how far it has come, and again after as long.
_PROGRESS_SECONDS = 1


class Object:
    """An object of the library. It exists before the call that fills it, so that
    an interrupt right after the call leaks nothing."""

    destroy = ""  # the function that takes it back

    def __init__(self):
        self._as_parameter_ = c_void_p()

    @property
    def out(self):
        return byref(self._as_parameter_)

    def __del__(self):
        if self._as_parameter_:
            getattr(library(), self.destroy)(self._as_parameter_)


class Calls:
    """Calls into the library that read the inferior's memory through a Target.

    An exception in a callback is kept, the library told to stop or to do without
    the bytes, and the exception raised again when the call is over.

    `direct`: makes a _DirectMemory, of what has the debugger read it; or None.
    """

    def __init__(self, target=None, clock=time.monotonic, direct=None):
        self._target = target
        self._clock = clock
        self._shown = None  # when progress was shown last, or the call began
        self._kept = None
        self._escaped = []
        self._read = native.ReadFunction(self._on_read)
        self._report = native.ReportFunction(self._on_report)
        self._name = native.NameFunction(self._on_name)
        self._named = None  # the strings of the last answer
        self.memory = byref(native.Memory(self._read, None))
        self._direct = direct(self.memory) if direct is not None else None
        if self._direct is not None:
            self.memory = library().asnap_direct_memory_reader(self._direct)
        self.progress = byref(native.Progress(self._report, None))
        self.debugger = byref(native.Debugger(self._name, None))

    def run(self, function, *arguments):
        """Calls `function`, raising its error or what a callback raised."""
        # A signal that arrives while C code runs becomes an exception at the
        # first instruction of the next callback, before its `try`: ctypes hands
        # it to sys.unraisablehook. A built-in function takes it there, as no
        # further signal can interrupt one.
        previous = sys.unraisablehook
        sys.unraisablehook = self._escaped.append
        self._shown = self._clock()
        try:
            error = function(*arguments)
        finally:
            sys.unraisablehook = previous
        escaped, self._escaped = self._escaped, []
        kept, self._kept = self._kept, None
        for unraisable in escaped:
            # Python 3.12 and later do not say which callback it was.
            if unraisable.object in (None, self._on_read, self._on_report, self._on_name) or isinstance(
                unraisable.exc_value, KeyboardInterrupt
            ):
                kept = kept or unraisable.exc_value
            else:
                previous(unraisable)
        if kept is not None:
            if error:
                library().asnap_error_destroy(error)
            raise kept
        check(error)

    def _on_read(self, _context, address, buffer, size):
        try:
            if self._kept is not None or self._escaped:
                return native.READ_INTERRUPTED
            data = self._target.read_memory(address, size)
            if len(data) != size:
                return native.READ_FAILED
            if not isinstance(data, bytes):
                # A view: its bytes are copied once, from where they lie.
                data = byref(ctypes.c_char.from_buffer(data)) if size else b""
            ctypes.memmove(buffer, data, size)
            return native.READ_OK
        except UnreadableMemory:
            return native.READ_FAILED
        except BaseException as error:  # pylint: disable=broad-except
            self._kept = error
            return native.READ_INTERRUPTED

    def _on_name(self, _context, address, build_id, frames, count):
        try:
            if self._kept is not None or self._escaped:
                return native.READ_INTERRUPTED
            found = self._target.name_address(address, build_id.decode())
            found = found[: native.DEBUGGER_FRAMES_MAX]
            places = (native.Frame * native.DEBUGGER_FRAMES_MAX).from_address(frames)
            for place, (filename, function, lineno) in zip(places, found):
                place.filename = None if filename is None else path_bytes(filename)
                place.function = None if function is None else path_bytes(function)
                place.lineno = lineno
            self._named = places
            count[0] = len(found)
            return native.READ_OK
        except self._target.errors:
            return native.READ_OK
        except BaseException as error:  # pylint: disable=broad-except
            self._kept = error
            return native.READ_INTERRUPTED

    def _on_report(self, _context, step, done, total):
        try:
            # Being called is enough: a pending Ctrl-C is raised in here.
            if self._kept is not None or self._escaped:
                return False
            now = self._clock()
            if self._target is not None and self._target.interrupted():
                raise KeyboardInterrupt
            if self._target is not None and now - self._shown >= _PROGRESS_SECONDS:
                self._shown = now
                share = "{}%".format(100 * done // total) if total else str(done)
                self._target.show_progress("{}: {}".format(text_of(step), share))
            return True
        except BaseException as error:  # pylint: disable=broad-except
            self._kept = error
            return False


class _DirectMemory(Object):
    """What reads the inferior's memory without the debugger, as far as that goes."""

    destroy = "asnap_direct_memory_destroy"

    def __init__(self, create, of, debugger):
        super().__init__()
        check(create(of, debugger, self.out))
        self._kept = (of, debugger)  # the library uses them


class Regions:
    """Regions in the library's form. `missing`: bytes that a core's file lacks."""

    def __init__(self, regions):
        self.missing = 0
        self.count = len(regions)
        self.array = (native.Region * self.count)()
        for place, region in zip(self.array, regions):
            place.start = region.start
            place.end = region.end
            place.file_offset = region.file_offset
            place.path = path_bytes(region.path)
            place.flags = (
                (native.REGION_READABLE if region.readable else 0)
                | (native.REGION_WRITABLE if region.writable else 0)
                | (native.REGION_EXECUTABLE if region.executable else 0)
            )

    def direct(self, local_pid):
        """For Calls: what reads the memory of this process of this host; None: of no such."""
        if local_pid is None:
            return None
        create = library().asnap_direct_memory_of_process
        return lambda debugger: _DirectMemory(create, local_pid, debugger)


class CoreMap(Object):
    """The memory map of a core file; stands where Regions do."""

    destroy = "asnap_core_map_destroy"

    def __init__(self, path):
        super().__init__()
        lib = library()
        check(lib.asnap_core_map_create(path_bytes(path), self.out))
        self.count = lib.asnap_core_map_count(self)
        self.array = lib.asnap_core_map_regions(self)
        self.missing = lib.asnap_core_map_missing(self)

    def direct(self, _local_pid):
        """For Calls: what reads the memory that the file holds."""
        create = library().asnap_direct_memory_of_core
        return lambda debugger: _DirectMemory(create, self, debugger)


class Raw(Object):
    """The contents of a table, frames still unnamed. `moving`: other threads of the
    program go on meanwhile."""

    destroy = "asnap_raw_destroy"

    def __init__(self, calls, root, moving=False):
        super().__init__()
        read = library().asnap_raw_read_moving if moving else library().asnap_raw_read
        calls.run(read, calls.memory, root, calls.progress, self.out)

    def set_missing(self, size):
        """Tells that the core file lacks so many bytes of the program's memory."""
        library().asnap_raw_set_missing(self, size)


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
        array = (c_char_p * len(paths))(*[path_bytes(path) for path in paths])
        check(library().asnap_symbolizer_set_files(self, array, len(paths)))


class Filter(NamedTuple):
    """Which traces to keep (asnap_filter)."""

    inclusive: bool
    filename_pattern: Optional[str] = None  # None: any file
    lineno: Optional[int] = None  # None: any line
    all_frames: bool = False
    domain: Optional[int] = None  # None: any domain


def _filter_array(filters):
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
    return array


class Snapshot(Object):
    """The live blocks of a process at one moment. It is filled by its maker."""

    destroy = "asnap_snapshot_destroy"

    @classmethod
    def create(cls, calls, raw, symbolizer, extent=native.NAMING_WHOLE):
        """Names the frames of a Raw, as far as one of native.NAMING_... says."""
        made = cls()
        create = library().asnap_snapshot_create_named
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

    def filter(self, filters):
        """The Snapshot of the traces that these Filters keep."""
        made = type(self)()
        array = _filter_array(list(filters))
        check(library().asnap_snapshot_filter(self, array, len(array), made.out))
        return made

    def skip(self, patterns, standard=True):
        """The Snapshot whose blocks are attributed past the frames that these rules
        match; `standard`: and those of C++ (asnap_snapshot_skip)."""
        made = type(self)()
        array = (c_char_p * len(patterns))(*[path_bytes(pattern) for pattern in patterns])
        check(library().asnap_snapshot_skip(self, array, len(array), standard, made.out))
        return made

    @classmethod
    def load(cls, path):
        """The Snapshot in a dump file."""
        made = cls()
        check(library().asnap_snapshot_load(path_bytes(path), made.out))
        return made

    def dump_tracemalloc(self, path):
        """Writes it to a file that the standard library's tracemalloc loads."""
        check(library().asnap_snapshot_dump_tracemalloc(self, path_bytes(path), None, 0))

    def dump(self, path, attributes=None):
        """Writes it to a file, with these attributes, {name: text}, or its own."""
        array, count = None, 0
        if attributes is not None:
            pairs = [(path_bytes(name), path_bytes(value)) for name, value in attributes.items()]
            array, count = (native.Attribute * len(pairs))(*pairs), len(pairs)
        check(library().asnap_snapshot_dump(self, path_bytes(path), array, count))

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
        return [(number, text_of(lib.asnap_snapshot_domain_name(self, number))) for number in numbers]

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
    def size(self):
        """Bytes in all blocks."""
        return library().asnap_snapshot_size(self)

    @property
    def count(self):
        """All blocks."""
        return library().asnap_snapshot_count(self)

    @property
    def traceback_limit(self):
        """The frame limit that was in force."""
        return library().asnap_snapshot_traceback_limit(self)

    @property
    def notes(self):
        """What is missing from it, a line each."""
        lib = library()
        count = lib.asnap_snapshot_note_count(self)
        return [text_of(lib.asnap_snapshot_note(self, index)) for index in range(count)]


def _rendered(function, *arguments):
    """The text that a function of the library makes."""
    string = _String()
    check(function(*arguments, string.out))
    return text_of(ctypes.cast(string._as_parameter_, c_char_p).value)


def _total(whole):
    """A Snapshot as a sum."""
    return native.StatisticDiff(size=whole.size, count=whole.count)


class Display(NamedTuple):
    """How text for people shows names and finds sources."""

    path_rules: Sequence[Tuple[str, str]] = ()  # Target.path_rules
    short_names: bool = False
    short_paths: bool = False

    def set(self, options):
        """Puts this into a native.RenderOptions."""
        rules = [(path_bytes(start), path_bytes(to)) for start, to in self.path_rules]
        options.path_rules = (native.PathRule * len(rules))(*rules)
        options.path_rule_count = len(rules)
        options.short_names = self.short_names
        options.short_paths = self.short_paths


class Rows:
    """What can be shown row by row. Derived classes have `text_function` and
    `json_function`, and what these want first, in `shown`."""

    text_function = ""
    json_function = ""
    display = Display()

    @property
    def shown(self):
        return self

    def text(self, limit=0, unfiltered=None):
        """The first `limit` rows (0: all) for people. `unfiltered`: what was there
        before filters."""
        return self._render(self.text_function, limit, unfiltered)

    def json(self, limit=0, unfiltered=None):
        """The first `limit` rows (0: all) as one JSON object on one line."""
        return self._render(self.json_function, limit, unfiltered)

    def options(self, limit):
        """The native.RenderOptions for `limit` rows."""
        return native.RenderOptions(limit=limit, source_lines=True)

    def _render(self, function, limit, unfiltered):
        options = self.options(limit)
        self.display.set(options)
        if unfiltered is not None:
            options.unfiltered = ctypes.pointer(self.total(unfiltered))
        return _rendered(getattr(library(), function), self.shown, byref(options))

    def total(self, unfiltered):
        """What is `unfiltered`, as a sum."""
        return _total(unfiltered)


def _thread_labels(options, snapshot, labels):
    """Puts what the debugger calls threads, {kernel thread number: text}, into a
    RenderOptions."""
    if not labels:
        return
    numbers = snapshot.threads
    texts = [path_bytes(labels[number]) if number in labels else None for number in numbers]
    options.thread_labels = (c_char_p * len(texts))(*texts)
    options.thread_label_count = len(texts)


class Traces(Rows):
    """The blocks of a snapshot, by one of native.ORDERS. What is `unfiltered` is a
    Snapshot. `labels`: {kernel thread number: what the debugger calls the thread}."""

    text_function = "asnap_render_traces_text"
    json_function = "asnap_render_traces_json"

    def __init__(self, snapshot, order="size", labels=None):
        self._snapshot = snapshot
        self._order = native.ORDERS[order]
        self._labels = labels

    @property
    def shown(self):
        return self._snapshot

    def options(self, limit):
        options = super().options(limit)
        options.order = self._order
        _thread_labels(options, self._snapshot, self._labels)
        return options


class Who:
    """The block of a snapshot that holds an address. `regions`: Regions or CoreMap,
    where the snapshot is of now. `labels`: as of Traces."""

    def __init__(self, snapshot, address, regions=None, labels=None, display=Display()):
        self._arguments = snapshot, address
        self._options = native.RenderOptions(source_lines=True)
        display.set(self._options)
        _thread_labels(self._options, snapshot, labels)
        self._regions = regions
        if regions is not None:
            self._options.regions = ctypes.cast(regions.array, ctypes.POINTER(native.Region))
            self._options.region_count = regions.count

    def text(self):
        """For people."""
        return self._render(library().asnap_render_who_text)

    def json(self):
        """One JSON object on one line."""
        return self._render(library().asnap_render_who_json)

    def _render(self, function):
        return _rendered(function, *self._arguments, byref(self._options))


class Statistics(Rows, Object):
    """The traces of a snapshot in groups, largest first. `key` is one of KEYS.

    What is `unfiltered` is a Snapshot.
    """

    destroy = "asnap_statistics_destroy"
    text_function = "asnap_render_statistics_text"
    json_function = "asnap_render_statistics_json"

    def __init__(self, snapshot, key, cumulative=False):
        super().__init__()
        check(library().asnap_statistics_create(snapshot, KEYS[key], cumulative, self.out))


class Diff(Rows, Object):
    """Two snapshots compared, group by group, the largest difference first.

    What is `unfiltered` is a pair of Snapshots, new and old.
    """

    destroy = "asnap_diff_destroy"
    text_function = "asnap_render_diff_text"
    json_function = "asnap_render_diff_json"

    def __init__(self, new, old, key, cumulative=False):
        super().__init__()
        check(library().asnap_diff_create(new, old, KEYS[key], cumulative, self.out))

    def total(self, unfiltered):
        new, old = unfiltered
        return native.StatisticDiff(
            size=new.size,
            count=new.count,
            size_diff=new.size - old.size,
            count_diff=new.count - old.count,
        )


class _NamingSummary(Object):
    destroy = "asnap_naming_summary_destroy"


class _String(Object):
    destroy = "asnap_string_destroy"


def find_root(calls, candidate, regions):
    """The address of the table's root (asnap_root_find)."""
    root = c_uint64()
    calls.run(
        library().asnap_root_find,
        calls.memory,
        candidate,
        regions.array,
        regions.count,
        calls.progress,
        byref(root),
    )
    return root.value


def read_status(calls, root):
    """The Status of the hooks."""
    status = Status()
    calls.run(library().asnap_status_read, calls.memory, root, byref(status))
    return status


def prepare_request(calls, root, request, frame_limit=0):
    """[(address, bytes)] to be written, in this order, for the hooks to obey a request,
    one of native.REQUESTS (asnap_request_prepare)."""
    writes = (native.Write * native.REQUEST_WRITES)()
    calls.run(
        library().asnap_request_prepare,
        calls.memory,
        root,
        native.REQUESTS[request],
        frame_limit,
        writes,
    )
    return [(write.address, bytes(write.bytes[: write.size])) for write in writes]


def format_size(size):
    """A size as tracemalloc shows it: 10239 B, 10.0 KiB, 100 KiB."""
    buffer = ctypes.create_string_buffer(32)
    library().asnap_format_size(size, False, buffer, len(buffer))
    return buffer.value.decode("ascii")
