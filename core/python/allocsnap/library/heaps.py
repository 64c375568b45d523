"""Blocks out of an allocator's own structures (allocsnap_heaps.h), for programs without hooks."""

import ctypes
from ctypes import POINTER, byref, c_bool, c_char_p, c_int, c_size_t, c_uint32, c_uint64, c_void_p

from ..printable import printable_text
from . import native, objects
from .calls import Object
from .native import AddressRange, Memory, Progress, Region, Register, Thread, check, library


class HeapFacts(ctypes.Structure):
    _fields_ = [
        ("memory", POINTER(Memory)),
        ("regions", POINTER(Region)),
        ("region_count", c_size_t),
        ("threads", POINTER(Thread)),
        ("thread_count", c_size_t),
        ("registers", POINTER(Register)),
        ("register_count", c_size_t),
        ("own", POINTER(AddressRange)),
        ("own_count", c_size_t),
        ("main_arena", c_uint64),
        ("progress", POINTER(Progress)),
    ]


#: asnap_chunk_use, by name.
USES = ("live", "free", "cached", "fast", "top", "own", "lost")


#: asnap_heap_area_kind.
AREA_MAIN, AREA_ARENA, AREA_MAPPED = range(3)


class HeapSum(ctypes.Structure):
    _fields_ = [("size", c_uint64), ("count", c_uint64)]


class HeapArea(ctypes.Structure):
    """An arena, or the blocks that are mappings of their own (asnap_heap_area)."""

    _fields_ = [
        ("address", c_uint64),
        ("start", c_uint64),
        ("size", c_uint64),
        ("kind", c_uint32),
        ("is_busy", c_bool),
        ("sums", HeapSum * len(USES)),
    ]


class HeapChunk(ctypes.Structure):
    _fields_ = [
        ("address", c_uint64),
        ("usable", c_uint64),
        ("size", c_uint64),
        ("use", c_uint32),
        ("area", c_uint32),
    ]


#: The sums of all classes of sizes, class after class: number n is of 2^n to less than 2^(n+1) bytes.
CLASSES = 64
_ClassSums = HeapSum * (CLASSES * len(USES))

_ERROR = c_void_p
_OUT = POINTER(c_void_p)
_OBJECT = c_void_p

native.declare(
    {
        "asnap_heap_read": (_ERROR, [POINTER(HeapFacts), _OUT]),
        "asnap_heap_destroy": (None, [_OBJECT]),
        "asnap_heap_note_count": (c_size_t, [_OBJECT]),
        "asnap_heap_note": (c_char_p, [_OBJECT, c_size_t]),
        "asnap_chunk_use_text": (c_char_p, [c_int]),
        "asnap_heap_area_count": (c_size_t, [_OBJECT]),
        "asnap_heap_area": (HeapArea, [_OBJECT, c_size_t]),
        "asnap_heap_chunk_count": (c_size_t, [_OBJECT]),
        "asnap_heap_chunk": (HeapChunk, [_OBJECT, c_size_t]),
        "asnap_heap_classes": (None, [_OBJECT, POINTER(HeapSum)]),
        "asnap_heap_structures": (POINTER(AddressRange), [_OBJECT, POINTER(c_size_t)]),
        "asnap_heap_raw": (_ERROR, [_OBJECT, _OUT]),
        "asnap_heap_rounding": (HeapSum, [_OBJECT, _OBJECT]),
        "asnap_heap_within": (None, [_OBJECT, POINTER(AddressRange), c_size_t, POINTER(c_uint64)]),
        "asnap_heap_add_earlier": (
            _ERROR,
            [_OBJECT, POINTER(HeapFacts), POINTER(AddressRange), c_size_t, _OBJECT],
        ),
    }
)


class Heap(Object):
    """The heaps of a program that stands still. `threads`: what sets the threads of GraphFacts;
    `main_arena`: the address of that symbol, or 0; `own`: (array of native.AddressRange, count) of
    the hooks' memory."""

    destroy = "asnap_heap_destroy"

    def __init__(self, calls, regions, threads, main_arena=0, own=(None, 0)):
        super().__init__()
        facts = HeapFacts(region_count=regions.count, main_arena=main_arena, own_count=own[1])
        facts.memory = ctypes.cast(calls.memory, POINTER(Memory))
        facts.progress = ctypes.cast(calls.progress, POINTER(Progress))
        facts.regions = ctypes.cast(regions.array, POINTER(Region))
        if own[1]:
            facts.own = ctypes.cast(own[0], POINTER(AddressRange))
        threads.set(facts)
        # The facts refer to them.
        self._facts, self._kept = facts, (calls, regions, threads, own)
        calls.run(library().asnap_heap_read, byref(facts), self.out)

    def add_earlier(self, calls, raw, code):
        """Adds to an objects.Raw of the hooks the blocks that it lacks; `code`: [(start, end)] of
        the hooks and of malloc (asnap_heap_add_earlier)."""
        ranges = (AddressRange * len(code))(*code)
        calls.run(
            library().asnap_heap_add_earlier, self, byref(self._facts), ranges, len(code), raw
        )

    def raw(self):
        """The live blocks, a Raw without stacks."""
        return _HeapRaw(self)

    @property
    def notes(self):
        """What is missing or uncertain, a line each."""
        lib = library()
        count = lib.asnap_heap_note_count(self)
        return [printable_text(lib.asnap_heap_note(self, index)) for index in range(count)]

    @property
    def areas(self):
        """The HeapAreas."""
        lib = library()
        return [lib.asnap_heap_area(self, index) for index in range(lib.asnap_heap_area_count(self))]

    @property
    def classes(self):
        """[(number, HeapSums by use)] of the classes of sizes of which there are chunks."""
        sums = _ClassSums()
        library().asnap_heap_classes(self, sums)
        rows = [sums[i * len(USES) : (i + 1) * len(USES)] for i in range(CLASSES)]
        return [(i, row) for i, row in enumerate(rows) if any(one.count for one in row)]

    def rounding(self, raw):
        """The HeapSum of what live chunks have beyond what their records in an objects.Raw say was
        asked for, and how many have such."""
        return library().asnap_heap_rounding(self, raw)

    def within(self, ranges):
        """{use: bytes of its chunks} in sorted ranges, pairs of addresses."""
        array, sizes = (AddressRange * (len(ranges) + 1))(*ranges), (c_uint64 * len(USES))()
        library().asnap_heap_within(self, array, len(ranges), sizes)
        return dict(zip(USES, sizes))

    @property
    def chunks(self):
        """The HeapChunks, one by one."""
        lib = library()
        for index in range(lib.asnap_heap_chunk_count(self)):
            yield lib.asnap_heap_chunk(self, index)

    @property
    def structures(self):
        """(array of native.AddressRange, count) of what the allocator keeps in the program's data;
        lent."""
        count = c_size_t()
        array = library().asnap_heap_structures(self, byref(count))
        return array, count.value


class OwnRanges(Object):
    """The memory of the hooks whose table is at `root`."""

    destroy = "asnap_own_ranges_destroy"

    def __init__(self, calls, root):
        super().__init__()
        calls.run(library().asnap_own_ranges_create, calls.memory, root, self.out)

    @property
    def array(self):
        """(array of native.AddressRange, count), lent."""
        count = c_size_t()
        array = library().asnap_own_ranges_list(self, byref(count))
        return array, count.value


class _HeapRaw(objects.Raw):
    def __init__(self, heap):
        Object.__init__(self)
        check(library().asnap_heap_raw(heap, self.out))
