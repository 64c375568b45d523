"""Which parts of large mappings of a process on this machine nothing was ever written to, by
/proc/PID/pagemap (Documentation/admin-guide/mm/pagemap.rst): to read them would take as long as they
are large, and page tables of the program's."""

import os

from .library import native

#: Smaller mappings are read as they are.
_LEAST = 64 << 20
#: Of larger ones not even the page map is read.
_MOST = 256 << 30

_PAGE = os.sysconf("SC_PAGE_SIZE")
_SLICE = 512  # pages
_CHUNK = 256 * _SLICE  # pages that are looked at at a time
# The highest byte of an entry of 8: the page is present (bit 63) or swapped out (bit 62).
_IS_THERE = 0x40


def untouched(pid, regions):
    """([(start, end)] of what was never touched, bytes of mappings that are too large to be looked
    through and are among these). `regions`: library.calls.Regions."""
    found, left_out = [], 0
    try:
        pagemap = os.open("/proc/{}/pagemap".format(pid), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return found, left_out
    try:
        for place in range(regions.count):
            region = regions.array[place]
            size = region.end - region.start
            if region.path or size < _LEAST or not region.flags & native.REGION_WRITABLE:
                continue
            if size > _MOST:
                found.append((region.start, region.end))
                left_out += size
            else:
                found += _of_region(pagemap, region.start, region.end)
    except OSError:
        return [], 0
    finally:
        os.close(pagemap)
    return found, left_out


def _of_region(pagemap, start, end):
    """[(start, end)] of a mapping, of whole slices."""
    found = []
    for at in range(start, end, _CHUNK * _PAGE):
        pages = min(_CHUNK, (end - at) // _PAGE)
        tops = os.pread(pagemap, 8 * pages, at // _PAGE * 8)[7::8]
        if len(tops) != pages:
            raise OSError("the page map ends early")
        for first in range(0, pages, _SLICE):
            if max(tops[first : first + _SLICE]) < _IS_THERE:
                begin = at + first * _PAGE
                finish = min(begin + _SLICE * _PAGE, end)
                if found and found[-1][1] == begin:
                    found[-1] = (found[-1][0], finish)
                else:
                    found.append((begin, finish))
    return found
