"""What is LLDB's own: its settings, its breakpoints, its ways to start and to be interrupted.
The commands themselves are compared with gdb's in test_scenarios.py."""

import functools
import json
import os
import shutil
import subprocess
import unittest

import expectations

from . import debuggers
from .debuggers import RUN, stop_at
from .harness import DEADLINE, HOOKS, LIBRARY, ROOT, Case, environment, program

SCRIPT = os.path.join(ROOT, "lldb", "allocsnap_lldb.py")
STARTED = ["snapshot start", stop_at("stop_here"), RUN]
STATS = "snapshot stats --json"
SHOW = "settings show target.env-vars"

MODULE = "import sys; m = [m for n, m in sys.modules.items() if n == 'allocsnap_lldb'][0]; "

#: Reading by LLDB's server, as of a process elsewhere.
NOT_LOCAL = "script {}m.LldbTarget._local_pid = lambda self: None".format(MODULE)

COMPLETE = """
import json, lldb
def show(debugger, line):
    found = lldb.SBStringList()
    debugger.GetCommandInterpreter().HandleCompletion(line, len(line), 0, -1, found)
    print(json.dumps(sorted(found.GetStringAtIndex(i) for i in range(1, found.GetSize()))))
"""

# The signal comes while a command is carried out, which goes on when LLDB has taken it.
INTERRUPT = """
import os, signal, sys
_lldb = [module for name, module in sys.modules.items() if name == "allocsnap_lldb"][0]
_whole = _lldb.LldbTarget.files
def _interrupted(self):
    os.kill(os.getpid(), signal.SIGINT)
    while not self.interrupted():
        pass
    _lldb.LldbTarget.files = _whole
    return _whole(self)
_lldb.LldbTarget.files = _interrupted
"""

TWO_DEBUGGERS = """
import json
import lldb

import allocsnap

def traced():
    return allocsnap.get_traced_memory()[0]

def run():
    debugger = lldb.SBDebugger.Create()
    debugger.SetAsync(False)
    said = {{}}

    def command(line):
        result = lldb.SBCommandReturnObject()
        debugger.GetCommandInterpreter().HandleCommand(line, result)
        return ((result.GetOutput() or "") + (result.GetError() or "")).splitlines()

    for line in ("command script import {0}", "target create {1}", "snapshot start",
                 "breakpoint set -n stop_here", "process launch"):
        command(line)
    said["list"] = command("snapshot list")
    said["taken"] = command("snapshot take theirs")
    said["traced"] = traced()
    print(json.dumps(said))
    command("process kill")
    lldb.SBDebugger.Destroy(debugger)
"""


def in_each(test):
    """A test of every LLDB that is there."""

    @functools.wraps(test)
    def run(self):
        for self.lldb in debuggers.lldbs():
            with self.subTest(debugger=self.lldb.name):
                test(self)

    return run


class Lldb(Case):
    seconds = 15

    lldb = None  # the one that is tested

    def session(self, commands, name="holds", **options):
        """What the commands print."""
        results = self.lldb.run(self, commands, program(name), **options)
        self.assertNotIn("Traceback", str(results))
        return results

    def check_holds(self, answer):
        lines = expectations.expected(expectations.source("holds.c"))
        held = {
            row["traceback"][0]["lineno"]: (row["size"], row["count"])
            for row in answer["statistics"]
        }
        self.assertEqual(held, lines)

    def plainly(self, arguments):
        """What LLDB prints by itself, as a user starts it."""
        done = subprocess.run(
            [self.lldb.binary] + arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.directory,
            env=environment(self.home),
            timeout=DEADLINE,
            encoding="utf-8",
            check=False,
        )
        return done.stdout

    @in_each
    def test_environment_of_the_user(self):
        """What is in target.env-vars stays, and is back after a stop."""
        value = 'NAME=a "b" \\c `d`'
        before = [
            "settings append target.env-vars LD_PRELOAD=libm.so.6",
            r'settings append target.env-vars "NAME=a \"b\" \\c \`d\`"',
            SHOW,
        ]
        results = self.session(before + ["snapshot start 5", SHOW, "snapshot stop", SHOW])
        first, started, stopped = results.of(SHOW)
        self.assertIn("  LD_PRELOAD=libm.so.6\n", first)
        self.assertIn("  {}\n".format(value), first)
        self.assertIn("  LD_PRELOAD={}:libm.so.6\n".format(HOOKS), started)
        self.assertIn("  ALLOCSNAP=5\n", started)
        self.assertIn("  {}\n".format(value), started)
        self.assertEqual(stopped, first)

    @in_each
    def test_two_debuggers(self):
        """Each has snapshots and a program of its own; the package's functions act on the
        program of the one whose commands were used last."""
        script = os.path.join(self.directory, "two.py")
        with open(script, "w", encoding="utf-8") as file:
            file.write(TWO_DEBUGGERS.format(SCRIPT, program("pools")))
        commands = ["command script import " + script, "snapshot take mine", "script two.run()"]
        commands += ["snapshot list", "script print(two.traced())"]
        results = self.session(STARTED + commands)
        said = json.loads(results["script two.run()"])
        self.assertEqual(said["list"], ["No snapshots: `snapshot take` takes one."])
        self.assertEqual(said["taken"][-1:], ["Snapshot theirs: 1180 B in 4 blocks."])
        self.assertEqual(said["traced"], 1180)
        listed = results["snapshot list"].splitlines()
        self.assertEqual([line.split()[0] for line in listed], ["NAME", "mine"])
        self.assertEqual(results["script print(two.traced())"], "10128\n")

    @in_each
    def test_environment_changed_meanwhile(self):
        commands = ["snapshot start", "settings append target.env-vars LD_PRELOAD={}:libm.so.6".format(HOOKS)]
        results = self.session(commands + ["snapshot stop", SHOW, "snapshot stop"])
        self.assertEqual(
            results[SHOW], "target.env-vars (dictionary of strings) =\n  LD_PRELOAD=libm.so.6\n"
        )
        self.assertEqual(
            results.of("snapshot stop"),
            [
                "The next `run` is not traced.\n",
                "error: there is nothing to stop: `snapshot start` was not given\n",
            ],
        )

    @in_each
    def test_who_in_a_snapshot_of_a_process_that_is_gone(self):
        commands = ["snapshot start", "breakpoint set -n stop_here", "run", "snapshot take one"]
        commands += ["process kill"]
        results = self.session(commands + ["snapshot who --in one 1", "snapshot who --in one kept"])
        self.assertEqual(
            results["snapshot who --in one 1"],
            "0x1: in no live traced block: it was freed, or never traced\n",
        )
        self.assertEqual(
            results["snapshot who --in one kept"],
            "error: there is no process and no core in which `kept` is an address: give it as a"
            " number\n",
        )

    @in_each
    def test_without_a_program(self):
        nothing = (
            "error: there is no process and no core: start the program with `run`, or load a"
            " core file\n"
        )
        no_program = "error: there is no program: name it first with `target create PROGRAM`\n"
        commands = ["target delete", "snapshot stats", "snapshot status", "snapshot start"]
        results = self.session(commands + ["snapshot who main", "snapshot list"])
        self.assertEqual(results["snapshot stats"], nothing)
        self.assertEqual(results["snapshot status"], nothing)
        self.assertEqual(results["snapshot start"], no_program)
        self.assertEqual(
            results["snapshot who main"],
            "error: there is no process and no core in which `main` is an address: give it as a"
            " number\n",
        )
        self.assertEqual(
            results["snapshot list"], "No snapshots: `snapshot take` takes one.\n"
        )

    @in_each
    def test_read_by_lldb(self):
        """The same as what is read from the kernel."""
        commands = ["snapshot stats traceback --json", "snapshot traces --json", "snapshot who kept"]
        local = "script {}print(m.LldbTarget(lldb.debugger).process().local_pid > 0)".format(MODULE)
        results = self.session(STARTED + [local] + commands + [NOT_LOCAL] + commands)
        self.assertEqual(results[local], "True\n")
        for command in commands:
            direct, by_lldb = results.of(command)
            self.assertEqual(by_lldb, direct)
        self.assertEqual(json.loads(results.of(commands[0])[0])["total"]["size"], 10128)

    @in_each
    def test_core_read_by_lldb(self):
        commands = ["snapshot stats traceback --json", "snapshot traces --json"]
        nameless = "script {}sys.modules['lldb_target']._core_path = lambda process: None".format(MODULE)
        core = os.path.join(self.directory, "gdb.core")
        debuggers.gdb().run(self, STARTED + [debuggers.write_core(core)], program("holds"))
        results = self.session(commands + [nameless] + commands + ["snapshot status"], core=core)
        for command in commands:
            direct, by_lldb = results.of(command)
            self.assertEqual(by_lldb, direct)
        self.assertEqual(results["snapshot status"].splitlines()[0], "target:  core file")

    @in_each
    def test_cores_of_every_style(self):
        """Minidumps: those with the modified memory have the records, others say what to do."""
        paths = {style: os.path.join(self.directory, style) for style in ("full", "modified-memory", "stack")}
        save = "process save-core --plugin-name=minidump --style {} {}"
        written = self.session(STARTED + [save.format(*item) for item in paths.items()])
        version = int(self.lldb.name.partition("-")[2])
        if version < 19:
            self.assertIn("error: ", written[save.format("full", paths["full"])])
            return
        for style in ("full", "modified-memory"):
            self.check_holds(self.session([STATS], core=paths[style]).json(STATS))
        self.assertEqual(
            self.session([STATS], core=paths["stack"])[STATS],
            "error: the program had the hooks, but their records are not in this core: have it"
            " written with `process save-core --style full`\n",
        )
        if version < 20:
            return  # which refuses by itself what it has written, when that is cut off
        os.truncate(paths["full"], os.path.getsize(paths["full"]) // 2)
        lost = "the hooks' records are not in what is left; have a whole one written with `process save-core"
        for how in ("is truncated", "was cut off and filled up with zeros"):
            said = self.session([STATS], core=paths["full"])[STATS]
            self.assertRegex(
                said,
                r"\Aerror: core /\S+/full {}, \d+ KiB of the program's memory are missing: {} --style"
                r" full`\n\Z".format(how, lost),
            )
            os.truncate(paths["full"], 2 * os.path.getsize(paths["full"]))

    @in_each
    def test_breakpoints(self):
        """The functions that stop above a number."""
        add = "breakpoint command add -F allocsnap_lldb.{}"
        commands = ["snapshot start", stop_at("keep"), add.format("snapshot_size -k above -v 800"), RUN]
        commands += [STATS, "breakpoint delete -f", stop_at("keep")]
        commands += [add.format("snapshot_count -k above -v 12 -k place -v holds.c"), "continue", STATS]
        commands += ["breakpoint delete -f", "snapshot place holds.c:44", stop_at("keep")]
        commands += [add.format("snapshot_count -k above -v 0 -k place -v 1"), "continue", STATS]
        totals = [{"size": 900, "count": 9}, {"size": 10096, "count": 13}, {"size": 10128, "count": 14}]
        results = self.session(commands)
        self.assertEqual([json.loads(text)["total"] for text in results.of(STATS)], totals)

    @in_each
    def test_breakpoints_without_a_number(self):
        add = "breakpoint command add -F allocsnap_lldb.snapshot_size"
        results = self.session(["snapshot start", stop_at("keep"), add, RUN])
        self.assertIn(
            "error: snapshot_size stops above a number: {} -k above -v 100000000\n".format(add),
            results[RUN],
        )

    @in_each
    def test_interrupted(self):
        """Ctrl-C ends the command alone."""
        path = os.path.join(self.directory, "interrupt.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(INTERRUPT)
        interrupt = "command script import " + path
        results = self.session(STARTED + [interrupt, "snapshot stats", STATS])
        self.assertIn("Interrupted", results["snapshot stats"])
        self.assertNotIn("Total", results["snapshot stats"])
        self.check_holds(results.json(STATS))

    @in_each
    def test_sources_elsewhere(self):
        """Source lines follow target.source-map."""
        moved = os.path.join(self.directory, "moved it")
        os.makedirs(moved, exist_ok=True)
        source = expectations.source("holds.c")
        with open(source, encoding="utf-8") as file:
            text = file.read().replace("keep(calloc(4, 1024)); ", "keep(here_it_is());     ")
        with open(os.path.join(moved, "holds.c"), "w", encoding="utf-8") as file:
            file.write(text)
        rule = 'settings set target.source-map {} "{}"'.format(os.path.dirname(source), moved)
        results = self.session(STARTED + [rule, "snapshot stats"])
        self.assertIn("keep(here_it_is());", results["snapshot stats"])

    @in_each
    def test_directories_of_debug_files(self):
        dirs = [os.path.join(self.directory, name) for name in ("one", "two three")]
        for path in dirs:
            os.makedirs(path, exist_ok=True)
        setting = 'settings set target.debug-file-search-paths {} "{}"'.format(*dirs)
        ask = "script {}print(m.LldbTarget(lldb.debugger).debug_directories())".format(MODULE)
        results = self.session([setting, ask])
        self.assertEqual(results[ask], ":".join(dirs + ["/usr/lib/debug"]) + "\n")

    @in_each
    def test_expressions(self):
        """Nothing runs in the program for them, and what is wrong is said in a line."""
        commands = [
            "snapshot who stop_here()",
            "snapshot who nobody",
            "snapshot who 1 +",
            "snapshot who kept_count",
            "snapshot who (char)-1",
            "snapshot who $sp",
            "snapshot who 0x1ffffffffffffffff",
            "snapshot who 18446744073709551616",
            "snapshot who 0xffffffffffffffff",
            'snapshot who "text"',
            "snapshot who 1 2",
        ]
        results = self.session(STARTED + commands)
        for command in commands[:3]:
            self.assertRegex(results[command], r"\Aerror: .*\n\Z")
        for number in ("0x1ffffffffffffffff", "18446744073709551616"):
            self.assertEqual(
                results["snapshot who " + number],
                "error: `{}` is no address: it has more than 64 bits\n".format(number),
            )
        self.assertIn("or take memory in it", results['snapshot who "text"'])
        self.assertRegex(results["snapshot who 1 2"], r"\Aerror: .*\n\Z")
        self.assertTrue(results["snapshot who 0xffffffffffffffff"].startswith("0xffffffffffffffff: in"))
        self.assertIn("use of undeclared identifier 'nobody'", results["snapshot who nobody"])
        self.assertEqual(
            results["snapshot who kept_count"],
            "0xe: in no live traced block: nothing is mapped there\n",
        )
        self.assertTrue(results["snapshot who (char)-1"].startswith("0xffffffffffffffff: "))
        self.assertIn(
            "it is on the stack of thread 1, frame #0 in stop_here\n", results["snapshot who $sp"]
        )

    @in_each
    def test_expressions_of_cxx(self):
        """What LLDB's compiler does not know, variables and members do."""
        commands = ["snapshot who --json " + words for words in ("strings", "*strings")]
        more = ["snapshot who text", "snapshot who &grown", "snapshot who text.size()", "snapshot who 1.5"]
        results = self.session(STARTED + ["up"] + commands + more, "cxx")
        for command in commands:
            # LLDB 19 has a line of its own to say of this debug information.
            answer = json.loads(results[command].splitlines()[-1])
            self.assertEqual(answer["trace"]["size"], 24)
        for command in more[:2]:
            self.assertIn("it is on the stack of thread 1, frame #1 in main\n", results[command])
        self.assertEqual(
            results["snapshot who text.size()"],
            "error: `text.size()` would run code of the program, or take memory in it: do without"
            " calls, overloaded operators and strings\n",
        )
        self.assertIn("`1.5` is neither an address nor in memory", results["snapshot who 1.5"])

    @in_each
    def test_help_and_unknown(self):
        results = self.session(["snapshot", "help snapshot diff", "snapshot nothing", "snap stat"])
        self.assertIn("Snapshots of the program's heap", results["snapshot"])
        self.assertIn("usage: snapshot diff", results["help snapshot diff"])
        self.assertIn("nothing", results["snapshot nothing"])
        self.assertEqual(results["snapshot nothing"].count("\n"), 1)

    @in_each
    def test_completion(self):
        """Of all words from LLDB 20 on, of commands before."""
        path = os.path.join(self.directory, "complete.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(COMPLETE)
        wanted = {
            "snapshot sta": ["start", "stat", "stats", "status"],
            "snapshot stats li": ["lineno"],
            "snapshot stats --js": ["--json"],
            "snapshot stats lineno fir": ["first"],
            "snapshot set names ": ["auto", "full", "short"],
            "snapshot load " + path[:-3]: [path],
            "snapshot dump first " + path[:-3]: [path],
        }
        if int(self.lldb.name.partition("-")[2]) < 20:
            wanted = {"snapshot sta": ["start", "stat", "stats", "status"]}
        results = self.session(
            STARTED
            + ["snapshot take first", "command script import " + path]
            + ["script complete.show(lldb.debugger, {!r})".format(line) for line in wanted]
        )
        self.assertEqual([json.loads(text) for text in results.outputs[5:]], list(wanted.values()))

    @in_each
    def test_quotes(self):
        """What is quoted is a word, however it is parted."""
        results = self.session(
            STARTED + ["snapshot take 'a b'", "snapshot stats --include \"*/ho[l]ds.c\" --json"]
        )
        self.assertIn("use no blanks", results["snapshot take 'a b'"])
        self.check_holds(results.json("snapshot stats --include \"*/ho[l]ds.c\" --json"))

    @in_each
    def test_imported_twice(self):
        again = "command script import {}".format(SCRIPT)
        commands = STARTED + ["snapshot take first", again, "snapshot list", STATS]
        results = self.session(commands)
        self.assertIn("\nfirst ", results["snapshot list"])
        self.check_holds(results.json(STATS))

    @in_each
    def test_python_api(self):
        ask = "script import allocsnap; print(allocsnap.get_traced_memory()[0])"
        results = self.session(STARTED + [ask])
        self.assertEqual(results[ask], "10128\n")

    @in_each
    def test_run_again(self):
        commands = STARTED + ["snapshot take", "process kill", "process launch", STATS]
        results = self.session(commands + ["snapshot diff 1 --json"])
        self.check_holds(results.json(STATS))
        rows = results.json("snapshot diff 1 --json")["statistics"]
        self.assertEqual([row["size_diff"] for row in rows], [0] * 5)

    @in_each
    def test_in_batch_mode_from_lldbinit(self):
        with open(os.path.join(self.home, ".lldbinit"), "w", encoding="utf-8") as file:
            file.write("command script import {}\n".format(SCRIPT))
        line = ["-b"]
        for command in ["snapshot start", "b stop_here", "run", STATS]:
            line += ["-o", command]
        shown = self.plainly(line + [program("holds")])
        rows = [row for row in shown.splitlines() if row.startswith("{")]
        self.assertEqual(len(rows), 1, shown)
        self.check_holds(json.loads(rows[0]))

    @in_each
    def test_without_its_package(self):
        copy = shutil.copy(SCRIPT, self.directory)
        wrong = "error: the Python package allocsnap is not in "
        line = ["--no-lldbinit", "-b", "-o", "command script import {}".format(copy)]
        shown = self.plainly(line)
        self.assertIn(wrong, shown)
        self.assertNotIn("Traceback", shown)

    @in_each
    def test_without_its_library(self):
        """Each command says so."""
        commands = ["script import os; os.environ['ALLOCSNAP_LIBRARY'] = '/nonexistent.so'", "snapshot start"]
        results = self.session(commands)
        self.assertRegex(results["snapshot start"], r"\Aerror: .*\n\Z")
        self.assertTrue(os.path.exists(LIBRARY))


if __name__ == "__main__":
    unittest.main()
