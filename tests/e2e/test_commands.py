"""The commands around the main job: names, errors, help, completion."""

import json
import os
import re
import shutil
import subprocess
import unittest

from . import harness
from .harness import Case, program

NO_PROCESS = (
    "there is no process and no core: start the program with `run`, or load a core file\n"
)


KEYS = ["filename", "lineno", "traceback", "function", "module", "thread", "age", "size", "type"]


class Settings(Case):
    def test_commands_that_gdb_prints_before_it_runs_them(self):
        commands = ["snapshot status", "snapshot who kept[0]", "snapshot set"]
        before = self.at_stop(commands, "plain")
        results = self.at_stop(["set trace-commands on"] + commands, "plain")
        for command in commands[1:]:
            wanted = re.sub("at 20.*|thread [0-9]+", "", before[command])
            got = re.sub("at 20.*|thread [0-9]+", "", results[command])
            self.assertIn(wanted, got)
        self.assertIn("\ntracing: on, 16 frames of each stack\n", results[commands[0]])


class Names(Case):
    def test_take_numbers_what_has_no_name(self):
        results = self.at_stop(
            [
                "snapshot take",
                "snapshot take 2",
                "snapshot take before",
                "snapshot delete 1",
                "python print('--')",
                "snapshot take ",
                "snapshot list",
            ],
            "holds",
        )
        amount = "10128 B in 14 blocks."
        self.assertEqual(results["snapshot take"], "Snapshot 1: {}\n".format(amount))
        self.assertEqual(results["snapshot take 2"], "Snapshot 2: {}\n".format(amount))
        self.assertEqual(results["snapshot take before"], "Snapshot before: {}\n".format(amount))
        self.assertEqual(results["snapshot delete 1"], "")
        # Numbers are not used twice.
        self.assertEqual(results["snapshot take "], "Snapshot 3: {}\n".format(amount))
        rows = [row.split() for row in results["snapshot list"].splitlines()]
        self.assertEqual(rows[0], ["NAME", "SIZE", "BLOCKS", "FRAMES", "FROM"])
        self.assertEqual(
            [row[:6] for row in rows[1:]],
            [[name, "10128", "B", "14", "16", "process"] for name in ("2", "before", "3")],
        )

    def test_a_name_is_not_taken_twice(self):
        results = self.at_stop(
            [
                "snapshot take a",
                "snapshot take  a",
                "snapshot take lineno",
                "snapshot take now",
                "snapshot take -x",
                "snapshot take 'a b'",
                "snapshot take a b",
            ],
            "holds",
        )
        self.assertEqual(
            results["snapshot take  a"],
            'there is a snapshot "a" already: choose another name,'
            " or `snapshot delete a` first\n",
        )
        for word in ("lineno", "now"):
            self.assertEqual(
                results["snapshot take " + word],
                '"{}" has a meaning of its own in the commands: choose another name\n'.format(word),
            )
        self.assertEqual(
            results["snapshot take -x"],
            "unrecognized arguments: -x; `snapshot take --help` shows how\n",
        )
        self.assertIn("cannot be the name of a snapshot", results["snapshot take 'a b'"])
        self.assertEqual(
            results["snapshot take a b"],
            "unrecognized arguments: b; `snapshot take --help` shows how\n",
        )

    def test_snapshots_outlive_their_process(self):
        results = self.at_stop(
            [
                "snapshot take a",
                "snapshot take b",
                "snapshot stats --json a",
                "kill",
                "snapshot stats --json",
                "snapshot stats now",
                "snapshot list",
                "snapshot delete c a",
                "snapshot delete b",
                "snapshot stats a --json",
            ],
            "holds",
        )
        self.assertEqual(results["snapshot stats --json"], results["snapshot stats --json a"])
        self.assertEqual(results["snapshot stats now"], NO_PROCESS)
        self.assertEqual(len(results["snapshot list"].splitlines()), 3)
        # All or none of them.
        self.assertEqual(
            results["snapshot delete c a"], 'no snapshot "c": the snapshots are a, b\n'
        )
        self.assertEqual(
            results["snapshot stats a --json"], results["snapshot stats --json a"]
        )

    def test_a_malloc_of_its_own(self):
        """The hooks say that the program has one, with calloc, realloc and free (bits 0 to 2 and
        9); here the test says so for them."""
        results = self.at_stop(
            ["snapshot status", "set var allocsnap_root.preceded = 519", "snapshot take"]
            + ["snapshot stats", "snapshot status"],
            "holds",
        )
        before, after = results.of("snapshot status")
        self.assertNotIn("\nunseen: ", before)
        self.assertRegex(after, r"\nunseen:  the program has a malloc of its own, [^\n]*\n")
        for command in ("snapshot take", "snapshot stats"):
            self.assertTrue(
                results[command].startswith("warning: the program has a malloc of its own, "),
                results[command],
            )

    def test_status(self):
        results = self.at_stop(["snapshot status"], "holds", nframe=7)
        rows = dict(line.split(":", 1) for line in results["snapshot status"].splitlines())
        self.assertEqual(rows["tracing"].strip(), "on, 7 frames of each stack")
        self.assertTrue(rows["traced"].strip().startswith("10128 B in 14 blocks, peak "))
        self.assertEqual(rows["dropped"].strip(), "0 blocks")
        self.assertIn("table version 5", rows["hooks"])
        self.assertRegex(rows["target"], r"^ +process \d+$")


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
        keys = "the keys are filename, lineno, traceback, function, module, thread, age, size, type"
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
            "snapshot frobnicate now": 'no command "snapshot frobnicate": the commands are'
            " start, stop, clear, reset-peak, status, watch, take, list, delete, stats, diff, traces,"
            " who, leaks, refs, path, retained, heap, place, dump, load, export, symbolize, set",
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


BAD_NUMBERS = ["0", "-1", "0x10", "1e3", "1_000", "ten", "+5", "99999999999999999999"]


NAMES = (
    "start stop clear reset-peak status watch take list delete stats diff traces who place dump load"
    " export symbolize set"
).split()


class Help(Case):
    def test_each_command_has_help(self):
        results = self.batch(
            ["help snapshot", "snapshot", "help snapshot stats", "snapshot stats --help"]
        )
        for name in NAMES:
            self.assertRegex(results["help snapshot"], r"(?m)^snapshot {}(, .*)? -- ".format(name))
            self.assertRegex(results["snapshot"], r"(?m)^  snapshot {} +[A-Z].*\.$".format(name))
        self.assertIn("--cumulative", results["help snapshot stats"])
        self.assertIn("--cumulative", results["snapshot stats --help"])

    def test_sourcing_twice_keeps_everything(self):
        again = "source {}".format(harness.SCRIPT)
        results = self.at_stop(["snapshot take a", again, "snapshot list"], "holds")
        self.assertEqual(results[again], "")
        self.assertIn("\na ", results["snapshot list"])


class Completion(Case):
    def complete(self, *texts):
        commands = ["complete " + text for text in texts]
        results = self.at_stop(["snapshot take a-1", "snapshot take b"] + commands, "holds")
        return [results[command].splitlines() for command in commands]

    def test_words(self):
        found = self.complete(
            "snapshot st",
            "snapshot stats ",
            "snapshot stats lineno ",
            "snapshot stats now ",
            "snapshot stats li",
            "snapshot stats a-",
            "snapshot stats --",
            "snapshot stats --json --cu",
            "snapshot stats -n ",
            "snapshot stats --kinds ",
            "snapshot leaks --kinds de",
            "snapshot traces --kinds definite,possible,",
            "snapshot diff --kinds definite,indirect b ",
            "snapshot delete ",
            "snapshot delete b ",
            "snapshot start ",
            "snapshot diff ",
            "snapshot diff b ",
            "snapshot diff lineno b now ",
            "snapshot diff --include ",
            "snapshot diff --domain ",
            "snapshot traces ",
            "snapshot traces b ",
            "snapshot dump ",
            "snapshot dump --format ",
            "snapshot dump --format tracemalloc a",
            "snapshot set ",
            "snapshot set skip ",
            "snapshot who --",
            "snapshot who --in ",
            "snapshot who --json --in b",
        )
        stats, diff = "snapshot stats ", "snapshot diff "
        self.assertEqual(
            found,
            [
                ["snapshot " + name for name in ("start", "stats", "status", "stop")],
                [stats + w for w in sorted(KEYS + ["a-1", "b", "now", "python"])],
                [stats + "lineno " + w for w in ("a-1", "b", "now", "python")],
                [stats + "now " + w for w in sorted(KEYS)],
                [stats + "lineno"],
                [stats + "a-1"],
                [
                    stats + "--" + w
                    for w in (
                        "all-frames",
                        "cumulative",
                        "domain",
                        "exclude",
                        "help",
                        "include",
                        "json",
                        "kinds",
                        "leaked",
                        "limit",
                        "no-skip",
                        "no-suppressions",
                        "skip",
                        "suppressions",
                    )
                ],
                [stats + "--json --cumulative"],
                [],
                [stats + "--kinds " + w for w in ("all", "definite", "indirect", "possible", "reachable")],
                ["snapshot leaks --kinds definite"],
                ["snapshot traces --kinds definite,possible," + w for w in ("indirect", "reachable")],
                [diff + "--kinds definite,indirect b " + w for w in sorted(KEYS + ["a-1", "now", "python"])],
                ["snapshot delete " + w for w in ("a-1", "b")],
                ["snapshot delete b a-1"],
                [],
                [diff + w for w in sorted(KEYS + ["a-1", "b", "now", "python"])],
                [diff + "b " + w for w in sorted(KEYS + ["a-1", "now", "python"])],
                [],
                [],
                [],
                ["snapshot traces " + w for w in ("a-1", "b", "now", "python")],
                [],
                ["snapshot dump " + w for w in ("a-1", "b", "now", "python")],
                ["snapshot dump --format " + w for w in ("allocsnap", "tracemalloc")],
                ["snapshot dump --format tracemalloc a-1"],
                [
                    "snapshot set " + w
                    for w in ("mine", "names", "paths", "skip", "stop-at-exit", "suppressions")
                ],
                ["snapshot set skip default"]
                + [
                    "snapshot set skip no-" + w
                    for w in ("c++", "glib", "libc", "nameless", "qt", "rust", "wrappers")
                ],
                ["snapshot who --" + w for w in ("help", "in", "json")],
                ["snapshot who --in " + w for w in ("a-1", "b", "now", "python")],
                ["snapshot who --json --in b"],
            ],
        )

    def test_files(self):
        for name in ("dump-a", "dump-b", "other"):
            with open(os.path.join(self.directory, name), "w", encoding="ascii"):
                pass
        os.mkdir(os.path.join(self.directory, "dumps"))
        found = self.complete(
            "snapshot load du",
            "snapshot load dump-a b",
            "snapshot dump now du",
            "snapshot dump now {}/o".format(self.directory),
            "snapshot dump now /nonexistent/",
            "snapshot dump now other o",
        )
        names = ("dump-a", "dump-b", "dumps")
        self.assertEqual([line.rstrip("/") for line in found[0]], ["snapshot load " + n for n in names])
        self.assertEqual(found[1], [])
        self.assertEqual(found[2], ["snapshot dump now " + n for n in ("dump-a", "dump-b", "dumps/")])
        self.assertEqual(found[3], ["snapshot dump now {}/other".format(self.directory)])
        self.assertEqual(found[4:], [[], []])


if __name__ == "__main__":
    unittest.main()
