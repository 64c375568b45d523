"""What the command line makes of names, and of registers, as a debugger does."""

import json
import os
import subprocess

from . import harness
from .typed import Typed

#: Waits with two blocks in a vector register alone.
SOURCE = r"""
#include <stdlib.h>
#include <unistd.h>

void *ptr;
void *null_pointer;
int number = 5;
double eight = 1.5;
struct {
    void *a;
    void *b;
} pair;

int main(void)
{
    ptr = malloc(123);
    pair.a = malloc(50);
    unsigned long low = (unsigned long)malloc(77), high = (unsigned long)malloc(88);
    unsigned long words[4] = {0, low, 0, high};
    __asm__ volatile("vmovdqu %0, %%ymm7" ::"m"(words) : "xmm7");
    for (int i = 0; i < 4; i++)
        *(volatile unsigned long *)&words[i] = 0;
    low = high = 0;
    __asm__ volatile("" : "+r"(low), "+r"(high));
    __asm__ volatile("syscall" ::"a"(1), "D"(1), "S"("ready\n"), "d"(6) : "rcx", "r11", "memory");
    for (;;)
        __asm__ volatile("pause");
}
"""


class Values(Typed):
    def begun(self):
        source, path = (os.path.join(self.directory, name) for name in ("values.c", "values"))
        with open(source, "w", encoding="utf-8") as file:
            file.write(SOURCE)
        subprocess.run(["gcc", "-O1", "-g", "-mavx", "-o", path, source], check=True)
        process = subprocess.Popen(
            [path], stdout=subprocess.PIPE,
            env=harness.environment(self.home, LD_PRELOAD=harness.HOOKS, ALLOCSNAP="16"),
        )  # fmt: skip
        for close in (process.stdout.close, process.wait, process.kill):
            self.addCleanup(close)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        return process

    def test_pointers_and_registers(self):
        self.need_attach()
        process = self.begun()
        same = ["who ptr", "who &ptr", "who pair", "who null_pointer", "refs --json ptr"]
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            has_avx = " avx " in file.read().replace("\n", " ")
        results = self.batch(["snapshot " + one for one in same[:4]], "-p", str(process.pid))
        for command in same[:4]:
            with self.subTest(command):
                self.assertEqual(self.told("-p", process.pid, *command.split()), results["snapshot " + command])
        for name in ("number", "eight"):
            error = self.refused(1, "-p", process.pid, "who", name)
            self.assertEqual(
                error,
                "whether `{0}` is a pointer, its symbol does not say: `&{0}` is where it lies".format(name),
            )
        self.assertIn(" 123,", self.told("-p", process.pid, *same[4].split()).replace("}", ","))
        if not has_avx:
            return
        traces = json.loads(self.told("-p", process.pid, "traces", "--json"))["traces"]
        places = {trace["size"]: hex(trace["address"]) for trace in traces}
        for size, register in ((77, "xmm7"), (88, "ymm7")):
            said = self.told("-p", process.pid, "refs", places[size])
            self.assertIn("register {} of thread {}".format(register, process.pid), said)
        self.assertEqual(self.told("-p", process.pid, "leaks"), "No leaked blocks.\n")
