"""The graph of a process or core: what the debugger knows of its threads, and names of roots."""

import os
import re
import sys

from . import object_types
from .errors import AllocsnapError, ErrorCode
from .kept import NOW, Taken
from .library import graph_types, graphs
from .library.keys import TYPE
from .library.rows import format_size
from .printable import printable
from .target import shown_path
from .untouched import untouched


class Computed:
    """The graph of a fresh reading, and what it is of."""

    def __init__(self, session, options):
        session.keep_still()
        process = session.stopped_process()
        if process.moving:
            raise AllocsnapError(
                "other threads of the program run on: stop it at a breakpoint first",
                ErrorCode.UNSUPPORTED,
            )
        self.process = process
        taken, self.regions = session.find_mapped("now")
        self.snapshot = taken.snapshot
        self.calls, root = session.inferior(process, self.regions)
        self._target = session.target
        self.calls_debugger = True  # for names of roots; not once the program may have gone on
        self._options = options
        zeros = ((), 0)
        if process.proc_pid is not None:
            zeros = untouched(process.proc_pid, self.regions)
        self.graph = graphs.Graph(
            self.calls, self.snapshot, root, self.regions, self._threads(), options, zeros
        )

    def _threads(self):
        if self.regions.is_core_map:
            return graphs.CoreThreads(self.regions)
        return graphs.LiveThreads(self._target.thread_facts())

    def _words(self, block):
        """(offset, bytes) of the whole words of a block's memory; none where it cannot be read."""
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
        target = self.graph.block(block).trace
        start, data = self._words(source)
        words = memoryview(data).cast("Q")
        mask = ~self._options.tag_mask
        if self._options.tag_mask == 0:
            # What most pointers are is found without looking at each word.
            place = data.find(target.address.to_bytes(8, sys.byteorder))
            while place % 8 != 0 and place >= 0:
                place = data.find(target.address.to_bytes(8, sys.byteorder), place + 1)
            if place >= 0:
                return start + place
        end = target.address + max(target.size, 1)
        for index, word in enumerate(words):
            if target.address <= word & mask < end and self.graph.find(word & mask) == block:
                return start + 8 * index
        return None

    def root_name(self, reference):
        """What a person would call the place of a pointer that is in no block."""
        root = self.graph.root(reference.root)
        if root.kind == graph_types.ROOT_REGISTER:
            place, name = self.graph.register(root.start)
            return "register {} of {}".format(name, self._thread_name(place))
        if root.kind == graph_types.ROOT_STACK:
            return self._stack_name(root, reference.place)
        if root.kind == graph_types.ROOT_TLS:
            return "thread-local storage of {} at {:#x}".format(
                self._thread_name(root.thread), reference.place
            )
        return self._memory_name(root, reference.place)

    def _thread_name(self, place):
        number = self.graph.thread_number(place)
        if number is None:
            return "a thread that has ended"
        label = self._target.thread_labels().get(number) if self.calls_debugger else None
        return "thread {}".format(number) + (" ({})".format(printable(label)) if label else "")

    def _stack_name(self, root, place):
        number = self.graph.thread_number(root.thread)
        slot = self._slot(number, place) if self.calls_debugger else None
        return "{} of {} at {:#x}".format(slot or "stack", self._thread_name(root.thread), place)

    def _slot(self, kernel_number, place):
        """The frame of a thread, and the variable, that a place in its stack is in, or None."""
        for thread in self._target.threads():
            if thread.kernel_number != kernel_number:
                continue
            found = self._target.frame_over(thread.number, place)
            if found is None:
                return None
            level, function = found
            text = "frame {}".format(level)
            text += " ({})".format(printable(function)) if function else ""
            variable = self._target.variable_at(thread.number, level, place)
            return text + (", variable {}".format(printable(variable)) if variable else "")
        return None

    def _variable_name(self, place):
        """What the symbols call the variable that an address is in, or None."""
        found = self._target.file_place(place)
        if found is None or found.symbol is None:
            return None
        path = self._target.variable_file(found.symbol, place - found.offset) or found.path
        return "global {}{}{}".format(
            printable(found.symbol),
            "+{:#x}".format(found.offset) if found.offset else "",
            " ({})".format(shown_path(os.path.basename(path))) if path else "",
        )

    def _memory_name(self, root, place):
        if self.calls_debugger and root.kind == graph_types.ROOT_FILE:
            name = self._variable_name(place)
            if name is not None:
                return name
        region = self.regions.find(place)
        path = region.path if region and region.path else b""
        if path.startswith(b"/"):
            return "data of {} at {:#x}".format(printable(path), place)
        if root.kind == graph_types.ROOT_FILE:
            return "data at {:#x}".format(place)
        kind = "memory between traced blocks" if root.kind == graph_types.ROOT_GAP else "mapping"
        return "{} of {} at {:#x}, +{:#x}".format(
            kind, format_size(root.end - root.start), root.start, place - root.start
        )

    def add_types(self):
        """Tells the snapshot of which classes its objects are, while the program is there."""
        object_types.add(self._target, self.calls, self.regions, self.snapshot)


def keep(session, name):
    """Takes a snapshot with its graph, and keeps it as Session.take does."""
    if name is not None:
        session.snapshots.check_new_name(name)
    computed = Computed(session, graphs.Options())
    # Names would be asked for when the program may be elsewhere.
    computed.calls_debugger = False
    computed.add_types()
    computed.snapshot.computed = computed
    return session.snapshots.keep(name, Taken(computed.snapshot, computed.process.description))


def find(session, name, options=graphs.Options(), key=None):
    """The Computed of `now`, or of a kept snapshot that was taken with its graph; a name of None
    stands for the default. `key`: that statistics are wanted by."""
    name = name or session.default_name()
    session.snapshots.check_known(name)
    if name == NOW:
        computed = Computed(session, options)
        if key == TYPE:
            computed.add_types()
        return computed
    computed = session.snapshots.get(name).snapshot.computed
    if computed is None:
        raise AllocsnapError(
            "snapshot {} does not say what pointed to its blocks: `snapshot take --graph` keeps that,"
            " and without a name it is found in the memory of the paused process or core".format(name),
            ErrorCode.UNSUPPORTED,
        )
    if options != graphs.Options():
        raise AllocsnapError(
            "what points to the blocks of snapshot {} was found out when it was taken: leave out"
            " --no-heuristics, --gaps and --tag-mask".format(name)
        )
    return computed


#: The largest block that is looked through for a pointer's place.
_BLOCK_MAX = 64 << 20

_TAG_MASK = re.compile(r"0[xX][0-9a-fA-F]{1,16}\Z|[0-9]{1,20}\Z")


def tag_mask(text):
    """The number that a tag mask is; None where it is none."""
    if not _TAG_MASK.match(text):
        return None
    number = int(text, 0) if text[:2].lower() == "0x" else int(text)
    return number if number < 2**64 else None
