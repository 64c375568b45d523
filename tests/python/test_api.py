"""What the Python API has of its own: functions, files, the library, the debugger."""

import ctypes
import errno
import os
import pickle
import subprocess
import sys
import tempfile
import tracemalloc
import unittest
from pathlib import Path

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PACKAGES = os.path.join(ROOT, "core", "python")
sys.path.insert(0, PACKAGES)

# pylint: disable=wrong-import-position
import allocsnap  # noqa: E402
from allocsnap import session, target, tracing  # noqa: E402
from allocsnap.errors import ErrorCode  # noqa: E402
from allocsnap.frames import NativeFrame  # noqa: E402
from allocsnap.library import native  # noqa: E402

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


class Files(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = os.path.join(directory.name, "a")

    def test_tracemalloc_loads_them(self):
        snapshot = allocsnap.Snapshot(NAMED, 16)
        snapshot.note = "mine"
        snapshot.dump(self.path, format="tracemalloc")
        loaded = tracemalloc.Snapshot.load(self.path)
        self.assertEqual(loaded.traces._traces, NAMED)
        self.assertEqual({type(frame) for trace in loaded.traces._traces for frame in trace[2]},
                         {tuple})
        self.assertEqual((loaded.traceback_limit, loaded.note), (16, "mine"))
        self.assertEqual(list(map(str, loaded.statistics("lineno"))),
                         list(map(str, snapshot.statistics("lineno"))))

    def test_formats(self):
        with self.assertRaisesRegex(ValueError, "no format 'x': there are allocsnap and trace"):
            allocsnap.Snapshot(NAMED, 16).dump(self.path, format="x")
        self.assertFalse(os.path.exists(self.path))

    def test_exports(self):
        snapshot = allocsnap.Snapshot(NAMED, 16)
        small = snapshot.filter_traces([allocsnap.Filter(True, NAMED[0][2][0][0])])

        def exported(ending, *arguments, of=snapshot, **options):
            of.export(self.path + ending, *arguments, **options)
            with open(self.path + ending, "rb") as file:
                return file.read()

        folded = exported(".folded")
        total = sum(trace.size for trace in snapshot.traces)
        self.assertEqual(sum(int(line.split()[-1]) for line in folded.splitlines()), total)
        self.assertEqual(exported("", "folded"), folded)
        self.assertNotEqual(exported(".folded", of=small), folded)
        counted = exported(".folded", count=True)
        self.assertEqual(sum(int(line.split()[-1]) for line in counted.splitlines()), len(NAMED))
        both = exported(".folded", old_snapshot=small)
        self.assertEqual([line.split()[-1] for line in both.splitlines()],
                         [line.split()[-1] for line in folded.splitlines()])
        self.assertNotEqual(both, folded)
        self.assertTrue(exported(".pb.gz").startswith(b"\x1f\x8b"))
        for path in (Path(self.path + ".csv"), os.fsencode(self.path + ".csv")):
            snapshot.export(path)
            os.remove(path)

    def test_exports_that_cannot_be(self):
        snapshot = allocsnap.Snapshot(NAMED, 16)
        for arguments, options, kind, message in (
            (("x.none",), {}, ValueError, "'x.none' does not say what to write: give a format, one of folded, "),
            (("x", "none"), {}, ValueError, "no format 'none': there are folded, "),
            (("x.csv",), {"old_snapshot": snapshot}, ValueError, "csv cannot say what two"),
            (("x.heapsnapshot",), {}, allocsnap.AllocsnapError, r"take_snapshot\(graph=True\)"),
            (("/nonexistent/x.csv",), {}, FileNotFoundError, "/nonexistent/x.csv"),
            ((os.path.dirname(self.path), "csv"), {}, IsADirectoryError, ""),
        ):
            with self.subTest(arguments=arguments), self.assertRaisesRegex(kind, message):
                snapshot.export(*arguments, **options)
        self.assertEqual(os.listdir(os.path.dirname(self.path)), [])

    def test_pickles_are_refused(self):
        class Trap:
            def __reduce__(self):
                return os.remove, (sys.executable + ".never",)

        for content in (tracemalloc.Snapshot(NAMED, 16), Trap()):
            with open(self.path, "wb") as file:
                pickle.dump(content, file, 2)
            with self.assertRaisesRegex(allocsnap.AllocsnapError, " is a pickle, ") as caught:
                allocsnap.Snapshot.load(self.path)
            self.assertEqual(caught.exception.code, ErrorCode.UNSUPPORTED)

    def test_other_files_are_refused(self):
        for content in (b"", b"x", b"\n" * 5000):
            with open(self.path, "wb") as file:
                file.write(content)
            with self.assertRaises(allocsnap.AllocsnapError) as caught:
                allocsnap.Snapshot.load(self.path)
            self.assertEqual(caught.exception.code, ErrorCode.DAMAGED)
            self.assertNotIn("\n", str(caught.exception))

    def test_errors_tell_file_and_errno(self):
        snapshot = allocsnap.Snapshot(NAMED, 16)
        snapshot.dump(self.path)
        places = {os.path.join(self.path, "missing"): NotADirectoryError,
                  os.path.join(self.path + ".none", "missing"): FileNotFoundError,
                  os.path.dirname(self.path): IsADirectoryError,
                  "/proc/none": FileNotFoundError}
        for call in (allocsnap.Snapshot.load, snapshot.dump):
            for place, kind in places.items():
                with self.subTest(call=call, place=place), self.assertRaises(OSError) as caught:
                    call(place)
                self.assertIs(type(caught.exception), kind)
                self.assertEqual(caught.exception.filename, place)
        with open(self.path, "r+b") as file:
            file.seek(-1, os.SEEK_END)
            file.truncate()
        with self.assertRaises(allocsnap.AllocsnapError) as caught:
            allocsnap.Snapshot.load(self.path)
        self.assertEqual(caught.exception.filename, self.path)
        self.assertIsNone(caught.exception.errno)
        with self.assertRaises(allocsnap.AllocsnapError) as caught:
            native.check(native.library().asnap_snapshot_load(b"/none", ctypes.byref(ctypes.c_void_p())))
        self.assertEqual(caught.exception.filename, "/none")
        self.assertEqual(caught.exception.errno, errno.ENOENT)

    def test_attributes_of_a_file_replace_nothing(self):
        snapshot = allocsnap.Snapshot(NAMED, 16)
        for name in ("statistics", "__class__", "__dict__", "mine", "not a name", ""):
            vars(snapshot)[name] = "x"
        snapshot.dump(self.path)
        loaded = allocsnap.Snapshot.load(self.path)
        self.assertEqual(sorted(vars(loaded)),
                         ["", "mine", "not a name", "traceback_limit", "traces"])
        self.assertEqual(len(loaded.statistics("lineno")), 2)

    def test_kinds_of_path(self):
        for path in (self.path, os.fsencode(self.path)):
            allocsnap.Snapshot(NAMED, 16).dump(path)
            self.assertEqual(allocsnap.Snapshot.load(path).traces._traces, NAMED)
            os.remove(path)

    def test_snapshots_of_tracemalloc_become_ours(self):
        tracemalloc.start(8)
        try:
            kept = [bytearray(1000 + i) for i in range(20)]
            theirs = tracemalloc.take_snapshot()
        finally:
            tracemalloc.stop()
        ours = allocsnap.Snapshot(theirs.traces._traces, theirs.traceback_limit)
        for key in ("filename", "lineno", "traceback"):
            self.assertEqual(list(map(repr, ours.statistics(key))),
                             list(map(repr, theirs.statistics(key))))
        self.assertEqual(len(kept), 20)


class FakeSession:
    """A session.Session as tracing sees it."""

    def __init__(self):
        self.calls = []
        self.there = object()
        self.hooks = native.Status(tracing=True, frame_limit=5, traced_size=7, peak_size=9,
                                   tracker_size=11)
        self.launch = self
        self.limit = None

    def process(self):
        return self.there

    def frame_limit(self):
        return self.limit

    def status(self):
        if self.hooks is None:
            raise allocsnap.AllocsnapError("no hooks", ErrorCode.NO_HOOKS)
        return self.there, self.hooks

    def start(self, limit):
        self.calls.append(("start", limit))

    def __getattr__(self, name):
        if name not in ("stop", "clear", "reset_peak"):
            raise AttributeError(name)
        return lambda: self.calls.append(name)


class Tracing(unittest.TestCase):
    def setUp(self):
        before = tracing._session
        self.addCleanup(tracing.set_session, before)
        self.session = FakeSession()
        tracing.set_session(self.session)

    def test_traced(self):
        self.assertTrue(allocsnap.is_tracing())
        self.assertEqual(allocsnap.get_traceback_limit(), 5)
        self.assertEqual(allocsnap.get_traced_memory(), (7, 9))
        self.assertEqual(allocsnap.get_tracemalloc_memory(), 11)
        allocsnap.start(3)  # as in tracemalloc: it is tracing already
        allocsnap.clear_traces()
        allocsnap.reset_peak()
        allocsnap.stop()
        self.assertEqual(self.session.calls, ["clear", "reset_peak", "stop"])

    def check_not_traced(self):
        self.assertFalse(allocsnap.is_tracing())
        self.assertEqual(allocsnap.get_traceback_limit(), 16)
        self.assertEqual(allocsnap.get_traced_memory(), (0, 0))
        self.assertEqual(allocsnap.get_tracemalloc_memory(), 0)
        self.assertIsNone(allocsnap.get_object_traceback(0x1000))
        with self.assertRaisesRegex(RuntimeError, "must be tracing memory allocations"):
            allocsnap.take_snapshot()
        allocsnap.clear_traces()
        allocsnap.reset_peak()
        allocsnap.stop()
        self.assertEqual(self.session.calls, [])
        allocsnap.start()
        allocsnap.start(65535)
        self.assertEqual(self.session.calls, [("start", 16), ("start", 65535)])

    def test_stopped(self):
        self.session.hooks.tracing = False
        self.check_not_traced()

    def test_no_hooks(self):
        self.session.hooks = None
        self.check_not_traced()

    def test_no_process(self):
        self.session.there = None
        self.check_not_traced()
        self.session.calls.clear()
        self.session.limit = 3
        self.assertEqual(allocsnap.get_traceback_limit(), 3)
        allocsnap.stop()
        self.assertEqual(self.session.calls, ["stop"])

    def test_a_session_registers_itself(self):
        made = session.Session(target.Target())
        self.assertIs(tracing._session, made)

    def test_no_debugger(self):
        tracing.set_session(None)
        with self.assertRaisesRegex(RuntimeError, "^there is no debugger here: "):
            allocsnap.start()
        self.assertEqual(allocsnap.get_traceback_limit(), 16)


if __name__ == "__main__":
    unittest.main()
