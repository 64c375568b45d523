"""The page that shows a snapshot in a browser (allocsnap_report.h)."""

import ctypes
from ctypes import POINTER, c_bool, c_char_p, c_size_t, c_uint32, c_void_p

from . import native


class ReportFact(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("value", c_char_p), ("old", c_bool)]


class ReportWay(ctypes.Structure):
    _fields_ = [("root", c_char_p), ("blocks", POINTER(c_uint32)), ("block_count", c_size_t)]


#: asnap_report_sink.write: context, bytes, size; NULL is success.
SinkFunction = ctypes.CFUNCTYPE(c_void_p, c_void_p, c_void_p, c_size_t)


class ReportSink(ctypes.Structure):
    _fields_ = [("write", SinkFunction), ("context", c_void_p)]


class ReportOptions(ctypes.Structure):
    _fields_ = [
        ("page", c_char_p),
        ("facts", POINTER(ReportFact)),
        ("fact_count", c_size_t),
        ("thread_labels", POINTER(c_char_p)),
        ("thread_label_count", c_size_t),
        ("source_lines", c_bool),
        ("path_rules", POINTER(native.PathRule)),
        ("path_rule_count", c_size_t),
        ("graph", c_void_p),
        ("ways", POINTER(ReportWay)),
        ("way_count", c_size_t),
    ]


_OBJECT = c_void_p

native.declare(
    {
        "asnap_report_write": (
            c_void_p,
            [_OBJECT, _OBJECT, POINTER(ReportOptions), POINTER(ReportSink)],
        )
    }
)
