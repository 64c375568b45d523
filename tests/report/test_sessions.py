"""Reports of sessions: in each debugger, by the command line and in Python they say what the commands
print."""

import os

from e2e import debuggers
from e2e.debuggers import RUN, stop_at
from e2e.harness import BUILD, program
from e2e.test_sample import BEFORE
from e2e.typed import Typed

from .browser import Browser
from .page_data import PageData

REACH = ("unknown", "reachable", "possible", "indirect", "definite")
KINDS = ("definite", "indirect", "possible", "reachable")
LEAKS = {kind: "snapshot leaks heap --json --kinds " + kind for kind in KINDS}
TOP = "snapshot retained heap --top -n 100 --json"
LINES = "snapshot retained heap -n 100 --json"


def wide(numbers, at):
    return numbers[at] | numbers[at + 1] << 32


class Read(PageData):
    """What a page has of its snapshot."""

    def facts(self, side=0):
        """{name: value}."""
        texts, numbers = self.texts(), self.sections["fact"]
        return {
            texts[numbers[at + 1]]: texts[numbers[at + 2]]
            for at in range(0, len(numbers), 3)
            if numbers[at] == side
        }

    def sums(self, column, side=0):
        """{value of a column of its groups: (bytes, blocks)}."""
        section = self.sections
        found = {}
        for place, group in enumerate(section["cegr"]):
            of_group = section["grou"][6 * group : 6 * group + 6]
            if of_group[0] != side:
                continue
            size, count = found.get(of_group[column], (0, 0))
            size += section["cesi"][place] | section["cesh"][place] << 32
            found[of_group[column]] = size, count + section["ceco"][place]
        return found

    def reach(self):
        """{class: (bytes, blocks)}."""
        return {REACH[number]: sums for number, sums in self.sums(3).items()}

    def keepers(self):
        """[(address, bytes, class, bytes and blocks kept alive)]."""
        numbers = self.sections["grke"]
        return [
            (wide(numbers, at + 1), wide(numbers, at + 3), REACH[numbers[at + 5]], wide(numbers, at + 6),
             wide(numbers, at + 8))
            for at in range(0, len(numbers), 10)
        ]  # fmt: skip

    def lines(self):
        """[(file, line, bytes, blocks, bytes and blocks kept alive)]."""
        texts, section = self.texts(), self.sections
        numbers = section["grli"]
        found = []
        for at in range(0, len(numbers), 9):
            frame = numbers[at]
            sums = [wide(numbers, at + 1 + 2 * which) for which in range(4)]
            found.append((texts[section["frfi"][frame]], section["frli"][frame], *sums))
        return found

    def ways(self):
        """{address of a block: (name of the root, [addresses from there on])}."""
        texts, numbers = self.texts(), self.sections["grwa"]
        found = {}
        at = 0
        while at < len(numbers):
            root, count = texts[numbers[at]], numbers[at + 1]
            blocks = [wide(numbers, at + 3 + 6 * place) for place in range(count)]
            found[blocks[-1]] = root, blocks
            at += 2 + 6 * count
        return found

    def leak(self):
        """(bytes, blocks, [addresses of those shown])."""
        numbers = self.sections["grle"]
        return wide(numbers, 0), wide(numbers, 2), [wide(numbers, at + 2) for at in range(4, len(numbers), 7)]


class Sessions(Typed):
    seconds = 60

    def path(self, name):
        return os.path.join(self.directory, name)

    def check_graph(self, results, page):
        """A page says of leaks and of what keeps alive what the commands do."""
        total = 0
        for kind in KINDS[:3]:
            wanted = results.json(LEAKS[kind])["total"]
            self.assertEqual(page.reach().get(kind, (0, 0)), (wanted["size"], wanted["count"]), kind)
            total += wanted["count"]
        self.assertGreater(total, 3)
        self.assertEqual(
            page.keepers(),
            [
                (one["address"], one["size"], page_class, one["retained_size"], one["retained_count"])
                for one, (_, _, page_class, _, _) in zip(results.json(TOP)["blocks"], page.keepers())
            ],
        )
        self.assertEqual(
            page.lines(),
            [
                (one["traceback"][0]["filename"], one["traceback"][0]["lineno"], one["size"], one["count"],
                 one["retained_size"], one["retained_count"])
                for one in results.json(LINES)["statistics"]
            ],
        )  # fmt: skip
        size, count, shown = page.leak()
        rows = results.json(LEAKS["definite"])["statistics"]
        self.assertGreaterEqual(count, len(shown))
        self.assertLessEqual(size, sum(row["size"] + row["indirect_size"] for row in rows))

    def check_ways(self, results, page):
        """They are those of `path`."""
        self.assertGreater(len(page.ways()), 2)
        for address, (root, blocks) in page.ways().items():
            found = results.json("snapshot path --json {:#x}".format(address))["paths"][0]
            self.assertEqual((root, blocks), (found["root"], [one["address"] for one in found["blocks"]]))

    def test_in_each_debugger(self):
        before = ["snapshot start", stop_at("stop_here"), RUN, "snapshot take --graph heap"]
        commands = [*LEAKS.values(), TOP, LINES, "snapshot stats type heap --json"]
        for debugger in debuggers.every():
            with self.subTest(debugger.name):
                name = debugger.name + ".html"
                exports = ["snapshot export heap " + name, "snapshot export now --graph now_" + name,
                           "snapshot export now plain_" + name, "snapshot export heap now two_" + name]
                results = debugger.run(self, before + exports + commands, program("reach"))
                self.assertIn(name + ": ", results[exports[0]])
                page = Read(self.path(name))
                self.check_graph(results, page)
                self.check_graph(results, Read(self.path("now_" + name)))
                facts = page.facts()
                self.assertEqual(facts["program"], program("reach"))
                self.assertRegex(facts["origin"], r"\Aprocess \d+\Z")
                self.assertGreater(int(facts["peak"]), 1000)
                self.assertRegex(facts["build"], r"\A[0-9a-f]{40}\Z")
                plain = Read(self.path("plain_" + name))
                self.assertNotIn("grke", plain.sections)
                types = {
                    row["label"]: (row["size"], row["count"])
                    for row in results.json("snapshot stats type heap --json")["statistics"]
                }
                texts = plain.texts()
                shown = {texts[number]: sums for number, sums in plain.sums(4).items() if number}
                self.assertGreater(len(shown), 0)
                self.assertEqual(shown, {label: types[label] for label in shown})
                both = Read(self.path("two_" + name))
                self.assertEqual(both.sums(0, 0)[0], both.sums(0, 1)[1])

    def test_ways_are_those_of_path(self):
        core = self.path("core")
        self.at_stop(["generate-core-file " + core], "reach")
        self.batch(["snapshot export now --graph now.html"], program("reach"), core)
        page = Read(self.path("now.html"))
        asked = ["snapshot path --json {:#x}".format(address) for address in page.ways()]
        self.check_ways(self.batch(asked, program("reach"), core), page)

    def test_of_files(self):
        """The command line, of a core and of dumps; Python, of a dump."""
        core = self.path("core")
        self.at_stop(
            ["generate-core-file " + core, "snapshot take --graph heap", "snapshot dump heap heap.dump",
             "snapshot export heap gdb.html"],
            "reach",
        )  # fmt: skip
        self.told("-c", core, program("reach"), "export", "now", "core.html", "--graph")
        self.told("heap.dump", "export", "1", "dump.html")
        self.told("heap.dump", "heap.dump", "export", "1", "2", "both.html")
        script = "import allocsnap; allocsnap.Snapshot.load('heap.dump').export('api.html', source=False)"
        self.batch(["python " + script])
        wanted = Read(self.path("gdb.html"))
        for name in ("core.html", "dump.html", "api.html"):
            with self.subTest(name):
                page = Read(self.path(name))
                for of_page in (Read.reach, Read.keepers, Read.lines, Read.leak):
                    self.assertEqual(of_page(page), of_page(wanted))
                self.assertEqual(page.facts()["program"], program("reach"))
                self.assertEqual("srcs" in page.sections, name != "api.html")
        self.assertRegex(Read(self.path("core.html")).facts()["origin"], r"\Acore ")
        facts = Read(self.path("both.html")).facts(1)
        self.assertRegex(facts["origin"], r"\Afile .*heap.dump, of process \d+\Z")
        self.assertEqual(facts["peak"], wanted.facts()["peak"])

    def test_filters_and_leaked(self):
        commands = ["snapshot stats heap --json --include *.cc", "snapshot stats heap --json --leaked"]
        results = self.at_stop(
            ["snapshot take --graph heap", "snapshot export heap --include *.cc part.html",
             "snapshot export heap --leaked leaked.html", *commands],
            "reach",
        )  # fmt: skip
        for name, command in zip(("part.html", "leaked.html"), commands):
            page = Read(self.path(name))
            total = results.json(command)["total"]
            self.assertEqual(page.sums(0), {0: (total["size"], total["count"])})
        self.assertRegex(Read(self.path("part.html")).facts()["filtered from"], r"\A[\d.]+ \w+ in \d+ blocks\Z")
        self.assertEqual(list(Read(self.path("leaked.html")).reach()), ["definite"])

    def test_samples(self):
        stats = "snapshot stats heap --json"
        results = self.batch(
            BEFORE + ["run", "snapshot take --graph heap", stats, "snapshot export heap heap.html"], program("sampled")
        )
        page = Read(self.path("heap.html"))
        total = results.json(stats)["total"]
        self.assertIn("warning: this is a sample", results["snapshot export heap heap.html"])
        sizes = [low | high << 32 for low, high in zip(page.sections["cesi"], page.sections["cesh"])]
        self.assertEqual(sum(sizes), total["size"])
        self.assertEqual(sum(page.sections["ceco"]), total["sampled_count"])
        self.assertEqual(page.sections["grke"], ())

    def test_in_a_browser(self):
        """What was exported opens, and has the parts that come with the graph."""
        self.at_stop(["snapshot take --graph heap", "snapshot export heap heap.html"], "reach")
        browser = Browser(self.directory)
        self.addCleanup(browser.close)
        browser.open(self.path("heap.html"))
        self.assertEqual(browser.text("h1"), "reach")
        page = Read(self.path("heap.html"))
        bars = browser.run(
            "return [...document.querySelectorAll('#bars-reach button[data-value]')].map(({dataset}) =>"
            " [Number(dataset.value), [Number(dataset.size), Number(dataset.count)]]);"
        )
        self.assertEqual({REACH[value]: tuple(sums) for value, sums in bars}, page.reach())
        self.assertIn("in {} block".format(page.leak()[1]), browser.text("#largest-leak h2"))
        rows = browser.run("return document.querySelectorAll('#retained-blocks tbody tr').length;")
        self.assertEqual(rows, len(page.keepers()))
        self.assertEqual(len(browser.said()["requests"]), 1)
        self.assertEqual(browser.said()["errors"], [])

    def test_without_the_page(self):
        """One line says what is missing, and there is no file."""
        library = self.path("build")
        os.mkdir(library)
        for name in ("liballocsnap.so", "liballocsnap-hooks.so"):
            os.symlink(os.path.join(BUILD, name), os.path.join(library, name))
        self.at_stop(["snapshot take heap", "snapshot dump heap heap.dump"], "holds")
        said = self.refused(
            1, "heap.dump", "export", "1", "x.html", env={"ALLOCSNAP_LIBRARY": os.path.join(library, "liballocsnap.so")}
        )
        self.assertIn("install npm, then `make report`", said)
        self.assertFalse(os.path.exists(self.path("x.html")))

