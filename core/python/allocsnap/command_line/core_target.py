"""What a core file tells of its program."""

import os

from .. import minidump, program_file
from ..errors import AllocsnapError, ErrorCode, UnreadableMemory
from ..library.calls import Calls, CoreMap
from ..library.graphs import CoreThreads
from ..library.inferior import Reader
from ..library import native
from ..regular_files import open_regular
from ..target import Process, Target, Thread, ThreadFacts, shown_path
from .plain_target import PlainTarget

_PAGE = 4096


class _MappedFiles(Target):
    """The memory that a core does not hold since it is that of files: what was mapped of them to be
    read and run only. Only of the very file: the core has the first page of each, which is compared."""

    errors = (OSError,)

    def __init__(self, core_map):
        self._map = core_map
        self._files = {}  # path -> open file, or None
        self._core = None  # Reader of what the core holds itself

    def compare_with(self, core):
        """What the core holds itself, a Reader."""
        self._core = core

    def read_memory(self, address, size):
        data = b""
        while len(data) < size:
            data += self._piece(address + len(data), size - len(data))
        return data

    def _piece(self, address, size):
        region = self._map.find(address)
        if region is None or not region.path or region.flags & native.REGION_WRITABLE:
            raise UnreadableMemory
        # What a truncated core has lost can have been changed in memory (relocations), but for code.
        if self._map.missing and not region.flags & native.REGION_EXECUTABLE:
            raise UnreadableMemory
        file = self._file(region.path)
        if file is None:
            raise UnreadableMemory
        size = min(size, region.end - address)
        file.seek(region.file_offset + (address - region.start))
        data = file.read(size)
        if not data:
            raise UnreadableMemory
        return data

    def _file(self, path):
        if path not in self._files:
            self._files[path] = None  # its first page is in the core, or it is not read
            self._files[path] = self._opened(path)
        return self._files[path]

    def _opened(self, path):
        heads = [
            one for one in self._map.array[: self._map.count] if one.path == path and one.file_offset == 0
        ]
        try:
            file = open_regular(os.fsdecode(path))
            first = file.read(_PAGE)
            if heads and len(first) == _PAGE and self._core.read(heads[0].start, _PAGE) == first:
                return file
            file.close()
        except (OSError, UnreadableMemory):
            pass
        return None


class CoreTarget(PlainTarget):
    """A core file, and the program that it is of where that was named."""

    def __init__(self, path, program=None):
        super().__init__()
        self._path = os.path.abspath(path)
        if minidump.is_minidump(self._path):
            raise AllocsnapError(
                "{} is a minidump: LLDB, which writes these, reads it (`lldb -c`); have a core of ELF"
                " written with `process save-core --plugin-name=elf-core`, or by the kernel".format(
                    shown_path(self._path)
                ),
                ErrorCode.UNSUPPORTED,
            )
        self._program = None
        if program is not None:
            self._program = os.path.abspath(program)
            if program_file.read(self._program) is None:
                raise AllocsnapError(
                    "{} is no program that can be read: name the one that the core is of, or none".format(
                        shown_path(self._program)
                    )
                )
        self._map = CoreMap(self._path)
        files = _MappedFiles(self._map)
        self._calls = Calls(files, direct=self._map.direct(None), size=self._map.size)
        self._reader = Reader(self._calls)
        files.compare_with(self._reader)
        self._core_threads = None

    def process(self):
        return Process(
            identity=("core", self._path), pid=0, core_path=self._path, is_core=True, of_server=False
        )

    def memory(self):
        return self._calls

    def mapped(self):
        return self._map

    def read_memory(self, address, size):
        return self._reader.read(address, size)

    def _native_threads(self):
        if self._core_threads is None:
            self._core_threads = CoreThreads(self._map).threads()
        return self._core_threads

    def threads(self):
        return [Thread(number, place) for place, (number, _, _) in enumerate(self._native_threads(), 1)]

    def thread_facts(self):
        return [ThreadFacts(*thread) for thread in self._native_threads()]

    def program_path(self):
        return self._program or self.mapped_program()

    def mapped_program(self):
        """The file that lies lowest: the kernel maps libraries above the program."""
        for region in self._map.array[: self._map.count]:
            if region.path and region.path.startswith(b"/"):
                return os.fsdecode(region.path)
        return None

    def files(self):
        return [self._program] if self._program is not None else []
