"""Statistics and sizes against CPython's own tracemalloc, row by row."""

import ctypes
import os
import random
import tracemalloc
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("ALLOCSNAP_BUILD", os.path.join(ROOT, "build"))
LIBRARY = os.path.join(BUILD, "liballocsnap.so")

KEYS = {"filename": 0, "lineno": 1, "traceback": 2}
MODES = [("filename", False), ("lineno", False), ("traceback", False),
         ("filename", True), ("lineno", True)]


class Frame(ctypes.Structure):
    _fields_ = [("filename", ctypes.c_char_p), ("function", ctypes.c_char_p),
                ("lineno", ctypes.c_uint32), ("inlined", ctypes.c_bool),
                ("named_by", ctypes.c_uint8)]


class Trace(ctypes.Structure):
    _fields_ = [("address", ctypes.c_uint64), ("size", ctypes.c_uint64),
                ("traceback_id", ctypes.c_uint32), ("domain", ctypes.c_uint32),
                ("thread", ctypes.c_uint32), ("time", ctypes.c_uint32)]


# ASNAP_NO_MAPPING
NO_MAPPING = ctypes.c_uint32(2**32 - 1)


class Statistic(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint64), ("count", ctypes.c_uint64),
                ("frame_count", ctypes.c_size_t), ("total_nframe", ctypes.c_uint32),
                ("function_count", ctypes.c_uint32)]


class Filter(ctypes.Structure):
    _fields_ = [("inclusive", ctypes.c_bool), ("filename_pattern", ctypes.c_char_p),
                ("has_lineno", ctypes.c_bool), ("lineno", ctypes.c_uint32),
                ("all_frames", ctypes.c_bool), ("has_domain", ctypes.c_bool),
                ("domain", ctypes.c_uint32), ("classes", ctypes.c_uint32)]


class StatisticDiff(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint64), ("count", ctypes.c_uint64),
                ("size_diff", ctypes.c_int64), ("count_diff", ctypes.c_int64),
                ("frame_count", ctypes.c_size_t), ("total_nframe", ctypes.c_uint32),
                ("function_count", ctypes.c_uint32)]


def load():
    library = ctypes.CDLL(LIBRARY)
    for name in ("builder_create", "builder_frame", "builder_traceback", "builder_traces",
                 "builder_finish", "snapshot_filter", "statistics_create",
                 "diff_create"):
        getattr(library, "asnap_" + name).restype = ctypes.c_void_p
    library.asnap_error_message.restype = ctypes.c_char_p
    library.asnap_error_message.argtypes = [ctypes.c_void_p]
    library.asnap_error_destroy.argtypes = [ctypes.c_void_p]
    library.asnap_statistics_count.restype = ctypes.c_size_t
    library.asnap_statistics_row.restype = Statistic
    library.asnap_statistics_row.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    library.asnap_statistics_frame.restype = Frame
    library.asnap_statistics_frame.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t]
    library.asnap_diff_count.restype = ctypes.c_size_t
    library.asnap_diff_row.restype = StatisticDiff
    library.asnap_diff_row.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    library.asnap_diff_frame.restype = Frame
    library.asnap_diff_frame.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t]
    library.asnap_format_size.argtypes = [ctypes.c_int64, ctypes.c_bool, ctypes.c_char_p,
                                          ctypes.c_size_t]
    library.asnap_format_size.restype = None
    return library


class Native:
    """Snapshots of the library, made of tracemalloc's raw traces."""

    def __init__(self):
        self.library = load()

    def check(self, error):
        if error:
            message = self.library.asnap_error_message(error).decode()
            self.library.asnap_error_destroy(error)
            raise AssertionError(message)

    def snapshot(self, traces, limit):
        builder = ctypes.c_void_p()
        self.check(self.library.asnap_builder_create(ctypes.byref(builder)))
        array = (Trace * max(len(traces), 1))()
        for i, (domain, size, frames, total_nframe) in enumerate(traces):
            array[i] = Trace(0x1000 + 16 * i, size,
                             self.traceback(builder, frames, total_nframe), domain)
        self.check(self.library.asnap_builder_traces(builder, array, ctypes.c_size_t(len(traces))))
        snapshot = ctypes.c_void_p()
        self.check(self.library.asnap_builder_finish(builder, ctypes.c_uint32(limit),
                                                     ctypes.byref(snapshot)))
        self.library.asnap_builder_destroy(builder)
        return snapshot

    def traceback(self, builder, frames, total_nframe):
        ids = (ctypes.c_uint32 * len(frames))()
        for i, (filename, lineno) in enumerate(frames):
            # tracemalloc knows no functions: at a known line they must change nothing.
            function = b"f%d" % (i % 3) if lineno else None
            frame = Frame(filename.encode(), function, lineno, i % 2 == 1)
            number = ctypes.c_uint32()
            self.check(self.library.asnap_builder_frame(builder, ctypes.byref(frame),
                                                        ctypes.c_uint64(0), NO_MAPPING,
                                                        ctypes.byref(number)))
            ids[i] = number.value
        traceback = ctypes.c_uint32()
        self.check(self.library.asnap_builder_traceback(
            builder, ids, ctypes.c_size_t(len(frames)), ctypes.c_uint32(total_nframe),
            ctypes.byref(traceback)))
        return traceback.value

    def statistics(self, snapshot, key, cumulative):
        statistics = ctypes.c_void_p()
        self.check(self.library.asnap_statistics_create(
            snapshot, ctypes.c_int(KEYS[key]), ctypes.c_bool(cumulative),
            ctypes.byref(statistics)))
        rows = []
        for i in range(self.library.asnap_statistics_count(statistics)):
            row = self.library.asnap_statistics_row(statistics, i)
            frames = []
            for j in range(row.frame_count):
                frame = self.library.asnap_statistics_frame(statistics, i, j)
                frames.append((frame.filename.decode(), frame.lineno))
            rows.append((row.size, row.count, tuple(frames)))
        self.library.asnap_statistics_destroy(statistics)
        return rows


    def diff(self, new, old, key, cumulative):
        diff = ctypes.c_void_p()
        self.check(self.library.asnap_diff_create(
            new, old, ctypes.c_int(KEYS[key]), ctypes.c_bool(cumulative), ctypes.byref(diff)))
        rows = []
        for i in range(self.library.asnap_diff_count(diff)):
            row = self.library.asnap_diff_row(diff, i)
            frames = []
            for j in range(row.frame_count):
                frame = self.library.asnap_diff_frame(diff, i, j)
                frames.append((frame.filename.decode(), frame.lineno))
            rows.append((row.size, row.size_diff, row.count, row.count_diff, tuple(frames)))
        self.library.asnap_diff_destroy(diff)
        return rows

    def filter(self, snapshot, filters):
        array = (Filter * max(len(filters), 1))()
        for native, wanted in zip(array, filters):
            native.inclusive = wanted.inclusive
            native.has_domain = wanted.domain is not None
            native.domain = wanted.domain or 0
            if isinstance(wanted, tracemalloc.Filter):
                native.filename_pattern = wanted.filename_pattern.encode()
                native.has_lineno = wanted.lineno is not None
                native.lineno = wanted.lineno or 0
                native.all_frames = wanted.all_frames
        filtered = ctypes.c_void_p()
        self.check(self.library.asnap_snapshot_filter(
            snapshot, array, ctypes.c_size_t(len(filters)), ctypes.byref(filtered)))
        return filtered


FILENAMES = ["/src/a.c", "/src/b.c", "/src/a.cc", "/src/\u00e9t\u00e9.c", "/src/\U0001f40d.c",
             "/src/\ufb01.c", "/SRC/a.c", "/src/a", "", "<unknown>",
             "/usr/lib/libc.so.6", "/p/mod.py", "/p/mod.pyc"]
SIZES = [0, 1, 8, 8, 8, 16, 24, 4096, 1 << 20, (1 << 53) + 1]


def random_traces(generator):
    """Raw traces as _tracemalloc._get_traces gives them, with many ties."""
    filenames = generator.sample(FILENAMES, generator.randint(1, len(FILENAMES)))
    lines = generator.choice([[1], [0, 1], [0, 1, 2, 3], [1, 2, 10, 100, 2**32 - 1]])
    depth = generator.choice([1, 2, 3, 8])
    frames = [(filename, line) for filename in filenames for line in lines]
    stacks = []
    for _ in range(generator.randint(1, 30)):
        if stacks and generator.random() < 0.3:
            # A shorter or longer stack with the same oldest frames.
            stack = generator.choice(stacks)
            stack = stack[generator.randrange(len(stack)):]
            stack = tuple(generator.choices(frames, k=generator.randint(0, 2))) + stack
        else:
            stack = tuple(generator.choices(frames, k=generator.randint(1, depth)))
        stacks.append(stack)
    sizes = generator.choice([SIZES, [8], [0], [1, 2, 3]])
    domains = generator.choice([[0], [0, 1], [0, 7, 2**32 - 1]])
    traces = []
    for _ in range(generator.choice([0, 1, 5, 40, 200])):
        stack = generator.choice(stacks)
        total = len(stack) + generator.choice([0, 0, 3])
        traces.append((generator.choice(domains), generator.choice(sizes), stack, total))
    return traces


def random_pattern(generator):
    if generator.random() < 0.4:
        return generator.choice(["*", "/src/*", "*.c", "*.c*", "?src/[ab].c", "[!/]*", "", "*.pyc",
                                 "*[\u00e0-\u00ff]*", "*/[A-Z][A-Z]*"])
    return "".join(generator.choices("/ab.c*?[]!-^\\", k=generator.randint(0, 9)))


def random_filter(generator):
    inclusive = generator.random() < 0.5
    if generator.random() < 0.2:
        return tracemalloc.DomainFilter(inclusive, generator.choice([0, 1, 7]))
    return tracemalloc.Filter(inclusive, random_pattern(generator),
                              lineno=generator.choice([None, None, 0, 1, 2]),
                              all_frames=generator.random() < 0.5,
                              domain=generator.choice([None, None, None, 0, 1]))


def rows_of(statistics):
    """tracemalloc's rows; its tracebacks are oldest first."""
    return [(row.size, row.count,
             tuple((frame.filename, frame.lineno) for frame in reversed(row.traceback)))
            for row in statistics]


class StatisticsDifferential(unittest.TestCase):
    def setUp(self):
        self.native = Native()

    def test_random_snapshots(self):
        generator = random.Random(20240611)
        rows = 0
        for number in range(300):
            traces = random_traces(generator)
            expected = tracemalloc.Snapshot(traces, 16)
            snapshot = self.native.snapshot(traces, 16)
            for key, cumulative in MODES:
                with self.subTest(snapshot=number, key=key, cumulative=cumulative):
                    wanted = rows_of(expected.statistics(key, cumulative))
                    self.assertEqual(self.native.statistics(snapshot, key, cumulative), wanted)
                    rows += len(wanted)
            self.native.library.asnap_snapshot_destroy(snapshot)
        self.assertGreater(rows, 5000)

    def test_many_rows_with_equal_sizes(self):
        generator = random.Random(5)
        frames = [("/src/%d.c" % (i % 7), i % 11) for i in range(77)]
        traces = [(0, 8 * generator.randint(1, 3),
                   tuple(generator.choices(frames, k=generator.randint(1, 20))), 20)
                  for _ in range(3000)]
        expected = tracemalloc.Snapshot(traces, 20)
        snapshot = self.native.snapshot(traces, 20)
        for key, cumulative in MODES:
            with self.subTest(key=key, cumulative=cumulative):
                self.assertEqual(self.native.statistics(snapshot, key, cumulative),
                                 rows_of(expected.statistics(key, cumulative)))
        self.native.library.asnap_snapshot_destroy(snapshot)


class FilterDifferential(unittest.TestCase):
    def test_random_filters(self):
        native = Native()
        generator = random.Random(11)
        outcomes = {"all": 0, "some": 0, "none": 0}
        for number in range(400):
            traces = random_traces(generator)
            filters = [random_filter(generator) for _ in range(generator.randint(0, 4))]
            wanted = tracemalloc.Snapshot(list(traces), 16).filter_traces(filters)
            snapshot = native.snapshot(traces, 16)
            filtered = native.filter(snapshot, filters)
            native.library.asnap_snapshot_destroy(snapshot)
            with self.subTest(number=number, filters=[vars(each) for each in filters]):
                self.assertEqual(native.statistics(filtered, "traceback", False),
                                 rows_of(wanted.statistics("traceback")))
            native.library.asnap_snapshot_destroy(filtered)
            count = len(wanted.traces)
            outcomes["none" if not count else "all" if count == len(traces) else "some"] += 1
        self.assertTrue(all(count > 20 for count in outcomes.values()), outcomes)

    def test_random_patterns(self):
        native = Native()
        generator = random.Random(13)
        matched = 0
        for _ in range(3000):
            pattern = random_pattern(generator)
            alphabet = "!-^]ab\\&~|[*"
            if generator.random() < 0.6:
                # A set of few characters, which ranges can leave empty.
                members = generator.choices(alphabet, k=generator.randint(0, 8))
                pattern = "[%s]" % "".join(members)
            names = ["".join(generator.choices(alphabet, k=generator.randint(0, 2)))
                     for _ in range(12)]
            traces = [(0, 1, ((name, 1),), 1) for name in names]
            filters = [tracemalloc.Filter(True, pattern)]
            wanted = tracemalloc.Snapshot(traces, 1).filter_traces(filters)
            snapshot = native.snapshot(traces, 1)
            filtered = native.filter(snapshot, filters)
            self.assertEqual(native.statistics(filtered, "filename", False),
                             rows_of(wanted.statistics("filename")), (pattern, names))
            native.library.asnap_snapshot_destroy(filtered)
            native.library.asnap_snapshot_destroy(snapshot)
            matched += bool(wanted.traces)
        self.assertGreater(matched, 300)


class DiffDifferential(unittest.TestCase):
    def check(self, native, pair, wanted):
        rows = 0
        for key, cumulative in MODES:
            with self.subTest(key=key, cumulative=cumulative):
                expected = [
                    (row.size, row.size_diff, row.count, row.count_diff,
                     tuple((frame.filename, frame.lineno) for frame in reversed(row.traceback)))
                    for row in wanted[0].compare_to(wanted[1], key, cumulative)]
                self.assertEqual(native.diff(pair[0], pair[1], key, cumulative), expected)
                rows += len(expected)
        return rows

    def test_random_snapshots(self):
        native = Native()
        generator = random.Random(17)
        rows = 0
        for _ in range(200):
            old = random_traces(generator)
            # Some of the old blocks live on, and there are new ones.
            new = generator.sample(old, len(old) // 2) + random_traces(generator)
            pair = [native.snapshot(traces, 16) for traces in (new, old)]
            rows += self.check(native, pair,
                               [tracemalloc.Snapshot(traces, 16) for traces in (new, old)])
            for snapshot in pair:
                native.library.asnap_snapshot_destroy(snapshot)
        self.assertGreater(rows, 5000)

    def test_filtered_snapshots(self):
        native = Native()
        generator = random.Random(19)
        rows = 0
        for _ in range(100):
            traces = random_traces(generator)
            filters = [[random_filter(generator)] for _ in range(2)]
            snapshot = native.snapshot(traces, 16)
            pair = [native.filter(snapshot, each) for each in filters]
            whole = tracemalloc.Snapshot(traces, 16)
            rows += self.check(native, pair, [whole.filter_traces(each) for each in filters])
            for each in pair + [snapshot]:
                native.library.asnap_snapshot_destroy(each)
        self.assertGreater(rows, 1000)


class SizeDifferential(unittest.TestCase):
    def test_sizes(self):
        library = load()
        generator = random.Random(3)
        sizes = [generator.randint(0, 1 << bits) for bits in range(63) for _ in range(20)]
        for bits in range(63):
            sizes += [(1 << bits) + i for i in (-1, 0, 1)]
            sizes += [(10 << bits) + i for i in (-1, 0, 1) if (10 << bits) < 2**62]
            sizes += [(100 << bits) + i for i in (-52, -51, -1, 0, 1) if (100 << bits) < 2**62]
        sizes += [-size for size in sizes] + [2**63 - 1, -2**63]
        buffer = ctypes.create_string_buffer(32)
        for size in sizes:
            for sign in (False, True):
                library.asnap_format_size(size, sign, buffer, 32)
                self.assertEqual(buffer.value.decode(), tracemalloc._format_size(size, sign))


if __name__ == "__main__":
    unittest.main()
