"""The symbolizer's own tests while another build takes the place of their program, as when it
is linked anew while they run: they go by the program that runs."""

import os
import shutil
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("ALLOCSNAP_BUILD", os.path.join(ROOT, "build"))
UNIT = os.path.join(BUILD, "tests", "unit")
SUITES = ["symbols_builds", "symbols_damage", "symbols_self", "symbols_traces"]


class ReplacedProgram(unittest.TestCase):
    seconds = 6

    def test_goes_by_what_runs(self):
        with tempfile.TemporaryDirectory() as directory:
            program = os.path.join(directory, "unit")
            shutil.copy(UNIT, program)
            opened = os.open(program, os.O_RDONLY)
            try:
                os.unlink(program)
                shutil.copy("/bin/sh", program)
                child = subprocess.run(
                    ["/proc/self/fd/%d" % opened] + SUITES,
                    pass_fds=[opened],
                    cwd=directory,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    encoding="utf-8",
                )
            finally:
                os.close(opened)
        self.assertEqual(child.returncode, 0, child.stdout)
        self.assertNotIn("failed: ", child.stdout)


if __name__ == "__main__":
    unittest.main()
