"""Locks that others hold: the hooks wait for none of them, since the thread that holds one may
wait for a thread that allocates."""

from .hooked import LINES, STATUS, Case


class LoaderLock(Case):
    #: What the thread that libwaiting.cc starts has when it is done.
    THREADS = dict(
        array=(100, 1), plain=(8, 1), nothrow=(30, 1), aligned=(64, 1), resized=(40, 1),
        cleared=(50, 1),
    )
    WAYS = ("local", "global", "iterate")

    def test_threads_that_allocate_while_it_is_held(self):
        for way in self.WAYS + ("bare",):
            for nframe in (0, 1, 16, 1000):
                with self.subTest(way=way, nframe=nframe):
                    self.assertEqual(self.finish("loader_lock", way, nframe=nframe), (0, ""))

    def test_the_blocks_of_these_threads(self):
        for way in self.WAYS:
            with self.subTest(way=way):
                results = self.at_stop([LINES, STATUS], "loader_lock", way)
                self.assertEqual(
                    self.held(results.json(LINES), "libwaiting.cc"),
                    self.tagged("libwaiting.cc", **self.THREADS),
                )
                self.assertIn("dropped: 0 blocks", results[STATUS])

    def test_memory_is_short_while_libraries_come_and_go(self):
        for _ in range(3):
            self.assertEqual(self.finish("loader_lock", "race"), (0, ""))
