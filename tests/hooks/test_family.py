"""Programs that define a part of malloc's family: what is counted, and what is said of it."""

import collections
import os
import subprocess

import expectations

from e2e.harness import program

from .hooked import STATUS, Case

TRACES = "snapshot traces --json --no-skip"
STATS = "snapshot stats"

#: {function: size of its blocks}
MADE = {
    "malloc": 101,
    "calloc": 11 * 13,
    "realloc": 201,
    "posix_memalign": 301,
    "aligned_alloc": 448,
    "memalign": 551,
}
RESIZED, MOVED, BETWEEN = 651, 5001, 701

#: What a program defines. Those of one line are of one kind.
PARTS = [
    "", "free", "realloc", "calloc", "malloc",
    "malloc free", "malloc calloc", "realloc free", "malloc realloc", "malloc realloc free",
    "malloc calloc realloc", "malloc calloc realloc free",
    "posix_memalign", "aligned_alloc", "memalign", "posix_memalign aligned_alloc memalign",
    "posix_memalign free", "malloc calloc realloc posix_memalign aligned_alloc memalign free",
]

WHOLE = {"malloc", "calloc", "realloc", "free"}
TOO_FEW, TOO_MANY = "(too few)", "(too many)"
ORDER = ["malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc", "memalign", "free"]


def listed(names):
    return " and ".join([", ".join(names[:-1])] * bool(names[:-1]) + names[-1:])


def seen(own):
    """{size: blocks counted} of a program that defines these functions."""
    left = 3 if "free" in own else 2
    found = {size: 0 if name in own else left for name, size in MADE.items()}
    found[BETWEEN] = 0 if "malloc" in own else 3
    found[MOVED] = 0 if "realloc" in own else left
    found[RESIZED] = 3 if "realloc" in own and "malloc" not in own else 0
    return {size: count for size, count in found.items() if count}


class Built(Case):
    def build(self, source, compiler, *flags):
        path = os.path.join(self.directory, "built")
        command = [compiler, "-g", "-fno-builtin", "-D_GNU_SOURCE", *flags]
        command += ["-o", path, expectations.source(source), "-ldl"]
        subprocess.run(command, check=True)
        return path

    def look(self, path):
        """({size: blocks}, what is said to be unseen or None) of a program at its stop."""
        results = self.at_stop([TRACES, STATS, STATUS], path)
        answer = results.json(TRACES)
        counts = collections.Counter(trace["size"] for trace in answer["traces"])
        self.assertEqual(counts.total() if hasattr(counts, "total") else sum(counts.values()),
                         answer["total"]["count"])
        said = [line for line in results[STATUS].splitlines() if line.startswith("unseen:")]
        said = [line.split(None, 1)[1] for line in said]
        self.assertEqual(answer["notes"], said)
        first = "".join("warning: {}\n".format(line) for line in said)
        self.assertTrue(results[STATS].startswith(first), results[STATS])
        self.assertEqual(results[STATS].count("warning: "), len(said))
        self.assertLessEqual(len(said), 1)
        return counts, "".join(said)


class Family(Built):
    seconds = 120

    def flags(self, own):
        return ["-DOWN_" + name.upper() for name in own]

    def check_said(self, own, said):
        is_whole = WHOLE <= own
        names = [name for name in ORDER if name in own]
        if not own:
            self.assertEqual(said, "")
        elif is_whole:
            self.assertTrue(said.startswith("the program has a malloc of its own, "), said)
        else:
            start = "the program, or a library before the hooks, defines {}, and no call of {} has"
            start = start.format(listed(names), "it" if len(own) == 1 else "these")
            self.assertTrue(said.startswith(start), said)
        self.assertEqual(TOO_FEW in said, bool(own - {"free"}), said)
        counted = set(seen(own).values())
        too_many = "free" in own and 3 in counted and own != set(ORDER)
        self.assertEqual(TOO_MANY in said, too_many or ("realloc" in own and not is_whole), said)

    def test_parts_that_go_past_the_hooks(self):
        for part in PARTS:
            for level in ("-O0", "-O2"):
                own = set(part.split())
                with self.subTest(own=part, level=level):
                    counts, said = self.look(self.build("family.c", "gcc", level, *self.flags(own)))
                    self.assertEqual(dict(counts), seen(own))
                    self.check_said(own, said)

    def test_parts_that_go_on_to_the_hooks(self):
        for part in PARTS:
            for level in ("-O0", "-O2"):
                with self.subTest(own=part, level=level):
                    flags = self.flags(part.split()) + ["-DON", level]
                    counts, said = self.look(self.build("family.c", "gcc", *flags))
                    self.assertEqual(dict(counts), seen(set()))
                    self.assertNotIn(TOO_FEW, said)
                    self.assertNotIn(TOO_MANY, said)
                    made = [name for name in ORDER[:-1] if name in part.split()]
                    on = "the program, or a library before the hooks, defines {}, which go{} on to"
                    on = on.format(listed(made), "es" if len(made) == 1 else "") if made else ""
                    self.assertEqual(said[: len(on)] if made else said, on)


class Operators(Built):
    def check(self, flags, new, array, said):
        for level in ("-O0", "-O2"):
            with self.subTest(flags=flags, level=level):
                path = self.build("operators.cc", "g++", level, "-std=c++17", *flags)
                counts, found = self.look(path)
                self.assertEqual((counts[101], counts[201]), (new, array))
                self.assertEqual(found.split(":")[0], said)

    def test_operators_by_malloc_and_free(self):
        new, delete = "-DOWN_NEW=malloc", "-DOWN_DELETE=free"
        for way in ([], ["-fno-plt"]):
            self.check([new] + way, 2, 2, "")
            self.check([delete] + way, 2, 2, "")
            # No library has them as well, so that they would not be exported.
            self.check([new, delete, "-rdynamic"] + way, 2, 2, "")

    def test_operators_past_the_hooks(self):
        start = "the program, or a library before the hooks, defines {}, and no call of {} has come"
        start += " to the hooks; "
        few = "blocks that operator new made are missing here (too few)"
        many = "blocks that operator delete took back still count here (too many)"
        new, delete = "-DOWN_NEW=__libc_malloc", "-DOWN_DELETE=__libc_free"
        self.check([new], 0, 0, start.format("operator new", "it") + few)
        self.check([delete], 3, 3, start.format("operator delete", "it") + many)
        both = start.format("operator new and operator delete", "these")
        self.check([new, delete], 0, 0, both + few)
        self.check(["-DOWN_NEW=malloc", delete], 3, 3, start.format("operator delete", "it") + many)


class Scopes(Built):
    """Libraries that have a scope of their own."""

    def counted(self, way):
        results = self.at_stop(
            [TRACES, STATS, STATUS], "scopes", way, program("libscope.so")
        )
        answer = results.json(TRACES)
        counts = collections.Counter(trace["size"] for trace in answer["traces"])
        said = "".join(answer["notes"])
        if said:
            self.assertIn("\nunseen:  " + said, results[STATUS])
            self.assertTrue(results[STATS].startswith("warning: " + said))
        else:
            self.assertNotIn("unseen:", results[STATUS])
        return counts[457], counts[653], said

    def test_library_in_the_scope_of_the_program(self):
        self.assertEqual(self.counted("global"), (10, 2, ""))

    def test_library_with_a_scope_of_its_own(self):
        """The allocator gives out the block that was freed last, which malloc has made last too:
        that may be one call's. The next is seen not to have been freed."""
        made, lent, said = self.counted("deep")
        self.assertEqual((made, lent), (0, 3))
        self.assertTrue(said.startswith("1 block was given out again "), said)
        self.assertIn(TOO_MANY, said)

    def test_namespace_of_its_own(self):
        made, lent, said = self.counted("other")
        self.assertEqual((made, lent), (0, 5))
        self.assertTrue(said.startswith("a second C library is loaded, in a namespace "), said)
        self.assertIn(TOO_FEW, said)
