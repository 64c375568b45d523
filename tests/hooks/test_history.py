"""How much was traced over the time: what is kept of it, and shown."""

import json
import os

from e2e import debuggers
from e2e.debuggers import RUN, stop_at
from e2e.harness import program
from e2e.typed import Typed

from . import test_processes, test_signals
from .hooked import Case

JSON = "snapshot history --json"
TEXT = "snapshot history"
KEEP = "set environment ALLOCSNAP_HISTORY 1"
LARGE = 1 << 20
#: What is traced after each call of the program: bytes, and blocks.
PHASES = [(0, 0), (1000, 1), (3000, 2), (2000, 1), (5000, 1), (5000 + LARGE, 2), (5000, 1)]
NOW = {"size": 5007, "count": 2}


class Phases:
    """What is said of the program `history` at its end."""

    def check_phases(self, answer):
        points = answer["points"]
        self.assertEqual([answer["now"], answer["peak"]], [NOW, 5000 + LARGE])
        self.assertEqual((answer["period"], answer["sample_period"]), (0.01, 0))
        seen = [(point["size"], point["count"]) for point in points]
        self.assertEqual([one for one, before in zip(seen, [None] + seen) if one != before], PHASES)
        # Three hundredths of a second begin two at least.
        self.assertTrue(all(seen.count(one) >= 2 for one in PHASES))
        first = round(100 * points[0]["time"])
        self.assertEqual([round(100 * point["time"]) - first for point in points], list(range(len(points))))

    def check_text(self, text, answer, levels):
        lines = text.rstrip("\n").split("\n")
        self.assertEqual(lines[0], "5007 B in 2 blocks now, peak 1029 KiB")
        self.assertTrue(lines[1].startswith("{} points, 0.01 s apart".format(len(answer["points"]))))
        self.assertEqual(lines[2] + lines[4], "")
        self.assertEqual(set(lines[3]), {levels[0], levels[-1]})
        self.assertEqual(len(lines[3]), len(answer["points"]) + 1)
        self.assertEqual(lines[5].split(), ["time", "size", "count", "change"])
        self.assertEqual(len(lines) - 6, 20)
        self.assertEqual(lines[6].split(), ["0.00", "s", "0", "B", "0"])
        self.assertEqual(lines[-1].split(), ["now", "5007", "B", "2", "+7", "B"])
        rows = [(round(float(line.split()[0]), 2), line.split()[4]) for line in lines[6:-1]]
        counts = {point["time"]: str(point["count"]) for point in answer["points"]}
        self.assertTrue(all(counts[time] == count for time, count in rows))
        self.assertEqual(rows[-1][0], answer["points"][-1]["time"])


class InDebuggers(Phases, Case):
    seconds = 40

    def test_is_what_was_traced(self):
        for debugger in debuggers.every():
            with self.subTest(debugger=debugger.name):
                results = debugger.run(
                    self, ["snapshot start 16", stop_at("stop_here"), RUN, JSON, TEXT],
                    program("history"), env={"ALLOCSNAP_HISTORY": "1"},
                )
                self.check_phases(results.json(JSON))
                self.check_text(results[TEXT], results.json(JSON), "\u2581\u2588")

    def stopped(self, commands, **options):
        before = [KEEP, "snapshot start 16", "break stop_here", "run"]
        return self.batch(before + commands, program("history"), **options)

    def test_in_a_core(self):
        core = os.path.join(self.directory, "core")
        results = self.stopped([JSON, "gcore " + core])
        again = self.batch([JSON], program("history"), core)
        self.check_phases(results.json(JSON))
        self.assertEqual(again.json(JSON), results.json(JSON))

    def test_ascii(self):
        results = self.stopped([JSON, TEXT], env={"LC_ALL": "C"})
        self.check_text(results[TEXT], results.json(JSON), "_#")

    def test_clear_begins_again(self):
        results = self.stopped(["snapshot clear", TEXT, "print (void)((void *(*)(unsigned long))malloc)(3)", JSON])
        self.assertEqual(
            results[TEXT],
            "there is no history yet: it begins at the program's next malloc or free\n",
        )
        answer = results.json(JSON)
        self.assertEqual([(one["size"], one["count"]) for one in answer["points"]], [(0, 0)])
        # What a debugger allocates in the program is not recorded.
        self.assertEqual(answer["now"], {"size": 0, "count": 0})

    def test_stop_ends_it(self):
        results = self.stopped(["snapshot stop", TEXT])
        self.assertEqual(
            results[TEXT],
            "there is no history, as nothing is traced: `snapshot start` traces from now on\n",
        )

    def test_where_none_is_kept(self):
        results = self.at_stop([TEXT], "history")
        self.assertEqual(
            results[TEXT],
            "the hooks keep no history here: start the program with ALLOCSNAP_HISTORY=1 in its"
            " environment\n",
        )

    def test_of_a_sample(self):
        before = ["set environment ALLOCSNAP_SAMPLE 100"]
        results = self.batch(
            [KEEP, *before, "snapshot start 16", "break stop_here", "run", JSON, TEXT], program("history")
        )
        answer = results.json(JSON)
        self.assertEqual(answer["sample_period"], 100)
        # Blocks that are ten times as large as the period are as good as certain.
        sizes = {point["size"] for point in answer["points"]}
        self.assertTrue(any(LARGE < size < 1.1 * LARGE for size in sizes), sizes)
        self.assertTrue(results[TEXT].startswith("about "))
        self.assertIn("estimated from a sample of one block for each 100 B allocated\n", results[TEXT])


class OnTheCommandLine(Phases, Case, Typed):
    seconds = 40

    def test_of_a_process_and_its_core(self):
        pid, _ = self.paused("history", "wait", ALLOCSNAP_HISTORY="1")
        answer = self.told("-p", pid, "history", "--json")
        self.check_phases(json.loads(answer))
        text = self.told("-p", pid, "history")
        self.check_text(text, json.loads(answer), "\u2581\u2588")
        text = self.told("-p", pid, "history", env={"LC_ALL": "C"})
        self.check_text(text, json.loads(answer), "_#")
        core = os.path.join(self.directory, "core")
        self.attached("history", pid, ["gcore " + core])
        self.assertEqual(self.told("-c", core, "history", "--json"), answer)


class _Kept:
    """The same with the history."""

    def variables(self, *arguments, **options):
        return dict(super().variables(*arguments, **options), ALLOCSNAP_HISTORY="1")

    def batch(self, commands, *arguments, **options):
        return super().batch([KEEP] + list(commands), *arguments, **options)


class Storm(_Kept, test_signals.Storm):
    pass


class Forks(_Kept, test_processes.Forks):
    pass
