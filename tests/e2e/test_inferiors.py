"""Several programs in one gdb: each command is about the selected one."""

import json

import expectations

from .harness import Case, program

STATS = "snapshot stats --json --no-skip"


class Inferiors(Case):
    def held(self, answer, source):
        path = expectations.source(source)
        return {
            row["traceback"][0]["lineno"]: (row["size"], row["count"])
            for row in answer["statistics"]
            if row["traceback"][0]["filename"] == path
        }

    def test_two_programs(self):
        results = self.batch(
            [
                "set confirm off",
                "snapshot start 16",
                "break stop_here",
                "run",
                "add-inferior -exec {}".format(program("holds")),
                "inferior 2",
                "snapshot take",
                # Each has an environment, and so a limit, of its own.
                "snapshot start 4",
                "run",
                STATS,
                "snapshot take second",
                "snapshot stop",
                "inferior 1",
                STATS,
                "snapshot take first",
                "snapshot status",
                "snapshot list",
                "kill inferiors 1 2",
            ],
            "--args",
            program("pools"),
        )
        second, first = [json.loads(text) for text in results.of(STATS)]
        self.assertEqual(
            self.held(second, "holds.c"), expectations.expected(expectations.source("holds.c"))
        )
        self.assertEqual(
            self.held(first, "pools.c"), expectations.expected(expectations.source("pools.c"))
        )
        self.assertEqual(
            results["snapshot take"],
            "there is no process and no core: start the program with `run`, or load a core file\n",
        )
        # Only the second stops.
        self.assertIn("tracing: on, 16 frames", results["snapshot status"])
        rows = [line.split() for line in results["snapshot list"].splitlines()[1:]]
        self.assertEqual([row[0] for row in rows], ["second", "first"])
        self.assertEqual([row[4] for row in rows], ["4", "16"])
        self.assertNotEqual(rows[0][6], rows[1][6])
