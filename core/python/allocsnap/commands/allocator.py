"""The command that shows what the program's allocator has, block by block."""

import json

from ..library import heaps
from ..library import rows as results
from . import python_arenas
from .command import Command, plural

_KINDS = ("main arena", "arena", "large blocks")
# What is in no chunk: an arena's own structure, memory before the first chunk.
_REST = "rest"
_COLUMNS = heaps.USES + (_REST,)


class Heap(Command):
    """heap"""

    name = "heap"
    summary = "Show what the allocator has: blocks in use, free ones, caches, for each arena and size."
    details = (
        "Reads glibc's own structures, with hooks and without. Bytes are those of chunks: a block\n"
        "that is in use takes 8 more than the program may write, of a mapping of its own 16.\n"
        "`live` is in use; `free` in bins of an arena; `cached` and `fast` are free in the caches of\n"
        "threads and in fast bins; `top` is the end of an arena that no block has had; `own` the\n"
        "allocator's; `lost` is being changed or damaged; `rest` is memory without chunks.\n\n"
        "Of a process the kernel's page map says what of this is resident. Where the hooks know\n"
        "what was asked for, so much is told that is lost to rounding, headers included.\n\n"
        "Where the program has CPython, its arenas follow: `in use` are blocks of objects, `free`\n"
        "other blocks of pools that have any in use, `unused` pools without, and `heads` the rest."
    )

    def arguments(self, parser):
        parser.add_argument("--json", action="store_true", help="one JSON object on one line")

    def run(self, session, options):
        read = session.read_allocator()
        found, parts = read.resident, None
        if found is not None and read.absent is not None:
            parts = _resident_parts(read.heap, read.absent)
        notes = list(read.heap.notes) + [one.note for one in read.pythons if one.note is not None]
        if read.other is not None:
            notes.insert(
                0,
                "the program's blocks are those of {}: what is shown is what glibc's own functions"
                " have".format(read.other),
            )
        if options.json:
            return json.dumps(_object(read, found, parts, notes)) + "\n"
        text = "".join("warning: {}\n".format(note) for note in notes) + _text(read, found, parts)
        return text + "".join(python_arenas.text(one) for one in read.pythons)


def _resident_parts(heap, absent):
    """{use: bytes of its chunks that are resident}."""
    sizes = dict.fromkeys(heaps.USES, 0)
    for area in heap.areas:
        for use, one in zip(heaps.USES, area.sums):
            sizes[use] += one.size
    missing = heap.within(absent)
    return {use: sizes[use] - missing[use] for use in heaps.USES}


def _rest(area):
    return area.size - sum(one.size for one in area.sums)


def _by_use(sums):
    return {use: {"size": one.size, "count": one.count} for use, one in zip(heaps.USES, sums)}


def _object(read, found, parts, notes):
    """What JSON has."""
    heap = read.heap
    areas = [
        {
            "kind": _KINDS[area.kind],
            "address": area.address,
            "size": area.size,
            "busy": area.is_busy,
            "rest": _rest(area),
            "chunks": _by_use(area.sums),
        }
        for area in heap.areas
    ]
    return {
        "size": sum(area.size for area in heap.areas),
        "areas": areas,
        "classes": [
            {"least": 1 << number, "chunks": _by_use(sums)} for number, sums in heap.classes
        ],
        "python": [python_arenas.as_object(one) for one in read.pythons],
        "resident": None if found is None else dict(found._asdict(), chunks=parts),
        "rounding": None
        if read.rounding is None
        else {"size": read.rounding.size, "count": read.rounding.count},
        "notes": notes,
    }


def _table(title, rows):
    """Lines of a table, behind an empty one: (name, numbers of bytes) each, and those of columns that have
    any. Nothing where there are none."""
    if not rows:
        return ""
    shown = [i for i in range(len(_COLUMNS)) if any(numbers[i] for _, numbers in rows)]
    cells = [[title] + [_COLUMNS[i] for i in shown]]
    cells += [[name] + [_size(numbers[i]) for i in shown] for name, numbers in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    return "\n" + "".join(
        "  ".join(
            [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        ).rstrip()
        + "\n"
        for row in cells
    )


def _size(size):
    return results.format_size(size) if size >= 0 else "-" + results.format_size(-size)


def _name(area):
    if area.kind == heaps.AREA_MAPPED:
        return plural(area.sums[0].count, "large block")
    return "{} 0x{:x}{}".format(_KINDS[area.kind], area.address, ", busy" if area.is_busy else "")


def _resident_text(found, parts):
    """The line about what is resident."""
    size = results.format_size
    swapped = ", {} more are swapped out".format(size(found.swapped)) if found.swapped else ""
    shown = []
    if parts is not None:
        shown = [
            (parts["live"], "live"),
            (parts["free"] + parts["fast"], "free in arenas"),
            (parts["cached"], "in thread caches"),
            (parts["top"], "at the top"),
            (found.files, "in files"),
        ]
        shown.append((found.total - sum(part for part, _ in shown), "other"))
    if not shown or shown[-1][0] < 0:
        # It was counted when the program had others already.
        return "resident: {}, {} of it in files{}\n".format(size(found.total), size(found.files), swapped)
    sums = " + ".join("{} {}".format(size(part), name) for part, name in shown)
    return "resident: {} = {}{}\n".format(size(found.total), sums, swapped)


def _text(read, found, parts):
    size, heap = results.format_size, read.heap
    areas = heap.areas
    numbers = [[one.size for one in area.sums] + [_rest(area)] for area in areas]
    total = [sum(column) for column in zip(*numbers)]
    live = sum(area.sums[0].count for area in areas)
    text = "{} from the system, {} of it in {} in use\n".format(
        size(sum(area.size for area in areas)), size(total[0]), plural(live, "block")
    )
    if read.rounding is not None:
        text += "lost to rounding: {} in {} whose sizes the hooks know\n".format(
            size(read.rounding.size), plural(read.rounding.count, "block")
        )
    if found is not None:
        text += _resident_text(found, parts)
    rows = [(_name(area), row) for area, row in zip(areas, numbers) if area.size or any(row)]
    rows += [("total", total)] if len(rows) > 1 else []
    return text + _table("", rows) + _table(
        "usable size",
        [
            ("{} to < {}".format(size(1 << number), size(2 << number)), [one.size for one in sums] + [0])
            for number, sums in heap.classes
        ],
    )
