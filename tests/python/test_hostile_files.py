"""Names that stand for something else than a regular file: nothing waits, nothing is opened."""

import errno
import linecache
import os
import stat
import sys
import tempfile
import threading
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("ALLOCSNAP_BUILD", os.path.join(ROOT, "build"))
os.environ.setdefault("ALLOCSNAP_LIBRARY", os.path.join(BUILD, "liballocsnap.so"))
sys.path.insert(0, os.path.join(ROOT, "core", "python"))

import allocsnap  # noqa: E402
from allocsnap import target  # noqa: E402
from allocsnap.regular_files import open_regular  # noqa: E402

SWAPS = 3000


class HostileFiles(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.directory = holder.name
        self.pipe = self.path("pipe")
        os.mkfifo(self.pipe)

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content)
        return self.path(name)

    def assert_unread(self):
        """Nobody reads the pipe."""
        with self.assertRaises(OSError) as caught:
            os.close(os.open(self.pipe, os.O_WRONLY | os.O_NONBLOCK))
        self.assertEqual(caught.exception.errno, errno.ENXIO)

    def test_open_regular(self):
        with open_regular(self.write("file", b"abc")) as file:
            self.assertEqual(file.read(), b"abc")
        for path in (self.pipe, "/dev/zero", self.directory):
            with self.assertRaises(OSError) as caught:
                open_regular(path)
            self.assertEqual(caught.exception.errno, errno.EINVAL)
        with self.assertRaises(FileNotFoundError):
            open_regular(self.path("nothing"))
        self.assert_unread()

    def test_a_name_that_changes(self):
        """A thread has the name stand for a pipe and a file in turn, and looks for readers."""
        name, regular = self.path("name"), self.write("file", b"abc")
        done, readers = threading.Event(), []

        def swap():
            while not done.is_set():
                for source in (self.pipe, regular):
                    if os.path.lexists(name):
                        os.unlink(name)
                    os.link(source, name)
                    try:
                        readers.append(os.open(self.pipe, os.O_WRONLY | os.O_NONBLOCK))
                    except OSError:
                        pass

        thread = threading.Thread(target=swap)
        thread.start()
        opened = refused = count = 0
        try:
            while count < SWAPS or not opened or not refused:
                count += 1
                try:
                    with open_regular(name) as file:
                        self.assertTrue(stat.S_ISREG(os.fstat(file.fileno()).st_mode))
                        opened += 1
                except OSError as error:
                    refused += error.errno == errno.EINVAL
        finally:
            done.set()
            thread.join()
        self.assertEqual(readers, [])

    def test_load(self):
        for path in (self.pipe, "/dev/zero"):
            with self.assertRaisesRegex(OSError, "cannot load .*: not a regular file"):
                allocsnap.Snapshot.load(path)
        with self.assertRaises(IsADirectoryError):
            allocsnap.Snapshot.load(self.directory)
        with self.assertRaises(FileNotFoundError) as caught:
            allocsnap.Snapshot.load(self.path("nothing"))
        self.assertEqual(caught.exception.filename, self.path("nothing"))
        self.assert_unread()

    def test_source_lines(self):
        def format_line(path, lineno=1):
            return allocsnap.Traceback([(path, lineno)]).format()[1:]

        self.assertEqual(format_line(self.pipe), [])
        self.assert_unread()
        self.assertEqual(format_line("/dev/zero"), [])
        self.assertEqual(format_line(self.directory), [])
        large = self.write("large.c", b"int x;\n")
        os.truncate(large, 17 << 20)
        self.assertEqual(format_line(large), [])
        self.assertEqual(format_line(self.write("a.c", b"int a;\r\n  int b;")), ["    int a;"])
        self.assertEqual(format_line(self.path("a.c"), 2), ["    int b;"])
        self.assertEqual(format_line(self.path("a.c"), 3), [])
        self.assertEqual(format_line(self.write("latin.c", b"int \xe9;\n")), [])
        # What was not there is looked for again, and linecache learns nothing wrong.
        later = self.path("later.c")
        self.assertEqual(format_line(later), [])
        self.assertNotIn(later, linecache.cache)
        self.write("later.c", b"int later;\n")
        self.assertEqual(format_line(later), ["    int later;"])

    def test_source_of_a_relative_name(self):
        sys.path.insert(0, self.directory)
        self.addCleanup(sys.path.remove, self.directory)
        name = "allocsnap_relative_{}.py".format(os.getpid())
        self.write(name, b"x = 1\n")
        self.assertEqual(allocsnap.Traceback([(name, 1)]).format()[1:], ["    x = 1"])

    def test_cores(self):
        self.assertFalse(target._is_core(self.pipe))
        self.assert_unread()
        core = b"\x7fELF" + b"\0" * 12 + b"\4\0"
        self.assertTrue(target._is_core(self.write("core", core)))
        self.assertFalse(target._is_core(self.write("no.core", core[:16] + b"\2\0")))

    def test_a_dump_is_private(self):
        snapshot = allocsnap.Snapshot([(0, 1, (("a.c", 1),), 1)], 1)
        before = os.umask(0)
        self.addCleanup(os.umask, before)
        for kind in ("allocsnap", "tracemalloc"):
            path = self.path(kind)
            snapshot.dump(path, format=kind)
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        link = self.path("link")
        os.symlink("nowhere", link)
        with self.assertRaisesRegex(OSError, "a symbolic link to a file that is not there"):
            snapshot.dump(link)
        self.assertTrue(os.path.islink(link))
        self.assertFalse(os.path.exists(link))


if __name__ == "__main__":
    unittest.main()
