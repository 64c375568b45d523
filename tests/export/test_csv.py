"""Tables, as Python's csv and sqlite3 read them."""

import collections
import csv
import json
import os
import subprocess

from e2e import harness
from e2e.harness import Case

TAKE = "snapshot take --graph heap"
TRACES = "snapshot traces -n all --json heap"
LINES = "snapshot stats lineno --json heap"


class Tables(Case):
    seconds = 10

    def table(self, name, *more):
        """(rows, path, results)."""
        path = os.path.join(self.directory, "heap.csv")
        results = self.at_stop([TAKE, "snapshot export heap " + path, TRACES, LINES, *more], name)
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, strict=True))
        return rows, path, results

    def check(self, name):
        rows, path, results = self.table(name)
        expected = collections.Counter()
        for row in results.json(TRACES)["traces"]:
            names = [one["function"] or one["filename"] for one in reversed(row["traceback"])]
            key = (row["size"], row["domain"], row["domain_name"], row["thread"], row["total_nframe"])
            texts = ["" if one is None else str(one) for one in key]
            expected[(*texts, ";".join(names))] += 1
        columns = ("block_size", "domain", "domain_name", "thread", "total_nframe", "traceback")
        found = collections.Counter()
        for row in rows:
            found[tuple(row[column] for column in columns)] += int(row["count"])
            self.assertEqual(int(row["size"]), int(row["count"]) * int(row["block_size"]))
        self.assertEqual(found, expected)
        sizes = [int(row["size"]) for row in rows]
        self.assertEqual(sizes, sorted(sizes, reverse=True))
        # What blocks are attributed to.
        lines = collections.Counter()
        for row in rows:
            lines[row["filename"], int(row["lineno"])] += int(row["size"])
        expected = collections.Counter()
        for row in results.json(LINES)["statistics"]:
            frame = row["traceback"][0]
            expected[frame["filename"], frame["lineno"]] += row["size"]
        self.assertEqual(lines, expected)
        return rows, path

    def test_holds(self):
        rows, path = self.check("holds")
        self.assertEqual({row["reach"] for row in rows}, {"reachable"})
        self.assertEqual({row["named_by"] for row in rows}, {"line table"})
        answer = subprocess.run(
            ["sqlite3", "-json", ":memory:", "-cmd", ".import --csv {} heap".format(path),
             "SELECT function, sum(size) AS size FROM heap GROUP BY 1 ORDER BY 2 DESC"],
            env=harness.environment(self.home), stdout=subprocess.PIPE, check=True,
        ).stdout
        self.assertEqual(
            [(row["function"], row["size"]) for row in json.loads(answer)],
            [("hold_large", 9096), ("hold_small", 1000), ("hold_deep", 32), ("hold_nothing", 0)],
        )

    def test_threads_and_domains(self):
        rows, _ = self.check("pool_threads")
        self.assertEqual({row["domain"] for row in rows}, {"0", "5", "6"})

    def test_inlined(self):
        self.check("inlined")

    def test_offset(self):
        """It is what addr2line takes."""
        rows, _, _ = self.table("holds")
        row = next(row for row in rows if row["function"] == "hold_small")
        place = subprocess.run(
            ["addr2line", "-e", row["module"], hex(int(row["offset"]))],
            stdout=subprocess.PIPE, check=True, encoding="utf-8",
        ).stdout
        self.assertEqual(place.split()[0], "{}:{}".format(row["filename"], row["lineno"]))
