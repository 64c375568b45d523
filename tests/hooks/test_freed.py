"""Blocks that were freed: what is kept of them, and shown."""

import json
import os

import expectations
from e2e.harness import program, tag_line

from . import test_processes, test_signals
from .hooked import STATUS, Case

FREED = "snapshot freed --json --no-skip"
ALLOCATED = "snapshot freed --allocated --json --no-skip"
OF_FREED = {
    "freed": (10000, 10), "freed_by_a_thread": (1000, 5), "moved": (250, 1),
    "its_end": (48, 1), "told_no_more": (70, 1),
}
OF_ALLOCATED = {
    "allocated": (10000, 10), "handed_on": (1000, 5), "in_place": (250, 1),
    "first_life": (48, 1), "told": (70, 1),
}


def kept(number):
    return "set environment ALLOCSNAP_FREED " + str(number)


class Freed(Case):
    seconds = 20

    def stopped(self, number, commands):
        before = [kept(number), "snapshot start 16", "break stop_here", "run"]
        return self.batch(before + commands, program("freed"))

    def check_shown(self, results):
        self.assertEqual(self.held(results.json(FREED), "freed.c"), self.tagged("freed.c", **OF_FREED))
        self.assertEqual(
            self.held(results.json(ALLOCATED), "freed.c"), self.tagged("freed.c", **OF_ALLOCATED)
        )

    @staticmethod
    def line(block):
        return block["traceback"][0]["lineno"]

    def check_lives(self, answer, held_by, *lives):
        """An address: the tag of the block that holds it, and those of where each one before was
        allocated and freed."""
        source = expectations.source("freed.c")
        tag = None if answer["trace"] is None else self.line(answer["trace"])
        self.assertEqual(tag, held_by and tag_line(source, held_by))
        self.assertEqual(
            [(self.line(one["allocated"]), self.line(one["freed"])) for one in answer["freed"]][: len(lives)],
            [(tag_line(source, allocated), tag_line(source, freed)) for allocated, freed in lives],
        )
        self.assertTrue(all(one["freed"]["time"] >= one["allocated"]["time"] for one in answer["freed"]))
        ends = {round(one[name]["time"] + one[name + "_ago"], 2)
                for one in answer["freed"] for name in ("freed", "allocated")}
        self.assertEqual(len(ends), 1)
        self.assertLessEqual(max(one["freed"]["time"] for one in answer["freed"]), ends.pop())

    def test_both_stacks_of_each(self):
        in_use, not_in_use = "snapshot who --json in_use", "snapshot who --json not_in_use"
        core = os.path.join(self.directory, "core")
        results = self.stopped(
            1000, [FREED, ALLOCATED, in_use, not_in_use, "snapshot freed", "gcore " + core]
        )
        self.check_shown(results)
        self.check_lives(results.json(in_use), "second life", ("first life", "its end"))
        self.check_lives(results.json(not_in_use), None, ("in place", "moved"), ("handed on", "freed by a thread"))
        threads = {one["freed"]["thread"] == one["allocated"]["thread"] for one in results.json(not_in_use)["freed"]}
        self.assertEqual(threads, {True, False})
        self.assertNotIn("warning", results["snapshot freed"])
        dead = self.batch([FREED, ALLOCATED, in_use], program("freed"), core)
        self.check_shown(dead)
        self.check_lives(dead.json(in_use), "second life", ("first life", "its end"))
        for live, other in zip(results.json(FREED)["statistics"], dead.json(FREED)["statistics"]):
            self.assertEqual(live, other)

    def test_as_start_has_asked(self):
        start = "snapshot start 16 --freed 3"
        results = self.batch(
            [start, "break stop_here", "run", FREED, STATUS, "snapshot start --freed 4",
             "snapshot start --freed 3"],
            program("freed"),
        )
        self.assertIn("The last 3 blocks that it frees are kept.\n", results[start])
        self.assertEqual(results.json(FREED)["total"]["count"], 3)
        self.assertIn("freed:   the last 3 blocks are kept\n", results[STATUS])
        self.assertEqual(
            results["snapshot start --freed 4"],
            "this process keeps 3 freed blocks, which was settled when it was started: give"
            " `snapshot start --freed 4` before the program runs\n",
        )
        self.assertIn("Tracing starts again", results["snapshot start --freed 3"])

    def test_only_the_last(self):
        results = self.stopped(3, [FREED])
        self.assertEqual(
            self.held(results.json(FREED), "freed.c"),
            self.tagged("freed.c", moved=(250, 1), its_end=(48, 1), told_no_more=(70, 1)),
        )
        (note,) = results.json(FREED)["notes"]
        self.assertRegex(note, r"\Athese are the last 3 of (1[89]|20) blocks that were freed\Z")

    def test_none_are_kept(self):
        results = self.stopped(0, ["snapshot freed", "snapshot who --json in_use"])
        self.assertEqual(
            results["snapshot freed"],
            "the hooks keep no freed blocks here: start the program with ALLOCSNAP_FREED=10000 in its"
            " environment\n",
        )
        self.assertNotIn("freed", results.json("snapshot who --json in_use"))

    def test_what_was_before_a_clear(self):
        results = self.stopped(1000, ["snapshot clear", FREED, "finish", "next", "next", " " + FREED])
        self.assertEqual(results.json(FREED)["rows"], 0)
        self.assertEqual(self.held(json.loads(results[" " + FREED]), "freed.c"), {})

    def test_operators_delete(self):
        results = self.batch(
            [kept(100), "snapshot start 16", "break stop_here", "run", FREED, ALLOCATED], program("freed_cxx")
        )
        sizes = {"one": 4, "some": 40, "wide": 64, "several": 192}
        self.assertEqual(
            self.held(results.json(FREED), "freed_cxx.cc"),
            self.tagged("freed_cxx.cc", **{name + "_freed": (size, 1) for name, size in sizes.items()}),
        )
        self.assertEqual(
            self.held(results.json(ALLOCATED), "freed_cxx.cc"),
            self.tagged("freed_cxx.cc", **{name: (size, 1) for name, size in sizes.items()}),
        )


class _Kept:
    """The same with a ring that goes round all the time."""

    def variables(self, *arguments, **options):
        return dict(super().variables(*arguments, **options), ALLOCSNAP_FREED="100")

    def batch(self, commands, *arguments, **options):
        return super().batch([kept(100)] + list(commands), *arguments, **options)


class Storm(_Kept, test_signals.Storm):
    def check_storm(self, nframe):
        super().check_storm(nframe)
        pid, _ = self.paused("signal_storm", nframe=nframe)
        results = self.attached("signal_storm", pid, [FREED, STATUS])
        self.assertEqual(results.json(FREED)["total"]["count"], 100)


class HandedOn(_Kept, test_signals.HandedOn):
    pass


class Forks(_Kept, test_processes.Forks):
    pass
