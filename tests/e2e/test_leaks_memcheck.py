"""Classes of the blocks of real programs, beside valgrind's memcheck.

What memcheck says of blocks at exit is compared with `snapshot leaks` at _exit. One rule makes a
difference: what the dynamic loader's own data leads to is reachable here, and `possibly lost` there where
it keeps a pointer behind the head of what it has allocated."""

import re
import shlex
import subprocess

from . import harness, test_real_programs
from .test_real_programs import PYTHON, SCRIPT, VALGRIND

KINDS = {
    "definite": "definitely lost",
    "indirect": "indirectly lost",
    "possible": "possibly lost",
    "reachable": "still reachable",
}
_LOADER = re.compile(r"ld-linux|ld64|\(dl-|rtld")


class Memcheck(harness.Case):
    program_environment = test_real_programs.RealPrograms.program_environment
    variables_in_gdb = test_real_programs.RealPrograms.variables_in_gdb
    setup_of = staticmethod(test_real_programs.RealPrograms.setup_of)
    write = test_real_programs.RealPrograms.write

    def by_memcheck(self, command, env):
        """({kind: (bytes, blocks)}, (bytes, blocks) of those possible that are the loader's)."""
        done = subprocess.run(
            VALGRIND + ["--leak-check-heuristics=all"] + command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=env,
            cwd=self.directory,
            timeout=harness.DEADLINE,
            check=False,
        )
        text = done.stderr.decode("utf-8", "replace")
        found = {}
        for kind, words in KINDS.items():
            if "All heap blocks were freed -- no leaks are possible" in text:
                found[kind] = (0, 0)
                continue
            numbers = re.search(words + r": ([\d,]+) bytes in ([\d,]+) blocks", text)
            self.assertIsNotNone(numbers, text)
            found[kind] = tuple(int(number.replace(",", "")) for number in numbers.groups())
        return found, self.of_loader(text)

    @staticmethod
    def of_loader(text):
        size = count = 0
        records = re.findall(
            r"== ([\d,]+) bytes in ([\d,]+) blocks are possibly lost.*\n((?:==\d+==    .*\n)+)", text
        )
        for record_size, record_count, stack in records:
            # The first frame is valgrind's.
            callers = stack.splitlines()[1:3]
            if any(_LOADER.search(line) for line in callers):
                size += int(record_size.replace(",", ""))
                count += int(record_count.replace(",", ""))
        return size, count

    def by_graph(self, command, env):
        commands = ["snapshot leaks --json -n 1 --no-suppressions --kinds " + kind for kind in KINDS]
        results = self.batch(
            self.setup_of(env)
            + [
                "set breakpoint pending on",
                "break _exit",
                "set args {} </dev/null >/dev/null 2>&1".format(
                    " ".join(shlex.quote(word) for word in command[1:])
                ),
                "run",
            ]
            + commands,
            command[0],
        )
        self.assertIn("_exit", results["run"])
        answers = [results.json(line) for line in commands]
        self.assertEqual([answer["notes"] for answer in answers], [[]] * len(answers))
        return {
            kind: (answer["total"]["size"], answer["total"]["count"])
            for kind, answer in zip(KINDS, answers)
        }

    def compare(self, command):
        env, valgrind_env = self.program_environment()
        expected, of_loader = self.by_memcheck(command, valgrind_env)
        for kind, sign in (("possible", -1), ("reachable", 1)):
            expected[kind] = tuple(
                number + sign * part for number, part in zip(expected[kind], of_loader)
            )
        self.assertEqual(self.by_graph(command, env), expected)
        return expected

    def test_jq_that_halts(self):
        """It has lost what it was to print, in versions before 1.7."""
        found = self.compare(["/usr/bin/jq", "-n", "[range(2000)|{a:.}]|halt_error"])
        self.assertIn(found["definite"][1], (0, 1))
        self.assertEqual(found["indirect"][1] > 2000, found["definite"][1] == 1)

    def test_jq_without_its_program(self):
        """It loses the name of the file that it cannot read."""
        found = self.compare(["/usr/bin/jq", "-f", "/nonexistent"])
        self.assertEqual((found["definite"], found["indirect"]), ((len("/nonexistent") + 1, 1), (0, 0)))

    def test_sqlite3_that_exits_in_the_middle(self):
        """Its blocks have the length before what pointers lead to. Without its pool of small
        blocks: there it leaves pointers to what was freed, to whose place glibc's allocator gives
        other blocks, and valgrind's does not."""
        script = self.write("script.sql", SCRIPT)
        read = ".read {}".format(script)
        found = self.compare(
            ["/usr/bin/sqlite3", "-batch", "-init", "/dev/null", "-lookaside", "0", "0", ":memory:",
             read, ".exit 1"]
        )
        self.assertGreater(found["possible"][1], 100)

    def test_python_at_its_end(self):
        script = self.write("script.py", PYTHON)
        found = self.compare(["/usr/bin/python3", "-S", "-E", script])
        self.assertGreater(found["reachable"][1], 10)
