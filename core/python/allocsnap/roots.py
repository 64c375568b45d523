"""The graph of a process or core: what the debugger knows of its threads, and names of roots."""

import heapq
import os
import re
import sys

from . import ended, object_types, owners
from .errors import AllocsnapError, ErrorCode
from .kept import NOW, PYTHON, Taken
from .library import graph_types, graphs, native
from .library.keys import OWNER, TYPE
from .library.rows import format_size
from .printable import printable
from .target import path_bytes, shown_path
from .terminal import ADDRESS, FILE, FUNCTION, NAME, SIZE, plain
from .untouched import untouched


class Computed:
    """The graph of a fresh reading, and what it is of. `extent`: of the names of its frames, as of
    objects.Snapshot.create."""

    def __init__(self, session, options, extent=native.NAMING_WHOLE):
        session.keep_still()
        process = session.stopped_process()
        if process.moving:
            raise AllocsnapError(
                "other threads of the program run on: stop it at a breakpoint first",
                ErrorCode.UNSUPPORTED,
            )
        self.process = process
        with ended.checked(process):
            self._compute(session, process, options, extent)

    def _compute(self, session, process, options, extent):
        taken, self.regions = session.find_mapped(NOW, extent, options.gaps == "auto")
        if not self.regions.count:
            raise AllocsnapError(
                "the debugger does not tell where the program's memory is mapped: what points to blocks"
                " is not found without; take a core, and load that",
                ErrorCode.UNSUPPORTED,
            )
        self.snapshot, self.peak = taken.snapshot, taken.peak
        self.calls, root = session.reader(process, self.regions), 0
        if self.snapshot.heap is None:
            self.calls, root = session.inferior(process, self.regions)
        self._target = session.target
        self._symbolizer = session.symbolizer()
        self._thread_locals = None  # library.graphs.ThreadLocals, once it was asked for
        self._last_words = None, (0, b"")
        self._stacks_asked = 0  # pointers in stacks and registers that owners were sought of
        self.calls_debugger = True  # for names of roots; not once the program may have gone on
        self._options = options
        zeros = ((), 0)
        if process.proc_pid is not None:
            zeros = untouched(process.proc_pid, self.regions)
        self.graph = graphs.Graph().compute(
            self.calls, self.snapshot, root, self.regions, self._threads(), options, zeros
        )

    def _threads(self):
        if self.regions.is_core_map:
            return graphs.CoreThreads(self.regions)
        return graphs.LiveThreads(self._target.thread_facts())

    def _words(self, block):
        """(offset, bytes) of the whole words of a block's memory; none where it cannot be read. Of
        the last block they are kept: several places in it are looked for, one after the other."""
        if self._last_words[0] != block:
            self._last_words = block, self._read_words(block)
        return self._last_words[1]

    def _read_words(self, block):
        trace = self.graph.block(block).trace
        start = -trace.address % 8
        size = (trace.size - start) // 8 * 8 if trace.size > start else 0
        if not 0 < size <= _BLOCK_MAX:
            return start, b""
        try:
            return start, bytes(self._target.read_memory(trace.address + start, size))
        except AllocsnapError:
            return start, b""

    def offset(self, source, block):
        """Where in a block the first pointer to the start of another is, else the first to its
        inside, or None."""
        if self._options.tag_mask == 0:
            start, data = self._words(source)
            address = self.graph.block(block).trace.address.to_bytes(8, sys.byteorder)
            for place in _aligned(data, address, 0):
                return start + place
        return next(self.pointers(source, block), None)

    def pointers(self, source, block):
        """Where in a block each pointer to another is, in order."""
        target = self.graph.block(block).trace
        start, data = self._words(source)
        mask = ~self._options.tag_mask
        words = memoryview(data).cast("Q")
        end = target.address + max(target.size, 1)
        for place in self._possible(data, target.address, end):
            word = words[place // 8] & mask
            if target.address <= word < end and self.graph.find(word) == block:
                yield start + place

    def _possible(self, data, address, end):
        """Where in some bytes pointers to [address, end) may be, in order."""
        heads = range(address >> 16, (end - 1 >> 16) + 1)
        if self._options.tag_mask != 0 or sys.byteorder != "little" or len(heads) > _HEADS_MAX:
            return range(0, len(data), 8)
        # The upper bytes of all such pointers are few: found without looking at each word.
        return heapq.merge(*(_aligned(data, head.to_bytes(6, "little"), 2) for head in heads))

    def places(self, pairs):
        """Where each pointer of `pairs`, (source, block), is: those of one source follow each other,
        and those to one block are in order of offset. None where that cannot be read."""
        found = {}
        places = []
        last = None
        for source, block in pairs:
            if source != last:
                # The bytes of the source before are not kept.
                found, last = {}, source
            if block not in found:
                found[block] = self.pointers(source, block)
            places.append(next(found[block], None))
        return places

    def root_name(self, reference, marked=plain):
        """What a person would call the place of a pointer that is in no block; `marked`: as
        Shown.marked."""
        root = self.graph.root(reference.root)
        if root.kind == graph_types.ROOT_REGISTER:
            place, name = self.graph.register(root.start)
            return "register {} of {}".format(name, self._thread_name(place))
        name = None
        if root.kind != graph_types.ROOT_FILE:
            name = self.thread_local_name(reference.place, marked)
        if name is not None:
            return name
        if root.kind in _ON_STACKS:
            return self._stack_name(root, reference.place, marked)
        if root.kind == graph_types.ROOT_TLS:
            return "thread-local storage of {} at {}".format(
                self._thread_name(root.thread), marked(ADDRESS, "{:#x}".format(reference.place))
            )
        return self._memory_name(root, reference.place, marked)

    def best_root(self, reference, block):
        """Of the pointers in roots to a block the one that says most: a variable of a frame, which
        the debugger knows, before a register or a stack slot that may hold an old value."""
        kinds = _ON_STACKS + (graph_types.ROOT_REGISTER,)
        if not self.calls_debugger or self.graph.root(reference.root).kind not in kinds:
            return reference
        others, roots, _ = self.graph.referrers(block, _SLOTS_MOST)
        for other in [reference] + others[: min(roots, _SLOTS_MOST)]:
            root = self.graph.root(other.root)
            if root.kind in _ON_STACKS and other.inside == reference.inside:
                slot = self._slot(self.graph.thread_number(root.thread), other.place)
                if slot is not None and slot[1] is not None:
                    return other
        return reference

    def thread_local_name(self, address, marked=plain):
        """What the thread-local variable is called that an address is in, and of which thread; None:
        it is in none that is known."""
        found = self._thread_local(address)
        if found is None:
            return None
        variable, place, file, thread = found
        if variable is None:
            name = "thread-local storage+{:#x} ({})".format(place, marked(FILE, file))
        else:
            name = "thread-local " + _in_variable(variable, place, file, marked)
        return "{} of {}".format(name, thread)

    def _thread_local(self, address):
        """(name or None, offset in the variable, else in the file's storage, file, name of the
        thread) of what thread_local_name is for, or None."""
        if not self.calls_debugger:
            return None
        if self._thread_locals is None:
            self._thread_locals = self.graph.thread_locals(self.calls)
        storage = self._thread_locals.find(address)
        if storage is None:
            return None
        found = self._symbolizer.variable(storage.file, address - storage.start, True)
        region = self.regions.find(storage.file)
        file = shown_path(os.path.basename(os.fsdecode(region.path))) if region else "a file"
        thread = self._thread_name(storage.thread)
        if found is None:
            return None, address - storage.start, file, thread
        return found[0], found[1], found[2] or file, thread

    def _thread_name(self, place):
        number = self.graph.thread_number(place)
        if number is None:
            return "a thread that has ended"
        label = self._target.thread_labels().get(number) if self.calls_debugger else None
        return "thread {}".format(number) + (" ({})".format(printable(label)) if label else "")

    def _stack_name(self, root, place, marked):
        number = self.graph.thread_number(root.thread)
        slot = self._slot(number, place, marked) if self.calls_debugger else None
        if slot is not None:
            text = slot[0] + (", variable " + marked(NAME, printable(slot[1])) if slot[1] else "")
        else:
            text = "stack" if root.kind == graph_types.ROOT_STACK else "below the stack pointer"
        return "{} of {} at {}".format(
            text, self._thread_name(root.thread), marked(ADDRESS, "{:#x}".format(place))
        )

    def _slot(self, kernel_number, place, marked=plain):
        """(frame of a thread, its variable or None, its function or None) that a place in its stack
        is in, or None."""
        for thread in self._target.threads():
            if thread.kernel_number != kernel_number:
                continue
            found = self._target.frame_over(thread.number, place)
            level, function = (0, None) if found is None else found
            variable = self._target.variable_at(thread.number, level, place)
            if found is None and variable is None:
                return None
            text = "frame {}".format(level)
            name = " ({})".format(marked(FUNCTION, printable(function))) if function else ""
            return text + name, variable, printable(function) if function else None
        return None

    def _place_in_file(self, place):
        """The target.FilePlace of an address, or None: what gdb calls a section of a core is a piece
        of memory."""
        found = self._target.file_place(place) or self._target.section_place(place)
        if found is None or (found.symbol is None and _OF_CORE.match(found.section)):
            return None
        return found

    def _file_name(self, place, marked):
        """What the symbols call the variable that an address is in, else the section of a file, or
        None."""
        found = self._place_in_file(place)
        if found is None:
            return None
        if found.symbol is None:
            path = found.path or self._mapped_path(place)
            of = " of " + marked(FILE, shown_path(path)) if path else ""
            return "section {}{} at {}".format(
                printable(found.section), of, marked(ADDRESS, "{:#x}".format(place))
            )
        return "global " + _in_variable(
            printable(found.symbol), found.offset, self._variable_file(found, place), marked
        )

    def _variable_file(self, found, place):
        """The name of the file that the variable of a FilePlace is in."""
        path = (
            self._target.variable_file(found.symbol, place - found.offset)
            or self._static_source(found, place)
            or found.path
        )
        return shown_path(os.path.basename(path))

    def owner(self, reference):
        """(what a person would call the variable, or other root, that a pointer in no block is in,
        where the variable begins or None). The same for all pointers in it."""
        root = self.graph.root(reference.root)
        if root.kind in _ON_STACKS + (graph_types.ROOT_REGISTER,):
            if self._stacks_asked < _STACKS_ASKED:
                self._stacks_asked += 1
                reference = self.best_root(reference, reference.block)
            return self._stack_owner(reference), None
        place = reference.place
        found = None if root.kind == graph_types.ROOT_FILE else self._thread_local(place)
        if found is not None:
            name, offset, file, thread = found
            text = "thread-local storage ({})".format(file)
            if name is not None:
                text = "thread-local " + _in_variable(name, 0, file, plain)
            return "{} of {}".format(text, thread), place - offset
        if root.kind == graph_types.ROOT_TLS:
            return "thread-local storage of " + self._thread_name(root.thread), None
        return self._memory_owner(root, place)

    def _stack_owner(self, reference):
        root = self.graph.root(reference.root)
        if root.kind == graph_types.ROOT_REGISTER:
            return self.root_name(reference)
        slot = None
        if self.calls_debugger:
            slot = self._slot(self.graph.thread_number(root.thread), reference.place)
        text = "stack" if root.kind == graph_types.ROOT_STACK else "below the stack pointer"
        if slot is not None and slot[1] is not None:
            # The number of the frame is another one where more functions have been called.
            frame = "frame of {}, ".format(slot[2]) if slot[2] else ""
            text = frame + "variable " + printable(slot[1])
        return "{} of {}".format(text, self._thread_name(root.thread))

    def _memory_owner(self, root, place):
        found = None
        if root.kind == graph_types.ROOT_FILE:
            found = self._place_in_file(place)
        path = self._mapped_path(place, root.kind == graph_types.ROOT_FILE)
        if found is not None and found.symbol is not None:
            text = _in_variable(printable(found.symbol), 0, self._variable_file(found, place), plain)
            return "global " + text, place - found.offset
        if found is not None:
            path = found.path or path
            text = "section " + printable(found.section)
            return text + (" of " + shown_path(path) if path else ""), None
        if path:
            return "data of " + shown_path(path), None
        size = format_size(root.end - root.start)
        if root.kind == graph_types.ROOT_GAP:
            return "memory between traced blocks", None
        kind = "data" if root.kind == graph_types.ROOT_FILE else "mapping"
        return "{} of {} at {:#x}".format(kind, size, root.start), None

    def _static_source(self, found, place):
        """The source of a static variable by the symbol table of its file, where the debugger has not
        looked into that yet; None: not known."""
        path = path_bytes(found.path)
        regions = (self.regions.array[place] for place in range(self.regions.count))
        starts = (one.start for one in regions if one.path == path and not one.file_offset)
        start = next(starts, None)
        variable = None if start is None else self._symbolizer.variable(start, place - start)
        return variable[2] if variable is not None else None

    def _mapped_path(self, place, is_data=False):
        """The path of the file that is mapped at an address, or "". `is_data`: of its
        zero-initialised rest, too, which has no file in the map."""
        region = self.regions.find(place)
        for _ in range(_ZEROS_MOST if is_data else 0):
            if region is None or region.path:
                break
            region = self.regions.find(region.start - 1)
        path = region.path if region and region.path else b""
        return os.fsdecode(path) if path.startswith(b"/") else ""

    def _memory_name(self, root, place, marked):
        if self.calls_debugger and root.kind == graph_types.ROOT_FILE:
            name = self._file_name(place, marked)
            if name is not None:
                return name
        path = self._mapped_path(place, root.kind == graph_types.ROOT_FILE)
        address = marked(ADDRESS, "{:#x}".format(place))
        if path:
            return "data of {} at {}".format(marked(FILE, shown_path(path)), address)
        if root.kind == graph_types.ROOT_FILE:
            return "data at " + address
        kind = "memory between traced blocks" if root.kind == graph_types.ROOT_GAP else "mapping"
        return "{} of {} at {}, +{:#x}".format(
            kind,
            marked(SIZE, format_size(root.end - root.start)),
            marked(ADDRESS, "{:#x}".format(root.start)),
            place - root.start,
        )

    def add_types(self):
        """Tells the snapshot of which classes its objects are, while the program is there."""
        object_types.add(self._target, self.calls, self.regions, self.snapshot)

    def add_owners(self):
        """Tells the snapshot, which knows its classes, what leads to its blocks."""
        owners.add(self)


def _in_variable(name, offset, file, marked):
    return "{}{}{}".format(
        marked(NAME, name),
        "+{:#x}".format(offset) if offset else "",
        " ({})".format(marked(FILE, file)) if file else "",
    )


def keep(session, name, extent):
    """Takes a snapshot with its graph, and keeps it as Session.take does. `extent`: of its names."""
    if name is not None:
        session.snapshots.check_new_name(name)
    computed = Computed(session, graphs.Options(), extent)
    computed.add_types()
    computed.add_owners()
    # Names would be asked for when the program may be elsewhere.
    computed.calls_debugger = False
    computed.snapshot.computed = computed
    return session.snapshots.keep(
        name, Taken(computed.snapshot, computed.process.description, computed.peak)
    )


def find(session, name, options=graphs.Options(), key=None):
    """The Computed of `now`, or of a kept snapshot that was taken with its graph; a name of None
    stands for the default. `key`: that statistics are wanted by."""
    name = name or session.default_name()
    session.snapshots.check_known(name)
    if name == PYTHON:
        raise AllocsnapError(
            "what points to the blocks that tracemalloc traces is not looked for: it needs the hooks'"
            " records (`now`), and Python's own gc.get_referrers knows more of Python's objects",
            ErrorCode.UNSUPPORTED,
        )
    if name == NOW:
        computed = Computed(session, options)
        if key in (TYPE, OWNER):
            computed.add_types()
        if key == OWNER:
            computed.add_owners()
        return computed
    computed = session.snapshots.get(name).snapshot.computed
    if computed is None:
        raise AllocsnapError(
            "snapshot {} does not say what pointed to its blocks: `snapshot take --graph` keeps that,"
            " also for `dump`, and without a name it is found in the memory of the paused process or"
            " core".format(name),
            ErrorCode.UNSUPPORTED,
        )
    if options != graphs.Options():
        raise AllocsnapError(
            "what points to the blocks of snapshot {} was found out when it was taken: leave out"
            " --no-heuristics, --gaps and --tag-mask".format(name)
        )
    return computed


def _aligned(data, part, within):
    """Where the words are whose bytes from `within` on are `part`, in order."""
    found = data.find(part)
    while found >= 0:
        if found >= within and (found - within) % 8 == 0:
            yield found - within
        found = data.find(part, found + 1)


#: The most different upper bytes that are looked for one by one.
_HEADS_MAX = 8

#: Kinds of roots on stacks; below the stack pointer can be variables of the newest frame.
_ON_STACKS = (graph_types.ROOT_STACK, graph_types.ROOT_RED_ZONE)

#: Of more stack slots that lead to a block, the others are not asked for their variables.
_SLOTS_MOST = 64

# What gdb calls the segments of a core.
_OF_CORE = re.compile(r"load[0-9]+[a-z]?\Z")

# So many mappings without a file follow those of a file at most.
_ZEROS_MOST = 2

# For so many pointers in stacks and registers that own blocks such a slot is looked for.
_STACKS_ASKED = 64

#: The largest block that is looked through for a pointer's place.
_BLOCK_MAX = 64 << 20

#: Bits in which addresses differ, and no program keeps tags.
_NO_TAGS = 2**47 - 2**12

_TAG_MASK = re.compile(r"0[xX][0-9a-fA-F]{1,16}\Z|[0-9]{1,20}\Z")


def tag_mask(text):
    """The number that a tag mask is; None where it is none."""
    if not _TAG_MASK.match(text):
        return None
    number = int(text, 0) if text[:2].lower() == "0x" else int(text)
    return number if number < 2**64 and not number & _NO_TAGS else None
