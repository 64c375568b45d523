"""Tests of a page in a real browser."""

import json
import os
import re
import tempfile
import unittest

from . import pages
from .browser import Browser

KEYS = ("lineno", "function", "filename", "module")

#: Where the boxes of the flame graph are, from left to right in each row.
CANVAS = ".flame canvas"


def name_of(key, row):
    """What the page calls a row of statistics, up to what it says beside that."""
    (frame,) = row["traceback"]
    if key == "module":
        return row["label"]
    if key == "function":
        return "{} in {}".format(row["label"], frame["filename"])
    if key == "filename" or frame["lineno"] == 0 and frame["function"] is None:
        return frame["filename"]
    if frame["lineno"]:
        return "{}:{}".format(frame["filename"], frame["lineno"])
    return "{} in {}".format(frame["function"], frame["filename"])


def expected_rows(key, text):
    """[(name, {column: number})] of what the commands print, in their order."""
    return [
        (name_of(key, row), {name: row[name] for name in ("size", "count", "size_diff", "count_diff") if name in row})
        for row in json.loads(text)["statistics"]
    ]


def shown_rows(key, rows):
    """The same of what the page shows."""
    columns = {"size": "size", "count": "count", "sizeDiff": "size_diff", "countDiff": "count_diff"}
    found = []
    for name, numbers in rows:
        if key == "lineno" and re.search(r":\d+ in ", name):
            name = name.partition(" in ")[0]
        found.append((name, {columns[column]: number for column, number in numbers.items() if column in columns}))
    return found


def shown_percent(share):
    """A share as the page writes it."""
    return "{:.1f}%".format(share) if share < 10 else "{:.0f}%".format(share)


class Page(unittest.TestCase):
    """A test with a browser."""

    seconds = 60

    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.directory = directory.name
        cls.browser = Browser(cls.directory)
        cls.addClassCleanup(cls.browser.close)

    def tearDown(self):
        """Whatever was done, nothing was loaded and nothing complained."""
        said = self.browser.said()
        self.assertEqual(said["errors"], [])
        self.assertEqual([url for url in said["requests"] if not url.startswith("file:")], [])
        self.assertEqual(len(said["requests"]), 1)

    def open(self, snapshot, old=None, **options):
        path = os.path.join(self.directory, "report.html")
        sizes = {name: options.pop(name) for name in ("width", "height", "scheme") if name in options}
        pages.write(path, snapshot, old, **options)
        self.browser.open(path, **sizes)

    def choose(self, section, value):
        self.browser.click('#{} [data-value="{}"]'.format(section, value))

    def sum_of_table(self):
        data = self.browser.data("#table-sum")
        return int(data["size"]), int(data["count"])

    def bars(self, dimension):
        """{value: (size, count)} of a list of bars."""
        script = """
            return [...document.querySelectorAll(`#bars-${argument} button[data-value]`)].map(
                ({dataset}) => [Number(dataset.value), [Number(dataset.size), Number(dataset.count)]]);
        """
        more = self.browser.run(
            "const more = document.querySelector(`#bars-${argument} .more`); more?.click(); return !!more;", dimension
        )
        found = {value: tuple(sums) for value, sums in self.browser.run(script, dimension)}
        if more:
            self.browser.click("#bars-{} .more".format(dimension))
        return found
