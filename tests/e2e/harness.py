"""Drives a real gdb in a process of its own, over the test programs.

Nothing here waits by the clock: a command is over when the text that follows it
has come, and a deadline only turns a hang into a failure.
"""

import json
import os
import re
import resource
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("ALLOCSNAP_BUILD", os.path.join(ROOT, "build")))
SCRIPT = os.path.join(ROOT, "gdb", "allocsnap_gdb.py")
HOOKS = os.path.join(BUILD, "liballocsnap-hooks.so")
LIBRARY = os.path.join(BUILD, "liballocsnap.so")
PROGRAMS = os.path.join(BUILD, "tests", "programs")
GDB = os.environ.get("GDB", "gdb")

#: Seconds after which a step counts as hanging.
DEADLINE = 300

_MARK = "\036"

# What debuggers find out again in each session: the names in libc's debug information, and the
# plugin's compiled Python (which a variable would change in the traced program as well).
_KEPT = os.path.join(BUILD, "tests", "kept")
GDB_OPTIONS = [
    word
    for setting in (
        "set auto-load off",
        "set index-cache directory {}/gdb".format(_KEPT),
        "set index-cache enabled on",
    )
    for word in ("-iex", setting)
]
KEEP_COMPILED = (
    "import sys; sys.dont_write_bytecode, sys.pycache_prefix = False, {!r}".format(_KEPT + "/python")
)

#: Runs the command that follows with cores allowed, as far as they may be.
WITH_CORES = ["/bin/sh", "-c", 'ulimit -c "$(ulimit -H -c)"; exec "$@"', "sh"]


def program(name):
    """The path of a built test program."""
    return os.path.join(PROGRAMS, name)


def tag_line(path, tag):
    """The line of a source that carries the comment `tag: TAG`."""
    with open(path, encoding="utf-8") as lines:
        found = [
            number
            for number, line in enumerate(lines, 1)
            if "/* tag: {} */".format(tag) in line
        ]
    if len(found) != 1:
        raise AssertionError("{} lines with the tag {!r} in {}".format(len(found), tag, path))
    return found[0]


def environment(home, **extra):
    """An environment that holds nothing of the user's."""
    base = {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "HOME": home,
        "LC_ALL": "C.UTF-8",
        "TERM": "dumb",
        "SHELL": "/bin/sh",
        "PYTHONDONTWRITEBYTECODE": "1",
        "ALLOCSNAP_LIBRARY": LIBRARY,
    }
    base.update(extra)
    return base


class Failed(AssertionError):
    """gdb did not do what the test relies on; the message has its output."""


class Results:
    """What each command of a batch printed, errors included."""

    def __init__(self, commands, outputs):
        self._pairs = list(zip(commands, outputs))

    def __getitem__(self, command):
        """The output of the only command that reads so."""
        found = [output for given, output in self._pairs if given == command]
        if len(found) != 1:
            raise AssertionError("{} results of {!r}".format(len(found), command))
        return found[0]

    @property
    def commands(self):
        return [command for command, _ in self._pairs]

    @property
    def outputs(self):
        """Of every command, in order."""
        return [output for _, output in self._pairs]

    def of(self, command):
        """The outputs of every command that reads so, in order."""
        return [output for given, output in self._pairs if given == command]

    def json(self, command):
        """The one line of JSON that a command printed."""
        text = self[command]
        if text.count("\n") != 1 or not text.endswith("\n") or not text.startswith("{"):
            raise Failed("{} did not print one line of JSON: {}".format(command, text))
        return json.loads(text)

    def __str__(self):
        return "".join("(gdb) {}\n{}".format(*pair) for pair in self._pairs)


#: Programs of the tests run to their ends.
GO_ON = "snapshot set stop-at-exit off"


def batch(
    case, commands, arguments=(), plugin=True, env=None, cwd=None, debugger=GDB, stops=False
):
    """Runs `gdb -batch` with each command as an -ex; returns Results.

    `arguments` are gdb's own (program, core, --args ...). The commands between
    marks are all there is: what gdb says at start-up is left out. `stops`: traced programs
    stop at their exit, as they do where nobody has set otherwise.
    """
    line = [debugger, "-nx", "-batch"] + GDB_OPTIONS
    if plugin:
        line += ["-iex", "python " + KEEP_COMPILED, "-ex", "source {}".format(SCRIPT)]
        line += [] if stops else ["-ex", GO_ON]
    line += ["-ex", "echo {}\\n".format(_MARK)]
    for command in commands:
        line += ["-ex", command, "-ex", "echo {}\\n".format(_MARK)]
    line += list(arguments)
    done = subprocess.run(
        WITH_CORES + line,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=DEADLINE,
        cwd=cwd or case.directory,
        env=environment(case.home, **(env or {})),
        check=False,
    )
    text = done.stdout.decode("utf-8", "replace")
    pieces = text.split(_MARK + "\n")
    if len(pieces) != len(commands) + 2:
        raise Failed("gdb ended early (status {}):\n{}".format(done.returncode, text))
    return Results(commands, pieces[1:-1])


class Gdb:
    """A gdb that takes one command after the other, at its prompt."""

    def __init__(self, case, arguments=(), plugin=True, env=None):
        self._process = subprocess.Popen(
            [GDB, "-nx", "-q"] + GDB_OPTIONS + ["-iex", "set confirm off"] + list(arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=case.directory,
            env=environment(case.home, **(env or {})),
            # A group of its own, as a Ctrl-C of the terminal reaches it alone.
            start_new_session=True,
        )
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._process.stdout, selectors.EVENT_READ)
        self._text = ""
        case.addCleanup(self.close)
        for setting in ("width 0", "height 0", "style enabled off"):
            self._send("set {}".format(setting))
        self._send("set inferior-tty /dev/null")
        self._send("set prompt {}\\n".format(_MARK))
        self.prompt()
        if plugin:
            self.run("python " + KEEP_COMPILED)
            self.run("source {}".format(SCRIPT))
            self.run(GO_ON)

    @property
    def pid(self):
        return self._process.pid

    def run(self, command):
        """Runs a command; returns what came up to the next prompt."""
        self._send(command)
        return self.prompt()

    def prompt(self):
        """Waits for the prompt; returns what came before it."""
        return self.wait_for(_MARK + "\n")

    def start(self, command):
        """Sends a command and does not wait for it."""
        self._send(command)

    def interrupt(self):
        """Does what Ctrl-C does."""
        os.kill(self._process.pid, signal.SIGINT)

    def wait_for(self, text):
        """Reads up to `text`; returns what came before it."""
        deadline = time.monotonic() + DEADLINE
        while text not in self._text:
            if not self._selector.select(max(0, deadline - time.monotonic())):
                raise Failed("no {!r} within {} s in:\n{}".format(text, DEADLINE, self._text))
            chunk = os.read(self._process.stdout.fileno(), 65536)
            if not chunk:
                raise Failed("gdb ended:\n{}".format(self._text))
            self._text += chunk.decode("utf-8", "replace")
        before, self._text = self._text.split(text, 1)
        return before

    def close(self):
        """Ends gdb and, through it, the program."""
        if self._process.poll() is None:
            try:
                self._process.stdin.write(b"kill\nquit\n")
                self._process.stdin.close()
                self._process.wait(DEADLINE)
            except (OSError, subprocess.TimeoutExpired):
                self._process.kill()
                self._process.wait()
        self._selector.close()
        self._process.stdout.close()
        if not self._process.stdin.closed:
            self._process.stdin.close()

    def _send(self, command):
        self._process.stdin.write(command.encode("utf-8") + b"\n")
        self._process.stdin.flush()


class Case(unittest.TestCase):
    """A test with a directory of its own, removed afterwards."""

    maxDiff = None

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="allocsnap-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.home = os.path.join(self.directory, "home")
        os.mkdir(self.home)

    def batch(self, commands, *arguments, **options):
        return batch(self, commands, arguments, **options)

    def gdb(self, *arguments, **options):
        return Gdb(self, arguments, **options)

    def at_stop(self, commands, name, *arguments, nframe=16, **options):
        """Runs a program traced to its stop_here(), then the commands."""
        before = ["snapshot start {}".format(nframe), "break stop_here", "run"]
        results = self.batch(
            before + list(commands), "--args", program(name), *arguments, **options
        )
        if "Breakpoint 1, " not in results["run"]:
            raise Failed("the program did not come to stop_here():\n{}".format(results))
        return results

    def ready(self, name, *arguments):
        """A traced process of a program that has said that it is ready, and waits."""
        process = subprocess.Popen(
            [program(name)] + list(arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=environment(self.home, LD_PRELOAD=HOOKS, ALLOCSNAP="16"),
        )
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        return process

    def need_attach(self):
        """Skips the test where a debugger may not attach to what it has not started."""
        try:
            with open("/proc/sys/kernel/yama/ptrace_scope", encoding="ascii") as scope:
                scope = scope.read().strip()
        except FileNotFoundError:
            return
        if scope != "0" and os.geteuid() != 0:
            self.skipTest("/proc/sys/kernel/yama/ptrace_scope is {}, not 0".format(scope))

    def need_kernel_cores(self):
        """Skips the test, saying why, where a core does not end up in the working
        directory."""
        with open("/proc/sys/kernel/core_pattern", encoding="ascii") as pattern:
            pattern = pattern.read().strip()
        if not re.match(r"core(\.?%p)?\Z", pattern):
            self.skipTest("/proc/sys/kernel/core_pattern is {!r}, not 'core'".format(pattern))
        hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        if hard != resource.RLIM_INFINITY:
            self.skipTest("`ulimit -H -c` is {}, not unlimited".format(hard))

    def kernel_core(self, name, *arguments, nframe="16", preload=HOOKS):
        """Has the kernel dump a program that ends by a signal; returns the path."""
        self.need_kernel_cores()
        where = tempfile.mkdtemp(prefix="core-", dir=self.directory)
        env = environment(self.home, ALLOCSNAP=nframe)
        if preload:
            env["LD_PRELOAD"] = preload
        done = subprocess.run(
            WITH_CORES + [program(name)] + list(arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=where,
            env=env,
            timeout=DEADLINE,
            check=False,
        )
        return self.only_core(where, "{!r}, status {}".format(done.stdout, done.returncode))

    @staticmethod
    def only_core(where, output):
        """The path of the core that the kernel has left in a directory."""
        cores = [name for name in os.listdir(where) if name.startswith("core")]
        if len(cores) != 1:
            raise Failed("there are {} cores, not one: {}".format(len(cores), output))
        return os.path.join(where, cores[0])
