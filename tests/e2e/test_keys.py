"""Statistics by function, module, thread, age and size; and what the commands accept short."""

import os

import expectations

from .harness import Case, program

SOURCE = expectations.source("holds.c")
THREADS = 8
# What each of the threads of threads.c holds: 500 blocks of 64 bytes, 100 of 32.
OWN = {"size": 500 * 64 + 100 * 32, "count": 600}


def rows(answer):
    """{label: (size, count)} of a JSON answer."""
    return {row["label"]: (row["size"], row["count"]) for row in answer["statistics"]}


class Holds(Case):
    """A program whose every block is known."""

    COMMANDS = ["snapshot stats {} --json".format(key) for key in ("function", "module", "size")]

    def test_each_key_holds_every_block_once(self):
        shown = self.at_stop(self.COMMANDS, "holds")
        functions, modules, sizes = (rows(shown.json(command)) for command in self.COMMANDS)
        self.assertEqual(functions, {
            "hold_large": (9096, 2),
            "hold_small": (1000, 10),
            "hold_deep": (32, 1),
            "hold_nothing": (0, 1),
        })
        self.assertEqual(modules, {program("holds"): (10128, 14)})
        self.assertEqual(sizes, {
            "4 KiB to < 8 KiB": (9096, 2),
            "64 B to < 128 B": (1000, 10),
            "32 B to < 64 B": (32, 1),
            "0 B": (0, 1),
        })

    def test_rows_have_what_their_label_is_made_of(self):
        shown = self.at_stop(self.COMMANDS, "holds")
        function, module, size = (shown.json(c)["statistics"][0] for c in self.COMMANDS)
        frame = function["traceback"][0]
        self.assertEqual((frame["filename"], frame["lineno"], frame["function"]),
                         (SOURCE, 0, "hold_large"))
        self.assertEqual(module["traceback"][0]["filename"], program("holds"))
        self.assertEqual((size["from"], size["below"], size["traceback"]), (4096, 8192, []))

    def test_cumulative_by_function(self):
        command = "snapshot stats function --cumulative --json"
        answer = self.at_stop([command], "holds").json(command)
        self.assertEqual(rows(answer)["main"], (10128, 14))
        [deep] = [row for row in answer["statistics"] if row["label"] == "hold_deep"]
        self.assertEqual(deep["once"], {"size": 32, "count": 1})
        self.assertGreater(deep["count"], 1)

    def test_a_recursive_row_says_what_it_counts_once(self):
        command = "snapshot stats function --cumulative -n all"
        text = self.at_stop([command], "holds")[command]
        self.assertRegex(text, r"hold_deep: .* \(each block once: size=32 B, count=1\)")

    def test_keys_of_blocks_are_not_cumulative(self):
        command = "snapshot stats age --cumulative"
        self.assertEqual(
            self.at_stop([command], "holds")[command],
            "--cumulative goes by filename, lineno, function, module, not by age: leave it out, or"
            " give one of these keys\n")

    def test_differences(self):
        commands = ["snapshot take old", "snapshot diff old function --json"]
        answer = self.at_stop(commands, "holds").json(commands[1])
        self.assertEqual(rows(answer)["hold_large"], (9096, 2))
        self.assertEqual({row["size_diff"] for row in answer["statistics"]}, {0})

    def test_in_python(self):
        script = (
            "python import allocsnap as t; s = t.take_snapshot();"
            " print([str(x) for x in s.statistics('size')[:2]],"
            " s.statistics('size')[0].traceback.range, s.statistics('function')[0].traceback[0],"
            " s.compare_to(s, 'module')[0].traceback.label)")
        self.assertEqual(
            self.at_stop([script], "holds")[script],
            "['4 KiB to < 8 KiB: size=9096 B, count=2, average=4548 B',"
            " '64 B to < 128 B: size=1000 B, count=10, average=100 B'] (4096, 8192) "
            "{}:0 {}\n".format(SOURCE, program("holds")))


class Threads(Case):
    def test_each_thread_has_its_blocks(self):
        command = "snapshot stats thread --json --no-skip --include */threads.c"
        answer = self.at_stop([command, "info threads"], "threads").json(command)
        found = answer["statistics"]
        self.assertEqual([(row["size"], row["count"]) for row in found],
                         [(OWN["size"], OWN["count"])] * THREADS)
        self.assertEqual(len({row["thread"] for row in found}), THREADS)
        self.assertEqual({row["label"] for row in found},
                         {"thread {}".format(row["thread"]) for row in found})
        # gdb's numbers of the threads beside the first.
        self.assertEqual({row["thread_label"] for row in found},
                         {'{} "threads"'.format(number) for number in range(2, THREADS + 2)})

    def test_what_the_debugger_calls_them_is_in_the_text(self):
        command = "snapshot stats thread --include */threads.c -n all"
        text = self.at_stop([command], "threads")[command]
        self.assertRegex(text, r'#1: thread \d+ \(\d+ "threads"\): size=34.4 KiB, count=600, ')

    def test_ages_are_of_all_blocks(self):
        command = "snapshot stats age --json"
        answer = self.at_stop([command], "threads").json(command)
        self.assertEqual(sum(row["size"] for row in answer["statistics"]), answer["total"]["size"])
        self.assertEqual(answer["statistics"][0]["from"], 0)


class Short(Case):
    """What need not be written out."""

    def test_beginnings(self):
        pairs = [
            ("snapshot stats", "snapshot stat"),
            ("snapshot stats function", "snapshot stats func"),
            ("snapshot stats traceback", "snapshot stat trace"),
            ("snapshot stats filename", "snapshot stats file"),
        ]
        shown = self.at_stop(["snapshot take s"] + [word for pair in pairs for word in pair], "holds")
        for whole, short in pairs:
            with self.subTest(short):
                self.assertIn("Total: size=10128 B", shown[short])
                self.assertEqual(shown[short], shown[whole])

    def test_a_snapshot_of_that_name_comes_first(self):
        shown = self.at_stop(["snapshot take func", "snapshot stats func"], "holds")
        self.assertIn(" lines, by size\n", shown["snapshot stats func"])

    def test_two_letters_are_no_key(self):
        shown = self.at_stop(["snapshot stats fi"], "holds")
        self.assertIn('no key or snapshot "fi"', shown["snapshot stats fi"])

    def test_all_rows(self):
        commands = ["snapshot stats -n all", "snapshot stats --limit all --json", "snapshot stats -n 2"]
        shown = self.at_stop(commands, "holds")
        self.assertTrue(shown[commands[0]].startswith("5 lines, by size\n"))
        self.assertEqual(len(shown.json(commands[1])["statistics"]), 5)
        self.assertTrue(shown[commands[2]].startswith("Top 2 of 5 lines"))

    def test_a_pattern_without_a_slash_is_the_end_of_a_path(self):
        commands = [
            "snapshot stats --include {} --json".format(pattern)
            for pattern in ("holds.c", "*/holds.c", "old*.c", os.path.basename(SOURCE) + ":31")
        ]
        shown = self.at_stop(commands, "holds")
        self.assertEqual([shown.json(command)["total"]["size"] for command in commands],
                         [10128, 10128, 0, 5000])

    def test_what_is_left_out_likewise(self):
        command = "snapshot stats --exclude holds.c:31 --json"
        self.assertEqual(self.at_stop([command], "holds").json(command)["total"]["size"], 5128)
