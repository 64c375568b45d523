"""Allocators that end the program, stacks that overflow, and memory that runs out."""

import unittest

from e2e.harness import program

from .hooked import LINES, MEMORY, STATUS, Case


class DyingAllocator(Case):
    HELD = dict(held=(sum(10 + i for i in range(1, 1000, 2)), 500))

    def in_core(self, how):
        """What a core holds of a program that ended within its allocator."""
        core = self.kernel_core("dying", how)
        results = self.batch([LINES, MEMORY, STATUS], program("dying"), core)
        self.check_sums(results.json(LINES), results[MEMORY])
        self.assertIn("dropped: 0 blocks", results[STATUS])
        return self.held(results.json(LINES), "dying.c")

    def test_abort_in_malloc(self):
        self.assertEqual(
            self.in_core("abort"), self.tagged("dying.c", last=(8888, 1), **self.HELD)
        )

    def test_bad_store_in_calloc(self):
        self.assertEqual(
            self.in_core("store"), self.tagged("dying.c", last=(8888, 1), **self.HELD)
        )

    def test_bad_store_in_free(self):
        """The block in flight is withdrawn before it is released."""
        self.assertEqual(self.in_core("free"), self.tagged("dying.c", **self.HELD))

    def test_bad_store_in_realloc(self):
        self.assertEqual(self.in_core("realloc"), self.tagged("dying.c", **self.HELD))


class Overflow(Case):
    def test_handler_that_reports(self):
        self.assertEqual(self.finish("overflow", "report"), (9, "overflow\n"))

    # The thread stays within the hook that was cut off: what it does is put off for ever.
    @unittest.expectedFailure
    def test_handler_that_jumps_out(self):
        pid, _ = self.paused("overflow")
        results = self.attached("overflow", pid, [LINES, STATUS])
        held = self.held(results.json(LINES), "overflow.c")
        # A jump out of malloc leaves its block behind, with a record or without.
        lost = held.pop(next(iter(self.tagged("overflow.c", level=(0, 0)))), (0, 0))
        self.assertLessEqual(lost[1], 200)
        self.assertEqual(
            held, self.tagged("overflow.c", handler=(200 * 88, 200), after=(200 * 120, 200))
        )
        self.assertIn("dropped: 0 blocks", results[STATUS])


class LittleMemory(Case):
    def check_limited(self, *arguments):
        """The blocks that the program has are recorded or counted as dropped."""
        pid, text = self.paused("cramped", *arguments)
        _, then = [int(word) for word in text.split() if word != "then"]
        results = self.attached("cramped", pid, [LINES, "snapshot take all", STATUS])
        ((size, count),) = self.held(results.json(LINES), "cramped.c").values()
        self.assertEqual(size, 48 * count)
        self.assertLessEqual(count, then)
        return then, count, results

    def test_address_space_that_runs_out(self):
        then, count, results = self.check_limited("64")
        dropped = int(results[STATUS].split("dropped: ")[1].split()[0].replace(",", ""))
        # Of the blocks without a record half may have been released since.
        self.assertGreaterEqual(dropped, then - count)
        self.assertIn("{} block".format(dropped), results["snapshot take all"].splitlines()[0])

    def test_address_space_that_is_enough_for_both(self):
        then, count, results = self.check_limited("128", "500000")
        self.assertEqual((then, count), (250000, 250000))
        self.assertIn("dropped: 0 blocks", results[STATUS])
