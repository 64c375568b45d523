"""The symbolizer against three other tools, over real programs and over the options that
compilers have for debug information.

At least 99.9 % of the addresses must have the whole stack of functions, files and lines that one
of the tools says; in python3.11-dbg, that both llvm-symbolizer and eu-addr2line say. An address is
explained by which of the tools agree with the symbolizer (RULES), and counted by that.
"""

import collections
import os
import shutil
import unittest

from . import oracles
from .test_symbols_accuracy import Subjects, build, plain, same, sample

ALL = ("llvm-symbolizer", "eu-addr2line", "addr2line")
LEAST = 0.999
PYTHON = "/usr/bin/python3.11-dbg"

# Why a tool says something else than the others. What is not here is not explained.
RULES = {
    ALL: "all agree",
    ("llvm-symbolizer", "eu-addr2line"): "addr2line 2.40 takes file 1 of DWARF 5 for file 0, names "
    "the innermost inlined function by its plain name, or misses an inlined call",
    ("llvm-symbolizer", "addr2line"): "eu-addr2line 0.188 takes the last of two entries for an "
    "address, misses callers in clang's units of many sections, or has lines of a neighbour",
    ("eu-addr2line", "addr2line"): "llvm-symbolizer 14 names the part of a function that is seldom "
    "run, or code without lines, otherwise",
    ("llvm-symbolizer",): "both faults of eu-addr2line and of addr2line",
    ("eu-addr2line",): "both faults of llvm-symbolizer and of addr2line",
    ("addr2line",): "both faults of llvm-symbolizer and of eu-addr2line",
}

OPTIONS = (
    ["-g", "-O1"],
    ["-g", "-O3"],
    ["-g1", "-O2"],
    ["-g", "-O2", "-gdwarf-2"],
    ["-g", "-O2", "-gdwarf-3"],
    ["-g", "-O2", "-gdwarf-5", "-ffunction-sections", "-Wl,--gc-sections"],
    ["-g", "-O2", "-flto"],
    ["-g", "-O3", "-flto", "-gdwarf-4"],
)


class Options(Subjects):
    counts = collections.Counter()

    @classmethod
    def tearDownClass(cls):
        total = sum(cls.counts.values())
        for rule, count in cls.counts.most_common():
            print("%6d of %d: %s" % (count, total, rule))

    def compare(self, path, count):
        """How many addresses of a file each set of agreeing tools has."""
        for tool in ALL:
            if shutil.which(tool) is None:
                self.skipTest(tool + " is not installed")
        functions = oracles.functions(path)
        addresses = sample(functions, count)
        answers = {tool: oracles.ask(tool, path, addresses) for tool in ALL}
        agreed = collections.Counter()
        wrong = []
        for address, stack in zip(addresses, self.named(path, addresses)):
            ours = plain(stack)
            symbols = {
                name for start, size, name in functions if start <= address < start + size
            }
            tools = tuple(tool for tool in ALL if same(ours, answers[tool][address], symbols))
            agreed[tools] += 1
            self.counts[RULES.get(tools, "unexplained")] += 1
            if tools not in RULES:
                wrong.append((hex(address), ours, [answers[tool][address] for tool in ALL]))
        share = 1 - len(wrong) / len(addresses)
        self.assertGreaterEqual(share, LEAST, "%d wrong, such as %s" % (len(wrong), wrong[:2]))
        return agreed

    def check_options(self, compiler, source):
        if shutil.which(compiler) is None:
            self.skipTest(compiler + " is not installed")
        for flags in OPTIONS:
            with self.subTest(flags=" ".join(flags)):
                path = build(self.directory, compiler, source, *flags)
                agreed = self.compare(path, 300)
                self.assertGreater(sum(agreed.values()), 100)

    def test_gcc(self):
        self.check_options("gcc", "subject.c")

    def test_gxx(self):
        self.check_options("g++", "subject.cc")

    def test_clang(self):
        self.check_options("clang", "subject.c")

    def test_clangxx(self):
        self.check_options("clang++", "subject.cc")

    def test_python(self):
        if not os.path.exists(PYTHON):
            self.skipTest("python3.11-dbg is not installed")
        agreed = self.compare(PYTHON, 4000)
        by_llvm = sum(count for tools, count in agreed.items() if "llvm-symbolizer" in tools)
        by_elfutils = sum(count for tools, count in agreed.items() if "eu-addr2line" in tools)
        self.assertGreaterEqual(by_llvm, 4000 * LEAST)
        self.assertGreaterEqual(by_elfutils, 4000 * LEAST)


if __name__ == "__main__":
    unittest.main()
