"""Answers longer than a screen, at a terminal: gdb's pager asks after each page of a path, of many paths and of many
roots, goes on with Enter and ends with q; LLDB has no pager, and shows all."""

import os
import re
import shlex
import subprocess
import unittest

from . import debuggers, harness
from .terminals import Terminal

PROGRAM = r"""
#include <stdlib.h>
struct node {
    struct node *next;
};
static struct node *first, *last, *many[300];
__attribute__((noinline)) void stop_here(void) { __asm__ volatile(""); }
__attribute__((noinline)) static void build(void)
{
    last = calloc(1, 100);
    first = last;
    for (int i = 1; i < 60; i++) {
        struct node *made = calloc(1, 100);
        made->next = first;
        first = made;
    }
    struct node *shared = calloc(1, 200);
    for (int i = 0; i < 300; i++)
        many[i] = shared;
    last = (struct node *)~(unsigned long)last;
}
int main(void)
{
    build();
    stop_here();
    return first == NULL;
}
"""

ASKED = "--Type <RET> for more, q to quit, c to continue without paging--"
LINES = 12
PATH = "snapshot path (void *)~(unsigned long)last"
#: (command, what each line of interest has, how many of these there are).
COMMANDS = [
    (PATH, "  -> block of ", 60),
    ("snapshot path -n 40 many[0]", "global many", 40),
    ("snapshot refs -n all many[0]", "  global many", 300),
]


class Pages(harness.Case):
    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.directory, "chain")
        with open(self.path + ".c", "w", encoding="utf-8") as file:
            file.write(PROGRAM)
        subprocess.run(["gcc", "-g", "-O0", self.path + ".c", "-o", self.path], check=True)

    def begun(self, line, prompt, commands):
        """A terminal on which a debugger has come to the stop."""
        terminal = Terminal(self, lines=LINES, columns=200)
        since = terminal.begin(line)
        for command in commands:
            since = terminal.wait_for(re.escape(prompt) + r"(\x1b\[\d*[a-zA-Z])*$", since).end()
            terminal.type(command + "\n")
        terminal.wait_for(r"stop_here.*" + re.escape(prompt) + r"(\x1b\[\d*[a-zA-Z])*$", since)
        return terminal

    def ask(self, terminal, command, answers, prompt):
        """Types a command and answers at each page; what is shown until the prompt comes back, by pages."""
        since = terminal.begin(command)
        pages = []
        for answer in answers:
            shown = terminal.wait_for("({})|{}$".format(re.escape(ASKED), re.escape(prompt)), since)
            pages.append(terminal.shown[since : shown.start()])
            since = shown.end()
            if shown.group(1) is None:
                return pages
            terminal.type(answer)
        shown = terminal.wait_for(re.escape(prompt) + "$", since)
        return pages + [terminal.shown[since : shown.start()]]

    def test_gdb(self):
        options = " ".join("'{}'".format(option) for option in harness.GDB_OPTIONS)
        line = "{} -nx -q {} -iex 'set style enabled off' -iex 'set confirm off' {}".format(harness.GDB, options, self.path)
        before = ["source " + harness.SCRIPT, "snapshot start", "break stop_here", "run"]
        terminal = self.begun(line, "(gdb) ", before)
        for command, wanted, count in COMMANDS:
            pages = self.ask(terminal, command, ["\n"] * 100, "(gdb) ")
            self.assertEqual("".join(pages).count(wanted), count, command)
            self.assertGreater(len(pages), count // LINES, command)
            for page in pages:
                self.assertLess(page.count("\n"), LINES + 1, command)
            whole = self.ask(terminal, command, ["\n", "c\n"], "(gdb) ")
            self.assertEqual(("".join(whole).count(wanted), len(whole)), (count, 3), command)
            left = self.ask(terminal, command, ["\n", "q\n"], "(gdb) ")
            self.assertLess("".join(left).count(wanted), 2 * LINES, command)
            self.assertNotIn("Traceback", "".join(left))
            self.assertNotIn("Error", "".join(left))
        self.assertIn("Total: ", "".join(self.ask(terminal, "snapshot stats", ["c\n"], "(gdb) ")))

    def test_lldb(self):
        line = [debuggers.installed_lldb(), "--no-lldbinit", "--no-use-colors"]
        steps = ["command script import " + debuggers.LLDB_SCRIPT, "snapshot start", "breakpoint set -n stop_here", "run"]
        for step in ["settings set auto-confirm true"] + steps + [command for command, _, _ in COMMANDS] + ["quit"]:
            line += ["-o", step]
        terminal = Terminal(self, lines=LINES, columns=200)
        since = terminal.begin(" ".join(map(shlex.quote, line + [self.path])))
        while terminal.shown.count("  global many", since) < 300:
            self.assertTrue(terminal.read())
        # Of the first path 60, of the 40 others one each.
        self.assertEqual(terminal.shown.count("  -> block of ", since), 100)
        self.assertEqual(len(re.findall("^#[0-9]+:\r?$", terminal.shown[since:], re.M)), 40)


if __name__ == "__main__":
    unittest.main()
