"""What a minidump (the core files that LLDB writes on Linux) says of its own memory: how much of it
the file lacks. The format is that of Microsoft's minidumpapiset.h."""

import os
import struct

from .regular_files import open_regular

_SIGNATURE = b"MDMP"
_MEMORY_LIST, _MEMORY64_LIST = 5, 9
_STREAMS_MOST = 1024
_ENTRIES_READ = 65536  # at a time
_ZEROS = 4096  # so many at the end of the file are no memory of a stack


def is_minidump(path):
    """Whether a file is a minidump."""
    try:
        with open_regular(path) as file:
            return file.read(4) == _SIGNATURE
    except (OSError, TypeError):
        return False


def missing(path):
    """(bytes of the program's memory that the file should hold and does not, whether zeros stand in
    their place): it was cut off and may have been filled up. (0, False) where it cannot be read."""
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            end = _end_of_data(file, size)
            lost = sum(max(0, last - max(first, end)) for first, last in _memory(file))
            return lost, lost > 0 and end < size
    except (OSError, struct.error):
        return 0, False


def _end_of_data(file, size):
    """Where the file ends, or the zeros at its end begin: the last memory in it is that with the
    highest addresses, which is a stack's, and ends in something else."""
    end = size
    while end > 0:
        begin = max(0, end - (1 << 20))
        file.seek(begin)
        rest = file.read(end - begin).rstrip(b"\0")
        end = begin + len(rest)
        if rest:
            break
    return size if size - end < _ZEROS else end


def _memory(file):
    """[(first, last)] offsets in the file of the pieces of memory."""
    file.seek(0)
    signature, _, count, directory = struct.unpack("<4sIII", file.read(16))
    if signature != _SIGNATURE:
        return
    for index in range(min(count, _STREAMS_MOST)):
        file.seek(directory + index * 12)
        kind, _, place = struct.unpack("<III", file.read(12))
        if kind == _MEMORY_LIST:
            yield from _memory_list(file, place)
        elif kind == _MEMORY64_LIST:
            yield from _memory64_list(file, place)


def _entries(file, place, count, fields):
    """The entries of a list; those that the file does not hold are left out."""
    size = struct.calcsize(fields)
    file.seek(place)
    while count > 0:
        data = file.read(size * min(count, _ENTRIES_READ))
        whole = len(data) // size
        yield from struct.iter_unpack(fields, data[: whole * size])
        if whole < min(count, _ENTRIES_READ):
            return
        count -= whole
        place += whole * size
        file.seek(place)


def _memory_list(file, place):
    file.seek(place)
    (count,) = struct.unpack("<I", file.read(4))
    for size, offset in _entries(file, place + 4, count, "<8xII"):
        yield offset, offset + size


def _memory64_list(file, place):
    file.seek(place)
    count, offset = struct.unpack("<QQ", file.read(16))
    for (size,) in _entries(file, place + 16, count, "<8xQ"):
        yield offset, offset + size
        offset += size
