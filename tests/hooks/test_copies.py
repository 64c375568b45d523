"""More than one copy of the hooks in a process: the first is at work, all others step aside."""

import os
import shutil
import subprocess

import expectations
from e2e.harness import BUILD, DEADLINE, HOOKS, environment, program

from .hooked import LINES, STATUS, Case

OLDER = program("libolder.so")
OLDER_ROOT = (
    "the hooks in this process write table version 2, this library reads versions 3 to 5: use the hooks"
    " and the library of one allocsnap release\n"
)


class Copies(Case):
    def copy(self, name="copy.so", stripped=False):
        path = os.path.join(self.directory, name)
        shutil.copyfile(HOOKS, path)
        if stripped:
            subprocess.run(["strip", path], check=True)
        return path

    def output(self, command, *preload):
        """What a command prints, with these libraries."""
        env = environment(self.home, ALLOCSNAP="16")
        # Before the command alone, not before what watches over it.
        loaded = ["env", "LD_PRELOAD=" + ":".join(preload)] if preload else []
        done = subprocess.run(
            ["timeout", "-s", "KILL", str(DEADLINE)] + loaded + list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=env,
            cwd=self.directory,
            check=False,
        )
        return done.returncode, done.stdout

    def orders(self):
        copy, other = self.copy(), self.copy("other.so", stripped=True)
        return (
            (HOOKS, copy),
            (copy, HOOKS),
            (HOOKS, copy, other),
            (HOOKS, OLDER),
            (OLDER, HOOKS),
            (copy, OLDER, HOOKS),
            (OLDER, copy, other),
        )

    def test_programs_run_as_they_do_without(self):
        commands = (
            ["ls", "-lR", "/usr/share/doc"],
            ["/usr/bin/python3", "-c", "import json, threading; print(json.dumps([1, 2]))"],
            ["sh", "-c", "for i in 1 2 3; do echo $(ls /usr | wc -l); done"],
            [program("contract")],
            [program("clones")],
            [program("fork_storm")],
            [program("cxx")],
        )
        for command in commands:
            plain = self.output(command)
            for order in self.orders():
                with self.subTest(command=command, order=order):
                    self.assertEqual(self.output(command, *order), plain)

    def numbers(self, name, *preload, before=()):
        """(what the marks say, what is read) of a program with these libraries."""
        results = self.batch(
            ["set environment LD_PRELOAD {}".format(":".join(preload))]
            + list(before)
            + ["break stop_here", "run", STATUS, LINES],
            program(os.path.splitext(name)[0]),
        )
        self.assertIn("\ntracing: on, 16 frames of each stack\n", results[STATUS])
        self.assertIn("\ndropped: 0 blocks\n", results[STATUS])
        self.assertNotIn("unseen", results[STATUS])
        self.assertEqual(results.json(LINES)["notes"], [])
        wanted = expectations.expected(expectations.source(name))
        return wanted, self.held(results.json(LINES), name)

    def test_numbers_are_those_of_the_first(self):
        for order in self.orders():
            if order[0] == OLDER:
                continue
            for name in ("plain.c", "cxx.cc"):
                with self.subTest(name=name, order=order):
                    wanted, held = self.numbers(name, *order)
                    self.assertEqual(held, wanted)

    def test_a_stripped_copy_first(self):
        wanted, held = self.numbers("plain.c", self.copy("stripped.so", stripped=True), HOOKS)
        self.assertEqual(held, wanted)

    def test_an_older_one_first_is_said_to_be_older(self):
        for order in ((OLDER, HOOKS), (OLDER, self.copy(), HOOKS)):
            results = self.batch(
                ["set environment LD_PRELOAD {}".format(":".join(order))]
                + ["break stop_here", "run", STATUS, "snapshot stats"],
                program("plain"),
            )
            self.assertEqual(results[STATUS], OLDER_ROOT)
            self.assertEqual(results["snapshot stats"], OLDER_ROOT)

    def test_a_program_that_is_linked_with_another_copy(self):
        said = b"secure 0, hooks loaded, tracing on\n"
        for preload in ((self.copy(),), (self.copy(), OLDER)):
            self.assertEqual(self.output([program("rights_linked")], *preload), (0, said))
        # The hooks that are at work are then an older release's.
        self.assertEqual(self.output([program("rights_linked")], OLDER), (0, said))

    def test_a_copy_that_is_loaded_later(self):
        for copy in (self.copy(), OLDER):
            with self.subTest(copy):
                call = "call (void *) dlopen(\"{}\", 2)".format(copy)
                results = self.at_stop([call, LINES, "continue", STATUS], "phases")
                self.assertNotIn("= (void *) 0x0", results[call])
                wanted = expectations.expected(expectations.source("phases.c"), "first")
                self.assertEqual(self.held(results.json(LINES), "phases.c"), wanted)
                self.assertIn("\ntracing: on", results[STATUS])


class Launch(Case):
    """`snapshot start` has one copy loaded, its own."""

    SHOW = "show environment LD_PRELOAD"

    def test_other_copies_are_left_out_of_the_run(self):
        by_content = os.path.join(self.directory, "renamed.so")
        shutil.copyfile(HOOKS, by_content)
        by_name = "/nonexistent/liballocsnap-hooks.so.0"
        link = os.path.join(self.directory, "link.so")
        os.symlink(HOOKS, link)
        preload = " ".join(["libm.so.6", by_content, OLDER, by_name, link, HOOKS, "/opt/x.so"])
        results = self.batch(
            [
                "set environment LD_PRELOAD " + preload,
                "snapshot start 5",
                self.SHOW,
                "snapshot stop",
                "show  environment LD_PRELOAD",
            ],
            program("plain"),
        )
        self.assertEqual(
            results["snapshot start 5"],
            "The next `run` traces the heap, 5 frames of each stack.\n"
            + "".join(
                "It leaves out {} of LD_PRELOAD, which is another copy of the hooks.\n".format(path)
                for path in (by_content, OLDER, by_name, link)
            ),
        )
        self.assertEqual(
            results[self.SHOW], "LD_PRELOAD = {}:libm.so.6:/opt/x.so\n".format(HOOKS)
        )
        self.assertEqual(
            results["show  environment LD_PRELOAD"], "LD_PRELOAD = {}\n".format(preload)
        )

    def test_files_that_are_no_copies_stay(self):
        text = os.path.join(self.directory, "text.so")
        with open(text, "wb") as file:
            file.write(b"\0allocsnap_hooks_track\0")
        fifo = os.path.join(self.directory, "fifo.so")
        os.mkfifo(fifo)
        others = [text, fifo, self.directory, os.path.join(BUILD, "liballocsnap.so")]
        results = self.batch(
            ["set environment LD_PRELOAD " + ":".join(others), "snapshot start", self.SHOW],
            program("plain"),
        )
        self.assertEqual(
            results["snapshot start"], "The next `run` traces the heap, 16 frames of each stack.\n"
        )
        self.assertEqual(
            results[self.SHOW], "LD_PRELOAD = {}\n".format(":".join([HOOKS] + others))
        )

    def test_numbers_of_a_run_with_the_users_own_copy(self):
        copy = os.path.join(self.directory, "copy.so")
        shutil.copyfile(HOOKS, copy)
        results = self.batch(
            [
                "set environment LD_PRELOAD " + copy,
                "snapshot start",
                "break stop_here",
                "run",
                LINES,
                "info sharedlibrary copy.so",
            ],
            program("plain"),
        )
        wanted = expectations.expected(expectations.source("plain.c"))
        self.assertEqual(self.held(results.json(LINES), "plain.c"), wanted)
        self.assertEqual(
            results["info sharedlibrary copy.so"], "No shared libraries matched.\n"
        )
