"""Commands that take snapshots and keep them."""

from . import objects
from .command import Command, amount


class Take(Command):
    """take [NAME]"""

    name = "take"
    summary = "Take a snapshot of the live heap blocks, and keep it."

    def arguments(self, parser):
        parser.add_argument(
            "name", metavar="NAME", nargs="?", help="its name (default: the next number)"
        )

    def run(self, session, options):
        name, taken = session.take(options.name)
        warnings = "".join("warning: {}\n".format(note) for note in taken.snapshot.notes)
        return warnings + "Snapshot {}: {} in {}.\n".format(name, *amount(taken.snapshot))


class List(Command):
    """list"""

    name = "list"
    summary = "List the snapshots that are kept, oldest first."

    def run(self, session, options):
        taken = session.taken
        if not taken:
            return "No snapshots: `snapshot take` takes one.\n"
        rows = [("NAME", "SIZE", "BLOCKS", "FRAMES", "FROM")]
        for name, one in taken.items():
            snapshot = one.snapshot
            rows.append(
                (
                    name,
                    objects.format_size(snapshot.size),
                    str(snapshot.count),
                    str(snapshot.traceback_limit),
                    one.source + (" (incomplete)" if snapshot.notes else ""),
                )
            )
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        return "".join(
            "{:<{}}  {:>{}}  {:>{}}  {:>{}}  {}\n".format(
                *[part for cell, width in zip(row, widths) for part in (cell, width)], row[4]
            )
            for row in rows
        )


class Delete(Command):
    """delete NAME..."""

    name = "delete"
    summary = "Forget snapshots."

    def arguments(self, parser):
        parser.add_argument("names", metavar="NAME", nargs="+", help="a snapshot")

    def run(self, session, options):
        session.delete(options.names)
        return ""

    def words(self, session, typed):
        return [name for name in session.taken if name not in typed]
