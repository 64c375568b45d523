"""How `snapshot history` draws sizes, and which points it shows."""

import os
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("ALLOCSNAP_BUILD", os.path.join(ROOT, "build"))
os.environ.setdefault("ALLOCSNAP_LIBRARY", os.path.join(BUILD, "liballocsnap.so"))
sys.path.insert(0, os.path.join(ROOT, "core", "python"))

from allocsnap import charsets  # noqa: E402
from allocsnap.commands import history  # noqa: E402

BLOCKS = "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"


class Line(unittest.TestCase):
    def test_as_high_as_the_size(self):
        sizes = [700, 0, 99, 100, 699, 350]
        self.assertEqual(history.line(sizes, True), "\u2588\u2581\u2581\u2582\u2587\u2584")
        self.assertEqual(history.line(sizes, False), "#__.*-")

    def test_every_level(self):
        self.assertEqual(history.line(range(8), True), BLOCKS)
        self.assertEqual(history.line([0, 0, 0], True), BLOCKS[0] * 3)
        self.assertEqual(history.line([2**63 - 1, 1], True), BLOCKS[7] + BLOCKS[0])

    def test_a_column_is_the_largest_of_many(self):
        sizes = [0] * 2049
        sizes[1000] = 7
        shown = history.line(sizes, False)
        self.assertEqual(len(shown), history.COLUMNS)
        self.assertEqual([i for i, one in enumerate(shown) if one == "#"], [1000 * 60 // 2049])

    def test_rows(self):
        self.assertEqual(history.chosen(3, 19), [0, 1, 2])
        self.assertEqual(history.chosen(19, 19), list(range(19)))
        self.assertEqual(history.chosen(37, 19), list(range(0, 37, 2)))
        for count in (20, 1024, 2048):
            places = history.chosen(count, 19)
            self.assertEqual((len(set(places)), places[0], places[-1]), (19, 0, count - 1))


class Charset(unittest.TestCase):
    def of(self, **variables):
        names = ("LC_ALL", "LC_CTYPE", "LANG")
        kept = {name: os.environ.pop(name) for name in names if name in os.environ}
        try:
            os.environ.update(variables)
            return charsets.speaks_utf8(charsets.of_environment())
        finally:
            for name in names:
                os.environ.pop(name, None)
            os.environ.update(kept)

    def test_of_the_locale(self):
        for variables, utf8 in (
            ({}, False),
            ({"LANG": "C"}, False),
            ({"LANG": "de_AT.UTF-8"}, True),
            ({"LANG": "de_AT.utf8@euro"}, True),
            ({"LANG": "C.UTF-8", "LC_ALL": "C"}, False),
            ({"LANG": "C.UTF-8", "LC_CTYPE": "de_AT.ISO-8859-1"}, False),
            ({"LANG": "C", "LC_CTYPE": "en_US.UTF-8", "LC_ALL": ""}, True),
            ({"LC_ALL": "de_AT.nothing"}, False),
        ):
            with self.subTest(variables):
                self.assertEqual(self.of(**variables), utf8)


if __name__ == "__main__":
    unittest.main()
