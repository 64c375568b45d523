"""What is shown of the arenas of CPython's own allocator of small blocks."""

from ..library.rows import format_size
from .command import plural


def _parts(arena):
    """(bytes in blocks in use, free ones, pools without blocks, what is left)."""
    unused = (arena.pools - arena.used_pools) * arena.pool_size
    rest = arena.size - arena.size_in_use - arena.size_free - unused
    return arena.size_in_use, arena.size_free, unused, rest


def as_object(arenas):
    """What JSON has."""
    return {
        "arenas": [
            {
                "address": one.address,
                "size": one.size,
                "pools": one.pools,
                "used_pools": one.used_pools,
                "blocks": one.blocks,
                **dict(zip(("in_use", "free", "unused", "heads"), _parts(one))),
            }
            for one in arenas.arenas
        ],
        "classes": [
            {
                "size": size,
                "pools": one.pools,
                "blocks": one.blocks,
                "free_blocks": one.free_blocks,
            }
            for size, one in arenas.classes
        ],
    }


def _table(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "".join(
        "  ".join(
            [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        )
        + "\n"
        for row in rows
    )


def text(arenas):
    """Lines, after an empty one."""
    listed = arenas.arenas
    total = [sum(column) for column in zip(*map(_parts, listed))]
    title = "\nPython's arenas: {}, {} of it in {} in use\n\n".format(
        format_size(sum(one.size for one in listed)),
        format_size(total[0]),
        plural(sum(one.blocks for one in listed), "block"),
    )
    rows = [["", "in use", "free", "unused", "heads"]]
    for one in listed:
        rows.append(["arena 0x{:x}".format(one.address)] + [format_size(part) for part in _parts(one)])
    if len(listed) > 1:
        rows.append(["total"] + [format_size(part) for part in total])
    return title + _table(rows)
