"""The same sessions in every debugger that is there: what they print is the same.

SCENARIOS is the table. What a scenario holds is known from its program's source, and what
gdb prints is compared with that; what the others print is compared with gdb's.
"""

import json
import os
import re
import unittest
from typing import NamedTuple, Optional, Tuple

import expectations
from python import house

from . import debuggers
from .debuggers import CONTINUE, FOLLOW_CHILD, RUN, connect, start_server, stop_at, write_core
from .harness import HOOKS, ROOT, Case, Failed, program

HELD = "snapshot stats --json --no-skip"

#: What is typed in every scenario.
COMMANDS = [
    HELD,
    "snapshot status",
    "snapshot take one",
    "snapshot stats",
    "snapshot stats --json",
    "snapshot stats filename one",
    "snapshot stats filename --json",
    "snapshot stats traceback -n 5",
    "snapshot stats traceback one --json",
    "snapshot stats --cumulative",
    "snapshot stats --cumulative --json",
    "snapshot stats --exclude *.h -n 3",
    "snapshot stat func -n all",
    "snapshot stats module --json",
    "snapshot stats size",
    "snapshot traces -n 4",
    "snapshot traces -n 4 --json",
    "snapshot diff one",
    "snapshot diff one --json",
    "snapshot dump one one.dump",
    "snapshot load one.dump again",
    "snapshot export one one.folded",
    "snapshot export one now two.folded --count",
    "snapshot export one heap.heapsnapshot",
    "snapshot export one heap.pb.gz",
    "snapshot export one heap.csv",
    "snapshot export one now heap.db",
    "snapshot export one heap.speedscope.json",
    "snapshot export one one.html",
    "snapshot export one now two.html --no-source",
    "snapshot export one heap.profile.json",
    "snapshot export one one.xyz",
    "snapshot diff one again traceback --json",
    "snapshot status again",
    "snapshot set names short",
    "snapshot set paths short",
    "snapshot stats traceback -n 3",
    "snapshot set",
    "snapshot take --no-names bare",
    "snapshot symbolize bare",
    "snapshot stats bare --json",
    "snapshot list",
    "snapshot who 1",
    "snapshot who --json 1",
    # Wrong ones.
    "snapshot start 0",
    "snapshot take one",
    "snapshot take no more",
    "snapshot stats --nothing",
    "snapshot stats nobody",
    "snapshot stats -n 0",
    "snapshot diff nobody",
    "snapshot delete nobody",
    "snapshot load /nonexistent",
    "snapshot dump one /nonexistent/one.dump",
    "snapshot freed",
    "snapshot freed nobody",
    "snapshot errors",
    "snapshot errors nobody",
    "snapshot history",
    "snapshot history nobody",
    "snapshot who",
    "snapshot who 1.5",
    "snapshot set colours",
    "snapshot stats --help",
    "snapshot who --help",
    "snapshot delete one again",
    "snapshot list",
]

#: Of a live process only.
CONTROL = [
    "snapshot reset-peak",
    "snapshot clear",
    "snapshot status",
    "snapshot start 3",
    "snapshot watch 100G --failed",
    "snapshot watch",
    "snapshot watch off",
    "snapshot stop",
    "snapshot status",
]


class Scenario(NamedTuple):
    """A row of the table."""

    name: str
    source: str  # of the program, whose marks say what it holds
    where: Optional[str] = None  # of the marks
    arguments: Tuple[str, ...] = ()
    how: str = "live"  # or "kernel core", "gdb core", "own core", "attach", "server"
    before: Tuple = ()  # steps before it runs
    more: Tuple[str, ...] = ()  # further commands
    control: bool = True  # whether CONTROL comes too, where it is live


_WHO = ("snapshot who kept[0]", "snapshot who &kept", "snapshot who kept")
_WHO_INSIDE = ("snapshot who --json (char *) kept[1] + 3",)
_AGES = ("snapshot traces --sort age -n 1",)

SCENARIOS = (
    Scenario("c", "holds.c", more=_WHO + _WHO_INSIDE),
    Scenario("c of every function", "plain.c", more=_WHO + _WHO_INSIDE),
    Scenario("inlined", "inlined.c"),
    Scenario("c++", "cxx.cc"),
    Scenario("pools", "pools.c"),
    Scenario("threads", "threads.c", more=("snapshot who blocks[3][1]",)),
    Scenario("dlopen", "dlopen.c"),
    Scenario("parent", "fork.c", "parent"),
    Scenario("child", "fork.c", "child", before=(FOLLOW_CHILD,), control=False),  # another program to gdb
    Scenario("big", "million.c"),
    Scenario("kernel core", "holds.c", arguments=("abort",), how="kernel core", more=_WHO + _WHO_INSIDE + _AGES),
    Scenario("gdb core", "holds.c", how="gdb core", more=_WHO + _WHO_INSIDE + _AGES),
    Scenario("gdb core of c++", "cxx.cc", how="gdb core", more=_AGES),
    Scenario("gdb core of threads", "threads.c", how="gdb core", more=_AGES),
    Scenario("gdb core, big", "million.c", how="gdb core"),
    Scenario("own core", "holds.c", how="own core", more=_WHO),
    Scenario("own core of threads", "threads.c", how="own core"),
    Scenario("server", "holds.c", how="server", more=_WHO + _WHO_INSIDE),
    Scenario("server of threads", "threads.c", how="server", more=_AGES),
    Scenario("attach", "holds.c", arguments=("pause",), how="attach", more=_WHO + _WHO_INSIDE + _AGES),
)

#: What a debugger cannot do, and what it says then.
CANNOT = {("lldb-14", "own core"): "no ObjectFile plugins were able to save a core"}

# Differs from run to run.
_VARYING = (
    (r"\bprocess \d+", "process N"),
    (r"tracker: \d+ KiB", "tracker: N KiB"),
    (r"rss: .*(\n +\(other: .*)?", "rss: N"),
    (r"\bcore \S+", "core FILE"),
    (r"\S*/((?:one|two|heap)\.[a-z.]+)", r"\1"),
    (r"0x[0-9a-f]+", "0xN"),
    (r"(by thread|thread=)[ ]?\d+( \([^)]*\))?", r"\1 N"),
    (r"time=[0-9.]+ s \([0-9:]+\)", "time=T"),
    (r"\d+\.\d\d s after the start of the hooks, at [-0-9]+ [0-9:]+", "at T"),
)
_VARYING_FIELDS = ("address", "thread", "thread_label", "time", "start", "end")


def _constant(value):
    """JSON without what differs from run to run."""
    if isinstance(value, dict):
        return {
            key: None if key in _VARYING_FIELDS else _constant(entry)
            for key, entry in value.items()
        }
    return [_constant(entry) for entry in value] if isinstance(value, list) else value


def normalised(output):
    """The output of a command without what differs from run to run, or between debuggers
    of themselves: LLDB says that an error is one."""
    if output.startswith("{"):
        return _constant(json.loads(output))
    if output.startswith("error: "):
        output = output[len("error: ") :]
    for pattern, constant in _VARYING:
        output = re.sub(pattern, constant, output)
    return output


class Table(unittest.TestCase):
    def test_each_debugger_of_the_table_is_run(self):
        folders = house.folders(ROOT)
        self.assertEqual(list(debuggers.RUNNERS), folders)
        self.assertEqual(list(debuggers.Step._fields), folders)


class Scenarios(Case):
    """Each row is a test, made below."""

    seconds = 45

    def check_held(self, results, scenario):
        path = expectations.source(scenario.source)
        held = {
            row["traceback"][0]["lineno"]: (row["size"], row["count"])
            for row in results.json(HELD)["statistics"]
            if row["traceback"][0]["filename"] == path
        }
        self.assertEqual(held, expectations.expected(path, scenario.where))

    def session(self, debugger, scenario, core=None, pid=None, commands=None):
        """What a debugger prints in a scenario, from a directory of its own."""
        cwd = os.path.join(self.directory, debugger.name)
        os.makedirs(cwd, exist_ok=True)
        name = program(scenario.source.rpartition(".")[0])
        if commands is None:
            commands = COMMANDS + list(scenario.more)
        before = []
        go = RUN
        if scenario.how == "server":
            port = start_server(self, debugger, name, LD_PRELOAD=HOOKS, ALLOCSNAP="16")
            go = CONTINUE
            before = [connect(port), stop_at("stop_here"), go]
        elif core is None and pid is None:
            before = list(scenario.before) + ["snapshot start", stop_at("stop_here"), go]
            if commands[0] == HELD and scenario.control:
                commands = commands + CONTROL
        results = debugger.run(
            self, before + commands, name, scenario.arguments, core=core, pid=pid, cwd=cwd
        )
        if before and "stop_here" not in results[go]:
            raise Failed("{} did not stop:\n{}".format(debugger.name, results))
        return results

    def check_same(self, scenario, gdb, results):
        """What another debugger printed against what gdb did, all commands but the steps."""
        given = [command for command in results.commands if isinstance(command, str)]
        for number, command in enumerate(given):
            told = given[:number].count(command)
            with self.subTest(command=command):
                self.assertEqual(
                    normalised(results.of(command)[told]), normalised(gdb.of(command)[told])
                )

    def check(self, scenario):
        gdb, *others = debuggers.every()
        core = process = None
        if scenario.how == "kernel core":
            core = self.kernel_core(scenario.source.rpartition(".")[0], *scenario.arguments)
        elif scenario.how in ("gdb core", "own core"):
            core = os.path.join(self.directory, "gdb.core")
            self.session(gdb, scenario, commands=[write_core(core)])
        elif scenario.how == "attach":
            self.need_attach()
            process = self.ready(scenario.source.rpartition(".")[0], *scenario.arguments)
        pid = process.pid if process is not None else None
        reference = self.session(gdb, scenario, core=core, pid=pid)
        self.check_held(reference, scenario)
        for other in others:
            with self.subTest(debugger=other.name):
                if scenario.how != "own core":
                    results = self.session(other, scenario, core=core, pid=pid)
                    self.check_same(scenario, reference, results)
                    continue
                own = os.path.join(self.directory, other.name + ".core")
                written = self.session(other, scenario, commands=[write_core(own)])
                refusal = CANNOT.get((other.name, scenario.how))
                if refusal is not None:
                    self.assertIn(refusal, written.outputs[-1])
                    continue
                results = self.session(other, scenario, core=own)
                self.check_same(scenario, reference, results)


def _test(scenario):
    return lambda self: self.check(scenario)


for _scenario in SCENARIOS:
    setattr(
        Scenarios,
        "test_" + re.sub(r"\W+", "_", _scenario.name.replace("+", "x")),
        _test(_scenario),
    )


if __name__ == "__main__":
    unittest.main()
