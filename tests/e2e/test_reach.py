"""Classes of reachability, of blocks whose class is known by construction (reach.cc)."""

import json
import os
import re
import subprocess
import unittest

import expectations

from . import debuggers
from .debuggers import RUN, stop_at
from .harness import HOOKS, ROOT, Case, program, tag_line
from .test_remote import Server

SOURCE = os.path.join(ROOT, "tests", "programs", "reach.cc")
KINDS = ("definite", "indirect", "possible", "reachable")
COMMANDS = [
    "snapshot {} --json --kinds {}".format(name, kind)
    for name in ("leaks", "stats", "traces")
    for kind in KINDS
]

TAG = re.compile(r"/\* tag: (\w+) (.*?)(?:, (\d+))? \*/")
#: Who allocates on some lines: the most recent frame with a line may be theirs.
_LIBRARIES = ("the C library", "the C++ library", "the dynamic linker")


def expected():
    """{kind: {line: blocks}} by the tags of the source."""
    found = {kind: {} for kind in KINDS}
    with open(SOURCE, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            tag = TAG.search(line)
            if tag is None or tag.group(2).startswith(_LIBRARIES):
                continue
            kind, count = tag.group(1), int(tag.group(3) or 1)
            if kind == "cycle":
                found["definite"][number] = 1
                found["indirect"][number] = count - 1
            else:
                found[kind][number] = count
    return found


def lines_of(tag):
    """The lines of the source with a tag."""
    with open(SOURCE, encoding="utf-8") as lines:
        pattern = re.compile(r"/\* tag: \w+ {}( \*/|,)".format(re.escape(tag)))
        return [number for number, line in enumerate(lines, 1) if pattern.search(line)]


def classes(results):
    """({kind: {line: blocks}} of the program's own lines, {kind: other rows}, notes)."""
    found, others, notes = {}, {}, set()
    for kind, command in zip(KINDS, COMMANDS):
        answer = results.json(command)
        found[kind], others[kind] = {}, []
        notes.update(answer["notes"])
        for row in answer["statistics"]:
            frame = row["traceback"][0]
            if frame["filename"] == SOURCE:
                found[kind][frame["lineno"]] = row["count"]
            else:
                others[kind].append((frame["filename"], frame["lineno"], row["count"]))
    return found, others, notes


class Classes(Server):
    def check_filters(self, results):
        """stats and traces have the same blocks as leaks, of the same classes."""
        count = len(KINDS)
        for place, kind in enumerate(KINDS):
            leaks, stats, traces = map(results.json, COMMANDS[place::count])
            self.assertEqual(stats["total"], leaks["total"], kind)
            self.assertEqual(traces["total"], leaks["total"], kind)
            self.assertEqual(stats["suppressed"], leaks["suppressed"], kind)
            rows = [(row["traceback"], row["size"], row["count"]) for row in leaks["statistics"]]
            found = [(row["traceback"], row["size"], row["count"]) for row in stats["statistics"]]
            self.assertEqual(found, rows, kind)
            self.assertGreater(len(traces["traces"]), 0)
            self.assertEqual({trace["reach"] for trace in traces["traces"]}, {kind})

    def check(self, results, notes=()):
        found, others, told = classes(results)
        self.check_filters(results)
        known = expected()
        for kind in ("definite", "indirect", "possible"):
            self.assertEqual(found[kind], known[kind], kind)
            self.assertEqual(others[kind], [], kind)
        library_lines = set(found["reachable"]) - set(known["reachable"])
        own = {line: found["reachable"][line] for line in set(found["reachable"]) - library_lines}
        self.assertEqual(own, known["reachable"])
        self.assertEqual(told, set(notes))

    def test_the_program_has_all_tags(self):
        known = expected()
        self.assertEqual({kind: bool(known[kind]) for kind in KINDS}, dict.fromkeys(KINDS, True))
        self.assertGreater(len(known["reachable"]), 20)

    def test_process_in_gdb(self):
        self.check(self.at_stop(COMMANDS, "reach"))

    def test_kernel_core_in_gdb(self):
        core = self.kernel_core("reach", "trap")
        self.check(self.batch(COMMANDS, program("reach"), core))

    def test_core_of_gdb(self):
        path = os.path.join(self.directory, "core.gdb")
        self.at_stop(["generate-core-file " + path], "reach")
        self.check(self.batch(COMMANDS, program("reach"), path))

    def test_gdbserver(self):
        port = self.server(
            "gdbserver", "127.0.0.1:0", program("reach"), LD_PRELOAD=HOOKS, ALLOCSNAP="16"
        )
        before = ["target remote 127.0.0.1:" + port, "break stop_here", "continue"]
        self.check(self.batch(before + COMMANDS, program("reach")))

    def test_jemalloc(self):
        """Its heap is one mapping, with thread-local storage in it."""
        library = subprocess.check_output(
            ["gcc", "-print-file-name=libjemalloc.so"], encoding="utf-8"
        ).strip()
        self.assertTrue(os.path.isabs(library), library)
        before = ["set environment LD_PRELOAD " + os.path.realpath(library)]
        before += ["snapshot start 16", "break stop_here", "run"]
        self.check(self.batch(before + COMMANDS, program("reach")))

    def test_process_in_lldb(self):
        for debugger in debuggers.lldbs():
            with self.subTest(debugger.name):
                before = ["snapshot start 16", stop_at("stop_here"), RUN]
                self.check(debugger.run(self, before + COMMANDS, program("reach")))

    def test_kernel_core_in_lldb(self):
        core = self.kernel_core("reach", "trap")
        for debugger in debuggers.lldbs():
            with self.subTest(debugger.name):
                self.check(debugger.run(self, COMMANDS, program("reach"), core=core))


    def test_minidumps_of_lldb(self):
        """They lack stacks that are not their threads' own, those of LLDB 19 more, and vector registers:
        what only these hold is shown as leaked, and the first lines say so."""
        tags = {}
        with open(SOURCE, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                tag = TAG.search(line)
                if tag is not None:
                    tags[tag.group(2)] = number
        elsewhere = {tags[name] for name in ("an alternate stack", "a coroutine's stack", "a thread's stack",
                                             "a stack that a handler has interrupted")}
        vector = {tags["a vector register"]}
        for debugger in debuggers.lldbs():
            for style in ("full", "modified-memory"):
                with self.subTest(debugger.name, style=style):
                    core = os.path.join(self.directory, debugger.name + style)
                    save = "process save-core --style {} --plugin-name=minidump {}".format(style, core)
                    before = ["snapshot start 16", stop_at("stop_here"), RUN]
                    debugger.run(self, before + [save], program("reach"))
                    results = debugger.run(self, COMMANDS, program("reach"), core=core)
                    found, others, notes = classes(results)
                    known = expected()
                    more = set(found["definite"]) - set(known["definite"])
                    self.assertLessEqual(more, elsewhere | vector)
                    for line in more:
                        del found["definite"][line]
                    if style == "modified-memory":
                        # Virtual tables are not in those of LLDB 19.
                        found["possible"].pop(tags["its second base class"], None)
                    for kind in ("definite", "indirect", "possible"):
                        self.assertEqual((found[kind], others[kind]), (known[kind], []), kind)
                    said = " ".join(notes)
                    self.assertEqual("of roots cannot be read: " in said, bool(more & elsewhere), said)
                    self.assertEqual("the vector registers of 4 of 4 " in said, bool(more & vector), said)


class Reserved(Case):
    """Much memory that was never touched, and a thread's result that nobody has fetched yet."""

    KINDS = ["snapshot leaks --kinds {} --json --no-skip".format(kind) for kind in KINDS]

    def check(self, results):
        found = dict(zip(KINDS, (results.json(command) for command in self.KINDS)))
        path = expectations.source("reserved.c")
        known = {
            "definite": {"lost": 503},
            "reachable": {"reserved": 501, "result": 502, "global": 504},
        }
        for kind, sizes in known.items():
            lines = {
                row["traceback"][0]["lineno"]: row["size"]
                for row in found[kind]["statistics"]
                if row["traceback"][0]["filename"] == path
            }
            self.assertEqual(lines, {tag_line(path, tag): size for tag, size in sizes.items()}, kind)
            self.assertEqual(found[kind]["notes"], [])

    def test_live(self):
        """It is not read, nor looked at here and there: the program gets no page tables for it (32 MiB,
        all of it; 1 MiB, a word in each 64 MiB)."""
        tables = "shell grep VmPTE /proc/{}/status"
        gdb = self.gdb(program("reserved"))
        for command in ("snapshot start", "break stop_here", "run"):
            gdb.run(command)
        pid = re.search(r"process (\d+)", gdb.run("info inferiors")).group(1)
        before = gdb.run(tables.format(pid))
        self.check(Results({command: gdb.run(command) for command in self.KINDS}))
        kib = [int(re.search(r"(\d+) kB", text).group(1)) for text in (before, gdb.run(tables.format(pid)))]
        self.assertLess(kib[1] - kib[0], 256)

    def test_lldb(self):
        for debugger in debuggers.lldbs():
            before = ["snapshot start 16", stop_at("stop_here"), RUN]
            self.check(debugger.run(self, before + self.KINDS, program("reserved")))


class Results:
    """Answers by command."""

    def __init__(self, outputs):
        self._outputs = outputs

    def json(self, command):
        return json.loads(self._outputs[command])


class SameNames(Case):
    def test_variables_of_several_files(self):
        """None is called by another's file."""
        texts = {
            "one.c": "#include <stdlib.h>\nvoid other(void);\nstatic void *cache[4];\n"
            "void stop_here(void) { __asm__ volatile(\"\"); }\n"
            "int main(void) { cache[2] = malloc(601); other(); stop_here(); return cache[2] == 0; }\n",
            "two.c": "#include <stdlib.h>\nstatic void *cache[4];\n"
            "void other(void) { cache[3] = malloc(602); }\n",
        }
        for name, text in texts.items():
            with open(os.path.join(self.directory, name), "w", encoding="utf-8") as file:
                file.write(text)
        path = os.path.join(self.directory, "same")
        subprocess.run(["gcc", "-g", "-O0", *texts, "-o", path], check=True, cwd=self.directory)
        start = {"gdb": ["snapshot start", "break stop_here", "run"]}
        list_blocks = "snapshot traces --json --no-skip"
        for debugger in debuggers.every():
            before = start.get(debugger.name, ["snapshot start", stop_at("stop_here"), RUN])
            blocks = debugger.run(self, before + [list_blocks], path).json(list_blocks)["traces"]
            at = {block["size"]: block["address"] for block in blocks}
            commands = ["snapshot path {}".format(at[size]) for size in (601, 602)]
            results = debugger.run(self, before + commands, path)
            said = [results[command].splitlines()[0] for command in commands]
            self.assertEqual(said[0], "global cache+0x10 (one.c)", debugger.name)
            self.assertEqual(said[1], "global cache+0x18 (two.c)", debugger.name)


class Names(Case):
    """What roots are called, in gdb and LLDB, and what blocks keep alive."""

    COMMANDS = [
        "snapshot path --json in_bss->next",
        "snapshot path --json ~hiddens[0]",
        "snapshot path --json ~hiddens[3]",
        "snapshot path --json in_tls",
        "snapshot path --json region[1001]",
        "snapshot refs --json in_bss",
        "snapshot refs in_bss->next",
        "snapshot retained --json",
        "snapshot retained --top -n 1 --json",
        "snapshot retained --top -n 1",
        "snapshot take --graph g",
        "snapshot who --in g --json in_bss",
        "snapshot who --in g in_bss",
        "snapshot who --in g --json 16",
        "snapshot who --json in_bss",
    ]

    def check(self, results):
        known = {}
        with open(SOURCE, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                tag = TAG.search(line)
                if tag is not None:
                    known[tag.group(2)] = number
        paths = [results.json(command)["paths"] for command in self.COMMANDS[:5]]
        roots = [found[0]["root"] for found in paths]
        self.assertEqual(roots[0], "global in_bss (reach.cc)")
        self.assertRegex(roots[1], r'^register r12 of thread \d+ \(1 "reach"\)$')
        self.assertRegex(
            roots[2],
            r'^frame \d+ \((::)?on_its_stack(\(void ?\*\))?\), variable pointer of thread \d+ \(\d+ "reach"\) at 0x',
        )
        self.assertRegex(roots[3], r'^thread-local in_tls \(reach.cc\) of thread \d+ \(1 "reach"\)$')
        self.assertRegex(roots[4], r"^mapping of 64.0 KiB at 0x[0-9a-f]+, \+0x1f48$")
        self.assertEqual(
            [(block["lineno"], block["offset"]) for block in paths[0][0]["blocks"]],
            [(known["zero-initialised data"], 0), (known["another block"], None)],
        )
        refs = results.json("snapshot refs --json in_bss")
        self.assertEqual((refs["root_count"], refs["referrer_count"], refs["reference_count"]), (1, 0, 1))
        self.assertEqual(refs["roots"], [{"name": "global in_bss (reach.cc)", "inside": False}])
        self.assertEqual(refs["references"][0]["lineno"], known["another block"])
        self.assertEqual(refs["block"]["reach"], "reachable")
        self.assertIn(
            "pointed to by 0 pointers in roots and 1 pointer in blocks:\n  block of {}:{} ".format(
                SOURCE, known["zero-initialised data"]
            ),
            results["snapshot refs in_bss->next"],
        )
        retained = {
            row["traceback"][0]["lineno"]: row
            for row in results.json("snapshot retained --json")["statistics"]
            if row["traceback"][0]["filename"] == SOURCE
        }
        head = retained[known["nothing, the head of a list"]]
        self.assertEqual(
            (head["size"], head["count"], head["retained_size"], head["retained_count"]),
            (80, 1, 80 + 20 * 81, 21),
        )
        cycle = retained[known["itself"]]
        self.assertEqual((cycle["retained_size"], cycle["retained_count"]), (12 * 82 + 83, 13))
        (top,) = results.json("snapshot retained --top -n 1 --json")["blocks"]
        joined = known["a region, which is joined with this one's"]
        self.assertEqual(
            (top["lineno"], top["size"], top["retained_size"], top["retained_count"]),
            (joined, 2 << 20, (2 << 20) + 92, 2),
        )
        self.assertIn("retained=2048 KiB in 2 blocks", results["snapshot retained --top -n 1"])
        self.assertEqual(
            [results.json("snapshot who " + rest)["reach"]
             for rest in ("--in g --json in_bss", "--in g --json 16", "--json in_bss")],
            ["reachable", None, None],
        )
        self.assertRegex(
            results["snapshot who --in g in_bss"], r"\A0x[0-9a-f]+: a block, size=65 B, reachable\n"
        )

    def test_gdb(self):
        self.check(self.at_stop(self.COMMANDS, "reach"))

    def test_lldb(self):
        for debugger in debuggers.lldbs():
            with self.subTest(debugger.name):
                before = ["snapshot start 16", stop_at("stop_here"), RUN]
                self.check(debugger.run(self, before + self.COMMANDS, program("reach")))


TOGETHER = os.path.join(ROOT, "tests", "programs", "together.c")


class Together(Case):
    """`retained --exact`: what only several blocks of a line keep alive."""

    COMMANDS = [
        "snapshot retained --exact --json --include */together.c",
        "snapshot retained --exact --include */together.c -n 2",
        "snapshot retained --json --include */together.c",
        "snapshot retained --exact --top",
        "snapshot take --graph g",
        "snapshot retained --exact --json g size",
    ]
    # (bytes held, blocks held, retained, exact), by line.
    KNOWN = {
        "two that hold one": (200, 2, (220, 3), (1250, 5)),
        "held by both": (1000, 1, (1030, 2), (1030, 2)),
        "held by that": (30, 1, (30, 1), (30, 1)),
        "held by one": (20, 1, (20, 1), (20, 1)),
        "one that holds one": (50, 1, (110, 2), (110, 2)),
        "held by it alone": (60, 1, (60, 1), (60, 1)),
    }

    @staticmethod
    def numbers(row):
        return (
            row["size"],
            row["count"],
            (row["retained_size"], row["retained_count"]),
            (row["exact_size"], row["exact_count"]),
        )

    def check(self, results):
        rows = results.json(self.COMMANDS[0])["statistics"]
        self.assertEqual(
            {row["traceback"][0]["lineno"]: self.numbers(row) for row in rows},
            {tag_line(TOGETHER, tag): numbers for tag, numbers in self.KNOWN.items()},
        )
        # In the order of what is retained, as without --exact.
        self.assertEqual([row["retained_size"] for row in rows], [1030, 220, 110, 60, 30, 20])
        for row in results.json(self.COMMANDS[2])["statistics"]:
            self.assertNotIn("exact_size", row)
        lines = [line for line in results[self.COMMANDS[1]].splitlines() if line.startswith("#")]
        self.assertIn(": size=1000 B, count=1, ", lines[0])
        self.assertIn(", retained=1030 B in 2 blocks, exact=1030 B in 2 blocks", lines[0])
        self.assertIn(": size=200 B, count=2, ", lines[1])
        self.assertIn(", retained=220 B in 3 blocks, exact=1250 B in 5 blocks", lines[1])
        self.assertIn(
            "what --top lists of single blocks is exact: leave out --exact\n",
            results[self.COMMANDS[3]],
        )
        by_size = {row["label"]: row for row in results.json(self.COMMANDS[5])["statistics"]}
        self.assertEqual(
            self.numbers(by_size["64 B to < 128 B"]), (200, 2, (220, 3), (1250, 5))
        )

    def test_gdb(self):
        self.check(self.at_stop(self.COMMANDS, "together"))

    def test_lldb(self):
        for debugger in debuggers.lldbs():
            with self.subTest(debugger.name):
                before = ["snapshot start 16", stop_at("stop_here"), RUN]
                self.check(debugger.run(self, before + self.COMMANDS, program("together")))

    def test_a_core(self):
        core = self.kernel_core("together", "trap")
        self.check(self.batch(self.COMMANDS, program("together"), core))


if __name__ == "__main__":
    unittest.main()
