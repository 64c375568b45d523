"""`allocsnap top`, on a terminal; `allocsnap every`."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

from . import harness
from .harness import HOOKS
from .screens import Screen
from .typed import ALLOCSNAP, PYTHON, Typed

#: Holds 3000 bytes in 3 blocks, and 500 more in another one for each line that it reads, of a
#: source in a directory whose name would control a terminal.
GROWS = r"""
#include <stdio.h>
#include <stdlib.h>

static void *kept[1000];
static int count;

__attribute__((noinline)) static void grow(void)
{
    kept[count++] = malloc(500);
}

int main(void)
{
    char line[16];
    static char output[64];
    setvbuf(stdout, output, _IOLBF, sizeof(output));
    static char input[64];
    setvbuf(stdin, input, _IOLBF, sizeof(input));
    for (int i = 0; i < 3; i++)
        kept[count++] = malloc(1000);
    puts("ready");
    while (fgets(line, sizeof(line), stdin) != NULL) {
        grow();
        puts("grown");
    }
    return 0;
}
"""


#: Holds two objects of 400 bytes, and another one for each line that it reads.
SHAPES = r"""
#include <unistd.h>
struct Shape {
    virtual ~Shape() {}
};
struct Square : Shape {
    char bytes[392];
};
static Shape *kept[1000];
int main()
{
    int count = 0;
    kept[count++] = new Square;
    kept[count++] = new Square;
    char byte;
    if (write(1, "ready\n", 6) != 6)
        return 1;
    while (read(0, &byte, 1) == 1) {
        kept[count++] = new Square;
        if (write(1, "grown\n", 6) != 6)
            return 1;
    }
    return 0;
}
"""

#: Numbers of its lines.
GROW, MAIN = (
    next(number for number, line in enumerate(GROWS.split("\n"), 1) if text in line)
    for text in ("malloc(500)", "malloc(1000)")
)


class Growing(Typed):
    """With a program that holds more when it is told."""

    def grows(self):
        """The process, which is ready."""
        place = os.path.join(self.directory, "a\x1b[31mb")
        os.mkdir(place)
        source, path = os.path.join(place, "grows.c"), os.path.join(self.directory, "grows")
        with open(source, "w", encoding="utf-8") as file:
            file.write(GROWS)
        subprocess.run(["gcc", "-g", "-O0", "-o", path, source], check=True)
        return self.started(path)

    def started(self, path):
        process = subprocess.Popen(
            [path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env=harness.environment(self.home, LD_PRELOAD=HOOKS, ALLOCSNAP="16"),
        )  # fmt: skip
        for close in (process.stdin.close, process.stdout.close, process.wait, process.kill):
            self.addCleanup(close)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        return process

    def grow(self, process, times):
        for _ in range(times):
            process.stdin.write(b"\n")
            process.stdin.flush()
            self.assertEqual(process.stdout.readline(), b"grown\n")


#: In the order of the key k.
KEYS = ("traceback", "function", "module", "thread", "age", "size", "type")


class Shown:
    """`allocsnap` on a terminal, and what that shows."""

    def __init__(self, case, *words, lines=24, columns=80):
        self._file, child = pty.openpty()
        self.screen = Screen(lines, columns)
        fcntl.ioctl(self._file, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.process = subprocess.Popen(
            ["setsid", "--ctty", PYTHON, "-B", ALLOCSNAP] + [str(word) for word in words],
            stdin=child, stdout=child, stderr=child, cwd=case.directory,
            env=harness.environment(case.home, TERM="linux"),
        )  # fmt: skip
        os.close(child)
        case.addCleanup(os.close, self._file)
        case.addCleanup(self.process.wait)
        case.addCleanup(self.process.kill)

    def type(self, text):
        os.write(self._file, text.encode())

    def resize(self, lines, columns):
        self.screen = Screen(lines, columns)
        fcntl.ioctl(self._file, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def _read(self):
        if not select.select([self._file], [], [], harness.DEADLINE)[0]:
            raise harness.Failed("nothing new is shown:\n" + "\n".join(self.screen.lines))
        try:
            data = os.read(self._file, 65536)
        except OSError:
            return False
        self.screen.feed(data.decode("utf-8", "replace"))
        return bool(data)

    def wait_for(self, *wanted):
        """Reads until each of these is in a line; returns the lines."""
        while not all(any(re.search(one, line) for line in self.screen.lines) for one in wanted):
            if not self._read():
                raise harness.Failed("not shown: {}\n{}".format(wanted, "\n".join(self.screen.lines)))
        return self.screen.lines

    def end(self):
        while self._read():
            pass
        return self.process.wait(harness.DEADLINE)


class Top(Growing):
    def test_numbers_keys_and_end(self):
        process = self.grows()
        shown = Shown(self, "top", "-d", "1000", process.pid)
        main = r"^    3000 B         3           0  .*a\\x1b\[31mb/grows\.c:{} main$".format(MAIN)
        # The file's name is shown with its control character escaped, and the end of it stays.
        lines = shown.wait_for(
            r"^top: process {} \(grows\), every 1000\.0 s$".format(process.pid),
            r"^total 3000 B in 3 blocks, 0/s; by lineno, size first$",
            r"^ +SIZE +COUNT +GROWTH/s  LINENO$",
            main,
        )
        self.assertEqual(len(lines), 24)
        self.assertLessEqual(max(map(len, lines)), 79)
        self.assertEqual(lines[5:], [""] * 19)
        self.grow(process, 8)
        shown.type(" ")
        grown = r"^    4000 B         8 +\+[0-9.]+ \w+  .*grows\.c:{} grow$".format(GROW)
        lines = shown.wait_for(r"^total 7000 B in 11 blocks, \+[0-9.]+ \w+/s; ", grown, main)
        self.assertRegex(lines[4], grown)
        self.assertRegex(lines[5], main)
        shown.type("o")
        shown.wait_for("by lineno, count first$")
        shown.type("o")
        shown.wait_for("by lineno, growth first$")
        shown.type("f*:{}\r".format(MAIN))
        shown.wait_for(r"total 3000 B in 3 blocks, 0/s; by lineno, growth first; filter \*:{}$".format(MAIN))
        shown.type("\r")
        shown.wait_for(r"^any key: back", "grows.c:{}".format(MAIN), "size=3000 B, count=3")
        shown.type("x")
        shown.wait_for("growth first; filter")
        shown.type("f:7\r")
        shown.wait_for("^argument --include: no path is empty: write \\* for any file")
        shown.type("f\r")
        shown.wait_for(r"^total 7000 B in 11 blocks.*first$")
        for wanted in ("traceback", "function", "module"):
            shown.type("k")
            shown.wait_for("by {}, growth first$".format(wanted))
        shown.type("?")
        shown.wait_for(r"^k +the next key: filename, lineno, ", "^q +quit$")
        shown.type("x")
        shown.wait_for("by module, ", "GROWTH/s  MODULE", r"^    7000 B        11 ")
        shown.resize(10, 42)
        lines = shown.wait_for(r"^total 7000 B in", "GROWTH/s  MODULE", r"^    7000 B        11 ")
        self.assertLessEqual(max(map(len, lines)), 41)
        process.stdin.close()
        process.wait()
        shown.type(" ")
        shown.wait_for(r"^top: .*has ended$")
        shown.type("o")
        shown.resize(24, 80)
        shown.wait_for(r"^total 7000 B in 11 blocks, .*; by module, size first$")
        shown.type("q")
        self.assertEqual(shown.end(), 0)

    def test_stacks_of_a_row(self):
        """Enter shows them in a table by any key: those of the row's blocks, and of no others."""
        process = self.grows()
        self.grow(process, 1)
        shown = Shown(self, "top", "-d", "1000", process.pid)
        grow, main = (
            [r"^#1: .*grows\.c:{}: size={}, count={},".format(line, size, count), "^ +at .*grows.c:{} in ".format(line)]
            for line, size, count in ((GROW, "500 B", 1), (MAIN, "3000 B", 3))
        )
        two = [main[0].replace("#1", "#[12]"), grow[0].replace("#1", "#[12]"), "^Total: size=3500 B, count=4$"]
        for key, first, second in (
            ("lineno", main, grow),
            ("traceback", main, grow),
            ("function", main, grow),
            ("module", two, None),
            ("thread", two, None),
            ("age", two, None),
            ("size", main, grow),
            ("type", main, grow),
            ("filename", two, None),
        ):
            with self.subTest(key):
                if key != "lineno":
                    shown.type("k")
                shown.wait_for("; by {}, size first$".format(key), "GROWTH/s  {}$".format(key.upper()))
                shown.type("\r")
                lines = shown.wait_for("^any key: back", *first)
                self.assertLessEqual(max(map(len, lines)), 79)
                self.assertEqual(any("grows.c:{}".format(GROW) in line for line in lines), first is two, lines)
                shown.type("x")
                shown.wait_for("GROWTH/s  {}$".format(key.upper()))
                if second is not None:
                    shown.type("\x1b[B\r")
                    lines = shown.wait_for("^any key: back", "^Total: size=500 B, count=1$", *second)
                    self.assertFalse(any("size=3000 B" in line for line in lines), lines)
                    shown.type("x\x1b[A")
                    shown.wait_for("GROWTH/s  {}$".format(key.upper()))
        shown.type("f*:{}\r".format(GROW))
        shown.wait_for(r"filter \*:{}$".format(GROW), "^     500 B         1 ")
        shown.type("\r")
        lines = shown.wait_for("^any key: back", *grow)
        self.assertFalse(any("size=3000 B" in line for line in lines), lines)
        shown.type("xq")
        self.assertEqual(shown.end(), 0)

    @staticmethod
    def choose(shown, wanted):
        """Has the table, which is by lineno, be by another key. The line is changed in parts: each key that
        is on the way is waited for."""
        for key in KEYS[: KEYS.index(wanted) + 1]:
            shown.type("k")
            shown.wait_for("; by {}, size first$".format(key), "GROWTH/s  {}$".format(key.upper()))

    def test_by_type(self):
        """Objects of C++ by their classes, which are read when they are asked for."""
        path = os.path.join(self.directory, "shapes")
        with open(path + ".cc", "w", encoding="utf-8") as file:
            file.write(SHAPES)
        subprocess.run(["g++", "-g", "-O0", "-o", path, path + ".cc"], check=True)
        process = self.started(path)
        shown = Shown(self, "top", "-d", "1000", process.pid)
        self.choose(shown, "type")
        shown.wait_for("by type, size first$", r"^     800 B         2           0  Square$")
        self.grow(process, 3)
        shown.type(" ")
        shown.wait_for(r"^    2000 B         5 +\+[0-9.]+ \w+  Square$")
        shown.type("f*/shapes.cc\r")
        shown.wait_for(r"; filter \*/shapes\.cc$")
        shown.type("\r")
        shown.wait_for(r"^#1: .*shapes\.cc:\d+: size=1200 B, count=3, ", r"^#2: .*: size=400 B, count=1, ", "^any key")
        shown.type("x")
        shown.wait_for("by type, size first; filter", "^h: help")
        shown.type("q")
        self.assertEqual(shown.end(), 0)

    def test_terminals_of_any_size(self):
        """All keys work in each, down to one character; the help is whole where a word fits into a line."""
        process = self.grows()
        for lines, columns in ((1, 1), (2, 5), (3, 10), (5, 20), (24, 80)):
            with self.subTest(lines=lines, columns=columns):
                shown = Shown(self, "top", "-d", "1000", process.pid, lines=lines, columns=columns)
                if columns >= 10:
                    shown.wait_for("^top: ")
                shown.type("kkofx\rf\r\r\x1b[Bxh\x1b[Bx \x1b[6~\x1b[Fpp")
                if columns >= 80:
                    shown.type("h")
                    words = " ".join(shown.wait_for("^q  +quit$", "^any key: back$")).split()
                    for key in KEYS + ("filename", "lineno"):
                        self.assertIn(key, [word.rstrip(",") for word in words])
                    shown.type("x")
                shown.type("q")
                self.assertEqual(shown.end(), 0)

    def test_reads_by_itself(self):
        process = self.grows()
        shown = Shown(self, "-p", process.pid, "top", "-d", "0.1")
        shown.wait_for(r"^total 3000 B in 3 blocks")
        self.grow(process, 2)
        shown.wait_for(r"^total 4000 B in 5 blocks, \+")
        shown.wait_for(r"^total 4000 B in 5 blocks, 0/s")
        shown.type("\x03")
        self.assertEqual(shown.end(), 0)

    def test_refused(self):
        process = self.grows()
        error = self.refused(1, "top", process.pid)
        self.assertEqual(
            error,
            "top needs a terminal: `allocsnap -p {} stats` prints the same once, `allocsnap every` writes a"
            " series".format(process.pid),
        )
        self.assertRegex(self.refused(2, "top"), "^which process\\?")
        self.assertRegex(self.refused(2, "top", "x"), '"x" is not the number of a process')
        self.assertRegex(self.refused(2, "top", "-d", "0", "1"), '"0" is not a number of seconds')


class Every(Growing):
    def totals(self, place):
        """{name: (bytes, blocks)} of the dumps in a directory."""
        found = {}
        for name in sorted(os.listdir(place)):
            total = json.loads(self.told(os.path.join(place, name), "stats", "--json"))["total"]
            found[name] = (total["size"], total["count"])
        return found

    def series(self, *words):
        process = subprocess.Popen(
            [PYTHON, "-B", ALLOCSNAP, "every"] + [str(word) for word in words],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.directory, env=harness.environment(self.home),
        )  # fmt: skip
        for close in (process.stdout.close, process.stderr.close, process.wait, process.kill):
            self.addCleanup(close)
        return process

    def place(self):
        place = os.path.join(self.directory, "dumps")
        os.mkdir(place)
        return place

    def test_so_many(self):
        process, place = self.grows(), self.place()
        said = self.told("every", "10ms", "-p", process.pid, "-n", "3", "--stop", "-o", place + "/%n-%p.dump")
        names = ["{}-{}.dump".format(number, process.pid) for number in (1, 2, 3)]
        self.assertEqual(said, "".join("{}/{}: 3000 B in 3 blocks.\n".format(place, name) for name in names))
        self.assertEqual(self.totals(place), dict.fromkeys(names, (3000, 3)))
        self.assertEqual(self.told(*(os.path.join(place, name) for name in names[:2]), "diff", "-n", "1").count("(+0"), 4)

    def test_to_the_end_of_the_process(self):
        process, place = self.grows(), self.place()
        series = self.series("20ms", "-p", process.pid, "-o", place + "/%n.dump")
        self.assertIn(b": 3000 B in 3 blocks.\n", series.stdout.readline())
        self.grow(process, 2)
        while b": 4000 B in 5 blocks.\n" not in series.stdout.readline():
            pass
        process.kill()
        process.wait()
        out, err = series.communicate(timeout=harness.DEADLINE)
        self.assertEqual(series.returncode, 0, err)
        totals = self.totals(place)
        self.assertEqual(
            err.decode(), "allocsnap: process {} has ended, after dump {}\n".format(process.pid, len(totals))
        )
        self.assertEqual(set(totals.values()), {(3000, 3), (4000, 5)} | ({(3500, 4)} & set(totals.values())))

    def test_interrupted(self):
        process, place = self.grows(), self.place()
        for number in (signal.SIGINT, signal.SIGTERM):
            series = self.series("1h", "-p", process.pid, "-o", place + "/%t.dump")
            self.assertIn(b": 3000 B in 3 blocks.\n", series.stdout.readline())
            series.send_signal(number)
            self.assertEqual((series.wait(harness.DEADLINE), series.stderr.read()), (0, b""))
        names = list(self.totals(place))
        self.assertEqual(len(names), 2)
        for name in names:
            self.assertRegex(name, r"\A\d{8}T\d{6}\.\d{3}Z\.dump\Z")
            self.assertEqual(name[:4], time.strftime("%Y", time.gmtime()))

    def test_not_understood(self):
        for words, wanted in {
            ("1s", "-o", "x%n"): "^which process\\? Give -p PID",
            ("1s", "-p", "1", "-o", "x"): "^each dump would replace the one before",
            ("1s", "-p", "1", "-o", "x%d"): "^%d in the name of a file: there are %t",
            ("x", "-p", "1", "-o", "x%n"): '"x" is not an interval such as 30s',
            ("0s", "-p", "1", "-o", "x%n"): '"0s" is not an interval',
            ("1s", "-p", "1"): "required: -o/--output",
        }.items():
            with self.subTest(words):
                self.assertRegex(self.refused(2, "every", *words), wanted)
