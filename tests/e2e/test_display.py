"""How names are shown: short or full, and sources that were moved."""

import os
import unittest

import expectations

from .harness import Case, program

SOURCE = expectations.source("holds.c")


class Display(Case):
    def test_sources_that_were_moved(self):
        moved = os.path.join(self.directory, "holds.c")
        with open(SOURCE, encoding="utf-8") as source, open(moved, "w", encoding="utf-8") as copy:
            for line in source:
                copy.write("moved {}\n".format(line.strip()))
        directory = os.path.dirname(SOURCE)
        results = self.at_stop(
            [
                "snapshot take a",
                "snapshot stats a -n 1",
                "set substitute-path {} {}".format(directory, self.directory),
                "snapshot stats -n 1 a",
                "snapshot traces -n 1 a",
            ],
            "holds",
        )
        before, after = results["snapshot stats a -n 1"], results["snapshot stats -n 1 a"]
        self.assertIn(SOURCE + ":", before)
        self.assertEqual(after, before.replace("\n    ", "\n    moved "))
        self.assertIn("\n    moved ", results["snapshot traces -n 1 a"])

    def test_short_and_full(self):
        results = self.at_stop(
            [
                "snapshot take a",
                "snapshot stats a -n 1",
                "snapshot stats a --json",
                "snapshot set paths short",
                "snapshot set names short",
                "snapshot set",
                "snapshot stats -n 1 a",
                "snapshot stats --json a",
                "snapshot set paths long",
                "snapshot set names",
            ],
            "holds",
        )
        self.assertEqual(
            results["snapshot set"],
            "skip: default\nmine: default\nnames: short\npaths: short\nsuppressions: off\nearlier: graph\nstop-at-exit: off\n",
        )
        full, short = results["snapshot stats a -n 1"], results["snapshot stats -n 1 a"]
        self.assertEqual(short, full.replace(SOURCE + ":", "holds.c:"))
        self.assertEqual(results["snapshot stats --json a"], results["snapshot stats a --json"])
        self.assertEqual(
            results["snapshot set paths long"], "paths are auto, short or full: say which\n"
        )
        self.assertEqual(results["snapshot set names"], "names are auto, short or full: say which\n")

    def test_short_names_of_cxx(self):
        results = self.batch(
            [
                "snapshot start",
                "break stop_here",
                "run",
                "snapshot take a",
                "snapshot stats traceback a -n 1000",
                "snapshot set names short",
                "snapshot stats a traceback -n 1000",
            ],
            program("cxx"),
        )
        full = results["snapshot stats traceback a -n 1000"]
        short = results["snapshot stats a traceback -n 1000"]
        self.assertIn(" in std::__new_allocator<int>::allocate(unsigned long, void const*)\n", full)
        self.assertIn(" in std::__new_allocator::allocate\n", short)
        self.assertNotIn("(unsigned long", short)


if __name__ == "__main__":
    unittest.main()
