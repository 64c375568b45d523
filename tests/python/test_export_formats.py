"""docs/export.md has the library's table of export formats, and the command too."""

import os
import re
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "core", "python"))

# pylint: disable=wrong-import-position
from allocsnap.commands import COMMANDS  # noqa: E402
from allocsnap.library import exports  # noqa: E402


class Formats(unittest.TestCase):
    def test_page(self):
        with open(os.path.join(ROOT, "docs", "export.md"), encoding="utf-8") as file:
            page = file.read()
        rows = re.findall(r"^\| `(\w+)` \|([^|]*)\|[^|]*\| (yes|no) \|$", page, re.M)
        self.assertEqual(
            [(name, tuple(re.findall(r"`([^`]+)`", endings)), two == "yes") for name, endings, two in rows],
            [(form.name, form.endings, form.compares) for form in exports.formats().values()],
        )

    def test_help(self):
        (command,) = [command for command in COMMANDS if command.name == "export"]
        for form in exports.formats().values():
            self.assertIn(form.name, command.help)
            self.assertIn(form.what, " ".join(command.help.split()))

    def test_endings(self):
        """Each is meant to be one format's."""
        for form in exports.formats().values():
            for ending in form.endings:
                self.assertEqual(exports.format_of("/some/where" + ending), form)
        self.assertIsNone(exports.format_of("/some/folded"))
        endings = [ending for form in exports.formats().values() for ending in form.endings]
        self.assertEqual(len(set(endings)), len(endings))


if __name__ == "__main__":
    unittest.main()
