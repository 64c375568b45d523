"""Statistics by type of Python's objects: counts are those of the program itself, of every interpreter of this
machine (e2e.interpreters)."""

import json
import os
import subprocess

from . import debuggers, harness, interpreters
from .typed import Typed

PROGRAM = os.path.join(harness.ROOT, "tests", "e2e", "typed_python.py")


class PythonTypes(Typed):
    seconds = 60

    def stopped(self, python, **options):
        """(process that has stopped, {type: how many objects there are})."""
        told = os.path.join(self.directory, "known-{}.json".format(len(os.listdir(self.directory))))
        env = harness.environment(self.home, PYTHONHASHSEED="0", **options)
        process = subprocess.Popen([python, PROGRAM, told], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env)
        for close in (process.stderr.close, process.wait, process.kill):
            self.addCleanup(close)
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            process.returncode = status
            raise harness.Failed("{} has not stopped: {!r}".format(python, process.stderr.read()))
        with open(told, encoding="ascii") as file:
            return process, json.load(file)

    def counts(self, *words):
        """{type: how many blocks}, without the modules that types are of."""
        return self.summed(json.loads(Typed.told(self, *words, "-n", "all", "--json")))

    @staticmethod
    def summed(told):
        found = {}
        for row in told["statistics"]:
            name = row["label"].rsplit(".", 1)[-1]
            found[name] = found.get(name, 0) + row["count"]
        return found

    def check(self, known, found):
        names = {name.rsplit(".", 1)[-1]: count for name, count in known.items()}
        self.assertEqual({name: found.get(name, 0) for name in names}, names)

    def test_blocks_of_hooks(self):
        for one in interpreters.every():
            with self.subTest(one.title):
                process, known = self.stopped(
                    one.path, PYTHONMALLOC="malloc", ALLOCSNAP="1", LD_PRELOAD=harness.HOOKS
                )
                self.check(known, self.counts("-p", process.pid, "stats", "type"))

    def test_blocks_with_the_pads_of_debug_hooks(self):
        process, known = self.stopped(
            "/usr/bin/python3", PYTHONMALLOC="malloc_debug", ALLOCSNAP="1", LD_PRELOAD=harness.HOOKS
        )
        self.check(known, self.counts("-p", process.pid, "stats", "type"))

    def test_blocks_of_glibc(self):
        """Without hooks, by what malloc has."""
        process, known = self.stopped("/usr/bin/python3", PYTHONMALLOC="malloc")
        self.check(known, self.counts("-p", process.pid, "stats", "type"))

    def test_traces_of_tracemalloc(self):
        """Which are of the small objects in Python's own arenas, too; the interpreter's first objects are from
        before it starts."""
        for one in interpreters.every():
            with self.subTest(one.title):
                process, known = self.stopped(one.path, PYTHONTRACEMALLOC="1")
                made = {name: count for name, count in known.items() if count == 137}
                self.assertGreater(len(made), 12)
                self.check(made, self.counts("-p", process.pid, "stats", "type", "python"))
                with open(PROGRAM, encoding="utf-8") as lines:
                    line = [number for number, text in enumerate(lines, 1) if "# strings of each kind" in text]
                only = "{}:{}".format(PROGRAM, *line)
                self.check(
                    {"str": 3 * 137}, self.counts("-p", process.pid, "stats", "type", "python", "--include", only)
                )

    def test_in_every_debugger_and_in_a_core(self):
        """The names of the interpreter's own types are in its file, which a core leaves out, and LLDB does not
        look for there: they have their address in place of a name."""
        process, known = self.stopped("/usr/bin/python3")
        python = os.path.realpath("/usr/bin/python3")
        core = os.path.join(self.directory, "core")
        command = "snapshot stats type -n all --json"
        found = {"gdb": debuggers.gdb().run(self, [command, "gcore " + core], python, pid=process.pid)[command]}
        for debugger in debuggers.every():
            found[debugger.name + ", core"] = debugger.run(self, [command], python, core=core)[command]
        found["command line, core"] = Typed.told(self, "-c", core, "stats", "type", "-n", "all", "--json")
        for name, text in found.items():
            with self.subTest(name):
                counts = self.summed(json.loads(text[text.index("{") :]))
                own = {one: count for one, count in known.items() if count == 137 and one[0].isupper()}
                self.assertGreater(len(own), 12)
                is_nameless = name.startswith("lldb")
                self.check(own if is_nameless else known, counts)
                nameless = [count for one, count in counts.items() if one.startswith("<Python type at 0x")]
                self.assertEqual(known["list"] in nameless, is_nameless)
