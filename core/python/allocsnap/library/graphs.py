"""The graph over the blocks of a snapshot: classes of reachability, references, paths."""

import ctypes
import re
from ctypes import POINTER, byref, c_char_p, c_size_t, c_uint32, c_uint64
from typing import NamedTuple

from ..printable import printable_text
from ..target import GENERAL, VECTOR, path_bytes
from . import graph_types, native, objects
from .calls import Object
from .native import check, library

#: The classes of blocks, those first that the program cannot get at.
CLASSES = ("definite", "indirect", "possible", "reachable")

_CLASS_NAMES = {number: name for name, number in graph_types.REACH.items()}


class Options(NamedTuple):
    """How the graph is computed."""

    heuristics: bool = True
    gaps: str = "auto"  # of graph_types.GAPS
    tag_mask: int = 0


class CoreThreads(Object):
    """The threads of a core file, from its notes (asnap_core_threads)."""

    destroy = "asnap_core_threads_destroy"

    def __init__(self, core_map):
        super().__init__()
        self._core_map = core_map
        check(library().asnap_core_threads_create(core_map, self.out))

    def threads(self):
        """[(number of the kernel's, stack pointer, thread pointer)]."""
        count = c_size_t()
        array = library().asnap_core_threads_list(self, byref(count))
        return [(one.number, one.stack_pointer, one.thread_pointer) for one in array[: count.value]]

    def array(self):
        """(native.Threads, how many), lent."""
        count = c_size_t()
        return library().asnap_core_threads_list(self, byref(count)), count.value

    def set(self, facts):
        """Puts them into graph_types.GraphFacts."""
        count = c_size_t()
        lib = library()
        facts.threads, facts.thread_count = self.array()
        facts.registers = lib.asnap_core_threads_registers(self, byref(count))
        facts.register_count = count.value
        facts.main_stack = lib.asnap_core_threads_main_stack(self)


# What vector registers are called, of x86-64 and of aarch64.
_VECTOR = re.compile(r"[xyz]mm\d+\Z|v\d+\Z")

# And those that any block may be held by: what a thread of either has if it has the first of them.
_GENERAL = (
    ("rsp", {"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp"} | {"r{}".format(i) for i in range(8, 16)}),
    ("sp", {"x{}".format(i) for i in range(29)}),
)


def _unknown(thread):
    """Which kinds of registers of a thread are not, or not all, known; () where none is."""
    if thread.unknown is not None or not thread.registers:
        return thread.unknown or ()
    names = {name for name, _ in thread.registers}
    lacks = any(first in names and not others <= names for first, others in _GENERAL)
    found = (GENERAL,) if lacks else ()
    return found if any(map(_VECTOR.match, names)) else found + (VECTOR,)


class LiveThreads:
    """The ThreadFacts of a Target, in the library's form."""

    def __init__(self, threads):
        words = [
            (value, place, name)
            for place, thread in enumerate(threads)
            for name, value in thread.registers
            if value >= 32
        ]
        self._threads = (native.Thread * len(threads))(
            *(
                (
                    thread.number,
                    thread.stack_pointer,
                    thread.thread_pointer,
                    VECTOR in unknown,
                    GENERAL in unknown,
                )
                for thread, unknown in zip(threads, map(_unknown, threads))
            )
        )
        self._registers = (native.Register * len(words))(
            *((value, place, name.encode("ascii", "replace")[:11]) for value, place, name in words)
        )

    def array(self):
        """As of CoreThreads."""
        return ctypes.cast(self._threads, POINTER(native.Thread)), len(self._threads)

    def set(self, facts):
        """Puts them into graph_types.GraphFacts."""
        facts.threads, facts.thread_count = self.array()
        facts.registers = ctypes.cast(self._registers, POINTER(native.Register))
        facts.register_count = len(self._registers)


def _facts(calls, regions):
    """graph_types.GraphFacts with what Calls read, and the memory map."""
    facts = graph_types.GraphFacts(region_count=regions.count)
    facts.memory = ctypes.cast(calls.memory, POINTER(native.Memory))
    facts.progress = ctypes.cast(calls.progress, POINTER(native.Progress))
    facts.regions = ctypes.cast(regions.array, POINTER(native.Region))
    if regions.is_core_map:
        facts.core = regions._as_parameter_
    return facts


class Vtables(Object):
    """The vtables that the blocks of a Snapshot begin with."""

    destroy = "asnap_vtable_list_destroy"

    def __init__(self, calls, snapshot, regions):
        super().__init__()
        facts = _facts(calls, regions)
        self._snapshot = snapshot
        calls.run(library().asnap_vtable_list_create, snapshot, byref(facts), self.out)

    @property
    def addresses(self):
        count = c_size_t()
        array = library().asnap_vtable_list_addresses(self, byref(count))
        return array[: count.value]

    def python_types(self):
        """{address: name of that type of CPython's, or None where it cannot be read}."""
        lib = library()
        found, name = {}, c_char_p()
        for place, address in enumerate(self.addresses):
            if lib.asnap_vtable_list_python(self, place, byref(name)):
                found[address] = None if name.value is None else name.value.decode("utf-8")
        return found

    def name(self, names):
        """Tells the Snapshot the names of the classes, of each vtable; None: it is none."""
        texts = [None if name is None else path_bytes(name) for name in names]
        array = (c_char_p * (len(texts) + 1))(*texts)
        check(library().asnap_vtable_list_name(self, self._snapshot, array))


class Owners(Object):
    """What owns the blocks of a Graph, which is that of a Snapshot."""

    destroy = "asnap_owner_list_destroy"

    def __init__(self, calls, graph, snapshot):
        super().__init__()
        calls.run(library().asnap_owner_list_create, graph, snapshot, calls.progress, self.out)
        self._snapshot = snapshot
        count = c_size_t()
        #: The graph_types.References in roots that own blocks, by root and place; lent.
        self.roots = library().asnap_owner_list_roots(self, byref(count))
        self.count = count.value

    def name(self, names):
        """Tells the Snapshot what the owners are called: a text for each of `roots`."""
        array = (c_char_p * (self.count + 1))(*map(path_bytes, names))
        check(library().asnap_owner_list_name(self, self._snapshot, array))


class ThreadLocals(Object):
    """Where threads have their thread-local variables, by the facts of a Graph."""

    destroy = "asnap_thread_local_list_destroy"

    def __init__(self, calls, facts):
        super().__init__()
        calls.run(library().asnap_thread_local_list_create, byref(facts), self.out)

    def find(self, address):
        """The graph_types.ThreadLocal that holds an address, or None."""
        found = library().asnap_thread_local_list_find(self, address)
        return found.contents if found else None


class Graph(Object):
    """Which blocks of a snapshot the program can still get at. It is filled by its maker."""

    destroy = "asnap_graph_destroy"

    def compute(
        self, calls, snapshot, root, regions, threads, options=Options(), untouched=((), 0)
    ):
        """Finds out what points to the blocks of a snapshot that was just made. `regions`: Regions
        or CoreMap; `threads`: LiveThreads or CoreThreads; `untouched`: pairs of addresses, what
        of the regions is all zeros, and how many bytes of it may not be."""
        facts = _facts(calls, regions)
        facts.root_address = root
        facts.is_completed = snapshot.earlier is not None
        heap = snapshot.heap or snapshot.earlier
        if heap is not None:
            facts.structures, facts.structure_count = heap.structures
        facts.no_heuristics = not options.heuristics
        facts.gaps = graph_types.GAPS[options.gaps]
        facts.tag_mask = options.tag_mask
        threads.set(facts)
        zeros, facts.unsearched_bytes = untouched
        ranges = (native.AddressRange * len(zeros))(*zeros)
        facts.untouched = ctypes.cast(ranges, POINTER(native.AddressRange))
        facts.untouched_count = len(zeros)
        self._facts = facts
        # The facts refer to them.
        self._threads, self._regions, self._ranges, self._heap = threads, regions, ranges, heap
        calls.run(library().asnap_graph_create, snapshot, byref(facts), self.out)
        return self

    @property
    def has_pointers(self):
        """Whether it has all pointers: it is not from a file."""
        return library().asnap_graph_has_pointers(self)

    def dump(self, calls, snapshot, path, attributes, count):
        """Writes a snapshot of its blocks to a file, with what it knows of them
        (asnap_graph_dump)."""
        calls.run(
            library().asnap_graph_dump, self, snapshot, path, attributes, count, calls.progress
        )

    @property
    def notes(self):
        """What was missing, a line each."""
        lib = library()
        count = lib.asnap_graph_note_count(self)
        return [printable_text(lib.asnap_graph_note(self, index)) for index in range(count)]

    def renamed(self, calls, snapshot, named):
        """The Graph of a snapshot that Snapshot.symbolize has made of `snapshot`."""
        made = type(self)()
        run = calls.run
        run(library().asnap_graph_rename, self, snapshot, named, calls.progress, made.out)
        return made

    def sums(self):
        """{class: (bytes, blocks)}."""
        found = {}
        for name in CLASSES:
            size, count = c_uint64(), c_uint64()
            library().asnap_graph_sum(self, graph_types.REACH[name], byref(size), byref(count))
            found[name] = size.value, count.value
        return found

    def select(self, snapshot, classes):
        """The Snapshot of those blocks of `snapshot` that are of these classes."""
        bits = sum(1 << graph_types.REACH[name] for name in classes)
        made = objects.Snapshot()
        made.computed = snapshot.computed
        check(library().asnap_graph_select(self, snapshot, bits, made.out))
        return made

    def filter(self, snapshot, filters):
        """The Snapshot of the traces that these Filters keep, which may be by class."""
        made = objects.Snapshot()
        made.computed = snapshot.computed
        array = objects.filter_array(filters)
        check(library().asnap_graph_filter(self, snapshot, array, len(array), made.out))
        return made

    def find(self, address):
        """The number of the block that holds an address, or None."""
        block = library().asnap_graph_find(self, address)
        return None if block == graph_types.NO_BLOCK else block

    def block(self, number):
        """The graph_types.GraphBlockInfo of a block."""
        return library().asnap_graph_block(self, number)

    def class_of_trace(self, trace):
        """The word for the class of a native.Trace; None: it is not of this graph."""
        number = library().asnap_graph_block_of(self, byref(trace))
        return None if number == graph_types.NO_BLOCK else self.class_of(number)

    def class_of(self, number):
        """The word for a block's class; None: a file does not say it."""
        return _CLASS_NAMES.get(self.block(number).reach)

    @property
    def roots(self):
        """The graph_types.Roots, as the library lends them."""
        count = c_size_t()
        array = library().asnap_graph_roots(self, byref(count))
        return array[: count.value] if count.value else []

    def root(self, number):
        """One of them."""
        count = c_size_t()
        return library().asnap_graph_roots(self, byref(count))[number]

    def register(self, number):
        """(place of the thread, name) of a register that a root is."""
        register = self._facts.registers[number]
        return register.thread, register.name.decode("ascii", "replace")

    def thread_number(self, place):
        """The kernel's number of the thread at a place; None: it has ended."""
        if place >= self._facts.thread_count:
            return None
        return self._facts.threads[place].number

    def thread_locals(self, calls):
        """The ThreadLocals of the same facts, while the program is as it was."""
        return ThreadLocals(calls, self._facts)

    def references(self, number, limit):
        """The graph_types.References of a block to others, `limit` at most."""
        array, count = (graph_types.Reference * limit)(), c_size_t()
        library().asnap_graph_references(self, number, array, limit, byref(count))
        return array[: count.value]

    def referrers(self, number, limit):
        """(graph_types.References to a block, how many are in roots, how many in blocks)."""
        array, roots, blocks = (graph_types.Reference * limit)(), c_size_t(), c_size_t()
        check(
            library().asnap_graph_referrers(
                self, number, array, limit, byref(roots), byref(blocks)
            )
        )
        shown = min(limit, roots.value + blocks.value)
        return array[:shown], roots.value, blocks.value

    def paths(self, number, limit):
        """Up to `limit` ways to a block, or all: (graph_types.Reference in a root, [numbers of blocks])."""
        paths = _Paths()
        lib = library()
        check(lib.asnap_graph_paths_create(self, number, paths.out))
        found = []
        while limit is None or len(found) < limit:
            root, blocks, count = graph_types.Reference(), POINTER(c_uint32)(), c_size_t()
            check(lib.asnap_graph_paths_next(paths, byref(root), byref(blocks), byref(count)))
            if not count.value:
                break
            found.append((root, blocks[: count.value]))
        return found

    def retain(self, calls):
        """Computes what blocks keep alive."""
        calls.run(library().asnap_graph_retain, self, calls.progress)

    def retained(self, number):
        """(bytes, blocks) that a block keeps alive, after `retain`."""
        size, count = c_uint64(), c_uint64()
        library().asnap_graph_retained(self, number, byref(size), byref(count))
        return size.value, count.value

    def top(self, count):
        """The numbers of the blocks that keep most alive, after `retain`."""
        count = min(count, library().asnap_graph_block_count(self))
        blocks = (c_uint32 * count)()
        library().asnap_graph_top(self, count, blocks)
        return list(blocks)

    def add_to(self, rows, snapshot, beside):
        """Adds one of graph_types.BESIDE_... to Statistics of a snapshot."""
        check(library().asnap_statistics_add_graph(rows, snapshot, self, beside))

    def add_exact(self, calls, rows, snapshot, count):
        """Adds to the first `count` rows (0: to all) of Statistics that have BESIDE_RETAINED what
        would become unreachable without all their blocks."""
        calls.run(
            library().asnap_statistics_add_exact, rows, snapshot, self, count, calls.progress
        )

    @staticmethod
    def beside(rows, index):
        """(bytes, blocks) that were added to a row of Statistics, and the exact ones; None: these
        were not."""
        found = library().asnap_statistics_beside_sum(rows, index)
        exact = (found.exact_size, found.exact_count) if found.exact_count else (None, None)
        return (found.size, found.count) + exact


def load(path):
    """(Snapshot in a dump file, its Graph or None); `path` in bytes."""
    snapshot, graph = objects.Snapshot(), Graph()
    check(library().asnap_graph_load(path, snapshot.out, graph.out))
    return snapshot, graph if graph._as_parameter_ else None


class _Paths(Object):
    destroy = "asnap_graph_paths_destroy"
