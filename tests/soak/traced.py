"""Real programs with the hooks in them: started, watched and looked at by gdb."""

import collections
import json
import os
import platform
import re
import shlex
import subprocess
import threading

from e2e.harness import BUILD, GDB, HOOKS, SCRIPT

#: Seconds after which a program counts as hanging.
PATIENCE = 1800

#: The period of the sample that programs are traced by; None: every block.
SAMPLE = os.environ.get("ALLOCSNAP_SOAK_SAMPLE")

#: What a run showed. `blocks` and `size` (bytes) are what the program held when it was
#: looked at, at its end.
Shown = collections.namedtuple("Shown", "command blocks size checks")

STATS = "snapshot stats lineno --json"
MEMORY = "python import allocsnap; print(*allocsnap.get_traced_memory())"
_MARK = "\036"

#: Where the kernel gets it.
FIRST_ARGUMENT = {"x86_64": "$rdi", "aarch64": "$x0"}


def environment(traced, **extra):
    """An environment that holds nothing of the user's, with the hooks or without."""
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}
    if traced:
        env.update(LD_PRELOAD=HOOKS, ALLOCSNAP="16")
        if SAMPLE:
            env.update(ALLOCSNAP_SAMPLE=SAMPLE)
    env.update(extra)
    return env


def run(command, traced, directory, given=None, **extra):
    """What a program prints that must end well."""
    done = subprocess.run(
        command,
        input=given,
        stdin=subprocess.DEVNULL if given is None else None,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment(traced, **extra),
        cwd=directory,
        timeout=PATIENCE,
        check=False,
    )
    expect(done.returncode == 0, command, "status", done.returncode, done.stdout[-2000:])
    return done.stdout


def both(command, directory, result=None, given=None, **extra):
    """What a program prints, or what result() is after it, which must be the same with the hooks
    and without."""
    said = []
    for traced in (False, True):
        printed = run(command, traced, directory, given, **extra)
        said.append(printed if result is None else result())
    plain, text = (str(what)[-1000:] for what in said)
    expect(said[0] == said[1], command, "without the hooks", plain, "with", text)
    return said[1]


def expect(condition, *words):
    """Ends the run of a program that is not as it should be."""
    if not condition:
        raise AssertionError(" ".join(str(word) for word in words))


def gdb(commands, arguments, directory, **extra):
    """What each command prints in a gdb with the snapshot command."""
    line = [GDB, "-nx", "-batch", "-iex", "set auto-load off", "-ex", "source " + SCRIPT]
    line += ["-ex", "snapshot set stop-at-exit off"]
    for command in commands:
        line += ["-ex", "echo {}\\n".format(_MARK), "-ex", command]
    library = os.path.join(BUILD, "liballocsnap.so")
    text = run(line + arguments, False, directory, ALLOCSNAP_LIBRARY=library, **extra)
    outputs = text.decode("utf-8", "replace").split(_MARK + "\n")[1:]
    expect(len(outputs) == len(commands), text.decode("utf-8", "replace"))
    return outputs


def held(outputs):
    """(blocks, bytes) of [STATS, MEMORY, status] outputs, which must agree."""
    stats, memory, status = outputs
    expect(stats.startswith("{") and stats.count("\n") == 1, "not a line of JSON:", stats[:2000])
    answer = json.loads(stats)
    total = answer["total"]
    now, peak = (int(word) for word in memory.split())
    rows = answer["statistics"]
    # Estimates have parts of blocks, and the hooks' own are a little off.
    count = "sampled_count" if SAMPLE else "count"
    off = now // 10000 if SAMPLE else 0
    expect(sum(row["size"] for row in rows) == total["size"], "rows do not add up", total)
    expect(sum(row[count] for row in rows) == total[count], "rows do not add up", total)
    expect(abs(total["size"] - now) <= off, "sum", total, "traced", now)
    expect(now <= peak, "traced", now, "peak", peak)
    expect("dropped: 0 blocks" in status, status)
    # That some frames have no names is no matter of what was traced.
    notes = [note for note in answer["notes"] if "not named" not in note]
    if SAMPLE:
        expect("this is a sample" in notes.pop(0), answer["notes"])
    expect(notes == [], notes)
    return total["count"], total["size"]


LOOK = [STATS, MEMORY, "snapshot status"]


def attached(pid, directory):
    """(blocks, bytes) that a running program holds."""
    return held(gdb(LOOK, ["-p", str(pid)], directory))


def at_exit(command, directory, **extra):
    """(blocks, bytes) that a program holds when it asks the kernel to end it."""
    # What stands behind `run` takes the place of arguments that gdb was given before.
    words = " ".join(shlex.quote(word) for word in command[1:])
    start = "run {} >/dev/null </dev/null".format(words)
    start_tracing = "snapshot start 16" + (" --sample " + SAMPLE if SAMPLE else "")
    before = [start_tracing, "catch syscall exit_group", start]
    status = "print (int) " + FIRST_ARGUMENT[platform.machine()]
    outputs = gdb(before + LOOK + [status], [command[0]], directory, **extra)
    expect("Catchpoint 1 (call to syscall exit_group)" in outputs[2], outputs[2])
    expect(outputs[-1] == "$1 = 0\n", command, "status", outputs[-1])
    return held(outputs[3:-1])


class Server:
    """A program that runs until it is told to end, and says when it is ready."""

    def __init__(self, command, ready, directory, given=False, traced=True, **extra):
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE if given else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment(traced, **extra),
            cwd=directory,
        )
        self.pid = self._process.pid
        self.stdin = self._process.stdin
        self.text = ""
        self._changed = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.wait_for(ready)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdout, self._process.stdin):
            if pipe is not None:
                pipe.close()

    def _read(self):
        for line in self._process.stdout:
            with self._changed:
                self.text += line.decode("utf-8", "replace")
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait_for(self, pattern):
        """The match of a pattern in what the program prints."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._ended or re.search(pattern, self.text), timeout=PATIENCE
            )
            match = re.search(pattern, self.text)
        expect(match, "no", repr(pattern), "in", self.text[-2000:])
        return match

    def end(self):
        """Ends it by SIGTERM; its status."""
        self._process.terminate()
        return self.ended()

    def ended(self):
        """Waits until it has ended, and all is read that it has printed; its status."""
        status = self._process.wait(PATIENCE)
        self._reader.join()
        return status
