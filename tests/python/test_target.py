"""What of a process on this machine /proc tells."""

import ctypes
import mmap
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(
    0,
    os.path.join(
        os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "core", "python"
    ),
)

from allocsnap import joined_map, target  # noqa: E402
from allocsnap.errors import AllocsnapError  # noqa: E402
from allocsnap.target import Process, Region, Thread  # noqa: E402

_PTRACE_TRACEME = 0


def _traced_child():
    """A child that this process traces, stopped at its first instruction."""
    libc = ctypes.CDLL(None)
    return subprocess.Popen(
        ["/bin/true"], preexec_fn=lambda: libc.ptrace(_PTRACE_TRACEME, 0, None, None)
    )


class TracedBelow(unittest.TestCase):
    def test_of_a_child_that_is_traced(self):
        child = _traced_child()
        try:
            os.waitpid(child.pid, os.WUNTRACED)
            # By this process, which is its parent's child.
            self.assertTrue(target.is_traced_below(child.pid, os.getpid()))
            self.assertTrue(target.is_traced_below(child.pid, os.getppid()))
            self.assertFalse(target.is_traced_below(child.pid, child.pid))
        finally:
            child.kill()
            child.wait()

    def test_of_others(self):
        self.assertFalse(target.is_traced_below(os.getppid(), os.getpid()))
        self.assertFalse(target.is_traced_below(2**30, os.getpid()))


class JoinedMap(unittest.TestCase):
    """Each part has the offset of its own file, also where a debugger has joined mappings."""

    READ, READ_EXECUTE = (True, False, False), (True, False, True)
    PARTS = [
        Region(0x1640, 0x17B0, 0x640, "/a", *READ_EXECUTE),
        Region(0x27B0, 0x2968, 0x7B0, "/a", True, True, False),
        Region(0x5100, 0x5200, 0x3100, "/b", *READ),
    ]

    def test_mappings_and_the_parts_of_files_in_them(self):
        cases = {
            (0x1000, 0x2000): [(0x1000, 0x2000, 0, "/a")],
            (0x1000, 0x3000): [(0x1000, 0x2000, 0, "/a"), (0x2000, 0x3000, 0, "/a")],
            (0x4000, 0x6000): [(0x4000, 0x6000, 0x2000, "/b")],
            (0, 0x2000): [(0, 0x1000, 0, ""), (0x1000, 0x2000, 0, "/a")],
        }
        for (start, end), wanted in cases.items():
            with self.subTest(start=start, end=end):
                mapping = Region(start, end, 0, "/told", *self.READ)
                found = joined_map.joined_map([mapping], self.PARTS)
                self.assertEqual(found, [Region(*piece, *self.READ) for piece in wanted])

    def test_mappings_of_nothing_that_is_loaded(self):
        stack = Region(0x3000, 0x5000, 0, "[stack]", True, True, False)
        unloaded = Region(0x8000, 0x9000, 0, "/c", *self.READ)
        self.assertEqual(
            joined_map.joined_map([unloaded, stack], self.PARTS),
            [stack, unloaded._replace(path="")],
        )

    def test_no_mappings(self):
        self.assertEqual(joined_map.joined_map([], self.PARTS[::-1]), self.PARTS)


class Told(target.Target):
    """A debugger that says what it is given."""

    frames = ("", [])
    symbol = None
    values = {}

    def frames_at(self, address):
        return self.frames

    def symbol_at(self, address):
        return self.symbol

    def value(self, expression):
        return self.values[expression]

    def threads(self):
        return [Thread(71, 1, "main"), Thread(72, 2), Thread(73, 3, "")]

    def process(self):
        return Process(1, 71, proc_pid=self.proc_pid)

    def told_memory_map(self):
        return ["told"]


class Facts(unittest.TestCase):
    """What is made of a debugger's facts, the same for each of them."""

    def setUp(self):
        self.told = Told()

    def test_names_of_another_build_are_none(self):
        self.told.frames = ("ab12", [("/a.c", "f", 3)])
        self.assertEqual(self.told.name_address(1, "ab12"), [("/a.c", "f", 3)])
        self.told.symbol = "g"
        for other in ("ab13", ""):
            self.assertEqual(self.told.name_address(1, other), [])

    def test_symbols_name_code_in_no_file_only(self):
        self.told.symbol = "jitted"
        self.assertEqual(self.told.name_address(1, ""), [(None, "jitted", 0)])
        self.assertEqual(self.told.name_address(1, "ab12"), [])

    def test_values(self):
        self.told.values = {"7": (7, None), "nil": (0, None), "s": (None, 4096), "f()": (None, None)}
        self.assertEqual([self.told.evaluate(one) for one in ("7", "nil", "s")], [7, 0, 4096])
        with self.assertRaisesRegex(AllocsnapError, "`f\\(\\)` is neither an address nor in memory"):
            self.told.evaluate("f()")

    def test_threads(self):
        self.assertEqual(self.told.thread_labels(), {71: '1 "main"', 72: "2", 73: "3"})

    def test_maps(self):
        self.told.proc_pid = os.getpid()
        self.assertIsInstance(self.told.memory_map()[0], Region)
        for number in (None, 2**30):
            self.told.proc_pid = number
            self.assertEqual(self.told.memory_map(), ["told"])

    def test_descriptions(self):
        self.assertEqual(Process(1, 71).description, "process 71")
        self.assertEqual(Process(1, 71, "/a\nb", True).description, "core /a\\x0ab")
        self.assertEqual(Process(1, 71, None, True).description, "core file")


class MappedCores(unittest.TestCase):
    def file(self, head, size=4096):
        file = tempfile.NamedTemporaryFile(prefix="allocsnap-")
        self.addCleanup(file.close)
        file.write(head.ljust(size, b"\0"))
        file.flush()
        mapped = mmap.mmap(file.fileno(), size, prot=mmap.PROT_READ)
        self.addCleanup(mapped.close)
        return file.name

    def test_cores_alone(self):
        self.assertEqual(target.mapped_cores(), [])
        kind = struct.Struct("=H")
        core = self.file(b"\x7fELF".ljust(16, b"\2") + kind.pack(4))
        self.file(b"\x7fELF".ljust(16, b"\2") + kind.pack(3))
        self.file(b"text")
        self.file(b"\x7fELF", size=5)
        self.assertEqual(target.mapped_cores(), [core])


class MemoryMap(unittest.TestCase):
    def test_names_of_any_bytes(self):
        directory = tempfile.mkdtemp(prefix="allocsnap-")
        self.addCleanup(shutil.rmtree, directory)
        names = ["a b", "x ", "\n", "two\nlines", "back\rhere", "x (deleted)", "\u2028", "\udcff", "0-1 r"]
        paths = [os.path.join(directory, name) for name in names]
        for path in paths:
            with open(path, "w+b") as file:
                file.write(bytes(8192))
                file.flush()
                mapped = mmap.mmap(file.fileno(), 4096, prot=mmap.PROT_READ, offset=4096)
                self.addCleanup(mapped.close)
        found = [
            region for region in target.linux_memory_map(os.getpid()) if directory in region.path
        ]
        self.assertEqual(sorted(region.path for region in found), sorted(paths))
        for region in found:
            self.assertEqual((region.file_offset, region.end - region.start), (4096, 4096))
            self.assertEqual((region.readable, region.writable, region.executable), (True, False, False))


if __name__ == "__main__":
    unittest.main()
