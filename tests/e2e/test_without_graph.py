"""Statistics, differences, filters and traces read the table alone: not the memory of a block, nor registers, nor what
else the graph needs."""

import json
import os
import unittest

from .harness import Case, program

#: Notes each read of the program's memory, and each question for its threads.
SCRIPT = r"""
import json
import gdb_target
from allocsnap.library import calls, graphs
from allocsnap.session import Session

reads, asked = [], []

def read_memory(self, address, size, real=gdb_target.GdbTarget.read_memory):
    reads.append((address, size))
    return real(self, address, size)

def thread_facts(self, real=gdb_target.GdbTarget.thread_facts):
    asked.append("registers")
    return real(self)

def compute(self, *arguments, real=graphs.Graph.compute):
    asked.append("graph")
    return real(self, *arguments)

def no_direct(self, pid):
    return None

# All that is read goes through the debugger, one call for each.
calls.Regions.direct = no_direct
gdb_target.GdbTarget.read_memory = read_memory
gdb_target.GdbTarget.thread_facts = thread_facts
graphs.Graph.compute = compute

def say(command):
    reads.clear()
    asked.clear()
    gdb.execute(command, to_string=True)
    print(json.dumps({"reads": reads, "asked": asked}))
"""

#: Without the graph; `take` reads once more, and what names a kept one reads nothing.
READING = [
    "snapshot stats",
    "snapshot stats --json",
    "snapshot stats function --cumulative",
    "snapshot stats thread --include *holds.c --exclude *x.c",
    "snapshot stats size --domain 0",
    "snapshot stats age",
    "snapshot traces",
    "snapshot diff first",
    "snapshot diff first traceback --all-frames --include *.c",
    "snapshot take second",
]
KEPT = ["snapshot stats first", "snapshot diff first second", "snapshot traces first --include *.c", "snapshot list"]
GRAPH = ["snapshot leaks", "snapshot stats --leaked", "snapshot retained", "snapshot take --graph third"]


class WithoutGraph(Case):
    def test_what_is_read(self):
        commands = ["snapshot start 16", "break stop_here", "run", "snapshot traces -n all --json", "snapshot take first"]
        script = os.path.join(self.directory, "noting.py")
        with open(script, "w", encoding="utf-8") as file:
            file.write(SCRIPT)
        commands += ["source " + script]
        begun = len(commands)
        asking = READING + KEPT + GRAPH
        # Names are looked up once.
        commands += ["python say({!r})".format(READING[0])]
        commands += ["python say({!r})".format(command) for command in asking]
        results = self.batch(commands, program("holds"))
        blocks = [
            (trace["address"], trace["address"] + trace["size"])
            for trace in results.json("snapshot traces -n all --json")["traces"]
        ]
        self.assertGreater(len(blocks), 5)
        told = [json.loads(text) for text in results.outputs[begun + 1 :]]
        found = dict(zip(asking, told))
        counts = {len(found[command]["reads"]) for command in READING}
        self.assertEqual(len(counts), 1, {command: len(found[command]["reads"]) for command in READING})
        self.assertGreater(counts.pop(), 0)
        for command in READING + KEPT:
            self.assertEqual(found[command]["asked"], [], command)
            self.assertEqual(self.in_blocks(found[command], blocks), set(), command)
        for command in KEPT:
            self.assertEqual(found[command]["reads"], [], command)
        for command in GRAPH:
            self.assertEqual(sorted(set(found[command]["asked"])), ["graph", "registers"], command)
            self.assertEqual(self.in_blocks(found[command], blocks), set(blocks), command)

    @staticmethod
    def in_blocks(told, blocks):
        """The blocks of which something was read."""
        return {
            (start, end)
            for start, end in blocks
            if any(address < end and start < address + size for address, size in told["reads"])
        }


if __name__ == "__main__":
    unittest.main()
