"""CPython's own tests of tracemalloc, run on allocsnap in its place: those that look at
snapshots, filters and tracebacks, and trace nothing. They are in a package of their own
(Debian: libpython3.N-testsuite), which need not be that of the Python that runs this."""

import os
import subprocess
import sys
import tracemalloc
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PACKAGES = os.path.join(ROOT, "core", "python")
sys.path.insert(0, PACKAGES)

# pylint: disable=wrong-import-position
import allocsnap  # noqa: E402

#: Pythons that may have the tests, the best first.
PYTHONS = (sys.executable, "/usr/bin/python3")
CLASSES = ("TestTraceback", "TestSnapshot", "TestFilters")
DEADLINE = 120

#: Runs the classes that the command line names, with allocsnap wherever tracemalloc is named.
RUN = """
import importlib.util, re, sys, types, unittest
import allocsnap
spec = importlib.util.find_spec("test.test_tracemalloc")
with open(spec.origin, encoding="utf-8") as file:
    source, count = re.subn(r"\\btracemalloc\\b", "allocsnap", file.read())
print("replaced", count)
module = types.ModuleType("cpythons_test_tracemalloc")
sys.modules[module.__name__] = module
exec(compile(source, module.__name__, "exec"), vars(module))
print("in place of tracemalloc:", "tracemalloc" not in vars(module), module.allocsnap is allocsnap)
load = unittest.defaultTestLoader.loadTestsFromTestCase
suite = unittest.TestSuite(load(getattr(module, name)) for name in sys.argv[1:])
result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
print("ran", result.testsRun, "skipped", len(result.skipped), "passed", result.wasSuccessful())
"""


def python(executable, code, *arguments):
    """(status, what it printed) of a Python that finds allocsnap."""
    done = subprocess.run(
        [executable, "-c", code] + list(arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        env=dict(os.environ, PYTHONPATH=PACKAGES),
        timeout=DEADLINE,
        check=False,
    )
    return done.returncode, done.stdout


class Standard(unittest.TestCase):
    maxDiff = None

    def test_cpythons_tests_pass(self):
        found = [
            one
            for one in PYTHONS
            if os.path.exists(one) and python(one, "import test.test_tracemalloc")[0] == 0
        ]
        self.assertTrue(found, "no Python here has CPython's tests: `make deps` installs them")
        status, text = python(found[0], RUN, *CLASSES)
        self.assertEqual(status, 0, text)
        self.assertIn("in place of tracemalloc: True True\n", text)
        self.assertRegex(text, r"\nran (1[89]|[2-9]\d) skipped 0 passed True\n\Z")

    def test_every_name_of_tracemalloc(self):
        """Code that reaches a module or a helper through tracemalloc finds it."""
        for name in dir(tracemalloc):
            with self.subTest(name):
                self.assertTrue(hasattr(allocsnap, name))
        self.assertFalse(hasattr(allocsnap, "nothing_of_this_name"))

    def test_grouped_statistics(self):
        """As tracemalloc compares them."""
        old = [(0, 10, (("a", 1),), 1), (0, 20, (("b", 2),), 1), (0, 5, (("c", 3),), 1)]
        new = [(0, 11, (("a", 1),), 1), (0, 20, (("b", 2),), 1), (0, 7, (("d", 4),), 1)]
        shown = []
        for module in (tracemalloc, allocsnap):
            groups = [module.Snapshot(traces, 1)._group_by("lineno", False) for traces in (old, new)]
            rows = module._compare_grouped_stats(*groups)
            shown.append(sorted(str(row) for row in rows))
        self.assertEqual(shown[1], shown[0])
        self.assertEqual(len(shown[0]), 4)


if __name__ == "__main__":
    unittest.main()
