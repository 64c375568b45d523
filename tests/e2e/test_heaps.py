"""Blocks out of glibc's own structures: those that the hooks have recorded, and no others, but for
one call in flight in each thread."""

import glob
import json
import os
import random
import signal
import subprocess
import sys

from . import harness
from .harness import ROOT, program
from .typed import Typed

sys.path.insert(0, os.path.join(ROOT, "core", "python"))

# pylint: disable=wrong-import-position
from allocsnap.command_line.core_target import CoreTarget  # noqa: E402
from allocsnap.command_line.process_target import ProcessTarget  # noqa: E402
from allocsnap.session import Session  # noqa: E402

from .heap_proof import differences  # noqa: E402

# What a call in flight explains: a realloc has taken back its block's record, and has another block,
# and one of its size is on the way from a bin to the thread's cache.
_IN_FLIGHT = 3

SCRIPT = """\
create table entries(number integer primary key, text text, filler blob);
with recursive numbers(i) as (select 1 union all select i + 1 from numbers where i < 100000000)
  insert into entries select i, 'entry number ' || i, zeroblob(i % 200) from numbers;
"""

PYTHON_SCRIPT = """\
print("ready", flush=True)
import json
kept = []
while True:
    kept.append(json.loads(json.dumps({str(i): list(range(i % 7)) for i in range(200)})))
    del kept[: max(0, len(kept) - 50) : 2]
"""


class Proof(Typed):
    def started(self, command, is_told=True, **variables):
        """A traced process, which has said that it is ready."""
        env = dict({"LD_PRELOAD": harness.HOOKS, "ALLOCSNAP": "1"}, **variables)
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=harness.environment(self.home, **env),
        )
        for close in (process.stdin.close, process.stdout.close, process.wait, process.kill):
            self.addCleanup(close)
        if is_told:
            self.assertEqual(process.stdout.readline(), b"ready\n")
        return process

    def check(self, found, threads):
        """Differences are explained by one call in flight in each thread."""
        self.assertLessEqual(len(found.only_hooks), threads, found)
        self.assertLessEqual(len(found.only_heap), _IN_FLIGHT * threads, found)
        self.assertEqual(found.other_size, {}, found)

    def check_still(self, found):
        """Nothing is in flight."""
        self.assertEqual(found[1:], ({}, {}, {}, []), found)
        self.assertGreater(found.count, 0)

    def of_process(self, process):
        self.need_attach()
        target = ProcessTarget(process.pid)
        target.hold()
        try:
            return differences(Session(target))
        finally:
            target.release()

    @staticmethod
    def random_instants(process, count):
        """Comes `count` times, and lets the process go on meanwhile."""
        generator = random.Random(process.pid)
        for _ in range(count):
            # It is somewhere else each time.
            for _ in range(generator.randrange(5000)):
                os.sched_yield()
            yield

    def at_random_instants(self, process, threads, count):
        for _ in self.random_instants(process, count):
            self.check(self.of_process(process), threads)


class Processes(Proof):
    seconds = 30

    def test_waiting(self):
        for command in (["holds", "pause"], ["heap_split"]):
            process = self.started([program(command[0])] + command[1:])
            self.check_still(self.of_process(process))

    def test_one_thread(self):
        self.at_random_instants(self.started([program("heap_churn"), "1"]), 1, 100)

    def test_several_arenas(self):
        self.at_random_instants(self.started([program("heap_churn"), "4"]), 4, 60)

    def test_more_threads_than_arenas(self):
        limited = {"GLIBC_TUNABLES": "glibc.malloc.arena_max=2"}
        process = self.started([program("heap_churn"), "6"], **limited)
        self.at_random_instants(process, 6, 30)

    def test_threads_that_end(self):
        self.at_random_instants(self.started([program("heap_churn"), "2", "briefly"]), 5, 30)

    def test_without_caches(self):
        limited = {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}
        process = self.started([program("heap_churn"), "3"], **limited)
        self.at_random_instants(process, 3, 30)

    def test_sqlite(self):
        process = self.started(["sqlite3"], is_told=False)
        process.stdin.write(b"select 'ready';\n" + SCRIPT.encode())
        process.stdin.flush()
        self.assertEqual(process.stdout.readline(), b"ready\n")
        self.at_random_instants(process, 1, 40)

    def test_python(self):
        command = ["/usr/bin/python3", "-c", PYTHON_SCRIPT]
        process = self.started(command, PYTHONMALLOC="malloc")
        self.at_random_instants(process, 1, 10)


class Cores(Proof):
    def of_core(self, path):
        return differences(Session(CoreTarget(path)))

    def test_held(self):
        self.check_still(self.of_core(self.kernel_core("holds", "abort")))

    def test_while_at_work(self):
        self.need_kernel_cores()
        for threads in (1, 4):
            where = os.path.join(self.directory, str(threads))
            os.mkdir(where)
            process = subprocess.Popen(
                harness.WITH_CORES + [program("heap_churn"), str(threads)],
                stdout=subprocess.PIPE,
                cwd=where,
                env=harness.environment(self.home, LD_PRELOAD=harness.HOOKS, ALLOCSNAP="1"),
            )
            self.addCleanup(process.stdout.close)
            self.assertEqual(process.stdout.readline(), b"ready\n")
            process.send_signal(signal.SIGQUIT)
            process.wait(harness.DEADLINE)
            self.check(self.of_core(harness.Case.only_core(where, "")), threads)


class WithoutHooks(Proof):
    def total(self, *words):
        """(bytes, blocks) in all, of a command with --json."""
        found = json.loads(self.told(*words, "--json"))
        self.assertIn("without stacks", found["notes"][0])
        return found["total"]["size"], found["total"]["count"]

    def test_process(self):
        """777 bytes are lost, for which malloc takes 800, 8 of them its own."""
        self.need_attach()
        process = self.started([program("crowd"), "4"], LD_PRELOAD="")
        self.assertEqual(self.total("-p", process.pid, "stats", "size", "--leaked"), (792, 1))
        self.assertIn("leaked=792 B, count=1", self.told("-p", process.pid, "leaks", "size"))

    def test_core(self):
        """Ten blocks of 100 bytes, one of 4096 and of 5000, of 0 and of 32."""
        core = self.kernel_core("holds", "abort", preload=None)
        usable = 10 * 104 + 4104 + 5000 + 24 + 40
        for key in ("lineno", "size", "type"):
            self.assertEqual(self.total("-c", core, "stats", key), (usable, 14))

    def test_that_have_another_allocator(self):
        """Each is named, with its version, and what to do is said."""
        self.need_attach()
        libraries = {
            "libjemalloc.so.2": r"jemalloc 5\.\d+\.\d+",
            "libtcmalloc_minimal.so.4": r"tcmalloc 2\.\d+(\.\d+)?",
            os.path.basename(sorted(glob.glob("/usr/lib/*/libmimalloc.so.[23]"))[-1]): r"mimalloc [23](\.\d+)*",
        }
        for library, name in libraries.items():
            with self.subTest(library):
                process = self.started([program("crowd"), "1"], LD_PRELOAD=library)
                told = self.refused(1, "-p", process.pid, "stats")
                self.assertRegex(
                    told,
                    r"this program's are those of " + name + r" \(/\S+\.so\.\S+\), whose structures are not"
                    r" known here: the hooks work on top of it$",
                )
