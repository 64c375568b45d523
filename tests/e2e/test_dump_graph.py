"""What points to the blocks of a snapshot, in files: after `snapshot load` all says the same."""

import os
import subprocess
import unittest

from . import debuggers
from .debuggers import RUN, stop_at
from .harness import Case, program

COMMANDS = [
    "snapshot leaks a",
    "snapshot leaks a --json",
    "snapshot leaks traceback a --kinds definite,indirect",
    "snapshot leaks function a --kinds all --json",
    "snapshot leaks a --kinds possible --json",
    "snapshot leaks a --exclude *:1 --include *.c --include *.cc --json",
    "snapshot leaks type a --json",
    "snapshot retained a",
    "snapshot retained a --json",
    "snapshot retained traceback a --json",
    "snapshot retained type a --json",
    "snapshot retained a --include *.c --json",
    "snapshot retained a --top -n 30",
    "snapshot retained a --top --json",
    "snapshot stats type a --json",
    "snapshot stats a --leaked",
    "snapshot stats a --leaked --json",
    "snapshot traces a --leaked --json",
]


class DumpedGraph(Case):
    seconds = 20

    def path(self, name="file.dump"):
        return os.path.join(self.directory, name)

    def check(self, results, debugger=None):
        """Loads the file of a session, and has it say the same as that."""
        load = "snapshot load {} a".format(self.path())
        addresses = {
            trace["address"]: trace["size"]
            for trace in results.json("snapshot traces a --leaked --json")["traces"]
        }
        who = ["snapshot who --in a --json {}".format(address) for address in addresses]
        again = "snapshot dump a " + self.path("again")
        more = ["snapshot list", "snapshot retained a --exact", "snapshot refs 16", again]
        more += ["snapshot leaks a --no-heuristics"]
        commands = [load] + COMMANDS + who + more
        loaded = debugger.run(self, commands, program("reach")) if debugger else self.batch(commands)
        self.assertEqual(
            loaded[load].replace("Snapshot a:", ""),
            results["snapshot take --graph a"].replace("Snapshot a:", ""),
        )
        for command in COMMANDS:
            self.assertEqual(loaded[command], results[command], command)
        self.assertEqual(
            [loaded.json(command)["reach"] for command in who], ["definite"] * len(addresses)
        )
        self.assertRegex(loaded["snapshot list"], r"\na .* of (process|core) \S+ \(graph[,)]")
        self.assertIn(
            NO_POINTERS + " what all blocks of a line together keep alive: ask in the paused"
            " process, or in its core\n",
            loaded["snapshot retained a --exact"],
        )
        self.assertIn("there is no process and no core", loaded["snapshot refs 16"])
        self.assertIn("was found out when it was taken", loaded["snapshot leaks a --no-heuristics"])
        with open(self.path(), "rb") as first, open(self.path("again"), "rb") as second:
            # But for where it is from, which the attributes say.
            self.assertEqual(first.read()[8:16], second.read()[8:16])

    def commands(self):
        return ["snapshot take --graph a"] + COMMANDS + ["snapshot dump a " + self.path()]

    def test_every_class(self):
        self.check(self.at_stop(self.commands(), "reach"))

    def test_blocks_that_keep_others_alive(self):
        self.check(self.at_stop(self.commands(), "together"))

    def test_classes_of_objects(self):
        results = self.at_stop(self.commands(), "types")
        self.assertIn("drawing::", results["snapshot stats type a --json"])
        self.check(results)

    def test_what_was_missing(self):
        core = self.kernel_core("late", "trap")
        results = self.batch(self.commands(), program("late"), core)
        self.assertIn("of roots are not in this core", results["snapshot leaks a"])
        self.check(results)

    def test_in_lldb(self):
        for debugger in debuggers.lldbs():
            with self.subTest(debugger.name):
                before = ["snapshot start 16", stop_at("stop_here"), RUN]
                results = debugger.run(self, before + self.commands(), program("reach"))
                self.check(results, debugger)

    def test_without_the_graph_files_are_as_they_were(self):
        """Format 3, and another allocsnap reads it."""
        self.at_stop(["snapshot take a", "snapshot dump a " + self.path()], "holds")
        with open(self.path(), "rb") as file:
            self.assertEqual(int.from_bytes(file.read()[12:16], "little"), 3)
        results = self.batch(["snapshot load {} a".format(self.path()), "snapshot leaks a"])
        self.assertIn("does not say what pointed to its blocks", results["snapshot leaks a"])

    def test_named_later(self):
        """Classes, types and what lines keep alive stay, and are told by the lines."""
        stripped = self.path("stripped")
        subprocess.run(["strip", "-g", "-o", stripped, program("types")], check=True)
        by_line = ["snapshot leaks a --kinds all --json", "snapshot retained a --json"]
        by_line += ["snapshot stats type a --json"]
        wanted = self.at_stop(["snapshot take --graph a"] + by_line, "types")
        start = ["snapshot start 16", "break stop_here", "run"]
        self.batch(start + ["snapshot take --graph a", "snapshot dump a " + self.path()], stripped)
        os.remove(stripped)
        named = "snapshot symbolize a " + program("types")
        results = self.batch(
            ["snapshot load {} a".format(self.path()), named] + by_line + ["snapshot dump a " + self.path()]
        )
        self.assertNotIn("types, without debug information", results[named])
        for command in by_line:
            rows, known = (
                [_without_place(row) for row in found.json(command)["statistics"]]
                for found in (results, wanted)
            )
            self.assertEqual(rows, known, command)
        again = self.batch(["snapshot load {} a".format(self.path())] + by_line)
        for command in by_line:
            self.assertEqual(again[command], results[command])

    def test_python(self):
        script = self.path("script.py")
        with open(script, "w", encoding="utf-8") as file:
            file.write(SCRIPT.format(self.directory))
        lines = self.at_stop(["source " + script], "reach")["source " + script].splitlines()
        self.assertEqual(lines, ["True"] * 8 + [NO_POINTERS] * 3 + ["None"])


def _without_place(row):
    """A row of JSON without what differs from one copy of a program to the next."""
    frames = [(frame["filename"], frame["lineno"], frame.get("function")) for frame in row.get("traceback", ())]
    return dict(row, traceback=frames)


NO_POINTERS = "a snapshot from a file, or named later, does not have the pointers that say"

SCRIPT = """
import allocsnap
from allocsnap import Snapshot

def facts(snapshot):
    return sorted((t.domain, t.size, str(t.traceback), str(t.reach)) for t in snapshot.traces)

def retained(snapshot):
    return [(str(r.traceback), r.size, r.count, r.retained_size, r.retained_count)
            for r in snapshot.retained("lineno")]

taken = allocsnap.take_snapshot(graph=True)
path = "{0}/python.dump"
taken.dump(path)
loaded = Snapshot.load(path)
print(facts(loaded) == facts(taken))
print(retained(loaded) == retained(taken))
kinds = ("definite", "indirect")
print(facts(loaded.leaks()) == facts(taken.leaks()))
only = allocsnap.ReachFilter(True, "possible")
print(facts(loaded.filter_traces([only])) == facts(taken.filter_traces([only])))
# What was filtered keeps its classes, and what all blocks keep alive.
part = taken.leaks(kinds)
part.dump(path)
again = Snapshot.load(path)
print(facts(again) == facts(part) and facts(again.leaks(kinds)) == facts(part))
print(retained(again) == retained(part))
again.dump(path + ".2")
print(open(path, "rb").read() == open(path + ".2", "rb").read())
empty = taken.filter_traces([allocsnap.DomainFilter(True, 77)])
empty.dump(path)
print(len(Snapshot.load(path).leaks().traces) == 0)
from allocsnap.bulk import TraceTable
address = TraceTable(loaded._object).addresses(slice(0, 1))[0]
for ask in (loaded.references, loaded.referrers, loaded.paths):
    try:
        ask(address)
    except allocsnap.AllocsnapError as error:
        print(str(error)[: len("{1}")])
taken.dump(path, format="tracemalloc")
import tracemalloc
print(None if len(tracemalloc.Snapshot.load(path).traces) == len(taken.traces) else "fewer")
""".replace("{1}", NO_POINTERS)


if __name__ == "__main__":
    unittest.main()
