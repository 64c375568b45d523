"""Files of linkers that lay out segments differently: the blocks of libraries that stay loaded,
are unloaded, or lie in memory in pieces, in each debugger, live and in cores."""

import json
import os
import re
import shutil
import subprocess

import expectations
import linkers

from . import debuggers
from .debuggers import CONTINUE, RUN, connect, start_server, stop_at, write_core
from .harness import HOOKS, WITH_CORES, Case, environment, tag_line
from .test_lldb import NOT_LOCAL

TRACES = "snapshot traces --json --no-skip --limit 100000"
NAMED_LATER = ["snapshot take --no-names bare", "snapshot dump bare bare.dump"]
NAMED_LATER += ["snapshot load bare.dump again", "snapshot symbolize again"]
TRACES_LATER = TRACES + " again"
LOADER = "/lib64/ld-linux-x86-64.so.2"

#: What linked.c does with a library.
WAYS = ["keep", "data", "split", "moved", "space", "delete", "memory"]


#: The kernel writes a newline in its list of mappings as it writes \\012, and adds " (deleted)".
ODD_NAMES = ["a b.so", " x", "x ", "line\nbreak", "\n", "return\rhere", "x (deleted)", "\u2028", "[heap]"]

RUST = """
#[no_mangle]
#[inline(never)]
pub extern "C" fn stop_here() {}

#[inline(never)]
fn grow(size: usize) -> Vec<u8> {
    Vec::with_capacity(size) /* tag: grow */
}

fn main() {
    let kept = grow(12345); /* tag: call */
    stop_here();
    println!("{}", kept.len());
}
"""


def _lines(source, *tags):
    path = expectations.source(source)
    return {tag: (path, tag_line(path, tag)) for tag in tags}


LINE = _lines("liblinked.c", "first", "second", "call first", "call second")
LINE.update(_lines("linked.c", "own", "call", "use"))


class Linkers(Case):
    @classmethod
    def setUpClass(cls):
        cls.built = linkers.temporary_directory(cls)
        cls.libraries = linkers.libraries(cls.built)
        jobs = [
            ("linked-" + linker, "gcc", "linked.c", linker, ["-D_GNU_SOURCE", "-O1", "-ldl"])
            for linker in linkers.WAYS
        ]
        cls.programs = linkers.build_all(cls.built, jobs)
        cls.program = dict(zip(linkers.WAYS, cls.programs))["lld"]

    def words(self, turn=0):
        """The arguments of linked.c: each library is loaded and unloaded, then loaded in one of
        WAYS: another one in each turn. A file that is removed is this test's own."""
        words = ["close:" + path for path in self.libraries]
        for number, path in enumerate(self.libraries):
            way = WAYS[(number + turn) % len(WAYS)]
            if way in ("delete", "memory") and not linkers.is_movable(self.libraries[path][1]):
                way = "keep"
            if way == "delete":
                gone = os.path.join(self.directory, "gone-" + os.path.basename(path))
                path = shutil.copy(path, gone)
            words.append(way + ":" + path)
        return words

    def frames_of(self, word, tag):
        """The (file, line, function) of a block, from most recent on, in one way or two."""
        way, path = word.split(":", 1)
        callers = [LINE["call"] + ("use",), LINE["use"] + ("main",)]
        named = [LINE[tag] + ("linked_" + tag,), LINE["call " + tag] + ("linked_alloc",)] + callers
        if way in ("delete", "gone"):
            return [[(path, 0, None)] * 2 + callers]
        if way == "memory":  # as long as the program is there, the debugger can open it
            return [[("/memfd:linked", 0, None)] * 2 + callers, named]
        return [named]

    def check(self, results, words, command=TRACES):
        """Each block is where it was allocated; none is missing."""
        # On a slow machine there are lines that say how far it has come.
        (line,) = [line for line in results[command].splitlines() if line.startswith("{")]
        blocks = {}
        for trace in json.loads(line)["traces"]:
            found = [
                (re.sub(r" \(deleted\)$", "", frame["filename"]), frame["lineno"],
                 None if frame["named_by"] in ("address", "none") else frame["function"])
                for frame in trace["traceback"]
            ]
            blocks.setdefault(trace["size"], []).append(found)
        wrong = [] if [f[0] for f in blocks[601]] == [LINE["own"] + ("main",)] else [blocks[601]]
        for number, word in enumerate(words):
            for size, tag in ((10000, "first"), (20000, "second")):
                found = [frames[:4] for frames in blocks.get(size + number, [])]
                if len(found) != 1 or found[0] not in self.frames_of(word, tag):
                    wrong.append((word, tag, found))
        self.assertEqual(wrong[:3], [], "%d wrong" % len(wrong))

    def live(self, debugger, program, words, commands=(), before=()):
        steps = ["snapshot start", stop_at("stop_here"), RUN] + list(before) + [TRACES]
        return debugger.run(self, steps + list(commands), program, words)

    def test_programs_of_every_linker(self):
        for turn, program in enumerate(self.programs):
            with self.subTest(program=program):
                words = self.words(turn)
                self.check(self.live(debuggers.gdb(), program, words), words)

    def test_core_of_gdb_and_names_that_are_looked_for_later(self):
        words = self.words(4)
        core = os.path.join(self.directory, "core")
        commands = [write_core(core)] + NAMED_LATER + [TRACES_LATER]
        results = self.live(debuggers.gdb(), self.program, words, commands)
        self.check(results, words, TRACES_LATER)
        self.check(debuggers.gdb().run(self, [TRACES], self.program, core=core), words)

    def core(self, command, words):
        """The kernel's core of a command with these arguments."""
        self.need_kernel_cores()
        subprocess.run(
            WITH_CORES + command + ["abort"] + words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.directory,
            env=environment(self.home, ALLOCSNAP="16", LD_PRELOAD=HOOKS),
            check=False,
        )
        return self.only_core(self.directory, command)

    def test_core_of_the_kernel(self):
        words = self.words(5)
        core = self.core([self.program], words)
        for debugger in debuggers.every():
            with self.subTest(debugger=debugger.name):
                self.check(debugger.run(self, [TRACES], self.program, core=core), words)

    def test_core_of_a_program_that_the_loader_was_given(self):
        words = self.words(6)
        core = self.core([LOADER, self.program], words)
        self.check(debuggers.gdb().run(self, [TRACES], self.program, core=core), words)

    def test_odd_paths(self):
        """Of libraries that are loaded still, and that were unloaded."""
        words = []
        # LLDB 22 waits for ever for a core with several files of one build.
        for name, library in zip(ODD_NAMES, self.libraries):
            path = shutil.copy(library, os.path.join(self.directory, name))
            words += ["close:" + path, "keep:" + path]
        core = self.core([self.program], words)
        for debugger in debuggers.every():
            with self.subTest(debugger=debugger.name):
                self.check(debugger.run(self, [TRACES], self.program, core=core), words)
        words = ["keep:" + word.partition(":")[2] for word in words[1::2] if "\n" not in word]
        self.check(self.live(debuggers.gdb(), self.program, words), words)

    def test_unloaded_files_without_build_ids(self):
        """They are named while their segments take as much memory as they did."""
        jobs = [
            ("{}-{}.so".format(linker, size), "gcc", "liblinked.c", linker, flags)
            for linker in linkers.WAYS
            for size, size_flags in linkers.SIZES.items()
            for flags in [linkers.LIBRARY + ["-Wl,--build-id=none"] + size_flags]
        ]
        built = linkers.build_all(self.directory, jobs)
        words = ["close:" + path for path in built]
        core = self.core([self.program], words)
        self.check(debuggers.gdb().run(self, [TRACES], self.program, core=core), words)
        for small, large in zip(built[::2], built[1::2]):
            shutil.copy(large, small)
        results = debuggers.gdb().run(self, [TRACES], self.program, core=core)
        gone = [word.replace("close:", "gone:") for word in words[::2]]
        self.check(results, [gone[i // 2] if i % 2 == 0 else words[i] for i in range(len(words))])
        note = "{}: is not the file that the program had loaded (its segments differ)"
        notes = results.json(TRACES)["notes"]
        self.assertEqual(len(notes), len(gone))
        for path in built[::2]:
            self.assertTrue(any(text.startswith(note.format(path)) for text in notes), notes)

    def test_program_that_the_loader_is_given(self):
        words = self.words()
        # gdb knows nothing of the program then, but stops where it aborts.
        arguments = [self.program, "abort"] + words
        results = debuggers.gdb().run(self, ["snapshot start", RUN, TRACES], LOADER, arguments)
        self.check(results, words)

    def test_rust(self):
        """As rustc links it by itself, and by the others."""
        if shutil.which("rustc") is None:
            self.skipTest("rustc is not installed")
        source = os.path.join(self.directory, "small.rs")
        with open(source, "w", encoding="ascii") as file:
            file.write(RUST)
        line = {tag: (source, tag_line(source, tag)) for tag in ("grow", "call")}
        wanted = [line["grow"] + ("small::grow",), line["call"] + ("small::main",)]
        ways = [[]] + [["-Clinker=gcc", "-Clink-arg=-fuse-ld=" + name] for name in linkers.WAYS]
        for way in ways:
            with self.subTest(way=way):
                built = os.path.join(self.directory, "small")
                command = ["rustc", "-g", "-o", built, source] + way
                subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
                results = self.live(debuggers.gdb(), built, [])
                ((frames,),) = [
                    [[f for f in trace["traceback"] if f["filename"] == source]]
                    for trace in results.json(TRACES)["traces"]
                    if trace["size"] == 12345
                ]
                found = [(f["filename"], f["lineno"], f["function"]) for f in frames]
                self.assertEqual(found, wanted)

    def test_lldb(self):
        for debugger in debuggers.lldbs():
            for turn, before in ((1, []), (2, [NOT_LOCAL])):
                with self.subTest(debugger=debugger.name, before=before):
                    words = self.words(turn)
                    self.check(self.live(debugger, self.program, words, before=before), words)

    def test_servers(self):
        for turn, debugger in enumerate([debuggers.gdb()] + debuggers.lldbs()[:1]):
            with self.subTest(debugger=debugger.name):
                words = self.words(turn + 3)
                variables = {"LINKED": " ".join(words), "LD_PRELOAD": HOOKS, "ALLOCSNAP": "16"}
                port = start_server(self, debugger, self.program, **variables)
                steps = [connect(port), stop_at("stop_here"), CONTINUE, TRACES]
                self.check(debugger.run(self, steps, self.program), words)
