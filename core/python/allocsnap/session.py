"""A debugger session: its process or core is read, and what is kept from one command to the next."""

import contextlib
import os

from . import attach, kept_graph, late, no_hooks, object_types, tracing, whereabouts
from .errors import AllocsnapError, ErrorCode
from .exit_stop import ExitStop
from .kept import NOW, PYTHON, Kept, Taken
from .launch import DEFAULT_FRAME_LIMIT
from .library import native, objects
from .library.calls import Calls
from .library.rows import Display, Lives
from .library.skip_rules import SkipRules
from .places import Places, place_filters
from .printable import printable_text
from .program_reader import ProgramReader
from .shown import Shown
from .target import path_bytes, shown_path
from .watching import Watching

# The attribute of a dump file that holds Taken.source.
_SOURCE = "allocsnap.source"
# And that of Taken.peak.
_PEAK = "allocsnap.peak"


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


class Session(ProgramReader):
    """The snapshots of one debugger session, and reading new ones."""

    def __init__(self, target):
        super().__init__(target)
        self.exit_stop = ExitStop(target, self._is_traced)
        self.watching = Watching(self)
        self.snapshots = Kept(target.how_to_keep)
        # Of the last `start` and `stop` in a process that was started without the hooks: their report, or
        # why they are not in it.
        self.attached = self.not_attached = None
        self.is_chosen = False  # whether the user has said what is meant where nothing is named
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

    def keep_still(self):
        """Has a program that runs on stand still until the command is over. Frames are named
        before, which takes most of the time."""
        process = self.stopped_process()
        if process.moving:
            self._read(process)
            self.target.hold()

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

    def start(self, frame_limit=None, sample_period=None, freed=None):
        """Starts tracing, again where it is on: of the process where the hooks are in
        it, else of the next run. Returns the native.Status that the process had; None
        where it is the next run. Without a limit it is the process's, or the default.
        `sample_period`: bytes, 0 for every block; None: as in the process, or as the program's
        environment says. `freed`: how many freed blocks the next run keeps; None: as the
        environment says."""
        status = self._hooked_status()
        if freed not in (None, status.freed_capacity if status is not None else None):
            if status is not None or self._can_attach(status):
                raise AllocsnapError(
                    "this process keeps {} freed blocks, which was settled when it was started: give"
                    " `snapshot start --freed {}` before the program runs".format(
                        (status.freed_capacity if status is not None else 0) or "no", freed
                    )
                )
        self.attached = self.not_attached = None
        if self._can_attach(status):
            self._attach(is_needed=status is not None or not self.target.starts_programs)
            status = self._hooked_status()
            if status is not None and self.not_attached is not None:
                # They have been loaded, and are not called.
                raise AllocsnapError(self.not_attached, ErrorCode.UNSUPPORTED)
        if status is None:
            self._unless_started_here()
        self.exit_stop.watch()
        if status is None:
            no_hooks.for_next_run(self.target)
            self.launch.start(frame_limit or DEFAULT_FRAME_LIMIT, sample_period, freed)
            return None
        limit = frame_limit or status.frame_limit
        self.request("start", limit, sample_period)
        if self.attached is not None and self.target.starts_programs:
            # As with a process that the debugger has started with the hooks. LD_PRELOAD cannot hold
            # every path that dlopen takes; then it is this process alone.
            with contextlib.suppress(AllocsnapError):
                self.launch.start(limit, sample_period)
        if self.launch.frame_limit() is None:
            return status
        period = self.launch.sample_period() if sample_period is None else sample_period
        if (self.launch.frame_limit(), self.launch.sample_period()) != (limit, period):
            self.launch.start(limit, period, self.launch.freed())
        return status

    def _can_attach(self, status):
        """Whether there is a process without hooks that are called, which the debugger can have load
        them."""
        process = self.target.process()
        if process is None or process.is_core or process.running or not self.target.can_call:
            return False
        if process.proc_pid is None or process.of_server:
            return False
        return status is None or late.state(self.target) == late.LED_PAST

    def stop(self):
        """Stops tracing: of the process where it is traced, and else of the next run.
        Returns as `start` does."""
        status = self._hooked_status() or self._unless_started_here()
        self.attached = self.not_attached = None
        is_led_here = status is not None and late.state(self.target) == late.LED_HERE
        if status is not None and (status.tracing or is_led_here):
            self.request("stop")
            if is_led_here and self.target.can_call:
                self._attach(is_on=False)
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

    def _attach(self, is_needed=False, is_on=True):
        """Leads the program's calls to the hooks, which it loads where it has none, or past them. Unless
        it `is_needed`, what keeps it from that is only noted."""
        change = self.target.lead_calls or attach.lead_calls
        try:
            self.attached = change(self, self.live_process(), is_on)
        except AllocsnapError as error:
            if error.code != ErrorCode.UNSUPPORTED or is_needed:
                raise
            self.not_attached = str(error)

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
        """As `find`, with the classes of C++ objects and the types of Python's where they can be found
        out."""
        name = name or self.default_name()
        taken, regions = self.find_mapped(name)
        if name == PYTHON:
            regions = self._regions(self.stopped_process())
        if regions is not None:
            calls = self._calls(self.stopped_process(), regions)
            object_types.add(self.target, calls, regions, taken.snapshot)
        return taken

    def find_mapped(self, name, extent=native.NAMING_WHOLE, for_graph=False):
        """(Taken, where things are mapped now) of a name; None where it is not of now. `extent`: of
        the names of what is read, as of objects.Snapshot.create. `for_graph`: the pointers between
        its blocks are wanted."""
        if name == NOW:
            return self._read(self.stopped_process(), extent, for_graph)
        return self.find(name), None

    def lives(self, address, labels, newest):
        """The rows.Lives of an address of the process, or None: its hooks keep no freed blocks."""
        try:
            told, snapshot = self.freed()
        except AllocsnapError as error:
            if error.code in (ErrorCode.NO_HOOKS, ErrorCode.NOT_TRACING):
                return None
            raise
        if not told.capacity:
            return None
        return Lives(snapshot, address, labels, self.display(), newest)

    def place(self, regions, address):
        """whereabouts.sentence for an address of the process."""
        process = self.stopped_process()
        kept, marked = self.snapshots.all, self.shown.marked
        return whereabouts.sentence(self.target, process, regions, kept, address, marked)

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

