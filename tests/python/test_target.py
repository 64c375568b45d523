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

from allocsnap import target  # noqa: E402

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
