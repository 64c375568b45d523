"""Threads that share blocks, end with blocks, have little stack, or are cloned by hand."""

import expectations

from .hooked import LINES, MEMORY, STATUS, Case, answer_of


class Threads(Case):
    def test_blocks_that_eight_threads_hand_on(self):
        results = self.at_stop(
            [LINES, MEMORY, "continue", LINES, MEMORY, STATUS], "exchange", nframe=16
        )
        path = expectations.source("exchange.c")
        full, exchanged = [answer_of(text) for text in results.of(LINES)]
        self.assertEqual(self.held(full, "exchange.c"), expectations.expected(path, "full"))
        self.assertEqual(
            self.held(exchanged, "exchange.c"), expectations.expected(path, "exchanged")
        )
        at_full, at_exchanged = results.of(MEMORY)
        self.check_sums(full, at_full)
        self.check_sums(exchanged, at_exchanged)
        # Nothing had been freed at the first stop, and less was held ever after.
        now, peak, _ = self.memory(at_full)
        self.assertEqual(peak, now)
        self.assertEqual(self.memory(at_exchanged)[1], peak)
        self.assertIn("dropped: 0 blocks", results[STATUS])

    def check_short_threads(self, nframe):
        results = self.at_stop(
            [LINES, MEMORY, "continue", LINES, MEMORY, STATUS], "short_threads", nframe=nframe
        )
        wanted = expectations.expected(expectations.source("short_threads.c"))
        few, many = [answer_of(text) for text in results.of(LINES)]
        self.assertEqual(self.held(few, "short_threads.c"), wanted)
        self.assertEqual(self.held(many, "short_threads.c"), wanted)
        self.assertEqual(few["total"], many["total"])
        of_few, of_many = results.of(MEMORY)
        self.check_sums(many, of_many)
        # 5,000 threads have come and gone in between: not a page for a hundred of them.
        self.assertLess(self.memory(of_many)[2] - self.memory(of_few)[2], 5000 // 100 * 4096)
        self.assertIn("dropped: 0 blocks", results[STATUS])

    def test_thousands_of_threads_come_and_go(self):
        self.check_short_threads(16)

    def test_thousands_of_threads_with_long_stacks_come_and_go(self):
        self.check_short_threads(2000)

    def test_threads_that_allocate_while_they_end(self):
        """Nothing is left of a thread but its number, in pages of 1,024."""
        few, more, ways = 50, 1000, 8
        results = self.at_stop(
            [MEMORY, "continue", MEMORY, LINES, STATUS], "ending_threads", str(few), str(more)
        )
        at_few, at_more = [self.memory(text) for text in results.of(MEMORY)]
        # The main thread has a number too, and the first of all is none.
        pages = (ways * (few + more) + 1) // 1024 - (ways * few + 1) // 1024
        self.assertEqual(at_more[2] - at_few[2], 4096 * pages)
        self.assertEqual(at_more[:2], at_few[:2])
        self.assertEqual(self.held(results.json(LINES), "ending_threads.cc"), {})
        self.assertIn("dropped: 0 blocks", results[STATUS])

    def test_generations_of_processes_with_threads(self):
        """A child has what it needs of the threads that it does not have."""
        traces = "snapshot traces --json"
        here = "python print(gdb.selected_inferior().pid)"
        steps = [here, MEMORY, "continue"] * 3 + [here, MEMORY, traces]
        results = self.at_stop(["set follow-fork-mode child"] + steps, "fork_generations")
        taken = [self.memory(text)[2] for text in results.of(MEMORY)]
        self.assertEqual(taken, taken[:1] * 4)
        # Each has kept a block of the thread that forked it, which its other threads came before.
        threads = {trace["size"]: trace["thread"] for trace in results.json(traces)["traces"]}
        self.assertEqual(
            [threads[1000 + generation] for generation in range(4)],
            [int(text) for text in results.of(here)],
        )

    def test_threads_with_the_smallest_stack(self):
        wanted = expectations.expected(expectations.source("small_stacks.c"))
        for nframe in (1, 64, 65535):
            with self.subTest(nframe=nframe):
                results = self.at_stop([LINES], "small_stacks", nframe=nframe)
                self.assertEqual(self.held(results.json(LINES), "small_stacks.c"), wanted)

    def test_clones_by_hand_without_gdb(self):
        self.assertEqual(self.finish("clones"), (0, ""))


class DeepRecursion(Case):
    def check_deep(self, levels, every):
        """Each block's stack has a frame for each level above it, and those from main on."""
        traces = "snapshot traces --json"
        results = self.at_stop(
            [LINES, traces], "deep", str(levels), str(every), nframe=64
        )
        count = levels // every
        size = every * count * (count + 1) // 2
        self.assertEqual(
            self.held(results.json(LINES), "deep.c"),
            self.tagged("deep.c", level=(size, count), places=((levels + 1) * 8, 1)),
        )
        totals = {trace["size"]: trace["total_nframe"] for trace in results.json(traces)["traces"]}
        # main, and what lies above it.
        above = totals.pop((levels + 1) * 8)
        self.assertEqual(
            totals,
            {level: min(level + above, 65535) for level in range(every, levels + 1, every)},
        )

    def test_each_level_allocates(self):
        self.check_deep(3000, 1)

    def test_fifty_thousand_levels(self):
        self.check_deep(50000, 500)

    def test_more_levels_than_are_counted(self):
        self.check_deep(66000, 3000)
