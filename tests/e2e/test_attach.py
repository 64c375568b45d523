"""`snapshot start` in a process that was started without the hooks."""

import os
import re
import shutil
import subprocess
import unittest

from . import debuggers
from .harness import ROOT, Case, environment, program, tag_line

SOURCE = os.path.join(ROOT, "tests", "programs", "attached.c")
LINES = "snapshot stats lineno --json --no-skip -n 1000"
LED = r"The hooks are loaded into the process, and its calls led there \(\d+ words in \d+ files\);"
STOPPED = "Tracing stops. The program's calls go past the hooks again, which stay loaded.\n"

#: How often each program is attached to and left alone again.
TIMES = int(os.environ.get("ALLOCSNAP_ATTACHES", "3"))

#: By tag, what attached.c holds at after() that it has asked for since before().
HELD = {
    "malloc": (1000, 10),
    "pointer": (300, 10),
    "calloc": (400, 10),
    "aligned": (640, 10),
    "realloc": (1000, 1),
}
#: strdup's, whose malloc is libc's own call.
COPIES = (90, 10)

PLUGIN = """
#include <stdlib.h>
static void *kept[3];
__attribute__((constructor)) static void begin(void)
{
    for (int i = 0; i < 3; i++)
        kept[i] = malloc(7); /* tag: constructor */
}
void *get(void)
{
    return malloc(9); /* tag: get */
}
"""

STANDING = """
#include <unistd.h>
__attribute__((constructor)) static void stand(void)
{
    char byte;
    if (write(1, "ready\\n", 6) == 6)
        while (read(0, &byte, 1) > 0)
            continue;
}
"""

#: What the words are like that the dynamic linker fills in.
BUILDS = {
    "lazy": ["-Wl,-z,lazy"],
    "full RELRO": ["-Wl,-z,relro,-z,now"],
    "no RELRO": ["-Wl,-z,norelro"],
    "not position-independent": ["-no-pie", "-fno-pie"],
    "without a linkage table": ["-fno-plt"],
    "stripped": ["-Wl,-z,now", "-rdynamic"],
}


def built(case, name, source, *flags):
    """The path of what a compiler makes of a source."""
    path = os.path.join(case.directory, name)
    command = ["gcc", "-g", "-O0", "-fno-builtin", "-pthread", "-D_GNU_SOURCE", *flags]
    subprocess.run([*command, "-o", path, source], check=True)
    return path


def library(case, name, text):
    """The path of a library with this source."""
    source = os.path.join(case.directory, name + ".c")
    with open(source, "w", encoding="ascii") as file:
        file.write(text)
    return built(case, name + ".so", source, "-shared", "-fPIC"), source


class AttachCase(Case):
    def started(self, *command, **extra):
        """A process that has said that it is ready."""
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(self.home, **extra),
        )
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        return process

    def check_ends_well(self, process):
        """And that its own checks have passed."""
        process.stdin.close()
        self.assertEqual(process.stdout.read(), b"OK\n")
        self.assertEqual(process.wait(), 0)


class Known(AttachCase):
    """Attached to at a known point, what is held later is known by construction."""

    seconds = 60

    def held(self, debugger, path, count, plugin):
        commands = [
            debuggers.stop_at("before"),
            debuggers.RUN,
            "snapshot start",
            debuggers.stop_at("after"),
            debuggers.CONTINUE,
            LINES,
            "snapshot stats -n 1",
            "snapshot stop",
            "snapshot status",
            debuggers.CONTINUE,
        ]
        results = debugger.run(self, commands, path, ["steps", str(count), plugin])
        self.assertRegex(results["snapshot start"], LED)
        self.assertEqual(results["snapshot stop"], STOPPED)
        self.assertIn("tracing: off\ntraced:  0 B in 0 blocks", results["snapshot status"])
        self.assertRegex(results.outputs[-1], "exited (normally|with status = 0)")
        return results

    def by_line(self, results):
        found = {}
        for row in results.json(LINES)["statistics"]:
            frame = row["traceback"][0]
            key = os.path.basename(frame["filename"] or ""), frame["lineno"]
            size, blocks = found.get(key, (0, 0))
            found[key] = size + row["size"], blocks + row["count"]
        return found

    def before(self, results):
        text = results["snapshot stats -n 1"]
        found = re.search(r"started without the hooks: (\d+) blocks from before tracing are not", text)
        self.assertIsNotNone(found, text)
        return int(found.group(1))

    def check(self, debugger, path):
        plugin, source = library(self, "plugin", PLUGIN)
        unknown = {}
        for count in (10, 110):
            results = self.held(debugger, path, count, plugin)
            lines = self.by_line(results)
            for tag, held in HELD.items():
                with self.subTest(tag=tag):
                    line = tag_line(SOURCE, tag)
                    self.assertEqual(lines.get(("attached.c", line)), held)
            for tag, held in {"constructor": (21, 3), "get": (9, 1)}.items():
                self.assertEqual(lines.get(("plugin.c", tag_line(source, tag))), held)
            copies = [held for (name, _), held in lines.items() if name == "strdup.c"]
            self.assertEqual(copies or [COPIES], [COPIES])
            unknown[count] = self.before(results)
        # Every second block from before is freed, and the first resized by a call that is seen.
        self.assertEqual(unknown[110] - unknown[10], 50)

    def test_at_a_known_point(self):
        for debugger in debuggers.every():
            with self.subTest(debugger=debugger.name):
                self.check(debugger, program("attached"))

    def test_blocks_from_before_are_told_of_once(self):
        """As many where they are added as where they are said to be missing, and never both."""
        added = ["snapshot leaks --json", "snapshot stats owner --json", "snapshot stats --json -n all"]
        missing = "snapshot stats --json"
        for debugger in debuggers.every():
            with self.subTest(debugger=debugger.name):
                commands = [debuggers.stop_at("before"), debuggers.RUN, "snapshot start", debuggers.stop_at("after")]
                commands += [debuggers.CONTINUE, missing, added[0], added[1], "snapshot set earlier always", added[2]]
                results = debugger.run(self, commands, program("attached"), ["steps", "30"])
                notes = results.json(missing)["notes"]
                self.assertEqual(len(notes), 1, notes)
                count = re.match(r"the process was started without the hooks: (\d+) blocks .* are not among", notes[0])
                self.assertIsNotNone(count, notes)
                for command in added:
                    notes = results.json(command)["notes"]
                    self.assertEqual(len(notes), 1, notes)
                    self.assertTrue(notes[0].startswith(count.group(1) + " blocks from before tracing, or "), notes)

    def test_builds(self):
        for build, flags in BUILDS.items():
            with self.subTest(build=build):
                path = built(self, "attached", SOURCE, *flags)
                self.check(debuggers.every()[0], path)

    def test_bound_when_it_was_loaded(self):
        """LD_BIND_NOW, and another allocator than glibc's underneath."""
        jemalloc = "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2"
        commands = [
            "set environment LD_BIND_NOW 1",
            "set environment LD_PRELOAD " + jemalloc,
            "set startup-with-shell off",
            "break before",
            "run",
            "snapshot start",
            "break after",
            "continue",
            LINES,
            "snapshot stop",
            "continue",
        ]
        results = self.batch(
            commands, "--args", program("attached"), "steps", "10", env={}
        )
        self.assertRegex(results["snapshot start"], LED)
        lines = self.by_line(results)
        for tag, held in HELD.items():
            with self.subTest(tag=tag):
                self.assertEqual(lines.get(("attached.c", tag_line(SOURCE, tag))), held)
        self.assertIn("exited normally", results.outputs[-1])


class UnderLoad(AttachCase):
    """Attached to and left alone again, over and over; the programs check their memory."""

    seconds = 120

    def cycle(self, debugger, pid, times=TIMES):
        for _ in range(times):
            for command in ("snapshot start", "snapshot stop"):
                results = debugger.run(self, [command], "", pid=pid)
                expected = LED if command == "snapshot start" else re.escape(STOPPED)
                self.assertRegex(results[command], expected)

    def test_threads_that_allocate(self):
        for debugger in debuggers.every():
            with self.subTest(debugger=debugger.name):
                process = self.started(program("attached"), "churn", "4")
                self.cycle(debugger, process.pid)
                self.check_ends_well(process)

    def test_one_thread_that_allocates(self):
        """At any instruction of malloc's, and of the hooks' when it is left alone again."""
        for debugger in debuggers.every():
            with self.subTest(debugger=debugger.name):
                process = self.started(program("attached"), "alone")
                self.cycle(debugger, process.pid)
                self.assertIsNone(process.poll())

    def test_a_thousand_threads_that_wait(self):
        process = self.started(program("attached"), "wait", "1000")
        self.cycle(debuggers.every()[0], process.pid, 1)
        self.check_ends_well(process)

    def test_python(self):
        code = (
            "import json, sys, threading\n"
            "data = {str(i): list(range(i % 50)) for i in range(2000)}\n"
            "text = json.dumps(data)\n"
            "over = threading.Event()\n"
            "wrong = []\n"
            "def work():\n"
            "    while not over.is_set():\n"
            "        if json.dumps(json.loads(text)) != text: wrong.append(1)\n"
            "threads = [threading.Thread(target=work) for _ in range(2)]\n"
            "[thread.start() for thread in threads]\n"
            "print('ready', flush=True)\n"
            "sys.stdin.read()\n"
            "over.set()\n"
            "[thread.join() for thread in threads]\n"
            "print('BAD' if wrong else 'OK')\n"
        )
        process = self.started("/usr/bin/python3", "-c", code, PYTHONMALLOC="malloc")
        self.cycle(debuggers.every()[0], process.pid)
        self.check_ends_well(process)

    @unittest.skipUnless(shutil.which("sqlite3"), "sqlite3 is not installed")
    def test_sqlite(self):
        process = subprocess.Popen(
            ["sqlite3", ":memory:"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(self.home),
            encoding="ascii",
        )
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        process.stdin.write(
            "CREATE TABLE t(x, y);\n"
            "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c WHERE n<5000)"
            " INSERT INTO t SELECT n, hex(zeroblob(n % 400)) FROM c;\nSELECT 'ready';\n"
        )
        process.stdin.flush()
        self.assertEqual(process.stdout.readline(), "ready\n")
        self.cycle(debuggers.every()[0], process.pid)
        process.stdin.write("SELECT count(*), sum(length(y)) FROM t;\nPRAGMA integrity_check;\n")
        process.stdin.close()
        self.assertEqual(process.stdout.read(), "5000|1955400\nok\n")


class Refused(AttachCase):
    """What keeps the hooks out is told in a line, and the process goes on as it was."""

    seconds = 60

    def refused(self, process, why):
        """For every debugger."""
        before = self.memory_of(process.pid)
        for debugger in debuggers.every():
            with self.subTest(debugger=debugger.name):
                results = debugger.run(self, ["snapshot start"], "", pid=process.pid)
                self.assertRegex(results["snapshot start"], why)
                if debugger.name == "gdb":
                    self.assertEqual(self.memory_of(process.pid), before)

    @staticmethod
    def memory_of(pid):
        """Its mappings, but for the stack and the heap, which may have grown."""
        with open("/proc/{}/maps".format(pid), encoding="utf-8") as maps:
            return [line for line in maps if not line.rstrip().endswith(("[stack]", "[heap]"))]

    def test_static_program(self):
        path = built(self, "static", SOURCE, "-static", "-w")
        process = self.started(path, "wait", "2")
        self.refused(process, "statically linked, and loads no libraries")
        self.check_ends_well(process)

    def test_in_a_handler_that_interrupted_free(self):
        process = self.started(program("attached"), "handler")
        self.refused(process, "no thread of it can be had .*free")
        self.check_ends_well(process)

    def test_another_thread_stays_in_free(self):
        """It may hold a lock: nothing is loaded, though a thread can be had."""
        process = self.started(program("attached"), "handler", "1")
        self.refused(process, "stays in .*free, and may hold a lock")
        self.check_ends_well(process)

    def test_another_thread_stays_in_the_dynamic_linker(self):
        standing, _ = library(self, "standing", STANDING)
        process = self.started(program("attached"), "loader", standing, "1")
        self.refused(process, "stays in (the dynamic linker|a place that its stack does not tell), and may hold a lock")
        self.check_ends_well(process)

    def test_process_that_has_forbidden_itself_system_calls(self):
        process = self.started(program("attached"), "sealed")
        self.refused(process, "it has forbidden itself system calls")
        self.check_ends_well(process)

    def test_in_a_constructor(self):
        standing, _ = library(self, "standing", STANDING)
        process = self.started(program("attached"), "loader", standing)
        self.refused(process, "no thread of it can be had .*(dynamic linker|followed to its beginning)")
        self.check_ends_well(process)




class OtherFiles(AttachCase):
    """A process that does not see the file of the hooks gets them without one."""

    seconds = 30

    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("only root can change a process's root")

    def test_process_with_a_root_of_its_own(self):
        root = os.path.join(self.directory, "root")
        listed = subprocess.check_output(["ldd", program("attached")], encoding="utf-8")
        for path in re.findall(r"(/\S+) \(0x", listed):
            os.makedirs(root + os.path.dirname(path), exist_ok=True)
            shutil.copy(path, root + path)
        shutil.copy(program("attached"), root)
        os.mkdir(root + "/proc")
        script = 'mount -t proc proc "$0/proc" && exec chroot "$0" /attached churn 2'
        process = self.started("unshare", "--mount", "/bin/sh", "-c", script, root)
        debugger = debuggers.every()[0]
        commands = ["snapshot start", "snapshot stop", "snapshot status"]
        results = debugger.run(self, commands, "", pid=process.pid)
        self.assertRegex(results["snapshot start"], LED)
        self.assertEqual(results["snapshot stop"], STOPPED)
        self.assertIn("the program's calls go past the hooks", results["snapshot status"])
        self.check_ends_well(process)

    def test_process_of_another_user_who_may_not_read_the_file(self):
        hooks = os.path.join(self.directory, "liballocsnap-hooks.so")
        shutil.copy(os.path.join(os.path.dirname(program("")), "..", "..", "liballocsnap-hooks.so"), hooks)
        path = os.path.join("/tmp", "allocsnap-attached-{}".format(os.getpid()))
        shutil.copy(program("attached"), path)
        self.addCleanup(os.unlink, path)
        process = self.started("setpriv", "--reuid=65534", "--clear-groups", path, "churn", "2")
        debugger = debuggers.every()[0]
        commands = ["snapshot start", "snapshot stop"]
        results = debugger.run(
            self, commands, "", pid=process.pid, env={"ALLOCSNAP_HOOKS": hooks}
        )
        self.assertRegex(results["snapshot start"], LED)
        self.assertEqual(results["snapshot stop"], STOPPED)
        self.check_ends_well(process)


class CommandLine(AttachCase):
    """Without a debugger's session."""

    seconds = 30

    def run_on(self, process, *words):
        command = [os.path.join(ROOT, "core", "install", "allocsnap"), "-p", str(process.pid), *words]
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment(self.home),
            encoding="utf-8",
            check=False,
        )
        return done.returncode, done.stdout

    def test_start_and_stop(self):
        process = self.started(program("attached"), "churn", "2")
        status, text = self.run_on(process, "start", "32")
        self.assertEqual(status, 0)
        self.assertRegex(text, LED)
        self.assertIn("32 frames of each stack", text)
        self.assertEqual(self.run_on(process, "stop"), (0, STOPPED))
        self.check_ends_well(process)

    def test_refusal(self):
        process = self.started(program("attached"), "handler")
        status, text = self.run_on(process, "start")
        self.assertEqual(status, 1)
        self.assertRegex(text, r"\Aallocsnap: no thread of it can be had .*free.*\n\Z")
        self.check_ends_well(process)


@unittest.skipUnless(shutil.which("redis-server"), "redis-server is not installed")
class Redis(AttachCase):
    """Its allocator is jemalloc, with threads of its own that wait for work."""

    seconds = 60

    def asked(self, socket, *words):
        command = ["redis-cli", "-s", socket, *words]
        return subprocess.check_output(command, encoding="ascii").strip()

    def test_under_its_benchmark(self):
        socket = os.path.join(self.directory, "socket")
        command = ["redis-server", "--port", "0", "--unixsocket", socket, "--save", ""]
        server = subprocess.Popen(
            command, stdout=subprocess.PIPE, cwd=self.directory, env=environment(self.home)
        )
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        for line in server.stdout:
            if b"ready to accept connections" in line.lower():
                break
        load = subprocess.Popen(
            ["redis-benchmark", "-s", socket, "-l", "-q", "-n", "100000", "-t", "set,get,lpush,lpop"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.addCleanup(load.wait)
        self.addCleanup(load.kill)
        for number in range(TIMES):
            debugger = debuggers.every()[number % 2]
            results = debugger.run(self, ["snapshot start"], "", pid=server.pid)
            self.assertRegex(results["snapshot start"], LED)
            self.assertEqual(self.asked(socket, "set", "key", "value" * 1000), "OK")
            results = debugger.run(self, ["snapshot stop"], "", pid=server.pid)
            self.assertEqual(results["snapshot stop"], STOPPED)
            self.assertEqual(self.asked(socket, "get", "key"), "value" * 1000)
        self.assertIsNone(load.poll())
        self.assertIsNone(server.poll())
