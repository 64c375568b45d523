"""Programs of other shapes: linked statically, elsewhere, as a whole, of older DWARF."""

import os
import unittest

from . import oracles
from .test_symbols_accuracy import CLANG_TOOLS, PIE, TOOLS, Subjects, build, run, sample


class ModuleKinds(Subjects):
    def test_static_pie(self):
        path = build(self.directory, "g++", "subject.cc", "-g", "-O2", "-static-pie")
        self.check(path, least=0.999)

    def test_text_elsewhere(self):
        path = build(self.directory, "g++", "subject.cc", "-g", "-O2", "-no-pie",
                     "-Wl,-Ttext=0x5000000")
        self.check(path)

    def test_base_that_is_not_zero(self):
        """As prelink leaves a library."""
        path = build(self.directory, "g++", "subject.cc", "-g", "-O2", "-fPIC", "-shared",
                     "-Wl,-Ttext-segment=0x3a000000")
        self.check(path)

    def test_library_within_another_file(self):
        """As in an archive, of which a loader of the program's own maps a part: it has no names,
        and not those of what is at the beginning."""
        library = build(self.directory, "g++", "subject.cc", "-g", "-O2", "-fPIC", "-shared",
                        "-fuse-ld=lld")
        addresses = sample(oracles.functions(library), 100)
        start = 1 << 20
        archive = os.path.join(self.directory, "archive")
        with open(library, "rb") as file:
            content = file.read()
        for beginning in (b"PK", content):
            with open(archive, "wb") as file:
                file.write(beginning.ljust(start, b"\0") + content)
            for stack in self.named(library, addresses, within=(archive, start)):
                self.assertEqual(stack, [(archive, 0, None, False)])

    def test_older_dwarf(self):
        for version in ("-gdwarf-2", "-gdwarf-3"):
            for pie in (True, False):
                with self.subTest(version=version, pie=pie):
                    path = build(self.directory, "gcc", "subject.c", "-g", "-O2", version,
                                 "-gno-strict-dwarf", *PIE[pie])
                    self.check(path)

    def test_few_details(self):
        path = build(self.directory, "g++", "subject.cc", "-g1", "-O2")
        self.check(path)
        path = build(self.directory, "clang++", "subject.cc", "-gline-tables-only", "-O2")
        self.check(path, tools=CLANG_TOOLS)

    def test_link_time_optimisation(self):
        path = build(self.directory, "g++", "subject.cc", "-g", "-O2", "-flto")
        self.check(path, tools=TOOLS + ("llvm-symbolizer",), least=1.0)

    def test_compressed_debug_file(self):
        whole = build(self.directory, "g++", "subject.cc", "-g", "-O2")
        packed = os.path.join(self.directory, "packed")
        for kind in ("zlib", "zlib-gnu"):
            with self.subTest(kind=kind):
                run("objcopy", "--compress-debug-sections=" + kind, whole, packed)
                self.check(packed)


if __name__ == "__main__":
    unittest.main()
