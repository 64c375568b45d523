"""The symbolizer against three other tools, over the options that compilers have for debug
information, and over python3-dbg.

Each address must have the whole stack of functions, files and lines that one of the tools says, or
there must be a rule for the difference (agreement.py); in python3-dbg, 99.9 % must have the one
that both llvm-symbolizer and eu-addr2line say.
"""

import collections
import os
import shutil
import unittest

from .agreement import LEAST, TOOLS, Comparison
from .test_symbols_accuracy import Subjects

PYTHON = "/usr/bin/python3-dbg"

# With each compiler, and both sources.
OPTIONS = (
    ["-g", "-O1"],
    ["-g", "-O3"],
    ["-g1", "-O2"],
    ["-g", "-O2", "-gdwarf-2"],
    ["-g", "-O2", "-gdwarf-3"],
    ["-g", "-O2", "-gdwarf-4", "-fdebug-types-section"],
    ["-g", "-O2", "-gdwarf-5", "-fdebug-types-section", "-gz=zlib"],
    ["-g", "-O2", "-gdwarf-5", "-ffunction-sections", "-Wl,--gc-sections"],
    ["-g", "-O2", "-flto"],
    ["-g", "-O3", "-flto", "-gdwarf-4"],
)
# Of many inlined calls in several files.
LAYERS = (
    ["-g", "-O0"],
    ["-g", "-O3"],
    ["-g", "-O2", "-gdwarf-4", "-gsplit-dwarf"],
    ["-g", "-O2", "-gdwarf-5", "-gsplit-dwarf"],
    ["-g", "-O2", "-gdwarf-5", "-gsplit-dwarf", "-fdebug-types-section"],
    ["-g", "-O2", "-gdwarf-5", "-gdwarf64"],
)
LAYERS_GCC = LAYERS + (
    ["-g", "-Os", "-gstrict-dwarf"],
    ["-g1", "-O2", "-gsplit-dwarf"],
)
LAYERS_CLANG = LAYERS + (
    ["-g", "-O2", "-gsplit-dwarf=single"],
    ["-g", "-O2", "-gsimple-template-names"],
)


class Compared(Subjects):
    counts = None

    @classmethod
    def setUpClass(cls):
        cls.counts = collections.Counter()

    @classmethod
    def tearDownClass(cls):
        total = sum(cls.counts.values())
        for rule, count in cls.counts.most_common():
            print("%6d of %d: %s" % (count, total, rule))

    def compare(self, path, count, symbols_of=None):
        for tool in TOOLS:
            if shutil.which(tool) is None:
                self.skipTest(tool + " is not installed")
        found = Comparison(path, count, self.named, symbols_of)
        self.counts.update(found.counts)
        self.assertEqual(
            found.wrong[:2], [], "%d of %d wrong" % (len(found.wrong), found.total))
        return found


class Options(Compared):
    seconds = 50

    def check_options(self, compiler, source, options):
        if shutil.which(compiler) is None:
            self.skipTest(compiler + " is not installed")
        for flags, path in self.build_each(compiler, source, options):
            with self.subTest(flags=" ".join(flags)):
                self.assertGreater(self.compare(path, 200).total, 100)

    def test_gcc(self):
        self.check_options("gcc", "subject.c", OPTIONS)

    def test_gxx(self):
        self.check_options("g++", "subject.cc", OPTIONS)

    def test_clang(self):
        self.check_options("clang", "subject.c", OPTIONS)

    def test_clangxx(self):
        self.check_options("clang++", "subject.cc", OPTIONS)

    def test_layers_gxx(self):
        self.check_options("g++", "layers.cc", LAYERS_GCC)

    def test_layers_clangxx(self):
        self.check_options("clang++", "layers.cc", LAYERS_CLANG)

    def test_python(self):
        if not os.path.exists(PYTHON):
            self.skipTest("python3-dbg is not installed")
        agreed = self.compare(PYTHON, 4000).agreed
        self.assertGreaterEqual(agreed["llvm-symbolizer"], 4000 * LEAST)
        self.assertGreaterEqual(agreed["eu-addr2line"], 4000 * LEAST)


if __name__ == "__main__":
    unittest.main()
