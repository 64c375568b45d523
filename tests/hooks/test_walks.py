"""Each stack that the hooks walk equals what libgcc's unwinder finds at the same moment.

The hooks compare by themselves where ALLOCSNAP_CHECK names a file, and write there which
stacks differ, and at the end of each process how many were compared. Programs of shapes
that are hard to unwind are built in many ways (tests/programs/programs.mk); real programs
follow. ALLOCSNAP_WALKS=N does N times as much.
"""

import os
import re
import shutil
import subprocess
import sys
import unittest

import expectations
import linkers
from e2e.harness import DEADLINE, HOOKS, ROOT, environment, program
from hooks.hooked import Case

TIMES = int(os.environ.get("ALLOCSNAP_WALKS", "1"))
COUNT = re.compile(r"(\d+) stacks compared with libgcc's, (\d+) differ")

# Programs whose stacks are like others' of the same name, and how often each way of
# building them allocates at least.
SHAPES = {"walks": 6000, "coroutines": 29040, "odd_frames": 1600, "walk_steps": 23000}
# In which ways walk_steps is compared: each takes seconds. Not in gcc-aligned, where libgcc
# ends the program: in the epilogues of realigned frames gcc says that the frame pointer is
# where it was before it was popped.
STEPPED_WAYS = {"gcc-O0", "gcc-O1", "gcc-O2", "gcc-fp", "gcc-lld", "clang-O0", "clang-O2"}
# makecontext and signal handlers know nothing of the pieces of a split stack: only
# walks.cc is compared there.
SPLIT = "gcc-split"

# What linked.c does with a library, and flags for linked.c.
LIBRARY_WAYS = ["keep", "data", "split", "moved", "space", "memory"]
PROGRAM = ["-D_GNU_SOURCE", "-O1", "-ldl"]

# Test programs of other tests: loaded and unloaded libraries that come to the same
# addresses, threads, child processes, code registered at run time, deep recursion.
OTHERS = ["turns", "unloaded", "dlopen", "jit_frames", "threads", "short_threads", "recursion"]
OTHERS += ["fork", "cxx", "phases", "server"]

JSON_WORK = """
import json
tree = [{"key %d" % i: [i, str(i), {"deep": [[[i]] * 3]}]} for i in range(400)]
for _ in range(TIMES):
    assert json.loads(json.dumps(tree, indent=1)) == tree
"""
# Each text is one that sqlite3 has no room of its own for.
SQL_WORK = """
create table numbers (i integer primary key, text text);
with recursive n(i) as (select 1 union all select i + 1 from n where i < %d)
insert into numbers select i, printf('%%01300d', i) from n;
create index texts on numbers (text);
select count(*) from numbers a join numbers b on a.i = b.i + 1 where b.text like '%%7%%';
"""
PERL_WORK = """
my %%h; for my $i (1 .. %d) { $h{"key $i"} = [split / /, "some words of $i"]; }
print scalar(grep { /7/ } sort keys %%h);
"""


def real_programs():
    """{name: (command, stacks at least)}"""
    source = os.path.join(ROOT, "tests", "programs", "walks.cc")
    compile_it = ["-std=c++17", "-w", "-O1", "-S", "-o", "/dev/null", source]
    return {
        "python3": (["/usr/bin/python3", "-c", JSON_WORK.replace("TIMES", str(3 * TIMES))], 100000),
        "unittest": (["/usr/bin/python3", "-m", "unittest", "python.test_expectations"], 50000),
        "sqlite3": (["sqlite3", ":memory:", SQL_WORK % (4000 * TIMES)], 15000),
        "g++": (["g++"] + compile_it, 100000),
        "clang": (["clang++"] + compile_it, 100000),
        "gdb": (["gdb", "-nx", "-batch", "-ex", "info line main", program("walks")], 50000),
        "git": (["git", "diff", "--no-index", "--stat", source, os.devnull], 200),
        "perl": (["perl", "-e", PERL_WORK % (20000 * TIMES)], 20000),
        "redis": (["redis-server", "--version"], 50),
    }


class NoTable(Case):
    """A file whose unwind information has no table: only its section headers tell where it is."""

    TRACES = "snapshot traces --json"

    def shown(self, path):
        """{line: how many frames of the program's stack are in its source}"""
        source = expectations.source("recursion.c")
        frames = {}
        for trace in self.at_stop([self.TRACES], path).json(self.TRACES)["traces"]:
            own = [frame for frame in trace["traceback"] if frame["filename"] == source]
            frames[own[0]["lineno"]] = len(own)
        return frames

    def wanted(self):
        live = expectations.live(expectations.source("recursion.c"))
        return {mark.line: min(mark.frames, 16) for mark in live}

    def test_stacks_are_whole(self):
        self.assertEqual(self.shown("recursion_no_table"), self.wanted())

    def test_another_file_at_its_path(self):
        """What is in the file is not what is in memory: nothing is taken from it."""
        path = os.path.join(self.directory, "recursion")
        shutil.copy(program("recursion_no_table"), path)
        results = self.batch(
            [
                "snapshot start 16",
                "break main",
                "run",
                "shell cp --remove-destination {} {}".format(program("plain"), path),
                "break stop_here",
                "continue",
                self.TRACES,
            ],
            path,
        )
        self.assertIn("Breakpoint 2, ", results["continue"])
        traces = results.json(self.TRACES)["traces"]
        self.assertEqual([trace["total_nframe"] for trace in traces], [1] * len(traces))
        self.assertGreater(len(traces), 0)


class Walks(Case):
    seconds = 40

    def compare(self, name, command, status=0, cwd=None, preload=HOOKS):
        """How many stacks of a command and its children were compared; none may differ."""
        report = os.path.join(self.directory, name.replace("/", "_") + ".walks")
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            cwd=cwd or self.directory,
            env=environment(
                self.home,
                LD_PRELOAD=preload,
                ALLOCSNAP="64",
                ALLOCSNAP_CHECK=report,
                PYTHONMALLOC="malloc",
            ),
            timeout=DEADLINE * TIMES,
            check=False,
        )
        self.assertEqual(done.returncode, status, done.stdout[-2000:])
        with open(report, encoding="utf-8") as lines:
            text = lines.read()
        counts = COUNT.findall(text)
        self.assertTrue(counts, text[-2000:])
        self.assertEqual(sum(int(differing) for _, differing in counts), 0, name + "\n" + text)
        return sum(int(compared) for compared, _ in counts)

    def test_shapes(self):
        with open(program("walk_ways"), encoding="utf-8") as ways:
            names = ways.read().split()
        self.assertGreater(len(names), 10)
        for way in names:
            for shape, least in SHAPES.items():
                if shape == "walk_steps" and way not in STEPPED_WAYS and TIMES == 1:
                    continue
                if (shape, way) == ("walk_steps", "gcc-aligned") or (
                    way == SPLIT and shape != "walks"
                ):
                    continue
                with self.subTest(shape=shape, way=way):
                    arguments = [str(TIMES)] if shape == "walks" else []
                    built = program("{}.{}".format(shape, way))
                    self.assertGreaterEqual(self.compare(shape, [built] + arguments), least)

    def test_deep_recursion(self):
        # The main thread's stack is the limit's, which a shell may raise for what it runs.
        command = ["/bin/sh", "-c", 'ulimit -s 65536; exec "$@"', "sh"]
        for depth in (20000, 100000):
            with self.subTest(depth=depth):
                built = [program("walks.gcc-O2"), "1", str(depth)]
                self.assertGreaterEqual(self.compare("deep", command + built), 6000)

    def test_other_programs(self):
        for name in OTHERS:
            with self.subTest(program=name):
                preload = HOOKS + ":" + program("libexits.so")
                compared = self.compare(name, [program(name)], preload=preload)
                self.assertGreater(compared, 0)

    def test_more_ways_than_are_remembered(self):
        ways = 8**4
        compared = self.compare("varied", [program("varied")])
        self.assertGreaterEqual(compared, (2 * 3 + 1 + 2 * 2 + 1 + 1) * ways)

    def test_files_of_every_linker(self):
        directory = linkers.temporary_directory(self)
        libraries = linkers.libraries(directory)
        jobs = [
            ("linked-{}-{}".format(linker, number), "gcc", "linked.c", linker, PROGRAM + flags)
            for number, (linker, flags) in enumerate(linkers.ways())
        ]
        for turn, built in enumerate(linkers.build_all(directory, jobs)):
            words = []
            for number, path in enumerate(libraries):
                words.append("close:" + path)
                words.append(LIBRARY_WAYS[(number + turn) % len(LIBRARY_WAYS)] + ":" + path)
            with self.subTest(program=built):
                compared = self.compare("linked", [built] + words)
                self.assertGreaterEqual(compared, 2 * len(words))

    def test_real_programs(self):
        for name, (command, least) in real_programs().items():
            with self.subTest(program=name):
                # git says by its status that files differ.
                status = 1 if name == "git" else 0
                cwd = os.path.join(ROOT, "tests") if name == "unittest" else None
                compared = self.compare(name, command, status, cwd)
                sys.stdout.write("{}: {} stacks\n".format(name, compared))
                self.assertGreaterEqual(compared, least)

    def test_stacks_that_libgcc_does_not_survive(self):
        """The hooks must, and what the programs print says that they came to their end."""
        status, text = self.finish("handmade_stacks", nframe=64)
        self.assertEqual((status, text), (0, "14880 allocations\n"))
        status, text = self.finish("walk_steps.gcc-aligned", nframe=64)
        self.assertEqual(status, 0)
        self.assertRegex(text, r"^\d+ steps\n$")

    def test_stacks_that_lead_to_lost_memory(self):
        for case in ("call", "protect", "above", "below"):
            for nframe in (1, 16):
                with self.subTest(case=case, nframe=nframe):
                    self.assertEqual(self.finish("lost_stacks", case, nframe=nframe), (0, ""))


if __name__ == "__main__":
    unittest.main()
