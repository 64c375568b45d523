"""What a reader does with a page."""

import os
import re

from . import pages
from .page_case import CANVAS, Page
from .pages import Maker


class Use(Page):
    """What a reader does with it."""

    def shown(self):
        """The names in the table."""
        return [name for name, _ in self.browser.rows()]

    def test_head(self):
        self.open(
            pages.small_snapshot(),
            facts=[(b"program", b"server", False), (b"origin", b"core of process 4711", False), (b"peak", b"4000", False)],
        )
        self.assertEqual(self.browser.text("h1"), "server")
        head = self.browser.text("header")
        for text in ("core of process 4711", "2000 B", "5 blocks", "now 50% of it", "2023-11-14 22:15:00 UTC"):
            self.assertIn(text, head)
        self.assertIsNone(self.browser.text(".notes"))
        self.assertEqual(self.browser.run("return document.title;"), "server: what holds the memory")

    def test_what_is_missing_is_told(self):
        self.open(pages.random_snapshot(5))
        self.assertIn("7 blocks were dropped", self.browser.text(".notes"))

    def test_one_click_filters_everything(self):
        self.open(pages.small_snapshot())
        for selector, names in (
            ('#bars-thread [data-value="4712"]', ["/s/log.c:40 in log"]),
            ('#bars-domain [data-value="3"]', ["/s/store.c:30 in store"]),
            ('#bars-size [data-value="7"]', ["/s/parse.c:20 in parse"]),
        ):
            with self.subTest(selector):
                self.browser.click(selector)
                self.assertEqual(self.shown(), names)
                # The chart filtered by shows the others as well, the rest of the page does not.
                self.assertEqual(len(self.bars("thread")), 2 if "thread" in selector else 1)
                self.assertEqual(self.flame_root(), self.sum_of_table()[0])
                self.browser.click(".chip")
                self.assertEqual(len(self.shown()), 3)

    def flame_root(self):
        """How many bytes the flame graph says that there are in all."""
        self.browser.run("document.querySelector(argument).focus();", CANVAS)
        self.browser.press("Home")
        text = self.browser.text("#flame-said")
        return int(re.search(r"(\d+) B in", text).group(1))

    def test_filters_go_together(self):
        self.open(pages.small_snapshot())
        self.browser.click('#bars-thread [data-value="4711"]')
        self.browser.click('#bars-size [data-value="10"]')
        self.assertEqual(self.shown(), ["/s/store.c:30 in store"])
        self.browser.click('#bars-size [data-value="7"]', modifiers=["Shift"])
        self.assertEqual(self.shown(), ["/s/store.c:30 in store", "/s/parse.c:20 in parse"])
        self.browser.click(".clear")
        self.assertEqual(self.sum_of_table(), (2000, 5))

    def test_a_row_filters_too(self):
        self.open(pages.small_snapshot())
        self.choose("table", "module")
        self.browser.click('#table tr[aria-rowindex="3"]')
        self.assertEqual(self.sum_of_table(), (700, 1))
        self.browser.click('#table tr[aria-rowindex="2"]')
        self.assertEqual(self.sum_of_table(), (2000, 5))

    def test_time_by_drag_and_keys(self):
        self.open(pages.small_snapshot())
        self.browser.drag("svg.births", 0.8, 0.999)
        self.assertEqual(self.sum_of_table(), (1700, 2))
        self.browser.run("document.querySelector('svg.births').focus();")
        self.browser.press("Escape")
        self.assertEqual(self.sum_of_table(), (2000, 5))
        # From the first step: the next one, and back to the first and it.
        self.browser.press("ArrowRight", "Shift+ArrowLeft", "Enter")
        self.assertEqual(self.sum_of_table(), (200, 2))

    def test_search_marks_and_tells_the_share(self):
        self.open(pages.small_snapshot())
        self.browser.press("/")
        self.assertEqual(self.browser.run("return document.activeElement.id;"), "search")
        self.browser.fill("#search", "PARSE")
        self.assertEqual(self.browser.text("#flame-matched"), "found: 50% (1000 B)")
        self.browser.fill("#search", "store.c:30")
        self.assertEqual(self.browser.text("#flame-matched"), "found: 35% (700 B)")
        self.browser.click("text=Only these")
        self.assertEqual(self.shown(), ["/s/store.c:30 in store"])
        self.browser.fill("#search", "no such thing")
        self.assertEqual(self.browser.text("#flame-matched"), "found: 0% (0 B)")

    def test_zoom_by_click_and_keys(self):
        self.open(pages.small_snapshot())
        # main is the left half of the second row, below all.
        self.browser.click(CANVAS, x=100, y=28)
        self.assertEqual(self.browser.text("#details .function"), "main")
        self.assertFalse(self.browser.run("return document.querySelector('#flame .controls button').disabled;"))
        self.browser.press("ArrowDown", "Enter")
        self.assertEqual(self.browser.text("#details .function"), "parse")
        self.assertIn("parse.c", self.browser.text("#flame-said"))
        self.browser.press("ArrowDown")
        self.assertEqual(self.browser.text("#details .function"), "store")
        self.browser.press("Home", "Enter", "ArrowDown", "ArrowRight")
        self.assertEqual(self.browser.text("#details .function"), "log")
        self.assertTrue(
            self.browser.run("return document.querySelector('#flame .controls button').disabled;")
        )

    def test_recursion_counts_once(self):
        maker = Maker()
        again = (b"/s/a.c", b"again", 5, False, b"/bin/x")
        maker.block(100, maker.stack([again, again, again]))
        self.open(maker.finish())
        self.browser.click(CANVAS, x=100, y=28)
        self.assertIn("in stacks through this line: 100 B in 1 block, 100%", self.browser.text("#details"))

    def test_who_calls(self):
        self.open(pages.small_snapshot())
        self.choose("flame", "up")
        self.browser.run("document.querySelector(argument).focus();", CANVAS)
        names = []
        self.browser.press("Home", "ArrowDown")
        for keys in (["ArrowRight"], ["ArrowDown"], ["ArrowDown"]):
            self.browser.press(*keys)
            names.append(self.browser.text("#details .function"))
        self.assertEqual(names, ["store", "parse", "main"])

    def test_tips_have_whole_names_and_source(self):
        source = os.path.join(self.directory, "source.cc")
        with open(source, "w", encoding="utf-8") as file:
            file.write("".join("line {} of <script>\n".format(number) for number in range(1, 12)))
        maker = Maker()
        name = b"Cache<std::pair<int, long> >::put(std::vector<int> const&)"
        maker.block(10, maker.stack([(source.encode(), name, 5, False, b"/bin/x")]))
        snapshot = maker.finish()
        self.open(snapshot)
        self.choose("flame", "lineno")
        self.browser.hover(CANVAS, x=100, y=28)
        tip = self.browser.text(".tip")
        self.assertIn(name.decode(), tip)
        self.assertIn("line 5 of <script>", tip)
        self.browser.click(CANVAS, x=100, y=28)
        lines = self.browser.run(
            "return [...document.querySelectorAll('.source-line')].map((one) => one.textContent.trim());"
        )
        self.assertEqual(lines, ["{0}line {0} of <script>".format(number) for number in range(2, 9)])
        self.open(snapshot, source_lines=False)
        self.browser.click(CANVAS, x=100, y=28)
        self.assertIn("not in this report", self.browser.text("#details"))

    def test_sort_and_filter_of_rows(self):
        self.open(pages.small_snapshot())
        self.browser.click("#table th.count button")
        self.assertEqual(self.shown()[0], "/s/parse.c:20 in parse")
        self.browser.click("#table th.count button")
        self.assertEqual(self.shown()[-1], "/s/parse.c:20 in parse")
        self.browser.click("#table th.name button")
        self.assertEqual(self.shown(), ["/s/log.c:40 in log", "/s/parse.c:20 in parse", "/s/store.c:30 in store"])
        self.browser.fill("#table-filter", "libst")
        self.assertEqual(self.shown(), ["/s/store.c:30 in store"])
        self.assertEqual(self.sum_of_table(), (700, 1))

    def test_table_by_keys(self):
        self.open(pages.small_snapshot())
        self.browser.run("document.querySelector('#table tr[aria-rowindex=\"2\"]').focus();")
        self.browser.press("ArrowDown", "Enter")
        self.assertEqual(self.shown(), ["/s/store.c:30 in store"])

    def test_treemap_opens_and_filters(self):
        self.open(pages.small_snapshot())
        self.browser.run("document.querySelector('.treemap canvas').focus();")
        self.browser.press("ArrowRight", "Enter")
        crumbs = self.browser.text(".crumbs")
        self.assertEqual(crumbs, "All modulesliblog.so")
        self.browser.press("Escape", "ArrowRight", "f")
        self.assertEqual(self.shown(), ["/s/log.c:40 in log"])

    def test_blocks_in_place_of_bytes(self):
        self.open(pages.small_snapshot())
        self.browser.click('.toolbar [data-value="count"]')
        self.browser.fill("#search", "parse")
        self.assertEqual(self.browser.text("#flame-matched"), "found: 80% (1000 B)")
