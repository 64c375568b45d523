"""What `snapshot status` says of the process's resident memory, against the kernel."""

import os
import re
import sys
import unittest

from .harness import ROOT, Case, program

sys.path.insert(0, os.path.join(ROOT, "core", "python"))

# pylint: disable=wrong-import-position
from allocsnap.library.rows import format_size  # noqa: E402
from allocsnap.resident import Resident, has_pools_of_python, lines  # noqa: E402
from allocsnap.target import Region  # noqa: E402

MIB = 1 << 20
KERNEL = (
    "python print(*(line for line in"
    " open('/proc/{}/smaps_rollup'.format(gdb.selected_inferior().pid))"
    " if line.startswith(('Rss', 'Anonymous'))), sep='')"
)


class Status(Case):
    def test_adds_up(self):
        # Reading memory may touch it: the second time, all that is read has been.
        results = self.at_stop(
            ["snapshot status", "snapshot  status", KERNEL, "continue", "snapshot status "], "resident"
        )
        kernel = dict(re.findall(r"^ ?(\w+): +(\d+) kB", results[KERNEL], re.M))
        rss, anonymous = (1024 * int(kernel[name]) for name in ("Rss", "Anonymous"))
        shown = re.search(
            r"^rss:     (.*) = (.*) traced \+ (.*) tracker \+ (.*) other anonymous memory \+ (.*) in files$",
            results["snapshot  status"],
            re.M,
        ).groups()
        self.assertEqual(shown[0], format_size(rss))
        self.assertEqual(shown[1], "32.0 MiB")
        self.assertEqual(shown[4], format_size(rss - anonymous))
        other = float(re.fullmatch(r"(\S+) MiB", shown[3]).group(1))
        # The tracker has pages that were never touched.
        self.assertGreaterEqual(other, 62)
        self.assertLess(other, 70)
        # 200 MiB of a block were never touched.
        untouched = re.search(
            r"^rss: +.* in files; at least (\S+) MiB of what is traced and of the tracker has never"
            " been touched",
            results["snapshot status "],
            re.M,
        ).group(1)
        self.assertLessEqual(float(untouched), 200 - 64)
        self.assertGreater(float(untouched), 200 - 75)

    def test_not_of_a_core(self):
        core = os.path.join(self.directory, "core")
        self.at_stop(["generate-core-file " + core], "resident")
        results = self.batch(["snapshot status"], program("resident"), core)
        self.assertIn("traced:", results["snapshot status"])
        self.assertNotIn("rss:", results["snapshot status"])


class Lines(unittest.TestCase):
    def test_sum(self):
        found = lines(Resident(100 * MIB, 80 * MIB, 0), 50 * MIB, 5 * MIB, True)
        self.assertEqual(
            found[0],
            "100 MiB = 50.0 MiB traced + 5120 KiB tracker + 25.0 MiB other anonymous memory"
            " + 20.0 MiB in files",
        )
        self.assertEqual(len(found), 3)
        self.assertIn("PYTHONMALLOC=malloc", found[2])
        self.assertEqual(len(lines(Resident(100 * MIB, 80 * MIB, 0), 50 * MIB, 5 * MIB, False)), 2)

    def test_never_touched(self):
        self.assertEqual(
            lines(Resident(30 * MIB, 20 * MIB, MIB), 50 * MIB, MIB, True),
            [
                "30.0 MiB, 10.0 MiB of it in files; at least 31.0 MiB of what is traced and of the"
                " tracker has never been touched, and takes no memory, 1024 KiB more are swapped out"
            ],
        )

    def test_python(self):
        for path, expected in (
            ("/usr/bin/python3.11", True),
            ("/usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0", True),
            ("/usr/lib/python3/dist-packages/x.so", False),
            ("/usr/bin/git", False),
        ):
            self.assertEqual(has_pools_of_python([Region(0, 1, 0, path)]), expected, path)
