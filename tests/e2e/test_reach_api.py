"""The graph in the Python interface, inside debuggers."""

import os
import unittest

from . import debuggers, test_reach
from .debuggers import RUN, stop_at
from .harness import Case, program


class PythonApi(Case):
    """The graph in the Python interface, inside gdb."""

    def test_a_live_program(self):
        path = os.path.join(self.directory, "script.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(SCRIPT)
        lines = self.at_stop(["source " + path], "reach")["source " + path].splitlines()
        with open(test_reach.SOURCE, encoding="utf-8") as file:
            tags = {test_reach.TAG.search(line).group(2): n for n, line in enumerate(file, 1) if test_reach.TAG.search(line)}
        known = test_reach.expected()
        self.assertEqual(
            lines,
            [
                str(sorted(known["definite"].items())),
                str(sum(known["definite"].values()) + sum(known["indirect"].values())),
                "definite 20 1",
                "1700 21 None",
                "[(None, True, False)]",
                str([tags["another block"]]),
                "[1] True",
                "True",
                "this snapshot does not say what pointed to its blocks: take one with"
                " take_snapshot(graph=True)",
                "None",
            ],
        )

    def test_filters_by_class(self):
        path = os.path.join(self.directory, "filters.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(FILTERS)
        known = test_reach.expected()
        counts = [sum(known[kind].values()) for kind in ("definite", "indirect", "possible")]
        text = [
            str(counts),
            str([sum(counts[:2]), 0]),
            "True",
            str([counts[0], counts[0], counts[0]]),
            "this snapshot does not say what pointed to its blocks: take one with"
            " take_snapshot(graph=True)",
            "this snapshot does not say what pointed to its blocks: take one with"
            " take_snapshot(graph=True)",
        ]
        source = debuggers.Step("source " + path, "command script import " + path)
        with self.subTest("gdb"):
            results = self.at_stop([source.gdb], "reach")
            self.assertEqual(results[source.gdb].splitlines(), text)
        for debugger in debuggers.lldbs():
            with self.subTest(debugger.name):
                before = ["snapshot start 16", stop_at("stop_here"), RUN]
                results = debugger.run(self, before + [source], program("reach"))
                self.assertEqual(results[source].splitlines(), text)


FILTERS = """
import allocsnap
from allocsnap import DomainFilter, Filter, ReachFilter
snapshot = allocsnap.take_snapshot(graph=True)
def kept(*filters):
    return len(snapshot.filter_traces(filters).traces)
print([kept(ReachFilter(True, kind)) for kind in ("definite", "indirect", "possible")])
both = kept(ReachFilter(True, "definite"), ReachFilter(True, "indirect"))
print([both, kept(ReachFilter(True, "definite"), ReachFilter(False, "definite"))])
rest = [kept(ReachFilter(False, "definite")) + kept(ReachFilter(True, "definite"))]
rest += [kept(Filter(True, "*"), ReachFilter(True, "definite"))]
rest += [kept(DomainFilter(False, 0), ReachFilter(True, "definite")) + len(snapshot.traces)]
print(rest == [len(snapshot.traces)] * 3)
class Mine(allocsnap.BaseFilter):
    def _match(self, trace):
        return True
leaked = snapshot.filter_traces([ReachFilter(True, "definite")])
counts = [kept(ReachFilter(True, "definite"), Mine(False))]
counts += [sum(trace.reach == "definite" for trace in leaked.traces)]
counts += [sum(row.count for row in leaked.statistics("lineno"))]
print(counts)
plain = allocsnap.take_snapshot()
for filters in ([ReachFilter(True, "definite")], [ReachFilter(True, "definite"), Mine(True)]):
    try:
        plain.filter_traces(filters)
    except allocsnap.AllocsnapError as error:
        print(error)
"""

SCRIPT = """
import allocsnap, gdb
def value(text):
    return int(gdb.parse_and_eval("(unsigned long)" + text))
snapshot = allocsnap.take_snapshot(graph=True)
leaked = snapshot.leaks()
rows = leaked.statistics("lineno")
print(sorted((row.traceback[0].lineno, row.count) for row in rows))
print(len(snapshot.leaks(("definite", "indirect")).traces))
lost = [trace for trace in snapshot.traces if trace.size == 80][0]
below = [row for row in snapshot.retained("lineno") if row.size == 80][0]
print(lost.reach, below.retained_count - 1, below.count)
exact = [row for row in snapshot.retained("lineno", exact=True) if row.size == 80][0]
print(exact.exact_size, exact.exact_count, below.exact_size)
found = snapshot.referrers(value("in_bss"))
print([(one.address, "/reach at" in one.name, one.inside) for one in found])
def line(address):
    return allocsnap.get_object_traceback(address)[-1].lineno
print([line(one.address) for one in snapshot.references(value("in_bss"))])
paths = snapshot.paths(value("in_bss->next"), 5)
print([len(paths)], paths[0][1:] == [value("in_bss"), value("in_bss->next")])
print(all(trace.reach == "definite" for trace in leaked.traces))
plain = allocsnap.take_snapshot()
try:
    plain.leaks()
except allocsnap.AllocsnapError as error:
    print(error)
print(plain.traces[0].reach)
"""


if __name__ == "__main__":
    unittest.main()
