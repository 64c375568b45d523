"""Snapshots from files, or named later, with what is kept of the pointers between their blocks."""

from .library import graphs
from .library.calls import Calls


class KeptGraph:
    """What is known of the pointers between the blocks of a snapshot: a roots.Computed without the
    program."""

    def __init__(self, snapshot, graph):
        self.snapshot = snapshot
        self.graph = graph
        self.calls = Calls()


def symbolize(snapshot, calls, symbolizer):
    """The library's snapshot with better names, and what points to its blocks where that is known."""
    named = snapshot.symbolize(calls, symbolizer)
    if snapshot.computed is not None:
        named.computed = KeptGraph(named, snapshot.computed.graph.renamed(calls, snapshot, named))
    return named


def load(path):
    """The library's snapshot in a file; `path` in bytes."""
    snapshot, graph = graphs.load(path)
    if graph is not None:
        snapshot.computed = KeptGraph(snapshot, graph)
    return snapshot
