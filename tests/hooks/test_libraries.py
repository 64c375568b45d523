"""Libraries that come and go, and programs with an allocator or an unwinder of their own."""

import collections

from .hooked import LINES, MEMORY, STATUS, Case

TRACES = "snapshot traces --json"
TURNS = 200


class Unloaded(Case):
    def test_blocks_that_outlive_their_library(self):
        results = self.at_stop([TRACES, LINES, MEMORY, STATUS, "print shared"], "turns")
        sizes = collections.Counter(trace["size"] for trace in results.json(TRACES)["traces"])
        self.assertEqual(sizes[211], TURNS)
        self.assertEqual(sizes[223], TURNS)
        answer = results.json(LINES)
        self.assertEqual(answer["notes"], [])
        for source, size in (("libturn_one.c", 211), ("libturn_other.c", 223)):
            self.assertEqual(
                self.held(answer, source), self.tagged(source, kept=(TURNS * size, TURNS))
            )
        # What each frees at once is gone.
        self.assertEqual((sizes[11], sizes[23]), (0, 0))
        # Else this would show nothing of libraries at the same place.
        self.assertEqual(results["print shared"].split()[-1], str(TURNS))
        total = results.json(TRACES)["total"]
        self.assertEqual(total["size"], self.memory(results[MEMORY])[0])
        self.assertIn("dropped: 0 blocks", results[STATUS])

    def test_the_way_of_a_stack_through_an_unloaded_library(self):
        results = self.at_stop([TRACES], "turns")
        for trace in results.json(TRACES)["traces"]:
            if trace["size"] in (211, 223):
                functions = [frame["function"] for frame in trace["traceback"]]
                first = {211: "first_of_one", 223: "first_of_other"}[trace["size"]]
                self.assertEqual(functions[:4], [first, "turn_make", "turn", "main"])
                self.assertEqual(trace["total_nframe"], len(functions))


class OwnAllocator(Case):
    def check_unseen(self, name):
        results = self.at_stop([LINES, STATUS, "snapshot stats"], name)
        self.assertEqual(results.json(LINES)["total"], {"size": 0, "count": 0})
        self.assertIn("traced:  0 B in 0 blocks", results[STATUS])
        note = "the program has a malloc of its own, whose blocks are not "
        self.assertIn("\nunseen:  " + note, results[STATUS])
        self.assertEqual(len(results.json(LINES)["notes"]), 1)
        self.assertIn(note, results.json(LINES)["notes"][0])
        self.assertTrue(results["snapshot stats"].startswith("warning: " + note))

    def test_allocator_of_the_program(self):
        self.check_unseen("own_malloc")

    def test_jemalloc_in_the_program(self):
        self.check_unseen("own_jemalloc")

    def test_address_of_malloc_in_a_program_at_fixed_addresses(self):
        """The program has a place of its own for malloc, which leads to the hooks."""
        results = self.at_stop([LINES, STATUS], "malloc_address")
        self.assertEqual(
            self.held(results.json(LINES), "malloc_address.c"),
            self.tagged("malloc_address.c", block=(70, 1)),
        )
        self.assertEqual(results.json(LINES)["notes"], [])
        self.assertNotIn("unseen", results[STATUS])


class OwnUnwinder(Case):
    def test_unwinders_in_the_program(self):
        results = self.at_stop([LINES, TRACES, STATUS], "own_unwinder")
        self.assertEqual(
            self.held(results.json(LINES), "own_unwinder.cc"),
            self.tagged("own_unwinder.cc", thrown=(10 * 77, 10), main=(10 * 60, 10)),
        )
        # The block that level N of descend() throws has N more frames below it.
        depths = sorted(
            [frame["function"] for frame in trace["traceback"]].count("descend(int)")
            for trace in results.json(TRACES)["traces"]
            if trace["size"] == 77
        )
        self.assertEqual(depths, list(range(1, 11)))
