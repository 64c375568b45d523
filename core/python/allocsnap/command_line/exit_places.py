"""Where a followed program exits: the functions of its C library, looked for where it begins."""

import os
import re

from ..errors import AllocsnapError
from ..exit_stop import WITH_HANDLERS
from ..library.calls import Calls, Regions
from ..library.inferior import MappedSymbols
from ..target import linux_memory_map
from . import process_files

#: Names of the files of C libraries.
_LIBC = re.compile(r"libc(-2\.\d+)?\.so|ld-musl-")


class ExitPlaces:
    """For Followed. `mode`: of exit_stop.MODES."""

    def __init__(self, mode):
        self.mode = mode

    def addresses(self, process, is_beginning):
        """Of a process that has just become a program, where that begins once its libraries are
        loaded; there, where it exits. Empty: its end tells."""
        if self.mode != "exit":
            return []
        if is_beginning:
            found = process_files.entry(process.pid)
            return [found] if found else []
        try:
            return _exits(process.pid)
        except (AllocsnapError, OSError):
            return []


def _exits(pid):
    regions = Regions(linux_memory_map(pid))
    libraries = [path for path in regions.paths() if _LIBC.match(os.path.basename(path))]
    if not libraries:
        return []
    calls = Calls(direct=regions.direct(pid))
    symbols = MappedSymbols(calls, regions.only(libraries))
    found = [symbols.named(name) for name in WITH_HANDLERS]
    return sorted({symbol.address for each in found for symbol in each if not symbol.is_local})[:4]
