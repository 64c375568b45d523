"""Why there are no hooks: what is said where they cannot be loaded, or were not, and in cores that lack
their records."""

import os
import re
import shutil
import subprocess
import unittest

import expectations

from . import debuggers
from .harness import DEADLINE, HOOKS, Case, environment, program

LINKER = "/lib64/ld-linux-x86-64.so.2"
GO_ON = "let the program run on, to `tbreak main` or another breakpoint, and try again\n"
RESTARTED = (
    "The process that there is now stays as it is: restart it with `run`.\n"
)
WITHOUT = (
    "warning: no hooks: blocks from glibc's own structures, without stacks; sizes are usable sizes\n"
)
NEXT_RUN = "The next `run` traces the heap, 16 frames of each stack.\n"


class Programs(Case):
    """Those that cannot load the hooks."""

    def built(self, name, *flags):
        path = os.path.join(self.directory, name)
        source = expectations.source("holds.c")
        subprocess.run(["gcc", "-g", "-w", "-o", path, source, *flags], check=True)
        return path

    def named_as_of_musl(self):
        """A program whose dynamic linker has the name of musl's, and is glibc's."""
        linker = os.path.join(self.directory, "ld-musl-x86_64.so.1")
        shutil.copy(LINKER, linker)
        path = self.built("musl", "-Wl,--dynamic-linker=" + linker)
        said = (
            "{} is a program for musl ({}), which cannot load hooks that are built for glibc: set"
            " ALLOCSNAP_HOOKS to hooks built for it, or trace a build of it for glibc\n"
        ).format(path, linker)
        return path, said

    def in_each(self, commands, path, **options):
        """The Results of each debugger."""
        return [debugger.run(self, commands, path, **options) for debugger in debuggers.every()]

    def hooks_for(self, soname):
        """A library by the name of the hooks that needs the C library of this name, as ours do not."""
        hooks = os.path.join(self.directory, "liballocsnap-hooks.so")
        library = os.path.join(self.directory, soname)
        nothing = ["gcc", "-shared", "-nostdlib", "-x", "c", "/dev/null", "-o"]
        subprocess.run(nothing + [library, "-Wl,-soname," + soname], check=True)
        link = ["-Wl,--no-as-needed", "-x", "none", library]
        subprocess.run(nothing + [hooks] + link, check=True)
        return {"ALLOCSNAP_HOOKS": hooks}

    def test_statically_linked(self):
        stop = debuggers.stop_at("stop_here")
        for flags in (["-static"], ["-static-pie"]):
            path = self.built("static", *flags)
            said = (
                "{} is statically linked, and loads no libraries: link it dynamically to trace it\n"
            ).format(path)
            commands = ["snapshot start", "snapshot status", stop, debuggers.RUN, "snapshot stats"]
            for results in self.in_each(commands + [" snapshot start"], path):
                warned = NEXT_RUN + "warning: " + said
                self.assertEqual(results["snapshot start"], warned)
                self.assertEqual(results["snapshot status"], "No process. " + warned)
                self.assertIn(
                    WITHOUT + "warning: no allocsnap hooks in this process: " + said,
                    results["snapshot stats"],
                )
                self.assertIn("Total: ", results["snapshot stats"])
                self.assertEqual(results[" snapshot start"], warned + RESTARTED)

    def test_of_another_libc(self):
        """Hooks that were linked with one C library only; those of this tree serve both."""
        path, said = self.named_as_of_musl()
        env = self.hooks_for("libc.so.6")
        stop = debuggers.stop_at("stop_here")
        commands = ["snapshot status", "snapshot start", "snapshot stop", stop, debuggers.RUN]
        for results in self.in_each(commands + ["snapshot stats", " snapshot start"], path, env=env):
            self.assertEqual(results["snapshot status"], "No process.\nwarning: " + said)
            for command in ("snapshot start", " snapshot start"):
                self.assertEqual(results[command].replace("error: ", ""), said)
            self.assertIn("nothing to stop", results["snapshot stop"])
            self.assertEqual(
                results["snapshot stats"].replace("error: ", ""),
                "no allocsnap hooks in this process: {}; without hooks only glibc's blocks are read,"
                " and this program's are those of musl's malloc ({})\n".format(
                    said.rstrip("\n"), os.path.join(self.directory, "ld-musl-x86_64.so.1")
                ),
            )

    def test_hooks_for_it(self):
        """Whoever has hooks for musl is let do it; a program of glibc cannot have those."""
        path, _ = self.named_as_of_musl()
        env = self.hooks_for("libc.so")
        commands = ["snapshot start", "snapshot stop"]
        results = self.batch(commands, path, env=env)
        self.assertEqual(results["snapshot start"], NEXT_RUN)
        results = self.batch(commands, program("holds"), env=env)
        self.assertEqual(
            results["snapshot start"],
            "{} is a program for glibc ({}), which cannot load hooks that are built for musl: set"
            " ALLOCSNAP_HOOKS to hooks built for it, or trace a build of it for musl\n".format(
                program("holds"), LINKER
            ),
        )

    def test_for_another_machine(self):
        """Its header tells."""
        path = os.path.join(self.directory, "holds")
        shutil.copy(program("holds"), path)
        with open(path, "r+b") as file:
            file.seek(18)  # e_machine
            file.write((183).to_bytes(2, "little"))
        change = "python import __main__; __main__.GdbTarget.program_path = lambda self: {!r}".format(path)
        results = self.batch([change, "snapshot start"], program("holds"))
        self.assertEqual(
            results["snapshot start"],
            NEXT_RUN + "warning: {} is a program for aarch64, and the hooks are for x86-64: set"
            " ALLOCSNAP_HOOKS to hooks built for it\n".format(path),
        )


class Processes(Case):
    """Those that might have had them."""

    def started(self, preload, *arguments, **variables):
        """A process, whatever it does."""
        child = subprocess.Popen(
            [program("holds"), "pause"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(self.home, LD_PRELOAD=preload, **variables),
        )
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        return child

    def check(self, child, said, has_heap=False):
        """What is said of a process; `has_heap`: its blocks are found all the same."""
        self.need_attach()
        commands = ["snapshot stats size", "snapshot status"]
        for debugger in debuggers.every():
            with self.subTest(debugger.name):
                results = debugger.run(self, commands, program("holds"), pid=child.pid)
                self.assertEqual(results["snapshot status"].replace("error: ", ""), said)
                told = results["snapshot stats size"]
                if has_heap:
                    self.assertTrue(told.startswith(WITHOUT + "warning: " + said), told)
                    # 100 bytes become 104, which is a multiple of 16 with the word of the size.
                    self.assertIn("64 B to < 128 B: size=1040 B, count=10, average=104 B", told)
                else:
                    self.assertEqual(told.replace("error: ", ""), said)

    def held_in_loader(self, preload):
        """A process whose dynamic linker is reading the FIFO among its libraries, and its other end."""
        fifo = os.path.join(self.directory, "waits.so")
        os.mkfifo(fifo)
        child = self.started(preload.format(fifo))
        writer = open(fifo, "wb")  # waits for the reader
        self.addCleanup(writer.close)
        return child

    def test_that_has_not_loaded_them_yet(self):
        child = self.held_in_loader("{}:" + HOOKS)
        self.check(
            child,
            "no allocsnap hooks in this process yet, which has not loaded its libraries: " + GO_ON,
        )

    def test_that_has_not_started_them_yet(self):
        child = self.held_in_loader(HOOKS + ":{}")
        self.check(child, "the allocsnap hooks are loaded but have not started yet: " + GO_ON)

    def test_that_is_in_the_loader_without_them(self):
        child = self.held_in_loader("{}")
        self.check(
            child,
            "no allocsnap hooks in this process: use `snapshot start` before `run`, or start the"
            " program with LD_PRELOAD=liballocsnap-hooks.so\n",
        )

    def ready(self, preload):
        child = self.started(preload)
        self.assertEqual(child.stdout.readline(), b"ready\n")
        return child

    def test_whose_loader_did_not_take_them(self):
        path = os.path.join(self.directory, "liballocsnap-hooks.so")
        self.check(
            self.ready(path),
            "no allocsnap hooks in this process, though its LD_PRELOAD names them ({}): the loader"
            " has told on the program's standard error why it did not take them\n".format(path),
            has_heap=True,
        )

    def test_that_was_started_without_them(self):
        said = (
            "no allocsnap hooks in this process: it was started before `snapshot start`, from"
            " elsewhere, or by what takes LD_PRELOAD out of its environment (exec-wrapper, a shell's"
            " start-up file); `run` it again\n"
        )
        commands = ["snapshot start", "break stop_here", "run", "snapshot status", "snapshot stats size"]
        without = ["set exec-wrapper env -u LD_PRELOAD"]
        results = self.batch(without + commands, program("holds"))
        self.assertEqual(results["snapshot status"], said)
        told = results["snapshot stats size"]
        self.assertTrue(told.startswith(WITHOUT + "warning: " + said), told)


class Cores(Case):
    def dumped(self, coredump_filter, preload=HOOKS):
        """A core of the kernel's that holds what a filter says."""
        self.need_kernel_cores()
        where = os.path.join(self.directory, "dumped")
        os.mkdir(where)
        script = 'ulimit -c "$(ulimit -H -c)"; echo {} >/proc/self/coredump_filter; exec "$0" abort'
        done = subprocess.run(
            ["/bin/sh", "-c", script.format(coredump_filter), program("holds")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=where,
            env=environment(self.home, LD_PRELOAD=preload, ALLOCSNAP="16"),
            timeout=DEADLINE,
            check=False,
        )
        return self.only_core(where, done.stdout)

    def said(self, core):
        """What each debugger says of it."""
        texts = []
        for debugger in debuggers.every():
            results = debugger.run(self, ["snapshot stats"], program("holds"), core=core)
            texts.append(results["snapshot stats"].replace("error: ", ""))
        return texts

    def test_without_private_memory(self):
        for text in self.said(self.dumped("0x32")):
            self.assertEqual(
                text,
                "the program had the hooks, but their records are not in this core: have its"
                " private anonymous memory dumped (bit 0 of its coredump_filter)\n",
            )

    def test_without_hooks(self):
        for text in self.said(self.dumped("0x33", preload="")):
            self.assertTrue(
                text.startswith(
                    WITHOUT + "warning: no allocsnap hooks in this core: start the program with"
                    " LD_PRELOAD=liballocsnap-hooks.so, and have its private anonymous memory"
                    " dumped (bit 0 of its coredump_filter)\n"
                ),
                text,
            )
            self.assertIn("Total: ", text)

    def test_report_without_hooks(self):
        core = self.dumped("0x33", preload="")
        report = os.path.join(self.directory, "report.html")
        command = "snapshot export now {} --graph".format(report)
        for debugger in debuggers.every():
            said = debugger.run(self, [command], program("holds"), core=core)[command]
            self.assertRegex(said, r"(?m)^{}: \d+ B in 14 blocks\.$".format(re.escape(report)))
            with open(report, encoding="utf-8") as file:
                self.assertIn("</html>", file.read())
            os.remove(report)

    def test_filled_up_with_zeros(self):
        """Wherever it was cut off, it is not taken for what the program has written."""
        core = self.kernel_core("holds", "abort")
        whole, parts = os.path.getsize(core), 6
        path = os.path.join(self.directory, "filled")
        outcomes = set()
        for part in range(1, parts):
            shutil.copy(core, path)
            os.truncate(path, whole * part // parts)
            os.truncate(path, whole)
            for text in self.said(path):
                self.assertNotIn("overwritten", text)
                self.assertNotIn("coredump_filter", text)
                if "Total: " in text:
                    outcomes.add("partial")
                    self.assertRegex(text, r"\Awarning: \d+ bytes of the program's memory are missing")
                    self.assertIn("Total: size=10128 B, count=14\n", text)
                else:
                    outcomes.add("error")
                    self.assertRegex(
                        text,
                        r"\Acore /\S+/filled was cut off and filled up with zeros, .* of the program's"
                        r" memory are missing: .*\n\Z",
                    )
        self.assertEqual(outcomes, {"partial", "error"})

    def test_with_zeros_in_the_middle(self):
        """Nobody is told to restart a program that is gone."""
        core = self.kernel_core("holds", "abort")
        # The list of chunks of nodes (docs/table-layout.md).
        node_chunks = "output *(long *) ((char *) &allocsnap_root + 152)"
        found = self.batch([node_chunks], program("holds"), core)[node_chunks]
        with open(core, "r+b") as file:
            offset = self.offset_of(file, int(found))
            file.seek(offset)
            file.write(bytes(4096))
        for text in self.said(core):
            self.assertIn(
                "the program had overwritten it, or the core is not what was written; have another"
                " one written\n",
                text,
            )
            self.assertNotIn("restart", text)

    @staticmethod
    def offset_of(file, address):
        """Where a core file has the memory at an address (Elf64_Phdr)."""
        head = file.read(64)
        table = int.from_bytes(head[32:40], "little")
        for index in range(int.from_bytes(head[56:58], "little")):
            file.seek(table + 56 * index)
            entry = file.read(56)
            offset, start = (int.from_bytes(entry[at : at + 8], "little") for at in (8, 16))
            size = int.from_bytes(entry[32:40], "little")
            if start <= address < start + size:
                return offset + address - start
        raise AssertionError("the core does not hold {:#x}".format(address))


if __name__ == "__main__":
    unittest.main()
