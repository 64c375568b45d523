"""What `snapshot heap` shows of CPython's own allocator is what the program says (sys._debugmallocstats), of every
interpreter of this machine; and its blocks are among those of a program without hooks."""

import json
import os
import re
import subprocess

from . import harness, interpreters
from .test_python_types import PROGRAM as TYPED
from .typed import Typed

PROGRAM = os.path.join(harness.ROOT, "tests", "e2e", "arenas_python.py")
_CLASS = re.compile(r" +\d+ +(\d+) +(\d+) +(\d+) +(\d+)")
_SUM = re.compile(r"(?:\d+ )?(.*?) += +([\d,]+)")


class PythonArenas(Typed):
    seconds = 60

    def stopped(self, command, **options):
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=harness.environment(self.home, PYTHONHASHSEED="0", **options),
        )
        for close in (process.stderr.close, process.wait, process.kill):
            self.addCleanup(close)
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            process.returncode = status
            raise harness.Failed("{} has not stopped: {!r}".format(command, process.stderr.read()))
        return process

    def said(self, command, **options):
        """(process that has stopped, the last of what it says of its arenas)."""
        path = os.path.join(self.directory, "said-{}".format(len(os.listdir(self.directory))))
        with open(path, "wb") as file:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stderr=file, env=harness.environment(self.home, **options)
            )
        for close in (process.wait, process.kill):
            self.addCleanup(close)
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        with open(path, encoding="ascii") as file:
            text = file.read()
        if not os.WIFSTOPPED(status):
            process.returncode = status
            raise harness.Failed("{} has not stopped: {}".format(command, text))
        return process, text.rpartition("Small block threshold")[2]

    def read(self, pid):
        told = json.loads(Typed.told(self, "-p", pid, "heap", "--json"))
        self.assertEqual(told["notes"], [])
        return told["python"]

    def compare(self, text, python):
        rows = [tuple(map(int, found)) for found in _CLASS.findall(text)]
        self.assertGreater(len(rows), 25)
        found = python["classes"]
        self.assertEqual(
            [(one["size"], one["pools"], one["blocks"], one["free_blocks"]) for one in found], rows
        )
        sums = {name.strip("# "): int(number.replace(",", "")) for name, number in _SUM.findall(text)}
        arenas = python["arenas"]
        self.assertEqual(len(arenas), sums["arenas allocated current"])
        total = {name: sum(one[name] for one in arenas) for name in ("in_use", "free", "heads", "size")}
        self.assertEqual(total["in_use"], sums["bytes in allocated blocks"])
        self.assertEqual(total["free"], sums["bytes in available blocks"])
        lost = [sums["bytes lost to " + what] for what in ("pool headers", "quantization", "arena alignment")]
        self.assertEqual(total["heads"], sum(lost))
        whole = next(name for name in sums if name.startswith("arenas *"))
        self.assertEqual(total["size"], sums[whole])

    def test_what_the_program_says(self):
        for one in interpreters.every():
            with self.subTest(one.title):
                process, text = self.said([one.path, PROGRAM])
                python = self.read(process.pid)
                self.assertEqual(len(python), 1)
                self.compare(text, python[0])

    def test_none(self):
        """Of a Python whose objects are from malloc, and of other programs, there are none."""
        path = os.path.join(self.directory, "known.json")
        process = self.stopped(["/usr/bin/python3", TYPED, path], PYTHONMALLOC="malloc")
        self.assertEqual(self.read(process.pid), [])
        self.assertNotIn("Python", Typed.told(self, "-p", process.pid, "heap"))

    def test_text(self):
        process, _ = self.said(["/usr/bin/python3", PROGRAM])
        text = Typed.told(self, "-p", process.pid, "heap")
        python = self.read(process.pid)[0]
        part = text.partition("\nPython's arenas: ")[2].splitlines()
        self.assertIn(" in {} blocks in use".format(sum(one["blocks"] for one in python["arenas"])), part[0])
        self.assertEqual(part[2].split(), ["in", "use", "free", "unused", "heads"])
        names = ["arena 0x{:x}".format(one["address"]) for one in python["arenas"]] + ["total"]
        self.assertEqual([line.split("  ")[0] for line in part[3:]], names)

    def test_objects_without_hooks(self):
        """Objects by type, of small ones in arenas and large ones of malloc, without hooks and tracemalloc."""
        for one in interpreters.every():
            with self.subTest(one.title):
                path = os.path.join(self.directory, "known-{}.json".format(len(os.listdir(self.directory))))
                process = self.stopped([one.path, TYPED, path])
                with open(path, encoding="ascii") as file:
                    known = {name.rsplit(".", 1)[-1]: count for name, count in json.load(file).items()}
                rows = json.loads(Typed.told(self, "-p", process.pid, "stats", "type", "-n", "all", "--json"))
                found = {}
                for row in rows["statistics"]:
                    name = row["label"].rsplit(".", 1)[-1]
                    found[name] = found.get(name, 0) + row["count"]
                self.assertEqual({name: found.get(name, 0) for name in known}, known)
