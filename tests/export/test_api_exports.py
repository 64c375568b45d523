"""Snapshot.export inside gdb writes what the command writes."""

import os

from e2e.harness import Case

SCRIPT = """
import allocsnap
snapshot = allocsnap.take_snapshot(graph=True)
for ending in (".folded", ".heapsnapshot", ".pb.gz", ".csv", ".db", ".speedscope.json"):
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
        endings = (".folded", ".pb.gz", ".csv", ".db", ".speedscope.json")
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

    def read(self, name):
        with open(os.path.join(self.directory, name), "rb") as file:
            return file.read()
