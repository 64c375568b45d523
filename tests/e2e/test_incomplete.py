"""What a debugger or a core does not show: what only that holds is shown as leaked, and the first line
says so."""

import json
import os
import subprocess
import unittest

from . import debuggers
from .debuggers import RUN, stop_at
from .harness import Case

PROGRAM = """
#include <stdint.h>
#include <stdlib.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
static uintptr_t tagged;
static void **shared, **of_file;
static void *map(int flags, int file)
{
    return mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED | flags, file, 0);
}
void stop_here(int trap)
{
    if (trap)
        __builtin_trap();
}
__attribute__((noinline)) static void fill(void)
{
    int file = open("shared", O_RDWR | O_CREAT, 0600);
    if (ftruncate(file, 65536) != 0)
        abort();
    of_file = map(0, file);
    shared = map(MAP_ANONYMOUS, -1);
    tagged = (uintptr_t)malloc(801) | (uintptr_t)0xa5 << 56;
    shared[5] = malloc(802);
    of_file[5] = malloc(803);
    for (int i = 0; i < 3; i++)
        malloc(10);
}
__attribute__((noinline)) static void wipe(void)
{
    volatile char bytes[65536];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = 0;
}
int main(int argc, char **argv)
{
    (void)argv;
    fill();
    wipe();
    stop_here(argc > 1);
    return 0;
}
"""

LEAKS = "snapshot leaks size --json"
MASKED = "snapshot leaks size --json --tag-mask 0xff00000000000000"
NOTE = "64.0 KiB of roots are not in this core: blocks that only they hold are shown as leaked"


class Incomplete(Case):
    def setUp(self):
        super().setUp()
        with open(os.path.join(self.directory, "program.c"), "w", encoding="utf-8") as file:
            file.write(PROGRAM)
        self.path = os.path.join(self.directory, "program")
        flags = ["-g", "-O0", "-fno-builtin", "-w"]
        subprocess.run(["gcc", *flags, "program.c", "-o", self.path], check=True, cwd=self.directory)

    def check(self, results, commands, lost, notes):
        for command, tagged in zip(commands, (1, 0)):
            answer = json.loads(results[command])
            rows = {row["label"]: (row["size"], row["count"]) for row in answer["statistics"]}
            size, count = 801 * tagged + sum(lost), tagged + len(lost)
            self.assertEqual(rows.get("512 B to < 1 KiB", (0, 0)), (size, count), command)
            self.assertEqual(answer["notes"], notes, command)

    def test_process(self):
        before = {"gdb": ["snapshot start", "break stop_here", "run"]}
        for debugger in [debuggers.gdb()] + debuggers.lldbs():
            with self.subTest(debugger.name):
                begin = before.get(debugger.name, ["snapshot start 16", stop_at("stop_here"), RUN])
                results = debugger.run(self, begin + [LEAKS, MASKED], self.path)
                self.check(results, [LEAKS, MASKED], [], [])

    def test_core_without_shared_files(self):
        """The kernel leaves them out, if not told otherwise (core(5))."""
        core = self.kernel_core(self.path, "trap")
        # gdb would read it.
        os.remove(os.path.join(os.path.dirname(core), "shared"))
        for debugger in [debuggers.gdb()] + debuggers.lldbs():
            with self.subTest(debugger.name):
                results = debugger.run(self, [LEAKS, MASKED], self.path, core=core)
                self.check(results, [LEAKS, MASKED], [803], [NOTE])
        kinds = ["all", "definite", "indirect", "possible", "reachable", "definite,reachable"]
        commands = ["snapshot leaks --kinds " + one for one in kinds]
        commands += ["snapshot leaks", "snapshot retained", "snapshot stats --leaked"]
        results = self.batch(commands, self.path, core)
        for command in commands:
            text = results[command]
            self.assertTrue(text.startswith("warning: " + NOTE + "\n"), command + "\n" + text)


if __name__ == "__main__":
    unittest.main()
