"""Handlers that allocate: at any moment, and on little stack."""

import platform

import expectations

from .hooked import LINES, MEMORY, STATUS, Case


class Storm(Case):
    seconds = 20

    def check_storm(self, nframe):
        pid, _ = self.paused("signal_storm", nframe=nframe)
        results = self.attached("signal_storm", pid, [LINES, MEMORY, STATUS])
        self.assertEqual(
            self.held(results.json(LINES), "signal_storm.c"),
            self.tagged(
                "signal_storm.c", timer=(500 * 48, 500), thread=(500 * 56, 500), main=(6400, 100)
            ),
        )
        self.check_sums(results.json(LINES), results[MEMORY])
        self.assertIn("dropped: 0 blocks", results[STATUS])

    def test_signals_of_a_timer_and_of_a_thread(self):
        self.check_storm(16)

    def test_with_more_frames_than_a_local_array_holds(self):
        self.check_storm(1000)


class Requests(Case):
    seconds = 20

    def test_handlers_while_one_is_obeyed(self):
        results = self.at_stop([LINES, STATUS], "obeyed")
        self.assertEqual(
            self.held(results.json(LINES), "obeyed.c"),
            expectations.expected(expectations.source("obeyed.c")),
        )
        self.assertIn("dropped: 0 blocks", results[STATUS])


class HandedOn(Case):
    """A handler's blocks that another thread has before the interrupted hook comes on."""

    seconds = 30

    def check_handed_on(self, first, stride, blocks, **options):
        status, text = self.finish("handed_on", str(first), str(stride), str(blocks), **options)
        self.assertEqual(status, 0, text)
        if platform.machine() == "x86_64":
            self.assertGreater(int(text), 20)

    def test_one_block(self):
        for first in (1, 120):
            with self.subTest(first=first):
                self.check_handed_on(first, 223, 1)

    def test_more_blocks_than_there_are_places(self):
        self.check_handed_on(3, 350, 200)


class AlternateStack(Case):
    #: Bytes of stack that the hooks may add to what a handler and its allocator need.
    ADDED = 1536

    def used(self, **options):
        status, text = self.finish("altstack", **options)
        self.assertEqual(status, 0)
        return int(text.split()[0])

    def test_stack_that_the_hooks_take(self):
        untraced = self.used(traced=False)
        for nframe in (0, 1, 16, 1000):
            with self.subTest(nframe=nframe):
                self.assertLessEqual(self.used(nframe=nframe) - untraced, self.ADDED)

    def test_small_alternate_stack(self):
        self.assertEqual(self.finish("altstack", "small", nframe=64)[0], 0)
