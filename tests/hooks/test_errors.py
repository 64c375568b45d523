"""Calls that free a block twice, or what is not known: what is kept of them, and shown."""

import os

import expectations
from e2e.harness import program, tag_line

from . import test_signals
from .hooked import Case
from .test_freed import _Kept, kept

ERRORS = "snapshot errors --json"


class Errors(Case):
    seconds = 20

    def stopped(self, name, commands, number=100, stop="stop_here", before=()):
        start = [kept(number), "snapshot start 16", "break " + stop] + list(before) + ["run"]
        return self.batch(start + commands, program(name))

    @staticmethod
    def lines(error):
        """Where a block was freed again, freed and allocated."""
        return tuple(
            error[name] and error[name]["traceback"][0]["lineno"]
            for name in ("again", "freed", "allocated")
        )

    def check(self, answer, source, twice, unknown):
        """The errors, of tags, the last one first."""
        path = expectations.source(source)
        shown = [self.lines(error) for error in answer["errors"]]
        wanted = [tuple(tag_line(path, tag) for tag in tags) for tags in twice]
        wanted += [(tag_line(path, tag), None, None) for tag in unknown]
        self.assertEqual(shown, wanted)
        kinds = ["freed twice"] * len(twice) + ["unknown"] * len(unknown)
        self.assertEqual([error["kind"] for error in answer["errors"]], kinds)
        self.assertEqual((answer["freed_twice"], answer["unknown"]), (len(twice), len(unknown)))

    TWICE = [
        ("deleted again", "deleted", "one"),
        ("resized", "not to be resized", "to be resized"),
        ("freed after a thread", "freed by a thread", "handed on"),
        ("freed again", "freed", "allocated"),
        ("freed again", "freed", "allocated"),
    ]

    def test_all_stacks_of_each(self):
        core = os.path.join(self.directory, "core")
        results = self.stopped("errors", [ERRORS, "snapshot errors -n 1", "gcore " + core])
        answer = results.json(ERRORS)
        self.check(answer, "errors.cc", self.TWICE, ["never a block"])
        sizes = [error["again"]["size"] for error in answer["errors"]]
        self.assertEqual(sizes, [4, 300, 200, 1000, 1000, 0])
        threads = [
            error["again"]["thread"] == error["freed"]["thread"] for error in answer["errors"][:5]
        ]
        self.assertEqual(threads, [True, True, False, True, True])
        text = results["snapshot errors -n 1"].splitlines()
        self.assertEqual(
            text[0], "5 blocks were freed twice, 1 call was to free a block that is not known"
        )
        self.assertRegex(text[1], r"\A0x[0-9a-f]+: freed twice: a block, size=4 B\Z")
        self.assertEqual(text[-1], "5 more are kept")
        dead = self.batch([ERRORS], program("errors"), core)
        self.check(dead.json(ERRORS), "errors.cc", self.TWICE, ["never a block"])

    def test_what_was_freed_before_a_clear_is_not_known(self):
        results = self.stopped(
            "errors", ["snapshot clear", ERRORS, "continue", " " + ERRORS], before=["break stop_later"]
        )
        self.check(results.json(ERRORS), "errors.cc", [], [])
        self.check(results.json(" " + ERRORS), "errors.cc", [], ["long after", "once more"])

    def test_what_was_allocated_before_the_start_is_not_known(self):
        results = self.batch(
            [kept(100), "snapshot start 16", "break stop_here", "run", "snapshot stop"]
            + ["break stop_later", "snapshot start", "continue", ERRORS],
            program("errors"),
        )
        self.check(results.json(ERRORS), "errors.cc", [], ["long after", "once more"])

    def test_what_has_left_the_ring_is_not_known(self):
        known = ("once more", "end of the known", "known")
        block = ("long after", "freed", "allocated")
        for number, twice, unknown in ((1, [known], ["long after"]), (100, [block, known], [])):
            with self.subTest(number):
                results = self.stopped("errors", [ERRORS], number, "stop_later")
                self.check(
                    results.json(ERRORS), "errors.cc", twice + self.TWICE, unknown + ["never a block"]
                )

    def test_where_the_program_ends_for_it(self):
        results = self.batch([kept(100), "snapshot start 16", "run", ERRORS], program("freed_twice"))
        self.assertIn("SIGABRT", results["run"])
        self.check(
            results.json(ERRORS), "freed_twice.c", [("freed again", "freed", "allocated")], []
        )

    def test_blocks_within_others_are_no_errors(self):
        results = self.stopped("headed", [ERRORS, "snapshot freed --json --no-skip --all-frames"])
        self.check(results.json(ERRORS), "headed.cc", [], [])

    def test_none_are_kept(self):
        results = self.stopped("errors", ["snapshot errors"], 0)
        self.assertEqual(
            results["snapshot errors"],
            "the hooks keep no freed blocks here: start the program with ALLOCSNAP_FREED=10000 in"
            " its environment\n",
        )


class _None:
    """A program that frees nothing wrongly, whatever its handlers and threads do."""

    def check_none(self, name, pid):
        answer = self.attached(name, pid, [ERRORS]).json(ERRORS)
        self.assertEqual((answer["freed_twice"], answer["unknown"]), (0, 0))


class Storm(_None, _Kept, test_signals.Storm):
    def check_storm(self, nframe):
        super().check_storm(nframe)
        pid, _ = self.paused("signal_storm", nframe=nframe)
        self.check_none("signal_storm", pid)
