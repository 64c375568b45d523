"""Classes of the blocks of real programs, beside valgrind's memcheck.

What memcheck says of blocks at exit is compared with `snapshot leaks` at _exit. Three rules make
differences:

- What the dynamic loader's own data leads to is reachable here, and `possibly lost` there where it keeps
  a pointer behind the head of what it has allocated.
- memcheck gives freed memory out again late: a pointer that a program has kept to a freed block leads
  nowhere there, and here to the block that has come into its place. With an allocator below the hooks
  that gives none out again this makes no difference.
- memcheck's own malloc runs on a stack of its own. Here the allocator's and the hooks' frames leave
  other old values on the program's stack, where later frames do not fill what they take."""

import os
import re
import shlex
import subprocess

from . import harness, test_real_programs
from .harness import ROOT
from .test_real_programs import PYTHON, SCRIPT, VALGRIND

KINDS = {
    "definite": "definitely lost",
    "indirect": "indirectly lost",
    "possible": "possibly lost",
    "reachable": "still reachable",
}
#: Gives no freed memory out again.
KEEPS_FREED = os.path.join(ROOT, "build", "tests", "programs", "libkeepsfreed.so")
#: Leaves the same environment, whoever has started the program.
FEW_VARIABLES = os.path.join(ROOT, "build", "tests", "programs", "libfewvariables.so")

_LOADER = re.compile(r"ld-linux|ld64|\(dl-|rtld")


#: Prints how many blocks pointers to their starts lead to, and to how many those in variables alone.
OF_VARIABLES = """
from allocsnap import tracing
from allocsnap.library import graph_types, graphs
from allocsnap.roots import Computed
graph = Computed(tracing._session, graphs.Options()).graph
count = graphs.library().asnap_graph_block_count(graph)
leads, starts = [], []
for block in range(count):
    info = graph.block(block)
    leads.append([one.block for one in graph.references(block, info.reference_count) if not one.inside])
    found, roots, _ = graph.referrers(block, 1000)
    starts.append({graph.root(one.root).kind for one in found[:roots] if not one.inside})
def reached(kinds):
    todo = [block for block in range(count) if starts[block] & kinds]
    seen = set(todo)
    while todo:
        new = [block for block in leads[todo.pop()] if block not in seen]
        seen.update(new)
        todo += new
    return len(seen)
print(reached(set(range(7))), reached({graph_types.ROOT_FILE, graph_types.ROOT_TLS}))
"""


class Memcheck(harness.Case):
    program_environment = test_real_programs.RealPrograms.program_environment
    variables_in_gdb = test_real_programs.RealPrograms.variables_in_gdb
    setup_of = staticmethod(test_real_programs.RealPrograms.setup_of)
    write = test_real_programs.RealPrograms.write

    def by_memcheck(self, command, env, *options):
        """({kind: (bytes, blocks)}, (bytes, blocks) of those possible that are the loader's)."""
        done = subprocess.run(
            VALGRIND + ["--leak-check-heuristics=all"] + list(options) + command,
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

    def by_graph(self, command, env, beneath="", more=()):
        """{kind: (bytes, blocks)}, and what the commands `more` print. `beneath`: a library to be
        preloaded below the hooks."""
        commands = ["snapshot leaks --json -n 1 --no-suppressions --kinds " + kind for kind in KINDS]
        setup = self.setup_of(env)
        results = self.batch(
            setup[:-1]
            + ["set environment LD_PRELOAD {}".format(beneath)] * bool(beneath)
            + setup[-1:]
            + [
                "set breakpoint pending on",
                "break _exit",
                "set args {} </dev/null >/dev/null 2>&1".format(
                    " ".join(shlex.quote(word) for word in command[1:])
                ),
                "run",
            ]
            + commands
            + list(more),
            command[0],
        )
        self.assertIn("_exit", results["run"])
        answers = [results.json(line) for line in commands]
        self.assertEqual([answer["notes"] for answer in answers], [[]] * len(answers))
        found = {
            kind: (answer["total"]["size"], answer["total"]["count"])
            for kind, answer in zip(KINDS, answers)
        }
        return found, [results[line] for line in more]

    def expected(self, command, env, *options):
        """What memcheck says, with the loader's blocks where they are here."""
        expected, of_loader = self.by_memcheck(command, env, *options)
        for kind, sign in (("possible", -1), ("reachable", 1)):
            expected[kind] = tuple(
                number + sign * part for number, part in zip(expected[kind], of_loader)
            )
        return expected

    def compare(self, command):
        env, valgrind_env = self.program_environment()
        expected = self.expected(command, valgrind_env)
        self.assertEqual(self.by_graph(command, env)[0], expected)
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

    def test_git(self):
        names = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        for words in (["init", "-q"], names + ["commit", "-q", "--allow-empty", "-m", "first"]):
            subprocess.run(["git"] + words, cwd=self.directory, check=True)
        directory = "--git-dir=" + os.path.join(self.directory, ".git")
        found = self.compare(["/usr/bin/git", directory, "log", "--oneline", "-p"])
        self.assertGreater(found["reachable"][1], 50)

    def test_compiler(self):
        """g++'s own program. Its collector keeps a table for each 4 GiB of addresses that it has pages in,
        and how many these are hangs on where mappings are."""
        source = self.write("source.cc", "#include <string>\nstd::string text() { return \"x\"; }\n")
        compiler = subprocess.check_output(["g++", "-print-prog-name=cc1plus"], encoding="utf-8").strip()
        env, valgrind_env = self.program_environment()
        command = [compiler, "-quiet", source, "-o", "/dev/null"]
        expected = self.expected(command, valgrind_env)
        found, _ = self.by_graph(command, env)
        tables = expected["reachable"][1] - found["reachable"][1]
        self.assertIn(tables, (-1, 0, 1))
        size, count = found["reachable"]
        found["reachable"] = size + tables * 32768, count + tables
        self.assertEqual(found, expected)
        self.assertGreater(found["reachable"][1], 1000)

    def test_perl_that_exits_in_the_middle(self):
        """Equal where no freed memory is given out again, and fewer are possible where it is."""
        script = "use POSIX; my %kept = map { $_ => [1..$_ % 5] } 1..2000; POSIX::_exit(0)"
        command = ["/usr/bin/perl", "-e", script]
        expected, env = self.with_few_variables(command)
        found, _ = self.by_graph(command, env, FEW_VARIABLES + ":" + KEEPS_FREED)
        self.assertEqual(found, expected)
        self.assertGreater(found["possible"][1], 1000)
        reused, _ = self.by_graph(command, env, FEW_VARIABLES)
        self.assertLess(reused["possible"][1], found["possible"][1])

    def with_few_variables(self, command):
        """(what memcheck says, the environment) of a program that sees no variables but PYTHON... and
        PERL..."""
        env = dict(self.program_environment()[1], PERL_HASH_SEED="0", LD_PRELOAD=FEW_VARIABLES)
        expected = self.expected(command, env)
        del env["LD_PRELOAD"]
        return expected, env

    def test_python_that_exits_in_the_middle(self):
        """Where no freed memory is given out again, what differs is held by old words: of registers, of
        the stack, and of Python's own stack of frames, which is a mapping."""
        script = self.write("script.py", PYTHON + "os._exit(0)\n")
        count = self.write("count.py", OF_VARIABLES)
        command = ["/usr/bin/python3", "-S", script]
        expected, env = self.with_few_variables(command)
        beneath = FEW_VARIABLES + ":" + KEEPS_FREED
        found, (text,) = self.by_graph(command, env, beneath, ["source " + count])
        for kind in ("definite", "indirect"):
            self.assertEqual((found[kind], expected[kind]), ((0, 0), (0, 0)))
        reached, of_variables = map(int, text.split())
        self.assertLessEqual(reached, found["reachable"][1])
        self.assertLessEqual(of_variables, expected["reachable"][1])
        self.assertGreater(of_variables, 10000)
        self.assertLessEqual(expected["reachable"][1], found["reachable"][1])
        # It hashes by addresses, so that a few blocks are there or not.
        blocks = [one["possible"][1] + one["reachable"][1] for one in (found, expected)]
        self.assertLess(abs(blocks[0] - blocks[1]), 10)
        self.assertGreater(found["possible"][1], 10000)
