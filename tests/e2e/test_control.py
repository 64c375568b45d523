"""start, stop, clear and reset-peak on a process that runs with the hooks."""

import json
import unittest

import expectations

from .harness import Case, program

SOURCE = expectations.source("phases.c")
ASKED = expectations.named(SOURCE)["asked"].line
ROUND = "snapshot stats lineno --json --include {}:{}".format(SOURCE, ASKED)
NEXT = "at the program's next malloc or free"
THREADS, BLOCKS = 8, 10


def asked(*rounds):
    """(size, count) of what all threads have asked for in these rounds."""
    each = THREADS * BLOCKS
    return sum(each * (100 + 20 * one) for one in rounds), each * len(rounds)


class Control(Case):
    """A program of eight threads, stopped in each of its rounds."""

    def setUp(self):
        super().setUp()
        self.process = None

    def started(self, *before):
        """Stops at the end of the first round."""
        self.process = self.gdb(program("phases"))
        for command in before or ("snapshot start",):
            self.process.run(command)
        self.process.run("break stop_here")
        self.assertIn("stop_here (round=0)", self.process.run("run"))

    def run_on(self, round_number):
        """To the end of the next round."""
        self.assertIn("stop_here (round={})".format(round_number), self.process.run("continue"))

    def say(self, command):
        return self.process.run("snapshot " + command)

    def held(self):
        """(size, count) of the blocks that the program's threads ask for."""
        answer = self.json(ROUND)["total"]
        return answer["size"], answer["count"]

    def json(self, command):
        text = self.process.run(command)
        self.assertTrue(text.startswith("{"), text)
        return json.loads(text)

    def status(self):
        return dict(
            (label, text.strip())
            for label, text in (line.split(":", 1) for line in self.say("status").splitlines())
        )

    def test_clear(self):
        self.started()
        self.assertEqual(self.held(), asked(0))
        self.assertIn("Snapshot before: ", self.say("take before"))
        blocks = self.status()["traced"].split(" in ")[1].split(",")[0]
        self.assertEqual(
            self.say("clear"), "The traces of {} are dropped {}.\n".format(blocks, NEXT)
        )
        # It counts from now on.
        self.assertEqual(self.say("stats"), "No live traced blocks.\n")
        status = self.status()
        self.assertEqual(status["waiting"], "clear, until the program's next malloc or free")
        self.assertEqual(status["traced"], "0 B in 0 blocks, peak 0 B")
        self.run_on(1)
        self.assertNotIn("waiting", self.status())
        self.assertEqual(self.held(), asked(1))
        # In this round they free blocks that are not traced any more.
        self.run_on(2)
        self.assertEqual(self.held(), asked(1, 2))
        self.run_on(3)
        self.assertEqual(self.held(), asked(2, 3))
        self.assertIn("before", self.say("list"))
        change = self.json("snapshot diff before --json --include {}:{}".format(SOURCE, ASKED))
        size, count = asked(2, 3)
        self.assertEqual(
            change["total"],
            {
                "size": size,
                "size_diff": size - asked(0)[0],
                "count": count,
                "count_diff": count - asked(0)[1],
            },
        )

    def test_stop_and_start_again(self):
        self.started()
        self.run_on(1)
        self.assertEqual(self.held(), asked(0, 1))
        self.assertRegex(
            self.say("stop"),
            r"^Tracing stops {}\.\nThe \d+ blocks traced so far are dropped then\.\n"
            r"The next `run` is traced all the same; not after `snapshot stop` once more\.\n$".format(
                NEXT
            ),
        )
        self.assertEqual(self.status()["tracing"], "off")
        self.assertEqual(
            self.status()["waiting"], "stop, until the program's next malloc or free"
        )
        not_tracing = (
            "the hooks are in this process but are not tracing: `snapshot start`"
            " traces from now on\n"
        )
        self.assertEqual(self.say("take"), not_tracing)
        self.run_on(2)
        self.assertNotIn("waiting", self.status())
        self.assertEqual(self.say("stats"), not_tracing)
        self.assertEqual(
            self.say("start 3"),
            "Tracing starts {}, 3 frames of each stack.\n"
            "The next `run` traces the heap, 3 frames of each stack.\n".format(NEXT),
        )
        self.assertEqual(self.status()["tracing"], "on, 3 frames of each stack")
        self.assertEqual(
            self.status()["waiting"], "start, until the program's next malloc or free"
        )
        self.assertEqual(self.say("stats"), "No live traced blocks.\n")
        self.run_on(3)
        self.assertEqual(self.held(), asked(3))
        stacks = self.json("snapshot stats traceback --json")["statistics"]
        self.assertEqual({len(row["traceback"]) for row in stacks}, {3})
        self.run_on(4)
        self.assertEqual(self.held(), asked(3, 4))
        self.run_on(5)
        self.assertEqual(self.held(), asked(4, 5))

    def test_start_on_a_traced_process_starts_again(self):
        self.started("snapshot start 5")
        self.run_on(1)
        text = self.say("start")
        self.assertRegex(
            text,
            r"^Tracing starts again {}, 5 frames of each stack\.\n"
            r"The \d+ blocks traced so far are dropped then\.\n$".format(NEXT),
        )
        self.run_on(2)
        self.assertEqual(self.held(), asked(2))
        self.assertEqual(self.status()["tracing"], "on, 5 frames of each stack")

    def test_requests_that_wait_are_obeyed_together(self):
        self.started()
        for command in ("clear", "reset-peak", "stop", "start 2", "reset-peak"):
            self.say(command)
        status = self.status()
        self.assertEqual(
            status["waiting"], "start, reset-peak, until the program's next malloc or free"
        )
        self.assertEqual(status["tracing"], "on, 2 frames of each stack")
        self.run_on(1)
        self.assertEqual(self.held(), asked(1))
        status = self.status()
        self.assertEqual(status["tracing"], "on, 2 frames of each stack")
        self.assertNotIn("waiting", status)

    def test_process_that_was_not_tracing(self):
        self.started("snapshot start", "set environment ALLOCSNAP 0")
        status = self.status()
        self.assertEqual(status["tracing"], "off")
        not_traced = "the process is not traced: `snapshot start` traces it from now on\n"
        self.assertEqual(self.say("clear"), not_traced)
        self.assertEqual(self.say("reset-peak"), not_traced)
        self.assertEqual(
            self.say("start"), "Tracing starts {}, 16 frames of each stack.\n".format(NEXT)
        )
        self.run_on(1)
        self.assertEqual(self.held(), asked(1))

    def test_stop_twice(self):
        self.started()
        self.say("stop")
        self.assertEqual(self.say("stop"), "The next `run` is not traced.\n")
        self.assertEqual(
            self.say("stop"), "there is nothing to stop: this process is not traced\n"
        )

    def test_reset_peak(self):
        self.started()
        self.run_on(1)
        self.say("clear")
        self.run_on(2)
        self.run_on(3)
        self.run_on(4)
        # The peak is the moment when the blocks of three rounds are there.
        peak, _ = asked(2, 3)
        self.assertRegex(
            self.say("reset-peak"),
            r"^The peak, now [\d.]+ KiB, becomes what is traced \([\d.]+ KiB now\) {}\.\n$".format(
                NEXT
            ),
        )
        self.assertEqual(
            self.status()["waiting"], "reset-peak, until the program's next malloc or free"
        )
        traced = int(self.process.run("output $snapshot_size()"))
        self.assertGreater(traced, peak)
        self.assertEqual(self.status()["traced"].split("peak ")[1], self.say_size(traced))

    def say_size(self, size):
        """A size as the commands say it."""
        return "{} B".format(size) if size <= 10 * 1024 else "{:.{}f} KiB".format(
            size / 1024, 0 if size >= 100 * 1024 else 1
        )


class NoProcess(Case):
    def test_core(self):
        core = self.kernel_core("holds", "abort")
        changed = "a core cannot be changed: start the program with `run` to trace it\n"
        results = self.batch(
            ["snapshot clear", "snapshot reset-peak", "snapshot stop", "snapshot start 4"]
            + ["snapshot stop ", "snapshot stats --json"],
            program("holds"),
            core,
        )
        for command in ("clear", "reset-peak", "stop"):
            self.assertEqual(results["snapshot " + command], changed)
        self.assertEqual(
            results["snapshot start 4"],
            "The next `run` traces the heap, 4 frames of each stack.\n",
        )
        self.assertEqual(results["snapshot stop "], "The next `run` is not traced.\n")
        self.assertEqual(results.json("snapshot stats --json")["total"]["count"], 14)

    def test_nothing(self):
        results = self.batch(["snapshot clear", "snapshot reset-peak"], program("holds"))
        for command in ("clear", "reset-peak"):
            self.assertEqual(
                results["snapshot " + command],
                "there is no process and no core: start the program with `run`,"
                " or load a core file\n",
            )

    def test_process_without_hooks(self):
        results = self.batch(
            ["break stop_here", "run", "snapshot clear", "snapshot stop"], program("holds")
        )
        self.assertIn("no allocsnap hooks", results["snapshot clear"])
        self.assertEqual(
            results["snapshot stop"], "there is nothing to stop: `snapshot start` was not given\n"
        )

    def test_memory_that_must_not_be_written(self):
        results = self.at_stop(
            ["set may-write-memory off", "snapshot clear", "snapshot stats --json"], "holds"
        )
        self.assertRegex(results["snapshot clear"], r"^Writing to memory is not allowed .*\n$")
        self.assertEqual(results.json("snapshot stats --json")["total"]["count"], 14)


if __name__ == "__main__":
    unittest.main()
