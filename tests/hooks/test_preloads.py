"""Other libraries that are preloaded, before the hooks and after them: those that Debian has."""

import collections
import glob
import os
import shlex
import subprocess

import expectations
from e2e.harness import DEADLINE, GDB, HOOKS, environment, program

from .hooked import LINES, MEMORY, STATUS, Case, answer_of

#: `wrapper` is what starts a program with the library, `file` the beginning of its name, and
#: `defines` whether it has an allocation function of its own. `chatty`: it prints at exit what it
#: has counted, which the hooks may change.
Library = collections.namedtuple("Library", "wrapper file defines chatty")


def wrapped(file, *wrapper):
    return Library(wrapper, file, False, False)


def preloaded(file, defines, chatty=False):
    return Library(("env", "LD_PRELOAD=" + file), file, defines, chatty)


LIBRARIES = {
    "cowdancer": wrapped("libcowdancer.so", "env", "COWDANCER_REUSE=yes", "cow-shell"),
    "fakeroot": wrapped("libfakeroot-", "fakeroot"),
    "fakechroot": wrapped("libfakechroot.so", "fakechroot"),
    "eatmydata": wrapped("libeatmydata.so", "eatmydata"),
    # The times of files are moved by as much as the clock, which is another in each run.
    "faketime": wrapped("libfaketime.so", "env", "NO_FAKE_STAT=1", "faketime", "2020-02-29 12:00:00"),
    "faketime for threads": wrapped(
        "libfaketimeMT.so", "env", "NO_FAKE_STAT=1", "faketime", "-m", "2020-02-29 12:00:00"
    ),
    "stdbuf": wrapped("libstdbuf.so", "stdbuf", "-oL"),
    "pcprofile": preloaded("libpcprofile.so", False),
    "memusage": preloaded("libmemusage.so", True, chatty=True),
    "malloc debug": preloaded("libc_malloc_debug.so.0", True),
    "jemalloc": preloaded("libjemalloc.so.2", True),
    "tcmalloc": preloaded("libtcmalloc_minimal.so.4", True),
    "mimalloc": preloaded(os.path.basename(sorted(glob.glob("/usr/lib/*/libmimalloc.so.?"))[-1]), True),
}

#: Puts the hooks before what is preloaded already, or behind it, and starts a program.
WAYS = {
    "without": 'exec "$@"',
    "first": 'LD_PRELOAD="$HOOKS:$LD_PRELOAD" exec "$@"',
    "last": 'LD_PRELOAD="$LD_PRELOAD:$HOOKS" exec "$@"',
}

PYTHON = """\
import json, subprocess, threading, time
words = ["word%d" % (i * 7919 % 10007) for i in range(20000)]
threads = [threading.Thread(target=json.dumps, args=(words,)) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(json.dumps(words)), time.localtime().tm_year > 2000)
print(subprocess.run(["/bin/echo", "from a child"], stdout=subprocess.PIPE).stdout)
with open("linked", "a") as file: file.write("changed")
with open("original") as file: print(file.read())
raise SystemExit(3)
"""

RUNS = {
    "ls": ["/bin/ls", "-l", "--full-time", "/usr/include"],
    "python3": ["/usr/bin/python3", "-c", PYTHON],
    "cxx": [program("cxx")],
    "threads": [program("threads")],
}
LOOKED_AT = {"cxx": "cxx.cc", "threads": "threads.c"}
LOADED = "info sharedlibrary"


class Preloads(Case):
    seconds = 90

    def place(self):
        """A new directory for a program to work in, with a file of two names."""
        path = os.path.join(self.directory, "place%d" % len(os.listdir(self.directory)))
        os.mkdir(path)
        original = os.path.join(path, "original")
        with open(original, "w", encoding="ascii") as file:
            file.write("original ")
        os.link(original, os.path.join(path, "linked"))
        return path

    def result(self, library, way, command):
        """What a program that is started in this way prints, and its status."""
        done = subprocess.run(
            list(library.wrapper) + ["/bin/sh", "-c", WAYS[way], "sh"] + command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            cwd=self.place(),
            env=environment(self.home, HOOKS=HOOKS, ALLOCSNAP="16"),
            timeout=DEADLINE,
            check=False,
        )
        return done.returncode, done.stdout, "" if library.chatty else done.stderr

    def debugger(self, library):
        """A gdb that programs inherit the library's variables from, and the LD_PRELOAD that it is
        to give them, since it does not have it itself."""
        words = " ".join(shlex.quote(word) for word in library.wrapper)
        path = os.path.join(self.place(), "gdb")
        with open(path, "w", encoding="utf-8") as file:
            inner = "unset LD_PRELOAD; exec {} \"$@\"".format(GDB)
            file.write("#!/bin/sh\nexec {} /bin/sh -c '{}' sh \"$@\"\n".format(words, inner))
        os.chmod(path, 0o755)
        shown = subprocess.run(
            list(library.wrapper) + ["printenv", "LD_PRELOAD"],
            stdout=subprocess.PIPE,
            encoding="utf-8",
            cwd=self.place(),
            env=environment(self.home),
            timeout=DEADLINE,
            check=True,
        )
        return path, shown.stdout.strip()

    def looked_at(self, library, way):
        """What gdb shows of each program of LOOKED_AT at its stop_here()."""
        debugger, preload = self.debugger(library)
        if way == "first":
            commands = ["set environment LD_PRELOAD " + preload, "snapshot start 16"]
        else:
            commands = ["set environment ALLOCSNAP 16"]
            commands += ["set environment LD_PRELOAD {}:{}".format(preload, HOOKS)]
        for name in LOOKED_AT:
            commands += ["file " + program(name), "tbreak stop_here", "run"]
            commands += [LINES, MEMORY, STATUS, LOADED, "kill"]
        return self.batch(commands, debugger=debugger, cwd=self.place())

    def check_numbers(self, library, way):
        results = self.looked_at(library, way)
        shown = zip(*(results.of(command) for command in (LINES, MEMORY, STATUS, LOADED)))
        for (name, source), (lines, memory, status, loaded) in zip(LOOKED_AT.items(), shown):
            with self.subTest(program=name):
                self.assertIn("/" + library.file, loaded)
                self.assertIn("/liballocsnap-hooks.so", loaded)
                self.assertIn("dropped: 0 blocks", status)
                answer = answer_of(lines)
                self.check_sums(answer, memory)
                if library.defines and way == "last":
                    self.assertRegex(status, r"(?m)^unseen: +\S")
                    self.assertNotEqual(answer["notes"], [])
                    continue
                self.assertNotIn("unseen:", status)
                self.assertEqual(answer["notes"], [])
                path = expectations.source(source)
                self.assertEqual(self.held(answer, source), expectations.expected(path))

    def check(self, name):
        library = LIBRARIES[name]
        plain = {run: self.result(library, "without", RUNS[run]) for run in RUNS}
        self.assertEqual([plain[run][0] for run in RUNS], [0, 3, 0, 0])
        for way in ("first", "last"):
            for run, command in RUNS.items():
                with self.subTest(hooks=way, program=run):
                    self.assertEqual(self.result(library, way, command), plain[run])
            with self.subTest(hooks=way):
                self.check_numbers(library, way)


def test_of(name):
    def test(self):
        self.check(name)

    return test


for _name in LIBRARIES:
    setattr(Preloads, "test_" + _name.replace(" ", "_"), test_of(_name))
