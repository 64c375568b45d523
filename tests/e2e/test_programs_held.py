"""What each test program holds, live in gdb and from both kinds of core."""

import os
import re
import tempfile
import unittest

import expectations

from .harness import Case, Failed, program

# The marks say which frame asked for memory, be it an operator new.
LINES = "snapshot stats lineno --json --no-skip"
STATS = [LINES, "snapshot stats lineno --json"] + [
    "snapshot stats " + words
    for words in (
        "lineno -n 1000",
        "filename -n 1000",
        "traceback -n 1000",
        "lineno -n 1000 --cumulative",
        "filename -n 1000 --cumulative",
        "filename --json",
        "traceback --json",
        "lineno --cumulative --json",
        "filename --cumulative --json",
    )
]

# Frames enough for the deepest of the stacks whose frames are counted.
NFRAME = 64

# Programs that stop at several places: which marks hold there, and how gdb gets to
# stop there.
STOPS = {
    "early.c": {"main": ["break stop_here"], "exit": ["break _exit"]},
    "fork.c": {
        "parent": ["break stop_here"],
        "child": ["set follow-fork-mode child", "break stop_here"],
    },
    "phases.c": {"first": ["break stop_here"]},
    "sampled.c": {"first": ["break stop_here"]},
    "plain_operators.cc": {"operator": ["break stop_here"]},
    "misused_pool.c": {
        "first": ["break stop_here"],
        "second": ["break stop_here", "ignore 1 1"],
    },
    "exchange.c": {
        "full": ["break stop_here"],
        "exchanged": ["break stop_here", "ignore 1 1"],
    },
    "exits_at_once.c": {None: ["break _exit"]},
}

SHARED = {
    "dlopen.c": ["libplugin.c", "libgone.c"],
    "unloaded.c": ["libfirst.c", "libsecond.c"],
}


def marked_sources():
    """The sources of programs that state what they hold."""
    for name in sorted(os.listdir(expectations.PROGRAMS)):
        if name.endswith((".c", ".cc")) and not name.startswith("lib"):
            with open(expectations.source(name), encoding="utf-8") as text:
                if "heap:" in text.read() or name in STOPS:
                    yield name


class Programs(Case):
    seconds = 70

    def check_held(self, answer, source, where):
        """Compares statistics by line with the marks of a source."""
        path = expectations.source(source)
        held = {
            row["traceback"][0]["lineno"]: (row["size"], row["count"])
            for row in answer["statistics"]
            if row["traceback"][0]["filename"] == path
        }
        self.assertEqual(held, expectations.expected(path, where))

    def check_frames(self, answer, source, where):
        """Compares statistics by traceback with the marks that count frames."""
        path = expectations.source(source)
        for mark in expectations.live(path, where):
            if mark.frames is None:
                continue
            stacks = [
                [frame for frame in row["traceback"] if frame["filename"] == path]
                for row in answer["statistics"]
                if (row["traceback"][0]["filename"], row["traceback"][0]["lineno"])
                == (path, mark.line)
            ]
            self.assertEqual([len(stack) for stack in stacks], [mark.frames], mark)

    def check(self, source, where, stop):
        name = os.path.splitext(source)[0]
        cores = tempfile.mkdtemp(prefix="cores-", dir=self.directory)
        gcore = os.path.join(self.directory, "gcore")
        commands = ["set breakpoint pending on", "snapshot start {}".format(NFRAME)] + stop + ["run"] + STATS
        commands += ["generate-core-file " + gcore, "delete", "signal SIGABRT"]
        live = self.batch(commands, program(name), cwd=cores)
        if not re.search(r"\bBreakpoint 1(\.\d+)?, ", live["run"]):
            raise Failed("it did not come to its stop:\n{}".format(live["run"]))
        for one in [source] + SHARED.get(source, []):
            self.check_held(live.json(LINES), one, where)
        self.check_frames(live.json("snapshot stats traceback --json"), source, where)
        if expectations.is_exact(expectations.source(source)):
            total = live.json(LINES)["total"]
            self.assertEqual(
                (total["size"], total["count"]),
                expectations.total(expectations.source(source), where),
            )
        self.compare(live, name, gcore)
        self.need_kernel_cores()
        self.compare(live, name, self.only_core(cores, live))

    def compare(self, live, name, core):
        """The core gives byte for byte what the process gave."""
        dead = self.batch(STATS, program(name), core)
        for command in STATS:
            self.assertEqual(dead[command], live[command], core)


def add(source, where, stop):
    def test(self):
        self.check(source, where, stop)

    name = "test_{}".format(source.replace(".", "_"))
    setattr(Programs, name if where is None else "{}_{}".format(name, where), test)


for marked in marked_sources():
    for place, how in STOPS.get(marked, {None: ["break stop_here"]}).items():
        add(marked, place, how)


if __name__ == "__main__":
    unittest.main()
