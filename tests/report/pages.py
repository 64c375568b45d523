"""Snapshots that are made up, and pages of them."""

import ctypes
import os
import random
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "core", "python"))

# pylint: disable=wrong-import-position
from allocsnap.library import exports, native, objects, report_page, rows  # noqa: E402
from allocsnap.library.calls import Calls  # noqa: E402
from allocsnap.library.native import check, library  # noqa: E402
from allocsnap.library.skip_rules import SkipRules  # noqa: E402

NO_MAPPING = 2**32 - 1


class Maker:
    """Builds a snapshot. A frame is (file, function, line, inlined, module), bytes or None, and a
    stack a list of them, most recent first."""

    def __init__(self):
        self._builder = ctypes.c_void_p()
        check(library().asnap_builder_create(ctypes.byref(self._builder)))
        self._mappings = {}
        self._stacks = {}
        self._traces = []

    def _mapping(self, path):
        if path is None:
            return NO_MAPPING
        if path not in self._mappings:
            number = len(self._mappings)
            start = 0x100000 * (number + 1)
            mapping = native.Mapping(start, start + 0x100000, 0, path, b"%02x" % number)
            check(library().asnap_builder_mapping(self._builder, ctypes.byref(mapping)))
            self._mappings[path] = number
        return self._mappings[path]

    def _frame(self, frame):
        filename, function, lineno, inlined, module = frame
        number = ctypes.c_uint32()
        made = native.Frame(filename, function, lineno, inlined)
        check(
            library().asnap_builder_frame(
                self._builder, ctypes.byref(made), 0, self._mapping(module), ctypes.byref(number)
            )
        )
        return number.value

    def stack(self, frames, total=0):
        """The number of a stack."""
        key = (tuple(frames), total)
        if key not in self._stacks:
            ids = (ctypes.c_uint32 * len(frames))(*map(self._frame, frames))
            number = ctypes.c_uint32()
            check(
                library().asnap_builder_traceback(
                    self._builder, ids, len(frames), total, ctypes.byref(number)
                )
            )
            self._stacks[key] = number.value
        return self._stacks[key]

    def block(self, size, stack, domain=0, thread=0, time=2**32 - 1):
        self._traces.append((size, stack, domain, thread, time))

    def finish(self, threads=(), start_time=0, domains=(), notes=(), sample_period=0):
        """The Snapshot, attributed as commands do."""
        lib = library()
        numbers = (ctypes.c_uint32 * (len(threads) + 1))(0, *threads)
        check(lib.asnap_builder_threads(self._builder, numbers, len(numbers)))
        check(lib.asnap_builder_start_time(self._builder, start_time))
        check(lib.asnap_builder_sample_period(self._builder, sample_period))
        for number, name in domains:
            check(lib.asnap_builder_domain_name(self._builder, number, name))
        for note in notes:
            check(lib.asnap_builder_note(self._builder, note))
        array = (native.Trace * len(self._traces))()
        for place, (size, stack, domain, thread, time) in enumerate(self._traces):
            array[place] = native.Trace(0x7F0000000000 + 0x100 * place, size, stack, domain, thread, time)
        check(lib.asnap_builder_traces(self._builder, array, len(array)))
        snapshot = objects.Snapshot()
        check(lib.asnap_builder_finish(self._builder, 16, snapshot.out))
        lib.asnap_builder_destroy(self._builder)
        return snapshot.skip(SkipRules())


def random_snapshot(seed, blocks=4000, files=12, start_time=1700000000 * 10**9, sample_period=0):
    """A Snapshot of many kinds of blocks, the same for the same seed."""
    chance = random.Random(seed)
    maker = Maker()
    modules = [b"/usr/bin/server", b"/usr/lib/libcache.so.1", b"/usr/lib/libparse.so", None]
    frames = []
    for number in range(files * 12):
        file = b"/home/me/src/part%d/file%d.c" % (number % files // 4, number % files)
        function = b"function_%d" % (number // 3) if number % 17 else None
        lineno = 10 + number if number % 13 else 0
        module = modules[number % files % 4]
        if lineno == 0:
            file = module or b"<unknown>"
        frames.append((file, function, lineno, number % 5 == 0, module))
    stacks = []
    for _ in range(blocks // 20):
        base = chance.choice(stacks)[-chance.randrange(1, 8) :] if stacks and chance.random() < 0.8 else []
        stacks.append([chance.choice(frames) for _ in range(chance.randrange(1, 6))] + base)
    numbers = [maker.stack(stack, len(stack) + chance.choice([0, 0, 3])) for stack in stacks]
    for _ in range(blocks):
        maker.block(
            chance.choice([0, 1, 16, 24, 100, 4096, 70000]) * chance.randrange(1, 9),
            chance.choice(numbers),
            chance.choice([0, 0, 0, 3, 9]),
            chance.randrange(4),
            chance.choice([2**32 - 1, chance.randrange(50), chance.randrange(100000)]),
        )
    return maker.finish(
        threads=[4711, 4712, 4711],
        start_time=start_time,
        domains=[(3, b"pool")],
        notes=[b"7 blocks were dropped"],
        sample_period=sample_period,
    )


def write(path, snapshot, old=None, facts=(), source_lines=True, labels=None):
    """Writes the page of a Snapshot. A fact is (name, value, whether it is of the older one);
    `labels`: {kernel thread number: what the debugger calls it}."""
    facts = [report_page.Fact(os.fsdecode(name), os.fsdecode(value), is_old) for name, value, is_old in facts]
    labels = {number: os.fsdecode(label) for number, label in (labels or {}).items()}
    report = report_page.Report(facts, labels, source_lines)
    exports.write(Calls(), snapshot, exports.formats()["report"], path, old, report=report)


def statistics(snapshot, key, cumulative=False):
    """What `snapshot stats --json` prints of it."""
    return rows.Statistics(snapshot, key, cumulative).render("json")


def difference(snapshot, old, key, cumulative=False):
    """The same of `snapshot diff`."""
    return rows.Diff(snapshot, old, key, cumulative).render("json")


def small_snapshot():
    """main calls parse, which has 3 blocks of 100 bytes, and store, which has one of 700; a thread
    of its own has one of 1000 in log."""
    maker = Maker()
    main = (b"/s/main.c", b"main", 10, False, b"/bin/server")
    parse = (b"/s/parse.c", b"parse", 20, False, b"/bin/server")
    store = (b"/s/store.c", b"store", 30, False, b"/lib/libstore.so")
    log = (b"/s/log.c", b"log", 40, False, b"/lib/liblog.so")
    for time in (0, 100, 5000):
        maker.block(100, maker.stack([parse, main]), thread=1, time=time)
    maker.block(700, maker.stack([store, parse, main]), thread=1, time=9000, domain=3)
    maker.block(1000, maker.stack([log]), thread=2, time=10000)
    return maker.finish(threads=[4711, 4712], start_time=1700000000 * 10**9, domains=[(3, b"pool")])


def of_times(times):
    """A Snapshot with a block of each of these times, in 1/100 s."""
    maker = Maker()
    stack = maker.stack([(b"/s/main.c", b"main", 10, False, b"/bin/server")])
    for time in times:
        maker.block(100, stack, time=time)
    return maker.finish(start_time=1700000000 * 10**9)
