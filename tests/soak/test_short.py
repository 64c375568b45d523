"""The shortest of the soak's runs; `make soak` has all of them, at length."""

import tempfile
import unittest

from . import batch_programs


class Short(unittest.TestCase):
    def check(self, program):
        with tempfile.TemporaryDirectory(prefix="allocsnap-") as directory:
            shown = program(directory, 1)
        self.assertGreater(shown.blocks, 0)
        self.assertGreater(shown.size, shown.blocks)

    def test_sqlite3(self):
        self.check(batch_programs.sqlite3)

    def test_git(self):
        self.check(batch_programs.git)
