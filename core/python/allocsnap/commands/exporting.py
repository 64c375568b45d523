"""The command that writes snapshots for other programs."""

import os

from ..errors import AllocsnapError
from ..library import exports
from ..library.calls import Calls
from ..library.keys import TYPE
from ..root_titles import root_titles
from ..roots import find as find_computed
from ..target import shown_path
from . import options as shared
from . import suppressing
from .command import FILES, Command, amount


def _formats_help():
    """The formats, a line each."""
    forms = exports.known_formats()
    width = max((len(form.name) for form in forms), default=0)
    return "\n".join(
        "  {:<{}}  {}{}".format(
            form.name, width, form.what, " ({})".format(", ".join(form.endings)) if form.endings else ""
        )
        for form in forms
    )


def _named(forms):
    return ", ".join(form.name for form in forms)


def _format(options, path):
    """The format that is meant."""
    if options.format is not None:
        return exports.formats()[options.format]
    form = exports.format_of(path)
    if form is None:
        raise AllocsnapError(
            "the name of {} does not say what to write: give --format, one of {}".format(
                shown_path(path), _named(exports.formats().values())
            )
        )
    return form


class Export(Command):
    """export [OLD] NAME FILE"""

    name = "export"
    takes_files = True
    summary = "Write a snapshot to a file for another program: a viewer, a table, a database."
    details = (
        "The format is that of --format, or of the end of the file's name:\n"
        + _formats_help()
        + "\n\nThe file is written whole or not at all; one of that name that is there already is\n"
        "replaced. With two snapshots, OLD first, it says what they differ in, where the format\n"
        "can. Names are written as the commands show them.\n\n" + shared.FILTER_HELP
    )

    def arguments(self, parser):
        parser.add_argument(
            "--format",
            choices=[form.name for form in exports.known_formats()],
            help="of the file (default: by the end of its name)",
        )
        parser.add_argument(
            "--count",
            action="store_true",
            help="where the format has one number for each stack: its blocks, not its bytes",
        )
        shared.add_reach(parser)
        shared.add_filters(parser)
        parser.add_argument(
            "names", metavar="NAME", nargs="+", help="a snapshot, or now; or two, OLD and NEW"
        )
        parser.add_argument("file", metavar="FILE", help="the path of the file; ~ is your home")

    def run(self, session, options):
        path = os.path.abspath(os.path.expanduser(options.file))
        form = _format(options, path)
        choice = shared.Choice(session, options)
        if len(options.names) > 2:
            raise AllocsnapError("one or two snapshots, and a file: {}".format(session.snapshots.known()))
        for name in options.names:
            session.snapshots.check_known(name)
        if len(options.names) == 2 and not form.compares:
            raise AllocsnapError(
                "the format {} cannot say what two snapshots differ in: export one, or choose one of"
                " {}".format(form.name, _named(one for one in exports.formats().values() if one.compares))
            )
        write = self._write_graph if form.needs_graph else self._write_blocks
        replaced = os.path.lexists(path)
        snapshot, notes = write(session, options, choice, form, path)
        warnings = "".join("warning: {}\n".format(note) for note in notes)
        said = "{}: {} in {}{}.\n".format(
            shown_path(path), *amount(snapshot), ", in place of the file that was there" if replaced else ""
        )
        if options.suppressed is not None:
            said = suppressing.added(said, "text", options.suppressed, hint=suppressing.HINT)
        return warnings + said

    @staticmethod
    def _write_blocks(session, options, choice, form, path):
        whole = [shared.whole(session, name, options) for name in options.names]
        *old, new = choice.of(*whole)
        graph = None if new.computed is None else new.computed.graph
        exports.write(
            Calls(session.target),
            new,
            form,
            path,
            old=old[0] if old else None,
            graph=graph,
            by_count=options.count,
        )
        if graph is not None:
            shared.add_notes(options, graph.notes)
        notes = list(getattr(options, "notes", []))
        return new, notes + [note for one in whole for note in one.notes if note not in notes]

    @staticmethod
    def _write_graph(session, options, choice, form, path):
        if choice.filters or shared.chosen_kinds(options):
            raise AllocsnapError(
                "the format {} has all blocks: leave out the filters, --leaked and --kinds".format(form.name)
            )
        (name,) = options.names
        computed = find_computed(session, name, key=TYPE)
        (attributed,) = choice.of(computed.snapshot)
        titles = root_titles(computed, session.thread_labels(name))
        exports.write(
            Calls(session.target), attributed, form, path, graph=computed.graph, root_names=titles
        )
        return computed.snapshot, computed.graph.notes + computed.snapshot.notes

    def words(self, session, typed):
        return FILES if typed else session.snapshots.words()
