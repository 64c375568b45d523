"""The page of a report in a real browser: what it shows, and that it shows what the commands do."""

import json
import os
import re
import tempfile
import unittest

from . import pages
from .browser import Browser
from .pages import Maker

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


def small_snapshot():
    """main calls parse, which has 3 blocks of 100 bytes, and store, which has one of 700; a thread
    of its own has one of 1000 in log."""
    maker = Maker()
    main = (b"/s/main.c", b"main", 10, False, b"/bin/server")
    parse = (b"/s/parse.c", b"parse", 20, False, b"/bin/server")
    store = (b"/s/store.c", b"store", 30, False, b"/lib/libstore.so")
    log = (b"/s/log.c", b"log", 40, False, b"/lib/liblog.so")
    for time in (0, 100, 5000):
        maker.block(100, maker.stack([parse, main]), thread=1, time=time)
    maker.block(700, maker.stack([store, parse, main]), thread=1, time=9000, domain=3)
    maker.block(1000, maker.stack([log]), thread=2, time=10000)
    return maker.finish(threads=[4711, 4712], start_time=1700000000 * 10**9, domains=[(3, b"pool")])


class Use(Page):
    """What a reader does with it."""

    def shown(self):
        """The names in the table."""
        return [name for name, _ in self.browser.rows()]

    def test_head(self):
        self.open(
            small_snapshot(),
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
        self.open(small_snapshot())
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
        self.open(small_snapshot())
        self.browser.click('#bars-thread [data-value="4711"]')
        self.browser.click('#bars-size [data-value="10"]')
        self.assertEqual(self.shown(), ["/s/store.c:30 in store"])
        self.browser.click('#bars-size [data-value="7"]', modifiers=["Shift"])
        self.assertEqual(self.shown(), ["/s/store.c:30 in store", "/s/parse.c:20 in parse"])
        self.browser.click(".clear")
        self.assertEqual(self.sum_of_table(), (2000, 5))

    def test_a_row_filters_too(self):
        self.open(small_snapshot())
        self.choose("table", "module")
        self.browser.click('#table tr[aria-rowindex="3"]')
        self.assertEqual(self.sum_of_table(), (700, 1))
        self.browser.click('#table tr[aria-rowindex="2"]')
        self.assertEqual(self.sum_of_table(), (2000, 5))

    def test_time_by_drag_and_keys(self):
        self.open(small_snapshot())
        self.browser.drag("svg.births", 0.8, 0.999)
        self.assertEqual(self.sum_of_table(), (1700, 2))
        self.browser.run("document.querySelector('svg.births').focus();")
        self.browser.press("Escape")
        self.assertEqual(self.sum_of_table(), (2000, 5))
        # From the first step: the next one, and back to the first and it.
        self.browser.press("ArrowRight", "Shift+ArrowLeft", "Enter")
        self.assertEqual(self.sum_of_table(), (200, 2))

    def test_search_marks_and_tells_the_share(self):
        self.open(small_snapshot())
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
        self.open(small_snapshot())
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
        self.open(small_snapshot())
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
        self.open(small_snapshot())
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
        self.open(small_snapshot())
        self.browser.run("document.querySelector('#table tr[aria-rowindex=\"2\"]').focus();")
        self.browser.press("ArrowDown", "Enter")
        self.assertEqual(self.shown(), ["/s/store.c:30 in store"])

    def test_treemap_opens_and_filters(self):
        self.open(small_snapshot())
        self.browser.run("document.querySelector('.treemap canvas').focus();")
        self.browser.press("ArrowRight", "Enter")
        crumbs = self.browser.text(".crumbs")
        self.assertEqual(crumbs, "All modulesliblog.so")
        self.browser.press("Escape", "ArrowRight", "f")
        self.assertEqual(self.shown(), ["/s/log.c:40 in log"])

    def test_blocks_in_place_of_bytes(self):
        self.open(small_snapshot())
        self.browser.click('.toolbar [data-value="count"]')
        self.browser.fill("#search", "parse")
        self.assertEqual(self.browser.text("#flame-matched"), "found: 80% (1000 B)")


class Looks(Page):
    """At any width and in both schemes all is there, and nothing is wider than the window."""

    def test_widths_and_schemes(self):
        snapshot, old = pages.random_snapshot(6), pages.random_snapshot(7)
        for width in (400, 1280):
            for scheme in ("light", "dark"):
                for other in (None, old):
                    with self.subTest(width=width, scheme=scheme, diff=other is not None):
                        self.open(snapshot, other, width=width, scheme=scheme)
                        self.assertEqual(
                            self.browser.run("return document.documentElement.scrollWidth;"), width
                        )
                        self.assertEqual(
                            self.browser.run(
                                "return getComputedStyle(document.documentElement).getPropertyValue('--scheme').trim();"
                            ),
                            scheme,
                        )
                        self.assertEqual(self.blank_canvases(), 0)

    def blank_canvases(self):
        """How many canvases have one colour only."""
        return self.browser.run(
            """
            return [...document.querySelectorAll("canvas")].filter((canvas) => {
                const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
                const words = new Uint32Array(data.buffer);
                return words.every((word) => word === words[0]);
            }).length;
            """
        )

    def test_the_scheme_can_be_chosen(self):
        self.open(small_snapshot(), scheme="light")
        script = "return getComputedStyle(document.body).backgroundColor;"
        light = self.browser.run(script)
        self.browser.click('.toolbar [data-value="dark"]')
        self.assertNotEqual(self.browser.run(script), light)
        self.browser.click('.toolbar [data-value="light"]')
        self.assertEqual(self.browser.run(script), light)

    def test_prints(self):
        self.open(small_snapshot())
        self.assertGreater(self.browser.print_pages(), 10000)

    def test_keyboard_reaches_everything(self):
        self.open(small_snapshot())
        self.browser.run("document.body.focus();")
        reached = set()
        for _ in range(60):
            self.browser.press("Tab")
            reached.add(
                self.browser.run(
                    "return document.activeElement.closest('section, .toolbar')?.id || document.activeElement.closest('.toolbar')?.className;"
                )
            )
        self.assertLessEqual(
            {"toolbar", "births", "bars-thread", "bars-size", "flame", "table", "treemap"}, reached
        )


class Hostile(Page):
    """Names with anything in them are text, and stay what they are."""

    NAMES = [
        b"</script><script>document.title='owned'</script>",
        b"<img src=x onerror=\"document.title='owned'\">",
        b"\"'`><!--<svg onload=alert(1)>-->",
        b"a\nb\r\tc\x00"[:-1],
        b"bell\x07 escape\x1b[31m",
        b"\xe2\x80\xae\xe2\x80\x8b right to left, no width",
        b"not \xff\xfe utf-8 \xc3",
        b"${document.title='owned'} {{1+1}} %s %n \\x41 \\",
        b"__proto__",
        b"constructor",
        b"toString",
        b"a" * 5000,
        "π 名前 🎉".encode(),
        b"&lt;&amp;&#60;script&#62;",
        b" ",
    ]

    def test_names(self):
        maker = Maker()
        for place, name in enumerate(self.NAMES):
            frame = (b"/s/" + name, name, place + 1, False, b"/lib/" + name)
            maker.block(100 + place, maker.stack([frame]), thread=1, time=place, domain=place)
        domains = list(enumerate(self.NAMES))
        snapshot = maker.finish(threads=[1], start_time=1, domains=domains, notes=self.NAMES)
        facts = [(name, name, False) for name in self.NAMES] + [(b"program", self.NAMES[0], False)]
        self.open(snapshot, facts=facts, labels={1: self.NAMES[1]})
        for key in KEYS:
            self.choose("table", key)
            with self.subTest(key):
                expected = []
                for row in json.loads(pages.statistics(snapshot, key))["statistics"]:
                    expected.append((row["size"], row["count"]))
                shown = [(numbers["size"], numbers["count"]) for _, numbers in self.browser.rows()]
                self.assertEqual(shown, expected)
        self.choose("table", "function")
        names = {name.partition(" in /s/")[0] for name, _ in self.browser.rows()}
        self.assertLessEqual(
            {
                "</script><script>document.title='owned'</script>",
                "a\\x0ab\\x0d\\x09c",
                "bell\\x07 escape\\x1b[31m",
                "\\xe2\\x80\\xae\\xe2\\x80\\x8b right to left, no width",
                "not \\xff\\xfe utf-8 \\xc3",
                "__proto__",
                "π 名前 🎉",
            },
            names,
        )
        self.browser.fill("#search", "<img src=x")
        self.assertTrue(self.browser.text("#flame-matched").startswith("found: "))
        self.browser.fill("#search", "名前")
        self.assertNotIn("found: 0%", self.browser.text("#flame-matched"))
        self.browser.hover(CANVAS, x=30, y=28)
        self.browser.click(CANVAS, x=30, y=28)
        self.assertTrue(self.browser.run("return document.title;").endswith(": what holds the memory"))
        self.assertEqual(self.browser.run("return document.querySelectorAll('img, iframe, object').length;"), 0)

    def test_scripts_of_others_do_not_run(self):
        """Were a name to become markup, the page's policy would stop it."""
        self.open(small_snapshot())
        self.browser.run(
            """
            const script = document.createElement("script");
            script.textContent = "document.title = 'owned'";
            document.body.append(script);
            """
        )
        self.assertNotEqual(self.browser.run("return document.title;"), "owned")
        self.assertTrue(any("Content Security Policy" in line for line in self.browser.said()["errors"]))
        self.browser.open(os.path.join(self.directory, "report.html"))

    def test_damaged_data_is_told(self):
        path = os.path.join(self.directory, "damaged.html")
        pages.write(path, small_snapshot())
        with open(path, encoding="utf-8") as file:
            page = file.read()
        start = page.index('id="allocsnap-data">\n') + len('id="allocsnap-data">\n')
        for damaged in (
            page[:start] + page[start + 400 :],
            page[: start + 200] + "!!!" + page[start + 203 :],
            page[: start + 40] + page[page.index("</script>", start) :],
            page[:start] + page[page.index("</script>", start) :],
        ):
            with open(path, "w", encoding="utf-8") as file:
                file.write(damaged)
            self.browser.open(path)
            self.assertIn("cannot be shown", self.browser.text("#message"))
