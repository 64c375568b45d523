"""Runs everything: each CUnit program given, then every test_*.py below tests/.

Ends with one line that sums up all of it, and with status 0 only where tests ran
and none failed.
"""

import os
import re
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
UNIT_SECONDS = "900"

# CUnit's summary: total, ran, passed, failed, inactive.
CUNIT_TESTS = re.compile(r"^\s*tests\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+\S+\s*$")


def run_cunit(program):
    """(passed, failed) of a CUnit program, whose output goes through."""
    passed = failed = 0
    child = subprocess.Popen(
        ["timeout", UNIT_SECONDS, program],
        stdout=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    )
    for line in child.stdout:
        sys.stdout.write(line)
        summary = CUNIT_TESTS.match(line)
        if summary:
            passed += int(summary.group(3))
            failed += int(summary.group(4))
    if child.wait() != 0 and failed == 0:
        print("%s ended with status %d" % (program, child.returncode))
        failed += 1
    sys.stdout.flush()
    return passed, failed


def run_python():
    """(passed, failed, skipped) of the Python tests."""
    suite = unittest.defaultTestLoader.discover(HERE, "test_*.py")
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    skipped = len(result.skipped)
    return max(result.testsRun - failed - skipped, 0), failed, skipped


def main(programs):
    passed = failed = 0
    for program in programs:
        counts = run_cunit(program)
        passed += counts[0]
        failed += counts[1]
    counts = run_python()
    passed += counts[0]
    failed += counts[1]
    print("\n%d passed, %d failed, %d skipped" % (passed, failed, counts[2]))
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
