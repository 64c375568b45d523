"""Blocks of a program's own pools, told with allocsnap_hooks.h."""

import os

import expectations

from . import harness

SOURCE = os.path.join(harness.ROOT, "tests", "programs", "pools.c")


class Domains(harness.Case):
    def rows(self, results, command):
        return {
            row["traceback"][0]["lineno"]: (row["size"], row["count"])
            for row in results.json(command)["statistics"]
        }

    @staticmethod
    def line_of(name):
        """The line of the source that is marked to hold a block of this name."""
        with open(SOURCE, encoding="utf-8") as lines:
            found = [n for n, line in enumerate(lines, 1) if "heap: {} ".format(name) in line]
        assert len(found) == 1, name
        return found[0]

    def test_each_domain_has_its_blocks(self):
        line = {name: self.line_of(name) for name in ("heap", "first", "grown", "view")}
        every = "snapshot stats --json"
        of_arena = "snapshot stats --domain 7 --json"
        of_heap = "snapshot stats --domain 0 --json"
        results = self.at_stop([every, of_arena, of_heap, "print results"], "pools")
        arena = {line["first"]: (10, 1), line["grown"]: (70, 1)}
        heap = {line["heap"]: (100, 1)}
        view = {line["view"]: (1000, 1)}
        self.assertEqual(self.rows(results, of_arena), arena)
        self.assertEqual(self.rows(results, of_heap), heap)
        self.assertEqual(self.rows(results, every), {**arena, **heap, **view})
        self.assertEqual(
            results["print results"],
            "$1 = {0, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1, 0, 0, 0, 0, 0}\n",
        )

    def test_more_domains_than_there_is_room_for(self):
        results = self.at_stop(
            ["continue", "print results[15]", "snapshot stats --json"], "pools"
        )
        # 256 places: domain 0, the 2 that were there, and 253 of 300 new ones.
        self.assertEqual(results["print results[15]"], "$1 = 47\n")
        total = results.json("snapshot stats --json")["total"]
        self.assertEqual(total, {"size": 100 + 80 + 1000 + 253, "count": 4 + 253})

    def test_without_the_hooks_nothing_happens(self):
        for name in ("pools", "pools_fixed"):
            results = self.batch(
                ["break stop_here", "run", "print results[1]", "print results[4]"],
                harness.program(name),
            )
            self.assertEqual(results["print results[1]"], "$1 = -2\n")
            self.assertEqual(results["print results[4]"], "$2 = -2\n")

    def test_a_program_at_a_fixed_address(self):
        results = self.at_stop(["print results[1]"], "pools_fixed")
        self.assertEqual(results["print results[1]"], "$1 = 0\n")


class MisusedPools(harness.Case):
    NAME = "misused_pool"
    SIZE = "print $snapshot_size()"

    def check(self, results, refused, where):
        """What is refused is said first, and all else is there."""
        held = expectations.expected(expectations.source(self.NAME + ".c"), where)
        note = (
            "{} blocks of the program's own pools were refused and are missing here: too large a"
            " size, sum or address, or too many domains (allocsnap_hooks.h)".format(refused)
        )
        answer = results.json("snapshot stats --json")
        self.assertEqual(answer["notes"], [note])
        self.assertEqual(results["snapshot stats"].split("\n")[0], "warning: " + note)
        self.assertIn("\nrefused: {} blocks of ".format(refused), results["snapshot status"])
        self.assertIn("\ndropped: 0 blocks\n", results["snapshot status"])
        self.assertEqual(results["print failed"].split(" = ")[1], "{}\n".format(refused))
        rows = {
            row["traceback"][0]["lineno"]: (row["size"], row["count"])
            for row in answer["statistics"]
        }
        self.assertEqual(rows, held)
        size = sum(pair[0] for pair in held.values())
        self.assertEqual(answer["total"]["size"], size)
        self.assertEqual(results[self.SIZE].split(" = ")[1], "{}\n".format(size))

    COMMANDS = ["snapshot stats --json", "snapshot stats", "snapshot status", "print failed", SIZE]

    def test_sizes_and_addresses_that_cannot_be(self):
        results = self.at_stop(self.COMMANDS, self.NAME)
        self.check(results, 16, "first")

    def test_sums_that_cannot_be(self):
        results = self.at_stop(["continue"] + self.COMMANDS, self.NAME)
        self.check(results, 16 + 976 + 1, "second")
