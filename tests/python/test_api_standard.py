"""CPython's own tests of tracemalloc, run on allocsnap in its place: those that look at
snapshots, filters and tracebacks, and trace nothing. They run where they are installed
(Debian: libpython3.11-testsuite)."""

import importlib.util
import os
import sys
import types
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "core", "python"))

# pylint: disable=wrong-import-position
import allocsnap  # noqa: E402

IMPORT = "\nimport tracemalloc\n"
CLASSES = ("TestTraceback", "TestSnapshot", "TestFilters")


def find_source():
    """The text of CPython's test_tracemalloc.py, or None."""
    try:
        spec = importlib.util.find_spec("test.test_tracemalloc")
    except ImportError:
        spec = None
    if spec is None or not spec.origin:
        return None
    with open(spec.origin, encoding="utf-8") as file:
        return file.read()


class Standard(unittest.TestCase):
    def test_cpythons_tests_pass(self):
        source = find_source()
        if source is None:
            self.skipTest("CPython's tests are not installed")
        self.assertEqual(source.count(IMPORT), 1)
        module = types.ModuleType("cpythons_test_tracemalloc")
        source = source.replace(IMPORT, "\nimport allocsnap as tracemalloc\n")
        exec(compile(source, module.__name__, "exec"), vars(module))
        self.assertIs(module.tracemalloc, allocsnap)
        suite = unittest.TestSuite(
            unittest.defaultTestLoader.loadTestsFromTestCase(getattr(module, name))
            for name in CLASSES
        )
        result = unittest.TestResult()
        suite.run(result)
        self.assertEqual(result.errors + result.failures, [])
        self.assertEqual(result.skipped, [])
        self.assertGreaterEqual(result.testsRun, 18)


if __name__ == "__main__":
    unittest.main()
