"""What the tests of the hooks share: programs that run with them, under gdb or without."""

import json
import os
import select
import subprocess

import expectations
from e2e import harness
from e2e.harness import HOOKS, Failed, environment, program

LINES = "snapshot stats lineno --json --no-skip"
STATUS = "snapshot status"
#: Prints the traced bytes now and at their peak, and the bytes that the hooks take.
MEMORY = (
    "python import allocsnap; "
    "print(*allocsnap.get_traced_memory(), allocsnap.get_tracemalloc_memory())"
)


class Case(harness.Case):
    def variables(self, traced=True, nframe=16, preload=(), **extra):
        """The environment of a program that runs without gdb."""
        libraries = ([HOOKS] if traced else []) + list(preload)
        if traced:
            extra["ALLOCSNAP"] = str(nframe)
        if libraries:
            extra["LD_PRELOAD"] = ":".join(libraries)
        return environment(self.home, **extra)

    def finish(self, name, *arguments, **options):
        """Runs a program to its end; returns its status and what it printed."""
        done = subprocess.run(
            [program(name)] + list(arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            env=self.variables(**options),
            cwd=self.directory,
            timeout=harness.DEADLINE,
            check=False,
        )
        return done.returncode, done.stdout

    def paused(self, name, *arguments, **options):
        """Starts a traced program and waits until it is "ready"; returns its process id
        and what it printed before."""
        self.need_attach()
        child = subprocess.Popen(
            [program(name)] + list(arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self.variables(**options),
            cwd=self.directory,
        )
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        text = b""
        while not text.endswith(b"ready\n"):
            readable, _, _ = select.select([child.stdout], [], [], harness.DEADLINE)
            chunk = os.read(child.stdout.fileno(), 4096) if readable else b""
            if not chunk:
                child.kill()
                raise Failed("not ready: {!r}, status {}".format(text, child.wait()))
            text += chunk
        return child.pid, text.decode("utf-8")[: -len("ready\n")]

    def attached(self, name, pid, commands):
        """The results of commands in a gdb that is attached to a process."""
        return self.batch(commands, program(name), str(pid))

    @staticmethod
    def held(answer, source):
        """{line: (size, count)} of a source's lines that are most recent frames."""
        path = expectations.source(source)
        return {
            row["traceback"][0]["lineno"]: (row["size"], row["count"])
            for row in answer["statistics"]
            if row["traceback"][0]["filename"] == path
        }

    @staticmethod
    def tagged(source, **wanted):
        """{line: (size, count)} as held() has it, from {tag: (size, count)}; an underscore
        stands for a blank."""
        path = expectations.source(source)
        return {
            harness.tag_line(path, tag.replace("_", " ")): pair for tag, pair in wanted.items()
        }

    def memory(self, text):
        """(traced bytes now, at their peak, bytes of the hooks) from what MEMORY printed."""
        return tuple(int(word) for word in text.split())

    def check_sums(self, answer, memory):
        """What is traced is the sum of the rows, and the peak no less."""
        total = answer["total"]
        rows = answer["statistics"]
        self.assertEqual(total["size"], sum(row["size"] for row in rows))
        self.assertEqual(total["count"], sum(row["count"] for row in rows))
        now, peak, _ = self.memory(memory)
        self.assertEqual(total["size"], now)
        self.assertGreaterEqual(peak, now)


def answer_of(text):
    """The JSON of an interactive command."""
    return json.loads(text)
