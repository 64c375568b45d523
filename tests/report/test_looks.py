"""A page at any width, in both schemes, on paper and by keyboard."""

from . import pages
from .page_case import Page


#: The theme, the rows of the table, and how light the flame graph is on the whole, from 0 to 1.
_PRINTED = """
    const canvas = document.querySelector(".flame canvas");
    const copy = Object.assign(document.createElement("canvas"), {width: canvas.width, height: canvas.height});
    const context = copy.getContext("2d", {willReadFrequently: true});
    context.drawImage(canvas, 0, 0);
    const {data} = context.getImageData(0, 0, copy.width, copy.height);
    let [light, drawn] = [0, 0];
    for (let i = 0; i < data.length; i += 4) {
        if (data[i + 3] === 0) continue;
        light += (data[i] + data[i + 1] + data[i + 2]) / 765;
        drawn++;
    }
    return {
        theme: document.documentElement.dataset.theme,
        rows: document.querySelectorAll("#table tbody tr[data-index]").length,
        light: light / drawn,
    };
"""


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
                        self.assertEqual(self.cut_labels(), [])

    def test_times_at_the_ends_of_the_axis(self):
        """However long the time is that the chart shows, what is written at its ends is whole."""
        for width in (400, 1280):
            for hundredths in (5, 6, 10, 50, 100, 999, 1000, 6000, 100000, 9999999):
                with self.subTest(width=width, hundredths=hundredths):
                    self.open(pages.of_times((1, hundredths)), width=width)
                    self.assertEqual(self.cut_labels(), [])

    def cut_labels(self):
        """Texts in the chart of times that its edges cut off."""
        return self.browser.run(
            """
            const chart = document.querySelector("svg.births").getBoundingClientRect();
            return [...document.querySelectorAll("svg.births text")].filter((text) => {
                const {left, right, width} = text.getBoundingClientRect();
                return !width || left < chart.left - 0.5 || right > chart.right + 0.5;
            }).map((text) => text.textContent);
            """
        )

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
        self.open(pages.small_snapshot(), scheme="light")
        script = "return getComputedStyle(document.body).backgroundColor;"
        light = self.browser.run(script)
        self.browser.click('.toolbar [data-value="dark"]')
        self.assertNotEqual(self.browser.run(script), light)
        self.browser.click('.toolbar [data-value="light"]')
        self.assertEqual(self.browser.run(script), light)

    def test_prints(self):
        """Light and with many rows, however it is on the screen; then it is as before."""
        self.open(pages.random_snapshot(8), scheme="dark")
        on_screen = self.printed()
        self.browser.run(
            "window.addEventListener('beforeprint', () => {{ window.printed = (() => {{ {} }})(); }});".format(_PRINTED)
        )
        self.assertGreater(self.browser.print_pages(), 10000)
        on_paper = self.browser.run("return window.printed;")
        self.assertEqual((on_screen["theme"], on_paper["theme"]), ("dark", "light"))
        self.assertEqual(on_paper["rows"], 60)
        self.assertLess(on_screen["light"], 0.5)
        self.assertGreater(on_paper["light"], 0.5)
        self.assertEqual(self.printed(), on_screen)

    def test_paper(self):
        """What is for use is left out, and nothing is in a box that scrolls."""
        self.open(pages.random_snapshot(8), scheme="dark")
        self.browser.media("print")
        self.assertEqual(
            self.browser.run(
                """
                const style = (selector) => getComputedStyle(document.querySelector(selector));
                return [style("body").backgroundColor, style("body").color, style(".toolbar").display,
                        style("#table .controls").display, style(".table-scroll").overflow];
                """
            ),
            ["rgb(255, 255, 255)", "rgb(29, 35, 48)", "none", "none", "visible"],
        )
        self.browser.media("screen")

    def printed(self):
        return self.browser.run(_PRINTED)

    def test_keyboard_reaches_everything(self):
        self.open(pages.small_snapshot())
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
