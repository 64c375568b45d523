"""Dumps for the standard library: tracemalloc loads them, and finds what was there."""

import ctypes
import os
import pickletools
import random
import sys
import tempfile
import tracemalloc
import unittest
from ctypes import byref

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "core", "python"))

# pylint: disable=wrong-import-position
from allocsnap.library import native  # noqa: E402

KEYS = [("filename", False), ("lineno", False), ("traceback", False),
        ("filename", True), ("lineno", True)]

# Names from debug information: any bytes but NUL.
NAMES = ["/src/a.c", "/src/\u00e9\u20ac\U0001f600.c", "", "x" * 255, "y" * 256, "z" * 70000,
         os.fsdecode(b"/src/\xff\xfe.c"), os.fsdecode(b"\xed\xa0\x80\xc0\xaf"), "a\nb\t\"'.c"]
LINES = [0, 1, 255, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1]
SIZES = [0, 1, 255, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32, 2**40]


def check(error):
    if error:
        message = native.library().asnap_error_message(error).decode()
        native.library().asnap_error_destroy(error)
        raise AssertionError(message)


def build(traces, limit):
    """A snapshot of the library, of tracemalloc's raw traces."""
    library, builder, number = native.library(), ctypes.c_void_p(), ctypes.c_uint32()
    check(library.asnap_builder_create(byref(builder)))
    array = (native.Trace * len(traces))()
    for i, (domain, size, frames, total) in enumerate(traces):
        ids = (ctypes.c_uint32 * len(frames))()
        for k, (filename, lineno) in enumerate(frames):
            # Functions tell frames apart that are one to tracemalloc.
            function = b"f%d" % (i % 3)
            frame = native.Frame(os.fsencode(filename), function, lineno, False)
            check(library.asnap_builder_frame(builder, byref(frame), 0, native.NO_MAPPING, byref(number)))
            ids[k] = number.value
        check(library.asnap_builder_traceback(builder, ids, len(ids), total, byref(number)))
        array[i] = (0x1000 + 16 * i, size, number.value, domain)
    check(library.asnap_builder_traces(builder, array, len(traces)))
    snapshot = ctypes.c_void_p()
    check(library.asnap_builder_finish(builder, limit, byref(snapshot)))
    library.asnap_builder_destroy(builder)
    return snapshot


def random_traces(generator, most):
    frames = [(generator.choice(NAMES), generator.choice(LINES)) for _ in range(20)]
    traces = []
    for _ in range(generator.randint(0, most)):
        stack = tuple(generator.choices(frames, k=generator.randint(1, 6)))
        total = generator.choice([len(stack), len(stack) + 1, 300, 65535])
        domain = generator.choice([0, 0, 0, 1, 255, 256, 2**32 - 1])
        traces.append((domain, generator.choice(SIZES), stack, total))
    return traces


class DumpTracemalloc(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = os.path.join(directory.name, "dump")

    def dump(self, snapshot, attributes=None):
        array, count = None, 0
        if attributes is not None:
            array, count = (native.Attribute * len(attributes))(*attributes), len(attributes)
        check(
            native.library().asnap_snapshot_dump_tracemalloc(
                snapshot, os.fsencode(self.path), array, count
            )
        )
        return tracemalloc.Snapshot.load(self.path)

    def check_same(self, traces, limit):
        snapshot = build(traces, limit)
        loaded = self.dump(snapshot)
        native.library().asnap_snapshot_destroy(snapshot)
        self.assertEqual(loaded.traces._traces, traces)
        self.assertIsInstance(loaded.traces._traces, list)
        self.assertEqual(loaded.traceback_limit, limit)
        wanted = tracemalloc.Snapshot(traces, limit)
        self.assertEqual(list(loaded.traces), list(wanted.traces))
        self.assertEqual(vars(loaded).keys(), vars(wanted).keys())
        for key, cumulative in KEYS:
            self.assertEqual(
                loaded.statistics(key, cumulative), wanted.statistics(key, cumulative)
            )

    def test_random_snapshots(self):
        generator = random.Random(23)
        for number in range(60):
            traces = random_traces(generator, 60)
            with self.subTest(number=number):
                self.check_same(traces, generator.choice([1, 16, 256, 65535]))

    def test_batches(self):
        generator = random.Random(29)
        for count in (0, 1, 999, 1000, 1001, 2000):
            traces = [(0, 8, ((NAMES[generator.randrange(2)], i),), 1) for i in range(count)]
            with self.subTest(count=count):
                self.check_same(traces, 16)

    def test_frames_that_were_not_counted_are_none(self):
        frames = (("/a.c", 1),)
        snapshot = build([(0, 8, frames, native.TOTAL_UNKNOWN), (0, 8, frames, 1)], 1)
        loaded = self.dump(snapshot)
        native.library().asnap_snapshot_destroy(snapshot)
        self.assertEqual(loaded.traces._traces, [(0, 8, frames, None), (0, 8, frames, 1)])
        self.assertIsNone(loaded.traces[0].traceback.total_nframe)
        self.assertEqual([row.size for row in loaded.statistics("traceback")], [16])

    def test_attributes(self):
        snapshot = build([(0, 1, (("/a.c", 1),), 1)], 16)
        loaded = self.dump(snapshot, [(b"name", "\u00e9".encode()), (b"traces", b"no")])
        native.library().asnap_snapshot_destroy(snapshot)
        self.assertEqual(loaded.name, "\u00e9")
        self.assertEqual(len(loaded.traces), 1)

    def test_names_nothing_but_tracemalloc(self):
        snapshot = build(random_traces(random.Random(31), 40), 16)
        self.dump(snapshot)
        native.library().asnap_snapshot_destroy(snapshot)
        with open(self.path, "rb") as file:
            opcodes = list(pickletools.genops(file))
        named = {argument for opcode, argument, _ in opcodes if "GLOBAL" in opcode.name}
        self.assertEqual(named, {"tracemalloc Snapshot", "tracemalloc _Traces"})
        self.assertEqual(max(opcode.proto for opcode, _, _ in opcodes), 4)

    def test_old_file_stays(self):
        snapshot = build([], 16)
        directory = os.path.dirname(self.path)
        error = native.library().asnap_snapshot_dump_tracemalloc(
            snapshot, os.fsencode(directory), None, 0
        )
        native.library().asnap_snapshot_destroy(snapshot)
        with self.assertRaisesRegex(AssertionError, "cannot write .*: it is no regular file"):
            check(error)
        self.assertEqual(os.listdir(directory), [])


if __name__ == "__main__":
    unittest.main()
