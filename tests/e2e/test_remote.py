"""Programs on the other side of a remote protocol: gdbserver, lldb-server."""

import os
import re
import shutil
import subprocess

from . import debuggers
from .harness import DEADLINE, HOOKS, Case, Failed, environment, program

DIRECTORY = os.path.dirname(os.path.abspath(__file__))
STATS = "snapshot stats traceback --json --limit 100"
#: Run as root of a namespace of its own, with the new root and a command in it.
ENTER = (
    'mount --rbind /proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" "$@"'
)
STOP = ["break stop_here", "continue"]


def own_rows(answer):
    """{(line, function) of the most recent frame: (size, count)} of plain.c's lines, the frame's
    file being the source."""
    rows = {}
    for row in answer["statistics"]:
        frames = [
            frame for frame in row["traceback"] if frame["filename"].endswith("/programs/plain.c")
        ]
        key = frames[0]["lineno"], frames[0]["function"]
        size, count = rows.get(key, (0, 0))
        rows[key] = size + row["size"], count + row["count"]
    return rows


class Server(Case):
    def server(self, *command, **extra):
        """Starts a server; returns its port, which it says itself."""
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.directory,
            env=environment(self.home, **extra),
        )
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.wait, DEADLINE)
        self.addCleanup(child.kill)
        text = ""
        for line in child.stdout:
            text += line.decode("utf-8", "replace")
            found = re.search(r"^Listening on port (\d+)", text, re.M)
            if found:
                return found.group(1)
        raise Failed("no port: {}".format(text))

    def native(self):
        return self.at_stop([STATS], "plain").json(STATS)


class Remote(Server):
    def check_as_native(self, answer):
        """The same rows, whole tracebacks and all, as of a process of this gdb."""
        self.assertEqual(answer["notes"], [])
        native = self.native()
        self.assertEqual(answer["total"], native["total"])
        self.assertEqual(answer["statistics"], native["statistics"])

    def test_started_by_the_server(self):
        port = self.server(
            "gdbserver", "--once", "127.0.0.1:0", program("plain"), LD_PRELOAD=HOOKS, ALLOCSNAP="16"
        )
        connect = ["target remote 127.0.0.1:{}".format(port)]
        results = self.batch(connect + STOP + [STATS], program("plain"))
        self.check_as_native(results.json(STATS))

    def test_started_by_gdb(self):
        port = self.server("gdbserver", "--multi", "--once", "127.0.0.1:0")
        commands = [
            "target extended-remote 127.0.0.1:{}".format(port),
            "set remote exec-file {}".format(program("plain")),
            "snapshot start 16",
            "break stop_here",
            "run",
            STATS,
            "snapshot who kept[0]",
            "snapshot reset-peak",
            "snapshot stop",
            "kill",
        ]
        results = self.batch(commands, program("plain"))
        self.check_as_native(results.json(STATS))
        self.assertRegex(results["snapshot who kept[0]"], r"\A0x[0-9a-f]+: a block, size=100 B\n")
        self.assertIn("Tracing stops at the program's next malloc", results["snapshot stop"])

    def test_a_server_that_starts_one_program(self):
        """gdb cannot run it again."""
        port = self.server("gdbserver", "--once", "127.0.0.1:0", program("plain"))
        connect = ["target remote 127.0.0.1:{}".format(port)]
        results = self.batch(connect + STOP + ["snapshot start", "snapshot stats"], program("plain"))
        again = (
            "have its server start it again, with LD_PRELOAD=liballocsnap-hooks.so and ALLOCSNAP set"
            " there"
        )
        self.assertEqual(
            results["snapshot start"],
            "The next `run` traces the heap, 16 frames of each stack.\nThe process that there is now"
            " stays as it is: {}.\n".format(again),
        )
        self.assertIn("though `snapshot start` was given: " + again, results["snapshot stats"])

    def test_attached_to_by_the_server(self):
        self.need_attach()
        child = self.ready("holds", "pause")
        port = self.server("gdbserver", "--once", "--attach", "127.0.0.1:0", str(child.pid))
        connect = "target remote 127.0.0.1:{}".format(port)
        results = self.batch([connect, STATS], program("holds"))
        native = self.at_stop([STATS], "holds").json(STATS)
        self.assertEqual(results.json(STATS), native)


class WithoutLibraries(Server):
    """A debugger that knows nothing of the program's libraries, and a server that tells no memory map:
    the records are found all the same."""

    NO_FILES = "python import gdb_target; gdb_target.fetched_memory_map = lambda inferior: []"

    def at_stop_behind_server(self, commands, preload):
        path = os.path.join(self.directory, "holds")
        if not os.path.exists(path):
            source = os.path.join(os.path.dirname(DIRECTORY), "programs", "holds.c")
            # With libraries unknown, gdb finds the place of such a program alone.
            subprocess.run(["gcc", "-g", "-w", "-no-pie", "-o", path, source], check=True)
        port = self.server("gdbserver", "--once", "127.0.0.1:0", path, LD_PRELOAD=preload, ALLOCSNAP="16")
        before = ["set osabi none", "target remote 127.0.0.1:{}".format(port)] + STOP
        return self.batch(before + list(commands) + ["kill"], path)

    def test_by_the_servers_files(self):
        results = self.at_stop_behind_server([STATS, "info sharedlibrary"], HOOKS)
        self.assertEqual(results.json(STATS)["total"], {"size": 10128, "count": 14})
        self.assertIn("No shared libraries loaded", results["info sharedlibrary"])

    def test_by_a_search(self):
        commands = [self.NO_FILES, STATS, "snapshot who kept[0]", "snapshot clear"]
        results = self.at_stop_behind_server(commands, HOOKS)
        answer = results.json(STATS)
        self.assertEqual(answer["total"], {"size": 10128, "count": 14})
        largest = answer["statistics"][0]["traceback"][0]
        self.assertEqual((largest["function"], largest["lineno"] > 0), ("hold_large", True))
        self.assertIn(": a block, size=100 B\n", results["snapshot who kept[0]"])
        self.assertIn("The traces of 14 blocks are dropped", results["snapshot clear"])

    def test_a_search_that_finds_nothing(self):
        results = self.at_stop_behind_server([self.NO_FILES, "snapshot status"], "")
        self.assertIn("no allocsnap hooks are found: the process's memory map cannot be", results["snapshot status"])

    def test_lldb_behind_gdbserver(self):
        """Which tells LLDB neither of the two; LLDB 19 and older stop at a signal of their own there,
        and not at the breakpoint."""
        for lldb in debuggers.lldbs():
            if int(lldb.name.partition("-")[2]) < 20:
                continue
            with self.subTest(lldb.name):
                port = debuggers.start_server(
                    self, debuggers.gdb(), program("holds"), LD_PRELOAD=HOOKS, ALLOCSNAP="16"
                )
                os.remove(os.path.join(self.directory, "gdb.port"))
                steps = [debuggers.connect(port), debuggers.stop_at("stop_here"), debuggers.CONTINUE]
                stats = "snapshot stats --json"
                results = lldb.run(self, steps + [stats], program("holds"))
                self.assertEqual(results.json(stats)["total"], {"size": 10128, "count": 14})


class OtherRoot(Server):
    """The program sees another file system than the debugger, which knows it as its sysroot."""

    def other_root(self, server):
        """Makes a file system with a server, the hooks and /plain; returns the command that runs
        another in it."""
        self.root = os.path.join(self.directory, "root")
        for path in [server, HOOKS, program("plain")]:
            self.copy(path)
            listed = subprocess.run(
                ["ldd", path], stdout=subprocess.PIPE, encoding="utf-8", check=True
            ).stdout
            for library in re.findall(r"(/\S+) \(0x", listed):
                self.copy(library)
        os.rename(self.root + program("plain"), self.root + "/plain")
        for directory in ("proc", "dev"):
            os.mkdir(os.path.join(self.root, directory))
        enter = ["unshare", "--user", "--map-root-user", "--mount", "/bin/sh", "-c", ENTER, self.root]
        if subprocess.run(enter + [server, "version" if "lldb" in server else "--version"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          check=False).returncode != 0:
            self.skipTest("unshare and chroot are not allowed here")
        return enter

    def copy(self, path):
        place = self.root + path
        if not os.path.exists(place):
            os.makedirs(os.path.dirname(place), exist_ok=True)
            shutil.copy(os.path.realpath(path), place)

    def check(self, answer):
        self.assertEqual(answer["notes"], [])
        self.assertEqual(own_rows(answer), own_rows(self.native()))

    def test_sysroot(self):
        server = shutil.which("gdbserver")
        port = self.server(
            *self.other_root(server), server, "--no-startup-with-shell", "--once", "127.0.0.1:0",
            "/plain", LD_PRELOAD=HOOKS, ALLOCSNAP="16"
        )
        results = self.batch(
            ["set sysroot {}".format(self.root), "file {}/plain".format(self.root),
             "target remote 127.0.0.1:{}".format(port)] + STOP + [STATS]
        )
        self.check(results.json(STATS))

    def test_sysroot_of_lldb(self):
        lldb = debuggers.lldbs()[0]
        server = os.path.realpath(debuggers.server_of_lldb())
        enter = self.other_root(server)
        os.mkfifo(self.root + "/port")
        command = [server, "gdbserver", "127.0.0.1:0", "--named-pipe", "/port", "--", "/plain"]
        child = subprocess.Popen(
            enter + command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment(self.home, LD_PRELOAD=HOOKS, ALLOCSNAP="16"),
        )
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        with open(self.root + "/port", encoding="ascii") as file:
            port = file.read().rstrip("\0")
        steps = [
            "platform select remote-linux --sysroot {}".format(self.root),
            "target create {}/plain".format(self.root),
            "gdb-remote 127.0.0.1:{}".format(port),
            "breakpoint set -n stop_here",
            "continue",
            STATS,
        ]
        self.check(lldb.run(self, steps, self.root + "/plain").json(STATS))
