"""Samples: what is shown of programs that are known, and programs of which everything is sampled."""

import os
import subprocess
import sys
import unittest

import expectations

from . import test_programs_held as held
from .harness import LIBRARY, ROOT, Case, environment, program

SOURCE = expectations.source("sampled.c")
SMALL = expectations.named(SOURCE)["small"].line
PERIOD = 4096
FIRST = (
    "this is a sample, of one block for each 4 KiB that are allocated: sizes and counts are"
    " estimates, and \u00b1 is their standard error"
)

# A seed makes the sample of each thread the same, but not which thread is which.
BEFORE = ["set environment ALLOCSNAP_SAMPLE_SEED 15", "snapshot start --sample 4K", "break stop_here"]

# Blocks of fewer bytes than this are now and then passed over by a sample of period 1.
CERTAIN = 24


class Sample(Case):
    seconds = 30

    def rows(self, answer):
        """The rows of the program's source, by line."""
        return {
            row["traceback"][0]["lineno"]: row
            for row in answer["statistics"]
            if row["traceback"][0]["filename"] == SOURCE
        }

    def check_rows(self, answer):
        """Each row is as far from the truth as six of its errors at most, which chance makes of one
        in hundreds of millions."""
        rows = self.rows(answer)
        truth = expectations.expected(SOURCE, "first")
        self.assertEqual(set(rows), set(truth))
        for line, (size, count) in truth.items():
            row = rows[line]
            self.assertLessEqual(abs(row["size"] - size), 6 * row["error"] + 1, row)
            self.assertLessEqual(abs(row["count"] - count), 6 * row["count_error"] + 1, row)
            self.assertGreater(row["sampled_count"], 0)
            self.assertLessEqual(row["sampled_count"], count)

    def test_estimates_and_what_is_said_of_them(self):
        commands = BEFORE + [
            "run", "snapshot stats --json --no-skip", "snapshot stats --no-skip",
            "snapshot stats thread --json", "snapshot stats size --json",
            "snapshot stats traceback --json", "snapshot stats lineno --cumulative --json",
            "snapshot stats -n 2 --json --no-skip", "snapshot stats --json --no-skip --include *sampled.c",
            "snapshot status", "snapshot take a", "snapshot list", "snapshot retained",
            "snapshot leaks --no-skip --json", "snapshot who kept[0][0]",
        ]
        out = self.batch(commands, program("sampled"))
        answer = out.json("snapshot stats --json --no-skip")
        self.assertEqual(answer["sample_period"], PERIOD)
        self.assertEqual(answer["notes"], [FIRST])
        self.check_rows(answer)
        self.check_rows(out.json("snapshot stats --json --no-skip --include *sampled.c"))
        rows = self.rows(answer)
        large = max(rows.values(), key=lambda row: row["size"])
        self.assertEqual((large["size"], large["count"], large["error"]), (80000000, 80, 0))
        text = out["snapshot stats --no-skip"].splitlines()
        self.assertEqual(text[0], "warning: " + FIRST)
        self.assertRegex(text[2], r": size=76\.3 MiB, count=80, sampled=80, average=977 KiB, in run$")
        self.assertRegex(out["snapshot stats --no-skip"], r":{}: size=[0-9.]+ [KM]iB \u00b1\d%, count=\d+, sampled=\d+, average=64 B, in run".format(SMALL))
        total = answer["total"]
        for command in ("thread", "size", "traceback"):
            other = out.json("snapshot stats {} --json".format(command))
            self.assertEqual(other["total"], total)
            self.assertEqual(sum(row["size"] for row in other["statistics"]), total["size"])
            self.assertEqual(
                sum(row["sampled_count"] for row in other["statistics"]), total["sampled_count"]
            )
        few = out.json("snapshot stats -n 2 --json --no-skip")
        parts = few["statistics"] + [few["other"]]
        for field in ("size", "sampled_count"):
            self.assertEqual(sum(part[field] for part in parts), total[field])
        self.assertAlmostEqual(sum(part["error"] ** 2 for part in parts) ** 0.5, total["error"], delta=2)
        status = out["snapshot status"]
        self.assertIn("a sample of one block for each 4096 B allocated\n", status)
        self.assertRegex(status, r"traced: +about [0-9.]+ MiB in \d+ blocks, peak about [0-9.]+ MiB \(estimated from {} sampled blocks\)".format(total["sampled_count"]))
        self.assertIn("estimated from {} sampled blocks.\n".format(total["sampled_count"]), out["snapshot take a"])
        self.assertIn(" (a sample)\n", out["snapshot list"])
        self.assertEqual(
            out["snapshot retained"],
            "what blocks keep alive cannot be told of a sample: trace every block"
            " (`snapshot start --sample 0`)\n",
        )
        self.assertIn("only a sample of the blocks is recorded", out.json("snapshot leaks --no-skip --json")["notes"][0])

    def test_the_estimates_of_the_hooks_are_the_readers(self):
        out = self.batch(
            BEFORE + ["run", "python import allocsnap; print(allocsnap.get_traced_memory()[0])",
                      "snapshot stats --json", "snapshot start", "continue", "snapshot status"],
            program("sampled"),
        )
        size = out.json("snapshot stats --json")["total"]["size"]
        traced = int(out["python import allocsnap; print(allocsnap.get_traced_memory()[0])"])
        self.assertLessEqual(abs(traced - size), size // 100000)
        # Started again, it is a sample of the same period, which the freed blocks are not in.
        self.assertIn("a sample of one block for each 4096 B allocated.\n", out["snapshot start"])
        self.assertIn("about 0 B in 0 blocks, peak about 0 B (estimated from 0 sampled blocks)\n", out["snapshot status"])

    def test_differences_and_dumps(self):
        dump = os.path.join(self.directory, "a.dump")
        out = self.batch(
            BEFORE + ["run", "snapshot take a", "snapshot dump a " + dump, "continue",
                      "snapshot diff a --json --no-skip", "snapshot diff a --no-skip",
                      "snapshot load {} b".format(dump), "snapshot diff a b --json --no-skip", "snapshot stats a --json --no-skip", "snapshot stats a --json",
                      "snapshot stats b --json --no-skip", "snapshot list",
                      "snapshot dump a {}2 --format tracemalloc".format(dump)],
            program("sampled"),
        )
        self.assertIn("a sample cannot be written for tracemalloc", out["snapshot dump a {}2 --format tracemalloc".format(dump)])
        self.assertFalse(os.path.exists(dump + "2"))
        self.check_api(dump, out.json("snapshot stats a --json"))
        first = self.rows(out.json("snapshot stats a --json --no-skip"))[SMALL]
        diff = out.json("snapshot diff a --json --no-skip")
        self.assertEqual((diff["sample_period"], diff["old_sample_period"]), (PERIOD, PERIOD))
        row = self.rows(diff)[SMALL]
        self.assertEqual(
            (row["size"], row["size_diff"], row["count_diff"], row["size_diff_error"], row["sampled_count"], row["error"]),
            (0, -first["size"], -first["count"], first["error"], 0, 0),
        )
        self.assertRegex(out["snapshot diff a --no-skip"], r":{}: size=0 B \(-1\d+ KiB \u00b1\d+\.\d KiB\), count=0 \(-\d+\), sampled=0".format(SMALL))
        self.assertEqual(out.json("snapshot stats b --json --no-skip"), out.json("snapshot stats a --json --no-skip"))
        self.assertEqual(out["snapshot list"].count(" (a sample)\n"), 2)
        same = out.json("snapshot diff a b --json --no-skip")["total"]
        self.assertEqual((same["size_diff"], same["count_diff"]), (0, 0))

    def check_api(self, dump, answer):
        """What the Python API makes of it, without a debugger."""
        code = """
import allocsnap, sys
one = allocsnap.Snapshot.load(sys.argv[1])
kept = one.filter_traces([allocsnap.Filter(True, "*/sampled.c")])
class Own:
    inclusive = True
    def _match(self, trace):
        return True
try:
    one.filter_traces([Own()])
except allocsnap.AllocsnapError as error:
    refused = str(error).startswith("filters of your own cannot go over a sample")
print(one.sample_period, len(one.traces), sum(row.size for row in one.statistics("lineno")),
      kept.sample_period, kept.compare_to(one, "filename")[-1].size_diff <= 0, refused,
      allocsnap.Snapshot([(0, 5, (("a", 1),))], 1).sample_period)
"""
        done = subprocess.run(
            [sys.executable, "-c", code, dump], stdout=subprocess.PIPE, encoding="utf-8", check=True,
            env=environment(self.home, PYTHONPATH=os.path.join(ROOT, "core", "python"), ALLOCSNAP_LIBRARY=LIBRARY),
        )
        total = answer["total"]
        self.assertEqual(done.stdout.split(), [str(PERIOD), str(total["sampled_count"]), str(total["size"]), str(PERIOD), "True", "True", "0"])

    def test_a_period_is_asked_for_before_a_run_and_in_a_process(self):
        out = self.batch(
            ["snapshot start --sample 1M", "show environment ALLOCSNAP_SAMPLE", "snapshot start --sample 5X",
             "snapshot start --sample 1025G", "snapshot start 3 --sample 4K", "break stop_here", "run", "snapshot start --sample 0",
             "snapshot status", "snapshot start --sample 2K", "continue", "snapshot status", "snapshot stop", "snapshot stop",
             "show environment ALLOCSNAP_SAMPLE"],
            program("sampled"),
        )
        self.assertEqual(out["snapshot start --sample 1M"], "The next `run` traces the heap, 16 frames of each stack, a sample of one block for each 1024 KiB allocated.\n")
        for value in ("5X", "1025G"):
            self.assertEqual(
                out["snapshot start --sample " + value],
                'argument --sample: "{}" is not a period of a sample (bytes, or with K, M or G: 512K); `snapshot start --help` shows how\n'.format(value),
            )
        self.assertIn("Tracing starts again at the program's next malloc or free, 3 frames of each stack.\n", out["snapshot start --sample 0"])
        self.assertIn("The next `run` traces the heap, 3 frames of each stack.\n", out["snapshot start --sample 0"])
        self.assertIn("for each 2048 B allocated", out["snapshot start --sample 2K"])

    def test_a_kept_core_has_the_sample(self):
        core = os.path.join(self.directory, "core")
        live = self.batch(BEFORE + ["run", "generate-core-file " + core, "snapshot stats --json", "snapshot status"], program("sampled"))
        dead = self.batch(["snapshot stats --json", "snapshot status"], program("sampled"), core)
        self.assertEqual(dead["snapshot stats --json"], live["snapshot stats --json"])
        for line in ("tracing: ", "traced: "):
            shown = [[text for text in one["snapshot status"].splitlines() if text.startswith(line)] for one in (live, dead)]
            self.assertEqual(*shown)


class Everything(held.Programs):
    """A sample of period 1 has every block that is not tiny: it is recorded and forgotten by the ways
    of a sample, whatever function it comes from and goes back to."""

    seconds = 100

    def check(self, source, where, stop):
        commands = ["set breakpoint pending on", "set environment ALLOCSNAP_SAMPLE_SEED 1"]
        commands += ["snapshot start {} --sample 1".format(held.NFRAME)] + stop + ["run", held.LINES]
        live = self.batch(commands, program(os.path.splitext(source)[0]))
        for one in [source] + held.SHARED.get(source, []):
            self.check_held(live.json(held.LINES), one, where)

    def check_held(self, answer, source, where):
        """Lines whose blocks are tiny aside."""
        path = expectations.source(source)
        tiny = {
            line
            for line, (size, count) in expectations.expected(path, where).items()
            if size < CERTAIN * count
        }
        shown = {
            row["traceback"][0]["lineno"]: (row["size"], row["count"])
            for row in answer["statistics"]
            if row["traceback"][0]["filename"] == path
        }
        wanted = expectations.expected(path, where)
        for line in tiny:
            wanted.pop(line)
            shown.pop(line, None)
        self.assertEqual(shown, wanted)


if __name__ == "__main__":
    unittest.main()
