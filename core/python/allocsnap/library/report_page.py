"""What a report has beside the snapshots (allocsnap_report.h)."""

import ctypes
from ctypes import POINTER, c_bool, c_char_p, c_size_t, c_uint32, c_void_p
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from ..target import path_bytes
from . import library_files, structures


class ReportFact(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("value", c_char_p), ("old", c_bool)]


class ReportWay(ctypes.Structure):
    _fields_ = [("root", c_char_p), ("blocks", POINTER(c_uint32)), ("block_count", c_size_t)]


class ReportOptions(ctypes.Structure):
    _fields_ = [
        ("page", c_char_p),
        ("facts", POINTER(ReportFact)),
        ("fact_count", c_size_t),
        ("thread_labels", POINTER(c_char_p)),
        ("thread_label_count", c_size_t),
        ("source_lines", c_bool),
        ("path_rules", POINTER(structures.PathRule)),
        ("path_rule_count", c_size_t),
        ("retained", c_void_p),
        ("ways", POINTER(ReportWay)),
        ("way_count", c_size_t),
    ]


class Fact(NamedTuple):
    """What the head of the page says (asnap_report_fact)."""

    name: str
    value: str
    old: bool = False


class Report(NamedTuple):
    """asnap_report_options."""

    facts: Sequence[Fact] = ()
    labels: Dict[int, str] = {}  # what the debugger calls threads, by the kernel's number
    source_lines: bool = True
    path_rules: Sequence[Tuple[str, str]] = ()  # Target.path_rules
    retained: Any = None  # the graphs.Graph of the same blocks, after `retain`; None: not told
    ways: Sequence[Tuple[str, List[int]]] = ()  # (what a root is called, blocks from there on)


def _array(kind, items):
    return (kind * len(items))(*items)


def native_options(report: Optional[Report], snapshot: Any) -> ReportOptions:
    """A Report of a Snapshot in the library's form. Fails where there is no page."""
    report = report or Report()
    facts = [ReportFact(path_bytes(one.name), path_bytes(one.value), one.old) for one in report.facts]
    labels = [path_bytes(report.labels[one]) if one in report.labels else None for one in snapshot.threads]
    rules = [(path_bytes(start), path_bytes(to)) for start, to in report.path_rules]
    ways = [ReportWay(path_bytes(root), _array(c_uint32, way), len(way)) for root, way in report.ways]
    options = ReportOptions(
        page=path_bytes(library_files.report_page_path()),
        facts=_array(ReportFact, facts),
        fact_count=len(facts),
        thread_labels=_array(c_char_p, labels),
        thread_label_count=len(labels) if report.labels else 0,
        source_lines=report.source_lines,
        path_rules=_array(structures.PathRule, rules),
        path_rule_count=len(rules),
        ways=_array(ReportWay, ways),
        way_count=len(ways),
    )
    if report.retained is not None:
        options.retained = report.retained._as_parameter_
    return options
