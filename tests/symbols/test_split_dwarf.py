"""Split debug information (-gsplit-dwarf): the same names as of the same program built
without it, of the files that the compiler leaves and of a package of them."""

import itertools
import os
import random
import re
import shutil
import struct
import subprocess
import tempfile
import unittest

from . import oracles
from .test_symbols_accuracy import HERE, SAMPLES, Subjects, run, sample

TYPES = "-fdebug-types-section"


class SplitDwarf(Subjects):
    seconds = 27

    @classmethod
    def setUpClass(cls):
        """A second source, in C++ with other names in it, and place for what tests share."""
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.shared = directory.name
        cls.wholes = {}
        with open(os.path.join(HERE, "subject.cc"), encoding="utf-8") as file:
            text = file.read()
        second = os.path.join(cls.shared, "second.cc")
        with open(second, "w", encoding="utf-8") as file:
            file.write(text.replace("namespace shop", "namespace store")
                       .replace("shop::", "store::").replace("int main(", "int second("))
        cls.sources = (os.path.join(HERE, "subject.cc"), second)

    def compile(self, compiler, place, *flags):
        """Builds a program of two units; where the directory stays, the units' own files are
        beside it."""
        os.makedirs(place, exist_ok=True)
        objects = [os.path.join(place, os.path.basename(source)[:-3] + ".o")
                   for source in self.sources]
        children = [subprocess.Popen([compiler, *flags, "-c", source, "-o", made])
                    for source, made in zip(self.sources, objects)]
        self.assertEqual([child.wait() for child in children], [0, 0])
        program = os.path.join(place, "program")
        run(compiler, *objects, "-o", program)
        return program

    def two(self, compiler, flags, *split_flags):
        """The program with split debug information, and whole."""
        for command in (compiler, "dwp", "llvm-dwp"):
            if shutil.which(command) is None:
                self.skipTest(command + " is not installed")
        split = self.compile(compiler, os.path.join(self.directory, "split"), "-gsplit-dwarf",
                             *flags, *split_flags)
        whole = self.whole(compiler, *flags)
        self.assertEqual(oracles.functions(split), oracles.functions(whole))
        return split, whole

    def whole(self, compiler, *flags):
        if (compiler, flags) not in self.wholes:
            place = os.path.join(self.shared, str(len(self.wholes)))
            self.wholes[compiler, flags] = self.compile(compiler, place, *flags)
        return self.wholes[compiler, flags]

    def same(self, split, whole, debug_directories=""):
        addresses = sample(oracles.functions(whole), SAMPLES)
        expected = self.named(whole, addresses)
        # Where nothing is known, the frame has the path of the module.
        expected = [[(split if file == whole else file, line, function, inlined)
                     for file, line, function, inlined in stack] for stack in expected]
        self.assertGreater(sum(len(stack) > 1 for stack in expected), len(expected) // 10)
        self.assertTrue(any("store::" in (frame[2] or "") for stack in expected for frame in stack))
        self.assertEqual(self.named(split, addresses, debug_directories=debug_directories),
                         expected)

    def check(self, compiler, version, packer, *more, several=None):
        split, whole = self.two(compiler, ("-g", "-O2", version), *more)
        place = os.path.dirname(split)
        if several is not None:
            for name in ("subject.dwo", "second.dwo"):
                self.assertGreater(self.sections(os.path.join(place, name), several), 100)
        with self.subTest("own files"):
            self.same(split, whole)
        with self.subTest("package"):
            run(packer, "-e", split, "-o", split + ".dwp")
            for name in ("subject.dwo", "second.dwo"):
                os.remove(os.path.join(place, name))
            self.same(split, whole)
        with self.subTest("nothing"):
            os.remove(split + ".dwp")
            self.lines_only(split, whole)
        shutil.rmtree(place)

    def lines_only(self, split, whole):
        """Without the other files there are lines and no inlined functions."""
        addresses = sample(oracles.functions(whole), 100)
        found = self.named(split, addresses)
        expected = self.named(whole, addresses)
        self.assertEqual([stack[0][1] for stack in found], [stack[0][1] for stack in expected])
        self.assertEqual({len(stack) for stack in found}, {1})

    def test_gcc(self):
        self.check("g++", "-gdwarf-4", "dwp")
        self.check("g++", "-gdwarf-5", "llvm-dwp")

    def test_clang(self):
        self.check("clang++", "-gdwarf-4", "dwp")
        self.check("clang++", "-gdwarf-5", "llvm-dwp")

    def sections(self, path, name):
        """How many sections of a name a file has."""
        listed = subprocess.check_output(["readelf", "-SW", path], encoding="utf-8")
        return len(re.findall(r"\] %s\s" % re.escape(name), listed))

    def test_type_units_of_gcc(self):
        """gcc's .dwo has a section for each type unit."""
        for version, packer, name in (("-gdwarf-4", "dwp", ".debug_types.dwo"),
                                      ("-gdwarf-5", "llvm-dwp", ".debug_info.dwo")):
            self.check("g++", version, packer, TYPES, several=name)

    def test_type_units_of_clang(self):
        self.check("clang++", "-gdwarf-4", "dwp", TYPES)
        self.check("clang++", "-gdwarf-5", "llvm-dwp", TYPES)

    def test_type_units_compressed(self):
        split, whole = self.two("g++", ("-g", "-O2", "-gdwarf-5"), TYPES, "-gz=zlib")
        self.same(split, whole)

    def test_type_units_damaged(self):
        """Headers of sections, and of the units in them, that make no sense: lines stay."""
        split, whole = self.two("g++", ("-g", "-O2", "-gdwarf-5"), TYPES)
        own = os.path.join(os.path.dirname(split), "subject.dwo")
        with open(own, "rb") as file:
            intact = file.read()
        headers, = struct.unpack_from("<Q", intact, 40)
        starts = [match.start() for match in re.finditer(rb"\x05\x00\x06\x08", intact)]
        self.assertGreater(len(starts), 100)
        chosen = random.Random(7)
        places = (chosen.sample(range(headers, len(intact)), 60) +
                  [start + chosen.randrange(-4, 4) for start in chosen.sample(starts, 20)])
        addresses = sample(oracles.functions(whole), 100)
        lines = [stack[0][1] for stack in self.named(whole, addresses)]
        for place in places:
            damaged = bytearray(intact)
            damaged[place] ^= chosen.randrange(1, 256)
            with open(own, "wb") as file:
                file.write(damaged)
            with self.subTest(place=place):
                self.assertEqual([stack[0][1] for stack in self.named(split, addresses)], lines)

    def test_type_units_in_the_program(self):
        for compiler, version in itertools.product(("g++", "clang++"), ("-gdwarf-4", "-gdwarf-5")):
            with self.subTest(compiler=compiler, version=version):
                flags = ("-g", "-O2", version)
                self.same(self.compile(compiler, self.directory, *flags, TYPES),
                          self.whole(compiler, *flags))

    def separate(self):
        """A stripped program with its debug file beside it, the whole one, and an empty debug
        directory."""
        split, whole = self.two("g++", ("-g", "-O2", "-gdwarf-5"))
        run("llvm-dwp", "-e", split, "-o", split + ".dwp")
        run("objcopy", "--only-keep-debug", split, split + ".debug")
        run("strip", "--strip-all", split)
        run("objcopy", "--add-gnu-debuglink=" + split + ".debug", split)
        for name in ("subject.dwo", "second.dwo"):
            os.remove(os.path.join(os.path.dirname(split), name))
        root = os.path.join(self.directory, "debug")
        os.mkdir(root)
        return split, whole, root

    def test_package_beside_program_or_debug_file(self):
        split, whole, root = self.separate()
        self.same(split, whole)
        os.rename(split + ".dwp", split + ".debug.dwp")
        self.same(split, whole)
        place = root + os.path.dirname(split)
        os.makedirs(place)
        os.rename(split + ".debug", os.path.join(place, "program.debug"))
        os.rename(split + ".debug.dwp", os.path.join(place, "program.dwp"))
        self.same(split, whole, root)

    def test_package_in_a_debug_directory(self):
        split, whole, root = self.separate()
        for name in ("program.dwp", "program.debug.dwp"):
            with self.subTest(name=name):
                os.rename(split + ".dwp", os.path.join(root, name))
                self.same(split, whole, "/nonexistent:" + root)
                os.rename(os.path.join(root, name), split + ".dwp")

    def test_own_files_in_a_debug_directory(self):
        """By the name in the program, which has a directory in it."""
        whole = self.whole("g++", "-g", "-O2", "-gdwarf-5")
        root = os.path.join(self.directory, "debug")
        os.makedirs(os.path.join(self.directory, "out"))
        objects = ["out/subject.o", "out/second.o"]
        for source, made in zip(self.sources, objects):
            subprocess.run(["g++", "-gsplit-dwarf", "-g", "-O2", "-gdwarf-5", "-c", source, "-o",
                            made], cwd=self.directory, check=True)
        program = os.path.join(self.directory, "program")
        subprocess.run(["g++", *objects, "-o", program], cwd=self.directory, check=True)
        os.mkdir(root)
        os.rename(os.path.join(self.directory, "out"), os.path.join(root, "out"))
        self.same(program, whole, "/nonexistent:" + root)
        self.lines_only(program, whole)

    def test_moved(self):
        split, whole = self.two("g++", ("-g", "-O2", "-gdwarf-5"))
        moved = os.path.join(self.directory, "moved")
        os.rename(os.path.dirname(split), moved)
        self.same(os.path.join(moved, "program"), whole)

    def test_another_build(self):
        split, whole = self.two("g++", ("-g", "-O2", "-gdwarf-5"))
        place = os.path.dirname(split)
        os.replace(os.path.join(place, "second.dwo"), os.path.join(place, "subject.dwo"))
        self.lines_only(split, whole)


if __name__ == "__main__":
    unittest.main()
