"""A debugger session: its process or core is read, and what is kept from one command to the next."""

import contextlib
import os

from . import cpython, guessed_map, hookless, kept_graph, minidump, no_hooks, object_types, tracing
from . import whereabouts
from .errors import AllocsnapError, ErrorCode
from .exit_stop import ExitStop
from .kept import NOW, PYTHON, Kept, Taken
from .launch import DEFAULT_FRAME_LIMIT, Launch
from .library import heaps, native, objects
from .library.calls import Calls, CoreMap, Regions
from .library.rows import Display, format_size
from .library.skip_rules import SkipRules
from .places import Places, place_filters
from .printable import printable_text
from .shown import Shown
from .target import path_bytes, shown_path
from .watching import Watching

# The attribute of a dump file that holds Taken.source.
_SOURCE = "allocsnap.source"
# And that of Taken.peak.
_PEAK = "allocsnap.peak"

# What the library says of a damaged table, which is right of a process.
_OVERWRITTEN = "the program has overwritten it; restart the program to trace it again"


@contextlib.contextmanager
def _blamed_on_truncation(process, regions):
    """Says before an error in reading a core that its file is truncated, or may be."""
    try:
        yield
    except AllocsnapError as error:
        message = str(error)
        if regions.missing and error.code not in (ErrorCode.INTERRUPTED, ErrorCode.NO_MEMORY):
            message = "{} {}, {} of the program's memory are missing: {}".format(
                process.description,
                "was cut off and filled up with zeros" if regions.filled_up else "is truncated",
                format_size(regions.missing),
                message,
            )
        if process.is_core:
            message = message.replace(
                _OVERWRITTEN,
                "the program had overwritten it, or the core is not what was written; have another"
                " one written",
            )
        raise AllocsnapError(message, error.code) from None


def _file_size(path):
    """The bytes of a file; 0 where it cannot be seen."""
    try:
        return os.stat(path).st_size if path is not None else 0
    except OSError:
        return 0


def _peak(calls, root):
    """The most bytes that were traced at once; 0: not known."""
    try:
        return objects.read_status(calls, root).peak_size
    except AllocsnapError as error:
        if error.code in (ErrorCode.INTERRUPTED, ErrorCode.NO_MEMORY):
            raise
        return 0


def _number(text):
    """The number in a file's text; 0 where it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0


# Failures to find hooks that obey in a process: then only the next run can be traced.
_NOT_HOOKED = (
    ErrorCode.NO_HOOKS,
    ErrorCode.UNREADABLE,
    ErrorCode.DAMAGED,
    ErrorCode.VERSION,
    ErrorCode.UNSUPPORTED,
)


def _not_traced():
    return AllocsnapError(
        "the process is not traced: `snapshot start` traces it from now on", ErrorCode.NOT_TRACING
    )


def naming_extent(names):
    """How far a snapshot that is kept is named: as far as Ctrl-C lets, or not at all."""
    return native.NAMING_UNTIL_STOPPED if names else native.NAMING_NOTHING


class Session:
    """The snapshots of one debugger session, and reading new ones."""

    def __init__(self, target):
        self.target = target
        self.launch = Launch(target)
        self.exit_stop = ExitStop(target, self._is_traced)
        self.watching = Watching(self)
        self.snapshots = Kept(target.how_to_keep)
        self.is_chosen = False  # whether the user has said what is meant where nothing is named
        self._symbolizer = None
        self._debug_directories = None
        self._root = (None, 0)  # (Process.identity, address)
        self.rules = SkipRules()  # which frames blocks are attributed past
        self.places = Places()
        self.shown = Shown()
        self.suppressions = None  # the path of a file of rules
        tracing.set_session(self)

    def display(self):
        """The Display that the user and the debugger want."""
        return Display(
            self.target.path_rules(),
            self.shown.short_names,
            self.shown.short_paths,
            self.shown.marks,
        )

    # ---- the process ----

    def process(self):
        """The Process to read, or None where there is none."""
        return self.target.process()

    def stopped_process(self, may_move=False):
        """The Process, where it can be read; else an error that says why not.
        `may_move`: other threads of it may go on."""
        process = self.target.process()
        if process is None:
            raise AllocsnapError(
                "there is no process and no core: start the program with `{}`,"
                " or load a core file".format(self.target.run_command)
            )
        if process.running and not (may_move and process.moving):
            raise AllocsnapError(
                "the process is running: interrupt it first ({})".format(
                    self.target.how_to_interrupt
                )
            )
        if process.pointer_bytes != 8:
            raise AllocsnapError(
                "this is a {}-bit program: only 64-bit programs are supported".format(
                    8 * process.pointer_bytes
                ),
                ErrorCode.UNSUPPORTED,
            )
        return process

    def keep_still(self):
        """Has a program that runs on stand still until the command is over. Frames are named
        before, which takes most of the time."""
        process = self.stopped_process()
        if process.moving:
            self._read(process)
            self.target.hold()

    def live_process(self):
        """The Process, where it can be changed; else an error that says why not."""
        process = self.stopped_process()
        if process.is_core:
            raise AllocsnapError(
                "a core cannot be changed: start the program with `{}` to trace it".format(
                    self.target.run_command
                ),
                ErrorCode.UNSUPPORTED,
            )
        return process

    def status(self):
        """(Process, native.Status) of the process; its hooks may be stopped."""
        process = self.stopped_process()
        return process, self._status(process)[0]

    def full_status(self):
        """(Process, native.Status, which calls the hooks do not see, or None)."""
        process = self.stopped_process()
        return (process,) + self._status(process)

    def _status(self, process):
        regions = self._regions(process)
        calls = self._calls(process, regions)
        with _blamed_on_truncation(process, regions):
            root = self._find_root(process, calls, regions)
            return self._read_status(calls, root, regions)

    def _read_status(self, calls, root, regions):
        status = objects.read_status(calls, root)
        never_called = no_hooks.never_called(status, regions, self.target.files())
        return status, never_called or no_hooks.other_namespace(regions)

    def _known_status(self, process):
        """The native.Status of a process whose root has been found before; else None.
        Needs no memory map, and is quick."""
        identity, root = self._root
        if identity != process.identity:
            return None
        try:
            return objects.read_status(Calls(self.target), root)
        except AllocsnapError as error:
            if error.code in (ErrorCode.INTERRUPTED, ErrorCode.NO_MEMORY):
                raise
            return None

    def measure(self, location=None):
        """(bytes, blocks) now: of all blocks, or of those that the skip rules attribute
        to a place, "FILE:LINE" or "FILE", where FILE is a path or the end of one, or the
        number of such a place. The process may be within a breakpoint's condition, and its
        other threads go on."""
        if isinstance(location, int):
            location = self.places.numbered(location)
        process = self.stopped_process(may_move=True)
        if location is None:
            status = self._known_status(process) or self._status(process)[0]
            if not status.tracing:
                raise _not_traced()
            return status.traced_size, status.traced_count
        filters = place_filters(location)
        regions = self._regions(process)
        calls = self._calls(process, regions)
        taken = self._read_table(process, calls, regions, native.NAMING_WHOLE)
        found = taken.snapshot.skip(self.rules).filter(filters)
        return found.size, found.count

    def _is_traced(self):
        """Whether the process is known to be, also where its other threads go on. Quick, and quiet
        where there are no hooks."""
        process = self.stopped_process(may_move=True)
        status = self._known_status(process)
        root = status is None and self.root_symbol()
        if root:
            status = objects.read_status(Calls(self.target), root)
        return status is not None and status.tracing

    def _hooked_status(self):
        """The native.Status of the live process; None where no hooks obey in it."""
        process = self.target.process()
        if process is None or process.is_core:
            return None
        try:
            return self.status()[1]
        except AllocsnapError as error:
            if error.code in _NOT_HOOKED:
                return None
            raise

    def _unless_started_here(self):
        """Nothing where programs are started here; else fails by what keeps this process from being
        traced."""
        if not self.target.starts_programs:
            self.live_process()
            self.status()

    def traced_status(self):
        """The native.Status of the live process, which must be traced."""
        self.live_process()
        status = self.status()[1]
        if not status.tracing:
            raise _not_traced()
        return status

    def start(self, frame_limit=None, sample_period=None):
        """Starts tracing, again where it is on: of the process where the hooks are in
        it, else of the next run. Returns the native.Status that the process had; None
        where it is the next run. Without a limit it is the process's, or the default.
        `sample_period`: bytes, 0 for every block; None: as in the process, or as the program's
        environment says."""
        status = self._hooked_status() or self._unless_started_here()
        self.exit_stop.watch()
        if status is None:
            no_hooks.for_next_run(self.target)
            self.launch.start(frame_limit or DEFAULT_FRAME_LIMIT, sample_period)
            return None
        limit = frame_limit or status.frame_limit
        self.request("start", limit, sample_period)
        if self.launch.frame_limit() is None:
            return status
        period = self.launch.sample_period() if sample_period is None else sample_period
        if (self.launch.frame_limit(), self.launch.sample_period()) != (limit, period):
            self.launch.start(limit, period)
        return status

    def stop(self):
        """Stops tracing: of the process where it is traced, and else of the next run.
        Returns as `start` does."""
        status = self._hooked_status() or self._unless_started_here()
        if status is not None and status.tracing:
            self.request("stop")
            return status
        if self.launch.stop():
            return None
        process = self.target.process()
        if process is not None and process.is_core:
            self.live_process()
        raise AllocsnapError(
            "there is nothing to stop: {}".format(
                "`snapshot start` was not given" if status is None else "this process is not traced"
            )
        )

    def clear(self):
        """Drops the traces of the process. Returns the native.Status that it had."""
        status = self.traced_status()
        self.request("clear")
        return status

    def reset_peak(self):
        """Makes the peak of traced memory what is traced. Returns as `clear` does."""
        status = self.traced_status()
        self.request("reset_peak")
        return status

    def request(self, request, frame_limit=0, sample_period=None):
        """Asks the hooks of the process for one of native.REQUESTS; `frame_limit` (0: as
        before) and `sample_period` (None: as before) are for "start". They obey at the program's
        next malloc or free."""
        self.target.hold()
        calls, root = self.inferior_of(self.live_process())
        for address, data in objects.prepare_request(
            calls, root, request, frame_limit, sample_period
        ):
            self.target.write_memory(address, data)

    def read(self):
        """Takes a snapshot of the process, without keeping it."""
        return self._read(self.stopped_process())[0]

    def _read(self, process, extent=native.NAMING_WHOLE):
        """(Taken, where things are mapped). `extent`: of the names, as of
        objects.Snapshot.create. Where there are no hooks, the blocks are the allocator's."""
        regions = self._regions(process)
        calls = self._calls(process, regions)
        try:
            return self._read_table(process, calls, regions, extent), regions
        except AllocsnapError as error:
            if error.code != ErrorCode.NO_HOOKS:
                raise
            return self._read_heap(process, error)

    def _read_table(self, process, calls, regions, extent):
        """The Taken of what the hooks have recorded."""
        with _blamed_on_truncation(process, regions):
            root = self._find_root(process, calls, regions)
            raw = objects.Raw(calls, root, process.moving)
        unseen = no_hooks.other_namespace(regions)
        if not raw.count:
            unseen = self._read_status(calls, root, regions)[1]
        if unseen is not None:
            raw.note(unseen)
        snapshot = self._named(process, calls, regions, raw, extent)
        return Taken(snapshot, process.description, _peak(calls, root))

    def _named(self, process, calls, regions, raw, extent):
        """The Snapshot of an objects.Raw."""
        raw.set_missing(regions.missing)
        symbolizer = self.symbolizer()
        symbolizer.set_regions(calls, regions)
        symbolizer.set_files(self.target.files())
        return objects.Snapshot.create(calls, raw, symbolizer, extent)

    def _read_heap(self, process, why):
        """As `_read`, by the allocator's own structures; fails with `why` there are no hooks where
        there are none that can be read."""
        if process.moving:
            self.target.hold()
            process = self.stopped_process()
        regions = self._regions(process)
        if process.moving or no_hooks.are_awaited(process, regions):
            raise why
        calls = self._calls(process, regions)
        try:
            heap = hookless.read_heap(self.target, calls, regions, why)
        except AllocsnapError as error:
            if error.code != ErrorCode.UNSUPPORTED:
                raise
            raise why from None
        raw = heap.raw()
        raw.note(str(why))
        snapshot = self._named(process, calls, regions, raw, native.NAMING_NOTHING)
        snapshot.heap = heap
        return Taken(snapshot, process.description), regions

    def read_allocator(self):
        """(Process, heaps.Heap, what another allocator is called that the program's blocks are of, or
        None): what glibc's malloc has, with hooks and without."""
        process = self.stopped_process()
        if process.moving:
            self.target.hold()
            process = self.stopped_process()
        regions = self._regions(process)
        calls = self._calls(process, regions)
        own = None
        try:
            own = heaps.OwnRanges(calls, self._find_root(process, calls, regions))
        except AllocsnapError as error:
            if error.code != ErrorCode.NO_HOOKS:
                raise
        with _blamed_on_truncation(process, regions):
            ranges = (None, 0) if own is None else own.array
            heap = hookless.read_heap(self.target, calls, regions, own=ranges)
            return process, heap, hookless.other_allocator(self.target, regions)

    def inferior_of(self, process):
        """(Calls, address of the table's root) of a process or core."""
        return self.inferior(process, self._regions(process))

    def read_python(self):
        """Takes a snapshot of what the tracemalloc of a CPython in the process traces, without
        keeping it."""
        process = self.stopped_process()
        if process.moving:
            # Its tables are not made to be read while they change.
            self.target.hold()
        regions = self._regions(process)
        calls = self._calls(process, regions)
        with _blamed_on_truncation(process, regions):
            return cpython.read(self.target, process, regions, calls)

    def inferior(self, process, regions):
        """The same of one whose regions these are."""
        calls = self.reader(process, regions)
        return calls, self._find_root(process, calls, regions)

    def reader(self, process, regions):
        """The Calls that read the memory of a process whose regions these are."""
        return self._calls(process, regions)

    def _calls(self, process, regions):
        """What reads the memory of a process whose regions these are."""
        direct = regions.direct(process.local_pid)
        return Calls(self.target, direct=direct, size=regions.size)

    def _regions(self, process):
        if process.core_path is not None:
            try:
                return CoreMap(process.core_path)
            except AllocsnapError as error:
                if error.code in (ErrorCode.DAMAGED, ErrorCode.NO_MEMORY):
                    raise
                # What the debugger knows of it still finds the modules.
        regions = Regions(self.target.memory_map(), _file_size(process.core_path))
        if minidump.is_minidump(process.core_path):
            regions.missing, regions.filled_up = minidump.missing(process.core_path)
        return regions

    def _find_root(self, process, calls, regions):
        """The root's address. Where it has no symbol, memory is searched once for
        each process."""
        candidate = self.root_symbol()
        identity, known = self._root
        if not candidate and identity == process.identity:
            try:
                return objects.find_root(calls, known, regions)
            except AllocsnapError as error:
                if error.code != ErrorCode.NO_HOOKS:
                    raise
        try:
            root = self._search_root(process, calls, candidate, regions)
        except AllocsnapError as error:
            if error.code != ErrorCode.NO_HOOKS:
                raise
            why = self._no_hooks(process, regions) or str(error)
            raise AllocsnapError(why, error.code) from None
        self._root = (process.identity, root)
        return root

    def root_symbol(self):
        """The address of the symbol of the hooks' table; 0 where there is none. Hooks of another
        release may have the second name."""
        find = self.target.find_symbol
        return find("allocsnap_table") or find("allocsnap_root")

    def _search_root(self, process, calls, candidate, regions):
        try:
            return objects.find_root(calls, candidate, regions)
        except AllocsnapError as error:
            # A server elsewhere may tell nothing of the memory map, or a part of it.
            elsewhere = not process.is_core and process.proc_pid is None and not candidate
            if error.code != ErrorCode.NO_HOOKS or not elsewhere:
                raise
            around = Regions(guessed_map.guessed_map(self.target))
            return objects.find_root(calls, candidate, around)

    def _no_hooks(self, process, regions):
        """Why there are no hooks in the process, as far as it can be told, or None."""
        if process.is_core:
            return no_hooks.in_core(process, regions, self.target.files())
        if regions.count == 0:
            return no_hooks.without_map()
        started = self.launch.frame_limit() is not None
        return no_hooks.in_process(self.target, process, regions, started)

    def symbolizer(self):
        """The symbolizer, made anew where the user changed the debug directories."""
        directories = self.target.debug_directories()
        if self._symbolizer is None or directories != self._debug_directories:
            self._symbolizer = objects.Symbolizer(directories)
            self._debug_directories = directories
        return self._symbolizer

    def share_names(self, other):
        """Names frames with the symbolizer of another session, which remembers the files that it has
        read."""
        self._symbolizer, self._debug_directories = other.symbolizer(), other._debug_directories

    # ---- snapshots ----

    def take(self, name=None, names=True, python=False):
        """Reads a snapshot and keeps it under `name`, or under the next number. `names`:
        its frames are named, as far as Ctrl-C lets them. `python`: as read_python does."""
        if name is not None:
            self.snapshots.check_new_name(name)
        if python:
            return self.snapshots.keep(name, self.read_python())
        extent = naming_extent(names)
        return self.snapshots.keep(name, self._read(self.stopped_process(), extent)[0])

    def symbolize(self, name, files=()):
        """Names the frames of a kept snapshot better, with these files and the debugger's
        beside those at the paths that were mapped. Returns its Taken."""
        taken = self.snapshots.get(name)
        symbolizer = self.symbolizer()
        symbolizer.set_files(list(files) + self.target.files())
        snapshot = kept_graph.symbolize(taken.snapshot, Calls(self.target), symbolizer)
        return self.snapshots.replace(name, snapshot)

    def default_name(self):
        """The name of what is meant where none is given."""
        kept = self.snapshots.all
        return list(kept)[-1] if kept and self.target.process() is None else NOW

    def find(self, name):
        """The Taken of that name; `now` and `python` read one, None stands for the default."""
        if name is None:
            name = self.default_name()
        self.snapshots.check_known(name)
        if name == PYTHON:
            return self.read_python()
        return self.read() if name == NOW else self.snapshots.get(name)

    def find_typed(self, name):
        """As `find`, with the classes of C++ objects where they can be found out."""
        name = name or self.default_name()
        taken, regions = self.find_mapped(name)
        if regions is not None:
            calls = self._calls(self.stopped_process(), regions)
            object_types.add(self.target, calls, regions, taken.snapshot)
        return taken

    def find_mapped(self, name, extent=native.NAMING_WHOLE):
        """(Taken, where things are mapped now) of a name; None where it is not of now. `extent`: of
        the names of what is read, as of objects.Snapshot.create."""
        if name == NOW:
            return self._read(self.stopped_process(), extent)
        return self.find(name), None

    def place(self, regions, address):
        """whereabouts.sentence for an address of the process."""
        process = self.stopped_process()
        return whereabouts.sentence(self.target, process, regions, self.snapshots.all, address)

    def thread_labels(self, name):
        """Target.thread_labels for a snapshot of that name; none where it is not of now,
        as a thread's number may be another's by now."""
        now = (name or self.default_name()) == NOW
        return self.target.thread_labels() if now else {}

    def dump(self, name, path, for_tracemalloc=False):
        """Writes a snapshot to a file; returns its Taken, and whether that replaced a
        file."""
        self.snapshots.check_known(name)
        taken = self.find(name)
        replaced = os.path.lexists(path)
        if for_tracemalloc:
            taken.snapshot.dump_tracemalloc(path_bytes(path))
        else:
            attributes = {_SOURCE: taken.source}
            if taken.peak:
                attributes[_PEAK] = str(taken.peak)
            attributes.update(taken.snapshot.attributes)
            pairs = [(path_bytes(key), path_bytes(value)) for key, value in attributes.items()]
            array = (native.Attribute * len(pairs))(*pairs)
            taken.snapshot.dump(path_bytes(path), array, len(pairs))
        return taken, replaced

    def load(self, path, name=None):
        """Reads a snapshot from a file and keeps it as `take` does."""
        if name is not None:
            self.snapshots.check_new_name(name)
        snapshot = kept_graph.load(path_bytes(path))
        source = snapshot.attributes.get(_SOURCE)
        source = "file {}".format(shown_path(path)) + (", of {}".format(source) if source else "")
        peak = _number(snapshot.attributes.get(_PEAK, ""))
        return self.snapshots.keep(name, Taken(snapshot, printable_text(source), peak))

