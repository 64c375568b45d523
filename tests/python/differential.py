"""Random traces and filters, and what the Python API and the standard library's tracemalloc make of
them.

ALLOCSNAP_FUZZ_COUNT sets how many random cases each test makes.
"""

import os
import random
import sys
import tracemalloc
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "core", "python"))

# pylint: disable=wrong-import-position
import allocsnap  # noqa: E402

COUNT = int(os.environ.get("ALLOCSNAP_FUZZ_COUNT", "60"))
SEED = int(os.environ.get("ALLOCSNAP_FUZZ_SEED", "20240611"))

BOTH = (tracemalloc, allocsnap)
MODES = [("filename", False), ("lineno", False), ("traceback", False),
         ("filename", True), ("lineno", True)]
FILENAMES = ["/src/a.c", "/src/b.c", "/src/a.cc", "/src/\u00e9t\u00e9.c", "/src/\U0001f40d.c",
             "/src/\ufb01.c", "/SRC/a.c", "/src/a", "", " ", "<unknown>", "a\nb", "%s{}",
             "/src/\udcff.c", "/src/\udc80.c", "/src/\udce9", "/usr/lib/libc.so.6",
             "/p/mod.py", "/p/mod.pyc", ".pyc", "x" * 5000, __file__]
SIZES = [0, 1, 8, 8, 8, 99, 100, 1023, 1024, 10239, 10240, 102399, 102400, 1 << 20, 10 << 20,
         (100 << 20) - 1, 1 << 30, 1 << 40, (1 << 48) + 1]
LINES = [[1], [0, 1], [0, 1, 2, 3], [1, 2, 10, 100, 2**32 - 1]]
DOMAINS = [[0], [0, 1], [0, 7, 2**32 - 1]]


def random_traces(generator):
    """Raw traces with many ties, recursion and stacks that end alike."""
    filenames = generator.sample(FILENAMES, generator.randint(1, len(FILENAMES)))
    lines = generator.choice(LINES)
    frames = [(filename, line) for filename in filenames for line in lines]
    depth = generator.choice([1, 2, 3, 8, 40])
    stacks = []
    for _ in range(generator.randint(1, 25)):
        if stacks and generator.random() < 0.3:
            stack = generator.choice(stacks)
            stack = stack[generator.randrange(len(stack)):]
            stack = tuple(generator.choices(frames, k=generator.randint(0, 2))) + stack
        else:
            stack = tuple(generator.choices(frames, k=generator.randint(1, depth)))
        stacks.append(stack)
    sizes = generator.choice([SIZES, [8], [0], [1, 2, 3]])
    domains = generator.choice(DOMAINS)
    traces = []
    for _ in range(generator.choice([0, 1, 5, 40, 150])):
        stack = generator.choice(stacks)
        if generator.random() < 0.3:
            stack = tuple((filename, line) for filename, line in stack)  # equal, not the same
        total = generator.choice([len(stack), len(stack) + 3, 65535, 0])
        traces.append((generator.choice(domains), generator.choice(sizes), stack, total))
    return traces


def random_pattern(generator):
    if generator.random() < 0.6:
        return generator.choice(["*", "/src/*", "*.c", "*.c*", "?src/[ab].c", "[!/]*", "", "*.pyc",
                                 "*[\u00e0-\u00ff]*", "*/[A-Z][A-Z]*", "/src/?.c", "*\udcff*",
                                 "/src/[\udc80-\udcff]*", "<unknown>"])
    return "".join(generator.choices("/abcs.*?[]!-^\\", k=generator.randint(0, 9)))


def random_filter(generator):
    """What makes the same filter of either module."""
    inclusive = generator.choice([True, False, 1, 0])
    if generator.random() < 0.25:
        domain = generator.choice([0, 1, 7, -1, 2**40, None, True, 1.0, "0"])
        return lambda module: module.DomainFilter(inclusive, domain)
    arguments = {
        "lineno": generator.choice([None, None, None, 0, 1, 2, -1, 2**32 - 1, 2**32, 1.0, "1"]),
        "all_frames": generator.choice([True, False, 1, None]),
        "domain": generator.choice([None, None, None, 0, 1, 2**32 - 1, -1, 2**32, "x"]),
    }
    pattern = random_pattern(generator)
    return lambda module: module.Filter(inclusive, pattern, **arguments)


def frame_facts(frame):
    return (type(frame).__name__, frame.filename, frame.lineno, str(frame), repr(frame),
            hash(frame))


def traceback_facts(traceback):
    return ([frame_facts(frame) for frame in traceback], len(traceback), traceback.total_nframe,
            str(traceback), repr(traceback), hash(traceback), traceback._frames,
            traceback.format())


def row_facts(row):
    facts = [type(row).__name__, str(row), repr(row), row.size, row.count,
             traceback_facts(row.traceback), hash(row), row._sort_key()[:-1]]
    return facts + [getattr(row, name, None) for name in ("size_diff", "count_diff")]


def trace_facts(trace):
    return (trace.domain, trace.size, traceback_facts(trace.traceback), str(trace), repr(trace),
            hash(trace))


def snapshot_facts(snapshot):
    return (sorted(vars(snapshot)), snapshot.traceback_limit, len(snapshot.traces),
            repr(snapshot.traces), snapshot.traces._traces,
            [trace_facts(trace) for trace in snapshot.traces])


def outcome(function, *arguments):
    """What a call gives, or the error that it raises."""
    try:
        return "value", function(*arguments)
    except Exception as error:  # pylint: disable=broad-except
        return type(error).__name__, str(error)


class Differential(unittest.TestCase):
    maxDiff = 2000
    case = ""

    def _formatMessage(self, msg, standardMsg):
        return super()._formatMessage(msg, standardMsg) + self.case

    def both(self, make):
        """Calls make(module) for both modules, compares, and returns what it gave."""
        wanted, got = [outcome(make, module) for module in BOTH]
        self.assertEqual(got, wanted)
        return wanted[1]

    def cases(self, salt, count=COUNT):
        for number in range(count):
            seed = "%d.%d.%d" % (SEED, salt, number)
            self.case = "\nin the case of seed " + seed
            yield random.Random(seed)
        self.case = ""
