"""`snapshot who` and `snapshot traces`: single blocks."""

import re
import unittest

import expectations

from . import debuggers
from .harness import Case, program, tag_line

SOURCE = expectations.source("holds.c")
MARKS = expectations.named(SOURCE)
PHASES = expectations.source("phases.c")


# What the fields and the line of a thread and a time look like.
FIELDS = r', thread=\d+( \(1 "{}"\))?, time=\d+\.\d\d s \(\d\d:\d\d:\d\d\)'
LINE = (
    r'    by thread \d+( \(1 "{}"\))?, \d+\.\d\d s after the start of the hooks,'
    r" at \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d$"
)


def frames(block):
    """[(function, line)] of a block's frames in the program."""
    return [
        (frame["function"], frame["lineno"])
        for frame in block["traceback"]
        if frame["filename"] in (SOURCE, PHASES)
    ]


class Who(Case):
    def test_addresses_in_a_block(self):
        small = "snapshot who {}kept[3]"
        inside = "snapshot who {}(char *) kept[11] + 4999"
        value = "output/x (unsigned long) kept[{}]"
        results = self.at_stop(
            [small.format(""), small.format("--json "), inside.format(""), inside.format("--json ")]
            + ["snapshot who --json kept[12]", "snapshot who --json kept[13]"]
            + [value.format(3), value.format(11)],
            "holds",
        )
        block = results.json(small.format("--json "))
        address = results[value.format(3)]
        self.assertEqual(block["address"], int(address, 16))
        self.assertEqual(block["offset"], 0)
        self.assertEqual(block["trace"]["address"], int(address, 16))
        self.assertEqual(block["trace"]["size"], 100)
        self.assertEqual(block["trace"]["domain"], 0)
        self.assertEqual(
            frames(block["trace"]),
            [("hold_small", MARKS["small"].line), ("main", tag_line(SOURCE, "main small"))],
        )
        text = results[small.format("")].splitlines()
        self.assertEqual(text[0], "{}: a block, size=100 B".format(address))
        self.assertRegex(text[1], LINE.format("holds"))
        self.assertEqual(
            text[2], "    at {}:{} in hold_small".format(SOURCE, MARKS["small"].line)
        )
        self.assertIn("keep(malloc(100));", text[3])
        self.assertEqual(
            text[4], "    at {}:{} in main".format(SOURCE, tag_line(SOURCE, "main small"))
        )
        start = results[value.format(11)]
        self.assertEqual(
            results[inside.format("")].splitlines()[0],
            "{:#x}: 4999 bytes into the block at {}, size=5000 B".format(
                int(start, 16) + 4999, start
            ),
        )
        block = results.json(inside.format("--json "))
        self.assertEqual((block["offset"], block["trace"]["size"]), (4999, 5000))
        empty = results.json("snapshot who --json kept[12]")
        self.assertEqual((empty["offset"], empty["trace"]["size"]), (0, 0))
        deepest = results.json("snapshot who --json kept[13]")
        self.assertEqual(len(frames(deepest["trace"])), MARKS["deepest"].frames)

    def test_forms_of_expressions(self):
        """The same block, whichever way its address is said."""
        forms = [
            "kept[0]",
            "*kept",
            "*(char (*)[4]) kept[0]",
            "*(struct asnap_unknown *) 0",
            "(long) kept[0]",
            "((char *) kept[0])[0]",
            "&((char *) kept[0])[0]",
            "$block",
            "$_exitcode",
            "-- kept[0]",
            "--json -- kept[0]",
        ]
        results = self.at_stop(
            ["set var $block = kept[0]"] + ["snapshot who " + form for form in forms], "holds"
        )
        expected = results["snapshot who kept[0]"]
        self.assertIn(": a block, size=100 B\n", expected)
        for form in ("*kept", "*(char (*)[4]) kept[0]", "(long) kept[0]", "$block", "-- kept[0]"):
            with self.subTest(form):
                self.assertEqual(results["snapshot who " + form], expected)
        self.assertEqual(results["snapshot who &((char *) kept[0])[0]"], expected)
        # The number itself is the address here.
        self.assertIn(
            ": in no live traced block: ", results["snapshot who ((char *) kept[0])[0]"]
        )
        self.assertEqual(
            results["snapshot who *(struct asnap_unknown *) 0"],
            "No struct type named asnap_unknown.\n",
        )
        self.assertEqual(results["snapshot who $_exitcode"].count("\n"), 1)
        self.assertTrue(results["snapshot who --json -- kept[0]"].startswith('{"address":'))

    def test_addresses_in_no_block(self):
        after = "snapshot who (char *) kept[9] + {}"
        commands = [after.format(100), after.format(103), after.format(108)]
        results = self.at_stop(commands + ["output/x (unsigned long) kept[9]"], "holds")
        block = int(results["output/x (unsigned long) kept[9]"], 16)
        text = results[after.format(100)].splitlines()
        self.assertEqual(
            text[0],
            "{:#x}: in no live traced block, at the end of the block at {:#x},"
            " size=100 B".format(block + 100, block),
        )
        self.assertRegex(text[1], LINE.format("holds"))
        self.assertEqual(
            text[2], "    at {}:{} in hold_small".format(SOURCE, MARKS["small"].line)
        )
        self.assertTrue(
            results[after.format(103)].startswith(
                "{:#x}: in no live traced block, 3 bytes after the end of the block at".format(
                    block + 103
                )
            )
        )
        self.assertEqual(
            results[after.format(108)],
            "{:#x}: in no live traced block: it was freed, or never traced\n".format(block + 108),
        )

    PLACES = {
        "&kept": "it is in section .bss of holds: kept",
        "&kept[1]": "it is in section .bss of holds: kept+8",
        "(char *) &kept[2] + 1": "it is in section .bss of holds: kept+0x11",
        "main": "it is in section .text of holds: main",
        "(char *) main + 2": "it is in section .text of holds: main+2",
        "$sp": "it is on the stack of thread 1, frame #0 in stop_here",
        "(char *) $sp + {}": "it is on the stack of thread 1, frame #1 in main",
        "(char *) $sp - 4096": "it is on the stack of thread 1, below its stack pointer",
        "0": "nothing is mapped there",
        "1": "nothing is mapped there",
        "-1": "nothing is mapped there",
    }

    def check_places(self, results, commands, start=""):
        for command, place in zip(commands, self.PLACES.values()):
            with self.subTest(command):
                self.assertRegex(
                    results[command],
                    "^{}0x[0-9a-f]+: in no live traced block: {}\n$".format(start, re.escape(place)),
                )

    def test_what_else_is_there(self):
        """The size of a frame in bytes is what stop_here of -O0 takes: its caller's begins above
        what it has saved."""
        commands = ["snapshot who " + word.format(24) for word in self.PLACES]
        above = "snapshot who *(char **) environ"
        results = self.at_stop(commands + ["bt 1", "snapshot who malloc", above], "holds")
        self.assertRegex(
            results[above], ": it is in the mapping of the stack of thread 1, above its frames\n$"
        )
        self.check_places(results, commands)
        self.assertRegex(
            results["snapshot who malloc"],
            r": it is in section \.text of liballocsnap-hooks\.so: malloc\n$",
        )
        self.assertIn("#0  stop_here ", results["bt 1"])
        core = self.kernel_core("holds", "abort")
        data = [command for command in commands if "kept" in command or "main" in command]
        results = self.batch(data, program("holds"), core)
        self.check_places(results, data)

    def test_what_else_is_there_in_lldb(self):
        commands = ["snapshot who " + word.format(24) for word in self.PLACES]
        for lldb in debuggers.lldbs():
            start = ["snapshot start", debuggers.stop_at("stop_here"), debuggers.RUN]
            self.check_places(lldb.run(self, start + commands, program("holds")), commands)

    def test_stacks_of_threads(self):
        """Each has one; the debugger looks at what it has looked at before."""
        commands = ["info threads", "thread", "frame"]
        commands += ["thread apply all -q python print(gdb.selected_thread().num,"
                     " gdb.execute('snapshot who $sp', to_string=True))"]
        commands += [" thread", " frame"]
        results = self.at_stop(commands, "threads")
        told = re.findall(
            r"^(\d+) 0x[0-9a-f]+: in no live traced block: it is on the stack of thread (\d+),"
            r" frame #\d in \w+$", results[commands[3]], re.M)
        count = len(re.findall(r"^[* ] +\d+ ", results["info threads"], re.M))
        self.assertGreater(count, 1)
        self.assertEqual(len(told), count, results[commands[3]])
        self.assertTrue(all(number == other for number, other in told), told)
        self.assertEqual(results[" thread"], results["thread"])
        self.assertEqual(results[" frame"], results["frame"])

    def test_freed_blocks(self):
        gdb = self.gdb(program("phases"))
        for command in ("snapshot start", "break stop_here", "run"):
            gdb.run(command)
        self.assertIn("size=100 B\n", gdb.run("snapshot who blocks[0][5][3]"))
        gdb.run("snapshot take before")
        gdb.run("continue")
        gdb.run("continue")
        # All are freed two rounds later, and blocks of another size asked for.
        text = gdb.run("snapshot who blocks[0][5][3]")
        was = "^(0x[0-9a-f]+): in no live traced block: it was in a block of the snapshot before,"
        was += r" which `snapshot who --in before (0x[0-9a-f]+)` shows\n$"
        address, again = re.match(was, text).groups()
        self.assertEqual(address, again)
        self.assertIn("size=100 B\n", gdb.run("snapshot who --in before " + address))
        gdb.run("snapshot delete before")
        self.assertRegex(
            gdb.run("snapshot who blocks[0][5][3]"),
            r"^0x[0-9a-f]+: in no live traced block: it was freed, or never traced\n$",
        )
        self.assertIn("size=140 B\n", gdb.run("snapshot who blocks[2][5][3]"))

    def test_without_a_process(self):
        value = "output/x (unsigned long) kept[0]"
        results = self.at_stop([value, "snapshot take a", "kill", "snapshot who"], "holds")
        address = results[value]
        results = self.at_stop(
            ["snapshot take a", "kill", "snapshot who {}".format(address)]
            + ["snapshot who --in now {}".format(address), "snapshot who kept[0]"]
            + ["snapshot delete a", "snapshot who  {}".format(address)],
            "holds",
        )
        # gdb loads programs to the same place, run after run.
        self.assertIn(": a block, size=100 B\n", results["snapshot who {}".format(address)])
        no_process = (
            "there is no process and no core: start the program with `run`, or load a core file\n"
        )
        self.assertEqual(results["snapshot who --in now {}".format(address)], no_process)
        self.assertEqual(results["snapshot who  {}".format(address)], no_process)
        self.assertEqual(
            results["snapshot who kept[0]"],
            "there is no process and no core in which `kept[0]` is an address: give it as a"
            " number\n",
        )

    def test_of_a_core(self):
        core = self.kernel_core("holds", "abort")
        results = self.batch(
            ["snapshot who kept[3]", "snapshot who --json kept", "snapshot who 0"],
            program("holds"),
            core,
        )
        self.assertIn(": a block, size=100 B\n", results["snapshot who kept[3]"])
        self.assertEqual(
            results.json("snapshot who --json kept")["mapping"]["path"], program("holds")
        )
        self.assertIn(": nothing is mapped there\n", results["snapshot who 0"])

    def test_errors(self):
        shows = "; `snapshot who --help` shows how\n"
        cases = {
            "snapshot who": "the following arguments are required: EXPRESSION" + shows,
            "snapshot who --json": "the following arguments are required: EXPRESSION" + shows,
            "snapshot who --in": "argument --in: expected one argument" + shows,
            "snapshot who --jason kept": "unrecognized arguments: --jason" + shows,
            "snapshot who --in b kept": 'no snapshot "b": there are no snapshots:'
            " `snapshot take` takes one\n",
            "snapshot who nothing": 'No symbol "nothing" in current context.\n',
            "snapshot who 1.5": "`1.5` is neither an address nor in memory: give a pointer, a whole"
            " number, or a variable in memory\n",
            "snapshot who *(int *) 0": "Cannot access memory at address 0x0\n",
            "snapshot who 0x1ffffffffffffffff": "`0x1ffffffffffffffff` is no address: it has more"
            " than 64 bits\n",
            "snapshot who --json 18446744073709551616": "`18446744073709551616` is no address: it"
            " has more than 64 bits\n",
            'snapshot who "text"': "`\"text\"` is neither an address nor in memory: give a pointer,"
            " a whole number, or a variable in memory\n",
        }
        unfinished = "snapshot who kept["
        results = self.at_stop(list(cases) + [unfinished, "snapshot who --help"], "holds")
        for command, message in cases.items():
            with self.subTest(command):
                self.assertEqual(results[command], message)
        self.assertRegex(results[unfinished], r"\AA syntax error in expression, near [^\n]*'\.\n\Z")
        self.assertIn("EXPRESSION", results["snapshot who --help"])

    def test_an_expression_leaves_nothing_in_the_program(self):
        commands = ["snapshot who \"text\"", "break malloc", "snapshot who  \"text\"", "snapshot stats --json"]
        results = self.at_stop(commands + ["show may-call-functions"], "holds")
        self.assertEqual(results["snapshot who  \"text\""], results["snapshot who \"text\""])
        self.assertEqual(results.json("snapshot stats --json")["total"], {"size": 10128, "count": 14})
        self.assertIn(" is on.", results["show may-call-functions"])


class Traces(Case):
    def test_blocks_by_size(self):
        results = self.at_stop(
            ["snapshot traces -n 2", "snapshot traces --json", "snapshot traces -n 3 --json"]
            + ["output/x (unsigned long) kept[11]"],
            "holds",
        )
        answer = results.json("snapshot traces --json")
        self.assertEqual(
            [block["size"] for block in answer["traces"]], [5000, 4096] + [100] * 10 + [32, 0]
        )
        self.assertEqual(answer["total"], {"size": 10128, "count": 14})
        self.assertEqual(answer["rows"], 14)
        address = results["output/x (unsigned long) kept[11]"]
        text = results["snapshot traces -n 2"].splitlines()
        self.assertEqual(text[0], "Top 2 of 14 blocks, by size")
        self.assertRegex(
            text[1],
            "^#1: {}: size=5000 B{}, at {}:{} in hold_large$".format(
                address, FIELDS.format("holds"), re.escape(SOURCE), MARKS["moved"].line
            ),
        )
        self.assertEqual(text[-2:], ["12 other: size=1032 B, count=12", "Total: size=10128 B, count=14"])
        answer = results.json("snapshot traces -n 3 --json")
        self.assertEqual(len(answer["traces"]), 3)
        self.assertEqual(answer["other"], {"rows": 11, "size": 932, "count": 11})

    def test_filters_and_names(self):
        only = "--include *:{}".format(MARKS["small"].line)
        results = self.at_stop(
            ["snapshot take a", "snapshot traces a --json " + only, "snapshot traces -n 1 " + only]
            + ["snapshot traces b", "snapshot traces lineno"],
            "holds",
        )
        answer = results.json("snapshot traces a --json " + only)
        self.assertEqual([block["size"] for block in answer["traces"]], [100] * 10)
        self.assertEqual(answer["unfiltered"], {"size": 10128, "count": 14})
        self.assertTrue(
            results["snapshot traces -n 1 " + only].startswith(
                "filtered: 10 of 14 blocks (1000 B of 10128 B)\nTop 1 of 10 blocks, by size\n"
            )
        )
        self.assertEqual(results["snapshot traces b"], 'no snapshot "b": the snapshots are a\n')
        self.assertEqual(
            results["snapshot traces lineno"], 'no snapshot "lineno": the snapshots are a\n'
        )


if __name__ == "__main__":
    unittest.main()
