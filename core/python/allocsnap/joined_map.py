"""The memory map of a process elsewhere, or of a core without one that can be read, where a debugger
tells the mappings and, apart from them, where it has loaded the parts of each file."""

from .target import Region


def _file_pieces(start, end, parts):
    """[(start, end, file offset, path)] of a mapping in which parts of files lie, as pages are
    mapped; without a path where that is of no file that is known."""
    pieces = []
    for first, last, offset, path, *_ in sorted(parts):
        if last <= start or end <= first:
            continue
        distance = offset - first
        if pieces and (pieces[-1][1], pieces[-1][2]) == (distance, path):
            continue
        # A mapping has one offset: only where LLDB has joined several there are others.
        begin = max(start, first - first % 4096) if pieces or start + distance < 0 else start
        if not pieces and begin > start:
            pieces.append((start, -start, ""))
        pieces.append((begin, distance, path))
    ends = [piece[0] for piece in pieces[1:]] + [end]
    return [
        (begin, finish, begin + distance, path)
        for (begin, distance, path), finish in zip(pieces, ends)
    ]


def joined_map(mappings, parts):
    """The Regions of a process, sorted: its mappings, each of the part of a file that is loaded
    there. Without mappings it is the parts."""
    regions = []
    for mapping in mappings:
        start, end, _, name, *flags = mapping
        # Of a file that is not loaded it is not known which part is mapped.
        name = "" if name.startswith("/") else name
        for piece in _file_pieces(start, end, parts) or [(start, end, 0, name)]:
            regions.append(Region(*piece, *flags))
    return sorted(regions or parts)
