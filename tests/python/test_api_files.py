"""The Python API and files: dumps, those of tracemalloc, exports, and what is refused."""

import ctypes
import errno
import os
import pickle
import sys
import tempfile
import tracemalloc
import unittest
from pathlib import Path

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "core", "python"))

# pylint: disable=wrong-import-position
import allocsnap  # noqa: E402
from allocsnap.errors import ErrorCode  # noqa: E402
from allocsnap.library import native  # noqa: E402

from .test_api import NAMED  # noqa: E402


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


if __name__ == "__main__":
    unittest.main()
