"""Snapshots as files of other programs (allocsnap_export.h): the formats, as the library's table has
them, and writing one."""

import ctypes
import functools
from ctypes import POINTER, c_bool, c_char_p, c_int, c_size_t, c_void_p
from typing import NamedTuple, Tuple

from ..errors import AllocsnapError
from ..target import path_bytes
from . import library_files, native, report_page
from .native import library, text_of


class ExportDescription(ctypes.Structure):
    _fields_ = [
        ("name", c_char_p),
        ("endings", c_char_p),
        ("what", c_char_p),
        ("needs_graph", c_bool),
        ("compares", c_bool),
        ("needs_page", c_bool),
        ("has_totals", c_bool),
    ]


class ExportOptions(ctypes.Structure):
    _fields_ = [
        ("old_snapshot", c_void_p),
        ("graph", c_void_p),
        ("root_names", POINTER(c_char_p)),
        ("root_name_count", c_size_t),
        ("by_count", c_bool),
        ("report", POINTER(report_page.ReportOptions)),
        ("values", c_int),
        ("progress", POINTER(native.Progress)),
    ]


FUNCTIONS = {
    "asnap_export_describe": (POINTER(ExportDescription), [c_int]),
    "asnap_export": (c_void_p, [c_void_p, c_int, POINTER(ExportOptions), c_char_p]),
}

native.declare(FUNCTIONS)


class ExportFormat(NamedTuple):
    """A format (asnap_export_description)."""

    number: int  # asnap_export_format
    name: str
    endings: Tuple[str, ...]  # of the names of files that are meant to be such
    what: str  # it is, and what reads it
    needs_graph: bool
    compares: bool
    needs_page: bool  # it is a report, which is made of a page
    has_totals: bool  # it can be of what was ever allocated


@functools.lru_cache(maxsize=None)
def formats():
    """{name: ExportFormat}, in the order of the table."""
    found = {}
    while True:
        description = library().asnap_export_describe(len(found))
        if not description:
            return found
        fields = description.contents
        name = text_of(fields.name)
        endings = tuple(filter(None, text_of(fields.endings).split(",")))
        found[name] = ExportFormat(
            len(found),
            name,
            endings,
            text_of(fields.what),
            fields.needs_graph,
            fields.compares,
            fields.needs_page,
            fields.has_totals,
        )


def known_formats():
    """The ExportFormats; none where the library cannot be loaded, which the first command will
    say."""
    try:
        return list(formats().values())
    except AllocsnapError:
        return []


def format_of(path):
    """The ExportFormat that the end of a file's name stands for, or None."""
    found = [
        (len(ending), form)
        for form in formats().values()
        for ending in form.endings
        if path.endswith(ending)
    ]
    return max(found)[1] if found else None


def check_page():
    """Fails where there is no page that a report is made of, before anything is read."""
    library_files.report_page_path()


#: What a snapshot is of, by the option that has it read so (asnap_export_values).
VALUES = {None: 0, "allocated": 1, "temporary": 2}


def write(
    calls, snapshot, form, path, old=None, graph=None, root_names=(), by_count=False, report=None,
    values=None,
):
    """Writes a Snapshot of the library to a file in an ExportFormat. `old`: an older one that it is
    compared with; `graph`: the Graph of its blocks, and what its roots are called, None for what
    the library says itself. `report`: the report_page.Report, where it is one. `values`: one of VALUES."""
    names = [None if name is None else path_bytes(name) for name in root_names]
    array = (c_char_p * (len(names) + 1))(*names)
    options = ExportOptions(root_name_count=len(names), by_count=by_count, values=VALUES[values])
    options.root_names = ctypes.cast(array, POINTER(c_char_p))
    options.progress = ctypes.cast(calls.progress, POINTER(native.Progress))
    if old is not None:
        options.old_snapshot = old._as_parameter_
    if form.needs_page:
        options.report = ctypes.pointer(report_page.native_options(report, snapshot))
    if graph is not None:
        options.graph = graph._as_parameter_
    calls.run(
        library().asnap_export, snapshot, form.number, ctypes.byref(options), path_bytes(path)
    )
