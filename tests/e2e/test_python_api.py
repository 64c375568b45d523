"""The Python API inside gdb: code for tracemalloc, on the program in front of it."""

import os
import shutil
import subprocess
import sys
import unittest

import expectations

from .harness import Case, ROOT, SCRIPT, environment, program

SOURCE = expectations.source("holds.c")
MARKS = expectations.named(SOURCE)
ALL = (10128, 14)


class PythonApi(Case):
    def script(self, name, text):
        path = os.path.join(self.directory, name + ".py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return "source " + path

    def place(self, name):
        return "{}:{}".format(SOURCE, MARKS[name].line)

    def test_a_live_program(self):
        command = self.script("live", """
import allocsnap as tracemalloc, gdb
print(tracemalloc.is_tracing(), tracemalloc.get_traceback_limit())
print(tracemalloc.get_traced_memory()[0], tracemalloc.get_tracemalloc_memory() > 0)
snapshot = tracemalloc.take_snapshot()
print(len(snapshot.traces), sum(trace.size for trace in snapshot.traces), snapshot.traces.notes)
for row in snapshot.statistics("lineno")[:2]:
    print(row, row.traceback[0].function)
for row in snapshot.compare_to(snapshot.filter_traces([]), "lineno")[:1]:
    print(row.size_diff, row.count_diff)
address = gdb.parse_and_eval("kept[0]")
print(str(tracemalloc.get_object_traceback(int(address) + 7)[-1]))
print(tracemalloc.get_object_traceback(address)[-1].function)
print(tracemalloc.get_object_traceback(1))
""")
        lines = self.at_stop([command], "holds")[command].splitlines()
        self.assertEqual(lines, [
            "True 16",
            "{} True".format(ALL[0]),
            "{} {} []".format(ALL[1], ALL[0]),
            self.place("moved") + ": size=5000 B, count=1, average=5000 B hold_large",
            self.place("zeroed") + ": size=4096 B, count=1, average=4096 B hold_large",
            "0 0",
            self.place("small"),
            "hold_small",
            "None",
        ])

    def test_a_dump_opens_without_gdb(self):
        path = os.path.join(self.directory, "dumped")
        command = self.script("dump", """
import allocsnap as tracemalloc
snapshot = tracemalloc.take_snapshot()
snapshot.release = "1.2"
snapshot.dump({0!r})
snapshot.dump({0!r} + ".pickle", format="tracemalloc")
print(snapshot.statistics("lineno") + snapshot.statistics("traceback"))
""".format(path))
        wanted = self.at_stop([command], "holds")[command]
        for module, name in (("allocsnap", path), ("tracemalloc", path + ".pickle")):
            code = (
                "import sys; sys.path.insert(0, {!r}); import {} as tracemalloc\n"
                "snapshot = tracemalloc.Snapshot.load({!r})\n"
                "print(snapshot.statistics('lineno') + snapshot.statistics('traceback'))\n"
                "print(snapshot.release, file=sys.stderr)\n"
            ).format(os.path.join(ROOT, "core", "python"), module, name)
            done = subprocess.run(
                [sys.executable, "-c", code], env=environment(self.home), encoding="utf-8",
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True,
            )
            self.assertEqual(done.stdout, wanted)
            self.assertEqual(done.stderr, "1.2\n")

    def test_control(self):
        ask = self.script("ask", """
print(tracemalloc.is_tracing(), tracemalloc.get_traced_memory()[1] >= 10128)
""")
        before = [
            "python import allocsnap as tracemalloc",
            "python print(tracemalloc.is_tracing(), tracemalloc.get_traced_memory())",
            "python tracemalloc.start(3)",
            "python print(tracemalloc.get_traceback_limit())",
            "break stop_here",
            "run",
        ]
        after = [
            ask,
            "python print(max(len(t.traceback) for t in tracemalloc.take_snapshot().traces))",
            "python tracemalloc.stop()",
            "print (long)malloc(1) != 0",
            "python print(tracemalloc.is_tracing(), tracemalloc.get_traced_memory())",
            "python tracemalloc.take_snapshot()",
        ]
        results = self.batch(before + after, program("holds"))
        self.assertEqual(results.of(before[1]), ["False (0, 0)\n"] * 2)
        self.assertEqual(results[before[3]], "3\n")
        self.assertEqual(results[ask], "True True\n")
        self.assertEqual(results[after[1]], "3\n")
        # gdb 16 writes <class 'RuntimeError'>.
        self.assertRegex(
            results[after[5]],
            "RuntimeError('>)?: the tracemalloc module must be tracing memory allocations to take a"
            " snapshot\n",
        )

    def test_imported_again(self):
        """Whatever has been done to sys.modules and sys.path, it is the debugger's."""
        command = self.script("again", """
import importlib, sys
def show(module):
    print(module.get_traced_memory()[0], module.is_tracing(), len(module.take_snapshot().traces))
def purge():
    for name in [name for name in sys.modules if "allocsnap" in name]:
        del sys.modules[name]
import allocsnap
first = allocsnap.Snapshot
show(importlib.reload(allocsnap))
purge()
import allocsnap
show(allocsnap)
import allocsnap.commands.shell
print(allocsnap.Snapshot is first, len(allocsnap.commands.COMMANDS) > 10)
sys.path.insert(0, {!r})
import python.allocsnap as other
show(other)
purge()
""".format(os.path.join(ROOT, "core")))
        source = "source " + SCRIPT
        commands = ["snapshot take kept", command, source, "snapshot list", "snapshot stats --json"]
        results = self.at_stop(commands, "holds")
        known = "{} True {}".format(*ALL)
        self.assertEqual(results[command].splitlines(), [known, known, "True True", known])
        self.assertEqual(results[source], "")
        self.assertIn("\nkept ", results["snapshot list"])

    def test_of_another_place_or_version(self):
        """One that is not the debugger's says which is."""
        copy = os.path.join(self.directory, "core", "python")
        shutil.copytree(os.path.join(ROOT, "core", "python"), copy)
        script = shutil.copy(SCRIPT, os.path.join(self.directory, "gdb.py"))
        os.mkdir(os.path.join(self.directory, "gdb"))
        script = shutil.move(script, os.path.join(self.directory, "gdb"))
        version = os.path.join(copy, "allocsnap", "__init__.py")
        with open(version, encoding="utf-8") as file:
            text = file.read()
        with open(version, "w", encoding="utf-8") as file:
            file.write(text.replace("__version__ = ", "__version__ = '9' + "))
        command = self.script("other", """
import sys
for name in [name for name in sys.modules if "allocsnap" in name]:
    del sys.modules[name]
sys.path.insert(0, {!r})
import allocsnap
for ask in (allocsnap.is_tracing, allocsnap.take_snapshot, allocsnap.get_traced_memory, allocsnap.start):
    try:
        print(ask())
    except allocsnap.AllocsnapError as error:
        print(error)
""".format(copy))
        own = os.path.join(ROOT, "core", "python")
        results = self.at_stop(["source " + script, command, "snapshot list"], "holds")
        self.assertEqual(
            results["source " + script],
            "error: allocsnap is here already, from {}: start gdb anew to have that of {}\n".format(own, copy),
        )
        said = "the commands of this debugger are those of allocsnap {} in {}: import that one, or load"
        said = said.format(text.split('__version__ = "')[1].split('"')[0], own)
        lines = results[command].splitlines()
        self.assertEqual(len(lines), 4)
        for line in lines:
            self.assertTrue(line.startswith(said), line)
        self.assertEqual(results["snapshot list"], "No snapshots: `snapshot take` takes one.\n")

    def test_wrappers_are_passed_over(self):
        command = self.script("skip", """
import allocsnap as tracemalloc
snapshot = tracemalloc.take_snapshot()
rows = snapshot.statistics("lineno")
print(any("new_allocator<" in (row.traceback[0].function or "") for row in rows))
print(any("new_allocator<" in (trace.traceback[-1].function or "") for trace in snapshot.traces))
rows = snapshot.skip([], standard=False).statistics("lineno")
print(any("new_allocator<" in (row.traceback[0].function or "") for row in rows))
""")
        self.assertEqual(self.at_stop([command], "cxx")[command], "False\nTrue\nTrue\n")

    def test_snapshots_are_attributed_as_the_session_says(self):
        command = (
            "python import allocsnap;"
            " print([row.traceback[0].function for row in"
            " allocsnap.take_snapshot().statistics('function')][:2])"
        )
        results = self.at_stop(
            [command, "snapshot set skip hold_large", " " + command]
            + ["snapshot set skip hold_*", "snapshot set mine nothing.c", "  " + command],
            "holds",
        )
        self.assertEqual(results[command], "['hold_large', 'hold_small']\n")
        self.assertEqual(results[" " + command], "['main', 'hold_small']\n")
        self.assertEqual(results["  " + command], "['main']\n")


if __name__ == "__main__":
    unittest.main()
