"""Programs built with the sanitizers of gcc and clang, whose runtime has an allocator of its own: a
library after the hooks, or in the program."""

import os
import re
import subprocess

import expectations

from .hooked import LINES, STATUS, Case

SOURCE = "sanitized.c"
SANITIZERS = ("address", "thread", "leak", "undefined")


class Sanitizers(Case):
    seconds = 120

    def build(self, compiler, sanitizer, *flags):
        path = os.path.join(self.directory, "sanitized")
        command = [compiler, "-g", "-fno-builtin", "-pthread", "-fsanitize=" + sanitizer, *flags]
        subprocess.run(command + ["-o", path, expectations.source(SOURCE)], check=True)
        return path

    def ending(self, path, fault, **options):
        """A run's status, whether it came to its end, and what the sanitizer has found."""
        status, text = self.finish(path, *fault, **options)
        found = re.findall(r"SUMMARY: (.*)", text)
        return status, "done\n" in text, found

    def check(self, compiler, sanitizer, *flags, seen):
        path = self.build(compiler, sanitizer, *flags)
        faults = {"address": (["freed"], ["lost"]), "thread": (["freed"],), "leak": (["lost"],)}
        for fault in ([],) + faults.get(sanitizer, ()):
            with self.subTest(compiler=compiler, sanitizer=sanitizer, fault=fault):
                plain = self.ending(path, fault, traced=False)
                self.assertEqual(plain[:2] == (0, True), not fault)
                self.assertEqual(len(plain[2]), len(fault))
                self.assertEqual(self.ending(path, fault), plain)
        with self.subTest(compiler=compiler, sanitizer=sanitizer):
            results = self.at_stop([LINES, STATUS], path)
            held = self.held(results.json(LINES), SOURCE)
            if seen:
                wanted = self.tagged(SOURCE, kept=(106 + 107 + 108 + 109, 4), moved=(3000, 1))
                self.assertEqual(held, wanted)
                self.assertEqual(results.json(LINES)["notes"], [])
                self.assertNotIn("unseen:", results[STATUS])
            else:
                self.assertEqual(held, {})
                start = "the program has a malloc of its own, "
                self.assertTrue(results.json(LINES)["notes"][0].startswith(start))
                self.assertIn("\nunseen:  " + start, results[STATUS])

    def test_runtime_library_of_gcc(self):
        for sanitizer in SANITIZERS:
            self.check("gcc", sanitizer, seen=True)

    def test_runtime_of_gcc_in_the_program(self):
        for sanitizer in ("address", "thread"):
            self.check("gcc", sanitizer, "-static-lib{}san".format(sanitizer[0]), seen=False)

    def test_runtime_library_of_clang(self):
        """Of the others it has none that programs of C can be linked with."""
        name = "libclang_rt.asan-{}.so".format(os.uname().machine)
        found = subprocess.run(
            ["clang", "-print-file-name=" + name], stdout=subprocess.PIPE, check=True
        )
        place = os.path.dirname(os.fsdecode(found.stdout).strip())
        self.check("clang", "address", "-shared-libsan", "-Wl,-rpath," + place, seen=True)

    def test_runtime_of_clang_in_the_program(self):
        for sanitizer in ("address", "thread", "leak"):
            self.check("clang", sanitizer, seen=False)
        self.check("clang", "undefined", seen=True)
