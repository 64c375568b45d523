"""The structures of allocsnap.h, for ctypes; a test compares them with the compiler's."""

import ctypes
from ctypes import POINTER, c_bool, c_char_p, c_double, c_int, c_int64, c_size_t
from ctypes import c_uint8, c_uint32, c_uint64, c_void_p

from ..terminal import KINDS

ReadFunction = ctypes.CFUNCTYPE(c_int, c_void_p, c_uint64, c_void_p, c_size_t)
ReportFunction = ctypes.CFUNCTYPE(c_bool, c_void_p, c_char_p, c_uint64, c_uint64)


class Memory(ctypes.Structure):
    _fields_ = [("read", ReadFunction), ("context", c_void_p), ("bytes", c_uint64)]


# The debugger's frames are an array of Frame, and how many there are.
NameFunction = ctypes.CFUNCTYPE(c_int, c_void_p, c_uint64, c_char_p, c_void_p, POINTER(c_size_t))


class Debugger(ctypes.Structure):
    _fields_ = [("name", NameFunction), ("context", c_void_p)]


class Progress(ctypes.Structure):
    _fields_ = [("report", ReportFunction), ("context", c_void_p)]


class Region(ctypes.Structure):
    _fields_ = [
        ("start", c_uint64),
        ("end", c_uint64),
        ("file_offset", c_uint64),
        ("path", c_char_p),
        ("flags", c_uint32),
    ]


class AddressRange(ctypes.Structure):
    """A piece of memory (asnap_address_range)."""

    _fields_ = [("start", c_uint64), ("end", c_uint64)]


class Thread(ctypes.Structure):
    _fields_ = [
        ("number", c_uint64),
        ("stack_pointer", c_uint64),
        ("thread_pointer", c_uint64),
        ("vectors_unknown", c_bool),
        ("registers_unknown", c_bool),
    ]


class Register(ctypes.Structure):
    _fields_ = [("value", c_uint64), ("thread", c_uint32), ("name", ctypes.c_char * 12)]


UNSEEN_BYTES = 1536


class SymbolPlace(ctypes.Structure):
    """Where in a file an address is (asnap_symbol_place)."""

    _fields_ = [
        ("path", c_char_p),
        ("section", c_char_p),
        ("symbol", c_char_p),
        ("address", c_uint64),
        ("size", c_uint64),
        ("is_function", c_bool),
        ("is_local", c_bool),
    ]


class Status(ctypes.Structure):
    """What the hooks say of themselves (asnap_status)."""

    _fields_ = [
        ("hooks_version", ctypes.c_char * 24),
        ("table_version", c_uint32),
        ("tracing", c_bool),
        ("request_pending", c_bool),
        ("frame_limit", c_uint32),
        ("sample_period", c_uint64),
        ("traced_size", c_uint64),
        ("traced_count", c_uint64),
        ("sampled_count", c_uint64),
        ("peak_size", c_uint64),
        ("tracker_size", c_uint64),
        ("dropped", c_uint64),
        ("refused", c_uint64),
        ("freed_capacity", c_uint64),
        ("busy_shards", c_uint32),
        ("is_whole", c_bool),
        ("requests", c_uint32),
        ("unseen", ctypes.c_char * UNSEEN_BYTES),
    ]


class Start(ctypes.Structure):
    """What a start may ask for (asnap_start)."""

    _fields_ = [
        ("frame_limit", c_uint32),
        ("sets_period", c_bool),
        ("sample_period", c_uint64),
    ]


class Write(ctypes.Structure):
    """Bytes to be written into the inferior (asnap_write)."""

    _fields_ = [("address", c_uint64), ("size", c_uint32), ("bytes", c_uint8 * 44)]


class WatchLimits(ctypes.Structure):
    """What the hooks watch for (asnap_watch_limits); 0: not."""

    _fields_ = [
        ("size", c_uint64),
        ("block", c_uint64),
        ("count", c_uint64),
        ("failed", c_bool),
    ]


class Reached(ctypes.Structure):
    """A limit that was reached (asnap_reached)."""

    _fields_ = [
        ("times", c_uint64),
        ("limit", c_uint64),
        ("size", c_uint64),
        ("count", c_uint64),
        ("request", c_uint64),
        ("thread", c_uint32),
    ]


class Watch(ctypes.Structure):
    """What is watched for, and what was reached (asnap_watch)."""

    _fields_ = [
        ("limits", WatchLimits),
        ("is_pending", c_bool),
        ("of_sample", c_bool),
        ("action", c_uint32),
        ("reached", Reached * 4),
    ]


class Freed(ctypes.Structure):
    """What the hooks say of the blocks that were freed last (asnap_freed)."""

    _fields_ = [
        ("capacity", c_uint64),
        ("count", c_uint64),
        ("lost", c_uint64),
        ("shown", c_uint64),
    ]


class Errors(ctypes.Structure):
    """What the hooks say of calls that were to free what is no live traced block (asnap_errors)."""

    _fields_ = [
        ("is_kept", c_bool),
        ("twice_count", c_uint64),
        ("unknown_count", c_uint64),
        ("twice_shown", c_uint64),
        ("unknown_shown", c_uint64),
        ("newest", c_uint32),
    ]


class HistoryPoint(ctypes.Structure):
    """What was traced at one moment (asnap_history_point)."""

    _fields_ = [("size", c_uint64), ("count", c_uint64)]


HISTORY_POINTS_MAX = 2048


class History(ctypes.Structure):
    """How much was traced over the time (asnap_history)."""

    _fields_ = [
        ("is_kept", c_bool),
        ("of_sample", c_bool),
        ("start", c_uint64),
        ("begin", c_uint64),
        ("period", c_uint64),
        ("count", c_uint64),
        ("now", HistoryPoint),
        ("points", HistoryPoint * HISTORY_POINTS_MAX),
    ]


class TotalsTold(ctypes.Structure):
    """What the hooks say of what was ever allocated (asnap_totals_told)."""

    _fields_ = [("is_kept", c_bool), ("of_sample", c_bool), ("lost", c_uint64)]


class Frame(ctypes.Structure):
    _fields_ = [
        ("filename", c_char_p),
        ("function", c_char_p),
        ("lineno", c_uint32),
        ("inlined", c_bool),
        ("named_by", c_uint8),
    ]


class Place(ctypes.Structure):
    """Where code lies (asnap_place)."""

    _fields_ = [("module", c_char_p), ("build_id", c_char_p), ("offset", c_uint64)]


class Variable(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("offset", c_uint64), ("source", c_char_p)]


class NamedPc(ctypes.Structure):
    _fields_ = [("frames", POINTER(Frame)), ("frame_count", c_size_t), ("allocates", c_char_p)]


class Trace(ctypes.Structure):
    _fields_ = [
        ("address", c_uint64),
        ("size", c_uint64),
        ("traceback_id", c_uint32),
        ("domain", c_uint32),
        ("thread", c_uint32),
        ("time", c_uint32),
    ]


class Traceback(ctypes.Structure):
    _fields_ = [("first", c_uint64), ("frame_count", c_uint32), ("total_nframe", c_uint32)]


class Mapping(ctypes.Structure):
    _fields_ = [
        ("start", c_uint64),
        ("end", c_uint64),
        ("file_offset", c_uint64),
        ("path", c_char_p),
        ("build_id", c_char_p),
    ]


class Attribute(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("value", c_char_p)]


class NamingPart(ctypes.Structure):
    _fields_ = [
        ("path", c_char_p),
        ("named_by", c_uint8),
        ("has_line", c_bool),
        ("size", c_uint64),
        ("count", c_uint64),
    ]


class Statistic(ctypes.Structure):
    _fields_ = [
        ("size", c_uint64),
        ("count", c_uint64),
        ("frame_count", c_size_t),
        ("total_nframe", c_uint32),
        ("function_count", c_uint32),
    ]


class KeyDescription(ctypes.Structure):
    _fields_ = [
        ("name", c_char_p),
        ("noun", c_char_p),
        ("means", c_char_p),
        ("label", c_int),
        ("has_cumulative", c_bool),
    ]


class SkipSet(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("what", c_char_p)]


class SkipRules(ctypes.Structure):
    _fields_ = [
        ("patterns", POINTER(c_char_p)),
        ("pattern_count", c_size_t),
        ("mine", POINTER(c_char_p)),
        ("mine_count", c_size_t),
        ("sets", c_uint32),
    ]


class StackSum(ctypes.Structure):
    """What blocks of one stack and domain sum to (asnap_stack_sum)."""

    _fields_ = [
        ("traceback_id", c_uint32),
        ("domain", c_uint32),
        ("size", c_uint64),
        ("count", c_uint64),
    ]


class Estimate(ctypes.Structure):
    """What there is, as estimated from a sample (asnap_estimate)."""

    _fields_ = [
        ("size", c_uint64),
        ("count", c_double),
        ("size_error", c_double),
        ("count_error", c_double),
        ("sampled_count", c_uint64),
    ]


class Sum(ctypes.Structure):
    _fields_ = [("size", c_uint64), ("count", c_uint64)]


class Bounds(ctypes.Structure):
    _fields_ = [("from_", c_uint64), ("below", c_uint64), ("thread", c_uint32)]


class Detail(ctypes.Structure):
    _fields_ = [
        ("repeated", Sum),
        ("through", Sum),
        ("function", c_char_p),
        ("function_count", c_uint32),
    ]


class CpythonSymbols(ctypes.Structure):
    """Where symbols of an interpreter are (asnap_cpython_symbols); 0: not known."""

    _fields_ = [
        ("path", c_char_p),
        ("runtime", c_uint64),
        ("runtime_size", c_uint64),
        ("version", c_uint64),
        ("config", c_uint64),
        ("traces", c_uint64),
        ("domains", c_uint64),
        ("lock", c_uint64),
        ("traced", c_uint64),
        ("peak", c_uint64),
    ]


class Cpython(ctypes.Structure):
    """An interpreter, and what its tracemalloc says of itself (asnap_cpython)."""

    _fields_ = [
        ("name", ctypes.c_char * 40),
        ("version", c_uint32),
        ("free_threaded", c_bool),
        ("locked", c_bool),
        ("frame_limit", c_uint32),
        ("traced_size", c_uint64),
        ("peak_size", c_uint64),
        ("traces", c_uint64),
        ("domains", c_uint64),
    ]


class StatisticDiff(ctypes.Structure):
    _fields_ = [
        ("size", c_uint64),
        ("count", c_uint64),
        ("size_diff", c_int64),
        ("count_diff", c_int64),
        ("frame_count", c_size_t),
        ("total_nframe", c_uint32),
        ("function_count", c_uint32),
    ]


class Filter(ctypes.Structure):
    _fields_ = [
        ("inclusive", c_bool),
        ("filename_pattern", c_char_p),
        ("has_lineno", c_bool),
        ("lineno", c_uint32),
        ("all_frames", c_bool),
        ("has_domain", c_bool),
        ("domain", c_uint32),
        ("classes", c_uint32),
    ]


class PathRule(ctypes.Structure):
    _fields_ = [("from_", c_char_p), ("to", c_char_p)]


class RenderMarks(ctypes.Structure):
    _fields_ = [(name, c_char_p) for name in KINDS + ("end",)]


class RenderOptions(ctypes.Structure):
    _fields_ = [
        ("limit", c_size_t),
        ("source_lines", c_bool),
        ("unfiltered", POINTER(StatisticDiff)),
        ("regions", POINTER(Region)),
        ("region_count", c_size_t),
        ("place", c_char_p),
        ("order", c_int),
        ("thread_labels", POINTER(c_char_p)),
        ("thread_label_count", c_size_t),
        ("path_rules", POINTER(PathRule)),
        ("path_rule_count", c_size_t),
        ("short_names", c_bool),
        ("short_paths", c_bool),
        ("graph", c_void_p),
        ("marks", POINTER(RenderMarks)),
        ("newest", c_uint32),
    ]
