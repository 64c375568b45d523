"""What options and answers of the graph's commands mean, on graphs known by construction: disjoint paths, many
roots, heuristics, gaps, cycles, wide vector registers, and data without symbols."""

import os
import re
import subprocess
import unittest

from . import debuggers
from .debuggers import RUN, stop_at
from .harness import program
from .test_reach import SOURCE, lines_of
from .typed import Typed

WAYS = r"""
#include <stdlib.h>
struct node {
    struct node *next[3];
};
static struct node *direct, *by_one, *by_two, *by_both;
static struct node *many[300];
static struct node *target, *shared;
static struct node *make(size_t size, struct node *next)
{
    struct node *made = calloc(1, size);
    made->next[1] = next;
    return made;
}
__attribute__((noinline)) static void build(void)
{
    struct node *end = make(700, NULL);
    /* Ways of one, two and three blocks; and one whose block before the last is that of another. */
    direct = end;
    by_one = make(701, end);
    struct node *second = make(702, end);
    by_two = make(703, second);
    by_both = make(704, second);
    shared = make(705, NULL);
    for (int i = 0; i < 300; i++)
        many[i] = shared;
    target = (struct node *)~(unsigned long)end;
}
__attribute__((noinline)) void stop_here(void) { __asm__ volatile(""); }
__attribute__((noinline)) static void wipe(void)
{
    volatile char bytes[65536];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = 0;
}
static void below(void (*function)(void))
{
    volatile char room[4096];
    room[0] = 0;
    function();
}
int main(void)
{
    below(build);
    wipe();
    stop_here();
    return direct == NULL;
}
"""

WIDE = r"""
#include <stdint.h>
#include <stdlib.h>
static uint64_t hidden[3];
__attribute__((noinline)) void stop_here(int trap)
{
    if (trap)
        __builtin_trap();
}
__attribute__((noinline)) static void build(void)
{
    for (int i = 0; i < 3; i++)
        hidden[i] = ~(uint64_t)malloc(901 + i);
    malloc(904);
}
__attribute__((noinline)) static void wipe(void)
{
    volatile char bytes[65536];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = 0;
}
/* In the upper half of ymm2, the last word of zmm6, the first of zmm20; in no other register. */
__attribute__((noinline)) static void go(uint64_t trap)
{
    __asm__ volatile(
        "vzeroall\n\t"
        "movq (%0), %%rax\n\tnotq %%rax\n\tvmovq %%rax, %%xmm1\n\tvinserti128 $1, %%xmm1, %%ymm2, %%ymm2\n\t"
        "vpxor %%xmm1, %%xmm1, %%xmm1\n\t"
        "movq 8(%0), %%rax\n\tnotq %%rax\n\tvpbroadcastq %%rax, %%zmm5\n\tmovl $0x80, %%ecx\n\t"
        "kmovw %%ecx, %%k1\n\tvmovdqa64 %%zmm5, %%zmm6%{%%k1%}%{z%}\n\t"
        "movq 16(%0), %%rax\n\tnotq %%rax\n\tvpbroadcastq %%rax, %%zmm5\n\tmovl $1, %%ecx\n\t"
        "kmovw %%ecx, %%k1\n\tvmovdqa64 %%zmm5, %%zmm20%{%%k1%}%{z%}\n\tvpxorq %%zmm5, %%zmm5, %%zmm5\n\t"
        "kxorw %%k1, %%k1, %%k1\n\txorl %%eax, %%eax\n\txorl %%ecx, %%ecx\n\tmovq %1, %%rdi\n\tcall stop_here"
        :
        : "b"(hidden), "r"(trap)
        : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "xmm1", "xmm2", "xmm5", "xmm6", "xmm20",
          "k1", "memory", "cc");
}
static void below(void (*function)(void))
{
    volatile char room[4096];
    room[0] = 0;
    function();
}
int main(int argc, char **argv)
{
    (void)argv;
    below(build);
    wipe();
    go(argc > 1);
    return 0;
}
"""


class Built(Typed):
    def build(self, name, text, *options):
        path = os.path.join(self.directory, name)
        with open(path + ".c", "w", encoding="utf-8") as file:
            file.write(text)
        command = ["gcc", "-g", "-O0", "-fno-builtin", "-w", path + ".c", "-o", path]
        subprocess.run(command + list(options), check=True, cwd=self.directory)
        return path

    def in_each(self, check, commands, path):
        """Calls `check` with what each debugger answers where a program stops."""
        for debugger in [debuggers.gdb()] + debuggers.lldbs():
            with self.subTest(debugger.name):
                begin = ["snapshot start 16", stop_at("stop_here"), RUN]
                check(debugger.run(self, begin + commands, path))


class Ways(Built):
    PATHS = ["snapshot path --json{} direct".format(more) for more in ("", " -n 2", " -n 3", " -n all")]

    def check_paths(self, results):
        """None shares a block with one before but the last: of the two through the block of 702 bytes
        there is one."""
        wanted = [
            ("global direct (ways.c)", [700]),
            ("global by_one (ways.c)", [701, 700]),
            ("global by_both (ways.c)", [704, 702, 700]),
            ("global by_two (ways.c)", [703, 702, 700]),
        ]
        for command, count in zip(self.PATHS, (1, 2, 3, 3)):
            ways = results.json(command)["paths"]
            found = [(way["root"], [block["size"] for block in way["blocks"]]) for way in ways]
            self.assertEqual(len(found), count, command)
            self.assertEqual(found[:2], wanted[: min(count, 2)])
            self.assertIn(found[-1], wanted)
            offsets = [[block["offset"] for block in way["blocks"]] for way in ways]
            self.assertTrue(all(one == [8] * (len(one) - 1) + [None] for one in offsets), offsets)
        text = results["snapshot path -n 3 direct"]
        self.assertEqual(re.findall(r"^#\d+:$", text, re.M), ["#1:", "#2:", "#3:"])

    def test_paths_are_disjoint(self):
        path = self.build("ways", WAYS)
        self.in_each(self.check_paths, self.PATHS + ["snapshot path -n 3 direct"], path)

    def check_many(self, results):
        text = results["snapshot refs shared"].splitlines()
        self.assertTrue(text[0].endswith("size=705 B, reachable"), text[0])
        self.assertEqual(text[1], "pointed to by 301 pointers in roots and 0 pointers in blocks:")
        names = {"  global many+{:#x} (ways.c)".format(8 * i) for i in range(1, 300)}
        names |= {"  global many (ways.c)", "  global shared (ways.c)"}
        self.assertLessEqual(set(text[2:12]), names)
        self.assertEqual(len(set(text[2:12])), 10)
        self.assertEqual(text[12:], ["  and 291 other", "has 0 pointers to blocks:"])
        answer = results.json("snapshot refs --json -n all shared")
        self.assertEqual({"  " + root["name"] for root in answer["roots"]}, names)
        self.assertEqual((answer["root_count"], len(answer["roots"])), (301, 301))

    def test_a_block_with_hundreds_of_roots(self):
        path = self.build("ways", WAYS)
        self.in_each(self.check_many, ["snapshot refs shared", "snapshot refs --json -n all shared"], path)

    def test_data_without_symbols(self):
        """It is called by its section."""
        path = self.build("ways", WAYS, "-no-pie")
        results = self.batch(
            ["snapshot start 16", "break stop_here", "run", "print &direct", "print/x (long)direct"], path
        )
        variable = int(re.search(r"0x[0-9a-f]+", results["print &direct"]).group(), 16)
        command = "snapshot path --json " + results["print/x (long)direct"].split()[-1]
        stripped = path + ".stripped"
        subprocess.run(["strip", "-s", path, "-o", stripped], check=True)
        begin = {"gdb": ["snapshot start 16", "set breakpoint pending on", "break exit", "run"]}
        for debugger in [debuggers.gdb()] + debuggers.lldbs():
            with self.subTest(debugger.name):
                started = begin.get(debugger.name, ["snapshot start 16", stop_at("exit"), RUN])
                (way,) = debugger.run(self, started + [command], stripped).json(command)["paths"]
                self.assertEqual(way["root"], "section .bss of {} at {:#x}".format(stripped, variable))


class Options(Built):
    """On reach.cc, where the default is known (test_reach.py)."""

    COMMANDS = [
        "snapshot leaks --json --kinds possible",
        "snapshot leaks --json --kinds possible --no-heuristics",
        "snapshot leaks --json --kinds possible --gaps yes",
        "snapshot leaks --json --gaps yes",
        "snapshot leaks --json --gaps no",
        "snapshot leaks --json",
        "snapshot leaks -n all",
        "snapshot leaks -n all --kinds all",
    ]

    @staticmethod
    def lines(answer):
        return {
            row["traceback"][0]["lineno"]
            for row in answer["statistics"]
            if row["traceback"][0]["filename"] == SOURCE
        }

    def check(self, results):
        possible, without, gaps, left, no_gaps, leaks = (
            self.lines(results.json(command)) for command in self.COMMANDS[:6]
        )
        self.assertEqual(possible, set(lines_of("its inside")))
        explained = {
            line
            for tag in ("a string's characters", "what follows its length", "what follows a cookie", "its second base class")
            for line in lines_of(tag)
        }
        self.assertEqual(len(explained), 4)
        self.assertEqual(without, possible | explained)
        # Freed memory is between traced blocks, too; what of it the allocator has given out again or
        # back hangs on the lengths of paths.
        self.assertLessEqual(possible, gaps)
        self.assertGreater(len(gaps - possible), 0)
        self.assertLessEqual(gaps - possible, leaks)
        self.assertEqual(left, leaks - gaps)
        self.assertEqual(no_gaps, leaks)
        (cycle,) = lines_of("itself")
        row = r"^#\d+: \S*/reach\.cc:{}: leaked=82 B, count=1, average=82 B, a cycle of 12 blocks \(and 985 B in 12 blocks reachable only through it\), in "
        self.assertRegex(results[self.COMMANDS[6]], re.compile(row.format(cycle), re.M))
        row = r"^#\d+: \S*/reach\.cc:{}: size=984 B, count=12, average=82 B, 1 stands for a cycle of 12 blocks, in "
        self.assertRegex(results[self.COMMANDS[7]], re.compile(row.format(cycle), re.M))

    def test_what_they_change(self):
        self.in_each(self.check, self.COMMANDS, program("reach"))


class WideRegisters(Built):
    """Pointers in the parts of vector registers that only AVX and AVX-512 have."""

    LEAKS = "snapshot leaks traceback --json --no-skip"

    def setUp(self):
        super().setUp()
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            if " avx512f " not in file.read().replace("\n", " "):
                self.skipTest("this machine has no AVX-512")
        self.path = self.build("wide", WIDE, "-mavx512f")

    def leaked(self, answer):
        self.assertEqual(answer["notes"], [])
        return sorted(row["size"] for row in answer["statistics"])

    def test_process(self):
        started = ["snapshot start", "break stop_here", "run"]
        results = self.batch(started + [self.LEAKS], self.path)
        self.assertEqual(self.leaked(results.json(self.LEAKS)), [904])

    def test_core(self):
        core = self.kernel_core(self.path, "trap")
        for debugger in [debuggers.gdb()] + debuggers.lldbs():
            with self.subTest(debugger.name):
                results = debugger.run(self, [self.LEAKS], self.path, core=core)
                self.assertEqual(self.leaked(results.json(self.LEAKS)), [904])

    def test_in_lldb(self):
        """It shows the registers of AVX, and none of AVX-512 (docs/limits.md)."""
        for debugger in debuggers.lldbs():
            with self.subTest(debugger.name):
                started = ["snapshot start 16", stop_at("stop_here"), RUN]
                results = debugger.run(self, started + [self.LEAKS], self.path)
                self.assertNotIn(901, self.leaked(results.json(self.LEAKS)))


if __name__ == "__main__":
    unittest.main()
