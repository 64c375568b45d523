"""A real Chromium that has a report open."""

import json
import os
import shutil
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("ALLOCSNAP_BUILD", os.path.join(ROOT, "build")))
MODULES = os.path.join(BUILD, "report-tools", "node_modules")
DRIVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "driver.mjs")

#: The rows of the table that are in the page, as [place, what they are called, {column: number}].
_ROWS = """
return [...document.querySelectorAll("#table tbody tr[data-index]")].map((row) => [
    Number(row.getAttribute("aria-rowindex")) - 2,
    row.querySelector("td.name").title,
    Object.fromEntries([...row.querySelectorAll("td[data-value]")].map(
        (cell) => [cell.className.split(" ")[1], Number(cell.dataset.value)])),
]);
"""


class Browser:
    """One Chromium with one page. `directory` is its home."""

    def __init__(self, directory):
        chromium = shutil.which("chromium")
        if chromium is None:
            raise AssertionError("chromium is missing: make deps installs it")
        self._node = subprocess.Popen(
            ["node", DRIVER, MODULES],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env=dict(os.environ, CHROMIUM=chromium, HOME=directory),
        )

    def close(self):
        self._node.stdin.close()
        self._node.wait(timeout=120)
        self._node.stdout.close()

    def _do(self, command, **options):
        self._node.stdin.write(json.dumps(dict(options, command=command)) + "\n")
        self._node.stdin.flush()
        answer = json.loads(self._node.stdout.readline())
        if "error" in answer:
            raise AssertionError("{} {}: {}".format(command, options, answer["error"]))
        return answer["result"]

    def open(self, path, **options):
        """Opens a file, and waits until all of it is shown."""
        self._do("open", path=path, **options)

    def said(self):
        """{"errors": of the console and of scripts, "requests": addresses}."""
        return self._do("said")

    def run(self, script, argument=None):
        """What a script in the page returns."""
        return self._do("run", script=script, argument=argument)

    def click(self, selector, **options):
        self._do("click", selector=selector, **options)

    def hover(self, selector, x, y):
        self._do("hover", selector=selector, x=x, y=y)

    def fill(self, selector, text):
        self._do("fill", selector=selector, text=text)

    def press(self, *keys):
        self._do("press", keys=keys)

    def drag(self, selector, start, end):
        """Drags over an element, from one share of its width to another."""
        self._do("drag", selector=selector, **{"from": start, "to": end})

    def screenshot(self, path, full=True):
        self._do("screenshot", path=path, full=full)

    def media(self, media):
        """Shows it as on "print" or "screen"."""
        self._do("media", media=media)

    def print_pages(self):
        """How many bytes the page has as PDF."""
        return self._do("print")

    def text(self, selector):
        """The text of the first element; None where there is none."""
        return self.run("return document.querySelector(argument)?.textContent ?? null;", selector)

    def data(self, selector):
        """The data attributes of the first element."""
        return self.run("return {...document.querySelector(argument).dataset};", selector)

    def rows(self):
        """All rows of the table in their order, as (name, {column: number}), however many."""
        count = int(self.data("#table-sum")["rows"])
        found = {}
        while len(found) < count:
            top = 30 * len(found)
            self.run("document.querySelector('.table-scroll').scrollTop = argument;", top)
            before = len(found)
            for place, name, numbers in self.run(_ROWS):
                found[place] = (name, numbers)
            if len(found) == before:
                raise AssertionError("no row after the first {} of {}".format(before, count))
        return [found[place] for place in range(count)]
