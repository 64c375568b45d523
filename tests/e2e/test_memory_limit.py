"""The hooks with little memory: records are dropped and counted, and the program goes on."""

import re
import subprocess

from .harness import HOOKS, Case, environment, program

MIB = 1 << 20


class MemoryLimit(Case):
    def counts(self, results):
        """(traced blocks, dropped blocks, bytes of the tracker at most) of `snapshot status`."""
        status = results["snapshot status"]
        traced = int(re.search(r"^traced: .* in (\d+) blocks", status, re.M).group(1))
        dropped = int(re.search(r"^dropped: (\d+) blocks", status, re.M).group(1))
        size, unit = re.search(r"^tracker: (\S+) (KiB|MiB)", status, re.M).groups()
        # What is shown is rounded.
        step = 0.05 if "." in size else 0.5
        least = (float(size) - step) * {"KiB": 1 << 10, "MiB": MIB}[unit]
        return traced, dropped, least

    def test_a_limit_set(self):
        results = self.at_stop(
            ["snapshot status", "snapshot stats", "continue"],
            "million",
            env={"ALLOCSNAP_MAX_MEMORY": "4M"},
        )
        traced, dropped, tracker = self.counts(results)
        self.assertEqual(traced + dropped, 1000000)
        self.assertGreater(traced, 100000)
        self.assertLessEqual(tracker, 4 * MIB)
        self.assertIn("{} blocks were not recorded".format(dropped), results["snapshot stats"])
        self.assertIn("exited normally", results["continue"])

    def test_no_address_space(self):
        results = self.batch(
            ["snapshot start", "break without_room", "run"]
            + ["snapshot status", "print live", "continue"],
            program("no_room"),
        )
        traced, dropped, _ = self.counts(results)
        self.assertEqual(results["print live"], "$1 = 400001\n")
        self.assertEqual(traced + dropped, 400001)
        self.assertGreater(dropped, 300000)
        self.assertIn("exited normally", results["continue"])

    def test_bad_limits(self):
        for value in ("0", "1023K", "12x", "M", "-1", "99999999999999999999", "17179869184G", "4 M"):
            with self.subTest(value):
                env = environment(self.home, LD_PRELOAD=HOOKS, ALLOCSNAP_MAX_MEMORY=value)
                done = subprocess.run(
                    [program("plain")], env=env, stderr=subprocess.PIPE, encoding="utf-8"
                )
                self.assertEqual(done.returncode, 0)
                self.assertEqual(
                    done.stderr,
                    "allocsnap: ALLOCSNAP_MAX_MEMORY={}: not a number of bytes from 1M on (with K, "
                    "M or G behind it); not tracing\n".format(value),
                )

    def test_good_limits(self):
        for value in ("", "1M", "1048576", "1024K", "16G", "18446744073709551615"):
            with self.subTest(value):
                env = environment(self.home, LD_PRELOAD=HOOKS, ALLOCSNAP_MAX_MEMORY=value)
                done = subprocess.run([program("plain")], env=env, stderr=subprocess.PIPE)
                self.assertEqual((done.returncode, done.stderr), (0, b""))
