"""Split debug information (-gsplit-dwarf): the same names as of the same program built
without it, of the files that the compiler leaves and of a package of them."""

import os
import shutil
import unittest

from . import oracles
from .test_symbols_accuracy import HERE, SAMPLES, Subjects, run, sample


class SplitDwarf(Subjects):
    def compile(self, compiler, name, *flags):
        """Builds a program of two units, in C++ and C++ with other names in it; where the
        directory stays, the units' own files are beside it."""
        place = os.path.join(self.directory, name)
        os.makedirs(place, exist_ok=True)
        with open(os.path.join(HERE, "subject.cc"), encoding="utf-8") as file:
            text = file.read()
        second = os.path.join(self.directory, "second.cc")
        with open(second, "w", encoding="utf-8") as file:
            file.write(text.replace("namespace shop", "namespace store")
                       .replace("shop::", "store::").replace("int main(", "int second("))
        objects = []
        for source in (os.path.join(HERE, "subject.cc"), second):
            made = os.path.join(place, os.path.basename(source)[:-3] + ".o")
            run(compiler, *flags, "-c", source, "-o", made)
            objects.append(made)
        program = os.path.join(place, "program")
        run(compiler, *objects, "-o", program)
        return program

    def two(self, compiler, *flags):
        """The program with split debug information, and whole."""
        for command in (compiler, "dwp", "llvm-dwp"):
            if shutil.which(command) is None:
                self.skipTest(command + " is not installed")
        split = self.compile(compiler, "split", "-gsplit-dwarf", *flags)
        whole = self.compile(compiler, "whole", *flags)
        self.assertEqual(oracles.functions(split), oracles.functions(whole))
        return split, whole

    def same(self, split, whole, count=SAMPLES):
        addresses = sample(oracles.functions(whole), count)
        expected = self.named(whole, addresses)
        # Where nothing is known, the frame has the path of the module.
        expected = [[(split if file == whole else file, line, function, inlined)
                     for file, line, function, inlined in stack] for stack in expected]
        self.assertGreater(sum(len(stack) > 1 for stack in expected), len(expected) // 10)
        self.assertTrue(any("store::" in (frame[2] or "") for stack in expected for frame in stack))
        self.assertEqual(self.named(split, addresses), expected)

    def check(self, compiler, version, packer):
        split, whole = self.two(compiler, "-g", "-O2", version)
        place = os.path.dirname(split)
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

    def test_moved(self):
        split, whole = self.two("g++", "-g", "-O2")
        moved = os.path.join(self.directory, "moved")
        os.rename(os.path.dirname(split), moved)
        self.same(os.path.join(moved, "program"), whole)

    def test_another_build(self):
        split, whole = self.two("g++", "-g", "-O2")
        place = os.path.dirname(split)
        os.replace(os.path.join(place, "second.dwo"), os.path.join(place, "subject.dwo"))
        self.lines_only(split, whole)


if __name__ == "__main__":
    unittest.main()
