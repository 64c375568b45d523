"""Runs everything: each CUnit program given, then every test_*.py below tests/.

Ends with the names of what failed and one line that sums up all of it, and with status
0 only where tests ran and none failed.
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
# What tests/unit/main.c prints for each assertion that failed.
CUNIT_FAILURE = "failed: "


def run_cunit(program):
    """(passed, failed, names) of a CUnit program, whose output goes through."""
    passed = failed = 0
    names, last = [], "no output"
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
        elif line.startswith(CUNIT_FAILURE):
            names.append(line[len(CUNIT_FAILURE) :].rstrip("\n"))
        elif line.strip():
            last = line.strip()
    if child.wait() != 0 and failed == 0:
        names.append("%s ended with status %d, after: %s" % (program, child.returncode, last))
        failed += 1
    sys.stdout.flush()
    return passed, failed, names


def run_python():
    """(passed, failed, skipped, names) of the Python tests."""
    suite = unittest.defaultTestLoader.discover(HERE, "test_*.py")
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    wrong = [test for test, _ in result.failures + result.errors] + result.unexpectedSuccesses
    skipped = len(result.skipped)
    passed = max(result.testsRun - len(wrong) - skipped, 0)
    return passed, len(wrong), skipped, [test.id() for test in wrong]


def main(programs):
    passed = failed = 0
    names = []
    for program in programs:
        counts = run_cunit(program)
        passed += counts[0]
        failed += counts[1]
        names += counts[2]
    counts = run_python()
    passed += counts[0]
    failed += counts[1]
    names += counts[3]
    print()
    for name in names:
        print("failed: " + name)
    print("%d passed, %d failed, %d skipped" % (passed, failed, counts[2]))
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
