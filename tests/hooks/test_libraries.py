"""Libraries that come and go, and programs with an allocator or an unwinder of their own."""

import collections

from .hooked import LINES, MEMORY, STATUS, Case

TRACES = "snapshot traces --json"
TURNS = 200


class Unloaded(Case):
    def test_blocks_that_outlive_their_library(self):
        results = self.at_stop([TRACES, MEMORY, STATUS, "print shared"], "turns")
        sizes = collections.Counter(trace["size"] for trace in results.json(TRACES)["traces"])
        self.assertEqual(sizes[211], TURNS)
        self.assertEqual(sizes[223], TURNS)
        # What each frees at once is gone.
        self.assertEqual((sizes[11], sizes[23]), (0, 0))
        # Else this would show nothing of libraries at the same place.
        self.assertEqual(results["print shared"].split()[-1], str(TURNS))
        total = results.json(TRACES)["total"]
        self.assertEqual(total["size"], self.memory(results[MEMORY])[0])
        self.assertIn("dropped: 0 blocks", results[STATUS])

    def test_the_way_of_a_stack_through_an_unloaded_library(self):
        """The frames below the library are named, whatever the library's are called."""
        results = self.at_stop([TRACES], "turns")
        for trace in results.json(TRACES)["traces"]:
            if trace["size"] in (211, 223):
                functions = [frame["function"] for frame in trace["traceback"]]
                self.assertEqual(functions[2:4], ["turn", "main"])
                self.assertEqual(trace["total_nframe"], len(functions))


class OwnAllocator(Case):
    def check_unseen(self, name):
        results = self.at_stop([LINES, STATUS], name)
        self.assertEqual(results.json(LINES)["total"], {"size": 0, "count": 0})
        self.assertIn("traced:  0 B in 0 blocks", results[STATUS])

    def test_allocator_of_the_program(self):
        self.check_unseen("own_malloc")

    def test_jemalloc_in_the_program(self):
        self.check_unseen("own_jemalloc")


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
