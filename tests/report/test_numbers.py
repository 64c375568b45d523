"""A page shows the numbers that the commands print."""

import json

from . import pages
from .page_case import KEYS, Page, expected_rows, name_of, shown_percent, shown_rows
from .pages import Maker


class Numbers(Page):
    """What is shown equals what the commands print as JSON."""

    def each_table(self):
        """(key, cumulative) of each table, which is shown then."""
        for key in KEYS:
            self.choose("table", key)
            for cumulative in (False, True):
                if self.browser.run("return document.querySelector('#table-cumulative').checked;") != cumulative:
                    self.browser.click("#table-cumulative")
                yield key, cumulative

    def test_tables(self):
        snapshot = pages.random_snapshot(1)
        self.open(snapshot)
        total = json.loads(pages.statistics(snapshot, "lineno"))["total"]
        shown = self.browser.data("#total")
        self.assertEqual((int(shown["size"]), int(shown["count"])), (total["size"], total["count"]))
        for key, cumulative in self.each_table():
            expected = expected_rows(key, pages.statistics(snapshot, key, cumulative))
            shown = shown_rows(key, self.browser.rows())
            self.assertEqual(sorted(shown, key=str), sorted(expected, key=str))
            sizes = [numbers["size"] for _, numbers in shown]
            self.assertEqual(sizes, sorted(sizes, reverse=True))
            if not cumulative:
                self.assertEqual(self.sum_of_table(), (total["size"], total["count"]))

    def test_bars(self):
        snapshot = pages.random_snapshot(2)
        self.open(snapshot)
        powers = {
            row["from"].bit_length(): (row["size"], row["count"])
            for row in json.loads(pages.statistics(snapshot, "size"))["statistics"]
        }
        self.assertEqual(self.bars("size"), powers)
        threads = {
            row["thread"] or 0: (row["size"], row["count"])
            for row in json.loads(pages.statistics(snapshot, "thread"))["statistics"]
        }
        self.assertEqual(self.bars("thread"), threads)
        ages = [
            (row["size"], row["count"])
            for row in json.loads(pages.statistics(snapshot, "age"))["statistics"]
        ]
        self.assertEqual(sorted(self.bars("age").values()), sorted(ages))
        labels = self.browser.run(
            "return [...document.querySelectorAll('#bars-age .bar-label')].map((one) => one.textContent);"
        )
        self.assertEqual(
            sorted(labels),
            sorted(row["label"] for row in json.loads(pages.statistics(snapshot, "age"))["statistics"]),
        )

    def test_differences(self):
        old, new = pages.random_snapshot(3), pages.random_snapshot(4, blocks=5000)
        self.open(new, old)
        for key, cumulative in self.each_table():
            expected = expected_rows(key, pages.difference(new, old, key, cumulative))
            shown = shown_rows(key, self.browser.rows())
            self.assertEqual(sorted(shown, key=str), sorted(expected, key=str))
            changes = [abs(numbers["size_diff"]) for _, numbers in shown]
            self.assertEqual(changes, sorted(changes, reverse=True))
        self.browser.click("#table-cumulative")
        total = json.loads(pages.difference(new, old, "lineno"))["total"]
        data = self.browser.data("#table-sum")
        self.assertEqual(int(data["sizeDiff"]), total["size_diff"])
        self.assertEqual(int(data["countDiff"]), total["count_diff"])

    def test_samples_are_estimates(self):
        """Rows, sums and differences of a sample are the commands' estimates."""
        whole = pages.random_snapshot(3)
        sample = pages.random_snapshot(4, sample_period=50000)
        for new, old in ((sample, None), (sample, whole), (whole, sample)):
            self.open(new, old)
            self.assertIn("Estimated", self.browser.text(".notes"))
            for key, cumulative in self.each_table():
                text = (
                    pages.difference(new, old, key, cumulative)
                    if old
                    else pages.statistics(new, key, cumulative)
                )
                shown = self.browser.rows()
                self.assertEqual(
                    sorted(shown_rows(key, shown), key=str), sorted(expected_rows(key, text), key=str)
                )
                if new is sample:
                    rows = {name_of(key, row): row["sampled_count"] for row in json.loads(text)["statistics"]}
                    self.assertEqual(sum(numbers["sampled"] for _, numbers in shown), sum(rows.values()))
            self.browser.click("#table-cumulative")
            total = json.loads(text)["total"]
            data = self.browser.data("#total")
            self.assertEqual((int(data["size"]), int(data["count"])), (total["size"], total["count"]))
            if new is sample:
                self.assertEqual(int(data["sampled"]), total["sampled_count"])
                share = 100 * total["error"] / total["size"]
                self.assertIn("±{}".format(shown_percent(share)), self.browser.text("#total"))

    def test_vanished_and_new(self):
        frame = (b"/s/a.c", b"kept", 1, False, b"/bin/x")
        gone = (b"/s/a.c", b"gone", 2, False, b"/bin/x")
        fresh = (b"/s/b.c", b"fresh", 3, False, b"/bin/x")
        first, second = Maker(), Maker()
        for maker, frames in ((first, (frame, gone)), (second, (frame, fresh))):
            for place, one in enumerate(frames):
                maker.block(100 * (place + 1), maker.stack([one]))
        self.open(second.finish(), first.finish())
        self.assertEqual(
            self.browser.rows(),
            [
                ("/s/b.c:3 in fresh", {"sizeDiff": 200, "size": 200, "countDiff": 1, "count": 1}),
                ("/s/a.c:2 in gone", {"sizeDiff": -200, "size": 0, "countDiff": -1, "count": 0}),
                ("/s/a.c:1 in kept", {"sizeDiff": 0, "size": 100, "countDiff": 0, "count": 1}),
            ],
        )
