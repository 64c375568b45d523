"""Handlers that allocate after a call through a null or wild pointer: the stack goes on to the
function that has called, as gdb's does."""

import json

import expectations
from e2e import harness

from .hooked import Case

TRACES = "snapshot traces --json --no-skip --limit 1000"

#: Cases of wild_calls.c: calls; a jump and a return to null, with the return address of the
#: function that was called before; a return to null with something else there; and calls of code
#: without unwind information that gets beyond its first instruction, and that does not.
CALLS = 11
JUMP, RETURN, NO_ADDRESS, LATER, AT_ONCE, BY_NAME = range(CALLS, CALLS + 6)
SIZES = [1000 * times + case for case in range(BY_NAME + 1) for times in (1, 2)]
#: Those whose stacks end there.
LOST = (NO_ADDRESS, LATER)
#: Tags of the lines that call, where it is not "call".
TAGS = {JUMP: "jump", RETURN: "return", NO_ADDRESS: "below data", BY_NAME: "by name"}
#: Its calls of addresses that are in no file: null, low, the kernel's, the heap, the stack,
#: unmapped, anonymous twice.
UNKNOWN = (0, 1, 2, 5, 6, 7, 8, 9)

#: gdb prints its frames from the handler on: whether it is the trampoline, the function, the file
#: and the line.
SCRIPT = """
set pagination off
set width 0
handle SIGSEGV SIGBUS SIGILL nostop noprint pass
break stop_here
commands
silent
python
import json
frame, stack = gdb.newest_frame().older(), []
while frame is not None:
    place = frame.find_sal()
    file = place.symtab.fullname() if place.symtab and place.line else None
    stack.append((frame.type() == gdb.SIGTRAMP_FRAME, frame.name(), file, place.line))
    frame = frame.older()
print("stack", json.dumps([int(gdb.parse_and_eval("size")), stack]))
end
continue
end
break done
run
"""


class WildCalls(Case):
    def stacks(self):
        """{size of a block: the frames of gdb} and {size: the trace of allocsnap}."""
        path = self.directory + "/script"
        with open(path, "w", encoding="ascii") as script:
            script.write(SCRIPT)
        commands = ["snapshot start 40", "source " + path, TRACES]
        results = self.batch(commands, harness.program("wild_calls"))
        lines = results["source " + path].splitlines()
        told = [json.loads(line.split(" ", 1)[1]) for line in lines if line.startswith("stack ")]
        traces = results.json(TRACES)["traces"]
        ours = [(trace["size"], trace) for trace in traces if trace["size"] in SIZES]
        self.assertEqual(sorted(size for size, _ in told), sorted(SIZES))
        self.assertEqual(sorted(size for size, _ in ours), sorted(SIZES))
        return dict(told), dict(ours)

    def test_frames_are_those_of_gdb(self):
        told, ours = self.stacks()
        for size in SIZES:
            with self.subTest(size=size):
                frames = ours[size]["traceback"]
                self.assertEqual(ours[size]["total_nframe"], len(frames))
                if size % 1000 in LOST:
                    # gdb takes anything for a return address, and code by its first bytes.
                    self.assertEqual(len(frames), 3)
                else:
                    # gdb's stacks begin at main.
                    self.assertEqual(frames[len(told[size]) - 1]["function"], "main")
                for expected, frame in zip(told[size], frames):
                    self.compare(expected, frame)

    def compare(self, expected, frame):
        is_trampoline, function, file, line = expected
        if file is None:
            self.assertEqual(frame["lineno"], 0)
        else:
            self.assertEqual((frame["filename"], frame["lineno"]), (file, line))
            self.assertEqual(frame["function"], function)
        if is_trampoline:
            self.assertIn("/libc.so.6", frame["filename"])

    def test_lines_up_to_main(self):
        _, ours = self.stacks()
        source = expectations.source("wild_calls.c")
        tags = ["handler", "call", "plain", "by register", *TAGS.values()]
        line = {tag: harness.tag_line(source, tag) for tag in tags}
        for case in sorted(set(range(BY_NAME + 1)) - set(LOST)):
            for size, way in ((1000 + case, "plain"), (2000 + case, "by register")):
                frames = ours[size]["traceback"]
                found = [frame["lineno"] for frame in frames if frame["filename"] == source]
                call = TAGS.get(case, "call")
                self.assertEqual(found[:3], [line["handler"], line[call], line[way]], size)
                functions = [frame["function"] for frame in frames[3:]]
                between = [] if way == "plain" else ["by_register"]
                self.assertEqual(functions[1 : 2 + len(between)], between + ["try"], size)
                if case in UNKNOWN:
                    self.assertEqual(frames[2]["filename"], "<unknown>", size)
