"""The symbolizer against elfutils and binutils, over compilers, DWARF versions,
levels of optimisation and ways of keeping debug information.

Each address within a function must have the whole stack of functions, files and
lines that eu-addr2line says or, where that differs, that binutils' addr2line says (for
clang's programs llvm-symbolizer). The differences come from these:
  - where two entries claim one address for inlined calls, eu-addr2line takes the
    last, addr2line and the symbolizer the first;
  - eu-addr2line 0.188 gives code without lines (_start) those of its neighbour;
  - it misses callers that an inlined call has in clang's DWARF 5 and in units of
    many sections, and finds no lines where there is no .debug_aranges;
  - addr2line 2.40 takes the first file of a DWARF 5 sequence to be file 0, not 1;
  - addr2line names the innermost inlined function of a cold part by its symbol.
A function's name may differ in two ways: where the debug information has a plain name
only, the symbolizer says what the symbol table says; and see alike().
"""

import concurrent.futures
import os
import random
import re
import shutil
import subprocess
import tempfile
import unittest

from . import namer, oracles

HERE = os.path.dirname(os.path.abspath(__file__))
TOOLS = ("eu-addr2line", "addr2line")
CLANG_TOOLS = ("eu-addr2line", "llvm-symbolizer")
SAMPLES = 400
PIE = {True: ["-fPIE", "-pie"], False: ["-fno-pie", "-no-pie"]}


def run(*command, cwd=None):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=300, cwd=cwd)


def build(directory, compiler, source, *flags):
    output = os.path.join(directory, "subject")
    # clang leaves a .dwo where it is run, and builds run beside one another.
    run(compiler, *flags, os.path.join(HERE, source), "-o", output, cwd=directory)
    return output


def sample(functions, count):
    """`count` addresses within functions, the same ones each time."""
    chosen = random.Random(1)
    ends = {start: start + size for start, size, _ in functions}
    every = [address for start, end in sorted(ends.items()) for address in range(start, end)]
    return sorted(chosen.sample(every, min(count, len(every))))


def plain(stack):
    """Our frames as the oracles write theirs."""
    return [(function, file if line else None, line) for file, line, function, _ in stack]


_LAMBDA = re.compile(r"(^|::)\{lambda at line \d+\}(::(_FUN|__invoke))?$")
_NUMBERED = re.compile(r"(^|.*(\}|\$_\d+|'lambda\d*'\(.*\))::)(operator\(\)|_FUN|__invoke)")


_SPELLINGS = [(re.compile(r"\b%s\b" % told), said) for told, said in (
    ("long long unsigned int", "unsigned long long"), ("long long int", "long long"),
    ("long unsigned int", "unsigned long"), ("long int", "long"),
    ("short unsigned int", "unsigned short"), ("short int", "short"))]


def without_types(name):
    """The name of a function without its parameters, and without what it returns."""
    name = re.sub(r" at line \d+$", "", name)
    name = re.sub(r"( const| volatile| &&?)+$", "", name)
    depth, start = 0, len(name)
    for place in range(len(name) - 1, -1, -1):
        depth += (name[place] == ")") - (name[place] == "(")
        if depth == 0:
            start = place
            break
    if not name.endswith(")") or name.endswith("operator()"):
        start = len(name)
    name, depth, begin = name[:start], 0, 0
    for place, character in enumerate(name):
        depth += (character in "(<{") - (character in ")>}")
        if character == " " and depth == 0 and "operator" not in name:
            begin = place + 1
    return name[begin:]


def alike(mine, other):
    """Whether two names of a function are the same but for what is spelled in a way of our own: a
    lambda by the line where it is written, which others number, and of a function that has no linkage
    name what is around it, and its types (e2e.test_overloads compares these)."""
    if mine == other:
        return True
    if mine is None or other is None:
        return False
    if _LAMBDA.search(mine):
        return _NUMBERED.match(other) is not None
    for told, said in _SPELLINGS:
        other = told.sub(said, other)
    return ("::" + without_types(mine)).endswith("::" + other)


def same(ours, theirs, symbols):
    if len(ours) != len(theirs):
        return False
    for i, (mine, other) in enumerate(zip(ours, theirs)):
        if mine[1:] != other[1:]:
            return False
        if alike(mine[0], other[0]):
            continue
        outermost = i == len(ours) - 1
        if not outermost or mine[0] not in symbols:
            return False
    return True


class Subjects(unittest.TestCase):
    """Builds programs and compares what is said of them."""

    def setUp(self):
        for tool in TOOLS:
            self.assertIsNotNone(shutil.which(tool), "install elfutils and binutils")
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def named(self, path, addresses, **options):
        symbolizer = namer.Namer(path, **options)
        try:
            return symbolizer.name(addresses)
        finally:
            symbolizer.close()

    def build_each(self, compiler, source, options):
        """Builds a program for each list of flags, several at a time: (flags, path)."""
        def built(number):
            place = tempfile.mkdtemp(dir=self.directory)
            return build(place, compiler, source, *options[number])

        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            yield from zip(options, pool.map(built, range(len(options))))

    def check(self, path, count=SAMPLES, least=1.0, tools=TOOLS, **options):
        """Compares a sample of addresses; returns the share that eu-addr2line agrees on."""
        functions = oracles.functions(path)
        addresses = sample(functions, count)
        self.assertGreater(len(addresses), 50)
        answers = list(zip(*oracles.ask_all(tools, path, addresses)))
        stacks = self.named(path, addresses, **options)
        agreed = dict.fromkeys(tools, 0)
        wrong = []
        for address, stack, said in zip(addresses, stacks, answers):
            symbols = {name for start, size, name in functions
                       if start <= address < start + size}
            ours = plain(stack)
            self.assertEqual([inlined for _, _, _, inlined in stack],
                             [True] * (len(stack) - 1) + [False])
            matches = [tool for tool, theirs in zip(tools, said) if same(ours, theirs, symbols)]
            for tool in matches:
                agreed[tool] += 1
            if not matches:
                wrong.append((hex(address), ours, said))
        share = 1 - len(wrong) / len(addresses)
        self.assertGreaterEqual(share, least, "%d wrong, such as %s" % (len(wrong), wrong[:2]))
        return agreed["eu-addr2line"] / len(addresses)


class Accuracy(Subjects):
    seconds = 20

    rates = {}

    @classmethod
    def tearDownClass(cls):
        for compiler, rates in sorted(cls.rates.items()):
            print("%s: eu-addr2line agrees on %.1f %%, it or another tool on all"
                  % (compiler, 100 * sum(rates) / len(rates)))

    def check_variants(self, compiler, source, tools=TOOLS):
        for command in (compiler,) + tools:
            if shutil.which(command) is None:
                self.skipTest(command + " is not installed")
        rates = self.rates.setdefault(compiler, [])
        options = [["-g", level, version] + pie
                   for level in ("-O0", "-O2") for version in ("-gdwarf-4", "-gdwarf-5")
                   for pie in PIE.values()]
        for flags, path in self.build_each(compiler, source, options):
            with self.subTest(flags=" ".join(flags)):
                rates.append(self.check(path, tools=tools))

    def test_gcc(self):
        self.check_variants("gcc", "subject.c")
        self.assertGreater(min(self.rates["gcc"]), 0.9)

    def test_gxx(self):
        self.check_variants("g++", "subject.cc")
        self.assertGreater(min(self.rates["g++"]), 0.9)

    def test_clang(self):
        self.check_variants("clang", "subject.c", CLANG_TOOLS)

    def test_clangxx(self):
        self.check_variants("clang++", "subject.cc", CLANG_TOOLS)

    def test_address_ranges_make_no_difference(self):
        if shutil.which("clang") is None:
            self.skipTest("clang is not installed")
        answers = []
        for flag in ("-gdwarf-aranges", "-g"):
            path = build(self.directory, "clang", "subject.c", "-g", flag, "-O2")
            answers.append(self.named(path, sample(oracles.functions(path), SAMPLES)))
        self.assertEqual(answers[0], answers[1])

    def test_sections_of_their_own(self):
        path = build(self.directory, "g++", "subject.cc", "-g", "-O2", "-ffunction-sections",
                     "-Wl,--gc-sections")
        self.check(path)

    def test_compressed(self):
        path = build(self.directory, "gcc", "subject.c", "-g", "-O2", "-gz=zlib")
        self.check(path)

    def test_shared_library(self):
        path = build(self.directory, "gcc", "subject.c", "-g", "-O2", "-fPIC", "-shared")
        self.check(path)


class SeparateDebugFiles(Subjects):
    """The same answers from a stripped file and its debug file as from the whole."""

    seconds = 10

    def split(self, *flags):
        """Builds, and returns the whole file, its stripped copy and the debug file."""
        whole = build(self.directory, "g++", "subject.cc", "-g", "-O2", *flags)
        stripped = os.path.join(self.directory, "stripped")
        debug = os.path.join(self.directory, "stripped.debug")
        run("objcopy", "--only-keep-debug", whole, debug)
        run("objcopy", "--strip-all", whole, stripped)
        return whole, stripped, debug

    def same_answers(self, whole, stripped, debug_directories):
        addresses = sample(oracles.functions(whole), SAMPLES)
        expected = self.named(whole, addresses, debug_directories="")
        found = self.named(stripped, addresses, debug_directories=debug_directories)
        # Where there is no line, the frame has the path of the module.
        expected = [[(stripped if line == 0 else file, line, function, inlined)
                     for file, line, function, inlined in stack] for stack in expected]
        self.assertEqual(found, expected)
        self.assertTrue(any(line for stack in found for _, line, _, _ in stack))

    def nothing_known(self, stripped, debug_directories):
        addresses = sample(oracles.functions(os.path.join(self.directory, "subject")), 50)
        for stack in self.named(stripped, addresses, debug_directories=debug_directories):
            (file, line, _, inlined), = stack
            self.assertEqual((file, line, inlined), (stripped, 0, False))

    def test_debuglink_beside(self):
        whole, stripped, debug = self.split()
        run("objcopy", "--add-gnu-debuglink=" + debug, stripped)
        self.same_answers(whole, stripped, "")

    def test_debuglink_in_debug_directory_beside(self):
        whole, stripped, debug = self.split()
        run("objcopy", "--add-gnu-debuglink=" + debug, stripped)
        os.mkdir(os.path.join(self.directory, ".debug"))
        os.rename(debug, os.path.join(self.directory, ".debug", "stripped.debug"))
        self.same_answers(whole, stripped, "")

    def test_debuglink_under_a_debug_directory(self):
        whole, stripped, debug = self.split()
        run("objcopy", "--add-gnu-debuglink=" + debug, stripped)
        root = os.path.join(self.directory, "root")
        place = root + self.directory
        os.makedirs(place)
        os.rename(debug, os.path.join(place, "stripped.debug"))
        self.same_answers(whole, stripped, "/nonexistent:" + root)
        self.nothing_known(stripped, "")

    def test_debuglink_with_another_checksum(self):
        _, stripped, debug = self.split("-Wl,--build-id=none")
        run("objcopy", "--add-gnu-debuglink=" + debug, stripped)
        with open(debug, "ab") as file:
            file.write(b"more")
        self.nothing_known(stripped, "")

    def build_id(self, path):
        notes = subprocess.check_output(["readelf", "-n", path], encoding="utf-8")
        return re.search(r"Build ID: ([0-9a-f]+)", notes).group(1)

    def place_by_build_id(self, identity, debug):
        root = os.path.join(self.directory, "root")
        place = os.path.join(root, ".build-id", identity[:2])
        os.makedirs(place)
        os.rename(debug, os.path.join(place, identity[2:] + ".debug"))
        return root

    def test_build_id(self):
        whole, stripped, debug = self.split("-Wl,--build-id=sha1")
        root = self.place_by_build_id(self.build_id(whole), debug)
        self.same_answers(whole, stripped, root)
        self.nothing_known(stripped, "")

    def test_another_build_id(self):
        whole, stripped, debug = self.split("-Wl,--build-id=sha1")
        run("objcopy", "--remove-section=.note.gnu.build-id", debug)
        root = self.place_by_build_id(self.build_id(whole), debug)
        self.nothing_known(stripped, root)

    def test_file_shared_by_debug_files(self):
        self.check_shared("-gdwarf-4")

    def test_file_shared_by_debug_files_of_dwarf_5(self):
        self.check_shared("-gdwarf-5", "-5")

    def check_shared(self, version, *options):
        if shutil.which("dwz") is None:
            self.skipTest("dwz is not installed")
        whole, stripped, debug = self.split(version, "-Wl,--build-id=sha1")
        other = os.path.join(self.directory, "other.debug")
        shutil.copy(debug, other)
        run("dwz", *options, "-m", os.path.join(self.directory, "shared"), debug, other)
        run("objcopy", "--add-gnu-debuglink=" + debug, stripped)
        self.same_answers(whole, stripped, "")
        # Without it the lines are still there, and no name is made up.
        os.remove(os.path.join(self.directory, "shared"))
        addresses = sample(oracles.functions(whole), SAMPLES)
        expected = self.named(whole, addresses, debug_directories="")
        functions = {frame[2] for stack in expected for frame in stack}
        found = self.named(stripped, addresses, debug_directories="")
        self.assertEqual([[line for _, line, _, _ in stack] for stack in found],
                         [[line for _, line, _, _ in stack] for stack in expected])
        named = {frame[2] for stack in found for frame in stack} - {None}
        self.assertLess(len(named), len(functions))
        self.assertEqual({name for name in named if name.startswith("<")}, set())

    def test_mini_debug_information(self):
        """As gdb's manual makes it: functions that are not in .dynsym."""
        if shutil.which("xz") is None:
            self.skipTest("xz is not installed")
        whole = build(self.directory, "g++", "subject.cc", "-g", "-O2", "-rdynamic")
        mini = os.path.join(self.directory, "mini")
        stripped = os.path.join(self.directory, "stripped")
        run("strip", "--strip-all", "--remove-section=.comment", "-o", stripped, whole)
        run("objcopy", "--strip-debug", "--only-keep-debug", whole, mini)
        run("xz", mini)
        run("objcopy", "--add-section=.gnu_debugdata=" + mini + ".xz", stripped)
        functions = [(start, name) for start, size, name in oracles.functions(whole) if size > 1]
        self.assertGreater(len(functions), 4)
        bare = os.path.join(self.directory, "bare")
        run("objcopy", "--remove-section=.gnu_debugdata", stripped, bare)
        addresses = [start for start, _ in functions]
        counts = []
        for path in (whole, stripped, bare):
            found = self.named(path, addresses, debug_directories="")
            # What is without a name has the offset in its file.
            counts.append(sum("+0x" not in (stack[-1][2] or "+0x") for stack in found))
            if path == stripped:
                by_address = {}
                for start, name in functions:
                    by_address.setdefault(start, set()).add(name)
                for start, ((_, line, function, _),) in zip(addresses, found):
                    self.assertEqual(line, 0)
                    self.assertIn(function, by_address[start])
        self.assertEqual(counts[1], counts[0])
        self.assertLess(counts[2], counts[1])

    def test_damaged_mini_debug_information(self):
        _, stripped, _ = self.split()
        junk = os.path.join(self.directory, "junk")
        with open(junk, "wb") as file:
            file.write(b"\xfd7zXZ\0" + 100 * b"junk")
        run("objcopy", "--add-section=.gnu_debugdata=" + junk, stripped)
        self.nothing_known(stripped, "")


if __name__ == "__main__":
    unittest.main()
