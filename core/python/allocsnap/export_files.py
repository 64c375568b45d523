"""Snapshots of the API as files of other programs."""

import os

from .dump_files import os_error
from . import report_contents
from .errors import AllocsnapError, ErrorCode
from .library import exports, leak_rules
from .library.calls import Calls
from .library.report_page import Report
from .root_titles import root_titles


def _names():
    return ", ".join(exports.formats())


def _form(filename, name):
    """The ExportFormat of a name, or where it is None, of the end of a file's."""
    if name is not None:
        if name not in exports.formats():
            raise ValueError("no format {!r}: there are {}".format(name, _names()))
        return exports.formats()[name]
    form = exports.format_of(os.fsdecode(filename))
    if form is None:
        raise ValueError(
            "the name of {!r} does not say what to write: give a format, one of {}".format(
                filename, _names()
            )
        )
    return form


def _graph(snapshot, form):
    """(graph, names of its roots) of a snapshot of the library, where it has one."""
    computed = snapshot.computed
    if computed is None:
        if form.needs_graph:
            raise AllocsnapError(
                "the format {} has the pointers between blocks: take a snapshot with"
                " take_snapshot(graph=True)".format(form.name),
                ErrorCode.UNSUPPORTED,
            )
        return None, ()
    if not form.needs_graph:
        return computed.graph, ()
    if snapshot.trace_count != computed.snapshot.trace_count:
        raise ValueError(
            "the format {} has all blocks: export the snapshot that this one was made of".format(form.name)
        )
    return computed.graph, root_titles(computed, {})


def _report(snapshot, source):
    """(the graph with leaks as `Snapshot.leaks` has them or None, the Report) of a snapshot."""
    computed = snapshot.computed
    if computed is None:
        return None, Report(source_lines=source)
    kinds = ("definite", "possible")
    rules = leak_rules.Suppressions()
    found = leak_rules.Suppressed(computed.calls, computed.graph, computed.snapshot, rules, kinds)
    retained = report_contents.retained(computed)
    ways = [] if retained is None else report_contents.ways(computed)
    return found.graph, Report(source_lines=source, retained=retained, ways=ways)


def export(snapshot, filename, name, old, by_count, source):
    """Writes a snapshot of the library, with an older one to compare with where `old` is not
    None. `source`: whether a report has lines of sources."""
    form = _form(filename, name)
    if old is not None and not form.compares:
        raise ValueError("the format {} cannot say what two snapshots differ in".format(form.name))
    graph, titles = _graph(snapshot, form)
    report = None
    if form.needs_page:
        graph, report = _report(snapshot, source)
    try:
        exports.write(
            Calls(), snapshot, form, os.fsdecode(filename), old, graph, titles, by_count, report
        )
    except AllocsnapError as error:
        if error.code == ErrorCode.IO:
            raise os_error(filename, error) from None
        raise
