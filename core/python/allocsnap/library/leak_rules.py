"""Suppressions: rules for blocks that are not to be shown as leaks."""

from ctypes import byref, c_uint64
from typing import NamedTuple, Optional

from . import graph_types, graphs, native
from .calls import Object
from .native import check, library


class Rule(NamedTuple):
    """A rule (asnap_suppression)."""

    rule: str  # as a file has it: "leak:PATTERN"; of a built-in one its name
    file: Optional[str]  # None: it is built in
    lineno: int
    what: Optional[str]  # the blocks of a built-in one are

    def __str__(self):
        if self.file is None:
            return "{} (built in: {})".format(self.rule, self.what)
        return "{} ({}:{})".format(self.rule, self.file, self.lineno)


class Suppressions(Object):
    """The rules of files, and the built-in ones. `paths`: in bytes."""

    destroy = "asnap_suppressions_destroy"

    def __init__(self, paths=(), builtin=True):
        super().__init__()
        check(library().asnap_suppressions_create(builtin, self.out))
        for path in paths:
            check(library().asnap_suppressions_read(self, path))

    @property
    def rules(self):
        """The Rules, by number; names in them are to be printed."""
        lib = library()
        found = []
        for number in range(lib.asnap_suppressions_count(self)):
            one = lib.asnap_suppressions_rule(self, number)
            rule, path = native.shown_name(one.rule), native.shown_name(one.path)
            if one.path is None:
                found.append(Rule(rule, None, 0, native.text_of(one.what)))
            else:
                found.append(Rule("leak:" + rule, path, one.line, None))
        return found


class Amount(NamedTuple):
    """Bytes and blocks."""

    size: int
    count: int  # type: ignore[assignment]


def _amount(function, *arguments):
    size, count = c_uint64(), c_uint64()
    function(*arguments, byref(size), byref(count))
    return Amount(size.value, count.value)


class Suppressed:
    """A graph whose blocks of some classes are left out where a rule is for them, and what these
    lead to. `graph`: the graphs.Graph without them."""

    def __init__(self, calls, graph, snapshot, rules, kinds):
        self._rules = rules
        # What only definite blocks lead to is told beside them.
        counted = set(kinds) | ({"indirect"} if "definite" in kinds else set())
        self._classes = _bits(counted)
        self.graph = graphs.Graph()
        calls.run(
            library().asnap_graph_suppress,
            graph,
            snapshot,
            rules,
            # What is reachable holds nothing that others do not: it counts where it is asked for.
            self._classes | _bits(name for name in graphs.CLASSES if name != "reachable"),
            calls.progress,
            self.graph.out,
        )

    @property
    def by_rule(self):
        """[(Rule, Amount)] of the rules that are for blocks."""
        found = [
            (rule, _amount(library().asnap_graph_held, self.graph, number, self._classes))
            for number, rule in enumerate(self._rules.rules)
        ]
        return [(rule, amount) for rule, amount in found if amount.count]

    @property
    def held(self):
        """The Amount of other blocks, which only the suppressed ones lead to."""
        return _amount(library().asnap_graph_released, self.graph, self._classes)


def _bits(classes):
    return sum(1 << graph_types.REACH[name] for name in classes)
