"""Of which classes the C++ objects in blocks are: the vtables that these begin with, and their
names by the debugger's symbols; and of which types those of Python."""

import os
import re

from .library import graphs

# A vtable (Itanium C++ ABI), also one that is in use while an object is made.
_VTABLE = re.compile(r"vtable for (.+)")
_CONSTRUCTION = re.compile(r"construction vtable for (.+)-in-.+")


def add(target, calls, regions, snapshot):
    """Tells the library's snapshot, just made of a Target's program that `calls` read, of
    which classes its objects are."""
    vtables = graphs.Vtables(calls, snapshot, regions)
    python = vtables.python_types()
    vtables.name(
        [
            python[address] or "<Python type at 0x{:x}>".format(address)
            if address in python
            else _class_name(target, regions, address)
            for address in vtables.addresses
        ]
    )


def _class_name(target, regions, address):
    """The class whose vtable is at an address; None: it is no vtable."""
    found = target.file_place(address)
    if found is None or found.symbol is None:
        return _without_symbol(regions, address)
    for pattern in (_CONSTRUCTION, _VTABLE):
        match = pattern.fullmatch(found.symbol)
        if match is not None:
            return match.group(1)
    return None


def _without_symbol(regions, address):
    """What a class is called whose vtable has no name: the same in each run."""
    region = regions.find(address)
    if region is None or not region.path:
        return None
    path = region.path.decode("utf-8", "backslashreplace")
    offset = address - region.start + region.file_offset
    return "<class of the vtable at {}+{:#x}>".format(os.path.basename(path), offset)
