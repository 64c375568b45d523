"""`snapshot start` and `stop` before a run: the program's environment."""

import os
import shutil
import unittest

from . import harness
from .harness import HOOKS, Case, program

SHOW = ["show environment LD_PRELOAD", "show environment ALLOCSNAP"]
NOT_DEFINED = [
    'Environment variable "LD_PRELOAD" not defined.\n',
    'Environment variable "ALLOCSNAP" not defined.\n',
]
LIBM = "libm.so.6"


class Launch(Case):
    def shown(self, results, nth):
        return [results.of(command)[nth] for command in SHOW]

    def test_stop_leaves_no_trace(self):
        results = self.batch(
            ["snapshot start 5"] + SHOW + ["snapshot stop"] + SHOW + ["snapshot  stop"],
            program("holds"),
        )
        self.assertEqual(
            results["snapshot start 5"],
            "The next `run` traces the heap, 5 frames of each stack.\n",
        )
        self.assertEqual(
            self.shown(results, 0), ["LD_PRELOAD = {}\n".format(HOOKS), "ALLOCSNAP = 5\n"]
        )
        self.assertEqual(results["snapshot stop"], "The next `run` is not traced.\n")
        self.assertEqual(self.shown(results, 1), NOT_DEFINED)
        self.assertEqual(
            results["snapshot  stop"],
            "there is nothing to stop: `snapshot start` was not given\n",
        )

    def test_what_the_user_has_set_is_kept_and_given_back(self):
        own = "{} /opt/x.so:".format(LIBM)
        results = self.batch(
            [
                "set environment LD_PRELOAD {}".format(own),
                "set environment ALLOCSNAP = 3",
                "snapshot start",
            ]
            + SHOW
            + ["snapshot start 9"]
            + SHOW
            + ["snapshot stop"]
            + SHOW,
            program("holds"),
        )
        preload = "LD_PRELOAD = {}:{}:/opt/x.so\n".format(HOOKS, LIBM)
        self.assertEqual(self.shown(results, 0), [preload, "ALLOCSNAP = 16\n"])
        self.assertEqual(self.shown(results, 1), [preload, "ALLOCSNAP = 9\n"])
        self.assertEqual(
            self.shown(results, 2), ["LD_PRELOAD = {}\n".format(own), "ALLOCSNAP = 3\n"]
        )

    def test_what_the_user_changes_in_between_stays(self):
        results = self.batch(
            [
                "snapshot start",
                "set environment LD_PRELOAD {}:{}".format(LIBM, HOOKS),
                "set environment ALLOCSNAP 4",
                "snapshot stop",
            ]
            + SHOW,
            program("holds"),
        )
        self.assertEqual(
            self.shown(results, 0), ["LD_PRELOAD = {}\n".format(LIBM), "ALLOCSNAP = 4\n"]
        )

    def test_inherited_preload_is_kept(self):
        results = self.batch(
            ["snapshot start", SHOW[0], "snapshot stop", "show  environment LD_PRELOAD"],
            program("holds"),
            env={"LD_PRELOAD": LIBM},
        )
        self.assertEqual(results[SHOW[0]], "LD_PRELOAD = {}:{}\n".format(HOOKS, LIBM))
        self.assertEqual(
            results["show  environment LD_PRELOAD"], "LD_PRELOAD = {}\n".format(LIBM)
        )

    def total(self, settings, *arguments):
        """What a traced run holds at stop_here(), under these gdb settings."""
        command = "snapshot stats --json"
        results = self.batch(
            settings + ["snapshot start", "break stop_here", "run", command],
            "--args",
            program("holds"),
            *arguments
        )
        return results.json(command)["total"]

    def test_every_way_to_start_a_program(self):
        held = {"size": 10128, "count": 14}
        for settings in (
            [],
            ["set startup-with-shell off"],
            ["set exec-wrapper env -u SOMETHING"],
            ["set exec-wrapper env", "set environment LD_PRELOAD {}".format(LIBM)],
        ):
            with self.subTest(settings):
                self.assertEqual(self.total(settings), held)
        with self.subTest("arguments with quotes"):
            self.assertEqual(self.total([], "it's", 'a "b"', "$HOME"), held)

    def test_a_stopped_start_runs_untraced(self):
        results = self.batch(
            ["snapshot start", "snapshot stop", "break stop_here", "run", "info sharedlibrary"],
            program("holds"),
        )
        self.assertIn("Breakpoint 1, ", results["run"])
        self.assertNotIn("allocsnap", results["info sharedlibrary"])

    def test_start_beside_a_process_that_cannot_load_the_hooks_is_for_the_next_run(self):
        # In non-stop mode no function is called.
        commands = ["break stop_here", "run", "snapshot start", "snapshot take", "run ", "snapshot take "]
        results = self.batch(["set non-stop on"] + commands, program("holds"))
        self.assertEqual(
            results["snapshot start"],
            "The next `run` traces the heap, 16 frames of each stack.\n"
            "The process that there is now stays as it is: restart it with `run`.\n",
        )
        self.assertIn("warning: no allocsnap hooks", results["snapshot take"])
        self.assertTrue(results["snapshot take "].startswith("Snapshot 2: "))

    def test_path_that_ld_preload_cannot_hold(self):
        for name in ("with blank", "with:colon", "with$LIB"):
            with self.subTest(name):
                directory = os.path.join(self.directory, name)
                os.mkdir(directory)
                hooks = os.path.join(directory, "hooks.so")
                shutil.copy(HOOKS, hooks)
                results = self.batch(
                    ["snapshot start"] + SHOW, program("holds"), env={"ALLOCSNAP_HOOKS": hooks}
                )
                self.assertEqual(
                    results["snapshot start"],
                    "the hooks library's path '{}' has a blank, a colon or a $, which LD_PRELOAD"
                    " cannot hold: copy it elsewhere and set ALLOCSNAP_HOOKS to that path\n".format(
                        hooks
                    ),
                )
                self.assertEqual(self.shown(results, 0), NOT_DEFINED)

    def test_no_hooks_library(self):
        results = self.batch(
            ["snapshot start"], program("holds"), env={"ALLOCSNAP_HOOKS": "/nonexistent/hooks.so"}
        )
        self.assertEqual(
            results["snapshot start"],
            "there is no hooks library at /nonexistent/hooks.so: build it with `make`,"
            " or set ALLOCSNAP_HOOKS to the path of {}\n".format(os.path.basename(harness.HOOKS)),
        )


if __name__ == "__main__":
    unittest.main()
