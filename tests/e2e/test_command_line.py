"""The command line prints what gdb does, of the same core, process and dump."""

import json
import os
import re
import signal
import subprocess

from . import harness
from .harness import Case, program
from .typed import ALLOCSNAP, PYTHON, Typed

SHOWN = [
    "status", "stats", "stats --json", "stats traceback -n all", "stats thread", "stats type", "stats module",
    "stats --cumulative function", "stats --include *reach.cc --exclude *reach.cc:1", "stats --leaked",
    "traces", "traces --json -n 5", "leaks", "leaks --json --kinds all", "leaks traceback", "retained",
    "retained --top", "retained --exact -n 2", "who &main", "who main", "who 1", "who -1", "who &keys",
]  # fmt: skip


class Same(Typed):
    """gdb's output and that of the command line, of a reading of the same."""

    def check(self, results, commands, *words, change=lambda text: text):
        for command in commands:
            with self.subTest(command=command):
                wanted = results["snapshot " + command]
                self.assertEqual(self.told(*words, *command.split()), change(wanted))

    def blocks(self, *words, most=6):
        """Addresses of blocks, the largest first and some others."""
        traces = json.loads(self.told(*words, "traces", "--json"))["traces"]
        return [hex(trace["address"]) for trace in traces[:: max(1, len(traces) // most)]]


class OfCore(Same):
    def check_core(self, core):
        blocks = self.blocks("-c", core)
        about = ["{} {}".format(name, one) for one in blocks for name in ("who", "refs", "path --json")]
        commands = SHOWN + about + ["path -n 3 " + blocks[0]]
        results = self.batch(["snapshot " + one for one in commands], program("reach"), core)
        self.check(results, commands, "-c", core, program("reach"), change=without_frames)

    def test_of_the_kernel(self):
        self.check_core(self.kernel_core("reach", "trap"))

    def test_of_gdb(self):
        path = os.path.join(self.directory, "core")
        self.at_stop(["generate-core-file " + path], "reach")
        self.check_core(path)

    def test_the_program_is_found_at_its_path(self):
        core = self.kernel_core("holds", "abort")
        self.assertEqual(
            self.told("-c", core, "stats"), self.told("-c", core, program("holds"), "stats")
        )


def without_frames(text):
    """Roots as they are named where stacks are not unwound."""
    text = re.sub(r"frame \d+( \([^()]*(\(\))?\))?(, variable \w+)? of thread", "stack of thread", text)
    return re.sub(r", frame #\d+ in [^\n]*", "", text)


class OfProcess(Same):
    def test_that_waits(self):
        self.need_attach()
        process = self.ready("holds", "pause")
        words = ["-p", process.pid]
        about = ["{} {}".format(name, one) for one in self.blocks(*words) for name in ("who", "refs", "path")]
        shown = ["stats", "stats --json", "traces --json", "stats thread", "leaks", "leaks --json --kinds all"]
        commands = shown + ["status", "who &kept", "who main", "retained"] + about
        results = self.batch(["snapshot " + one for one in commands], "-p", str(process.pid))
        self.check(results, commands, *words)
        self.check(results, ["stats", "traces --json", "leaks"], "-p", process.pid, "--stop")
        self.assertIsNone(process.poll())


class OfDumps(Same):
    def setUp(self):
        super().setUp()
        self.old, self.new = (os.path.join(self.directory, name) for name in ("old.dump", "new.dump"))
        self.results = self.at_stop(
            [
                "snapshot take --no-names a",
                "snapshot dump a " + self.old,
                "snapshot delete a",
                "snapshot dump now " + self.new,
                "kill",
                "snapshot load " + self.old + " x",
                "snapshot load " + self.new + " y",
                "snapshot diff x y",
                "snapshot diff x y function --json",
                "snapshot stats y",
                "snapshot stats y --cumulative filename --json",
                "snapshot status y",
                "snapshot symbolize x",
            ],
            "holds",
        )

    def test_one(self):
        self.assertEqual(self.told(self.new, "stats"), self.results["snapshot stats y"])
        self.assertEqual(
            self.told(self.new, "stats", "--cumulative", "filename", "--json"),
            self.results["snapshot stats y --cumulative filename --json"],
        )
        self.assertEqual(
            self.told(self.new, "status"),
            self.results["snapshot status y"].replace("snapshot: y,", "snapshot: 1,"),
        )

    def test_two(self):
        self.assertEqual(self.told(self.old, self.new, "diff"), self.results["snapshot diff x y"])
        self.assertEqual(
            self.told(self.old, self.new, "diff", "1", "2", "function", "--json"),
            self.results["snapshot diff x y function --json"],
        )

    def test_names_later(self):
        named = os.path.join(self.directory, "named.dump")
        said = self.told("-o", named, self.old, "symbolize")
        wanted = self.results["snapshot symbolize x"].replace("Snapshot x", "Snapshot 1")
        self.assertEqual(said, wanted + "written to {}\n".format(named))
        self.assertEqual(self.told(named, "stats"), self.told(self.new, "stats"))

    def test_written_again(self):
        again = os.path.join(self.directory, "again.dump")
        said = self.told(self.new, "dump", again)
        self.assertEqual(said, "{}: 10128 B in 14 blocks.\n".format(again))
        self.assertEqual(self.told(again, "stats"), self.told(self.new, "stats"))
        self.assertEqual(
            self.told(self.new, "dump", "1", again),
            "{}: 10128 B in 14 blocks, in place of the file that was there.\n".format(again),
        )

    def test_against_a_process(self):
        process = self.ready("holds", "pause")
        dump = os.path.join(self.directory, "now.dump")
        self.told("-p", process.pid, "dump", "now", dump)
        said = json.loads(self.told("-p", process.pid, dump, "diff", "--json"))
        self.assertEqual((said["total"]["size"], said["total"]["size_diff"]), (10128, 0))
        self.assertEqual(said["total"]["count_diff"], 0)


class Settings(Typed):
    def test_as_set(self):
        core = self.kernel_core("reach", "trap")
        words = ["--set", "names short", "--set", "skip no-libc"]
        settings = ["snapshot set names short", "snapshot set skip no-libc"]
        results = self.batch(settings + ["snapshot stats"], program("reach"), core)
        self.assertEqual(self.told(*words, "-c", core, "stats"), results["snapshot stats"])


class Help(Case):
    """Of each command it is gdb's, but for what the command is called."""

    typed, told, refused = Typed.typed, Typed.told, Typed.refused

    def test_of_commands(self):
        said = self.told("--help")
        names = re.findall(r"^  ([a-z][-a-z]*)  ", said.partition("commands:")[2], re.M)
        own = ["run", "every", "top"]
        self.assertEqual(names[-3:], own)
        for name in own:
            self.assertTrue(self.told(name, "--help").startswith("usage: allocsnap {} ".format(name)))
        names = names[:-3]
        self.assertIn("stats", names)
        results = self.batch(["help snapshot " + name for name in names])
        for name in names:
            wanted = results["help snapshot " + name].partition("\n\n")[2]
            shown = self.told(name, "--help")
            summary, usage, rest = shown.split("\n\n", 2)
            self.assertRegex(said, r"(?m)^  {} +{}$".format(name, re.escape(summary)))
            self.assertTrue(usage.startswith("usage: allocsnap " + name), usage)
            self.assertTrue(rest.startswith(wanted.partition("\n\n")[2].rstrip()), shown)
        self.assertEqual(self.told("-h"), said)

    def test_version(self):
        self.assertRegex(self.told("--version"), r"\Aallocsnap \d+\.\d+\.\d+\n\Z")


class Output(Typed):
    def test_cut_off(self):
        """As by head: it ends by SIGPIPE, without a word."""
        core = self.kernel_core("holds", "abort")
        read, write = os.pipe()
        os.close(read)
        try:
            self.assertEqual(self.typed_to(write, "-c", core, "stats"), (-signal.SIGPIPE, ""))
        finally:
            os.close(write)

    def test_full(self):
        core = self.kernel_core("holds", "abort")
        with open("/dev/full", "wb") as full:
            status, said = self.typed_to(full, "-c", core, "stats")
        self.assertEqual((status, said), (1, "allocsnap: cannot write: No space left on device\n"))

    def typed_to(self, output, *words):
        done = subprocess.run(
            [PYTHON, "-B", ALLOCSNAP, *words],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.PIPE,
            env=harness.environment(self.home),
            timeout=harness.DEADLINE,
            check=False,
        )
        return done.returncode, done.stderr.decode()
