"""What the library finds out of a process or core without a debugger: memory, threads, symbols."""

import ctypes
from ctypes import POINTER, byref, c_bool, c_size_t
from typing import NamedTuple, Optional

from ..errors import UnreadableMemory
from ..target import path_bytes
from . import native, objects
from .calls import Object
from .names import decoded_name
from .native import check, library

# Of one name no more are told apart.
_SYMBOLS_MOST = 16


class HeldProcess(Object):
    """A process of this host that does not run until `release` (asnap_held_process). `stopped`: numbers
    of its threads, which the caller has stopped already and lets run on itself."""

    destroy = "asnap_held_process_destroy"

    def __init__(self, pid, calls, stopped=None):
        super().__init__()
        if stopped is None:
            calls.run(library().asnap_held_process_create, pid, calls.progress, self.out)
        else:
            numbers = (ctypes.c_int * len(stopped))(*stopped)
            calls.run(library().asnap_held_process_of_stopped, pid, numbers, len(stopped), self.out)

    def threads(self):
        """The native.Threads, as the library lends them."""
        count = c_size_t()
        array = library().asnap_held_process_threads(self, byref(count))
        return array[: count.value]

    def registers(self):
        """{place of a thread: [(name, word)]} of the words that can be addresses."""
        count = c_size_t()
        array = library().asnap_held_process_registers(self, byref(count))
        found = {}
        for register in array[: count.value]:
            name = register.name.decode("ascii", "replace")
            found.setdefault(register.thread, []).append((name, register.value))
        return found

    def release(self):
        """Lets it run on."""
        held, self._as_parameter_ = self._as_parameter_, None
        library().asnap_held_process_destroy(held)


class Reader:
    """Reads memory by what Calls are given to read it with."""

    def __init__(self, calls):
        self._calls = calls
        self._memory = ctypes.cast(calls.memory, POINTER(native.Memory)).contents

    def read(self, address, size):
        """`size` bytes at `address`; fails with UnreadableMemory."""
        buffer = ctypes.create_string_buffer(size)
        results = []

        def read():
            memory = self._memory
            results.append(memory.read(memory.context, address, ctypes.addressof(buffer), size))

        self._calls.run(read)
        if results != [native.READ_OK]:
            raise UnreadableMemory
        return buffer.raw


class Symbol(NamedTuple):
    """A symbol of a file that is mapped, and where an address is in it."""

    path: str
    section: str
    name: Optional[str]  # None: no symbol is there
    address: int  # where it begins
    size: int  # 0: not said
    is_function: bool
    is_local: bool


class MappedSymbols(Object):
    """The symbols of the files in Regions or a CoreMap, whose memory Calls read. `files`: others
    that may be the right ones."""

    destroy = "asnap_mapped_symbols_destroy"

    def __init__(self, calls, regions, files=()):
        super().__init__()
        self._symbolizer = objects.Symbolizer(None)  # must outlive it
        self._symbolizer.set_regions(calls, regions)
        self._symbolizer.set_files(list(files))
        check(library().asnap_mapped_symbols_create(self._symbolizer, self.out))

    def at(self, address):
        """The Symbol at an address; None where no file is that can be read."""
        place, is_found = native.SymbolPlace(), c_bool()
        check(library().asnap_mapped_symbols_at(self, address, byref(place), byref(is_found)))
        return _symbol(place) if is_found else None

    def named(self, name):
        """The Symbols of this name."""
        places, count = (native.SymbolPlace * _SYMBOLS_MOST)(), c_size_t()
        check(
            library().asnap_mapped_symbols_named(
                self, path_bytes(name), places, _SYMBOLS_MOST, byref(count)
            )
        )
        return [_symbol(place) for place in places[: count.value]]


def _symbol(place):
    return Symbol(
        decoded_name(place.path),
        decoded_name(place.section),
        None if place.symbol is None else decoded_name(place.symbol),
        place.address,
        place.size,
        place.is_function,
        place.is_local,
    )
