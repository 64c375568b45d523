"""CPython's own tracemalloc, read from outside: what is read is what take_snapshot() gives in the process at
that very place, to the letter, of every interpreter of this machine (e2e.interpreters)."""

import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter

from . import debuggers, harness, interpreters
from .typed import Typed

sys.path.insert(0, os.path.join(harness.ROOT, "core", "python"))

# pylint: disable=wrong-import-position
os.environ.setdefault("ALLOCSNAP_LIBRARY", harness.LIBRARY)
import allocsnap  # noqa: E402

PROGRAM = os.path.join(harness.ROOT, "tests", "e2e", "traced_python.py")
KEYS = [("lineno", False), ("filename", False), ("traceback", False), ("lineno", True), ("filename", True)]
OWN = "/usr/bin/python3"


def raw(traces):
    """Raw traces of tracemalloc, to be counted."""
    return Counter((one[0], one[1], tuple(map(tuple, one[2]))) + tuple(one[3:]) for one in traces)


def shown(name):
    """A name as it is shown where no file can have it: surrogates and NULs are written out."""
    try:
        if name == name.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape") and "\0" not in name:
            return name
        written = "[\ud800-\udfff\0]"
    except UnicodeEncodeError:
        written = "[\ud800-\udc7f\udd00-\udfff\0]"
        if re.search("[\udc80-\udcff]", name):
            written = "[\ud800-\udfff\0]"
    return re.sub(written, lambda found: "\\x00" if found.group() == "\0" else "\\u%04x" % ord(found.group()), name)


class Traced(Typed):
    """A Python program that stops where its tables are what it writes afterwards."""

    def stopped(self, python, limit=25, more=(), **options):
        """(the process, which has stopped; the path of what it writes when it goes on)."""
        where = os.path.join(self.directory, "told-{}.json".format(len(os.listdir(self.directory))))
        # What pyenv's need is beside them.
        env = harness.environment(self.home, PYTHONHASHSEED="0", **options.pop("env", {}))
        process = subprocess.Popen(
            list(options.pop("before", [])) + [python, PROGRAM, str(limit), where] + list(more),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=env,
            **options,
        )
        for close in (process.stderr.close, process.wait, process.kill):
            self.addCleanup(close)
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            process.returncode = status
            raise harness.Failed("{} has not stopped: {!r}".format(python, process.stderr.read()))
        return process, where

    def told(self, process, where):
        """What the program tells once it goes on."""
        process.send_signal(signal.SIGCONT)
        self.assertEqual(process.wait(harness.DEADLINE), 0, process.stderr.read())
        with open(where, encoding="ascii") as file:
            return json.load(file)

    def dumped(self, *target):
        """The Snapshot that the command line reads."""
        path = os.path.join(self.directory, "read-{}.snap".format(len(os.listdir(self.directory))))
        Typed.told(self, *target, "dump", "python", path)
        return allocsnap.Snapshot.load(path)

    def check(self, snapshot, told, statistics=True):
        """Fails unless a Snapshot is what the program tells."""
        self.assertEqual(snapshot.traceback_limit, told["limit"])
        self.assertEqual(raw(self.raw_traces(snapshot, told)), raw(told["traces"]))
        self.assertGreater(len(told["traces"]), 20000)
        if not statistics:
            return
        for key, cumulative, rows in told["statistics"]:
            with self.subTest(key, cumulative=cumulative):
                found = snapshot.statistics(key, cumulative)
                self.assertEqual([str(one) for one in found], [row[3] for row in rows])
                self.assertEqual(
                    [[one.size, one.count, [[at.filename, at.lineno] for at in one.traceback]] for one in found],
                    [row[:3] for row in rows],
                )

    @staticmethod
    def raw_traces(snapshot, told):
        """Those of a Snapshot; CPython 3.8 has no number of all frames, of which all is known that it tells."""
        found = snapshot.traces._traces  # pylint: disable=protected-access
        if tuple(told["version"]) >= (3, 9):
            return found
        for domain, _, frames, total in found:
            assert domain is not None and total == (None if len(frames) == told["limit"] else len(frames))
        return [trace[:3] for trace in found]


class EveryInterpreter(Traced):
    seconds = 60

    def test_traces_and_statistics_are_those_of_the_process(self):
        found = interpreters.every()
        self.assertIn(os.path.realpath(OWN), [one.path for one in found])
        self.assertTrue(any(one.is_debug for one in found))
        for one in found:
            with self.subTest(one.title):
                process, where = self.stopped(one.path)
                snapshot = self.dumped("-p", process.pid)
                self.check(snapshot, self.told(process, where))

    def test_without_symbols(self):
        """Of files whose symbol tables are gone, the tables are found by what they look like."""
        for one in interpreters.every():
            with self.subTest(one.title):
                python, env = self.stripped(one.path)
                process, where = self.stopped(python, env=env)
                snapshot = self.dumped("-p", process.pid)
                self.check(snapshot, self.told(process, where), statistics=False)

    def stripped(self, path):
        """(a copy of an interpreter without symbol tables and build IDs, its environment)."""
        directory = os.path.join(self.directory, "stripped-{}".format(len(os.listdir(self.directory))))
        os.mkdir(directory)
        home = os.path.dirname(os.path.dirname(path))
        files = [path]
        for line in subprocess.check_output(["ldd", path], encoding="utf-8").splitlines():
            if "libpython" in line:
                files.append(line.split()[2])
        for file in files:
            copy = os.path.join(directory, os.path.basename(file))
            shutil.copy(file, copy)
            gone = ["--strip-all"] + ["--remove-section=" + name for name in (".note.gnu.build-id", ".gnu_debuglink")]
            subprocess.run(["objcopy"] + gone + [copy], check=True)
        return os.path.join(directory, os.path.basename(path)), {"LD_LIBRARY_PATH": directory, "PYTHONHOME": home}


class OwnInterpreter(Traced):
    seconds = 60

    def test_limits(self):
        for limit in (1, 3, 300):
            with self.subTest(limit):
                process, where = self.stopped(OWN, limit)
                snapshot = self.dumped("-p", process.pid)
                self.check(snapshot, self.told(process, where))

    def test_names_that_no_file_can_have(self):
        process, where = self.stopped(OWN, 25, ["odd"])
        snapshot = self.dumped("-p", process.pid)
        warned = Typed.told(self, "-p", process.pid, "stats", "python", "-n", "1").split("\n", 1)[0]
        self.assertEqual(
            warned,
            "warning: 4 file names have characters that no file can have in its name: they are written \\x.. and"
            " \\u.... here",
        )
        told = self.told(process, where)
        for trace in told["traces"]:
            trace[2] = [[shown(name), line] for name, line in trace[2]]
        self.check(snapshot, told, statistics=False)

    def test_in_lldb(self):
        for debugger in debuggers.every()[1:]:
            with self.subTest(debugger.name):
                process, where = self.stopped(OWN)
                path = self.in_debugger(debugger, process.pid)
                # LLDB lets it run on when it goes.
                self.check(allocsnap.Snapshot.load(path), self.told(process, where))

    def test_in_the_python_of_gdb(self):
        process, where = self.stopped(OWN)
        path = os.path.join(self.directory, "api.snap")
        taken = "python import allocsnap; allocsnap.take_snapshot(python=True).dump({!r})".format(path)
        both = "python allocsnap.take_snapshot(python=True, graph=True)"
        results = debuggers.gdb().run(self, [taken, both], os.path.realpath(OWN), pid=process.pid)
        self.assertEqual(results[taken], "")
        self.assertIn("graph and python do not go together", results[both])
        self.check(allocsnap.Snapshot.load(path), self.told(process, where))

    def test_in_gdb_and_cores(self):
        """Of the process, of the core that gdb writes, in every debugger, and of the kernel's the same is
        read, addresses and all."""
        self.need_kernel_cores()
        where = os.path.join(self.directory, "kernel")
        os.mkdir(where)
        process, _ = self.stopped(OWN, 25, before=harness.WITH_CORES, cwd=where)
        path = os.path.join(self.directory, "live.snap")
        Typed.told(self, "-p", process.pid, "dump", "python", path)
        dumps = {"gdb": self.in_debugger(debuggers.gdb(), process.pid)}
        core = os.path.join(self.directory, "gcore")
        debuggers.gdb().run(self, ["gcore " + core], os.path.realpath(OWN), pid=process.pid)
        process.send_signal(signal.SIGABRT)
        process.send_signal(signal.SIGCONT)
        self.assertEqual(process.wait(harness.DEADLINE), -signal.SIGABRT)
        for name, file in (("gcore", core), ("kernel", self.only_core(where, ""))):
            dumps[name] = os.path.join(self.directory, name + ".snap")
            Typed.told(self, "-c", file, "dump", "python", dumps[name])
            for debugger in debuggers.every():
                dumps["{}, {}".format(debugger.name, name)] = self.in_debugger(debugger, None, file)
        live = self.blocks(path)
        self.assertGreater(len(live), 20000)
        for name, dump in dumps.items():
            with self.subTest(name):
                self.assertEqual(self.blocks(dump), live)

    def in_debugger(self, debugger, pid, core=None):
        """The path of what `snapshot take --python` keeps."""
        path = os.path.join(self.directory, "{}.snap".format(len(os.listdir(self.directory))))
        commands = ["snapshot take --python here", "snapshot list", "snapshot dump here " + path]
        results = debugger.run(self, commands, os.path.realpath(OWN), pid=pid, core=core)
        source = "core {}".format(core) if core else "process {}".format(pid)
        version = next(one for one in interpreters.every() if one.path == os.path.realpath(OWN)).version
        # LLDB reads no constants of files that a core leaves out: then the minor version alone is known.
        known = version[:2] if core and debugger.name != "gdb" else version
        self.assertRegex(
            results["snapshot list"],
            re.escape("{}, tracemalloc of CPython {}".format(source, ".".join(map(str, known)))) + r"(\.\d+)?\n\Z",
        )
        return path

    def blocks(self, path):
        """A line for each block of a dump, in order of domain and address."""
        out = Typed.told(self, path, "traces", "-n", "all", "--json")
        rows = json.loads(out)["traces"]
        return sorted(
            json.dumps([one["domain"], one["address"], one["size"], one["traceback"], one["total_nframe"]])
            for one in rows
        )


class Refused(Traced):
    seconds = 20

    def running(self, *words, **options):
        """A Python that has said that it runs and waits for its input."""
        process = subprocess.Popen(
            [OWN] + list(words),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=harness.environment(self.home, **options),
        )
        for close in (process.stdin.close, process.stdout.close, process.wait, process.kill):
            self.addCleanup(close)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        return process

    WAIT = "print('ready', flush=True); input()"

    def test_not_tracing(self):
        for before in ("", "import tracemalloc;", "import tracemalloc; tracemalloc.start(); tracemalloc.stop();"):
            with self.subTest(before):
                process = self.running("-c", before + self.WAIT)
                why = self.refused(1, "-p", process.pid, "stats", "python")
                self.assertRegex(
                    why,
                    r"\Atracemalloc does not trace in this CPython 3\.\d+\.\d+: start the program with"
                    r" PYTHONTRACEMALLOC=25 \(or python3 -X tracemalloc=25\), or have it call tracemalloc\.start\(25\)\Z",
                )

    def test_by_environment(self):
        process = self.running("-c", "kept = [bytes(5000) for _ in range(10)]; " + self.WAIT, PYTHONTRACEMALLOC="7")
        out = Typed.told(self, "-p", process.pid, "traces", "python", "-n", "all", "--json")
        size = sys.getsizeof(bytes(5000))
        found = [one for one in json.loads(out)["traces"] if one["size"] == size]
        self.assertEqual(len(found), 10)
        for one in found:
            places = [(at["filename"], at["lineno"]) for at in one["traceback"]]
            self.assertEqual(set(places), {("<string>", 1)})

    def test_difference_to_a_file(self):
        process = self.running("-c", self.WAIT, PYTHONTRACEMALLOC="1")
        path = os.path.join(self.directory, "before.snap")
        Typed.told(self, "-p", process.pid, "dump", "python", path)
        for words in (["python"], ["1", "python"], ["python", "filename"]):
            with self.subTest(words):
                found = json.loads(Typed.told(self, "-p", process.pid, path, "diff", *words, "--json"))
                self.assertEqual((found["total"]["size_diff"], found["total"]["count_diff"]), (0, 0))
                self.assertGreater(found["total"]["count"], 0)

    def test_no_python(self):
        sleep = subprocess.Popen(["/bin/sleep", "600"])
        for close in (sleep.wait, sleep.kill):
            self.addCleanup(close)
        self.assertEqual(
            self.refused(1, "-p", sleep.pid, "traces", "python"),
            "there is no CPython in process {}: no program or library that is mapped is called python3 or libpython3,"
            " or has the symbol _PyRuntime".format(sleep.pid),
        )

    def test_what_is_of_the_hooks_alone(self):
        process = self.running("-c", self.WAIT, PYTHONTRACEMALLOC="1")
        why = self.refused(1, "-p", process.pid, "leaks", "python")
        self.assertIn("gc.get_referrers", why)


class CannotBeFound(Traced):
    """Tables that were overwritten."""

    seconds = 20

    def test_lock_is_held(self):
        # A semaphore until 3.13, which is 0 while a thread is in the tables; a byte from 3.14 on.
        version = next(one for one in interpreters.every() if one.path == os.path.realpath(OWN)).version
        lock = "tables_lock" if version < (3, 12) else "_PyRuntime.tracemalloc.tables_lock"
        held = "*(int *) {} = 0" if version < (3, 14) else "*(char *) &{} = 1"
        process, _ = self.stopped(OWN)
        results = debuggers.gdb().run(
            self,
            ["set var " + held.format(lock), "snapshot take --python"],
            os.path.realpath(OWN),
            pid=process.pid,
        )
        text = "warning: a thread was changing tracemalloc's tables (it holds their lock)"
        self.assertTrue(results["snapshot take --python"].startswith(text), str(results))


class Hinted(Traced):
    seconds = 20

    HINT = (
        "warning: tracemalloc of CPython {} traces here: `snapshot take --python`, or `python` in place of a"
        " snapshot's name, has its blocks with the lines of Python that they are from\n"
    )

    def test_without_hooks(self):
        """Whoever reads the blocks without their stacks is told where these are."""
        version = next(one.version for one in interpreters.every() if one.path == os.path.realpath(OWN))
        process, _ = self.stopped(OWN)
        text = Typed.told(self, "-p", process.pid, "stats", "size")
        self.assertIn(self.HINT.format(".".join(map(str, version))), text)

    def test_none_where_nothing_traces(self):
        process = subprocess.Popen(
            [OWN, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)"],
            env=harness.environment(self.home),
        )
        for close in (process.wait, process.kill):
            self.addCleanup(close)
        os.waitpid(process.pid, os.WUNTRACED)
        self.assertNotIn("tracemalloc", Typed.told(self, "-p", process.pid, "stats", "size"))

    def test_two_interpreters(self):
        """An interpreter that has loaded the library of another one: one is read, the other is named."""
        library = next(iter(sorted(glob.glob("/usr/lib/x86_64-linux-gnu/libpython3.*.so.1.0"))))
        code = (
            "import ctypes, os, signal, sys, tracemalloc; tracemalloc.start(); ctypes.CDLL(sys.argv[1]);"
            " os.kill(os.getpid(), signal.SIGSTOP)"
        )
        process = subprocess.Popen([OWN, "-c", code, library], env=harness.environment(self.home))
        for close in (process.wait, process.kill):
            self.addCleanup(close)
        os.waitpid(process.pid, os.WUNTRACED)
        known = Typed.told(self, "-p", process.pid, "stats", "python", "-n", "1")
        self.assertEqual(
            known.splitlines()[0],
            "warning: there is another copy of CPython here, too: this is of {}, and nothing of {}".format(
                os.path.realpath(OWN), os.path.realpath(library)
            ),
        )


class Started(Traced):
    """`snapshot start --python`. Of 3.14 and later it starts (none of Debian 12's; ALLOCSNAP_PYTHONS names others)."""

    seconds = 20

    #: Runs until tracemalloc traces, and stops with a block of a known size, from line 7.
    PROGRAM = """import os, signal, tracemalloc
print("ready", flush=True)
while not tracemalloc.is_tracing():
    pass
print(tracemalloc.get_traceback_limit(), flush=True)
def hold():
    return bytearray(3456789)
kept = hold()
os.kill(os.getpid(), signal.SIGSTOP)
"""

    def running(self, python):
        process = subprocess.Popen(
            [python, "-c", self.PROGRAM], stdout=subprocess.PIPE, env=harness.environment(self.home)
        )
        for close in (process.stdout.close, process.wait, process.kill):
            self.addCleanup(close)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        return process

    def test_start(self):
        for one in interpreters.every():
            if one.version < (3, 14):
                continue
            with self.subTest(one.title):
                process = self.running(one.path)
                version = ".".join(map(str, one.version))
                self.assertEqual(
                    Typed.told(self, "-p", process.pid, "start", "--python", "9"),
                    "tracemalloc of CPython {} starts, with 9 frames of each traceback, once the main thread runs"
                    " Python code: `snapshot take --python` then.\n".format(version),
                )
                self.assertEqual(process.stdout.readline(), b"9\n")
                os.waitpid(process.pid, os.WUNTRACED)
                text = Typed.told(self, "-p", process.pid, "stats", "lineno", "python", "-n", "1")
                self.assertRegex(text, r"#1: <string>:7: size=3376 KiB, count=\d, ")
                again = Typed.told(self, "-p", process.pid, "start", "--python")
                self.assertIn("CPython {} traces already".format(version), again)

    def test_refused(self):
        """Of others it is said what to do instead."""
        for one in interpreters.every():
            if one.version >= (3, 14):
                continue
            with self.subTest(one.title):
                process = self.running(one.path)
                text = self.refused(1, "-p", process.pid, "start", "--python", "9")
                # Until 3.10 no symbol has the number of the release.
                name = "CPython {}".format(".".join(map(str, one.version)))
                self.assertRegex(
                    text,
                    r"\A({}|the CPython of \S+) cannot be asked to start tracemalloc while it runs, as"
                    r" 3\.14 can: start the program with PYTHONTRACEMALLOC=9, or have it call"
                    r" tracemalloc\.start\(9\)\Z".format(re.escape(name)),
                )
                self.assertEqual("the CPython" in text, one.version < (3, 11))

    def test_with_a_sample(self):
        process = self.running(OWN)
        text = self.refused(2, "-p", process.pid, "start", "--python", "--sample", "2K")
        self.assertEqual(text, "--sample is of the hooks, and goes not with --python")
