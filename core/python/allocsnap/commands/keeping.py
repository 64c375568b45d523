"""Commands that take snapshots, and keep them."""

import os

from ..errors import AllocsnapError, UsageError
from ..library import rows as results
from ..roots import keep as keep_with_graph
from ..session import naming_extent
from ..target import shown_path
from ..terminal import SIZE
from .command import FILES, Command, amount, naming_lines, plural, sampled_text


def _kept(session, name, taken):
    """What to say of a snapshot that is kept now."""
    computed = taken.snapshot.computed
    notes = (computed.graph.notes if computed is not None else []) + taken.snapshot.notes
    warnings = "".join("warning: {}\n".format(note) for note in notes)
    text = warnings + "Snapshot {}: {} in {}{}.\n".format(
        name, *amount(taken.snapshot, session.shown.size), sampled_text(taken.snapshot)
    )
    if taken.snapshot.unnamed:
        text += "{} left without a name: `snapshot symbolize {}` names them.\n".format(
            plural(taken.snapshot.unnamed, "frame"), name
        )
    return text


class Take(Command):
    """take [NAME]"""

    name = "take"
    of_sessions = True
    summary = "Take a snapshot of the live heap blocks, and keep it."
    details = (
        "Ctrl-C while frames are named keeps it too; frames that have no name by then\n"
        "are bare addresses, until `snapshot symbolize` names them.\n\n"
        "With --python it is of what CPython's own tracemalloc traces, where the program is\n"
        "one in Python that was started with PYTHONTRACEMALLOC=25, or has called\n"
        "tracemalloc.start(25): frames are Python's. `python` in place of a snapshot's name\n"
        "stands for a fresh reading of the same."
    )

    def arguments(self, parser):
        parser.add_argument(
            "--no-names", action="store_true", help="name no frames: keep their addresses"
        )
        parser.add_argument(
            "--graph",
            action="store_true",
            help="find out what points to the blocks, for leaks, retained, --leaked and --kinds"
            " later, and in files",
        )
        parser.add_argument(
            "--python",
            action="store_true",
            help="of what the tracemalloc of a CPython in the process or core traces, in place of"
            " the hooks' blocks",
        )
        parser.add_argument(
            "name", metavar="NAME", nargs="?", help="its name (default: the next number)"
        )

    def run(self, session, options):
        if options.python and (options.graph or options.no_names):
            raise UsageError(
                "--python does not go together with --graph and --no-names: tracemalloc knows the"
                " names of its frames, and not what points to its blocks"
            )
        if options.python:
            return _kept(session, *session.take(options.name, python=True))
        if options.graph:
            extent = naming_extent(not options.no_names)
            return _kept(session, *keep_with_graph(session, options.name, extent))
        return _kept(session, *session.take(options.name, not options.no_names))


class Symbolize(Command):
    """symbolize NAME [FILE...]"""

    name = "symbolize"
    takes_files = True
    summary = "Look for better names of a snapshot's frames."
    details = (
        "Frames without a line are looked up in the files that were mapped when the\n"
        "snapshot was taken, at their paths on this machine; or in a FILE, a program or\n"
        "a library, or one that the debugger has read. A file with another build ID is\n"
        "not used. Debug files are found as when a snapshot is taken."
    )

    def arguments(self, parser):
        parser.add_argument("name", metavar="NAME", help="a snapshot that is kept")
        parser.add_argument(
            "files", metavar="FILE", nargs="*", help="a program or library; ~ is your home"
        )

    def run(self, session, options):
        files = [os.path.abspath(os.path.expanduser(file)) for file in options.files]
        for file in files:
            if not os.path.isfile(file):
                raise AllocsnapError("there is no file {}: name another".format(shown_path(file)))
        taken = session.symbolize(options.name, files)
        return _kept(session, options.name, taken) + naming_lines(session, options.name)

    def words(self, session, typed):
        return FILES if typed else list(session.snapshots.all)


def _remarks(snapshot):
    """What the list says of a snapshot after where it is from."""
    notes, remarks = list(snapshot.notes), []
    if snapshot.sample_period:
        # Its first note says so.
        remarks.append("a sample")
        del notes[0]
    if snapshot.computed is not None:
        notes += snapshot.computed.graph.notes
        remarks.append("graph")
    if notes:
        remarks.append("incomplete")
    return " ({})".format(", ".join(remarks)) if remarks else ""


class List(Command):
    """list"""

    name = "list"
    of_sessions = True
    summary = "List the snapshots that are kept, oldest first."
    details = (
        "`graph` stands behind those that say what points to their blocks (take --graph),\n"
        "`incomplete` behind those that something is missing from."
    )

    def run(self, session, options):
        taken = session.snapshots.all
        if not taken:
            return "No snapshots: `snapshot take` takes one.\n"
        rows = [("NAME", "SIZE", "BLOCKS", "FRAMES", "FROM")]
        for name, one in taken.items():
            snapshot = one.snapshot
            rows.append(
                (
                    name,
                    results.format_size(snapshot.size),
                    str(snapshot.count),
                    str(snapshot.traceback_limit),
                    session.shown.source(one.source) + _remarks(snapshot),
                )
            )
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        text = ""
        for place, row in enumerate(rows):
            cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:4], widths[1:])]
            if place:
                # Marks take no columns, and blanks no style.
                cells[1] = cells[1].replace(row[1], session.shown.marked(SIZE, row[1]))
            text += "  ".join(cells + [row[4]]) + "\n"
        return text


class Delete(Command):
    """delete NAME..."""

    name = "delete"
    of_sessions = True
    summary = "Forget snapshots."

    def arguments(self, parser):
        parser.add_argument("names", metavar="NAME", nargs="+", help="a snapshot")

    def run(self, session, options):
        session.snapshots.delete(options.names)
        return ""

    def words(self, session, typed):
        return [name for name in session.snapshots.all if name not in typed]


class Dump(Command):
    """dump NAME FILE"""

    name = "dump"
    takes_files = True
    summary = "Write a snapshot to a file, which `snapshot load` reads."
    details = (
        "The file is written whole or not at all; one of that name that is there already\n"
        "is replaced. Of a snapshot that was taken with --graph it has what points to the\n"
        "blocks, for leaks, retained, --leaked and --kinds. In the format `tracemalloc` it is for\n"
        "tracemalloc.Snapshot.load of Python 3.9 and later, without the functions, and\n"
        "cannot be loaded here: to load it can run any code in it."
    )

    def arguments(self, parser):
        parser.add_argument(
            "--format",
            choices=["allocsnap", "tracemalloc"],
            default="allocsnap",
            help="of the file (default: allocsnap)",
        )
        parser.add_argument("name", metavar="NAME", help="a snapshot, now or python")
        parser.add_argument("file", metavar="FILE", help="the path of the file; ~ is your home")

    def run(self, session, options):
        path = os.path.abspath(os.path.expanduser(options.file))
        taken, replaced = session.dump(options.name, path, options.format == "tracemalloc")
        return "{}: {} in {}{}.\n".format(
            session.shown.path(path),
            *amount(taken.snapshot, session.shown.size),
            ", in place of the file that was there" if replaced else "",
        )

    def words(self, session, typed):
        if not typed:
            return session.snapshots.words()
        return FILES if len(typed) == 1 else []


class Load(Command):
    """load FILE [NAME]"""

    name = "load"
    of_sessions = True
    takes_files = True
    summary = "Read a snapshot from a file that `snapshot dump` has written, and keep it."

    def arguments(self, parser):
        parser.add_argument("file", metavar="FILE", help="the path of the file; ~ is your home")
        parser.add_argument(
            "name", metavar="NAME", nargs="?", help="its name (default: the next number)"
        )

    def run(self, session, options):
        path = os.path.abspath(os.path.expanduser(options.file))
        return _kept(session, *session.load(path, options.name))

    def words(self, session, typed):
        return [] if typed else FILES
