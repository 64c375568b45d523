"""The hooks on aarch64: cross-compiled, run by qemu's user-mode emulation, and their walks
compared with those of the libgcc there."""

import os
import re
import subprocess
import unittest

from .hooked import Case

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PREFIX = "aarch64-linux-gnu-"
SYSROOT = "/usr/aarch64-linux-gnu"
SECONDS = 300

COUNTS = re.compile(r"^(\d+) stacks compared with libgcc's, (\d+) differ$", re.M)

#: Sources in tests/programs, flags, and how many stacks are compared at least.
PROGRAMS = [
    ("walks.cc", "-O0", 6000),
    ("walks.cc", "-O2", 6000),
    ("walks.cc", "-O2 -fomit-frame-pointer -mbranch-protection=standard", 6000),
    ("coroutines.c", "-O2", 29000),
]


class Aarch64(Case):
    def test_walks(self):
        build = os.path.join(self.directory, "build")
        hooks = os.path.join(build, "liballocsnap-hooks.so")
        subprocess.run(
            ["make", "-s", "-C", ROOT, "CC=" + PREFIX + "gcc", "BUILD=" + build, hooks],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        program = os.path.join(self.directory, "program")
        report = os.path.join(self.directory, "report")
        for source, flags, least in PROGRAMS:
            with self.subTest(source=source, flags=flags):
                compiler = PREFIX + ("g++" if source.endswith(".cc") else "gcc")
                source = os.path.join(ROOT, "tests", "programs", source)
                subprocess.run(
                    [compiler, "-g", "-w", "-pthread", "-o", program, source] + flags.split(),
                    check=True,
                )
                variables = ["LD_PRELOAD=" + hooks, "ALLOCSNAP=64", "ALLOCSNAP_CHECK=" + report]
                command = ["qemu-aarch64", "-L", SYSROOT]
                for variable in variables:
                    command += ["-E", variable]
                done = subprocess.run(
                    command + [program],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    encoding="utf-8",
                    timeout=SECONDS,
                )
                self.assertEqual(done.returncode, 0, done.stderr)
                with open(report, encoding="ascii") as file:
                    text = file.read()
                os.remove(report)
                ((compared, differing),) = COUNTS.findall(text)
                self.assertEqual(int(differing), 0, text)
                self.assertGreaterEqual(int(compared), least)


if __name__ == "__main__":
    unittest.main()
