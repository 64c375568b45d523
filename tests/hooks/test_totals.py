"""What was ever allocated: by stack, all and what was temporary."""

import os
import re
import subprocess

from e2e import harness
from e2e.harness import environment, program

from . import test_processes, test_signals
from .hooked import Case

ALLOCATED = "snapshot stats --allocated --json --no-skip"
TEMPORARY = "snapshot stats --temporary --json --no-skip"
COUNT = "set environment ALLOCSNAP_TOTALS 1"
OF_ALLOCATED = {
    "kept": (10000, 1000), "temporary": (100000, 1000), "freed_out_of_order": (30000, 1000),
    "freed_at_once_by_its_thread": (20000, 1000), "freed_by_another_thread": (70, 10),
    "resized": (50000, 1000), "again": (60000, 1000), "between": (5000, 1000), "last": (1, 1),
}
OF_TEMPORARY = {
    "temporary": (100000, 1000), "freed_at_once_by_its_thread": (20000, 1000),
    "resized": (50000, 1000),
}


class Totals(Case):
    seconds = 20

    def stopped(self, name, commands, count=COUNT):
        before = [count, "snapshot start 16", "break stop_here", "run"]
        return self.batch(before + commands, program(name))

    def check_shown(self, results):
        for command, wanted in ((ALLOCATED, OF_ALLOCATED), (TEMPORARY, OF_TEMPORARY)):
            answer = results.json(command)
            self.assertEqual(self.held(answer, "totals.c"), self.tagged("totals.c", **wanted))
            self.assertEqual(answer["total"]["count"], sum(row["count"] for row in answer["statistics"]))
            self.assertEqual(answer["total"]["size"], sum(row["size"] for row in answer["statistics"]))

    def test_all_and_what_was_temporary(self):
        core = os.path.join(self.directory, "core")
        results = self.stopped("totals", [ALLOCATED, TEMPORARY, "gcore " + core])
        self.check_shown(results)
        self.check_shown(self.batch([ALLOCATED, TEMPORARY], program("totals"), core))

    def test_with_freed_blocks_beside_them(self):
        freed = "set environment ALLOCSNAP_FREED 100000"
        command = "snapshot freed --allocated --json --no-skip"
        results = self.batch(
            [freed, COUNT, "snapshot start 16", "break stop_here", "run", ALLOCATED, TEMPORARY,
             command],
            program("totals"),
        )
        self.check_shown(results)
        (line,) = self.tagged("totals.c", temporary=(100000, 1000))
        self.assertEqual(self.held(results.json(command), "totals.c")[line], (100000, 1000))

    def test_clear_begins_again(self):
        results = self.stopped("totals", ["snapshot clear", ALLOCATED])
        self.assertEqual(results.json(ALLOCATED)["total"]["count"], 0)

    def test_what_has_none(self):
        by_age = "snapshot stats age --allocated"
        of_other = "snapshot stats one --allocated"
        of_both = "snapshot stats --temporary --allocated"
        results = self.stopped("totals", ["snapshot take one", by_age, of_other, of_both])
        self.assertEqual(
            results[of_both], "--allocated and --temporary contradict each other: give one of them\n"
        )
        self.assertEqual(
            results[by_age],
            "--allocated goes by stacks, not by age: give filename, lineno, function, module or"
            " traceback\n",
        )
        self.assertEqual(
            results[of_other],
            "--allocated is of the process as it is now: a snapshot holds live blocks only\n",
        )
        results = self.stopped("totals", [ALLOCATED], "set environment ALLOCSNAP_TOTALS 0")
        self.assertIn(
            "the hooks do not count what is allocated here: start the program with"
            " ALLOCSNAP_TOTALS=1 in its environment",
            results[ALLOCATED],
        )
        sampled = "set environment ALLOCSNAP_SAMPLE 4K"
        results = self.batch(
            [COUNT, sampled, "snapshot start 16", "break stop_here", "run", ALLOCATED], program("totals")
        )
        self.assertIn("where only a sample is traced", results[ALLOCATED])


class Heaptrack(Case):
    seconds = 20

    def of_heaptrack(self, name):
        """(calls of allocation functions, temporary ones) of a program, as heaptrack says."""
        path = os.path.join(self.directory, "heaptrack")
        subprocess.run(
            ["heaptrack", "-o", path, program(name)], cwd=self.directory, check=True,
            env=environment(self.home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            timeout=harness.DEADLINE,
        )
        (made,) = [one for one in os.listdir(self.directory) if one.startswith("heaptrack.")]
        text = subprocess.run(
            ["heaptrack_print", os.path.join(self.directory, made)], check=True, encoding="utf-8",
            env=environment(self.home), stdout=subprocess.PIPE, timeout=harness.DEADLINE,
        ).stdout
        calls = re.search(r"calls to allocation functions: (\d+)", text)
        temporary = re.search(r"temporary memory allocations: (\d+)", text)
        return int(calls.group(1)), int(temporary.group(1))

    def test_the_same_numbers(self):
        # Its library brings the C++ library with it, which allocates.
        library = "set environment LD_PRELOAD libstdc++.so.6"
        results = self.batch(
            [COUNT, library, "snapshot start 16", "snapshot set stop-at-exit end", "run", ALLOCATED,
             TEMPORARY],
            program("totals"), stops=True,
        )
        calls, temporary = (
            results.json(command)["total"]["count"] for command in (ALLOCATED, TEMPORARY)
        )
        # For it, what is freed next is temporary whatever thread does it.
        self.assertEqual((calls, temporary + 10), self.of_heaptrack("totals"))


class _Counted:
    """The same with totals."""

    def variables(self, *arguments, **options):
        return dict(super().variables(*arguments, **options), ALLOCSNAP_TOTALS="1")

    def batch(self, commands, *arguments, **options):
        return super().batch([COUNT] + list(commands), *arguments, **options)


class Storm(_Counted, test_signals.Storm):
    pass


class Forks(_Counted, test_processes.Forks):
    pass
