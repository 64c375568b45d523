"""The command that writes snapshots for other programs."""

import os

from .. import report_contents
from ..errors import AllocsnapError, UsageError
from ..kept import NOW
from ..library import exports
from ..library.calls import Calls
from ..library.keys import TYPE
from ..library.report_page import Fact, Report
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


def _origin(session, name):
    """(what a snapshot is of, its peak of traced bytes or 0)."""
    if name == NOW:
        return session.stopped_process().description, session.peak()
    taken = session.snapshots.get(name)
    return taken.source, taken.peak


def _facts(session, options, choice, whole):
    """The Facts of the names, the older one's last."""
    found = []
    for place, (name, snapshot) in enumerate(zip(reversed(options.names), reversed(whole))):
        old = place > 0
        source, peak = _origin(session, name)
        found.append(Fact("origin", source, old))
        if peak:
            found.append(Fact("peak", str(peak), old))
        if options.leaked:
            found.append(Fact("shown", "leaked blocks", old))
        if choice.filters:
            found.append(
                Fact("filtered from", "{} in {}".format(*amount(snapshot)), old)
            )
    return found


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
        "can. Names are written as the commands show them. A report of a snapshot that was taken\n"
        "with --graph, or with --graph here, shows leaks, what keeps most alive and what holds that.\n\n"
        + shared.FILTER_HELP
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
        parser.add_argument(
            "--graph",
            action="store_true",
            help="of now: find out what points to the blocks as well, as `snapshot take --graph`",
        )
        parser.add_argument(
            "--no-source",
            action="store_true",
            help="leave the lines of sources out of a report",
        )
        shared.add_totals(parser)
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
        self._check_totals(options, form)
        write = self._write_blocks
        if form.needs_graph:
            write = self._write_graph
        elif form.needs_page:
            exports.check_page()
            write = self._write_report
        replaced = os.path.lexists(path)
        snapshot, notes = write(session, options, choice, form, path)
        warnings = "".join("warning: {}\n".format(note) for note in notes)
        said = "{}: {} in {}{}.\n".format(
            session.shown.path(path),
            *amount(snapshot, session.shown.size),
            ", in place of the file that was there" if replaced else "",
        )
        if options.suppressed is not None:
            said = suppressing.added(session, said, "text", options.suppressed, hint=suppressing.HINT)
        return warnings + said

    @staticmethod
    def _check_totals(options, form):
        totals = shared.chosen_totals(options)
        if totals is None:
            return
        if not form.has_totals:
            raise AllocsnapError(
                "the format {} has live blocks only: leave --{} out, or choose {}".format(
                    form.name, totals, _named(one for one in exports.formats().values() if one.has_totals)
                )
            )
        if options.graph:
            raise UsageError("--{} counts blocks that are freed, too: leave --graph out".format(totals))

    @staticmethod
    def _whole(session, options, key=None):
        """The Snapshots of the names: of the last one with what points to its blocks, where that is
        asked for."""
        *old, name = options.names
        before = [shared.whole(session, one, options, key) for one in old]
        if not options.graph or options.leaked:
            return before + [shared.whole(session, name, options, key)]
        computed = find_computed(session, name, key=TYPE)
        computed.snapshot.computed = computed
        return before + [computed.snapshot]

    def _write_blocks(self, session, options, choice, form, path):
        if options.graph and not options.leaked:
            suppressing.check_unused(options)
        whole = self._whole(session, options)
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
            values=shared.chosen_totals(options),
        )
        return new, self._notes(options, whole, graph)

    @staticmethod
    def _notes(options, whole, graph):
        """What is missing, a line each."""
        if graph is not None:
            shared.add_notes(options, graph.notes)
        notes = list(getattr(options, "notes", []))
        return notes + [note for one in whole for note in one.notes if note not in notes]

    def _write_report(self, session, options, choice, form, path):
        whole = self._whole(session, options, TYPE)
        *old, new = choice.of(*whole)
        computed, graph = new.computed, None
        if computed is not None and options.leaked:
            graph = computed.graph
        elif computed is not None:
            # Of leaks it has what `snapshot leaks` shows.
            found = suppressing.Found(
                computed, suppressing.rules(session, options), ("definite", "possible"), options.names[-1]
            )
            options.suppressed, graph = [found], found.graph
        retained = report_contents.retained(computed)
        report = Report(
            facts=_facts(session, options, choice, whole),
            labels=session.thread_labels(options.names[-1]),
            source_lines=not options.no_source,
            path_rules=session.target.path_rules(),
            retained=retained,
            ways=[] if retained is None else report_contents.ways(computed),
        )
        calls = Calls(session.target)
        exports.write(calls, new, form, path, old=old[0] if old else None, graph=graph, report=report)
        return new, self._notes(options, whole, graph)

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
