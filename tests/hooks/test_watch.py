"""Limits of the heap in the environment: each is reached at one block, by whatever allocates."""

import os
import re
import signal
import subprocess

from e2e import harness
from e2e.harness import program

from .hooked import Case

REPORT = re.compile(
    r"allocsnap: (?P<what>the heap passed \d+ \w+|a request of \d+ bytes|"
    r"a request got no memory: \d+ bytes): (?P<about>about )?(?P<size>\d+) bytes in"
    r" (?P<count>\d+) blocks, thread (?P<thread>\d+)(?P<then>; .*)?"
)


class Watched(Case):
    def watched(self, watch, *arguments, action="report", **options):
        """Runs the program with limits; returns its status, the lines that the hooks wrote and
        those of its own."""
        options.setdefault("nframe", 16)
        done = subprocess.run(
            [program("watched")] + [str(argument) for argument in arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env=self.variables(ALLOCSNAP_WATCH=watch, ALLOCSNAP_WATCH_ACTION=action, **options),
            cwd=self.directory,
            timeout=harness.DEADLINE,
            check=False,
        )
        lines = done.stderr.splitlines()
        reports = [REPORT.fullmatch(line) for line in lines]
        self.assertNotIn(None, reports, lines)
        return done.returncode, reports, done.stdout.splitlines()

    def reported(self, watch, *arguments, **options):
        """(what, size, count) of each line of a run that goes on to its end."""
        status, reports, said = self.watched(watch, *arguments, **options)
        self.assertEqual((status, said[-1]), (0, "end"))
        return [(one["what"], int(one["size"]), int(one["count"])) for one in reports]


class Limits(Watched):
    def test_size_is_passed_by_the_block_that_does_it(self):
        for limit in (1, 99, 100, 101, 9999, 10000, 65536, 99999):
            count = limit // 100 + 1
            for nframe in (1, 16):
                with self.subTest(limit=limit, nframe=nframe):
                    self.assertEqual(
                        self.reported(str(limit), "grow", 1000, 100, nframe=nframe),
                        [("the heap passed {} bytes".format(limit), count * 100, count)],
                    )
        self.assertEqual(self.reported("100000", "grow", 1000, 100), [])

    def test_count_is_passed_by_the_block_that_does_it(self):
        for limit in (1, 2, 63, 64, 65, 999):
            with self.subTest(limit):
                self.assertEqual(
                    self.reported("count={}".format(limit), "grow", 1000, 100),
                    [("the heap passed {} blocks".format(limit), (limit + 1) * 100, limit + 1)],
                )
        self.assertEqual(self.reported("count=1000", "grow", 1000, 100), [])

    def test_every_function(self):
        for before in range(500, 510):
            # One in five is resized from a block of a byte, which is below the limit.
            limit = before * 48 + 10
            self.assertEqual(
                self.reported(str(limit), "anyhow", 1000, 48),
                [("the heap passed {} bytes".format(limit), (before + 1) * 48, before + 1)],
            )
            size = before * 48 + (1 if before % 5 == 1 else 48)
            self.assertEqual(
                self.reported("count={}".format(before), "anyhow", 1000, 48),
                [("the heap passed {} blocks".format(before), size, before + 1)],
            )

    def test_one_request(self):
        for size, reported in ((1 << 20, True), ((1 << 20) - 1, False), (1 << 24, True)):
            wanted = [("a request of {} bytes".format(size), size, 1)] if reported else []
            self.assertEqual(self.reported("block=1M", "ask", 0, size), wanted)
        # It is one also where it gets nothing.
        self.assertEqual(
            self.reported("block=1M", "ask", 0, 1 << 62),
            [("a request of {} bytes".format(1 << 62), 0, 0)],
        )

    def test_requests_that_get_nothing(self):
        most = (2**64 - 1) // 4
        self.assertEqual(
            self.reported("failed", "ask", 0, 1 << 62),
            [("a request got no memory: {} bytes".format(1 << 62), 0, 0)],
        )
        for which, request in ((1, 2**64 - 1), (2, most), (3, 2**64 - 1), (4, most)):
            with self.subTest(which):
                self.assertEqual(
                    self.reported("failed", "fail", 0, which),
                    [("a request got no memory: {} bytes".format(request), 8, 1)],
                )
        self.assertEqual(self.reported("failed", "grow", 1000, 100), [])
        # That may get NULL.
        self.assertEqual(self.reported("failed,block=1", "grow", 10, 0), [])

    def test_several_limits_each_once(self):
        self.assertEqual(
            self.reported("5000,count=20,block=100", "grow", 1000, 100),
            [
                ("a request of 100 bytes", 100, 1),
                ("the heap passed 20 blocks", 2100, 21),
                ("the heap passed 5000 bytes", 5100, 51),
            ],
        )

    def test_a_handler(self):
        self.assertEqual(
            self.reported("5000", "handler", 1000, 100), [("the heap passed 5000 bytes", 5100, 51)]
        )

    def test_a_sample_says_about(self):
        status, reports, _ = self.watched("1000", "grow", 10, 1000000, ALLOCSNAP_SAMPLE="1K")
        self.assertEqual((status, len(reports)), (0, 1))
        self.assertEqual((reports[0]["about"], reports[0]["size"]), ("about ", "1000000"))

    def test_not_while_nothing_is_traced(self):
        self.assertEqual(self.reported("1,failed", "grow", 10, 100, nframe=0), [])


class Threads(Watched):
    def test_one_of_all_threads_reaches_a_limit(self):
        for _ in range(20):
            size, count = self.reported("400000,count=4500", "threads", 8000, 100)
            if size[0] == "the heap passed 4500 blocks":
                size, count = count, size
            self.assertEqual((size[0], count[0]), ("the heap passed 400000 bytes", "the heap passed 4500 blocks"))
            # With the block that passes it; the threads' own blocks are larger.
            self.assertTrue(400000 < size[1] <= 400000 + 1000)
            self.assertGreater(count[2], 4500)


class Children(Watched):
    def test_a_child_has_the_limit_of_its_parent(self):
        for limit in ("count=600", "60000"):
            status, reports, said = self.watched(limit, "fork", 1000, 100)
            self.assertEqual((status, said), (0, ["child", "child at its end", "end"]))
            self.assertEqual(len({one["thread"] for one in reports}), 2)
            for one in reports:
                self.assertEqual((one["size"], one["count"]), ("60100", "601"))

    def test_a_child_is_ended_and_then_its_parent(self):
        status, reports, said = self.watched("60000", "fork", 1000, 100, action="abort")
        self.assertEqual((status, said), (-signal.SIGABRT, []))
        self.assertEqual([one["then"] for one in reports], ["; the process ends (SIGABRT)"] * 2)

    def test_what_a_parent_has_reached_its_child_does_not_reach_again(self):
        status, reports, _ = self.watched("100", "fork", 1000, 100)
        self.assertEqual((status, len(reports)), (0, 1))


class Actions(Watched):
    def test_abort_is_what_is_done_by_default(self):
        status, reports, said = self.watched("5000", "grow", 1000, 100, action="")
        self.assertEqual((status, said, len(reports)), (-signal.SIGABRT, [], 1))
        self.assertEqual(reports[0]["then"], "; the process ends (SIGABRT)")

    def test_stop(self):
        child = subprocess.Popen(
            [program("watched"), "grow", "1000", "100"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.variables(ALLOCSNAP_WATCH="5000", ALLOCSNAP_WATCH_ACTION="stop"),
            encoding="utf-8",
        )
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.stderr.close)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        line = child.stderr.readline()
        self.assertEqual(REPORT.fullmatch(line[:-1])["then"], "; the process stops (SIGSTOP)")
        _, status = os.waitpid(child.pid, os.WUNTRACED)
        self.assertEqual((status & 0xFF, status >> 8), (0x7F, signal.SIGSTOP))
        child.send_signal(signal.SIGCONT)
        self.assertEqual(child.communicate(timeout=harness.DEADLINE), ("end\n", ""))

    def test_debugger_only_calls_the_function(self):
        self.assertEqual(self.reported("5000", "grow", 1000, 100, action="debugger"), [])
