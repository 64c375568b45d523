"""Locks that others hold: the hooks wait for none of them, since the thread that holds one may
wait for a thread that allocates."""

from e2e.harness import program

from .hooked import LINES, MEMORY, STATUS, Case


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


class Forks(Case):
    def test_locks_that_the_fork_itself_waits_for(self):
        self.assertEqual(self.finish("fork_handlers", "50", traced=False), (0, ""))
        for nframe in (0, 1, 16, 200):
            with self.subTest(nframe=nframe):
                self.assertEqual(self.finish("fork_handlers", "100", nframe=nframe), (0, ""))

    def test_children_of_which_libc_tells_nobody(self):
        for how in ("_Fork", "clone", "vfork", "handler"):
            for nframe in (1, 16, 200):
                with self.subTest(how=how, nframe=nframe):
                    self.assertEqual(
                        self.finish("fork_anyhow", how, "200", nframe=nframe), (0, "")
                    )

    def test_children_of_which_the_kernel_tells_nothing_either(self):
        runs = [["fork_storm"], ["fork_handlers", "50"]]
        runs += [["fork_anyhow", how, "50"] for how in ("_Fork", "clone", "vfork", "handler")]
        for run in runs:
            with self.subTest(run=run):
                self.assertEqual(self.finish("deaf", program(run[0]), *run[1:]), (0, ""))

    def test_what_such_a_child_has(self):
        for how in ("_Fork", "clone", "handler"):
            with self.subTest(how=how):
                results = self.batch(
                    [
                        "snapshot start 16",
                        "set follow-fork-mode child",
                        "handle SIGALRM nostop noprint pass",
                        "break stop_here",
                        "run",
                        LINES,
                        MEMORY,
                        STATUS,
                    ],
                    "--args",
                    program("fork_anyhow"),
                    how,
                    "1",
                )
                self.assertIn("stop_here ()", results["run"])
                answer = results.json(LINES)
                held = self.held(answer, "fork_anyhow.c")
                ((churned, _),) = self.tagged("fork_anyhow.c", churn=(0, 0)).items()
                held.pop(churned, None)
                self.assertEqual(
                    held, self.tagged("fork_anyhow.c", resized_in_child=(50 * 90, 50))
                )
                self.assertEqual(answer["notes"], [])
                self.check_sums(answer, results[MEMORY])
                self.assertIn("dropped: 0 blocks", results[STATUS])
