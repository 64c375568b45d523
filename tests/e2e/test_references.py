"""Where in a block each of its pointers to another is, in both debuggers."""

import expectations

from . import debuggers
from .harness import Case, program

SOURCE = expectations.source("several.c")
MARKS = expectations.named(SOURCE)
# What the program stores: offsets in the holder, and whether they lead to the start of `held`.
HELD = [(16, True), (40, False), (72, True), (152, True)]
BESIDE = [(80, False), (88, False)]


class References(Case):
    COMMANDS = [
        "snapshot refs --json -n all holder[5]",
        "snapshot refs --json -n all holder",
        "snapshot refs -n 2 holder",
        "snapshot path --json -n all holder[9]",
        "snapshot path --json -n all holder[11]",
        "snapshot refs --json -n all --tag-mask 0xff00000000000000 holder[5]",
        "snapshot refs -n 0 holder",
    ]

    def check(self, results):
        def of(pointers, name):
            line = MARKS[name].line
            return [(one["offset"], one["inside"]) for one in pointers if one["lineno"] == line]

        for command in (self.COMMANDS[0], self.COMMANDS[5]):
            found = results.json(command)
            self.assertEqual(of(found["referrers"], "holder"), HELD)
            self.assertEqual((found["referrer_count"], found["reference_count"]), (4, 0))
        found = results.json(self.COMMANDS[1])
        self.assertEqual(found["reference_count"], 6)
        self.assertEqual([one["offset"] for one in found["references"]], [16, 40, 72, 80, 88, 152])
        self.assertEqual(of(found["references"], "held"), HELD)
        self.assertEqual(of(found["references"], "beside"), BESIDE)
        held = "block of {}:{} ".format(SOURCE, MARKS["held"].line)
        text = results[self.COMMANDS[2]].partition("has 6 pointers to blocks:\n")[2].splitlines()
        self.assertRegex(text[0], r"^  \+0x10 -> {}.*, inside$".format(held))
        self.assertRegex(text[1], r"^  \+0x28 -> {}.*[^e]$".format(held))
        self.assertEqual(text[2:], ["  and 4 other"])
        # Beside the ways straight from registers and stacks one leads through the holder: by the
        # pointer to the start, else by the first.
        for command, offset in ((self.COMMANDS[3], 40), (self.COMMANDS[4], 80)):
            ways = [way["blocks"] for way in results.json(command)["paths"]]
            self.assertEqual(
                [[block["offset"] for block in way] for way in ways if len(way) > 1],
                [[offset, None]],
            )
        self.assertIn('"0" is not a number (from 1', results[self.COMMANDS[6]])

    def test_every_debugger(self):
        for debugger in [debuggers.gdb()] + debuggers.lldbs():
            with self.subTest(debugger.name):
                self.check(debugger.run(
                    self,
                    ["snapshot start", debuggers.stop_at("stop_here"), debuggers.RUN]
                    + self.COMMANDS,
                    program("several"),
                ))
