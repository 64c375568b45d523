"""Calls into the library, and how it reads the inferior meanwhile."""

import ctypes
import sys
import time
from ctypes import byref, c_size_t, c_void_p

from ..errors import UnreadableMemory
from ..target import Region, path_bytes
from . import native, structures
from .names import decoded_name
from .native import check, library, text_of


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

    `direct`: makes a _DirectMemory, of what has the debugger read it; or None. `size`: how
    many bytes of memory there are, 0 where that is not known.
    """

    def __init__(self, target=None, clock=time.monotonic, direct=None, size=0):
        self._target = target
        self._clock = clock
        self._shown = None  # when progress was shown last, or the call began
        self._kept = None
        self._escaped = []
        self._read = structures.ReadFunction(self._on_read)
        self._report = structures.ReportFunction(self._on_report)
        self._name = structures.NameFunction(self._on_name)
        self._named = None  # the strings of the last answer
        self.memory = byref(native.Memory(self._read, None, size))
        self.progress = byref(native.Progress(self._report, None))
        self._direct = direct(self.memory) if direct is not None else None
        if self._direct is not None:
            library().asnap_direct_memory_set_progress(self._direct, self.progress)
            self.memory = library().asnap_direct_memory_reader(self._direct)
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
            is_told = step and self._target is not None
            if is_told and now - self._shown >= _PROGRESS_SECONDS:
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


class _Mapped:
    """What Regions and a CoreMap have in common."""

    array = ()
    count = 0
    missing = 0  # bytes that a core's file lacks
    filled_up = False  # as it was cut off, and filled up with zeros
    size = 0  # how many bytes of memory there are; 0: not known
    is_core_map = False

    def find(self, address):
        """The native.Region that holds an address, or None."""
        for index in range(self.count):
            region = self.array[index]
            if region.start <= address < region.end:
                return region
        return None

    def only(self, paths):
        """The Regions of some of these files."""
        found = (self.array[index] for index in range(self.count))
        return Regions(
            [
                Region(one.start, one.end, one.file_offset, decoded_name(one.path), *_rights(one.flags))
                for one in found
                if one.path and decoded_name(one.path) in paths
            ]
        )

    def paths(self):
        """The files that are mapped."""
        found = (self.array[index].path for index in range(self.count))
        return {decoded_name(path) for path in found if path}


def _rights(flags):
    """(readable, writable, executable)."""
    every = (native.REGION_READABLE, native.REGION_WRITABLE, native.REGION_EXECUTABLE)
    return [bool(flags & one) for one in every]


class Regions(_Mapped):
    """Regions in the library's form."""

    def __init__(self, regions, size=0):
        self.size = size
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

    @property
    def searched(self):
        """Where to look for the table: an array of native.Region, and how many."""
        return self.array, self.count

    def direct(self, local_pid):
        """For Calls: what reads the memory of this process of this host; None: of no such."""
        if local_pid is None:
            return None
        create = library().asnap_direct_memory_of_process
        return lambda debugger: _DirectMemory(create, local_pid, debugger)


class CoreMap(_Mapped, Object):
    """The memory map of a core file; stands where Regions do."""

    is_core_map = True
    destroy = "asnap_core_map_destroy"

    def __init__(self, path):
        super().__init__()
        lib = library()
        check(lib.asnap_core_map_create(path_bytes(path), self.out))
        self.count = lib.asnap_core_map_count(self)
        self.array = lib.asnap_core_map_regions(self)
        self.missing = lib.asnap_core_map_missing(self)
        self.filled_up = lib.asnap_core_map_filled_up(self)

    @property
    def searched(self):
        """As of Regions: what the file has contents of."""
        count = c_size_t()
        array = library().asnap_core_map_dumped(self, byref(count))
        return array, count.value

    def direct(self, _local_pid):
        """For Calls: what reads the memory that the file holds."""
        create = library().asnap_direct_memory_of_core
        return lambda debugger: _DirectMemory(create, self, debugger)
