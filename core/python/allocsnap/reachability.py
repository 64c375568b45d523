"""What points to the blocks of a Snapshot, for its Python interface."""

from typing import List, NamedTuple, Optional, Union

from . import bulk
from .errors import AllocsnapError, ErrorCode
from .library import graph_types, graphs, leak_rules
from .library import rows as results
from .roots import Computed
from .suppressions import Suppressed, Suppressions

_MOST = 1000000


class Reference(NamedTuple):
    """A pointer from a place to a block, or from a block to another."""

    address: Optional[int]  # of the block that it is in, or leads to; None: it is in none
    name: Optional[str]  # of what it is in where that is no block: a register, a variable's file
    inside: bool  # it leads to the inside of a block, where no heuristic explains that


#: A Reference that is in no block, and the addresses of the blocks from there on.
Way = List[Union[Reference, int]]


class Retained(NamedTuple):
    """What the blocks of one place keep alive, beside what they hold themselves."""

    traceback: object
    size: int
    count: int  # type: ignore[assignment]  # as of a Statistic
    retained_size: int
    retained_count: int
    exact_size: Optional[int] = None  # of all its blocks together, where that was asked for
    exact_count: Optional[int] = None


def compute(session):
    """The library's snapshot of a session's program, with its graph."""
    computed = Computed(session, graphs.Options())
    computed.add_types()
    computed.add_owners()
    # Names are asked for when the program may be elsewhere.
    computed.calls_debugger = False
    computed.snapshot.computed = computed
    return computed.snapshot


def _computed(snapshot):
    if snapshot.computed is None:
        raise AllocsnapError(
            "this snapshot does not say what pointed to its blocks: take one with"
            " take_snapshot(graph=True)",
            ErrorCode.UNSUPPORTED,
        )
    return snapshot.computed


def _block(snapshot, address):
    computed = _computed(snapshot)
    block = computed.graph.find(address)
    if block is None:
        raise AllocsnapError("{:#x} is in no live traced block".format(address))
    return computed, block


def _suppressed(snapshot, kinds, rules):
    """The library's Suppressed of these classes; `rules`: Suppressions, or None for the
    built-in ones."""
    unknown = [kind for kind in kinds if kind not in graphs.CLASSES]
    if isinstance(kinds, str) or unknown:
        raise ValueError("kinds are of {}, not {!r}".format(", ".join(graphs.CLASSES), kinds))
    if not isinstance(rules, (Suppressions, type(None))):
        raise TypeError("suppressions are of Suppressions, not " + type(rules).__name__)
    computed = _computed(snapshot)
    rules = rules or Suppressions()
    return leak_rules.Suppressed(computed.calls, computed.graph, snapshot, rules._rules, kinds)


def selected(snapshot, kinds, rules):
    """The library's snapshot of the blocks of these classes that no rule is for."""
    return _suppressed(snapshot, kinds, rules).graph.select(snapshot, kinds)


def suppressed(snapshot, kinds, rules):
    """A list of Suppressed: the rules that are for blocks of these classes."""
    return [
        Suppressed(rule.rule, rule.file, rule.lineno, *amount)
        for rule, amount in _suppressed(snapshot, kinds, rules).by_rule
    ]


def filtered(snapshot, filters):
    """The library's snapshot of the traces that its filters keep, some of them by class."""
    return _computed(snapshot).graph.filter(snapshot, filters)


def check(snapshot):
    """Fails where the library's snapshot does not say the classes of its blocks."""
    _computed(snapshot)


def _reference(computed, reference):
    graph = computed.graph
    if reference.block == graph_types.NO_BLOCK:
        return Reference(None, computed.root_name(reference), reference.inside)
    return Reference(graph.block(reference.block).trace.address, None, reference.inside)


def references(snapshot, address):
    """The References of the block that holds an address to others."""
    computed, block = _block(snapshot, address)
    if not computed.graph.has_pointers:
        raise AllocsnapError(
            "a snapshot from a file, or named later, does not have the pointers that say what a block"
            " points to: ask in the paused process, or in its core",
            ErrorCode.UNSUPPORTED,
        )
    count = min(_MOST, computed.graph.block(block).reference_count)
    return [_reference(computed, one) for one in computed.graph.references(block, count)]


def referrers(snapshot, address):
    """The References to the block that holds an address, those in no block first."""
    computed, block = _block(snapshot, address)
    _, roots, blocks = computed.graph.referrers(block, 0)
    found, _, _ = computed.graph.referrers(block, min(_MOST, roots + blocks))
    return [_reference(computed, one) for one in found]


def paths(snapshot, address, limit):
    """Ways to the block that holds an address: lists of a Reference in no block, and the
    addresses of the blocks from there on."""
    computed, block = _block(snapshot, address)
    graph = computed.graph
    return [
        [_reference(computed, root)] + [graph.block(number).trace.address for number in way]
        for root, way in graph.paths(block, limit)
    ]


def retained(snapshot, key, exact):
    """A list of Retained, those first that retain most. `exact`: with what all blocks of a place
    together keep alive."""
    computed = _computed(snapshot)
    computed.graph.retain(computed.calls)
    rows = results.Statistics(snapshot, key)
    computed.graph.add_to(rows, snapshot, graph_types.BESIDE_RETAINED)
    if exact:
        computed.graph.add_exact(computed.calls, rows, snapshot, 0)
    return [
        Retained(traceback, size, count, *computed.graph.beside(rows, index))
        for index, (traceback, size, count) in enumerate(bulk.rows_of(rows, key))
    ]
