"""What a terminal gets, in a debugger and on the command line: colours, and lines as wide as it is."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading
import unittest

from . import debuggers, harness
from .harness import Case, program
from .terminals import Terminal
from .test_hostile_names import NASTY, SHOWN
from .typed import ALLOCSNAP, PYTHON

STYLE = re.compile(r"\x1b\[[0-9;]*m")
#: What a terminal would obey, but for colours that are ours.
OBEYED = re.compile(r"\x1b(?!\[[0-9;]*m)|\x1b\[31m|[\x07\x9b]")
NUMBERS = re.compile(r"(?:size|count|average)=[0-9.]+(?: [KMG]?i?B)?")

#: A long path, of which the terminal cannot have all, and a long name.
DEEP = os.path.join("a_directory_with_a_long_name", "another_one_in_it", "and_the_last_of_them")
FUNCTION = "hold_by_a_function_whose_name_is_longer_than_a_narrow_terminal_is_wide"
TEXT = """#include <stdlib.h>
void *kept[2];
void stop_here(void) { __asm__ volatile(""); }
void %s(void) { kept[0] = malloc(5000); kept[1] = malloc(123); }
int main(void) { %s(); stop_here(); return 0; }
"""


class OnTerminal(Case):
    def shown(self, line, columns=80, output=None, **variables):
        """What comes on a terminal of so many columns of a command with it. `output`: where its
        standard output goes instead."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 1000, columns, 0, 0))
        variables.setdefault("TERM", "xterm")
        process = subprocess.Popen(
            line,
            stdin=subprocess.DEVNULL,
            stdout=slave if output is None else output,
            stderr=slave,
            cwd=self.directory,
            env=harness.environment(self.home, **variables),
            start_new_session=True,
        )
        os.close(slave)
        read = []

        def read_terminal():
            try:
                while not read or read[-1]:
                    read.append(os.read(master, 65536))
            except OSError:
                pass  # the other side is closed

        reader = threading.Thread(target=read_terminal)
        reader.start()
        try:
            process.wait(harness.DEADLINE)
        finally:
            process.kill()
            process.wait()
            reader.join()
            os.close(master)
        return b"".join(read).decode("utf-8", "surrogateescape").replace("\r\n", "\n")

    def deep_program(self):
        directory = os.path.join(self.directory, DEEP)
        os.makedirs(directory, exist_ok=True)
        source = os.path.join(directory, "the_source.c")
        with open(source, "w", encoding="utf-8") as file:
            file.write(TEXT % (FUNCTION, FUNCTION))
        path = os.path.join(self.directory, "deep")
        subprocess.run(["gcc", "-g", "-O0", source, "-o", path], check=True)
        return path, source

    def gdb_line(self, commands, binary, settings=()):
        line = [harness.GDB, "-nx", "-q"] + harness.GDB_OPTIONS
        before = ["set confirm off", "set height 0", "set inferior-tty /dev/null"]
        steps = ["source " + harness.SCRIPT, "snapshot start", "break stop_here", "run"]
        for command in before + list(settings) + steps + ["echo BEGIN\\n"] + commands + ["echo END\\n", "quit"]:
            line += ["-ex", command]
        return line + [binary]

    def in_gdb(self, commands, binary, settings=(), **options):
        text = self.shown(self.gdb_line(commands, binary, settings), **options)
        return re.search(r"BEGIN\n(.*)END\n", text, re.S).group(1)

    def in_lldb(self, commands, binary, settings=(), options=(), **shown):
        steps = ["settings set auto-confirm true", "settings set target.output-path /dev/null"]
        steps += list(settings) + ["command script import " + debuggers.LLDB_SCRIPT, "snapshot start"]
        steps += ["breakpoint set -n stop_here", "run"] + commands + ["quit"]
        line = [debuggers.installed_lldb(), "--no-lldbinit"] + list(options)
        for command in steps:
            line += ["-o", command]
        text = self.shown(line + [binary], **shown)
        return text[text.index("(lldb) " + commands[0]) :]

    def dumped(self, binary):
        path = os.path.join(self.directory, "a.dump")
        self.batch(
            ["snapshot start", "break stop_here", "run", "snapshot dump now " + path], binary
        )
        return path


class Colours(OnTerminal):
    """Of what, and where there are none."""

    SAME = ["snapshot stats -n 2", "snapshot traces -n 1", "snapshot who kept[3]", "snapshot refs kept[3]",
            "snapshot retained --top -n 1", "snapshot path kept[3]"]

    def check(self, text, file, function, address, size):
        """Each piece in its colour, and nothing else."""
        source = re.escape(harness.ROOT) + "/tests/programs/holds.c"

        def piece(style, what):
            return r"\x1b\[{}m{}\x1b\[m".format(style, what)

        row = r"#1: {}:31: size={}, count=1, average={}, in {}\n".format(
            piece(file, source), piece(size, "5000 B"), piece(size, "5000 B"), piece(function, "hold_large")
        )
        self.assertRegex(text, row)
        self.assertRegex(text, r"#1: {}: size={}, ".format(piece(address, "0x[0-9a-f]+"), piece(size, "5000 B")))
        self.assertRegex(
            text,
            r"block of {}:24 in {} at {}, size={}, reachable\n".format(
                piece(file, source), piece(function, "hold_small"), piece(address, "0x[0-9a-f]+"),
                piece(size, "100 B"),
            ),
        )
        self.assertRegex(text, r"\nTotal: size={}, count=14\n".format(piece(size, "10128 B")))
        # JSON is full, and of no colour.
        found = re.search(r'^\{"key".*$', text, re.M).group()
        self.assertNotIn("\x1b", found)

    def test_gdb(self):
        commands = self.SAME + ["snapshot stats --json"]
        self.check(self.in_gdb(commands, program("holds"), columns=200), "32", "33", "34", "1")
        settings = ["set style filename foreground magenta", "set style filename intensity bold",
                    "set style function background red", "set style title foreground cyan"]
        text = self.in_gdb(commands, program("holds"), settings, columns=200)
        self.check(text, "35;1", "33;41", "34", "36;1")

    def test_lldb(self):
        text = self.in_lldb(self.SAME + ["snapshot stats --json"], program("holds"), columns=200)
        self.check(text, "36", "32", "33", "1")

    def test_command_line(self):
        dump = self.dumped(program("holds"))
        line = [PYTHON, "-B", ALLOCSNAP, dump]
        text = self.shown(line + ["stats", "-n", "1"], columns=200)
        self.assertRegex(
            text, r"#1: \x1b\[32m/.*/holds\.c\x1b\[m:31: size=\x1b\[1m5000 B\x1b\[m, count=1, average="
        )
        for variables in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            self.assertEqual(
                self.shown(line + ["stats", "-n", "1"], columns=200, **variables), STYLE.sub("", text)
            )
        self.assertEqual(self.shown(line + ["stats", "-n", "1"], columns=200, NO_COLOR=""), text)
        path = os.path.join(self.directory, "output")
        with open(path, "wb") as file:
            self.assertEqual(self.shown(line + ["stats", "-n", "1"], 40, file), "")
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), STYLE.sub("", text))

    #: What other commands than those of rows show, with «kind:...» for each piece in a colour.
    SAID = (
        ("snapshot take a", "Snapshot a: «size:10128 B» in 14 blocks.\n"),
        ("snapshot dump a {0}/a.dump", "«file:{0}/a.dump»: «size:10128 B» in 14 blocks.\n"),
        ("snapshot load {0}/a.dump b", "Snapshot b: «size:10128 B» in 14 blocks.\n"),
        ("snapshot export a {0}/a.folded", "«file:{0}/a.folded»: «size:10128 B» in 14 blocks.\n"),
        (
            "snapshot list",
            "NAME     SIZE  BLOCKS  FRAMES  FROM\n"
            "a     «size:10128 B»      14      16  process N\n"
            "b     «size:10128 B»      14      16  file «file:{0}/a.dump», of process N\n",
        ),
        (
            "snapshot status b",
            "snapshot: b, from file «file:{0}/a.dump», of process N\n"
            "holds:    «size:10128 B» in 14 blocks\nnamed:    100.0% of bytes to the line\n",
        ),
        ("snapshot watch 5M", "The program stops at more than «size:5 MiB» traced, from its next malloc or free on.\n"),
        ("snapshot who stop_here", ": in no live traced block: it is in section .text of «file:holds»: stop_here\n"),
        ("snapshot set suppressions {0}/rules", "1 rule in «file:{0}/rules».\n"),
    )

    def check_said(self, run, styles):
        """`run`: what is shown of commands, one after the other."""
        with open(os.path.join(self.directory, "rules"), "w", encoding="utf-8") as file:
            file.write("leak:nothing\n")
        text = run([line.format(self.directory) for line, _ in self.SAID] + ["snapshot status"])
        for kind, style in styles.items():
            text = re.sub(r"\x1b\[{}m([^\x1b]*)\x1b\[m".format(style), "«{}:\\1»".format(kind), text)
        text = re.sub(r"process \d+", "process N", text)
        for _, wanted in self.SAID:
            self.assertIn(wanted.format(self.directory), text)
        self.assertRegex(text, r"traced: +«size:10128 B» in 14 blocks, peak «size:")
        self.assertRegex(text, r"tracker: +«size:[0-9.]+ KiB» of memory\n")
        self.assertRegex(text, r"rss: +«size:[^»]+»[ ,]")

    def test_other_commands_in_gdb(self):
        styles = {"file": "32", "function": "33", "address": "34", "size": "1"}
        self.check_said(lambda lines: self.in_gdb(lines, program("holds"), columns=300), styles)

    def test_other_commands_in_lldb(self):
        styles = {"file": "36", "function": "32", "address": "33", "size": "1"}
        self.check_said(lambda lines: self.in_lldb(lines, program("holds"), columns=300), styles)

    def test_long_paths_of_other_commands(self):
        """They are cut in the middle; numbers are whole."""
        directory = os.path.join(self.directory, DEEP)
        os.makedirs(directory)
        path = os.path.join(directory, "kept.dump")
        lines = ["snapshot dump now " + path, "snapshot load " + path, "snapshot list"]
        text = STYLE.sub("", self.in_gdb(lines, program("holds"), columns=70))
        self.assertLess(max(map(len, text.split("\n"))), 70)
        self.assertRegex(text, r"(?m)^/.*\.\.\..*/kept\.dump: 10128 B in 14 blocks\.$")
        self.assertRegex(text, r"(?m)^1 +10128 B +14 +16  file \S*\.\.\.\S*/kept\.dump, of process \d+$")

    def test_roots_in_gdb(self):
        text = self.in_gdb(["snapshot refs kept[3]", "snapshot path kept[3]"], program("holds"), columns=300)
        self.assertIn("global kept+0x18 (\x1b[32mholds.c\x1b[m)\n", text)

    def test_without_styles(self):
        """The same text."""
        text = self.in_gdb(self.SAME[:1], program("holds"), ["set style enabled off"], columns=200)
        styled = self.in_gdb(self.SAME[:1], program("holds"), columns=200)
        self.assertEqual(STYLE.sub("", styled), text)
        self.assertNotEqual(styled, text)
        text = self.in_lldb(self.SAME[:1], program("holds"), options=["--no-use-colors"], columns=200)
        self.assertRegex(text, r"\n#1: /.*/holds\.c:31: size=5000 B, count=1, average=5000 B, in hold_large\n")

    def test_elsewhere(self):
        """Logs, pipes, files and scripts have neither colours nor lines that are cut."""
        log, tee, piped, text = (
            os.path.join(self.directory, name) for name in ("log", "tee", "piped", "text")
        )
        ask = "snapshot stats -n 2"
        shown = self.in_gdb(
            ["set logging file " + tee, "set logging enabled on", ask, "set logging enabled off",
             "set logging file " + log, "set logging redirect on", "set logging enabled on", ask,
             "set logging enabled off",
             "pipe {} | cat > {}".format(ask, piped),
             "python print(gdb.execute({!r}, True, True), file=open({!r}, 'w'), end='')".format(ask, text),
             "python gdb.execute({!r}, True)".format(ask), "echo AFTER\\n", ask],
            program("holds"), columns=60,
        )
        found = {}
        for path in (log, tee, piped, text):
            with open(path, encoding="utf-8") as file:
                found[path] = file.read()
            self.assertNotIn("\x1b", found[path])
        whole = "#1: {}/tests/programs/holds.c:31: size=5000 B,".format(harness.ROOT)
        for path in (log, piped, text):
            self.assertIn(whole, found[path])
            self.assertEqual(found[path], found[log])
        self.assertIn("#1: .../holds.c:31: size=5000 B,", found[tee])
        before, _, after = shown.partition("AFTER\n")
        self.assertTrue(before.endswith(found[log]))
        self.assertIn("\x1b[1m5000 B\x1b[m", after)

    def test_scripts_of_lldb(self):
        path = os.path.join(self.directory, "text")
        ask = (
            "script result = lldb.SBCommandReturnObject(); "
            "lldb.debugger.GetCommandInterpreter().HandleCommand('snapshot stats -n 1', result); "
            "open({!r}, 'w').write(result.GetOutput())".format(path)
        )
        self.in_lldb([ask], program("holds"), columns=60)
        with open(path, encoding="utf-8") as file:
            self.assertIn("\n#1: {}/tests/programs/holds.c:31: size=5000 B,".format(harness.ROOT), file.read())

    def test_machine_interface(self):
        """A program that talks with gdb may have given it a terminal."""
        for words in (["-i=mi"], ["--interpreter", "mi3"]):
            line = self.gdb_line(["snapshot stats -n 1"], program("holds"))
            text = self.shown(line[:1] + words + line[1:], columns=60)
            self.assertIn("/tests/programs/holds.c:31: size=5000 B, count=1", text)


class Width(OnTerminal):
    COMMANDS = ["snapshot stats", "snapshot stats traceback", "snapshot traces", "snapshot who kept[0]",
                "snapshot refs kept[0]", "snapshot path kept[0]"]

    def lines(self, text):
        lines = STYLE.sub("", text.partition("(lldb) quit")[0]).split("\n")
        return [line for line in lines if not re.match(r"\(lldb\)|    by thread |[a-z ]+: \d+%", line)]

    def check(self, text_of):
        """Of three widths of the terminal."""
        path, source = self.deep_program()
        texts = {columns: text_of(path, columns) for columns in (60, 80, 300)}
        rows = {columns: self.lines(text) for columns, text in texts.items()}
        self.assertEqual({len(found) for found in rows.values()}, {len(rows[60])}, texts)
        for wide, *narrow in zip(rows[300], rows[80], rows[60]):
            for columns, line in zip((80, 60), narrow):
                self.assertEqual(NUMBERS.findall(line), NUMBERS.findall(wide))
                # One that is too long nevertheless has its names as short as they get.
                least = "..._source.c" in line and "hold_by_a..." in line
                self.assertTrue(len(line) < columns or least, line)
                # Nothing is cut that need not be, nor more than is needed.
                self.assertEqual(line == wide, len(wide) < columns, (line, wide))
                self.assertEqual(line != wide, "..." in line)
                self.assertTrue(line == wide or len(line) >= columns - 1, (line, wide))
        self.assertIn("at {}:4 in {}".format(source, FUNCTION), "\n".join(rows[300]))
        short = [line for line in rows[80] if line.startswith("#1: ") and "average=" in line]
        self.assertRegex(
            short[0],
            r"^#1: \.\.\.[a-z_/]*source\.c:4: size=5123 B, count=2, average=2562 B, in hold_by_a_[a-z_]*\.\.\.$",
        )
        self.assertEqual(len(short[0]), 79)
        frame = [line for line in rows[80] if line.startswith("    at ") and "the_source.c:5 in main" in line]
        self.assertRegex(frame[0], r"^    at /[\w/-]+\.\.\.[\w/]*/the_source\.c:5 in main$")
        self.assertEqual(len(frame[0]), 79)

    def test_gdb(self):
        self.check(lambda path, columns: self.in_gdb(self.COMMANDS, path, columns=columns))

    def test_lldb(self):
        self.check(
            lambda path, columns: self.in_lldb(
                self.COMMANDS, path, ["settings set term-width {}".format(columns)], columns=columns
            )
        )

    def test_settings(self):
        path, source = self.deep_program()
        full = ["snapshot set paths full", "snapshot set names full", "snapshot stats -n 1"]
        text = STYLE.sub("", self.in_gdb(full, path, columns=60))
        self.assertIn("#1: {}:4: size=5123 B, count=2, average=2562 B, in {}\n".format(source, FUNCTION), text)
        text = STYLE.sub("", self.in_gdb(["set width 0", "snapshot stats -n 1"], path, columns=60))
        self.assertIn("#1: {}:4: size=5123 B, count=2, average=2562 B, in {}\n".format(source, FUNCTION), text)

    def test_the_pager_counts_lines(self):
        """With colours, as many as without: of a screen of eight lines, one for the question."""
        path, _ = self.deep_program()
        for setting in ("set style enabled on", "set style enabled off"):
            line = self.gdb_line([], path, ["set pagination on"])
            more = ["-ex", "set height 8", "-ex", "snapshot stats traceback -n 1", "-ex", "quit"]
            place = line.index("echo END\\n") - 1
            text = self.shown(line[:place] + ["-ex", setting] + more + [path], columns=80)
            text = STYLE.sub("", text[text.index("BEGIN\n") + 6 :])
            pages = text.split("--Type <RET> for more, q to quit, c to continue without paging--")
            self.assertEqual([page.count("\n") for page in pages[:2]], [0, 7], text)

    def test_leaving_the_pager_prints_nothing(self):
        terminal = Terminal(self, lines=8)
        since = terminal.begin("gdb -q -nx -iex 'set style enabled off' -ex 'source {}'".format(harness.SCRIPT))
        terminal.wait_for(r"\(gdb\) ", since)
        for command in ("snapshot", "snapshot set skip"):
            since = terminal.begin(command)
            since = terminal.wait_for("without paging--", since).end()
            terminal.type("q\n")
            end = terminal.wait_for(r"\(gdb\) ", since).end()
            said = re.sub(r"\x1b\[[?0-9;]*[a-zA-Z]|\r", "", terminal.shown[since:end])
            self.assertEqual(said, "q\n(gdb) ")

    def test_short_names_of_cxx(self):
        for columns in (300, 400):
            text = self.in_gdb(["snapshot stats function -n all"], program("cxx"), columns=columns)
            self.assertNotIn("(unsigned long", STYLE.sub("", text))
        dump = self.dumped(program("cxx"))
        line = [PYTHON, "-B", ALLOCSNAP, dump, "stats", "function", "-n", "all"]
        self.assertNotIn("(unsigned long", self.shown(line, columns=400))


class Names(OnTerminal):
    def test_that_a_terminal_would_obey(self):
        """Their bytes are shown, in the colour of names."""
        path = os.path.join(self.directory.encode(), NASTY.replace(b"/", b"") + b".c")
        with open(path, "w", encoding="utf-8") as file:
            file.write(TEXT % ("hold", "hold"))
        binary = os.path.join(self.directory, "nasty")
        subprocess.run([b"gcc", b"-g", b"-O0", path, b"-o", binary.encode()], check=True)
        dump = self.dumped(binary)
        line = [PYTHON, "-B", ALLOCSNAP, dump]
        for words in (["stats", "-n", "1"], ["traces", "-n", "1"], ["stats", "traceback"]):
            text = self.shown(line + words, columns=400)
            self.assertIn("\x1b[32m", text)
            self.assertIn(SHOWN, text)
            self.assertIsNone(OBEYED.search(text), text)
            self.assertEqual(set(STYLE.findall(text)) - {"\x1b[m"},
                             {"\x1b[1m", "\x1b[32m", "\x1b[33m"} | ({"\x1b[34m"} if "traces" in words else set()))
            self.assertNotIn("\x1b", STYLE.sub("", text))


if __name__ == "__main__":
    unittest.main()
