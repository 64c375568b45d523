"""Blocks that the hooks have no record of, from glibc's structures: those from before tracing, each
once, and none that is in flight."""

import os
import unittest

from . import debuggers
from .debuggers import CONTINUE, RUN, stop_at
from .harness import HOOKS, ROOT, Case, program, tag_line
from .test_heaps import PYTHON_SCRIPT, ProcessTarget, Proof, Session
from .test_owners import KNOWN, LOCAL, rows

# pylint: disable=wrong-import-position,wrong-import-order
from allocsnap import hookless  # noqa: E402
from allocsnap.library import objects  # noqa: E402

LATE = os.path.join(ROOT, "tests", "programs", "late.c")

# Of calloc(1, 64) the program may use 72 bytes.
NOTE = (
    "1 block from before tracing, or without a record: 72 bytes, from glibc's own structures,"
    " without stacks; sizes are usable sizes"
)


class InFlight(Proof):
    """Of a process that was traced from the start on nothing is added, whatever it is stopped in."""

    seconds = 30

    def added(self, process):
        """The sizes of what is added to the records of a process."""
        target = ProcessTarget(process.pid)
        target.hold()
        try:
            session = Session(target)
            calls, root = session.inferior_of(session.stopped_process())
            regions = session._regions(session.stopped_process())
            raw = objects.Raw(calls, root)
            before = raw.count
            self.assertIsNotNone(hookless.add_earlier(target, calls, regions, root, raw))
            return raw.count - before
        finally:
            target.release()

    def at_instants(self, process, count):
        self.need_attach()
        for _ in self.random_instants(process, count):
            self.assertEqual(self.added(process), 0)

    def test_one_thread(self):
        self.at_instants(self.started([program("heap_churn"), "1"]), 60)

    def test_several_threads(self):
        self.at_instants(self.started([program("heap_churn"), "4"]), 60)

    def test_without_caches(self):
        limited = {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}
        self.at_instants(self.started([program("heap_churn"), "3"], **limited), 30)

    def test_python(self):
        command = ["/usr/bin/python3", "-c", PYTHON_SCRIPT]
        self.at_instants(self.started(command, PYTHONMALLOC="malloc"), 10)


class Late(Case):
    """Of late.c a block of 64 bytes is from before `snapshot start`, and holds one of 77."""

    BEFORE = ["set environment LD_PRELOAD " + HOOKS, "set environment ALLOCSNAP 0"]
    COMMANDS = [
        "snapshot leaks --json",
        "snapshot leaks --json --kinds possible",
        "snapshot stats --json",
        "snapshot set earlier always",
        "snapshot stats --json -n all",
        "snapshot stats owner --json",
        "snapshot path early->next",
        "snapshot set earlier never",
        "snapshot leaks --json -n all",
        "snapshot set earlier sometimes",
    ]

    def lines(self, answer):
        return {row["traceback"][0]["lineno"]: (row["size"], row["count"]) for row in answer["statistics"]}

    def check(self, results):
        lost, by_early, by_other = (
            tag_line(LATE, tag) for tag in ("lost", "held by an early block", "held by undumped memory")
        )
        leaks = results.json(self.COMMANDS[0])
        self.assertEqual((self.lines(leaks), leaks["notes"]), ({lost: (79, 1)}, [NOTE]))
        possible = results.json(self.COMMANDS[1])
        self.assertEqual((self.lines(possible), possible["notes"]), ({}, [NOTE]))
        recorded = {lost: (79, 1), by_early: (77, 1), by_other: (78, 1)}
        stats = results.json(self.COMMANDS[2])
        self.assertEqual((self.lines(stats), stats["notes"]), (recorded, []))
        stats = results.json(self.COMMANDS[4])
        self.assertEqual((self.lines(stats), stats["notes"]), ({0: (72, 1), **recorded}, [NOTE]))
        owners = {row["label"]: (row["size"], row["count"]) for row in results.json(self.COMMANDS[5])["statistics"]}
        self.assertEqual(owners["global early (late.c)"], (72 + 77, 2))
        self.assertEqual(owners["<unreachable>"], (79, 1))
        self.assertRegex(
            results[self.COMMANDS[6]],
            r"(?s)global early \(late\.c\)\n  -> block of <unknown> at .*, size=72 B \+0x0\n  -> block of .*late\.c:",
        )
        notes = results.json(self.COMMANDS[8])["notes"]
        self.assertEqual(len(notes), 1)
        self.assertIn("there are blocks that were not recorded", notes[0])
        self.assertIn("earlier is graph, always or never", results[self.COMMANDS[9]])

    def test_gdb(self):
        before = self.BEFORE + ["break phase", "break stop_here", "run", "snapshot start", "continue"]
        self.check(self.batch(before + self.COMMANDS, program("late")))

    def test_lldb(self):
        for debugger in debuggers.lldbs():
            with self.subTest(debugger.name):
                before = ["settings set target.env-vars LD_PRELOAD={} ALLOCSNAP=0".format(HOOKS)]
                before += [stop_at("phase"), stop_at("stop_here"), RUN, "snapshot start", CONTINUE]
                self.check(debugger.run(self, before + self.COMMANDS, program("late")))


class Cleared(Case):
    """After `clear` the records of most blocks of owners.cc are gone, whose sizes are glibc's."""

    def test_owners(self):
        commands = ["snapshot set earlier always", "snapshot stats owner --json", "snapshot stats --json"]
        before = ["snapshot start", "break phase", "break stop_here", "run", "snapshot clear", "continue"]
        results = self.batch(before + commands, program("owners"))
        answer = results.json(commands[1])
        self.assertEqual(rows(answer), dict(KNOWN, **LOCAL))
        self.assertEqual(len(answer["notes"]), 1)
        self.assertRegex(answer["notes"][0], r"^21 blocks from before tracing, or without a record: ")
        sizes = [row["size"] for row in results.json(commands[2])["statistics"]]
        self.assertEqual(sorted(sizes)[:3], [24, 104, 1000])
        self.assertEqual(results.json(commands[2])["total"]["size"], answer["total"]["size"])


if __name__ == "__main__":
    unittest.main()
