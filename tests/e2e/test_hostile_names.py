"""Names that a terminal would obey: in a core, in a dump, in a program and what it is made of.

Every command is carried out on each of these, and what it prints has nothing in it that a
terminal obeys, and no line that a name has begun.
"""

import ctypes
import os
import re
import subprocess
import sys
import unicodedata

from . import debuggers
from .debuggers import RUN, stop_at
from .harness import BUILD, ROOT, Case, Failed
from .made_core import Core, Table

os.environ.setdefault("ALLOCSNAP_LIBRARY", os.path.join(BUILD, "liballocsnap.so"))
sys.path.insert(0, os.path.join(ROOT, "core", "python"))

# pylint: disable=wrong-import-position
from allocsnap.commands import COMMANDS  # noqa: E402
from allocsnap.library import native, objects  # noqa: E402
from allocsnap.library.keys import keys  # noqa: E402

FORGED = "FORGED"

#: What is in every name: it sets a title and a colour, begins a line, goes back and deletes,
#: turns the direction of writing, and is no UTF-8.
NASTY = b"\x1b]0;owned\x07\x1b[31m\n" + FORGED.encode() + b"\r\b\t\x7f\xc2\x9b31m\xe2\x80\xae\xe2\x80\xa8\xff"
#: The same as far as a line that is typed can hold it, and gdb hands it on: text in UTF-8.
TYPED = re.sub("[\n\r\b\t\x7f]", "", NASTY.decode("utf-8", "ignore"))

#: What of NASTY must be there where a name is shown.
SHOWN = r"\x1b[31m\x0aFORGED\x0d"

#: The lines that are typed for each command. {name}: a snapshot; {file}: where to write one.
LINES = {
    "start": ["start 0", "start " + TYPED, "start --sample " + TYPED],
    "stop": ["stop " + TYPED],
    "clear": ["clear " + TYPED],
    "reset-peak": ["reset-peak " + TYPED],
    "status": ["status", "status {name}", "status " + TYPED],
    "watch": ["watch " + TYPED, "watch --block " + TYPED, "watch --count " + TYPED, "watch 100G", "watch"],
    "take": ["take other", "take " + TYPED, "take --no-names bare", "take --python"],
    "list": ["list"],
    "delete": ["delete " + TYPED],
    "stats": ["stats %s {name}" % key for key in keys()]
    + ["stats --json {name}", "stats --all-frames --include * {name}", "stats thread", "stats thread --json"]
    + ["stats --include *" + TYPED + " {name}", "stats --exclude *" + TYPED + "* {name}"]
    + ["stats --cumulative {name}", "stats --domain " + TYPED + " {name}", "stats " + TYPED],
    "diff": ["diff {name} " + TYPED, "diff {name} other", "diff {name} other --json"],
    "traces": ["traces {name}", "traces --json {name}", "traces --domain nobody {name}",
               "traces"],
    "who": ["who --in {name} 0x500010", "who --in {name} --json 0x500010", "who " + TYPED,
            "who 0x7f0000001000", "who 0x500010", "who &kept[1]", "who --json &kept[1]", "who $sp", "who $pc"],
    "freed": ["freed", "freed --allocated --json", "freed " + TYPED, "freed traceback --include *" + TYPED],
    "history": ["history", "history --json", "history " + TYPED],
    "errors": ["errors", "errors --json", "errors " + TYPED],
    "leaks": ["leaks", "leaks --kinds all", "leaks traceback --kinds all --json", "leaks " + TYPED,
              "leaks --kinds " + TYPED, "leaks --suppressions /nonexistent/" + TYPED,
              "leaks --kinds all --suppressions {supp} --show-suppressed", "leaks --json --suppressions {supp}",
              "leaks --suppressions {bad}"],
    "refs": ["refs 0x500010", "refs --json 0x500010", "refs kept[0]", "refs --json kept[0]", "refs " + TYPED],
    "path": ["path 0x500010", "path --json 0x500010", "path kept[0]", "path --json kept[0]", "path " + TYPED],
    "retained": ["retained", "retained --json", "retained --top", "retained --top --json",
                 "retained " + TYPED],
    "heap": ["heap", "heap --json", "heap " + TYPED],
    "place": ["place " + TYPED + ".c:3", "place"],
    "dump": ["dump {name} {file}", "dump {name} /nonexistent/" + TYPED, "dump {name} {file}/x"],
    "load": ["load {file} again", "load /nonexistent/" + TYPED, "load " + ROOT],
    "export": ["export {name} {file}.folded", "export {name} {file}", "export " + TYPED + " {file}.folded",
               "export {name} /nonexistent/" + TYPED + ".folded", "export now {file}.heapsnapshot",
               "export {name} {file}.heapsnapshot", "export {name} {file} --format " + TYPED,
               "export {name} {file}.pb.gz", "export {name} {file}.csv",
               "export {name} {name} {file}.db", "export {name} {file}.speedscope.json",
               "export {name} {file}.html", "export now {file}.html --graph",
               "export {name} {file}.profile.json"],
    "symbolize": ["symbolize {name}", "symbolize {name} /nonexistent/" + TYPED],
    "set": ["set skip " + TYPED, "set", "set skip", "set names short", "set paths short",
            "set " + TYPED, "set suppressions {supp}", "set", "set suppressions /nonexistent/" + TYPED,
            "set suppressions {bad}", "set suppressions off"],
}

PROGRAM = r"""
#include <stdlib.h>
#include <sys/prctl.h>
#include "allocsnap_hooks.h"

void *volatile kept[4];

static __attribute__((noinline)) void *@FUNCTION@(int size)
{
    void *made = malloc(size); /* @SOURCE@ */
    return made;
}

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

int main(void)
{
    prctl(PR_SET_NAME, "@THREAD@");
    allocsnap_name_domain(7, "@DOMAIN@");
    allocsnap_track(7, 0x500000, 100);
    kept[0] = @FUNCTION@(1000);
    stop_here();
    return kept[0] == 0;
}
"""


def escaped(raw):
    """Bytes as octal escapes, for C and for the assembler."""
    return "".join("\\{:03o}".format(byte) for byte in raw)


class HostileNames(Case):
    def setUp(self):
        super().setUp()
        self.nasty = os.path.join(os.fsencode(self.directory), NASTY)
        os.mkdir(self.nasty)

    def path(self, name):
        """The path of a file in a directory with a nasty name."""
        return os.path.join(self.nasty, os.fsencode(name))

    # ---- what is printed ----

    def check_output(self, command, output):
        """No character that is obeyed, no byte that is no text, no line that a name began."""
        # What the debugger has not handed on shows nothing; nor does what has failed.
        self.assertNotIn("Python Exception", output, command)
        self.assertNotIn("Traceback", output, command)
        for line in output.split("\n"):
            self.assertFalse(line.lstrip().startswith(FORGED), (command, output))
        wrong = {
            character
            for character in output
            if character != "\n"
            and (unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp", "Cs") or character == "\ufffd")
        }
        self.assertEqual(wrong, set(), (command, output))

    def check_session(self, debugger, before, program=None, core=None, cwd=None, name="one"):
        """Every command, after some that make a snapshot `name`; returns the results."""
        self.assertEqual(set(LINES), {command.name for command in COMMANDS}, "each command has lines")
        file = os.path.join(self.directory, debugger.name + ".dump")
        supp, bad = (os.path.join(self.directory, name) for name in ("rules.supp", "bad.supp"))
        for path, rules in ((supp, b"leak:" + NASTY + b"\nleak:*\n"), (bad, b"\x1b[31m\r\x9b31m\n")):
            with open(path, "wb") as rules_file:
                rules_file.write(rules)
        lines = [
            "snapshot " + line.format(name=name, file=file, supp=supp, bad=bad)
            for command in COMMANDS
            for line in LINES[command.name]
        ]
        # What LLDB does not take from a line: its editor's own commands, and what is no UTF-8.
        if debugger.name != "gdb":
            lines = [re.sub("[\x07\x1b\ud800-\udfff]", "", line) for line in lines]
        results = debugger.run(self, before + lines, program or "/bin/true", core=core, cwd=cwd)
        for command, output in zip(results.commands, results.outputs):
            if isinstance(command, str) and command.startswith("snapshot "):
                with self.subTest(debugger=debugger.name, command=command):
                    self.check_output(command, output)
        return results

    def everywhere(self):
        return debuggers.every()

    # ---- a core ----

    def core(self):
        """Writes a core whose names are nasty, as is its own."""
        table = Table(hooks_version=NASTY[10:])
        places = [table.module(0x7F0000000000, 0x7F0000100000, b"/nonexistent/" + NASTY + b".so"),
                  table.module(0x7F0000200000, 0x7F0000300000, NASTY)]
        pool = table.domain(7, NASTY[10:])
        for number, module in enumerate(places):
            node = table.node(0x7F0000001234 + 0x200000 * number, 0, module)
            table.block(0x500000 + 64 * number, 48, node, pool)
        core = Core()
        table.put_into(core)
        core.files = [(0x7F0000000000, 0x7F0000100000, b"/nonexistent/" + NASTY + b".so")]
        path = self.path("core")
        core.write(path)

    def test_core(self):
        self.core()
        for debugger in self.everywhere():
            # From its directory: gdb 16 and later take spaces and quotes in a core's path for its end.
            results = self.check_session(debugger, ["snapshot take one"], core="core", cwd=self.nasty)
            if debugger.name == "gdb":
                self.assertIn(SHOWN, results["snapshot status"])
                self.assertIn("version " + r"\x1b[31m\x0aFORGED", results["snapshot status"])
                self.assertIn(SHOWN + r"\x08\x09\x7f\xc2\x9b31m\xe2\x80\xae\xe2\x80\xa8\xff.so",
                              results["snapshot stats lineno one"])
                self.assertIn(r"domain=7 (\x1b[31m\x0aFORGED", results["snapshot traces one"])
                self.assertIn("FORGED", results["snapshot list"])

    # ---- a dump ----

    def dump(self):
        """A dump whose names are nasty, as is its own; returns its path."""
        library = native.library()

        def made(create, destroy, *arguments):
            holder = ctypes.c_void_p()
            native.check(create(*arguments, ctypes.byref(holder)))
            self.addCleanup(destroy, holder)
            return holder

        builder = made(library.asnap_builder_create, library.asnap_builder_destroy)
        mapping = native.Mapping(0x1000, 0x2000, 0, b"/nonexistent/" + NASTY, NASTY)
        native.check(library.asnap_builder_mapping(builder, ctypes.byref(mapping)))
        threads = (ctypes.c_uint32 * 2)(0, 4242)
        native.check(library.asnap_builder_threads(builder, threads, 2))
        native.check(library.asnap_builder_start_time(builder, 1700000000 * 10**9))
        frames = (ctypes.c_uint32 * 3)()
        for place, frame in enumerate(
            [
                native.Frame(b"/src/" + NASTY + b".c", NASTY, 3, True, 0),
                native.Frame(b"/nonexistent/" + NASTY, b"ns::" + NASTY + b"(int)", 0, False, 0),
                native.Frame(b"/nonexistent/" + NASTY, None, 0, False, 0),
            ]
        ):
            number = ctypes.c_uint32()
            native.check(
                library.asnap_builder_frame(
                    builder, ctypes.byref(frame), 0x1100 + place, 0, ctypes.byref(number)
                )
            )
            frames[place] = number.value
        for place, count in enumerate((3, 1)):
            stack = ctypes.c_uint32()
            first = ctypes.cast(ctypes.byref(frames, 4 * (2 - 2 * (place == 0))), ctypes.POINTER(ctypes.c_uint32))
            native.check(library.asnap_builder_traceback(builder, first, count, count, ctypes.byref(stack)))
            block = (native.Trace * 1)(native.Trace(0x500000 + 64 * place, 48, stack.value, 7, 1, 5))
            native.check(library.asnap_builder_traces(builder, block, 1))
        native.check(library.asnap_builder_note(builder, b"a note of " + NASTY))
        native.check(library.asnap_builder_domain_name(builder, 7, NASTY))
        native.check(library.asnap_builder_attribute(builder, b"allocsnap.source", b"core " + NASTY))
        native.check(library.asnap_builder_attribute(builder, NASTY, NASTY))
        snapshot = objects.Snapshot()
        native.check(library.asnap_builder_finish(builder, 16, snapshot.out))
        path = self.path("dump")
        native.check(library.asnap_snapshot_dump(snapshot, path, None, 0))
        return os.fsdecode(path)

    def test_dump(self):
        # The name of its directory cannot be typed as it is.
        link = os.path.join(self.directory, "link.dump")
        os.symlink(self.dump(), link)
        for debugger in self.everywhere():
            results = self.check_session(debugger, ["snapshot load {} one".format(link)])
            load = results["snapshot load {} one".format(link)]
            self.assertIn("warning: a note of \\x1b]0;owned\\x07\\x1b[31m\\x0aFORGED", load)
            self.assertIn("core \\x1b]0;owned\\x07", results["snapshot list"])
            self.assertIn(SHOWN, results["snapshot stats lineno one"])
            self.assertIn(SHOWN, results["snapshot stats function one"])
            self.assertIn(SHOWN, results["snapshot status one"])
            self.assertIn("\\x0aFORGED", results["snapshot who --in one 0x500010"])

    # ---- a program ----

    def program(self):
        """A program whose names are nasty: file, source, function, thread, domain; its path."""
        short = NASTY[10:]
        text = PROGRAM
        for place, raw in (("THREAD", short[:15]), ("DOMAIN", short[:31])):
            text = text.replace("@{}@".format(place), escaped(raw))
        function = b"f" * len(NASTY)
        text = text.replace("@FUNCTION@", function.decode())
        content = text.encode().replace(b"@SOURCE@", NASTY.replace(b"\n", b"").replace(b"\r", b""))
        source, binary = self.path(NASTY + b".c"), self.path(NASTY)
        with open(source, "wb") as file:
            file.write(content)
        include = os.path.join(ROOT, "core", "include")
        done = subprocess.run(
            ["gcc", "-g", "-O1", "-I" + include, "-o", binary, source],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )
        if done.returncode != 0:
            raise Failed("gcc: {!r}".format(done.stdout))
        # No assembler takes such a name: it is put into what is made.
        with open(binary, "rb+") as file:
            content = file.read()
            file.seek(0)
            file.write(content.replace(function + b"\0", NASTY + b"\0"))
        return os.fsdecode(binary)

    def test_program(self):
        binary = self.program()
        link = os.path.join(self.directory, "program")
        os.symlink(binary, link)
        for debugger in self.everywhere():
            before = ["snapshot start", stop_at("stop_here"), RUN, "snapshot take one"]
            results = self.check_session(debugger, before, program=link)
            if "stop_here" not in results[RUN]:
                raise Failed("{} did not stop:\n{}".format(debugger.name, results))
            self.assertIn("2 blocks", results["snapshot take one"])
            self.assertIn(SHOWN, results["snapshot stats lineno one"])
            self.assertIn(SHOWN, results["snapshot stats function one"])
            self.assertIn("\\x0aFORGED", results["snapshot traces one"])
            # The debugger says the name of a thread, gdb without what follows a newline.
            self.assertIn(r'(1 "\x1b[31m', results["snapshot stats thread"])
            self.assertIn(r'(1 "\x1b[31m', results["snapshot who 0x500010"])
