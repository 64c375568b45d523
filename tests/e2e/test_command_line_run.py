"""`allocsnap run`: what it reports, and that all else is the program's own."""

import json
import os
import re
import resource
import select
import shutil
import signal
import subprocess
import time

from . import harness
from .harness import program
from .terminals import Terminal
from .typed import ALLOCSNAP, PYTHON, Typed, children, threads

#: {(setting of stop-at-exit, how the program ends): what exits.c holds then}
TOTALS = {
    ("exit", "return"): (600, 3), ("exit", "exit"): (600, 3), ("exit", "quick_exit"): (600, 3),
    ("exit", "_exit"): (600, 3), ("end", "return"): (300, 1), ("end", "exit"): (300, 1),
    ("end", "quick_exit"): (500, 2), ("end", "_exit"): (600, 3),
}  # fmt: skip

#: A program with threads that hold a block each, by the stack alone; it ends as its argument says.
MANY = r"""
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *kept;
static int told[2];

static void *hold(void *unused)
{
    char *volatile mine = malloc(500);
    if (write(told[1], "", 1) == 1)
        for (;;)
            pause();
    free(mine);
    return unused;
}

static void *pass(void *unused)
{
    free(malloc(1));
    return unused;
}

int main(int count, char **words)
{
    pthread_t thread;
    char byte;
    if (count < 2 || pipe(told) != 0)
        return 1;
    for (int i = 0; i < 8; i++)
        if (pthread_create(&thread, NULL, hold, NULL) != 0 || read(told[0], &byte, 1) != 1)
            return 1;
    for (int i = 0; i < 100; i++)
        if (pthread_create(&thread, NULL, pass, NULL) != 0 || pthread_join(thread, NULL) != 0)
            return 1;
    kept = malloc(700);
    if (strcmp(words[1], "exec") == 0)
        execv(words[2], words + 2);
    if (strcmp(words[1], "kill") == 0)
        raise(atoi(words[2]));
    if (strcmp(words[1], "wait") == 0 && write(STDOUT_FILENO, "ready\n", 6) == 6)
        pause();
    return atoi(words[1]);
}
"""

#: Says something after the place where it is reported of.
LATE = r"""
#include <stdlib.h>
#include <unistd.h>
static void *kept;
static void say(void)
{
    if (write(1, "late\n", 5) != 5)
        _exit(1);
}
int main(void)
{
    kept = malloc(100);
    atexit(say);
    return kept == NULL ? 1 : 3;
}
"""

#: A program in Python that counts its signals, one line of numbers for each line that it reads.
COUNTS = """
import signal, sys
counts = dict.fromkeys(map(int, sys.argv[1].split(",")), 0)
def count(number, frame):
    counts[number] += 1
for number in counts:
    signal.signal(number, count)
print("ready", flush=True)
while True:
    line = sys.stdin.readline()
    if not line:
        break
    print(*counts.values(), flush=True)
sys.exit(7)
"""


def line_of(text):
    """The number of the line of MANY that holds a text."""
    return next(number for number, line in enumerate(MANY.split("\n"), 1) if text in line)


class Running(Typed):
    """Tests of `allocsnap run`."""

    def run_so(self, *words, before=(), **options):
        """(exit status, standard output, standard error) of `allocsnap run`."""
        return self.typed(*before, "run", *words, **options)

    def many(self):
        """The path of MANY, compiled."""
        path = os.path.join(self.directory, "many")
        source = os.path.join(self.directory, "many.c")
        with open(source, "w", encoding="utf-8") as file:
            file.write(MANY)
        subprocess.run(["gcc", "-O0", "-g", "-pthread", "-o", path, source], check=True)
        return path

    def begun(self, *words, **options):
        """A process of `allocsnap run` whose program reads lines and writes some."""
        process = subprocess.Popen(
            [PYTHON, "-B", ALLOCSNAP, "run"] + [str(word) for word in words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=harness.environment(self.home),
            cwd=self.directory,
            **options
        )
        for close in (process.stdin.close, process.stdout.close, process.stderr.close, process.wait, process.kill):
            self.addCleanup(close)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        return process

    def held_in(self, path):
        """(bytes, blocks) of a dump."""
        total = json.loads(self.told(path, "stats", "--json"))["total"]
        return total["size"], total["count"]


class Reports(Running):
    seconds = 40

    def test_ways_to_end(self):
        for (mode, way), (size, count) in TOTALS.items():
            with self.subTest(mode=mode, way=way):
                status, out, err = self.run_so(
                    "--", program("exits"), way, before=["--set", "stop-at-exit " + mode]
                )
                self.assertEqual((status, out), (0, ""), err)
                self.assertTrue(err.endswith("Total: size={} B, count={}\n".format(size, count)), err)

    def test_not_at_all(self):
        self.assertEqual(
            self.run_so(program("exits"), before=["--set", "stop-at-exit off"]), (0, "", "")
        )

    def test_as_gdb_at_its_exit_stop(self):
        results = self.batch(
            ["snapshot set stop-at-exit exit", "snapshot start", "run", "snapshot stats", "snapshot leaks", "snapshot stats function", "kill"],
            program("exits"),
        )
        for report, command in (("lineno", "stats"), ("leaks", "leaks"), ("function", "stats function")):
            with self.subTest(report):
                _, _, err = self.run_so("--report", report, program("exits"))
                self.assertEqual(err, results["snapshot " + command])

    def test_several_and_files(self):
        dump, profile = (os.path.join(self.directory, name) for name in ("x.dump", "x.pb.gz"))
        status, out, err = self.run_so(
            "-o", dump, "--report", "leaks", "--report", profile, "--report", "function", program("exits")
        )
        self.assertEqual((status, out), (0, ""))
        said = (
            "{}: 600 B in 3 blocks.\nNo leaked blocks.\n{}: 600 B in 3 blocks.\n1 function, by size\n#1: main: ".format(
                dump, profile
            )
        )
        self.assertTrue(err.startswith(said), err)
        self.assertEqual(self.held_in(dump), (600, 3))
        with open(profile, "rb") as file:
            self.assertEqual(file.read(2), b"\x1f\x8b")

    def test_frames_and_samples(self):
        dump = os.path.join(self.directory, "x.dump")
        self.run_so("-n", "3", "-o", dump, program("holds"))
        stacks = json.loads(self.told(dump, "stats", "traceback", "--json"))["statistics"]
        self.assertEqual(max(len(row["traceback"]) for row in stacks), 3)
        _, _, err = self.run_so("--sample", "1", program("holds"))
        self.assertIn("warning: this is a sample, of one block for each 1 B that are allocated", err)

    def test_ended_by_a_signal(self):
        """With threads, whose stacks alone lead to blocks: nothing is leaked."""
        many = self.many()
        for words, wanted in ((["3"], 3), (["kill", "15"], 143), (["kill", "9"], 137), (["kill", "11"], 139)):
            with self.subTest(words):
                dump = os.path.join(self.directory, "x.dump")
                status, out, err = self.run_so("-o", dump, "--report", "leaks", many, *words)
                self.assertEqual((status, out), (wanted, ""), err)
                self.assertTrue(err.endswith("\nNo leaked blocks.\n"), err)
                rows = json.loads(self.told(dump, "stats", "--json"))["statistics"]
                places = {row["traceback"][0]["lineno"]: (row["size"], row["count"]) for row in rows}
                self.assertEqual(places[line_of("malloc(500)")], (4000, 8))
                self.assertEqual(places[line_of("malloc(700)")], (700, 1))

    def test_becomes_another_program(self):
        """Also from among several threads."""
        status, out, err = self.run_so("--", self.many(), "exec", program("exits"), "return")
        self.assertEqual((status, out), (0, ""))
        self.assertTrue(err.endswith("\nTotal: size=600 B, count=3\n"), err)

    def test_of_children(self):
        name = os.path.join(self.directory, "%p.dump")
        script = "{}; {} abort; exit 4".format(program("exits"), program("holds"))
        status, out, err = self.run_so(
            "--children", "-o", name, "--", "sh", "-c", script, preexec_fn=_without_cores
        )
        self.assertEqual((status, out), (4, ""))
        found = re.findall(r"process (\d+) \((\w+)\):\n(\S+): (\d+) B in (\d+) blocks?\.\n", err)
        self.assertEqual(
            [(one[1], one[3], one[4]) for one in found if one[1] != "sh"],
            # One is the child that exits.c itself has.
            [("exits", "600", "3"), ("exits", "600", "3"), ("holds", "10128", "14")],
            err,
        )
        for pid, comm, path, size, count in found:
            self.assertEqual(path, os.path.join(self.directory, pid + ".dump"), comm)
            self.assertEqual(self.held_in(path), (int(size), int(count)))
        self.assertEqual([one[1] for one in found][-1], "sh")

    def test_children_that_share_memory(self):
        """A child of vfork has none of its own until it has become a program."""
        name = os.path.join(self.directory, "%p.dump")
        status, out, err = self.run_so("--children", "-o", name, program("spawns"))
        self.assertEqual((status, out), (0, ""), err)
        found = re.findall(r"process (\d+) \((\w+)\):\n\S+: (\d+) B in (\d+) blocks?\.\n", err)
        self.assertEqual(err.count("process "), len(found), err)
        self.assertEqual(len(found), len({one[0] for one in found}))
        shells = [one for one in found if one[1] == "sh"]
        children = [one for one in found[:-1] if one[1] != "sh"]
        self.assertEqual(len(shells), 20)
        self.assertEqual({one[1:] for one in children}, {("spawns", "64", "1")})
        self.assertEqual(len(children), 80)
        self.assertEqual(found[-1][1], "spawns")


def _without_cores():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class OfTheProgram(Running):
    """Exit status, streams, environment, signals."""

    seconds = 20

    def test_exit_statuses(self):
        for wanted in (0, 1, 2, 125, 255):
            status, out, _ = self.run_so("--", "/bin/sh", "-c", "exit {}".format(wanted))
            self.assertEqual((status, out), (wanted, ""))
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGKILL, signal.SIGRTMIN + 3):
            status, _, _ = self.run_so("--", "/bin/sh", "-c", "kill -{} $$".format(int(number)))
            self.assertEqual(status, 128 + number)

    def test_streams(self):
        data = bytes(range(256)) * 1000
        dump = os.path.join(self.directory, "x")
        done = subprocess.run(
            [PYTHON, "-B", ALLOCSNAP, "run", "-o", dump, "cat"],
            input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
            env=harness.environment(self.home), timeout=harness.DEADLINE,
        )  # fmt: skip
        self.assertEqual((done.returncode, done.stdout), (0, data))
        self.assertEqual(done.stderr.count(b"\n"), 1, done.stderr)

    def test_environment_directory_and_words(self):
        before = {"A": "1", "B": "x=y\n ", "PATH": os.environ["PATH"], "LC_ALL": "C"}
        words = ["env", "-0"]
        done = subprocess.run(
            [PYTHON, "-B", ALLOCSNAP, "run", "-n", "5", *words], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env=before, check=True,
        )  # fmt: skip
        after = dict(entry.split(b"=", 1) for entry in done.stdout.split(b"\0") if entry)
        wanted = {name.encode(): value.encode() for name, value in before.items()}
        wanted.update({b"LD_PRELOAD": harness.HOOKS.encode(), b"ALLOCSNAP": b"5"})
        self.assertEqual(after, wanted)
        status, out, _ = self.run_so("sh", "-c", 'pwd; printf "<%s>" "$@"; exit 9', "x", "-n", "--", "a b", "")
        self.assertEqual((status, out), (9, self.directory + "\n<-n><--><a b><>"))

    def test_reports_that_nobody_takes(self):
        """The program goes on to its end, and its status is its own."""
        source, path = (os.path.join(self.directory, name) for name in ("late.c", "late"))
        with open(source, "w", encoding="utf-8") as file:
            file.write(LATE)
        subprocess.run(["gcc", "-g", "-o", path, source], check=True)
        unread, closed = os.pipe()
        os.close(unread)
        full = os.open("/dev/full", os.O_WRONLY)
        for name, error in (("full", full), ("closed", closed)):
            with self.subTest(name):
                done = subprocess.run(
                    [PYTHON, "-B", ALLOCSNAP, "run", "--report", "lineno", "--report", "leaks", path],
                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=error, check=False,
                    env=harness.environment(self.home), timeout=harness.DEADLINE,
                )  # fmt: skip
                self.assertEqual((done.returncode, done.stdout), (3, b"late\n"))
            os.close(error)

    def test_files_that_become_too_large(self):
        """SIGXFSZ and SIGPIPE end a program as they do without allocsnap."""
        limit = "ulimit -f 1; exec {}".format("head -c 100000 /dev/zero")
        words = ["sh", "-c", limit + " > large"]
        plain = subprocess.run(words, stderr=subprocess.DEVNULL, cwd=self.directory, check=False)
        self.assertEqual(plain.returncode, -signal.SIGXFSZ)
        self.assertEqual(self.run_so("--", *words)[0], 128 + signal.SIGXFSZ)
        self.assertEqual(self.run_so("--", "sh", "-c", "kill -PIPE $$")[0], 128 + signal.SIGPIPE)

    def test_signals(self):
        """Sent to allocsnap they come to the program, and once where they were sent to the group."""
        numbers = [signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2]
        process = self.begun(
            "--", "/usr/bin/python3", "-c", COUNTS, ",".join(str(int(number)) for number in numbers),
            start_new_session=True,
        )  # fmt: skip
        for turn, send in enumerate((os.kill, os.killpg), 1):
            for place, number in enumerate(numbers):
                send(process.pid, number)
                self.wait_for_counts(process, [turn] * (place + 1) + [turn - 1] * (4 - place))
        process.stdin.close()
        self.assertEqual(process.wait(harness.DEADLINE), 7)

    def wait_for_counts(self, process, wanted):
        deadline = time.monotonic() + harness.DEADLINE
        while True:
            process.stdin.write(b"\n")
            process.stdin.flush()
            counts = [int(word) for word in process.stdout.readline().split()]
            self.assertTrue(all(one <= other for one, other in zip(counts, wanted)), (counts, wanted))
            if counts == wanted:
                return
            self.assertLess(time.monotonic(), deadline, (counts, wanted))

    def test_ended_from_outside(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                process = self.begun("--report", "leaks", self.many(), "wait")
                process.send_signal(number)
                self.assertEqual(process.wait(harness.DEADLINE), 128 + number)
                self.assertEqual(process.stderr.read(), b"No leaked blocks.\n")

    def test_killed_itself(self):
        """Its program ends with it."""
        process = self.begun(self.many(), "wait")
        (child,) = children(process.pid)
        held = os.pidfd_open(child)
        process.kill()
        self.assertEqual(select.select([held], [], [], harness.DEADLINE)[0], [held])
        os.close(held)

    def test_at_a_terminal(self):
        """Ctrl-C comes to the program alone, and once; Ctrl-Z stops the job, which `fg` and `bg` continue;
        the terminal's size is its own."""
        terminal = Terminal(self)
        with open(os.path.join(self.directory, "counts.py"), "w", encoding="utf-8") as file:
            file.write(COUNTS)
        since = terminal.begin("allocsnap run -o x.dump -- /usr/bin/python3 counts.py 2,28,18; echo status=$?.")
        terminal.wait_for("ready\r\n", since)
        for turn in (1, 2):
            terminal.type("\x03")
            self.type_until(terminal, "{} 0 0".format(turn))
        terminal.resize(40, 100)
        self.type_until(terminal, "2 1 0")
        for turn in (1, 2):
            since = len(terminal.shown)
            terminal.type("\x1a")
            # What is typed before the prompt is shown, is echoed before it or behind it.
            terminal.wait_for(r"\[1\]\+ +Stopped .*\nstatus=147\.\r\n\$ ", since)
            since = terminal.begin("jobs -p")
            (pid,) = map(int, terminal.wait_for(r"\n(\d+)\r\n", since).groups())
            self.assertEqual(set(threads(pid).values()), {"T"})
            (child,) = children(pid)
            self.assertLessEqual(set(threads(child).values()), {"t", "T"})
            terminal.begin("fg; echo status=$?.")
            self.type_until(terminal, "2 1 {}".format(turn))
        since = len(terminal.shown)
        terminal.type("\x04")
        terminal.wait_for(r"\nstatus=7\.\r\n", since)

    @staticmethod
    def type_until(terminal, wanted):
        """Asks again and again for the counts."""
        deadline = time.monotonic() + harness.DEADLINE
        while True:
            since = len(terminal.shown)
            terminal.type("\n")
            if terminal.wait_for(r"(\d+ \d+ \d+)\r\n", since).group(1) == wanted:
                return
            if time.monotonic() > deadline:
                raise harness.Failed(terminal.shown)


class Refused(Running):
    """One line, and a status that tells."""

    def line(self, wanted_status, *words, **options):
        status, out, err = self.run_so(*words, **options)
        self.assertEqual((status, out), (wanted_status, ""), err)
        self.assertRegex(err, r"\Aallocsnap: [^\n]+\n\Z")
        return err[len("allocsnap: ") : -1]

    def test_not_there(self):
        self.assertEqual(self.line(127, "nosuch"), "nosuch: there is no such program")
        self.assertEqual(self.line(127, "./a\nb"), "./a\\x0ab: there is no such program")
        self.assertEqual(self.line(127, ""), '"": there is no such program')

    def test_cannot_be_started(self):
        self.assertEqual(
            self.line(126, self.directory), self.directory + " cannot be started: it is a directory"
        )
        text = os.path.join(self.directory, "text")
        with open(text, "wb") as file:
            file.write(b"\x7fELF no program")
        self.assertIn("you may not execute it", self.line(126, text))
        os.chmod(text, 0o755)
        status, out, _ = self.run_so(text)
        self.assertEqual(out, "")
        self.assertIn(status, (126, 127))

    def test_static(self):
        source = os.path.join(self.directory, "x.c")
        with open(source, "w", encoding="utf-8") as file:
            file.write("int main(void)\n{\n    return 0;\n}\n")
        path = os.path.join(self.directory, "static")
        subprocess.run(["gcc", "-static", "-o", path, source], check=True)
        said = "{} is statically linked, and loads no libraries: link it dynamically to trace it".format(path)
        self.assertEqual(self.line(125, path), said)
        script = os.path.join(self.directory, "script")
        with open(script, "w", encoding="utf-8") as file:
            file.write("#!{} -x\n".format(path))
        os.chmod(script, 0o755)
        self.assertEqual(self.line(125, script), said)

    def test_setuid(self):
        if os.geteuid() != 0:
            self.skipTest("only root can be another user")
        path = os.path.join(self.directory, "copy")
        shutil.copy("/bin/true", path)
        os.chown(path, 65534, 65534)
        os.chmod(path, 0o4755)
        self.assertEqual(
            self.line(125, path),
            "{} takes other rights than those of who starts it (setuid), and loads no hooks: start it as the"
            " user whose rights it takes".format(path),
        )

    def test_not_understood(self):
        for words, wanted in {
            (): "the following arguments are required: PROGRAM; `allocsnap run --help` shows how",
            ("-n", "0", "true"): '"0" is not a number of frames',
            ("--report", "x.unknown", "true"): '^"x.unknown" is no report: they are leaks; filename, ',
            ("--children", "-o", "x", "true"): "^x: with --children, each process has a file: put %p",
            ("--report", "%q.folded", "true"): "^%q in the name of a file: there are %p",
            ("--what", "true"): "unrecognized arguments: --what",
        }.items():
            with self.subTest(words):
                self.assertRegex(self.line(2, *words), wanted)
        self.assertRegex(self.line(2, "true", before=["-p", "1"]), "^-p goes not with `run`")
        self.assertRegex(self.line(2, "true", before=["x.dump"]), "^`run` takes nothing that stands before it")

    def test_not_written(self):
        """The program runs, and its status is its own."""
        status, out, err = self.run_so("-o", "/nonexistent/x", "--", "sh", "-c", "echo here; exit 3")
        self.assertEqual((status, out), (3, "here\n"))
        self.assertRegex(err, r"\Aallocsnap: .*there is no such directory.*\n\Z")
