"""Allocators that end the program, stacks that overflow, and memory that runs out."""

import re

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
    LOST = dict(level=(0, 0), before=(0, 0), resized=(0, 0))

    def test_handler_that_reports(self):
        self.assertEqual(self.finish("overflow", "report"), (9, "overflow\n"))

    def test_handler_that_jumps_out(self):
        self.check_jumps_out(nframe=16)

    def test_handler_that_jumps_out_where_no_stack_is_walked(self):
        self.check_jumps_out(nframe=1)

    def check_jumps_out(self, nframe):
        pid, _ = self.paused("overflow", nframe=nframe)
        results = self.attached("overflow", pid, [LINES, STATUS])
        held = self.held(results.json(LINES), "overflow.c")
        # What a jump cuts off is lost to the program: at most one block each.
        lost = [held.pop(line, (0, 0))[1] for line in self.tagged("overflow.c", **self.LOST)]
        self.assertLessEqual(sum(lost), 300)
        self.assertEqual(
            held, self.tagged("overflow.c", handler=(300 * 88, 300), after=(200 * 120, 200))
        )
        self.assertIn("dropped: 0 blocks", results[STATUS])


class LittleMemory(Case):
    def check_limited(self, *arguments, **options):
        """The blocks that the program has are recorded, or counted as dropped. Returns what
        it got, what it has, the records, the drops, and the bytes of the hooks."""
        pid, text = self.paused("cramped", *arguments, **options)
        got, then = [int(word) for word in text.split() if word != "then"]
        results = self.attached("cramped", pid, [LINES, MEMORY, "snapshot take all", STATUS])
        self.check_sums(results.json(LINES), results[MEMORY])
        ((size, count),) = self.held(results.json(LINES), "cramped.c").values()
        self.assertEqual(size, 48 * count)
        dropped = int(re.search(r"dropped: (\d+) block", results[STATUS]).group(1))
        first = results["snapshot take all"].splitlines()[0]
        if dropped:
            self.assertRegex(first, r"\b{} blocks? ".format(dropped))
        else:
            self.assertNotIn("dropped", first)
        # Of the blocks without a record half may have been released since.
        self.assertLessEqual(then - dropped, count)
        self.assertLessEqual(count, then)
        return got, then, count, dropped, self.memory(results[MEMORY])[2]

    def test_address_space_that_runs_out(self):
        got, _, _, _, _ = self.check_limited("64")
        # Not more than half of it has gone to the hooks.
        self.assertGreater(got * 64, 32 << 20)

    def test_no_address_space_for_the_hooks(self):
        """The program has its memory already: it gets every block, recorded or not."""
        got, then, count, dropped, _ = self.check_limited("0", "500000", "64")
        self.assertEqual((got, then), (500000, 250000))
        self.assertGreater(dropped, 0)
        self.assertLess(count, then)

    def test_address_space_that_is_enough_for_both(self):
        self.assertEqual(self.check_limited("128", "500000")[:4], (500000, 250000, 250000, 0))

    def test_limit_of_the_hooks(self):
        """All that is taken counts, the root too, and no page is missing from the count."""
        got, then, count, dropped, taken = self.check_limited(
            "512", "500000", ALLOCSNAP_MAX_MEMORY="4M"
        )
        self.assertEqual((got, then), (500000, 250000))
        self.assertGreater(dropped, 0)
        self.assertLess(count, then)
        self.assertLessEqual(taken, 4 << 20)
        self.assertGreater(taken, 7 << 19)
