"""Blocks by class in other commands than leaks, and graphs of blocks that are named later (late.c)."""

import os
import unittest

from .harness import Case, program, tag_line
from .test_reach import KINDS
from .test_reach_incomplete import LATE


class Filters(Case):
    def setUp(self):
        super().setUp()
        self.lost = tag_line(LATE, "lost")

    def test_classes_as_filters(self):
        """--kinds of stats, diff and traces, of now and of kept snapshots."""
        before = ["snapshot start", "break phase", "break stop_here", "run", "snapshot take --graph a", "continue"]
        commands = [
            "snapshot take --graph b",
            "snapshot diff a b --kinds definite,indirect --json",
            "snapshot diff a --kinds all --json --no-suppressions",
            "snapshot diff a --json",
            "snapshot stats b --kinds reachable,definite --json",
            "snapshot traces b --json",
            "snapshot traces b --kinds possible --json",
            "snapshot traces b -n 1 --kinds definite",
            "snapshot stats --leaked --kinds all",
            "snapshot stats --kinds definite,gone",
            "snapshot traces --kinds ,",
            "snapshot stats --suppressions /nonexistent",
            "snapshot export b --kinds reachable " + os.path.join(self.directory, "b.csv"),
            "snapshot export b --kinds reachable --format heapsnapshot " + os.path.join(self.directory, "b"),
            "snapshot who --json --in b in_table",
        ]
        results = self.batch(before + commands, program("late"))
        (row,) = results.json(commands[1])["statistics"]
        self.assertEqual(
            (row["traceback"][0]["lineno"], row["size_diff"], row["count_diff"]), (self.lost, 79, 1)
        )
        both = results.json(commands[2])
        del both["suppressed"]
        self.assertEqual(both, results.json(commands[3]))
        kinds = [trace["reach"] for trace in results.json(commands[5])["traces"]]
        counts = {kind: kinds.count(kind) for kind in KINDS}
        self.assertEqual(sum(counts.values()), len(kinds))
        self.assertEqual((counts["definite"], counts["possible"]), (1, 0))
        self.assertGreater(counts["reachable"], 0)
        total = results.json(commands[4])["total"]
        self.assertEqual(total["count"], counts["reachable"] + 1)
        self.assertEqual(results.json(commands[6])["traces"], [])
        self.assertRegex(results[commands[7]], r"\n?#1: 0x\w+: size=79 B, definite, thread=")
        self.assertIn("--leaked is --kinds definite: give one of them", results[commands[8]])
        known = "is no kind of block: they are definite, indirect, possible, reachable, or all"
        self.assertIn("'gone' " + known, results[commands[9]])
        self.assertIn("',' " + known, results[commands[10]])
        self.assertIn("give --leaked or --kinds with them, or leave them out", results[commands[11]])
        with open(os.path.join(self.directory, "b.csv"), encoding="utf-8") as file:
            self.assertEqual(len(file.read().splitlines()) - 1, counts["reachable"])
        self.assertIn("leave out the filters, --leaked and --kinds", results[commands[13]])

    def test_names_later(self):
        """A graph of blocks whose frames are named afterwards is the same."""
        commands = [
            "snapshot take --graph --no-names bare",
            "snapshot leaks bare --json --no-suppressions",
            "snapshot traces bare --json --no-skip",
            "snapshot dump bare " + os.path.join(self.directory, "bare"),
            "snapshot load {} again".format(os.path.join(self.directory, "bare")),
            "snapshot symbolize again",
            "snapshot symbolize bare",
            "snapshot take --graph named",
        ]
        shown = ["snapshot {} {} --json".format(command, name)
                 for command in ("leaks", "traces", "retained") for name in ("bare", "again", "named")]
        results = self.at_stop(commands + shown, "late")
        self.assertRegex(
            results[commands[0]], r"^Snapshot bare: .*\n\d+ frames left without a name: `snapshot symbolize bare` names them\.\n$"
        )
        (row,) = results.json(commands[1])["statistics"]
        self.assertEqual(
            (row["size"], row["count"], row["traceback"][0]["named_by"]), (79, 1, "address")
        )
        kinds = {trace["address"]: trace["reach"] for trace in results.json(commands[2])["traces"]}
        self.assertEqual(set(kinds.values()) & {"definite", "reachable"}, {"definite", "reachable"})
        for command in ("leaks", "traces", "retained"):
            bare, again, named = (results.json("snapshot {} {} --json".format(command, name))
                                  for name in ("bare", "again", "named"))
            if command == "traces":
                self.assertEqual({t["address"]: t["reach"] for t in named["traces"]}, kinds)
                for answer in (bare, again, named):
                    for trace in answer["traces"]:
                        del trace["thread_label"]
            self.assertEqual(bare, named, command)
            self.assertEqual(again, named, command)


if __name__ == "__main__":
    unittest.main()
