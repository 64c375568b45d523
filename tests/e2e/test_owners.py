"""Statistics by owner: what leads to each block is known by construction (owners.cc)."""

import json
import os
import re
import unittest

from . import debuggers
from .debuggers import CONTINUE, RUN, stop_at
from .harness import program
from .typed import Typed

# {label: (size, count)} at the end, and before that.
KNOWN = {
    "Session": (4 * 1024, 8),
    "global table (owners.cc)": (5 * 104, 5),
    "global nearer (owners.cc)": (312, 1),
    "<unreachable>": (136 + 152, 2),
    "thread-local own (owners.cc) of thread": (200, 1),
    "global list (owners.cc)": (3 * 24 + 2 * 40, 5),
}
BEFORE = dict(
    KNOWN,
    **{
        "Session": (3 * 1024, 6),
        "global table (owners.cc)": (4 * 104, 4),
        "global list (owners.cc)": (3 * 24 + 3 * 40, 6),
    },
)
LOCAL = {"frame of main, variable local of thread": (56, 1)}
CHANGED = {
    "Session": (1024, 2),
    "global table (owners.cc)": (104, 1),
    "global list (owners.cc)": (-40, -1),
}
STATS = "snapshot stats owner --json"
LEAKS = "snapshot leaks owner --json"
RETAINED = "snapshot retained owner --json"


def rows(answer):
    """{label: (size, count)} of a JSON answer, without numbers of threads, and the libraries' blocks."""
    found = {}
    for row in answer["statistics"]:
        label = re.sub(r" of thread \d+( \(.*\))?$", " of thread", row["label"])
        if "libstdc++" not in label:
            found[label] = (row["size"], row["count"])
    return found


class Owners(Typed):
    KEPT = [
        "snapshot take plain",
        "snapshot take --graph a",
        CONTINUE,
        "snapshot diff a owner --json",
        "snapshot stats a owner --json",
        "snapshot stats plain owner",
        "snapshot stats owner --cumulative",
        "snapshot stats owner --leaked --json",
        STATS,
        LEAKS,
        RETAINED,
        "snapshot stats own -n 1",
        "snapshot freed owner",
    ]

    def check_kept(self, results):
        changed = {
            re.sub(r" of thread \d+.*", "", row["label"]): (row["size_diff"], row["count_diff"])
            for row in results.json(self.KEPT[3])["statistics"]
            if row["count_diff"]
        }
        self.assertEqual(changed, CHANGED)
        self.assertEqual(rows(results.json(self.KEPT[4])), dict(BEFORE, **LOCAL))
        self.assertIn("snapshot plain does not say what pointed to its blocks", results[self.KEPT[5]])
        self.assertIn("--cumulative goes by filename", results[self.KEPT[6]])
        for command in (self.KEPT[7], LEAKS):
            self.assertEqual(rows(results.json(command)), {"<unreachable>": (136, 1)}, command)
        self.assertEqual(rows(results.json(STATS)), dict(KNOWN, **LOCAL))
        retained = results.json(RETAINED)
        self.assertEqual(rows(retained), dict(KNOWN, **LOCAL))
        sizes = {row["label"]: row["retained_size"] for row in retained["statistics"]}
        self.assertEqual(sizes["Session"], 4 * 1024)
        self.assertIn("owners, by size\n#1: ", results[self.KEPT[11]])
        self.assertIn("the hooks keep no freed blocks here", results[self.KEPT[12]])

    def test_gdb(self):
        before = ["snapshot start", "break phase", "break stop_here", "run"]
        commands = [getattr(one, "gdb", one) for one in self.KEPT]
        self.check_kept(self.batch(before + commands, program("owners")))

    def test_lldb(self):
        for debugger in debuggers.lldbs():
            with self.subTest(debugger.name):
                before = ["snapshot start 16", stop_at("phase"), stop_at("stop_here"), RUN]
                self.check_kept(debugger.run(self, before + self.KEPT, program("owners")))

    def check_core(self, preload):
        """The same of a core, in both debuggers and without one: there nothing tells the variables of
        frames, and the sources of global ones."""
        core = self.kernel_core("owners", "trap", **preload)
        self.assertEqual(rows(self.batch([STATS], program("owners"), core).json(STATS)), dict(KNOWN, **LOCAL))
        for debugger in debuggers.lldbs():
            with self.subTest(debugger.name):
                found = debugger.run(self, [STATS], program("owners"), core=core)
                self.assertEqual(rows(found.json(STATS)), dict(KNOWN, **LOCAL))
        found = rows(self.told_json("-c", core, "stats", "owner"))
        self.assertEqual(found.pop("stack of thread"), (56, 1))
        self.assertEqual(
            {re.sub(r"^(global .*) \(owners\)$", r"\1 (owners.cc)", label): found[label] for label in found}, KNOWN
        )
        return core

    def told_json(self, *words):
        return json.loads(self.told(*words, "--json"))

    def test_a_core(self):
        core = self.check_core({})
        file = os.path.join(self.directory, "kept")
        commands = ["snapshot take --graph a", "snapshot dump a " + file]
        self.batch(commands, program("owners"), core)
        loaded = ["snapshot load {} b".format(file), "snapshot stats b owner --json"]
        self.assertEqual(rows(self.batch(loaded).json(loaded[1])), dict(KNOWN, **LOCAL))

    def test_a_core_without_hooks(self):
        self.check_core({"preload": None})


SCRIPT = """
import allocsnap
snapshot = allocsnap.take_snapshot(graph=True)
for row in snapshot.statistics("owner"):
    if str(row.traceback) == "Session":
        print(row.traceback, row.size, row.count, type(row.traceback).__name__)
"""


class Interface(Typed):
    def test_python(self):
        path = os.path.join(self.directory, "script.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(SCRIPT)
        source = "source " + path
        found = self.at_stop([source], "owners")[source]
        self.assertEqual(found, "Session 4096 8 Group\n")


if __name__ == "__main__":
    unittest.main()
