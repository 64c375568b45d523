"""Thread-local variables that hold blocks are named, with their thread, without a thread library."""

import os
import re
import subprocess
import unittest

from . import debuggers
from .debuggers import RUN, stop_at
from .harness import HOOKS
from .test_remote import Server

MAIN = """
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
static __thread void *cache[4];
__thread void *shared[2];
static void (*keep)(void *, void *);
static pthread_barrier_t barrier;
static void fill(size_t size)
{
    cache[3] = malloc(size);
    shared[1] = malloc(size + 1);
    keep(malloc(size + 2), malloc(size + 3));
}
static void *work(void *unused)
{
    fill(700);
    pthread_barrier_wait(&barrier);
    for (;;)
        pause();
    return unused;
}
void stop_here(int trap)
{
    if (trap)
        __builtin_trap();
}
int main(int argc, char **argv)
{
    pthread_t thread;
    keep = (void (*)(void *, void *))dlsym(dlopen("LIBRARY", RTLD_NOW), "keep");
    if (keep == NULL || argv == NULL)
        abort();
    pthread_barrier_init(&barrier, NULL, 2);
    fill(600);
    pthread_create(&thread, NULL, work, NULL);
    pthread_barrier_wait(&barrier);
    stop_here(argc > 1);
    return 0;
}
"""

LIBRARY = """
static __thread char before[40];
static __thread void *cache[2];
__thread void *kept;
void keep(void *one, void *other)
{
    before[0]++;
    cache[1] = one;
    kept = other;
}
"""

SIZES = [600, 601, 602, 603, 700, 701, 702, 703]
LIST = "snapshot traces --json --no-skip"


class ThreadLocals(Server):
    def setUp(self):
        super().setUp()
        library = os.path.join(self.directory, "libkeeps.so")
        texts = {"program.c": MAIN.replace("LIBRARY", library), "keeps.c": LIBRARY}
        for name, text in texts.items():
            with open(os.path.join(self.directory, name), "w", encoding="utf-8") as file:
                file.write(text)
        compiler = ["gcc", "-g", "-O0", "-fno-builtin"]
        self.path = os.path.join(self.directory, "program")
        for command in (
            compiler + ["-shared", "-fPIC", "keeps.c", "-o", library],
            compiler + ["-pthread", "program.c", "-o", self.path],
        ):
            subprocess.run(command, check=True, cwd=self.directory)
        self.library = library

    def check(self, run, stripped=False):
        """`run`: carries out commands at the stop."""
        blocks = {block["size"]: block["address"] for block in run([LIST]).json(LIST)["traces"]}
        commands = ["snapshot refs {}".format(blocks[size]) for size in SIZES]
        results = run(commands)
        said = [results[command] for command in commands]
        found = [re.findall(r"thread-local (\S+) \((\S+)\) of thread (\d+)", text) for text in said]
        first, second = {(found[0] or [("", "", "?")])[0][2]}, {(found[4] or [("", "", "!")])[0][2]}
        self.assertNotEqual(first, second)
        main = [("cache+0x18", "program.c"), ("shared+0x8", "program")]
        library = [("cache+0x8", "keeps.c"), ("kept", "libkeeps.so")]
        if stripped:
            # What a library exports it has to name.
            library[0] = ("storage+0x30", "libkeeps.so")
        for names, thread in ((found[:4], first), (found[4:], second)):
            self.assertEqual([[one[:2] for one in name] for name in names], [[one] for one in main + library], said)
            self.assertEqual({one[2] for name in names for one in name}, thread)

    def in_gdb(self, commands):
        return self.batch(["snapshot start", "break stop_here", "run"] + commands, self.path)

    def test_gdb(self):
        self.check(self.in_gdb)

    def test_lldb(self):
        for debugger in debuggers.lldbs():
            with self.subTest(debugger.name):
                before = ["snapshot start 16", stop_at("stop_here"), RUN]
                self.check(lambda commands: debugger.run(self, before + commands, self.path))

    def test_cores(self):
        core = os.path.join(self.directory, "core.gdb")
        self.in_gdb(["generate-core-file " + core])
        self.check(lambda commands: self.batch(commands, self.path, core))
        kernel = self.kernel_core(self.path, "trap")
        self.check(lambda commands: self.batch(commands, self.path, kernel))
        for debugger in debuggers.lldbs():
            with self.subTest(debugger.name):
                self.check(lambda commands: debugger.run(self, commands, self.path, core=kernel))

    def test_gdbserver(self):
        def run(commands):
            port = self.server("gdbserver", "127.0.0.1:0", self.path, LD_PRELOAD=HOOKS, ALLOCSNAP="16")
            before = ["target remote 127.0.0.1:" + port, "break stop_here", "continue"]
            return self.batch(before + commands, self.path)

        self.check(run)

    def test_without_symbols_of_the_library(self):
        subprocess.run(["strip", self.library], check=True)
        self.check(self.in_gdb, stripped=True)


if __name__ == "__main__":
    unittest.main()
