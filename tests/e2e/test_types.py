"""Statistics by type: classes of C++ objects, known by construction (types.cc)."""

import os
import subprocess
import unittest

from . import debuggers
from .debuggers import CONTINUE, RUN, stop_at
from .harness import Case, program

# {label: (size, count)} at the end.
KNOWN = {
    "Shape": (3 * 16, 3),
    "Square": (2 * 24 + 8 + 5 * 24, 3),
    "Wide": (16 + 2 * 16, 1),
    "drawing::Holder<int>": (32, 1),
    # Plain[4], the table of functions, the text.
    "<no vtable>, 64 B to < 128 B": (8 + 4 * 24, 1),
    "<no vtable>, 32 B to < 64 B": (40 + 41, 2),
    "<no vtable>, 4 B to < 8 B": (5, 1),
}
COMMANDS = ["snapshot {} type --json".format(name) for name in ("stats", "leaks --kinds all")]
COMMANDS += ["snapshot retained type --json", "snapshot stats type"]
TOP = ["snapshot retained --top -n all --json", "snapshot retained --top -n all"]
COMMANDS += TOP


def rows(answer):
    """{label: (size, count)} of a JSON answer, without the libraries' blocks."""
    found = {row["label"]: (row["size"], row["count"]) for row in answer["statistics"]}
    # The C++ library's pool for exceptions.
    return {label: numbers for label, numbers in found.items() if "64 KiB" not in label}


SCRIPT = """
import allocsnap
snapshot = allocsnap.take_snapshot(graph=True)
def square(rows):
    return [row for row in rows if str(row.traceback) == "Square"][0]
row = square(snapshot.statistics("type"))
group = row.traceback
print(group.label, row.size, row.count, type(group).__name__, group.range)
row = square(snapshot.retained("type"))
print(row.traceback, row.size, row.count, row.retained_size)
"""


class Types(Case):
    def check(self, results):
        for command in COMMANDS[:3]:
            answer = results.json(command)
            self.assertEqual(rows(answer), KNOWN, command)
            self.assertTrue(all(row["traceback"] == [] for row in answer["statistics"]))
        found = {}
        for block in results.json(TOP[0])["blocks"]:
            size, count = found.get(block["type"], (0, 0))
            found[block["type"]] = size + block["size"], count + 1
        self.assertGreater(found.pop(None)[1], 0)
        self.assertEqual(found, {label: KNOWN[label] for label in KNOWN if not label.startswith("<no vtable>")})
        self.assertEqual(results[TOP[1]].count(", type=Square, retained="), 3)
        self.assertIn(": Square: size=176 B, count=3, average=59 B\n", results[COMMANDS[3]])
        self.assertIn(": <no vtable>, 4 B to < 8 B: size=5 B, count=1", results[COMMANDS[3]])

    def test_gdb(self):
        self.check(self.at_stop(COMMANDS, "types"))

    def test_lldb(self):
        for debugger in debuggers.lldbs():
            with self.subTest(debugger.name):
                before = ["snapshot start 16", stop_at("stop_here"), RUN]
                self.check(debugger.run(self, before + COMMANDS, program("types")))

    def test_a_core(self):
        core = self.kernel_core("types", "trap")
        self.check(self.batch(COMMANDS, program("types"), core))
        for debugger in debuggers.lldbs():
            with self.subTest(debugger.name):
                self.check(debugger.run(self, COMMANDS, program("types"), core=core))

    def check_without_symbols(self, results):
        numbers = sorted(KNOWN[name] for name in ("Shape", "Square", "Wide", "drawing::Holder<int>"))
        found = rows(results.json(COMMANDS[0]))
        # Whether the table of functions is one of a class, nothing says then.
        nameless = {label: found[label] for label in found if label.startswith("<class of the vtable at ")}
        self.assertEqual(sorted(nameless.values()), sorted(numbers + [(40, 1)]))
        for label in nameless:
            self.assertRegex(label, r"^<class of the vtable at types\+0x[0-9a-f]+>$")

    def test_without_symbols(self):
        core = self.kernel_core("types", "trap")
        stripped = os.path.join(self.directory, "stripped")
        subprocess.run(["strip", "-o", stripped, program("types")], check=True)
        with self.subTest("gdb"):
            self.check_without_symbols(self.batch(COMMANDS[:1], stripped, core))
        for debugger in debuggers.lldbs():
            with self.subTest(debugger.name):
                self.check_without_symbols(debugger.run(self, COMMANDS[:1], stripped, core=core))

    def test_python_interface(self):
        path = os.path.join(self.directory, "script.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(SCRIPT)
        text = "Square 176 3 Group None\nSquare 176 3 176\n"
        source = debuggers.Step("source " + path, "command script import " + path)
        with self.subTest("gdb"):
            self.assertEqual(self.at_stop([source.gdb], "types")[source.gdb], text)
        for debugger in debuggers.lldbs():
            with self.subTest(debugger.name):
                before = ["snapshot start 16", stop_at("stop_here"), RUN]
                results = debugger.run(self, before + [source], program("types"))
                self.assertEqual(results[source], text)

    KEPT = [
        "snapshot take plain",
        "snapshot take --graph a",
        CONTINUE,
        "snapshot diff a type --json",
        "snapshot stats a type --json",
        "snapshot stats plain type",
        "snapshot diff plain type",
        "snapshot stats type --cumulative",
        "snapshot stats type --leaked --json",
        "snapshot stats a type --json --include */types.cc",
    ]

    def check_kept(self, results):
        changed = {
            row["label"]: (row["size_diff"], row["count_diff"])
            for row in results.json(self.KEPT[3])["statistics"]
            if row["count_diff"]
        }
        self.assertEqual(changed, {"Square": (24, 1)})
        before = dict(KNOWN, Square=(24 + 8 + 5 * 24, 2))
        self.assertEqual(rows(results.json(self.KEPT[4])), before)
        for command in self.KEPT[5:7]:
            self.assertIn("this snapshot does not say of which class its objects are", results[command])
        self.assertIn("--cumulative goes by filename, lineno, function, module, not by type", results[self.KEPT[7]])
        self.assertEqual(rows(results.json(self.KEPT[8])), {})
        self.assertEqual(rows(results.json(self.KEPT[9])), before)

    def test_kept_snapshots_in_gdb(self):
        before = ["snapshot start", "break phase", "break stop_here", "run"]
        commands = [getattr(one, "gdb", one) for one in self.KEPT]
        self.check_kept(self.batch(before + commands, program("types")))

    def test_kept_snapshots_in_lldb(self):
        for debugger in debuggers.lldbs():
            with self.subTest(debugger.name):
                before = ["snapshot start 16", stop_at("phase"), stop_at("stop_here"), RUN]
                self.check_kept(debugger.run(self, before + self.KEPT, program("types")))


if __name__ == "__main__":
    unittest.main()
