"""The command line and processes: that run, that have ended, that are others', that are held."""

import json
import os
import signal
import subprocess
import time

from . import harness
from .harness import ROOT, program, tag_line
from .typed import ALLOCSNAP, PYTHON, Typed, threads, tracer

SOURCE = os.path.join(ROOT, "tests", "programs", "crowd.c")
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"]


class Crowd(Typed):
    """A program with many threads that allocate all the time."""

    def crowd(self, count, **variables):
        """The process, which has said that it is ready."""
        env = dict({"LD_PRELOAD": harness.HOOKS, "ALLOCSNAP": "16"}, **variables)
        process = subprocess.Popen(
            [program("crowd"), str(count)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=harness.environment(self.home, **env),
        )
        for close in (process.stdin.close, process.stdout.close, process.wait, process.kill):
            self.addCleanup(close)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        return process

    def goes_on(self, process):
        """Whether all threads come round; returns how many signals have come in."""
        process.stdin.write(b"\n")
        process.stdin.flush()
        rounds, signals = map(int, process.stdout.readline().split())
        self.assertGreater(rounds, 0)
        self.assertEqual(tracer(process.pid), 0)
        return signals

    def line(self, statistics, tag):
        """(size, count) of the program's own line with this tag in statistics of JSON."""
        number = tag_line(SOURCE, tag)
        found = [
            (row["size"], row["count"])
            for row in statistics
            if row["traceback"][0]["filename"] == SOURCE and row["traceback"][0]["lineno"] == number
        ]
        return found[0] if found else (0, 0)

    def wait_until(self, is_so):
        """Looks again and again whether something has happened."""
        deadline = time.monotonic() + harness.DEADLINE
        while not is_so():
            if time.monotonic() > deadline:
                raise harness.Failed("it has not happened within {} s".format(harness.DEADLINE))
            os.sched_yield()


class ThatRuns(Crowd):
    def test_read_without_being_stopped(self):
        process = self.crowd(32)
        for _ in range(5):
            found = json.loads(self.told("-p", process.pid, "stats", "--json", "--no-skip"))
            self.assertEqual(self.line(found["statistics"], "kept"), (32 * 48, 32))
            self.assertEqual(self.line(found["statistics"], "lost"), (777, 1))
            self.assertEqual(self.goes_on(process), 0)

    def test_held_for_the_moment(self):
        """What has leaked is exact, though all threads run."""
        self.need_attach()
        process = self.crowd(32)
        for command in ("leaks --json --no-skip", "stats --leaked --json --no-skip"):
            found = json.loads(self.told("-p", process.pid, *command.split()))
            own = [row for row in found["statistics"] if row["traceback"][0]["filename"] == SOURCE]
            self.assertEqual([(row["size"], row["count"]) for row in own], [(777, 1)])
            self.assertEqual(self.goes_on(process), 0)
        found = json.loads(self.told("-p", process.pid, "--stop", "stats", "--json"))
        for note in found["notes"]:
            # Where threads were stopped in the middle of a hook.
            self.assertRegex(note, r"^\d+ parts of the table were being changed: ")
        self.assertEqual(self.line(found["statistics"], "kept"), (32 * 48, 32))
        self.goes_on(process)

    def test_signals_that_come_meanwhile(self):
        """None is lost, none is made."""
        self.need_attach()
        process = self.crowd(8)
        sent = 0
        for _ in range(5):
            reading = subprocess.Popen(
                [PYTHON, "-B", ALLOCSNAP, "-p", str(process.pid), "leaks"],
                stdout=subprocess.DEVNULL,
                env=harness.environment(self.home),
            )
            # Fewer than the kernel keeps for a user.
            allowed = 200
            while reading.poll() is None:
                if allowed and tracer(process.pid) == reading.pid:
                    os.kill(process.pid, signal.SIGRTMIN)
                    sent, allowed = sent + 1, allowed - 1
            self.assertEqual(reading.returncode, 0)
            self.wait_until(lambda: self.goes_on(process) == sent)
        self.assertGreater(sent, 0)

    def test_killed_while_it_holds(self):
        """The program runs on."""
        self.need_attach()
        process = self.crowd(32)
        for _ in range(3):
            reading = subprocess.Popen(
                [PYTHON, "-B", ALLOCSNAP, "-p", str(process.pid), "retained"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=harness.environment(self.home),
            )
            self.wait_until(lambda: tracer(process.pid) == reading.pid)
            reading.kill()
            reading.wait()
            self.goes_on(process)
            self.assertFalse(set(threads(process.pid).values()) & set("tT"))

    def test_stopped_before(self):
        """It stays so, and goes on by SIGCONT alone."""
        self.need_attach()
        process = self.crowd(4)
        process.send_signal(signal.SIGSTOP)
        self.wait_until(lambda: set(threads(process.pid).values()) == {"T"})
        for command in ("leaks", "stats"):
            self.told("-p", process.pid, command)
            self.wait_until(lambda: set(threads(process.pid).values()) == {"T"})
        process.send_signal(signal.SIGCONT)
        self.goes_on(process)

    def test_threads_by_name(self):
        process = self.crowd(2)
        found = self.told("-p", process.pid, "stats", "thread")
        self.assertIn('thread {} (1 "crowd")'.format(process.pid), found)

    def test_controlled(self):
        self.need_attach()
        process = self.crowd(2, ALLOCSNAP="0")
        words = ["-p", process.pid]
        error = self.refused(1, *words, "stats")
        self.assertIn("`allocsnap -p {} start` traces from now on".format(process.pid), error)
        self.assertEqual(
            self.told(*words, "start", "3"),
            "Tracing starts at the program's next malloc or free, 3 frames of each stack.\n",
        )
        self.goes_on(process)
        self.assertIn("tracing: on, 3 frames of each stack\n", self.told(*words, "status"))
        self.told(*words, "clear")
        self.told(*words, "reset-peak")
        self.goes_on(process)
        self.told(*words, "stop")
        self.goes_on(process)
        self.assertIn("tracing: off\n", self.told(*words, "status"))


class Refused(Crowd):
    """One line that says what is missing."""

    def test_gone(self):
        process = subprocess.Popen(["/bin/true"])
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        error = self.refused(1, "-p", process.pid, "stats")
        self.assertEqual(
            error,
            "process {} has ended, and only its parent has not taken note of it yet".format(process.pid),
        )
        process.wait()
        error = self.refused(1, "-p", process.pid, "stats")
        self.assertEqual(
            error, "there is no process {0}: `ps` lists those that there are".format(process.pid)
        )

    def test_a_thread(self):
        process = self.crowd(1)
        number = max(threads(process.pid))
        error = self.refused(1, "-p", number, "stats")
        self.assertEqual(
            error, "{} is a thread of process {}: give that number".format(number, process.pid)
        )

    def test_no_hooks(self):
        process = self.crowd(1, LD_PRELOAD="")
        why = "no allocsnap hooks in this process: start the program with `allocsnap run`"
        for command in ("stats", "leaks"):
            told = self.told("-p", process.pid, command).splitlines()
            self.assertRegex(told[0], "^warning: no hooks: blocks from glibc's own structures")
            self.assertRegex(told[1], "^warning: " + why)
            self.assertEqual(tracer(process.pid), 0)

    def test_of_another_user(self):
        """As nobody, from a copy that nobody may read."""
        if os.geteuid() != 0:
            self.skipTest("only root can be another user")
        process = self.crowd(1)
        os.chmod(self.directory, 0o755)
        os.chmod(self.home, 0o755)
        copy = os.path.join(self.directory, "installed")
        subprocess.run(
            ["make", "-s", "-C", ROOT, "LDCONFIG=:", "PREFIX=" + copy, "BUILD=" + harness.BUILD, "install"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        done = subprocess.run(
            NOBODY + [os.path.join(copy, "bin", "allocsnap"), "-p", str(process.pid), "stats"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            check=False,
            encoding="utf-8",
        )
        self.assertEqual(
            (done.returncode, done.stdout, done.stderr),
            (
                1,
                "",
                "allocsnap: process {} cannot be read: it is of user root, and you are nobody: run"
                " allocsnap as that user, or as root (capability CAP_SYS_PTRACE)\n".format(process.pid),
            ),
        )

    def test_traced_already(self):
        self.need_attach()
        process = self.ready("holds", "pause")
        debugger = self.gdb("-p", str(process.pid))
        error = self.refused(1, "-p", process.pid, "leaks")
        self.assertIn("looked at by process {} (gdb) already".format(debugger.pid), error)
        self.assertIn("size=10128 B, count=14", self.told("-p", process.pid, "stats"))
        self.refused(1, "-p", process.pid, "--stop", "stats")
        debugger.run("detach")
        self.told("-p", process.pid, "leaks")

    def test_ended_meanwhile(self):
        """Whatever it was doing then: a whole answer, or one line."""
        statuses = set()
        for _ in range(6):
            process = self.crowd(4)
            reading = subprocess.Popen(
                [PYTHON, "-B", ALLOCSNAP, "-p", str(process.pid), "stats", "--json"],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=harness.environment(self.home),
            )
            # It has begun where its interpreter has mapped the library.
            self.wait_until(lambda: self.has_mapped(reading.pid, b"liballocsnap.so") or reading.poll() is not None)
            process.kill()
            out, err = reading.communicate()
            statuses.add(reading.returncode)
            if reading.returncode == 0:
                self.assertEqual(json.loads(out)["total"]["count"] >= 5, True)
                self.assertEqual(err, b"")
            else:
                self.assertEqual(out, b"")
                self.assertEqual(err.count(b"\n"), 1, err)
        self.assertLessEqual(statuses, {0, 1})

    @staticmethod
    def has_mapped(pid, name):
        try:
            with open("/proc/{}/maps".format(pid), "rb") as maps:
                return name in maps.read()
        except OSError:
            return False


class Words(Typed):
    """What is typed wrongly, and what is not there."""

    def test_not_understood(self):
        dump = os.path.join(self.directory, "x")
        cases = {
            (): "^which command\\? They are start, ",
            ("-p", "1", "x\x1b", "frob\x1b"): '^which command\\? "frob\\\\x1b" is none: they are start, ',
            ("stats",): "^what is to be looked at\\? Give -c CORE, -p PID",
            ("-p", "x", "stats"): '^"x" is not the number of a process',
            ("-p", "0", "stats"): '^"0" is not the number of a process',
            ("-p",): "^-p needs a value",
            ("-p", "1", "-p", "2", "stats"): "^-p twice: give one",
            ("-p", "1", "-c", "core", "stats"): "^-c and -p contradict each other",
            ("-c", "core", "--stop", "stats"): "^--stop goes with -p",
            ("-x", "stats"): "^no option -x before the command",
            ("take",): "^`take` is for sessions of debuggers",
            (dump, "stats", "-n", "0"): '"0" is not a number of rows .*; `allocsnap stats --help` shows how',
            ("-p", "1", "stats", "--what"): "unrecognized arguments: --what; `allocsnap stats --help` shows",
            ("-o", "x", dump, "stats"): "^-o goes with symbolize",
        }
        for words, wanted in cases.items():
            with self.subTest(words=words):
                self.assertRegex(self.refused(2, *words), wanted)

    def test_words_of_commands(self):
        core = self.kernel_core("holds", "abort")
        for words, wanted in {
            ("stats", "lines"): '^no key or snapshot "lines"',
            ("stats", "size", "age"): "^two keys, size and age",
            ("stats", "--cumulative", "thread"): "^--cumulative goes by",
            ("diff",): "^which snapshots\\?.* name the file of a dump before the command to have one$",
            ("diff", "now"): "^now would be compared with itself",
        }.items():
            with self.subTest(words=words):
                self.assertRegex(self.refused(2, "-c", core, *words), wanted)

    def test_files_that_are_not_right(self):
        text = os.path.join(self.directory, "text")
        with open(text, "w", encoding="utf-8") as file:
            file.write("a text\n" * 100)
        core = self.kernel_core("holds", "abort")
        cut = os.path.join(self.directory, "cut")
        with open(core, "rb") as whole, open(cut, "wb") as part:
            part.write(whole.read(os.path.getsize(core) // 2))
        missing = os.path.join(self.directory, "missing")
        for words, wanted in {
            ("-c", text, "stats"): "not a core file that can be read",
            ("-c", missing, "stats"): "cannot open the core file: No such file",
            ("-c", self.directory, "stats"): "not a regular file",
            ("-c", program("holds"), "stats"): "not a core file that can be read",
            ("-c", core, text, "stats"): "is no file that `allocsnap .* dump` has written|not a dump|has written",
            (text, "stats"): "choose a file that `allocsnap \\.\\.\\. dump` has written$",
            (missing, "stats"): "No such file",
            ("-c", core, "dump", "now", "/nonexistent/x"): "there is no such directory",
            ("-c", core, "start"): "^a core cannot be changed: start the program with `allocsnap run`",
            ("-c", core, "who", "nosuch"): "^`nosuch` is no global variable and no function",
            ("-c", core, "who", "kept[1]"): "^`kept\\[1\\]` cannot be evaluated without a debugger",
            ("-c", core, "refs", "p->next"): "^`p->next` cannot be evaluated without a debugger",
            ("-c", core, "refs", "1"): "in no live traced block: `allocsnap -c \\S+ who 0x1` says",
        }.items():
            with self.subTest(words=words):
                self.assertRegex(self.refused(1, *words), wanted)

    def test_core_cut_short(self):
        """It says so, in gdb's words."""
        core = self.kernel_core("holds", "abort")
        size = os.path.getsize(core)
        for part in (3, 5, 8, 9):
            os.truncate(core, size * part // 10)
            said = self.batch(["snapshot stats"], program("holds"), core)["snapshot stats"]
            status, out, err = self.typed("-c", core, "stats")
            self.assertEqual(out + err.replace("allocsnap: ", "", 1), said)
            self.assertEqual(status, 1 if err else 0)
