"""Snapshot.export inside gdb writes what the command writes."""

import os

from e2e.harness import Case

SCRIPT = """
import allocsnap
snapshot = allocsnap.take_snapshot(graph=True)
for ending in (".folded", ".heapsnapshot", ".pb.gz", ".csv", ".db", ".speedscope.json", ".profile.json"):
    snapshot.export("api" + ending)
leaked = snapshot.leaks()
leaked.export("leaked.csv")
try:
    leaked.export("leaked.heapsnapshot")
except ValueError as error:
    print(error)
"""


class Api(Case):
    def test_same_files(self):
        script = os.path.join(self.directory, "script.py")
        with open(script, "w", encoding="utf-8") as file:
            file.write(SCRIPT)
        endings = (".folded", ".pb.gz", ".csv", ".db", ".speedscope.json", ".profile.json")
        results = self.at_stop(
            ["source " + script, "snapshot take --graph heap"]
            + ["snapshot export heap command" + ending for ending in endings]
            + ["snapshot export now --leaked command_leaked.csv"],
            "reach",
        )
        self.assertEqual(
            results["source " + script],
            "the format heapsnapshot has all blocks: export the snapshot that this one was made of\n",
        )
        self.assertGreater(len(self.read("api.heapsnapshot")), 1000)
        for ending in endings:
            with self.subTest(ending):
                self.assertEqual(self.read("api" + ending), self.read("command" + ending))
        self.assertEqual(self.read("leaked.csv"), self.read("command_leaked.csv"))

    def test_of_a_dump(self):
        """It has what the file keeps of the pointers: classes, but no heap snapshot."""
        heap = "snapshot export again heap.heapsnapshot"
        results = self.at_stop(
            ["snapshot take --graph heap", "snapshot dump heap heap.dump", "snapshot load heap.dump again",
             "snapshot export heap taken.csv", "snapshot export again loaded.csv", heap,
             "python import allocsnap",
             "python allocsnap.Snapshot.load('heap.dump').export('api.csv')",
             "python allocsnap.Snapshot.load('heap.dump').export('api.heapsnapshot')"],
            "reach",
        )
        self.assertIn(b",definite,", self.read("taken.csv"))
        self.assertEqual(self.read("loaded.csv"), self.read("taken.csv"))
        self.assertEqual(self.read("api.csv"), self.read("taken.csv"))
        words = "does not have the pointers that the format heapsnapshot is of: "
        self.assertIn(words, results[heap])
        self.assertRegex(
            results.outputs[-1], "AllocsnapError.*: a snapshot from a file, or named later, " + words
        )
        self.assertEqual([name for name in os.listdir(self.directory) if name.endswith(".heapsnapshot")], [])

    def read(self, name):
        with open(os.path.join(self.directory, name), "rb") as file:
            return file.read()
