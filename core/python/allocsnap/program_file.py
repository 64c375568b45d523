"""What an executable's file says of itself (ELF gABI): enough to know whether it can load the
hooks."""

import os
import struct
from typing import NamedTuple, Optional

from .regular_files import open_regular

_PT_INTERP = 3
_HEADERS_MOST = 256  # program headers that are looked at
_PATH_BYTES = 4096
_LIBRARY_BYTES = 16 << 20

_MACHINES = {3: "x86", 40: "ARM", 62: "x86-64", 183: "aarch64", 243: "RISC-V"}


class ProgramFile(NamedTuple):
    """An executable, or a library."""

    bits: int  # 32 or 64
    machine: int  # e_machine
    interpreter: Optional[str]  # the dynamic linker that it asks for; None: it is static

    @property
    def kind(self):
        """For which machine it is, in words."""
        return _MACHINES.get(self.machine, "{}-bit machine {}".format(self.bits, self.machine))

    @property
    def is_static(self):
        """Whether it loads no libraries."""
        return self.interpreter is None

    @property
    def libc(self):
        """Its C library, which its dynamic linker's name tells: "musl" or "glibc"."""
        is_musl = os.path.basename(self.interpreter or "").startswith("ld-musl-")
        return "musl" if is_musl else "glibc"


def read(path):
    """The ProgramFile at a path, which may be None; None where there is none that can be read."""
    try:
        with open_regular(path) as file:
            return _read(file)
    except (OSError, TypeError, struct.error, ValueError):
        return None


def libc_of(path):
    """"glibc" or "musl", whichever a library asks for by name; None where it does not."""
    try:
        with open_regular(path) as file:
            data = file.read(_LIBRARY_BYTES)
    except OSError:
        return None
    if b"\0libc.so.6\0" in data:
        return "glibc"
    return "musl" if b"\0libc.so\0" in data or b"\0libc.musl-" in data else None


def _read(file):
    head = file.read(64)
    if head[:4] != b"\x7fELF" or head[4] not in (1, 2) or head[5] not in (1, 2):
        return None
    wide = head[4] == 2
    order = "<" if head[5] == 1 else ">"
    (machine,) = struct.unpack_from(order + "H", head, 18)
    (table,) = struct.unpack_from(order + ("Q" if wide else "I"), head, 32 if wide else 28)
    size, count = struct.unpack_from(order + "HH", head, 54 if wide else 42)
    interpreter = None
    # p_type, p_offset, p_filesz
    fields, entry = (order + "I4xQ16xQ", 40) if wide else (order + "II8xI", 20)
    for index in range(min(count, _HEADERS_MOST)):
        file.seek(table + index * size)
        kind, offset, length = struct.unpack(fields, file.read(entry))
        if kind == _PT_INTERP:
            file.seek(offset)
            name = file.read(min(length, _PATH_BYTES)).partition(b"\0")[0]
            interpreter = name.decode("utf-8", "backslashreplace")
            break
    return ProgramFile(64 if wide else 32, machine, interpreter)
