"""fork, vfork, posix_spawn, system and exec of traced programs."""

import expectations
from e2e.harness import program

from .hooked import LINES, MEMORY, STATUS, Case

THREADS = 3
FORKS = 300


class Forks(Case):
    seconds = 10

    def check_churn(self, held):
        """Takes out what the threads were about to put in its place: one block each."""
        ((line, _),) = self.tagged("fork_storm.c", churn=(0, 0)).items()
        size, count = held.pop(line, (0, 0))
        self.assertLessEqual(count, THREADS)
        self.assertLess(size, count * (16 + 600) + 1)

    def test_parent_of_many_forks(self):
        results = self.at_stop([LINES, MEMORY, STATUS], "fork_storm")
        held = self.held(results.json(LINES), "fork_storm.c")
        self.assertEqual(held, self.tagged("fork_storm.c", in_parent=(FORKS * 70, FORKS)))
        self.check_sums(results.json(LINES), results[MEMORY])
        self.assertIn("dropped: 0 blocks", results[STATUS])

    def test_child_of_a_process_whose_threads_allocate(self):
        results = self.batch(
            [
                "snapshot start 16",
                "break before_last_fork",
                "run",
                "set follow-fork-mode child",
                "break stop_here",
                "continue",
                LINES,
                MEMORY,
                STATUS,
            ],
            program("fork_storm"),
        )
        self.assertIn("Breakpoint 1, before_last_fork", results["run"])
        self.assertIn("stop_here ()", results["continue"])
        held = self.held(results.json(LINES), "fork_storm.c")
        self.check_churn(held)
        self.assertEqual(
            held,
            self.tagged(
                "fork_storm.c",
                resized_in_child=(250 * 90, 250),
                in_parent=((FORKS - 1) * 70, FORKS - 1),
            ),
        )
        self.check_sums(results.json(LINES), results[MEMORY])
        self.assertIn("dropped: 0 blocks", results[STATUS])

    def test_many_forks_without_a_debugger(self):
        for nframe in (1, 16, 200):
            with self.subTest(nframe=nframe):
                self.assertEqual(self.finish("fork_storm", nframe=nframe), (0, ""))


class FirstThreadLast(Case):
    """Threads of a child that allocate before the thread that it has from its parent."""

    WAYS = ("handler", "raw")

    def test_many_times(self):
        for way in self.WAYS:
            with self.subTest(way=way):
                self.assertEqual(self.finish("first_thread_last", way, "100"), (0, ""))

    def test_whose_a_block_is(self):
        traces = "snapshot traces --json"
        here = "python print(gdb.selected_inferior().pid)"
        for way in self.WAYS:
            with self.subTest(way=way):
                results = self.batch(
                    ["snapshot start 16", "set follow-fork-mode child", "break stop_here", "run"]
                    + [here, traces, STATUS],
                    "--args",
                    program("first_thread_last"),
                    way,
                    "1",
                )
                threads = {
                    trace["size"]: trace["thread"] for trace in results.json(traces)["traces"]
                }
                self.assertEqual(threads[1000], int(results[here]))
                self.assertIn("dropped: 0 blocks", results[STATUS])


class Started(Case):
    def test_programs_started_in_every_way_without_gdb(self):
        self.assertEqual(self.finish("spawns"), (0, ""))

    def test_the_program_that_a_traced_one_becomes(self):
        results = self.batch(
            ["snapshot start 16", "break stop_here", "run", LINES, MEMORY],
            "--args",
            program("spawns"),
            "exec",
        )
        self.assertIn("is executing new program", results["run"])
        self.assertEqual(
            self.held(results.json(LINES), "spawns.c"), self.tagged("spawns.c", second_life=(64, 1))
        )
        self.check_sums(results.json(LINES), results[MEMORY])
        self.assertEqual(results.json(LINES)["total"], {"size": 64, "count": 1})

    def test_the_program_that_starts_others(self):
        path = expectations.source("spawns.c")
        results = self.at_stop([LINES], "spawns")
        self.assertEqual(
            self.held(results.json(LINES), "spawns.c"), expectations.expected(path)
        )
        self.assertEqual(
            tuple(results.json(LINES)["total"].values()), expectations.total(path)
        )
