"""Of several roots that lead to a block, `path` begins at the one that is most likely in use."""

import os
import subprocess
import unittest

from . import debuggers
from .debuggers import RUN
from .harness import Case

PROGRAM = """
#include <stdlib.h>
struct node { struct node *next; char bytes[40]; };
static void *global;
static struct node *first, *second;
static __thread void *of_thread;
void *volatile sizes[8];

/* What its frame held lies below the stack pointer once it has returned. */
__attribute__((noinline)) static void leave(void *one, void *two, void *three, void *four, void *five)
{
    void *volatile old[5] = {one, two, three, four, five};
    (void)old;
}

static void hold(void)
{
    void *unused[6];
    void *variable = malloc(604);
    struct node *far = malloc(605);
    global = malloc(601);
    of_thread = malloc(602);
    far->next = malloc(606);
    second = far->next;
    first = far;
    unused[0] = variable;
    leave(global, of_thread, malloc(603), variable, far->next);
    sizes[0] = 0; /* stop */
}

int main(void)
{
    hold();
    return first == 0 || second == 0;
}
"""

LIST = "snapshot traces --json --no-skip"


LINE = next(n for n, line in enumerate(PROGRAM.split("\n"), 1) if "/* stop */" in line)
STOP = debuggers.Step(
    "break program.c:{}".format(LINE), "breakpoint set --file program.c --line {}".format(LINE)
)


class RootChoice(Case):
    # {size: what `path` begins with}
    KNOWN = {
        601: r"global global \(program.c\)$",
        602: r"thread-local of_thread \(program.c\) of thread ",
        603: r"below the stack pointer of thread \d+ .* at 0x",
        604: r"frame 0 \(hold\), variable (variable|unused) of thread ",
        605: r"global first \(program.c\)$",
        606: r"global second \(program.c\)$",
    }

    def setUp(self):
        super().setUp()
        with open(os.path.join(self.directory, "program.c"), "w", encoding="utf-8") as file:
            file.write(PROGRAM)
        self.path = os.path.join(self.directory, "program")
        flags = ["-g", "-O0", "-fno-builtin", "-w", "-no-pie"]
        subprocess.run(["gcc", *flags, "program.c", "-o", self.path], check=True, cwd=self.directory)

    def check(self, run):
        blocks = {block["size"]: block["address"] for block in run([LIST]).json(LIST)["traces"]}
        commands = {size: "snapshot path {}".format(blocks[size]) for size in self.KNOWN}
        results = run(list(commands.values()))
        for size, begin in self.KNOWN.items():
            self.assertRegex(results[commands[size]].splitlines()[0], begin, size)

    def test_gdb(self):
        self.check(lambda commands: self.batch(["snapshot start", STOP.gdb, "run"] + commands, self.path))

    def test_lldb(self):
        for debugger in debuggers.lldbs():
            with self.subTest(debugger.name):
                before = ["snapshot start 16", STOP, RUN]
                self.check(lambda commands: debugger.run(self, before + commands, self.path))


if __name__ == "__main__":
    unittest.main()
