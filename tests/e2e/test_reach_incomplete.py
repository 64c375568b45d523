"""Graphs of which something is missing: what it is, and in which direction results err."""

import os
import unittest

from .harness import HOOKS, ROOT, Case, program, tag_line

LATE = os.path.join(ROOT, "tests", "programs", "late.c")
UNKNOWN = "there are blocks that were not recorded, as those from before the tracing began: "


class Incomplete(Case):
    """What is missing is said in the first lines, and in which direction it errs."""

    def lines(self, results, command):
        """([lines of the source that rows are of], notes)."""
        answer = results.json(command)
        rows = answer["statistics"]
        return sorted(row["traceback"][0]["lineno"] for row in rows), answer["notes"]

    def setUp(self):
        super().setUp()
        tags = "held by an early block", "held by undumped memory", "lost"
        self.by_early, self.by_undumped, self.lost = (tag_line(LATE, tag) for tag in tags)

    def test_tracing_that_began_late(self):
        commands = ["snapshot leaks --json" + more for more in ("", " --kinds possible", " --gaps no")]
        before = [
            "set environment LD_PRELOAD " + HOOKS,
            "set environment ALLOCSNAP 0",
            "break phase",
            "break stop_here",
            "run",
            "snapshot start",
            "continue",
            "snapshot set earlier never",
        ]
        results = self.batch(before + commands + ["snapshot leaks"], program("late"))
        note = UNKNOWN + (
            "what only the memory between the recorded ones leads to counts as possible, which may"
            " hide leaks"
        )
        self.assertEqual(self.lines(results, commands[0]), ([self.lost], [note]))
        self.assertEqual(self.lines(results, commands[1]), ([self.by_early], [note]))
        note = UNKNOWN + "what only they hold is shown as leaked"
        self.assertEqual(self.lines(results, commands[2]), ([self.by_early, self.lost], [note]))
        self.assertTrue(results["snapshot leaks"].startswith("warning: " + UNKNOWN))

    def test_traces_that_were_dropped(self):
        before = ["snapshot start", "break phase", "break stop_here", "run", "snapshot clear", "continue"]
        before.append("snapshot set earlier never")
        results = self.batch(before + ["snapshot leaks --json"], program("late"))
        found, notes = self.lines(results, "snapshot leaks --json")
        self.assertEqual(found, [self.lost])
        self.assertTrue(notes[0].startswith(UNKNOWN))

    def test_memory_that_a_core_lacks(self):
        results = self.at_stop(["snapshot leaks --json"], "late")
        self.assertEqual(self.lines(results, "snapshot leaks --json"), ([self.lost], []))
        core = self.kernel_core("late", "trap")
        results = self.batch(["snapshot leaks --json"], program("late"), core)
        found, notes = self.lines(results, "snapshot leaks --json")
        self.assertEqual(found, [self.by_undumped, self.lost])
        self.assertEqual(
            notes,
            ["96.0 KiB of roots are not in this core: blocks that only they hold are shown as leaked"],
        )

    def test_what_has_leaked_since(self):
        before = ["snapshot start", "break phase", "break stop_here", "run", "snapshot take --graph a", "continue"]
        commands = [
            "snapshot diff a --leaked --json",
            "snapshot stats --leaked",
            "snapshot traces --leaked --json",
            "snapshot take --graph b",
            "snapshot leaks b --json",
            "snapshot take c",
            "snapshot diff c b --leaked",
            "snapshot leaks b --gaps yes",
        ]
        results = self.batch(before + commands, program("late"))
        (row,) = results.json(commands[0])["statistics"]
        self.assertEqual(
            (row["traceback"][0]["lineno"], row["size_diff"], row["count_diff"]), (self.lost, 79, 1)
        )
        self.assertIn("late.c:{}: size=79 B, count=1".format(self.lost), results[commands[1]])
        (trace,) = results.json(commands[2])["traces"]
        self.assertEqual(trace["size"], 79)
        self.assertEqual(self.lines(results, commands[4]), ([self.lost], []))
        self.assertIn("snapshot c does not say what pointed to its blocks", results[commands[6]])
        self.assertIn("was found out when it was taken", results[commands[7]])

    def test_leaked_blocks_with_notes(self):
        before = ["snapshot start", "break phase", "break stop_here", "run", "snapshot clear", "continue"]
        before.append("snapshot set earlier never")
        commands = ["snapshot stats --leaked", "snapshot stats --leaked --json", "snapshot take --graph"]
        results = self.batch(before + commands, program("late"))
        self.assertTrue(results[commands[0]].startswith("warning: " + UNKNOWN))
        (note,) = results.json(commands[1])["notes"]
        self.assertTrue(note.startswith(UNKNOWN))
        self.assertTrue(results[commands[2]].startswith("warning: " + UNKNOWN))

    def test_what_is_no_block_and_no_process(self):
        results = self.at_stop(
            ["snapshot refs 16", "snapshot path &early", "snapshot leaks --kinds lost", "snapshot take a",
             "snapshot leaks a", "snapshot leaks --tag-mask 0xg",
             "snapshot leaks --tag-mask 0xfffff", "snapshot leaks --tag-mask 0xff0", "snapshot retained --top lineno"], "late")
        self.assertEqual(
            results["snapshot refs 16"],
            "0x10 is in no live traced block: `snapshot who 0x10` says what is there\n",
        )
        self.assertIn("is in no live traced block", results["snapshot path &early"])
        self.assertIn("'lost' is no kind of block", results["snapshot leaks --kinds lost"])
        self.assertIn("does not say what pointed to its blocks", results["snapshot leaks a"])
        self.assertIn("is not a mask", results["snapshot leaks --tag-mask 0xg"])
        self.assertIn("is not a mask", results["snapshot leaks --tag-mask 0xfffff"])
        self.assertRegex(
            results["snapshot leaks --tag-mask 0xff0"],
            r"\Atag mask 0xff0: the addresses of \d+ of \d+ blocks have such bits themselves.*\n\Z",
        )
        self.assertIn("leave out lineno", results["snapshot retained --top lineno"])
        results = self.batch(["snapshot leaks", "snapshot refs 16"], program("late"))
        for command in ("snapshot leaks", "snapshot refs 16"):
            self.assertTrue(results[command].startswith("there is no process and no core"), command)


if __name__ == "__main__":
    unittest.main()
