"""Names with anything in them, and damaged pages."""

import json
import os

from . import pages
from .page_case import CANVAS, KEYS, Page
from .pages import Maker


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
        self.open(pages.small_snapshot())
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
        pages.write(path, pages.small_snapshot())
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
