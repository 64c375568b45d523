"""What commands say where they cannot do what is typed: one line each."""

import json
import os
import shutil
import subprocess
import unittest

from . import harness
from .harness import Case, program
from .test_commands import KEYS, NAMES, NO_PROCESS

BAD_NUMBERS = ["0", "-1", "0x10", "1e3", "1_000", "ten", "+5", "99999999999999999999"]


class Errors(Case):
    def test_no_process(self):
        commands = ["snapshot take", "snapshot stats", "snapshot status", "snapshot stats now"]
        results = self.batch(commands, program("holds"))
        for command in commands:
            self.assertEqual(results[command], NO_PROCESS)

    def test_no_program(self):
        results = self.batch(["snapshot take", "snapshot list", "snapshot start", "snapshot stop"])
        self.assertEqual(results["snapshot take"], NO_PROCESS)
        self.assertEqual(results["snapshot list"], "No snapshots: `snapshot take` takes one.\n")

    def test_process_without_hooks(self):
        results = self.batch(
            ["break stop_here", "run", "snapshot take", "snapshot status", "snapshot stats"],
            program("holds"),
        )
        for command in ("snapshot take", "snapshot status", "snapshot stats"):
            self.assertIn("no allocsnap hooks", results[command])
            self.assertIn("snapshot start", results[command])
        self.assertEqual(results["snapshot status"].count("\n"), 1)
        for command in ("snapshot take", "snapshot stats"):
            first = "warning: no hooks: blocks from glibc's own structures, without stacks;"
            self.assertTrue(results[command].startswith(first), results[command])
        self.assertRegex(results["snapshot take"], r"\nSnapshot 1: \d+ B in 14 blocks\.\n")

    def test_process_that_has_not_loaded_the_hooks_given_to_it(self):
        results = self.batch(
            ["snapshot start", "starti", "snapshot stats", "break stop_here", "continue"]
            + ["snapshot stats --json"],
            program("holds"),
        )
        self.assertIn("has not loaded its libraries: let the program run on", results["snapshot stats"])
        self.assertEqual(results["snapshot stats"].count("\n"), 1)
        self.assertEqual(results.json("snapshot stats --json")["total"]["count"], 14)

    def test_core_without_hooks(self):
        core = self.kernel_core("holds", "abort", preload=None)
        results = self.batch(["snapshot stats"], program("holds"), core)
        self.assertIn("no allocsnap hooks in this core: ", results["snapshot stats"])
        self.assertIn("count=14\n", results["snapshot stats"])

    def test_hooks_that_do_not_trace(self):
        results = self.batch(
            [
                "set environment LD_PRELOAD {}".format(harness.HOOKS),
                "set environment ALLOCSNAP 0",
                "break stop_here",
                "run",
                "snapshot take",
                "snapshot status",
            ],
            program("holds"),
        )
        self.assertIn("not tracing", results["snapshot take"])
        self.assertEqual(results["snapshot take"].count("\n"), 1)
        self.assertIn("tracing: off", results["snapshot status"])

    def test_unknown_words(self):
        results = self.at_stop(
            [
                "snapshot stats lines",
                "snapshot take a",
                "snapshot stats lines ",
                "snapshot stats lineno b",
                "snapshot stats a lines",
                "snapshot stats a now",
                "snapshot stats lineno filename",
                "snapshot stats lineno a b",
                "snapshot delete",
                "snapshot delete b",
                "snapshot delete a now",
                "snapshot symbolize",
                "snapshot stats --cumulative traceback",
                "snapshot stats --cumul",
                "snapshot stats 'a",
                "snapshot frobnicate now",
            ],
            "holds",
        )
        keys = "the keys are " + ", ".join(KEYS)
        expected = {
            "snapshot stats lines": 'no key or snapshot "lines": {}; there are no snapshots:'
            " `snapshot take` takes one".format(keys),
            "snapshot stats lines ": 'no key or snapshot "lines": {}; the snapshots are a'.format(
                keys
            ),
            "snapshot stats lineno b": 'no snapshot "b": the snapshots are a',
            "snapshot stats a lines": 'no key "lines": {}'.format(keys),
            "snapshot stats a now": "two snapshots, a and now: give one",
            "snapshot stats lineno filename": "two keys, lineno and filename: give one",
            "snapshot stats lineno a b": 'one word too many, "b": give a key and a snapshot',
            "snapshot delete": "the following arguments are required: NAME;"
            " `snapshot delete --help` shows how",
            "snapshot delete b": 'no snapshot "b": the snapshots are a',
            "snapshot delete a now": "`now` is a fresh reading each time, and not kept: `snapshot"
            " take` keeps one",
            "snapshot symbolize": "the following arguments are required: NAME;"
            " `snapshot symbolize --help` shows how",
            "snapshot stats --cumulative traceback": "--cumulative goes by filename, lineno,"
            " function, module, not by traceback: leave it out, or give one of these keys",
            "snapshot stats --cumul": "unrecognized arguments: --cumul;"
            " `snapshot stats --help` shows how",
            "snapshot stats 'a": "no closing quotation in 'a; `snapshot stats --help` shows how",
            "snapshot frobnicate now": 'no command "snapshot frobnicate": the commands are '
            + ", ".join(NAMES),
        }
        for command, message in expected.items():
            with self.subTest(command):
                self.assertEqual(results[command], message + "\n")

    def test_bad_numbers(self):
        frames = "argument NFRAME: \"{}\" is not a number of frames (from 1 to 65535)"
        rows = 'argument -n/--limit: "{}" is not a number of rows (from 1 to 9223372036854775807)'
        cases = {"snapshot start " + bad: frames.format(bad) for bad in BAD_NUMBERS + ["65536"]}
        cases["snapshot start ''"] = frames.format("")
        for bad in BAD_NUMBERS:
            cases["snapshot stats -n " + bad] = rows.format(bad)
            cases["snapshot stats --limit=" + bad] = rows.format(bad)
        cases["snapshot stats --limit="] = rows.format("")
        cases["snapshot stats -n"] = "argument -n/--limit: expected one argument"
        commands = list(cases) + ["show environment ALLOCSNAP"]
        results = self.batch(commands, program("holds"))
        for command, message in cases.items():
            with self.subTest(command):
                self.assertEqual(
                    results[command],
                    "{}; `{} --help` shows how\n".format(message, " ".join(command.split()[:2])),
                )
        self.assertIn("not defined", results["show environment ALLOCSNAP"])

    def test_a_very_long_number_is_shortened(self):
        command = "snapshot start " + "1" * 5000
        message = self.batch([command])[command]
        self.assertIn('NFRAME: "{}..." is not'.format("1" * 37), message)

    def test_running_process(self):
        gdb = self.gdb("--args", program("holds"), "pause")
        gdb.run("snapshot start")
        gdb.run("break stop_here")
        self.assertIn("Breakpoint 1, ", gdb.run("run"))
        self.assertIn("Snapshot a: ", gdb.run("snapshot take a"))
        gdb.run("continue &")
        running = (
            "the process is running: interrupt it first"
            " (Ctrl-C, or `interrupt -a` in non-stop mode)\n"
        )
        for command in ("take b", "stats", "status", "stats now"):
            self.assertEqual(gdb.run("snapshot " + command), running)
        self.assertEqual(gdb.run("print $snapshot_size()"), running)
        self.assertIn("size=5000 B", gdb.run("snapshot stats a"))

    def test_table_of_another_version(self):
        # `version` follows the magic of 16 bytes (docs/table-layout.md).
        results = self.at_stop(
            [
                "snapshot take a",
                "set var *(unsigned *) ((char *) &allocsnap_root + 16) = 99",
                "snapshot take",
                "snapshot status",
                "snapshot stats a --json",
            ],
            "holds",
        )
        for command in ("snapshot take", "snapshot status"):
            self.assertIn("version", results[command])
            self.assertIn("99", results[command])
            self.assertEqual(results[command].count("\n"), 1)
        self.assertEqual(results.json("snapshot stats a --json")["total"]["count"], 14)

    def test_damaged_table(self):
        # The shards begin at 1280, 56 bytes each, `count` at 8 (docs/table-layout.md).
        damage = "python for shard in range(64): gdb.execute('set var *(unsigned long *)"
        damage += " ((char *) &allocsnap_root + %d) = 1 << 20' % (1280 + 56 * shard + 8))"
        results = self.at_stop(
            ["snapshot take a", damage, "snapshot take", "snapshot stats a --json"], "holds"
        )
        self.assertIn("damaged", results["snapshot take"])
        self.assertEqual(results["snapshot take"].count("\n"), 1)
        self.assertEqual(results.json("snapshot stats a --json")["total"]["count"], 14)

    def cut(self, core, size):
        """A copy of a core with its first `size` bytes."""
        path = os.path.join(self.directory, "cut")
        shutil.copy(core, path)
        os.truncate(path, size)
        return path

    def test_truncated_core_says_so_first(self):
        core = self.kernel_core("holds", "abort")
        cut = self.cut(core, os.path.getsize(core) - 4096)
        results = self.batch(
            ["snapshot take a", "snapshot stats", "snapshot stats --json", "snapshot list"],
            program("holds"),
            cut,
        )
        note = "4096 bytes of the program's memory are missing from the core file: it is truncated"
        for command in ("snapshot take a", "snapshot stats"):
            self.assertEqual(results[command].splitlines()[0], "warning: " + note)
        answer = results.json("snapshot stats --json")
        self.assertEqual(answer["notes"], [note])
        # What is missing is not the table's.
        self.assertEqual(answer["total"], {"size": 10128, "count": 14})
        self.assertTrue(results["snapshot list"].endswith("/cut (incomplete)\n"))

    def test_core_cut_anywhere_gives_no_wrong_number(self):
        core = self.kernel_core("holds", "abort")
        whole, parts = os.path.getsize(core), 12
        outcomes = set()
        for part in range(1, parts):
            cut = self.cut(core, whole * part // parts)
            command = "snapshot stats --json"
            text = self.batch([command], program("holds"), cut)[command]
            with self.subTest(part):
                self.assertEqual(text.count("\n"), 1)
                self.assertIn("truncated", text)
                self.assertNotIn("snapshot start", text)
                if text.startswith("{"):
                    total = json.loads(text)["total"]
                    self.assertLessEqual(total["count"], 14)
                    self.assertLessEqual(total["size"], 10128)
                    outcomes.add("partial")
                else:
                    self.assertRegex(text, r"^core /\S+/cut is truncated, .* are missing: ")
                    outcomes.add("error")
        self.assertEqual(outcomes, {"partial", "error"})

    def test_32_bit_program(self):
        source = os.path.join(self.directory, "small.s")
        built = os.path.join(self.directory, "small")
        with open(source, "w", encoding="ascii") as text:
            text.write(".globl _start\n_start: nop\nmovl $1, %eax\nxorl %ebx, %ebx\nint $0x80\n")
        subprocess.run(["as", "--32", "-o", built + ".o", source], check=True)
        subprocess.run(["ld", "-m", "elf_i386", "-o", built, built + ".o"], check=True)
        results = self.batch(["break _start", "run", "snapshot take", "info inferiors"], built)
        if "process" not in results["info inferiors"].split("*", 1)[1]:
            self.skipTest("this kernel does not run 32-bit programs: {}".format(results["run"]))
        self.assertEqual(
            results["snapshot take"],
            "this is a 32-bit program: only 64-bit programs are supported\n",
        )

    def test_library_of_another_version(self):
        text = os.path.join(self.directory, "other.c")
        other = os.path.join(self.directory, "other.so")
        with open(text, "w", encoding="ascii") as code:
            code.write('const char *asnap_version(void) { return "9.9.9"; }\n')
        subprocess.run(["cc", "-shared", "-fPIC", "-o", other, text], check=True)
        results = self.batch(
            ["break stop_here", "run", "snapshot take"],
            program("holds"),
            env={"ALLOCSNAP_LIBRARY": other},
        )
        self.assertRegex(
            results["snapshot take"],
            r"^\S+/other\.so is 9\.9\.9, the Python package is \S+: install or build both .*\n$",
        )

    def test_no_library(self):
        results = self.batch(
            ["break stop_here", "run", "snapshot take"],
            program("holds"),
            env={"ALLOCSNAP_LIBRARY": "/nonexistent/library.so"},
        )
        self.assertRegex(results["snapshot take"], r"^/nonexistent/library\.so cannot be loaded .*\n$")

    def test_an_unforeseen_exception_is_one_line(self):
        broken = "python GdbTarget.process = lambda self: {}['gone']"
        results = self.batch([broken, "snapshot take", "snapshot list"], program("holds"))
        self.assertEqual(
            results["snapshot take"], "internal error, please report it: KeyError: 'gone'\n"
        )
        self.assertIn("No snapshots", results["snapshot list"])


if __name__ == "__main__":
    unittest.main()
