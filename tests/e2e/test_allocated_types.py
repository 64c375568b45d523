"""Statistics by type of blocks in which nothing tells of what class they are: Clang notes that beside
calls of operator new (allocated.cc)."""

import os
import subprocess
import unittest

from . import debuggers
from .debuggers import RUN, stop_at
from .harness import ROOT, Case

SOURCE = os.path.join(ROOT, "tests", "programs", "allocated.cc")
CLANG = ["clang++-22", "-g", "-fno-builtin", "-w"]

# {label: (size, count)}
KNOWN = {
    "Point": (16 + 7 * 16 + 16 + 16, 4),
    "Point*": (9 * 8, 1),
    "drawing::Holder<int>": (12, 1),
    "drawing::Outer::Inner": (40, 1),
    "drawing::(anonymous namespace)::Hidden": (50, 1),
    "Destroyed": (8 + 3 * 24, 1),
    "Square": (24, 1),
    "Shape": (16, 1),
    "Nameless": (60, 1),
    "Local": (33, 1),
    "int": (4 * 5 * 4, 1),
    "unsigned long long": (8, 1),
    "Colour": (6, 1),
    # An operator new of its own, which calls another by itself: that call has no type.
    "Pooled": (72, 1),
    "<no vtable>, 64 B to < 128 B": (100 + 101, 2),
}
STATS = "snapshot stats type --json"
COMMANDS = [STATS, "snapshot leaks --kinds all type --json"]


class AllocatedTypes(Case):
    def build(self, *flags):
        path = os.path.join(self.directory, "allocated")
        subprocess.run(CLANG + list(flags) + [SOURCE, "-o", path], check=True, cwd=self.directory)
        return path

    def check(self, results, commands=COMMANDS, known=KNOWN):
        for command in commands:
            found = {
                row["label"]: (row["size"], row["count"])
                for row in results.json(command)["statistics"]
                # The C++ library's pool for exceptions.
                if "64 KiB" not in row["label"]
            }
            self.assertEqual(found, known, command)

    def in_gdb(self, path, commands):
        return self.batch(["snapshot start", "break stop_here", "run"] + commands, path)

    def test_ways_to_write_it(self):
        """Optimised, since calls are described only then."""
        for flags in (
            ["-O1"],
            ["-O2"],
            ["-O2", "-gdwarf-4"],
            ["-O2", "-gsplit-dwarf"],
            ["-O2", "-gdwarf-4", "-gsplit-dwarf"],
            ["-O2", "-gdwarf64"],
        ):
            with self.subTest(flags=flags):
                self.check(self.in_gdb(self.build(*flags), COMMANDS))

    def test_lldb(self):
        path = self.build("-O2")
        for debugger in debuggers.lldbs():
            with self.subTest(debugger.name):
                before = ["snapshot start 16", stop_at("stop_here"), RUN]
                self.check(debugger.run(self, before + COMMANDS, path))

    def test_what_says_nothing(self):
        """Without optimisation, calls are not described; vtables tell their classes all the same."""
        results = self.in_gdb(self.build("-O0"), [STATS])
        labels = {row["label"] for row in results.json(STATS)["statistics"]}
        named = {label for label in labels if not label.startswith("<no vtable>, ")}
        self.assertEqual(named, {"Shape", "Square"})


if __name__ == "__main__":
    unittest.main()
