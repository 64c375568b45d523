"""`snapshot diff`: between a process, its cores, and other runs."""

import os
import unittest

import expectations

from .harness import Case, program

SOURCE = expectations.source("holds.c")
MARKS = expectations.named(SOURCE)

TO_DIFF = ["snapshot start", "break hold_nothing", "run", "snapshot take before"]


def changes(answer):
    """{(file, line): (size, size_diff, count, count_diff)} of the rows that changed."""
    return {
        (row["traceback"][0]["filename"], row["traceback"][0]["lineno"]): tuple(
            row[field] for field in ("size", "size_diff", "count", "count_diff")
        )
        for row in answer["statistics"]
        if row["size_diff"] or row["count_diff"]
    }


GROWN = {
    (SOURCE, MARKS["deepest"].line): (32, 32, 1, 1),
    (SOURCE, MARKS["empty"].line): (0, 0, 1, 1),
}
SHRUNK = {
    (SOURCE, MARKS["deepest"].line): (0, -32, 0, -1),
    (SOURCE, MARKS["empty"].line): (0, 0, 0, -1),
}
GROWN_TOTAL = {"size": 10128, "size_diff": 32, "count": 14, "count_diff": 2}


class Diff(Case):
    def test_of_a_process(self):
        json_commands = [
            "snapshot diff before --json",
            "snapshot diff before now --json",
            "snapshot diff before after --json",
            "snapshot diff --json lineno before after",
            "snapshot diff --json before lineno after",
        ]
        commands = json_commands + [
            "snapshot diff after before --json",
            "snapshot diff now before --json",
            "snapshot diff before -n 1",
            "snapshot diff before filename --cumulative",
            "snapshot diff before traceback --json",
        ]
        results = self.batch(
            TO_DIFF + ["break stop_here", "continue", "snapshot take after"] + commands,
            program("holds"),
        )
        for command in json_commands:
            answer = results.json(command)
            self.assertEqual(changes(answer), GROWN)
            self.assertEqual(answer["total"], GROWN_TOTAL)
            self.assertEqual(answer["rows"], 5)
        for command in ("snapshot diff after before --json", "snapshot diff now before --json"):
            self.assertEqual(changes(results.json(command)), SHRUNK)
        self.assertEqual(
            results["snapshot diff before -n 1"].splitlines()[:2],
            [
                "Top 1 of 5 lines, by difference in size",
                "#1: {}:{}: size=32 B (+32 B), count=1 (+1), average=32 B, in hold_deep".format(
                    SOURCE, MARKS["deepest"].line
                ),
            ],
        )
        self.assertTrue(
            results["snapshot diff before -n 1"].endswith(
                "\nTotal: size=10128 B (+32 B), count=14 (+2)\n"
            )
        )
        self.assertIn(
            ", by difference in size (cumulative: a block counts for each of its frames)\n",
            results["snapshot diff before filename --cumulative"],
        )
        deepest = results.json("snapshot diff before traceback --json")["statistics"][0]
        self.assertEqual(
            [frame["function"] for frame in deepest["traceback"]][:5], ["hold_deep"] * 4 + ["main"]
        )

    def test_between_a_process_and_a_core_of_another_run(self):
        """Rows match by name: the program lies elsewhere in the core."""
        core = self.kernel_core("holds", "abort")
        commands = ["snapshot diff before --json", "snapshot diff before core --json"]
        results = self.batch(
            TO_DIFF
            + ["kill", "core-file {}".format(core), commands[0], "snapshot take core", "core-file"]
            + [commands[1], "snapshot diff before"],
            program("holds"),
        )
        for command in commands:
            self.assertEqual(changes(results.json(command)), GROWN)
            self.assertEqual(results.json(command)["total"], GROWN_TOTAL)
        # Without a process or core it is the newest snapshot.
        self.assertIn(
            "Total: size=10128 B (+32 B), count=14 (+2)\n", results["snapshot diff before"]
        )

    def test_between_cores(self):
        cores = [os.path.join(self.directory, name) for name in ("early", "late")]
        live = self.batch(
            TO_DIFF
            + ["generate-core-file " + cores[0], "break stop_here", "continue"]
            + ["generate-core-file " + cores[1], "snapshot diff before --json"],
            program("holds"),
        )
        dead = self.batch(
            ["core-file " + cores[0], "snapshot take before", "core-file " + cores[1]]
            + ["snapshot diff before --json"],
            program("holds"),
        )
        command = "snapshot diff before --json"
        self.assertEqual(dead[command], live[command])
        self.assertEqual(changes(dead.json(command)), GROWN)

    def test_errors(self):
        results = self.at_stop(
            [
                "snapshot diff",
                "snapshot take a",
                "snapshot diff  ",
                "snapshot diff lineno",
                "snapshot diff b",
                "snapshot diff a b",
                "snapshot diff a lines",
                "snapshot diff a a",
                "snapshot diff now",
                "snapshot diff a now a",
                "snapshot diff a now lineno b",
                "snapshot diff a now b",
                "snapshot diff a traceback --cumulative",
                "kill",
                "snapshot diff a ",
                "snapshot diff a now ",
            ],
            "holds",
        )
        which = "which snapshots? `snapshot diff OLD [NEW]`: "
        keys = (
            "the keys are filename, lineno, traceback, function, module, thread, age, size, type, owner"
        )
        itself = "{} would be compared with itself: name another snapshot, `snapshot diff OLD NEW`"
        expected = {
            "snapshot diff": which + "there are no snapshots: `snapshot take` takes one",
            "snapshot diff  ": which + "the snapshots are a",
            "snapshot diff lineno": which + "the snapshots are a",
            "snapshot diff b": 'no key or snapshot "b": {}; the snapshots are a'.format(keys),
            "snapshot diff a b": 'no key or snapshot "b": {}; the snapshots are a'.format(keys),
            "snapshot diff a lines": 'no key or snapshot "lines": {}; the snapshots are a'.format(
                keys
            ),
            "snapshot diff a a": itself.format("a"),
            "snapshot diff now": itself.format("now"),
            "snapshot diff a now a": "three snapshots, a, now and a: give two of them",
            "snapshot diff a now lineno b": 'one word too many, "b": give a key and two snapshots',
            "snapshot diff a now b": 'no key "b": {}'.format(keys),
            "snapshot diff a traceback --cumulative": "--cumulative goes by filename, lineno,"
            " function, module, not by traceback: leave it out, or give one of these keys",
            "snapshot diff a ": itself.format("a"),
            "snapshot diff a now ": "there is no process and no core: start the program with"
            " `run`, or load a core file",
        }
        for command, message in expected.items():
            with self.subTest(command):
                self.assertEqual(results[command], message + "\n")


if __name__ == "__main__":
    unittest.main()
