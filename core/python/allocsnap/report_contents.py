"""What a report says of a snapshot beside its blocks: what keeps most alive, and what holds that."""

from .errors import AllocsnapError, ErrorCode

#: So many of the blocks that keep most alive are looked for from the roots on.
_WAYS = 10


def retained(computed):
    """The Graph of a roots.Computed or KeptGraph after its `retain`; None: it cannot be known."""
    if computed is None or computed.snapshot.sample_period:
        return None
    try:
        computed.graph.retain(computed.calls)
    except AllocsnapError as error:
        if error.code != ErrorCode.UNSUPPORTED:
            raise
        return None
    return computed.graph


def ways(computed):
    """[(what a root is called, numbers of the blocks from there on)] to the blocks that keep most
    alive, of a graph that `retained` has returned."""
    if not computed.graph.has_pointers:
        return []
    found = []
    for block in computed.graph.top(_WAYS):
        for root, way in computed.graph.paths(block, 1):
            found.append((computed.root_name(computed.best_root(root, way[0])), way))
    return found
