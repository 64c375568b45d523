"""What of a process is resident, beside what is traced: why the two differ."""

import os
import re
from typing import NamedTuple

from .library import native
from .library.rows import format_size

_FIELD = re.compile(rb"^(Rss|Anonymous|Swap): +(\d+) kB$", re.MULTILINE)
# An interpreter that has pools of its own for small objects.
_PYTHON = re.compile(r"/(lib)?python\d[^/]*\Z")


class Resident(NamedTuple):
    """Memory of a process, in bytes (proc(5), smaps_rollup)."""

    total: int
    anonymous: int
    swapped: int

    @property
    def files(self):
        """Pages of files, and of memory that is shared by name."""
        return self.total - self.anonymous


def of_process(pid):
    """The Resident of a process of this host, or None where the kernel does not tell."""
    try:
        with open("/proc/{}/smaps_rollup".format(pid), "rb") as file:
            found = {name: 1024 * int(value) for name, value in _FIELD.findall(file.read())}
        return Resident(found[b"Rss"], found[b"Anonymous"], found.get(b"Swap", 0))
    except (OSError, KeyError, ValueError):
        return None


_PAGE = os.sysconf("SC_PAGE_SIZE")
_PAGES = 1 << 20  # whose entries are read at a time
#: Of more memory the page map is not read.
_MOST = 64 << 30
# The highest byte of an entry of 8: the page is present (bit 63), and of a file (61) or nobody else's
# (56). The page of zeros that reading gives memory which was never written to is neither.
_PRESENT = bytes(byte >> 7 & (byte >> 5 | byte) & 1 for byte in range(256))
_ABSENT = re.compile(rb"\0+")


def absent(pid, regions):
    """[(start, end)] of the pages of writable memory without a file that are not resident, by
    /proc/PID/pagemap; None where the kernel does not tell, or they are too many."""
    found = []
    every = (regions.array[place] for place in range(regions.count))
    spans = [
        (one.start, one.end)
        for one in every
        if one.flags & native.REGION_WRITABLE and (not one.path or one.path == b"[heap]")
    ]
    if sum(end - start for start, end in spans) > _MOST:
        return None
    try:
        with open("/proc/{}/pagemap".format(pid), "rb", buffering=0) as file:
            for start, end in spans:
                found += _absent_of(file.fileno(), start, end)
    except OSError:
        return None
    return found


def _absent_of(pagemap, start, end):
    found = []
    for at in range(start, end, _PAGES * _PAGE):
        pages = min(_PAGES, (end - at) // _PAGE)
        tops = os.pread(pagemap, 8 * pages, at // _PAGE * 8)[7::8].translate(_PRESENT)
        if len(tops) != pages:
            raise OSError("the page map ends early")
        found += [
            (at + match.start() * _PAGE, at + match.end() * _PAGE) for match in _ABSENT.finditer(tops)
        ]
    return found


def has_pools_of_python(regions):
    """Whether a Python is among the files that are mapped."""
    return any(_PYTHON.search(region.path) for region in regions)


def lines(resident, traced, tracker, is_python, size=format_size):
    """Text for people: what adds up to the resident memory, and what the rest is. `traced`: None
    where that is only estimated, and nothing can be subtracted from it. `size` writes bytes."""
    if traced is None:
        return ["{}, {} of it in files".format(size(resident.total), size(resident.files))]
    rest = resident.anonymous - traced - tracker
    swapped = ", {} more are swapped out".format(size(resident.swapped)) if resident.swapped else ""
    if rest < 0:
        # Blocks and tables that were never touched have no pages.
        return [
            "{}, {} of it in files; at least {} of what is traced and of the tracker has never"
            " been touched, and takes no memory{}".format(
                size(resident.total), size(resident.files), size(-rest), swapped
            )
        ]
    found = [
        "{} = {} traced + {} tracker + {} other anonymous memory + {} in files{}".format(
            size(resident.total), size(traced), size(tracker), size(rest), size(resident.files), swapped
        ),
        "(other: what the allocator rounds up and keeps free, stacks, data of libraries, own mappings)",
    ]
    if is_python and rest > traced // 4:
        found.append(
            "Python has pools of its own for small objects: PYTHONMALLOC=malloc has them traced"
        )
    return found
