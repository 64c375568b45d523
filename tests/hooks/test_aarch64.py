"""The hooks on aarch64: cross-compiled, run by qemu's user-mode emulation, their walks
compared with those of the libgcc there, and their table read by gdb-multiarch."""

import collections
import glob
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import expectations
from e2e import test_reach
from e2e.harness import tag_line

from .hooked import Case
from .test_family import seen
from .test_wild_calls import LOST, SIZES, TAGS, TRACES

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PREFIX = "aarch64-linux-gnu-"
SYSROOT = "/usr/aarch64-linux-gnu"
SECONDS = 300

TRACEBACKS = "snapshot stats traceback --json --limit 100"
COUNTS = re.compile(r"^(\d+) stacks compared with libgcc's, (\d+) differ$", re.M)

#: Connects gdb to a stub as soon as that listens.
CONNECT = """\
import time
deadline = time.monotonic() + 60
while True:
    try:
        gdb.execute("target remote {}")
        break
    except gdb.error:
        if time.monotonic() > deadline:
            raise
"""

#: Sources in tests/programs, flags, and how many stacks are compared at least.
PROGRAMS = [
    ("walks.cc", "-O0", 6000),
    ("walks.cc", "-O2", 6000),
    ("walks.cc", "-O2 -fomit-frame-pointer -mbranch-protection=standard", 6000),
    ("coroutines.c", "-O2", 29000),
]


class Aarch64(Case):
    seconds = 25

    @classmethod
    def setUpClass(cls):
        cls.build = tempfile.mkdtemp(prefix="allocsnap-")
        cls.addClassCleanup(shutil.rmtree, cls.build)
        cls.hooks = os.path.join(cls.build, "liballocsnap-hooks.so")
        subprocess.run(
            ["make", "-s", "-C", ROOT, "CC=" + PREFIX + "gcc", "BUILD=" + cls.build, cls.hooks],
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def compile(self, source, flags):
        """A test program's path."""
        compiler = PREFIX + ("g++" if source.endswith(".cc") else "gcc")
        made = os.path.join(self.directory, "program")
        source = os.path.join(ROOT, "tests", "programs", source)
        subprocess.run(
            [compiler, "-g", "-w", "-pthread", "-o", made, source] + flags.split(), check=True
        )
        return made

    def emulated(self, *variables, options=()):
        """The command that runs a program with the hooks."""
        command = ["qemu-aarch64", "-L", SYSROOT] + list(options)
        for variable in ["LD_PRELOAD=" + self.hooks] + list(variables):
            command += ["-E", variable]
        return command

    def test_walks(self):
        report = os.path.join(self.directory, "report")
        for source, flags, least in PROGRAMS:
            with self.subTest(source=source, flags=flags):
                command = self.emulated("ALLOCSNAP=64", "ALLOCSNAP_CHECK=" + report)
                done = subprocess.run(
                    command + [self.compile(source, flags)],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    encoding="utf-8",
                    timeout=SECONDS,
                )
                self.assertEqual(done.returncode, 0, done.stderr)
                with open(report, encoding="ascii") as file:
                    text = file.read()
                os.remove(report)
                ((compared, differing),) = COUNTS.findall(text)
                self.assertEqual(int(differing), 0, text)
                self.assertGreaterEqual(int(compared), least)

    def read_by_gdb(self, commands, source="plain.c", function="stop_here", flags="-O0"):
        """What gdb-multiarch shows of a program at a function, through qemu's gdb stub. The
        program has its signals."""
        made = self.compile(source, "-fno-builtin -D_GNU_SOURCE " + flags)
        # A name, and no port that another may take before qemu does.
        stub = os.path.join(self.directory, "stub")
        connect = os.path.join(self.directory, "connect.py")
        with open(connect, "w", encoding="utf-8") as file:
            file.write(CONNECT.format(stub))
        child = subprocess.Popen(
            self.emulated("ALLOCSNAP=40", "QEMU=yes", options=["-g", stub]) + [made],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        signals = "handle SIGSEGV SIGBUS SIGILL nostop noprint pass"
        begin = [signals, "source " + connect, "break " + function, "continue"]
        return self.batch(
            ["set sysroot " + SYSROOT] + commands[:1] + begin + commands[1:],
            made,
            debugger="gdb-multiarch",
        )

    def check_held(self, answer):
        """Every line, size and count; returns the frame that called each."""
        marks = expectations.marks(expectations.source("plain.c"))
        held = {}
        callers = []
        for row in answer["statistics"]:
            frame, caller = row["traceback"][:2]
            if frame["function"] != "main":
                frame, caller = caller, row["traceback"][2]
            self.assertEqual(frame["function"], "main")
            callers.append(caller)
            size, count = held.get(frame["lineno"], (0, 0))
            held[frame["lineno"]] = size + row["size"], count + row["count"]
        self.assertEqual(
            held, {mark.line: (mark.size, mark.count) for mark in marks if mark.count > 0}
        )
        return callers

    def test_snapshot(self):
        """The stacks go up to the C library."""
        library_path = "set solib-search-path " + self.build
        results = self.read_by_gdb([library_path, TRACEBACKS, "snapshot who kept[0]"])
        answer = results.json(TRACEBACKS)
        self.assertEqual(answer["notes"], [])
        for caller in self.check_held(answer):
            self.assertIn("/libc.so.6", caller["filename"])
        self.assertRegex(results["snapshot who kept[0]"], r"\A0x[0-9a-f]+: a block, size=100 B\n")

    def test_wild_calls(self):
        """The return address is in the link register."""
        library_path = "set solib-search-path " + self.build
        results = self.read_by_gdb([library_path, TRACES], "wild_calls.c", "done")
        path = expectations.source("wild_calls.c")
        tags = ["handler", "call", "plain", "by register", *TAGS.values()]
        line = {tag: tag_line(path, tag) for tag in tags}
        traces = {trace["size"]: trace for trace in results.json(TRACES)["traces"]}
        for size in SIZES:
            with self.subTest(size=size):
                frames = traces[size]["traceback"]
                found = [frame["lineno"] for frame in frames if frame["filename"] == path]
                wanted = ["handler", TAGS.get(size % 1000, "call")]
                wanted += ["plain" if size < 2000 else "by register"]
                kept = 1 if size % 1000 in LOST else 3
                self.assertEqual(found[:3], [line[tag] for tag in wanted[:kept]])

    def look(self, source, flags):
        """({size: blocks}, what is said to be unseen) of a program at its stop."""
        library_path = "set solib-search-path " + self.build
        answer = self.read_by_gdb([library_path, TRACES], source, flags=flags).json(TRACES)
        counts = collections.Counter(trace["size"] for trace in answer["traces"])
        return counts, "".join(answer["notes"])

    def test_definitions_before_the_hooks(self):
        start = "the program, or a library before the hooks, defines "
        own = "-O2 -DOWN_MALLOC -DOWN_FREE"
        counts, said = self.look("family.c", own)
        self.assertEqual(dict(counts), seen({"malloc", "free"}))
        self.assertTrue(said.startswith(start + "malloc and free, and no call of these has"), said)
        counts, said = self.look("family.c", own + " -DON")
        self.assertEqual(dict(counts), seen(set()))
        self.assertTrue(said.startswith(start + "malloc, which goes on to the hooks"), said)

    def test_operators_that_go_on_to_the_hooks(self):
        """Where they jump there, only their instructions tell."""
        own = "-rdynamic -DOWN_NEW={} -DOWN_DELETE={} {}"
        ways = ["-O0", "-O2", "-O0 -fno-plt", "-O2 -fno-plt"]
        for way in ways + ["-O2 -mbranch-protection=standard -Wl,-z,now"]:
            with self.subTest(way=way):
                counts, said = self.look("operators.cc", own.format("malloc", "free", way))
                self.assertEqual((counts[101], counts[201], said), (2, 2, ""))
                past = own.format("__libc_malloc", "__libc_free", way)
                counts, said = self.look("operators.cc", past)
                self.assertEqual((counts[101], counts[201]), (0, 0))
                self.assertIn(" operator new and operator delete, and no call of these has", said)

    def test_library_that_gdb_has_not_found(self):
        """The records are found all the same."""
        elsewhere = "set solib-search-path " + self.directory
        results = self.read_by_gdb([elsewhere, "info sharedlibrary", TRACEBACKS])
        self.assertRegex(results["info sharedlibrary"], r"No +/\S+/liballocsnap-hooks\.so")
        known = self.read_by_gdb(["set solib-search-path " + self.build, TRACEBACKS]).json(TRACEBACKS)
        self.assertEqual(results.json(TRACEBACKS)["total"], known["total"])

    def test_strings_that_gdb_has_the_program_allocate(self):
        """They return to the program's entry point here, and are not the program's blocks."""
        commands = [
            "set solib-search-path " + self.build,
            "output $snapshot_count()",
            'output (int) strcmp("held", "holds") < 0',
            "set language rust",
            'output $snapshot_count("plain.c")',
            "set language c",
            " output $snapshot_count()",
        ]
        results = self.read_by_gdb(commands)
        self.assertEqual(results[commands[2]], "1")
        self.assertGreater(int(results[commands[4]]), 0)
        self.assertEqual(results[commands[6]], results[commands[1]])

    def test_leaks_of_a_process(self):
        """qemu's stub tells no memory map before version 8.1, and no thread pointer."""
        library_path = "set solib-search-path " + self.build
        commands = [library_path, "info proc mappings", "snapshot leaks", "snapshot refs kept[0]"]
        results = self.read_by_gdb(commands)
        told = "/libc.so.6" in results["info proc mappings"]
        said = "does not tell where the program's memory is mapped"
        if told:
            said = "warning: the thread pointers of 1 of 1 threads are not known: "
        for command in commands[2:]:
            self.assertIn(said, results[command])
        self.assertEqual("  global kept (plain.c)\n" in results["snapshot refs kept[0]"], told)

    def core(self, source):
        """A core of qemu's of a program that ends by a signal, and the program."""
        made = self.compile(source, "-fno-builtin -O0")
        library = os.path.join(ROOT, "tests", "programs", "libheld.c")
        subprocess.run(
            [PREFIX + "gcc", "-g", "-shared", "-fPIC", "-o", self.directory + "/libheld.so", library],
            check=True,
        )
        emulated = " ".join(self.emulated("ALLOCSNAP=16") + [made, "trap"])
        subprocess.run(
            # qemu's own core is no use.
            ["sh", "-c", "ulimit -c unlimited && " + emulated],
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
        )
        (core,) = glob.glob(os.path.join(self.directory, "qemu_*.core"))
        return made, core

    def test_classes_in_a_core(self):
        """Of reach.cc, less what qemu's cores lack: vector registers, thread pointers, and which files
        are mapped. In which direction each errs is said."""
        made, core = self.core("reach.cc")
        begin = [
            "set sysroot " + SYSROOT,
            "set solib-search-path {}:{}".format(self.build, self.directory),
            "core-file " + core,
        ]
        commands = test_reach.COMMANDS + ["snapshot leaks"]
        results = self.batch(begin + commands, made, debugger="gdb-multiarch")
        found, _, notes = test_reach.classes(results)
        known = test_reach.expected()
        with open(test_reach.SOURCE, encoding="utf-8") as file:
            tags = {number: line for number, line in enumerate(file, 1) if "/* tag: " in line}
        in_vector = {place for place, line in tags.items() if "a vector register" in line}
        # More leaks: what only a vector register holds.
        self.assertEqual(set(found["definite"]) - set(known["definite"]), in_vector)
        self.assertEqual(set(found["indirect"]) - set(known["indirect"]), set())
        # Fewer: old values on the stacks of ended threads and in the C library's lists.
        lost = ("nothing, the head of a list", "itself, 12", "below the stack pointer", "a barrier")
        for words in lost:
            (place,) = [place for place, line in tags.items() if words in line]
            self.assertEqual(found["definite"].get(place), known["definite"][place], words)
        # All kinds of roots, also thread-local storage above the thread pointer.
        held = set(known["reachable"]) - in_vector
        second_base = {place for place, line in tags.items() if "its second base class" in line}
        self.assertEqual(held - set(found["reachable"]), second_base)
        self.assertEqual(set(found["possible"]) & held, second_base)
        self.assertEqual(
            [note.split(":")[0] for note in sorted(notes)],
            [
                "it is not known which files are mapped where",
                "the thread pointers of 4 of 4 threads are not known",
                "the vector registers of 4 of 4 threads are not known",
            ],
        )
        self.assertTrue(results["snapshot leaks"].startswith("warning: it is not known which files"))


if __name__ == "__main__":
    unittest.main()
