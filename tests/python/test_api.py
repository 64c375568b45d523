"""What the Python API has of its own: the library, who asked for blocks and when, functions of frames."""

import os
import pickle
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PACKAGES = os.path.join(ROOT, "core", "python")
sys.path.insert(0, PACKAGES)

# pylint: disable=wrong-import-position
import allocsnap  # noqa: E402
from allocsnap.frames import NativeFrame  # noqa: E402

INNER = NativeFrame.make("/src/a.h", 3, "inner", True)
OUTER = NativeFrame.make("/src/a.c", 7, "outer", False)
MODULE = NativeFrame.make("/lib/x.so", 0, "in_x", False)
NAMED = [(0, 24, (INNER, OUTER), 9), (2, 8, (MODULE,), 1)]


def python(code, **environment):
    """What a Python of its own prints."""
    return subprocess.run(
        [sys.executable, "-c", code],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        env=dict(os.environ, PYTHONPATH=PACKAGES, **environment),
        check=True,
    ).stdout


class ByClass(unittest.TestCase):
    """ReachFilter where no graph was computed; e2e.test_reach has the rest."""

    def test_traces_that_were_given(self):
        snapshot = allocsnap.Snapshot(NAMED, 16)
        for filters in ([allocsnap.ReachFilter(True, "definite")],
                        [allocsnap.ReachFilter(False, "possible"), allocsnap.DomainFilter(True, 2)]):
            with self.assertRaisesRegex(allocsnap.AllocsnapError, "does not say what pointed to"):
                snapshot.filter_traces(filters)
        with self.assertRaisesRegex(allocsnap.AllocsnapError, "does not say its class"):
            allocsnap.ReachFilter(True, "definite")._match(NAMED[0])

    def test_what_is_no_class(self):
        for reach in ("lost", "", None, ["definite"]):
            with self.assertRaisesRegex(ValueError, "^reach is one of definite, indirect, possible"):
                allocsnap.ReachFilter(True, reach)
        one = allocsnap.ReachFilter(inclusive=False, reach="possible")
        self.assertEqual((one.inclusive, one.reach), (False, "possible"))
        with self.assertRaises(AttributeError):
            one.reach = "definite"


class Library(unittest.TestCase):
    def test_importing_loads_nothing(self):
        code = """
import sys, allocsnap as tracemalloc
from allocsnap.library import native
print(native._library, 'gdb' in sys.modules, 'pickle' in sys.modules)
print(tracemalloc.is_tracing(), tracemalloc.Snapshot([], 1).traces)
"""
        self.assertEqual(
            python(code, ALLOCSNAP_LIBRARY="/nonexistent"),
            "None False False\nFalse <Traces len=0>\n",
        )

    def test_a_library_that_is_not_there(self):
        code = """
import allocsnap
try:
    allocsnap.Snapshot([], 1).statistics('lineno')
except allocsnap.AllocsnapError as error:
    print(error)
"""
        message = python(code, ALLOCSNAP_LIBRARY="/nonexistent")
        self.assertTrue(message.startswith("/nonexistent cannot be loaded"), message)
        self.assertEqual(message.count("\n"), 1)

    def test_star_import(self):
        self.assertEqual([name for name in allocsnap.__all__ if not hasattr(allocsnap, name)], [])


class Origins(unittest.TestCase):
    """Which thread asked for a block, and when."""

    CORPUS = os.path.join(ROOT, "tests", "fuzz", "corpus", "load")

    def check_known(self, traces):
        self.assertEqual(
            [(trace.thread, trace.time) for trace in traces],
            [(4711, 0.0), (4712, 12.34), (None, None), (4711, 0.77), (None, 12.34), (4712, None)],
        )

    def test_of_a_file(self):
        snapshot = allocsnap.Snapshot.load(os.path.join(self.CORPUS, "everything.dump"))
        self.check_known(snapshot.traces)
        self.check_known([snapshot.traces[i] for i in range(6)])
        self.check_known(snapshot.traces[:])
        self.assertEqual(snapshot.start_time, 1715954590.123456789)
        kept = snapshot.filter_traces([allocsnap.DomainFilter(True, 3)])
        self.assertEqual([(trace.thread, trace.time) for trace in kept.traces], [(4712, 12.34)])
        self.assertEqual(len(snapshot.traces._traces), 6)
        self.check_known(snapshot.traces)

    def test_take_no_part_in_comparisons(self):
        snapshot = allocsnap.Snapshot.load(os.path.join(self.CORPUS, "everything.dump"))
        given = allocsnap.Snapshot(list(snapshot.traces._traces), 16)
        self.assertEqual(snapshot.traces[0], given.traces[0])
        self.assertEqual(hash(snapshot.traces[0]), hash(given.traces[0]))
        self.assertEqual(snapshot.traces, given.traces)

    def test_are_unknown(self):
        old = allocsnap.Snapshot.load(os.path.join(self.CORPUS, "version_1.dump"))
        given = allocsnap.Snapshot(NAMED, 16)
        given.statistics("lineno")
        for snapshot in (old, given, allocsnap.Snapshot(NAMED, 16)):
            self.assertIsNone(snapshot.start_time)
            for trace in list(snapshot.traces) + [snapshot.traces[0]]:
                self.assertEqual((trace.thread, trace.time), (None, None))


class Functions(unittest.TestCase):
    def check_frames(self, traces):
        inner, outer = reversed(traces[0].traceback)
        self.assertEqual((inner.function, inner.inlined), ("inner", True))
        self.assertEqual((outer.function, outer.inlined), ("outer", False))
        self.assertEqual(traces[1].traceback[0].function, "in_x")

    def test_they_come_through_the_library(self):
        snapshot = allocsnap.Snapshot(NAMED, 16)
        self.check_frames(snapshot.traces)
        rows = snapshot.statistics("lineno") + snapshot.compare_to(snapshot, "lineno")
        self.assertEqual([row.traceback[0].function for row in rows], ["inner", "in_x"] * 2)
        whole = snapshot.statistics("traceback")[0].traceback
        self.assertEqual([frame.function for frame in whole], ["outer", "inner"])
        by_file = snapshot.statistics("filename")[0].traceback[0]
        self.assertEqual((by_file.function, by_file.named_by), (None, None))
        with tempfile.TemporaryDirectory() as directory:
            snapshot.dump(os.path.join(directory, "a"))
            loaded = allocsnap.Snapshot.load(os.path.join(directory, "a")).traces
            self.check_frames(loaded)
            names = [frame.named_by for trace in loaded[:2] for frame in trace.traceback]
            self.assertEqual(names, ["line table", "inline", "symbol table"])

    def test_they_take_no_part_in_comparisons(self):
        plain = [(trace[0], trace[1], tuple(map(tuple, trace[2])), trace[3]) for trace in NAMED]
        named, unnamed = allocsnap.Snapshot(NAMED, 16), allocsnap.Snapshot(plain, 16)
        self.assertIsNone(unnamed.traces[0].traceback[0].function)
        self.assertEqual(named.traces, unnamed.traces)
        self.assertEqual(named.statistics("lineno"), unnamed.statistics("lineno"))
        self.assertEqual(hash(named.traces[0]), hash(unnamed.traces[0]))
        self.assertEqual(repr(named.traces[0]), repr(unnamed.traces[0]))

    def test_pickles_keep_them(self):
        snapshot = pickle.loads(pickle.dumps(allocsnap.Snapshot(NAMED, 16)))
        self.check_frames(snapshot.traces)

    def test_skip(self):
        snapshot = allocsnap.Snapshot(NAMED, 16)
        rows = snapshot.skip(["inn*"]).statistics("lineno")
        self.assertEqual([str(row.traceback) for row in rows], ["/src/a.c:7", "/lib/x.so:0"])
        rows = snapshot.skip(["/src/*.h"]).skip([]).statistics("lineno")
        self.assertEqual([str(row.traceback) for row in rows], ["/src/a.h:3", "/lib/x.so:0"])
        kept = snapshot.skip(["inner"]).filter_traces([allocsnap.Filter(True, "*.c")])
        self.assertEqual(kept.traces._traces, NAMED[:1])

    def test_built_in_sets(self):
        places = (("/s/mem.c", 3), ("/i/c++/v.h", 4), ("/s/a.c", 7))
        names = ("xmalloc", "std::vector<A>::grow()", "f")
        frames = tuple(NativeFrame.make(*place, name, False) for place, name in zip(places, names))
        snapshot = allocsnap.Snapshot([(0, 5, places, 3)], 16)
        named = allocsnap.Snapshot([(0, 5, frames, 3)], 16)
        # Snapshots of given traces are as they are given, and sets need names.
        self.assertEqual(str(named.statistics("lineno")[0].traceback), "/s/mem.c:3")
        self.assertEqual(str(snapshot.skip().statistics("lineno")[0].traceback), "/s/mem.c:3")
        for standard, place in ((True, "/s/a.c:7"), (False, "/s/mem.c:3"), ((), "/s/mem.c:3"),
                                (["wrappers"], "/i/c++/v.h:4"), ("wrappers", "/i/c++/v.h:4"),
                                (["wrappers", "c++"], "/s/a.c:7"), (["c++"], "/s/mem.c:3")):
            with self.subTest(standard=standard):
                skipped = named.skip(standard=standard)
                self.assertEqual(str(skipped.statistics("lineno")[0].traceback), place)
                self.assertEqual(skipped.statistics("filename")[0].traceback[0].filename,
                                 place.partition(":")[0])
                self.assertEqual(len(skipped.traces[0].traceback), 3)
        self.assertEqual(named.skip().statistics("function")[0].traceback[0].function, "f")
        with self.assertRaisesRegex(ValueError, "^no skip set 'glob': the sets are libc, c\\+\\+, "):
            named.skip(standard=["libc", "glob"])

    def test_no_set_is_for_given_places(self):
        for file in ("a.c", "/usr/lib/libc.so.6", "/usr/include/c++/12/bits/stl_vector.h"):
            for line in (0, 7):
                snapshot = allocsnap.Snapshot([(0, 5, ((file, line), ("b.c", 7)), 2)], 16)
                place = snapshot.skip().statistics("lineno")[0].traceback
                self.assertEqual(str(place), "{}:{}".format(file, line))

    def test_own_code(self):
        snapshot = allocsnap.Snapshot(NAMED, 16)
        for mine, place in ((["*.c"], "/src/a.c:7"), (["a.c"], "/src/a.c:7"), (["/src/*"], "/src/a.h:3"),
                            (["b.c"], "/src/a.h:3"), ((), "/src/a.h:3")):
            with self.subTest(mine=mine):
                rows = snapshot.skip(mine=mine).statistics("lineno")
                self.assertEqual(str(rows[0].traceback), place)
        with tempfile.TemporaryDirectory() as directory:
            snapshot.skip(mine=["a.c"]).dump(os.path.join(directory, "a"))
            loaded = allocsnap.Snapshot.load(os.path.join(directory, "a"))
        # How it was attributed is not part of it.
        self.assertEqual(str(loaded.statistics("lineno")[0].traceback), "/src/a.h:3")


class Lazy(unittest.TestCase):
    def test_traces_become_objects_when_asked_for(self):
        snapshot = allocsnap.Snapshot(NAMED, 16).filter_traces([allocsnap.Filter(True, "*")])
        snapshot.statistics("lineno")
        snapshot.compare_to(snapshot, "traceback")
        again = snapshot.filter_traces([allocsnap.DomainFilter(True, 2)])
        self.assertEqual((len(snapshot.traces), len(again.traces)), (2, 1))
        self.assertIsNone(snapshot.traces._given)
        self.assertIsNone(again.traces._given)
        self.assertEqual(snapshot.traces[-1].domain, 2)
        self.assertIsNone(snapshot.traces._given)
        self.assertEqual(again.traces._traces, NAMED[1:])
        self.assertIs(again.traces._traces, again.traces._traces)

    def test_tracebacks_are_shared(self):
        stack = (("a", 1), ("b", 2))
        traces = [(0, size, stack, 2) for size in range(3)]
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "a")
            allocsnap.Snapshot(traces, 2).dump(path)
            loaded = allocsnap.Snapshot.load(path).traces._traces
        self.assertEqual(loaded, traces)
        self.assertIs(loaded[0][2], loaded[2][2])

    def test_more_than_one_chunk(self):
        traces = [(0, size, (("a", size % 7),), 1) for size in range(10000)]
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "a")
            allocsnap.Snapshot(traces, 2).dump(path)
            loaded = allocsnap.Snapshot.load(path)
        self.assertEqual([trace.size for trace in loaded.traces], list(range(10000)))
        self.assertIsNone(loaded.traces._given)
        self.assertEqual(loaded.traces._traces, traces)


class Refused(unittest.TestCase):
    def test_what_the_library_cannot_keep(self):
        for trace in [
            (0, -1, (("a", 1),), 1),
            (0, 2**64, (("a", 1),), 1),
            (0, 1.5, (("a", 1),), 1),
            (-1, 1, (("a", 1),), 1),
            (2**32, 1, (("a", 1),), 1),
            (0, 1, (("a", -1),), 1),
            (0, 1, (("a", 2**32),), 1),
            (0, 1, (("a", None),), 1),
            (0, 1, (("a\0b", 1),), 1),
            (0, 1, (("\ud800", 1),), 1),
            (0, 1, (("\udcc3\udca9", 1),), 1),
            (0, 1, (("a", 1),), 2**32),
            (0, 1),
            (),
        ]:
            with self.subTest(trace=trace), self.assertRaises(ValueError):
                allocsnap.Snapshot([trace], 1).statistics("lineno")
        with self.assertRaises(ValueError):
            allocsnap.Snapshot(NAMED, 1).filter_traces([allocsnap.Filter(True, "a\0*")])
        for name in (b"a", None, 3):
            with self.assertRaisesRegex(TypeError, "a name must be a string"):
                allocsnap.Snapshot([(0, 1, ((name, 1),), 1)], 1).statistics("lineno")
        with self.assertRaisesRegex(allocsnap.AllocsnapError, "more than 65535 frames"):
            allocsnap.Snapshot([(0, 1, (("a", 1),), 65536)], 1).statistics("lineno")

    def test_attributes_that_are_no_strings(self):
        snapshot = allocsnap.Snapshot(NAMED, 16)
        snapshot.when = 5
        with tempfile.TemporaryDirectory() as directory:
            with self.assertRaisesRegex(TypeError, "the attribute 'when' is of type int: "):
                snapshot.dump(os.path.join(directory, "a"))
            self.assertEqual(os.listdir(directory), [])

    def test_the_limit_of_a_snapshot_that_was_taken(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "a")
            snapshot = allocsnap.Snapshot(NAMED, 16)
            snapshot.dump(path)
            loaded = allocsnap.Snapshot.load(path)
            for changed, limit in ((loaded, 5), (snapshot, "x"), (snapshot, -1), (snapshot, None)):
                changed.traceback_limit = limit
                with self.assertRaisesRegex(ValueError, "traceback_limit"):
                    changed.dump(path)
            self.assertEqual(allocsnap.Snapshot.load(path).traceback_limit, 16)


if __name__ == "__main__":
    unittest.main()
