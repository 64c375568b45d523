"""What the library shows row by row, as text and as JSON."""

import ctypes
from ctypes import byref, c_char_p
from typing import NamedTuple, Optional, Sequence, Tuple

from .. import terminal
from ..target import path_bytes
from . import native, structures
from .calls import Object
from .keys import keys
from .native import check, library, text_of


def _rendered(function, *arguments):
    """The text that a function of the library makes."""
    string = _String()
    check(function(*arguments, string.out))
    return text_of(ctypes.cast(string._as_parameter_, c_char_p).value)


def _total(whole):
    """A Snapshot as a sum."""
    return native.StatisticDiff(size=whole.size, count=whole.count)


class Display(NamedTuple):
    """How text for people shows names and finds sources."""

    path_rules: Sequence[Tuple[str, str]] = ()  # Target.path_rules
    short_names: bool = False
    short_paths: bool = False
    marks: Optional[terminal.Marks] = None  # of text for a terminal

    def set(self, options):
        """Puts this into a native.RenderOptions."""
        rules = [(path_bytes(start), path_bytes(to)) for start, to in self.path_rules]
        options.path_rules = (structures.PathRule * len(rules))(*rules)
        options.path_rule_count = len(rules)
        options.short_names = self.short_names
        options.short_paths = self.short_paths
        if self.marks is not None:
            begins = {kind: mark.encode("ascii") for kind, mark in self.marks.begin.items()}
            marks = structures.RenderMarks(end=self.marks.end.encode("ascii"), **begins)
            options.marks = ctypes.pointer(marks)


class Rows:
    """What can be shown row by row. Derived classes have `render_function`, and what it
    wants first, in `shown`."""

    render_function = ""
    display = Display()

    @property
    def shown(self):
        return self

    def options(self, limit):
        """The native.RenderOptions for `limit` rows."""
        return native.RenderOptions(limit=limit, source_lines=True)

    def render(self, form, limit=0, unfiltered=None):
        """The first `limit` rows (0: all) in one of native.FORMATS. `unfiltered`: what was there
        before filters."""
        options = self.options(limit)
        self.display.set(options)
        if unfiltered is not None:
            options.unfiltered = ctypes.pointer(self.total(unfiltered))
        function = getattr(library(), self.render_function)
        return _rendered(function, self.shown, native.FORMATS[form][0], byref(options))

    def total(self, unfiltered):
        """What is `unfiltered`, as a sum."""
        return _total(unfiltered)


def _thread_labels(options, snapshot, labels):
    """Puts what the debugger calls threads, {kernel thread number: text}, into a
    RenderOptions."""
    if not labels:
        return
    numbers = snapshot.threads
    texts = [path_bytes(labels[number]) if number in labels else None for number in numbers]
    options.thread_labels = (c_char_p * len(texts))(*texts)
    options.thread_label_count = len(texts)


def _classes(options, snapshot):
    """Puts what tells the classes of a Snapshot's blocks into a RenderOptions."""
    if snapshot.computed is not None:
        options.graph = snapshot.computed.graph._as_parameter_


class Traces(Rows):
    """The blocks of a snapshot, by one of native.ORDERS. What is `unfiltered` is a
    Snapshot. `labels`: {kernel thread number: what the debugger calls the thread}."""

    render_function = "asnap_render_traces"

    def __init__(self, snapshot, order="size", labels=None):
        self._snapshot = snapshot
        self._order = native.ORDERS[order]
        self._labels = labels

    @property
    def shown(self):
        return self._snapshot

    def options(self, limit):
        options = super().options(limit)
        options.order = self._order
        _classes(options, self._snapshot)
        _thread_labels(options, self._snapshot, self._labels)
        return options

    def total(self, unfiltered):
        """Of the blocks themselves, of which there are fewer than a sample stands for."""
        return native.StatisticDiff(
            size=library().asnap_snapshot_size(unfiltered), count=unfiltered.trace_count
        )


class Who:
    """The block of a snapshot that holds an address. `regions`: Regions or CoreMap,
    where the snapshot is of now. `place`: what is there where no block is (whereabouts.py).
    `labels`: as of Traces."""

    def __init__(
        self, snapshot, address, regions=None, place=None, labels=None, display=Display()
    ):
        self._arguments = snapshot, address
        self._options = native.RenderOptions(source_lines=True)
        _classes(self._options, snapshot)
        display.set(self._options)
        _thread_labels(self._options, snapshot, labels)
        self._regions = regions
        if regions is not None:
            self._options.regions = ctypes.cast(regions.array, ctypes.POINTER(native.Region))
            self._options.region_count = regions.count
            self._options.place = None if place is None else path_bytes(place)

    def render(self, form):
        """It in one of native.FORMATS."""
        return _rendered(
            library().asnap_render_who, *self._arguments, native.FORMATS[form][0], byref(self._options)
        )


class Lives:
    """The blocks at an address that were freed, of a Snapshot of Raw.freed. `labels`: as of
    Traces. `newest`: the time of the newest live block."""

    def __init__(self, snapshot, address, labels=None, display=Display(), newest=0):
        self._arguments = snapshot, address
        self._options = native.RenderOptions(source_lines=True, newest=newest)
        display.set(self._options)
        _thread_labels(self._options, snapshot, labels)

    def render(self, form):
        """They in one of native.FORMATS."""
        return _rendered(
            library().asnap_render_lives, *self._arguments, native.FORMATS[form][0], byref(self._options)
        )


class Errors(Rows):
    """Calls that were to free what is no live traced block, of native.Errors and a Snapshot of
    Raw.errors. `labels`: as of Traces."""

    def __init__(self, told, snapshot, labels=None):
        self._told, self._snapshot, self._labels = told, snapshot, labels

    def options(self, limit):
        options = super().options(limit)
        options.newest = self._told.newest
        _thread_labels(options, self._snapshot, self._labels)
        return options

    def render(self, form, limit=0, unfiltered=None):
        options = self.options(limit)
        self.display.set(options)
        return _rendered(
            library().asnap_render_errors,
            self._snapshot,
            byref(self._told),
            native.FORMATS[form][0],
            byref(options),
        )


class Statistics(Rows, Object):
    """The traces of a snapshot in groups, largest first. `key` is the name of a key (keys.py).
    `labels`: as of Traces, by thread.

    What is `unfiltered` is a Snapshot.
    """

    destroy = "asnap_statistics_destroy"
    render_function = "asnap_render_statistics"

    def __init__(self, snapshot, key, cumulative=False, labels=None):
        super().__init__()
        self._snapshot, self._labels = snapshot, labels
        number = keys()[key].number
        check(library().asnap_statistics_create(snapshot, number, cumulative, self.out))

    def options(self, limit):
        options = super().options(limit)
        _thread_labels(options, self._snapshot, self._labels)
        return options

    def blocks(self, index):
        """The Snapshot of the blocks of a row, of statistics that are not cumulative."""
        made = type(self._snapshot)()
        made.computed = self._snapshot.computed
        check(library().asnap_statistics_blocks(self, self._snapshot, index, made.out))
        return made


class Diff(Rows, Object):
    """Two snapshots compared, group by group, the largest difference first.

    What is `unfiltered` is a pair of Snapshots, new and old. `labels`: of threads of the
    new one.
    """

    destroy = "asnap_diff_destroy"
    render_function = "asnap_render_diff"

    def __init__(self, new, old, key, cumulative=False, labels=None):
        super().__init__()
        self._new, self._labels = new, labels
        number = keys()[key].number
        check(library().asnap_diff_create(new, old, number, cumulative, self.out))

    def options(self, limit):
        options = super().options(limit)
        _thread_labels(options, self._new, self._labels)
        return options

    def total(self, unfiltered):
        new, old = unfiltered
        return native.StatisticDiff(
            size=new.size,
            count=new.count,
            size_diff=new.size - old.size,
            count_diff=new.count - old.count,
        )


class _String(Object):
    destroy = "asnap_string_destroy"


def format_size(size):
    """A size as tracemalloc shows it: 10239 B, 10.0 KiB, 100 KiB."""
    buffer = ctypes.create_string_buffer(32)
    library().asnap_format_size(size, False, buffer, len(buffer))
    return buffer.value.decode("ascii")
