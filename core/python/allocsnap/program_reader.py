"""Reading the program of a session, a process or its core: where the hooks' table is, and snapshots of
it."""

import contextlib
import functools
import os
from typing import List, NamedTuple, Optional, Tuple

from . import cpython, ended, guessed_map, hookless, late, minidump, no_hooks, remote_python, resident
from .errors import AllocsnapError, ErrorCode
from .kept import Taken
from .launch import Launch
from .library import heaps, interpreters, native, objects
from .library.calls import Calls, CoreMap, Regions
from .library.rows import format_size

# What the library says of a damaged table, which is right of a process.
_OVERWRITTEN = "the program has overwritten it; restart the program to trace it again"


#: When blocks that the hooks have no record of, as those from before tracing, are added to a
#: snapshot: for what goes by pointers, always, never.
GRAPH, ALWAYS, NEVER = EARLIER = ("graph", "always", "never")


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


class Allocator(NamedTuple):
    """What glibc's malloc has of a program that stands still."""

    heap: heaps.Heap
    other: Optional[str]  # what another allocator is called that the program's blocks are of
    rounding: Optional[heaps.HeapSum]  # beyond what the hooks know was asked for; None: not known
    resident: Optional[resident.Resident]
    absent: Optional[List[Tuple[int, int]]]  # as of resident.absent
    pythons: List[interpreters.Arenas]  # of each CPython


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


class ProgramReader:
    """Reads the program that a Target has, again and again."""

    def __init__(self, target):
        self.target = target
        self.launch = Launch(target)
        self._symbolizer = None
        self._debug_directories = None
        self._root = (None, 0)  # (Process.identity, address)
        self._python = (None, None)  # ((Process.identity, its files), cpython.find)
        self.earlier = GRAPH  # when blocks without a record are added: one of EARLIER

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
        ended.check(process)
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

    def peak(self):
        """The most bytes that were traced at once; 0: not known, as where there are no hooks."""
        try:
            return self.status()[1].peak_size
        except AllocsnapError as error:
            if error.code != ErrorCode.NO_HOOKS:
                raise
            return 0

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

    def _is_traced(self):
        """Whether the process is known to be, also where its other threads go on. Quick, and quiet
        where there are no hooks."""
        process = self.stopped_process(may_move=True)
        status = self._known_status(process)
        root = status is None and self.root_symbol()
        if root:
            status = objects.read_status(Calls(self.target), root)
        return status is not None and status.tracing

    def _adds_earlier(self, for_graph):
        """Whether blocks that the hooks have no record of are added to those of a snapshot."""
        return self.earlier == ALWAYS or (for_graph and self.earlier == GRAPH)

    def _read(self, process, extent=native.NAMING_WHOLE, for_graph=False):
        """(Taken, where things are mapped). `extent`: of the names, as of
        objects.Snapshot.create. Where there are no hooks, the blocks are the allocator's."""
        with ended.checked(process):
            regions = self._regions(process)
            calls = self._calls(process, regions)
            try:
                adds = self._adds_earlier(for_graph)
                return self._read_table(process, calls, regions, extent, adds), regions
            except AllocsnapError as error:
                if error.code != ErrorCode.NO_HOOKS:
                    raise
                return self._read_heap(process, error)

    def _read_table(self, process, calls, regions, extent, adds_earlier=False):
        """The Taken of what the hooks have recorded. `adds_earlier`: and of the allocator's blocks
        that they have not, where there are such."""
        with _blamed_on_truncation(process, regions):
            root = self._find_root(process, calls, regions)
            raw = objects.Raw(calls, root, process.moving)
        unseen = no_hooks.other_namespace(regions)
        if not raw.count:
            unseen = self._read_status(calls, root, regions)[1]
        if unseen is not None:
            raw.note(unseen)
        status = objects.read_status(calls, root)
        earlier = None
        if adds_earlier and not process.moving and not status.is_whole and not status.sample_period:
            earlier = hookless.add_earlier(self.target, calls, regions, root, raw)
        before = None if earlier else late.note(self.target, process, calls, regions, root, status)
        if before is not None:
            raw.note(before)
        snapshot = self._named(process, calls, regions, raw, extent)
        snapshot.earlier = earlier
        return Taken(snapshot, process.description, _peak(calls, root))

    def freed(self):
        """(native.Freed, Snapshot) of the blocks of the process that were freed last: the first
        half of the traces say where they were allocated, the others where they were freed."""
        return self._read_told(objects.Raw.freed)

    def errors(self):
        """(native.Errors, Snapshot) of the calls of the process that were to free what is no live
        traced block, with the traces of asnap_errors_read."""
        return self._read_told(objects.Raw.errors)

    def totals(self, kind):
        """The Snapshot of what the process has ever allocated, of one of native.TOTALS."""
        told, snapshot = self._read_told(functools.partial(objects.Raw.totals, kind=kind))
        if not told.is_kept:
            raise AllocsnapError(
                "the hooks do not count what is allocated here: start the program with"
                " ALLOCSNAP_TOTALS=1 in its environment"
            )
        if told.of_sample:
            raise AllocsnapError(
                "what is allocated is not counted where only a sample is traced: start tracing again"
                " with --sample 0"
            )
        return told, snapshot

    def history(self):
        """(native.History, native.Status) of the process: how much was traced over the time."""
        process = self.stopped_process()
        regions = self._regions(process)
        calls = self._calls(process, regions)
        with _blamed_on_truncation(process, regions):
            root = self._find_root(process, calls, regions)
            return objects.read_history(calls, root), objects.read_status(calls, root)

    def _read_told(self, read):
        process = self.stopped_process()
        regions = self._regions(process)
        calls = self._calls(process, regions)
        with _blamed_on_truncation(process, regions):
            root = self._find_root(process, calls, regions)
            told, raw = read(calls, root, process.moving)
        return told, self._named(process, calls, regions, raw, native.NAMING_WHOLE)

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
        for arenas in cpython.arenas(self.target, regions, calls):
            arenas.add_to(raw)
            if arenas.note is not None:
                raw.note(arenas.note)
        hint = cpython.hint(self.target, process, regions, calls)
        if hint is not None:
            raw.note(hint)
        snapshot = self._named(process, calls, regions, raw, native.NAMING_NOTHING)
        snapshot.heap = heap
        return Taken(snapshot, process.description), regions

    def read_allocator(self):
        """The Allocator of the program: what glibc's malloc has, with hooks and without."""
        process = self.stopped_process()
        if process.moving:
            self.target.hold()
            process = self.stopped_process()
        regions = self._regions(process)
        calls = self._calls(process, regions)
        pid = process.proc_pid
        found = absent = None
        if pid is not None:
            found, absent = resident.of_process(pid), resident.absent(pid, regions)
        own = rounding = None
        try:
            root = self._find_root(process, calls, regions)
            own = heaps.OwnRanges(calls, root)
        except AllocsnapError as error:
            if error.code != ErrorCode.NO_HOOKS:
                raise
        with _blamed_on_truncation(process, regions):
            ranges = (None, 0) if own is None else own.array
            heap = hookless.read_heap(self.target, calls, regions, own=ranges)
            if own is not None:
                rounding = self._rounding(calls, root, heap)
            other = hookless.other_allocator(self.target, regions)
            pythons = cpython.arenas(self.target, regions, calls)
        return Allocator(heap, other, rounding, found, absent, pythons)

    @staticmethod
    def _rounding(calls, root, heap):
        """The heaps.HeapSum of Heap.rounding; None: the hooks do not have the sizes of all blocks."""
        status = objects.read_status(calls, root)
        if not status.tracing or status.sample_period:
            return None
        return heap.rounding(objects.Raw(calls, root))

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
            return cpython.read(self._find_python(process, regions, calls), process, regions, calls)

    def start_python(self, limit):
        """Asks the CPython in the process to start tracemalloc. Returns what it is called, and whether
        tracemalloc traces already, so that nothing was asked for."""
        process = self.live_process()
        if process.moving:
            self.target.hold()
            process = self.live_process()
        regions = self._regions(process)
        calls = self._calls(process, regions)
        places = self._find_python(process, regions, calls)
        name = cpython.traced_name(places, regions, calls)
        if name is not None:
            return name, True
        request = remote_python.Request(self.target, process, places[0], limit)
        request.send()
        return request.name, False

    def _find_python(self, process, regions, calls):
        """Where interpreters are (cpython.find), which are looked for once for each process and its
        files."""
        paths = regions.paths()
        if self._python[0] != (process.identity, paths):
            found = cpython.find(self.target, process, regions, calls)
            self._python = ((process.identity, paths), found)
        return self._python[1]

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

    def regions_of(self, process):
        """Where things are mapped in a process or core."""
        return self._regions(process)

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
