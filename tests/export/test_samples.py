"""Samples: files have what the blocks stand for, as the commands show it."""

import csv
import json
import os
import sqlite3

from e2e.harness import program
from e2e.test_sample import BEFORE, FIRST

from . import firefox_profiles
from .profiles import Profile
from .test_pprof import Pprof


class Samples(Pprof):
    seconds = 15

    def path(self, ending):
        return os.path.join(self.directory, "heap" + ending)

    def test_estimates(self):
        endings = (".folded", ".pb.gz", ".csv", ".db", ".speedscope.json", ".profile.json")
        exports = ["snapshot export heap " + self.path(ending) for ending in endings]
        refused = ["snapshot export heap " + self.path(".heapsnapshot"),
                   "snapshot export --format tracemalloc heap " + self.path(".pickle")]
        counts = "snapshot export --count heap " + self.path(".collapsed")
        lines = "snapshot stats function --no-skip --json heap"
        results = self.batch(
            BEFORE + ["run", "snapshot take --graph heap", lines, *exports, counts, *refused], program("sampled")
        )
        for command in exports:
            self.assertIn("warning: " + FIRST, results[command])
        for command in refused:
            self.assertRegex(results[command], r"\A(warning: [^\n]*\n)*a sample (has not all|cannot be written)")
        self.assertFalse(os.path.exists(self.path(".heapsnapshot")) or os.path.exists(self.path(".pickle")))
        answer = results.json(lines)
        self.check_folded(answer)
        self.check_pprof(answer)
        self.check_csv(answer)
        self.check_sqlite(answer)
        with open(self.path(".speedscope.json"), encoding="utf-8") as file:
            bytes_, blocks = json.load(file)["profiles"]
        self.assertEqual(bytes_["endValue"], answer["total"]["size"])
        self.assertLess(abs(blocks["endValue"] - answer["total"]["count"]), len(blocks["weights"]))
        profile = firefox_profiles.load(self, self.path(".profile.json"))
        self.assertEqual(sum(profile.sizes.values()), answer["total"]["size"])
        self.assertLess(abs(sum(profile.counts.values()) - answer["total"]["count"]), len(profile.counts))
        self.assertIn(FIRST, profile.notes)

    def numbers(self, ending):
        with open(self.path(ending), encoding="utf-8") as file:
            return [int(line.split()[-1]) for line in file]

    def check_folded(self, answer):
        self.assertEqual(sum(self.numbers(".folded")), answer["total"]["size"])
        counts = self.numbers(".collapsed")
        self.assertLess(abs(sum(counts) - answer["total"]["count"]), len(counts))

    def check_pprof(self, answer):
        profile = Profile(self.pprof("-raw", self.path(".pb.gz")))
        self.assertIn(FIRST, profile.comments)
        self.assertIn("Period: {}\n".format(answer["sample_period"]), profile.head)
        # Each sample is rounded.
        size = sum(sample.size for sample in profile.samples)
        self.assertLess(abs(size - answer["total"]["size"]), answer["total"]["sampled_count"])
        self.assertLess(
            abs(sum(sample.count for sample in profile.samples) - answer["total"]["count"]),
            len(profile.samples),
        )

    def check_csv(self, answer):
        with open(self.path(".csv"), encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        sampled = answer["total"]["sampled_count"]
        self.assertEqual(sum(int(row["sampled"]) for row in rows), sampled)
        self.assertLess(abs(sum(int(row["size"]) for row in rows) - answer["total"]["size"]), sampled)
        self.assertLess(abs(sum(int(row["count"]) for row in rows) - answer["total"]["count"]), len(rows))

    def check_sqlite(self, answer):
        database = sqlite3.connect("file:{}?mode=ro".format(self.path(".db")), uri=True)
        self.addCleanup(database.close)
        size, count, sampled = database.execute(
            "SELECT sum(size * weight), sum(weight), count(*) FROM blocks").fetchone()
        self.assertEqual(sampled, answer["total"]["sampled_count"])
        self.assertLess(abs(size - answer["total"]["size"]), sampled)
        self.assertLess(abs(count - answer["total"]["count"]), 1)
        self.assertEqual(database.execute("SELECT sample_period, count FROM snapshots").fetchall(),
                         [(answer["sample_period"], sampled)])
        self.assertIn((1, FIRST), database.execute("SELECT * FROM notes").fetchall())
