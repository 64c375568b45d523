"""V8 heap snapshots, as npm's @memlab/heap-analysis reads them: of random graphs and of real heaps,
each block retains for it what it retains for us."""

import glob
import json
import os
import shlex
import subprocess

from e2e import harness, test_real_programs
from e2e.debuggers import RUN, lldbs, stop_at
from e2e.harness import BUILD, Case, program

from .viewers import node

UINT32_MAX = 2**32 - 1
#: What no class or line is called: nodes that have what is too large for one.
REST = "(the rest of a block of 4 GiB or more)"


def blocks_of(heap):
    """[(size, retained size)] of the blocks of a heap, in their order."""
    nodes = [node for node in heap["nodes"] if node[0] == "native" and node[1] != REST]
    return [(size, retained) for _, _, _, size, retained, _ in nodes]


class RandomGraphs(Case):
    seconds = 20

    def test_retained_sizes(self):
        subprocess.run(
            [os.path.join(BUILD, "tests", "unit"), "export_graphs"],
            env=dict(os.environ, ALLOCSNAP_EXPORTED=self.directory),
            stdout=subprocess.DEVNULL,
            timeout=harness.DEADLINE,
            check=True,
        )
        files = sorted(glob.glob(os.path.join(self.directory, "*.heapsnapshot")))
        self.assertEqual(len(files), 60)
        large = leaked = 0
        for path, heap in zip(files, node(self, "retained.js", *files)):
            with self.subTest(os.path.basename(path)):
                self.check_file(path, heap)
                with open(path.replace(".heapsnapshot", ".expected"), encoding="utf-8") as lines:
                    known = [tuple(map(int, line.split())) for line in lines]
                self.assertEqual(
                    blocks_of(heap), [(min(size, UINT32_MAX), retained) for size, retained in known]
                )
                large += any(size > UINT32_MAX for size, _ in known)
                leaked += any(name.startswith("(leaked") for _, name, *_ in heap["nodes"])
                root = heap["nodes"][0]
                self.assertEqual(root[4], sum(size for size, _ in known))
                # memlab finds a way to each node but the first.
                self.assertNotIn(0, [distance for *_, distance in heap["nodes"][1:]])
        self.assertGreater(large, 5)
        self.assertGreater(leaked, 20)

    def check_file(self, path, heap):
        """It is JSON of UTF-8, and says of itself what is in it."""
        with open(path, "rb") as file:
            whole = json.loads(file.read().decode("utf-8"))
        head = whole["snapshot"]
        self.assertEqual(head["node_count"], len(heap["nodes"]))
        self.assertEqual(head["edge_count"], heap["edges"])
        self.assertEqual(len(whole["nodes"]), 7 * head["node_count"])
        self.assertEqual(len(whole["edges"]), 3 * head["edge_count"])
        ids = [node[2] for node in heap["nodes"]]
        self.assertEqual(len(set(ids)), len(ids))
        self.assertEqual(len(set(whole["strings"])), len(whole["strings"]))
        for text in whole["strings"]:
            self.assertTrue(text.isprintable(), text)


class RealHeaps(Case):
    seconds = 40
    write = test_real_programs.RealPrograms.write

    def stop_and_export(self, command, place):
        """(rows of `retained --top` in order of address, the heap as memlab reads it)."""
        env = {"PATH": "/usr/bin:/bin", "PYTHONHASHSEED": "0", "PYTHONMALLOC": "malloc"}
        path = os.path.join(self.directory, "heap.heapsnapshot")
        listed = "snapshot retained --top -n all --json heap"
        results = self.batch(
            test_real_programs.RealPrograms.setup_of(env)
            + [
                "set breakpoint pending on",
                "break " + place,
                "set args {} </dev/null >/dev/null 2>&1".format(
                    " ".join(shlex.quote(word) for word in command[1:])
                ),
                "run",
                "snapshot take --graph heap",
                "snapshot export heap " + path,
                listed,
            ],
            command[0],
        )
        self.assertIn(place, results["run"])
        rows = results.json(listed)["blocks"]
        self.assertEqual(
            results["snapshot export heap " + path].split(" in ")[1], "{} blocks.\n".format(len(rows))
        )
        (heap,) = node(self, "retained.js", path)
        return sorted(rows, key=lambda row: (row["address"], -row["size"])), heap

    def check(self, command, place, least):
        rows, heap = self.stop_and_export(command, place)
        self.assertGreater(len(rows), least)
        self.assertEqual(
            blocks_of(heap), [(row["size"], row["retained_size"]) for row in rows]
        )
        self.assertEqual(heap["nodes"][0][4], sum(row["size"] for row in rows))
        return heap

    def test_python(self):
        script = self.write("script.py", test_real_programs.PYTHON)
        heap = self.check(["/usr/bin/python3", "-S", script], "_exit", 30)
        self.assertIn("(data of programs and libraries)", [node[1] for node in heap["nodes"]])

    def test_python_at_work(self):
        script = self.write(
            "work.py",
            "import json, re\nkept = [{str(i): [i, (i,)] for i in range(j % 50)} for j in range(2000)]\n"
            "kept.append(kept)\nimport os\nos.abort()\n",
        )
        self.check(["/usr/bin/python3", "-S", script], "abort", 100000)

    def test_sqlite3(self):
        script = self.write("script.sql", test_real_programs.SCRIPT)
        read = ".read {}".format(script)
        command = ["/usr/bin/sqlite3", "-batch", "-init", "/dev/null", ":memory:", read]
        self.check(command, "sqlite3_close", 900)

    def test_python_that_leaks(self):
        """ctypes takes what the function returns for an int, so that nothing has the address."""
        script = self.write(
            "leaks.py",
            "import ctypes, os\nfor size in range(2000):\n"
            "    ctypes.pythonapi.PyMem_RawMalloc(size)\nos._exit(0)\n",
        )
        heap = self.check(["/usr/bin/python3", "-S", script], "_exit", 2000)
        self.assertIn("(leaked: nothing points to these)", [node[1] for node in heap["nodes"]])


class Kinds(Case):
    """Each kind of root, in both debuggers."""

    KINDS = {
        "(registers)",
        "(stacks)",
        "(thread-local storage)",
        "(data of programs and libraries)",
        "(other memory)",
        "(leaked: nothing points to these)",
    }

    def check(self, path, message):
        self.assertTrue(message.startswith(path + ": "), message)
        (heap,) = node(self, "retained.js", path)
        children = {name for kind, name, *_, distance in heap["nodes"] if distance == 1}
        self.assertEqual(children, self.KINDS)
        names = [name for kind, name, *_ in heap["nodes"] if kind == "synthetic"]
        self.assertTrue(any(name.startswith("stack of thread ") for name in names), names)
        self.assertTrue(any(name.startswith("register ") for name in names), names)

    def test_gdb(self):
        path = os.path.join(self.directory, "live.heapsnapshot")
        command = "snapshot export now " + path
        self.check(path, self.at_stop([command], "reach")[command])

    def test_core(self):
        path = os.path.join(self.directory, "core.heapsnapshot")
        command = "snapshot export now " + path
        core = self.kernel_core("reach", "trap")
        self.check(path, self.batch([command], program("reach"), core)[command])

    def test_lldb(self):
        for debugger in lldbs():
            with self.subTest(debugger.name):
                path = os.path.join(self.directory, "lldb.heapsnapshot")
                command = "snapshot export now " + path
                before = ["snapshot start 16", stop_at("stop_here"), RUN]
                self.check(path, debugger.run(self, before + [command], program("reach"))[command])

    def test_classes(self):
        """C++ objects go by their class."""
        path = os.path.join(self.directory, "types.heapsnapshot")
        self.at_stop(["snapshot export now " + path], "types")
        (heap,) = node(self, "retained.js", path)
        found = self.at_stop(["snapshot stats type -n all --json"], "types")
        rows = found.json("snapshot stats type -n all --json")["statistics"]
        classes = {row["label"]: row["count"] for row in rows if not row["label"].startswith("<")}
        self.assertGreater(len(classes), 1)
        names = [name for kind, name, *_ in heap["nodes"] if kind == "native"]
        self.assertEqual({name: names.count(name) for name in classes}, classes)
