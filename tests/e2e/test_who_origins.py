"""Which thread asked for a block, when, and of which domain it is."""

import collections
import json
import os
import re
import time
import unittest

import expectations

from . import test_who
from .harness import Case, program


class Origins(Case):
    """Which thread asked for a block, and when."""

    def test_of_a_process_and_of_what_was_kept(self):
        traces = "snapshot traces {}--json"
        shown = "snapshot traces {}-n 1"
        before = time.time()
        results = self.at_stop(
            ["snapshot take a", "snapshot dump a a.dump", "snapshot load a.dump b"]
            + [form.format(name) for form in (traces, shown) for name in ("", "a ", "b ")]
            + ["snapshot who --json kept[3]", "snapshot who kept[3]", "info inferiors"],
            "holds",
        )
        after = time.time()
        process = int(re.search(r"process (\d+)", results["info inferiors"]).group(1))
        answer = results.json(traces.format(""))
        # The clock of files and processes ticks every few milliseconds.
        self.assertTrue(before - 1 < answer["start"] < after + 1, answer["start"])
        for block in answer["traces"]:
            self.assertEqual((block["thread"], block["thread_label"]), (process, '1 "holds"'))
            self.assertTrue(0 <= block["time"] < after - before + 1, block["time"])
        kept = results.json(traces.format("a "))
        self.assertEqual(results[traces.format("b ")], results[traces.format("a ")])
        self.assertEqual(kept["start"], answer["start"])
        for old, new in zip(kept["traces"], answer["traces"]):
            self.assertEqual(old, {**new, "thread_label": None})
        self.assertIn(', thread={} (1 "holds"), '.format(process), results[shown.format("")])
        for name in ("a ", "b "):
            self.assertIn(", thread={}, time=".format(process), results[shown.format(name)])
        who = results.json("snapshot who --json kept[3]")
        self.assertEqual((who["trace"]["thread"], who["start"]), (process, answer["start"]))
        self.assertRegex(results["snapshot who kept[3]"].splitlines()[1], test_who.LINE.format("holds"))

    def test_of_other_threads(self):
        results = self.at_stop(
            ["snapshot traces --json", "snapshot traces --sort age --json"]
            + ["snapshot stats --json", "info inferiors"],
            "threads",
        )
        process = int(re.search(r"process (\d+)", results["info inferiors"]).group(1))
        blocks = results.json("snapshot traces --json")["traces"]
        source = expectations.source("threads.c")
        threads = collections.Counter(
            (block["thread"], block["thread_label"])
            for block in blocks
            if block["traceback"][0]["filename"] == source
        )
        # Each of the eight keeps half of its early blocks, and the late ones.
        self.assertEqual(list(threads.values()), [500 + 100] * 8)
        numbers = {number for number, _ in threads}
        self.assertEqual((len(numbers), process in numbers, None in numbers), (8, False, False))
        self.assertEqual(
            sorted(label for _, label in threads),
            ['{} "threads"'.format(number) for number in range(2, 10)],
        )
        oldest = results.json("snapshot traces --sort age --json")["traces"]
        self.assertEqual(
            [(block["time"], -block["size"], block["address"]) for block in oldest],
            sorted((block["time"], -block["size"], block["address"]) for block in blocks),
        )

    def test_of_threads_that_noted_their_numbers_and_times(self):
        noted = (
            "python print([[int(gdb.parse_and_eval(name)[i]) for i in range(4)]"
            " for name in ('threads', 'before', 'after')])"
        )
        results = self.at_stop(["snapshot traces --json", noted], "origins")
        threads, before, after = json.loads(results[noted])
        sizes = {block["size"]: block for block in results.json("snapshot traces --json")["traces"]}
        blocks = [sizes[1000 + i] for i in range(4)]
        self.assertEqual([block["thread"] for block in blocks], threads)
        self.assertEqual([block["thread_label"] for block in blocks], [None] * 3 + ['1 "origins"'])
        # In hundredths of a second, which times are whole numbers of.
        times = [round(block["time"] * 100) for block in blocks]
        for i in range(3):
            passed = times[i + 1] - times[i]
            self.assertGreater(passed, (before[i + 1] - after[i]) / 1e7 - 1)
            self.assertLess(passed, (after[i + 1] - before[i]) / 1e7 + 1)

    def test_of_a_forked_child(self):
        traces = "snapshot traces --json"
        results = self.batch(
            ["snapshot start 16", "set follow-fork-mode child", "break stop_here", "run", traces],
            program("fork"),
        )
        parent, child = re.search(
            r"\b(?:process|LWP) (\d+)\)? fork to child process (\d+)", results["run"]
        ).groups()
        source = expectations.source("fork.c")
        threads = collections.defaultdict(set)
        for block in results.json(traces)["traces"]:
            if block["traceback"][0]["filename"] == source:
                threads[block["traceback"][0]["lineno"]].add(block["thread"])
        marks = expectations.named(source)
        self.assertEqual(
            threads,
            {
                marks["shared"].line: {int(parent)},
                marks["child_only"].line: {int(child)},
                marks["child_grown"].line: {int(child)},
            },
        )

    def test_a_file_without_times(self):
        load = "snapshot load {} old".format(
            os.path.join(os.path.dirname(__file__), "..", "fuzz", "corpus", "load", "version_1.dump")
        )
        results = self.batch([load, "snapshot traces old --sort age", "snapshot traces old --json"])
        self.assertEqual(
            results["snapshot traces old --sort age"],
            "nothing says when the blocks of this snapshot were asked for: leave out --sort age\n",
        )
        answer = results.json("snapshot traces old --json")
        self.assertIsNone(answer["start"])
        for block in answer["traces"]:
            self.assertEqual(
                (block["thread"], block["thread_label"], block["time"]), (None, None, None)
            )


class Domains(Case):
    def test_by_number_and_name(self):
        totals = {
            "7": (80, 2),
            "arena": (80, 2),
            "0": (100, 1),
            "0 --domain arena": (180, 3),
            "389047": (1000, 1),
            "5": (0, 0),
            "arena --include */pools.c": (80, 2),
            "arena --include */other.c": (0, 0),
        }
        chosen = "snapshot stats --json --domain "
        unknown = "snapshot stats --domain aren"
        results = self.at_stop([chosen + words for words in totals] + [unknown], "pools")
        for words, total in totals.items():
            with self.subTest(words):
                answer = results.json(chosen + words)["total"]
                self.assertEqual((answer["size"], answer["count"]), total)
        self.assertEqual(
            results[unknown], 'no domain "aren": the named domains are arena\n'
        )

    def test_single_blocks(self):
        commands = ["snapshot traces --domain arena"]
        commands += ["snapshot who " + word for word in ("arena", "arena + 15", "arena + 80")]
        commands += ["snapshot who heap", "snapshot who heap + 500"]
        results = self.at_stop(["up"] + commands, "pools")
        self.assertRegex(
            results[commands[0]],
            r": size=70 B, domain=7 \(arena\)" + test_who.FIELDS.format("pools") + ", at ",
        )
        self.assertIn(": a block, size=10 B, domain=7 (arena)\n", results["snapshot who arena"])
        self.assertRegex(
            results["snapshot who arena + 15"],
            r": 5 bytes into the block at 0x[0-9a-f]+, size=70 B, domain=7 \(arena\)\n",
        )
        self.assertIn(
            "in no live traced block, at the end of the block at ",
            results["snapshot who arena + 80"],
        )
        # Two blocks hold this address: the smaller is meant.
        self.assertIn(": a block, size=100 B\n", results["snapshot who heap"])
        self.assertRegex(
            results["snapshot who heap + 500"],
            r": 500 bytes into the block at 0x[0-9a-f]+, size=1000 B, domain=389047\n",
        )

    def test_a_name_that_one_of_two_snapshots_knows(self):
        commands = ["snapshot diff before --json --domain arena"]
        commands += ["snapshot stats before --domain arena"]
        results = self.batch(
            ["snapshot start", "break main", "run", "snapshot take before", "break stop_here"]
            + ["continue"]
            + commands,
            program("pools"),
        )
        self.assertEqual(
            results.json(commands[0])["total"],
            {"size": 80, "size_diff": 80, "count": 2, "count_diff": 2},
        )
        self.assertEqual(
            results[commands[1]], 'no domain "arena": no domain has a name, give a number\n'
        )


if __name__ == "__main__":
    unittest.main()
