"""The fuzzers for a bounded count, under the address and undefined-behaviour sanitizers."""

import os
import re
import subprocess
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("ALLOCSNAP_BUILD", os.path.join(ROOT, "build"))
CORPUS = os.path.join(ROOT, "tests", "fuzz", "corpus")
SPECIMENS = os.path.join(BUILD, "asan", "tests", "fuzz", "specimens")
RUNS = 40000
SYMBOL_RUNS = 60000
GRAPH_RUNS = 6000


class Fuzz(unittest.TestCase):
    seconds = 20

    def run_fuzzer(self, name, runs, directory):
        """(accepted files, accepted inputs) of a fuzzer over the files of a directory."""
        files = [os.path.join(directory, file) for file in sorted(os.listdir(directory))]
        done = subprocess.run(
            [os.path.join(BUILD, "asan", "tests", "fuzz", "fuzz_" + name), str(runs)] + files,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            check=False,
            env=dict(os.environ, ASAN_OPTIONS="detect_leaks=1"),
        )
        self.assertEqual(done.returncode, 0, done.stderr[-4000:])
        lines = re.fullmatch(
            r"%d files, (\d+) accepted\n%d runs, (\d+) accepted\n" % (len(files), runs), done.stdout
        )
        self.assertIsNotNone(lines, done.stdout)
        return int(lines.group(1)), int(lines.group(2))

    def test_load(self):
        files, inputs = self.run_fuzzer("load", RUNS, os.path.join(CORPUS, "load"))
        # Each file that is a good one is loaded twice: as it is, and repaired.
        self.assertEqual(files, 16)
        self.assertGreater(inputs - files, RUNS // 20)

    def test_symbols(self):
        files, inputs = self.run_fuzzer("symbols", SYMBOL_RUNS, SPECIMENS)
        # Each small library has addresses with lines, and so have many damaged ones.
        self.assertEqual(files, len(os.listdir(SPECIMENS)))
        self.assertGreater(inputs - files, SYMBOL_RUNS // 4)

    def test_suppressions(self):
        files, inputs = self.run_fuzzer("suppressions", RUNS, os.path.join(CORPUS, "suppressions"))
        # One has a rule of another type.
        self.assertEqual(files, 3)
        self.assertGreater(inputs - files, RUNS // 20)

    def test_heaps(self):
        files, inputs = self.run_fuzzer("heaps", RUNS, os.path.join(CORPUS, "heaps"))
        self.assertEqual(files, 4)
        self.assertGreater(inputs - files, RUNS // 4)

    def test_cfi(self):
        files, inputs = self.run_fuzzer("cfi", RUNS, os.path.join(CORPUS, "cfi"))
        self.assertEqual(files, 5)
        self.assertGreater(inputs - files, RUNS // 20)

    def test_cpython(self):
        files, inputs = self.run_fuzzer("cpython", RUNS, os.path.join(CORPUS, "cpython"))
        # In the others, nothing leads to the tables any more.
        self.assertEqual(files, 10)
        self.assertGreater(inputs - files, RUNS // 20)

    def test_graph(self):
        directory = os.path.join(CORPUS, "graph")
        files, inputs = self.run_fuzzer("graph", GRAPH_RUNS, directory)
        self.assertEqual(files, len(os.listdir(directory)))
        self.assertGreater(inputs - files, GRAPH_RUNS // 2)


if __name__ == "__main__":
    unittest.main()
