"""The symbolizer against three other tools, over linkers, what they do with segments, sections
and relocations, and programs that rustc has made."""

import os
import shutil
import subprocess
import unittest

import linkers

from .test_symbols_accuracy import HERE
from .test_symbols_options import Compared

#: Sources here, with what they are built by and as. Linked plainly they are all compared, else one
#: after the other.
SUBJECTS = [
    ("subject.c", "gcc", ["-O2", "-fPIE", "-pie"]),
    ("subject.cc", "g++", ["-O2", "-fPIC", "-shared"]),
    ("layers.cc", "clang++", ["-O2", "-fPIE", "-pie"]),
    ("subject.c", "gcc", ["-O1", "-fno-pie", "-no-pie"]),
]
SAMPLES = 150
RUST = os.path.join(HERE, "subject.rs")


class Linkers(Compared):
    def check(self, linker):
        ways = [flags for name, flags in linkers.ways(runs=False) if name == linker]
        for number, (source, compiler, options) in enumerate(SUBJECTS):
            flags = [
                ["-g", "-fuse-ld=" + linker] + options + way
                for place, way in enumerate(ways)
                if way == [] or place % len(SUBJECTS) == number
            ]
            for way, path in self.build_each(compiler, source, flags):
                with self.subTest(source=source, flags=" ".join(way)):
                    self.assertGreaterEqual(self.compare(path, SAMPLES).total, SAMPLES)

    def test_bfd(self):
        self.check("bfd")

    def test_gold(self):
        self.check("gold")

    def test_lld(self):
        self.check("lld")

    def test_mold(self):
        self.check("mold")

    def test_small_and_large_libraries(self):
        built = linkers.libraries(self.directory, runs=False)
        for path, what in built.items():
            with self.subTest(what=what):
                self.assertGreater(self.compare(path, SAMPLES).total, 80)

    def rust(self, name, *flags):
        path = os.path.join(self.directory, name)
        command = ["rustc", "-g", "-o", path, RUST] + list(flags)
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL, timeout=300)
        return path

    def test_rust(self):
        """By the linker that rustc takes by itself, and by the others."""
        if shutil.which("rustc") is None:
            self.skipTest("rustc is not installed")
        ways = {"own": [], "optimised": ["-O"]}
        for linker in linkers.WAYS:
            ways[linker] = ["-O", "-Clinker=gcc", "-Clink-arg=-fuse-ld=" + linker]
        for name, flags in ways.items():
            with self.subTest(linker=name):
                self.assertEqual(self.compare(self.rust(name, *flags), SAMPLES).total, SAMPLES)


if __name__ == "__main__":
    unittest.main()
