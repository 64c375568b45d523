"""What gdb's own symbols name, where the symbolizer cannot: code compiled at run time,
and debug information that libdwarf does not read."""

import os
import shutil
import subprocess

import expectations

from .harness import Case, program

HOLDS = expectations.source("holds.c")
MARKS = expectations.named(HOLDS)

STATS = "snapshot stats --json"

SOURCE = """void *jitted(void *(*allocate)(unsigned long));
void *jitted(void *(*allocate)(unsigned long))
{
    void *block = allocate(777);
    __asm__ volatile("" : "+r"(block));
    return block;
}
"""


class JitCode(Case):
    def newest(self, *flags):
        source = os.path.join(self.directory, "jitted.c")
        with open(source, "w", encoding="utf-8") as file:
            file.write(SOURCE)
        code = os.path.join(self.directory, "jitted")
        command = ["gcc", "-O0", "-ffreestanding", "-static", "-nostdlib", "-no-pie", "-fno-pic"]
        place = ["-Wl,-Ttext=0x650000000000,-e,jitted,--build-id=none"]
        subprocess.run(
            command + list(flags) + place + ["-mcmodel=large", "-o", code, source], check=True
        )
        answer = self.at_stop([STATS], "jit_code", code).json(STATS)
        self.assertEqual(answer["notes"], [])
        row = answer["statistics"][0]
        self.assertEqual((row["size"], row["count"]), (777, 1))
        return source, row["traceback"][0]

    def test_line(self):
        source, frame = self.newest("-g")
        self.assertEqual(
            frame,
            {
                "filename": source,
                "lineno": 4,
                "function": "jitted",
                "inlined": False,
                "named_by": "debugger",
                "module": None,
                "build_id": None,
                "offset": None,
            },
        )

    def test_symbol(self):
        _, frame = self.newest()
        self.assertEqual(
            frame,
            {
                "filename": "<unknown>",
                "lineno": 0,
                "function": "jitted",
                "inlined": False,
                "named_by": "debugger",
                "module": None,
                "build_id": None,
                "offset": None,
            },
        )


class PackedByZstd(Case):
    """gdb and objcopy know zstd, libdwarf and libelf only those of Debian 13."""

    def pack(self):
        path = os.path.join(self.directory, "packed")
        packed = subprocess.run(
            ["objcopy", "--compress-debug-sections=zstd", program("holds"), path], check=False
        )
        if packed.returncode != 0:
            self.skipTest("this objcopy does not pack by zstd")
        return path

    def test_lines(self):
        commands = ["snapshot start", "break stop_here", "run", STATS]
        packed = self.pack()
        results = self.batch(commands, packed)
        if "unsupported" in results["run"] + results["break stop_here"]:
            self.skipTest("this gdb does not unpack zstd")
        answer = results.json(STATS)
        self.assertEqual(answer["total"], {"size": 10128, "count": 14})
        self.assertEqual(
            [tuple(row["traceback"][0][key] for key in ("filename", "lineno", "function"))
             for row in answer["statistics"]][0],
            (HOLDS, MARKS["moved"].line, "hold_large"),
        )
        unpack = ["eu-elfcompress", "-q", "-t", "none", "-o", os.path.join(self.directory, "whole"), packed]
        if subprocess.run(unpack, check=False).returncode == 0:
            self.assertEqual(answer["notes"], [])
        else:
            self.assertEqual(len(answer["notes"]), 1)
            self.assertIn(packed + ": its debug information is not packed by zlib (but by zstd?)",
                          answer["notes"][0])


class AnotherBuild(Case):
    def test_symbols_of_another_build_are_no_answer(self):
        """gdb has the core's program, and it is not what was mapped."""
        path = os.path.join(self.directory, "server")
        shutil.copy(program("holds"), path)
        core = self.kernel_core(path, "abort")
        shutil.copy(program("recursion"), path)
        answer = self.batch([STATS], path, core).json(STATS)
        self.assertEqual({row["traceback"][0]["lineno"] for row in answer["statistics"]}, {0})
        self.assertIn("its build ID differs", answer["notes"][0])
