"""What owns the blocks of a graph: names of the roots that lead to them."""

from .library import graphs


def add(computed):
    """Tells the snapshot of a roots.Computed what owns its blocks."""
    found = graphs.Owners(computed.calls, computed.graph, computed.snapshot)
    found.name(_names(computed, found))


def _names(computed, found):
    """A name for each pointer that owns blocks. Tables have millions: what lies between two pointers
    in one variable is not asked for."""
    names = [None] * found.count
    known = {}

    def name_of(place):
        if place not in known:
            known[place] = computed.owner(found.roots[place])
        return known[place]

    spans = [(0, found.count - 1)] if found.count else []
    while spans:
        first, last = spans.pop()
        name, start = name_of(first)
        if name_of(last) == (name, start) and (start is not None or last == first):
            names[first : last + 1] = [name] * (last + 1 - first)
        elif last - first == 1:
            names[first : last + 1] = [name, name_of(last)[0]]
        else:
            middle = (first + last) // 2
            spans += [(first, middle), (middle + 1, last)]
    return names
