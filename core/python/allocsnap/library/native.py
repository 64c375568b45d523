"""The binding of liballocsnap.so (allocsnap.h), by ctypes: its functions, and how it is loaded."""

import ctypes
import os
from ctypes import POINTER, c_bool, c_char_p, c_int, c_int64, c_size_t
from ctypes import c_uint32, c_uint64, c_void_p

from .. import __version__
from ..errors import AllocsnapError, ErrorCode, one_line
from ..printable import printable
from .library_files import library_path
from .structures import (
    AddressRange,
    Attribute,
    Bounds,
    Cpython,
    CpythonSymbols,
    Debugger,
    Detail,
    Errors,
    Estimate,
    Filter,
    Frame,
    Freed,
    History,
    KeyDescription,
    Mapping,
    Memory,
    NamedPc,
    NamingPart,
    Place,
    Progress,
    Region,
    Register,
    RenderOptions,
    SkipRules,
    SkipSet,
    StackSum,
    Start,
    Statistic,
    StatisticDiff,
    Status,
    SymbolPlace,
    Thread,
    TotalsTold,
    Trace,
    Traceback,
    Variable,
    Watch,
    WatchLimits,
    Write,
)

#: asnap_trace_order, by the name a user types.
ORDERS = {"size": 0, "age": 1}

#: asnap_format, by name: its number, and what the option of this name says. Text is what is
#: printed without one.
FORMATS = {"text": (0, None), "json": (1, "one JSON object on one line")}

#: The mapping of a frame that is in none.
NO_MAPPING = 2**32 - 1

#: The `time` of a trace of which it is not known.
TIME_UNKNOWN = 2**32 - 1
TIMES_PER_SECOND = 100

#: ASNAP_NAMED_LINE: what most frames have their name from.
NAMED_LINE = 5

#: The number of frames of a whole stack, where they were not counted (ASNAP_TOTAL_UNKNOWN).
TOTAL_UNKNOWN = 2**32 - 1

READ_OK, READ_FAILED, READ_INTERRUPTED = 0, 1, 2
REGION_READABLE, REGION_WRITABLE, REGION_EXECUTABLE = 1, 2, 4

DEBUGGER_FRAMES_MAX = 64

#: The largest period of a sample (ASNAP_SAMPLE_PERIOD_MAX).
SAMPLE_PERIOD_MAX = 1 << 40
#: No more freed blocks are kept (ASNAP_FREED_MAX).
FREED_MAX = 1 << 24
#: What is counted of all that was allocated (enum asnap_totals_kind), by the name of its option.
TOTALS = {"allocated": 0, "temporary": 1}

#: Bits of Status.requests, and what objects.prepare_request takes (asnap_request).
REQUESTS = {"start": 1, "stop": 2, "clear": 4, "reset_peak": 8}

REQUEST_WRITES = 2
WATCH_WRITES = 3

#: Places of Watch.reached, in the order of asnap_watch_kind.
WATCH_KINDS = ("size", "block", "count", "failed")

#: asnap_naming_extent.
NAMING_WHOLE, NAMING_UNTIL_STOPPED, NAMING_NOTHING = 0, 1, 2

_ERROR = c_void_p  # struct asnap_error *, NULL on success
_OUT = POINTER(c_void_p)
_OBJECT = c_void_p

# Every function of allocsnap.h: what it returns and takes; those of allocsnap_graph.h are in
# graph_types.py. A test compares the names with the header's.
FUNCTIONS = {
    "asnap_version": (c_char_p, []),
    "asnap_error_code": (c_int, [_ERROR]),
    "asnap_error_message": (c_char_p, [_ERROR]),
    "asnap_error_errno": (c_int, [_ERROR]),
    "asnap_error_path": (c_char_p, [_ERROR]),
    "asnap_error_destroy": (None, [_ERROR]),
    "asnap_named_by_text": (c_char_p, [c_int]),
    "asnap_core_map_create": (_ERROR, [c_char_p, _OUT]),
    "asnap_core_map_count": (c_size_t, [_OBJECT]),
    "asnap_core_map_regions": (POINTER(Region), [_OBJECT]),
    "asnap_core_map_filled_up": (c_bool, [_OBJECT]),
    "asnap_core_map_dumped": (POINTER(Region), [_OBJECT, POINTER(c_size_t)]),
    "asnap_core_map_missing": (c_uint64, [_OBJECT]),
    "asnap_core_map_absent": (c_uint64, [_OBJECT, c_uint64, c_uint64]),
    "asnap_core_map_destroy": (None, [_OBJECT]),
    "asnap_core_threads_create": (_ERROR, [_OBJECT, _OUT]),
    "asnap_core_threads_list": (POINTER(Thread), [_OBJECT, POINTER(c_size_t)]),
    "asnap_core_threads_registers": (POINTER(Register), [_OBJECT, POINTER(c_size_t)]),
    "asnap_core_threads_main_stack": (c_uint64, [_OBJECT]),
    "asnap_core_threads_destroy": (None, [_OBJECT]),
    "asnap_own_ranges_create": (_ERROR, [POINTER(Memory), c_uint64, _OUT]),
    "asnap_own_ranges_list": (POINTER(AddressRange), [_OBJECT, POINTER(c_size_t)]),
    "asnap_own_ranges_destroy": (None, [_OBJECT]),
    "asnap_held_process_create": (_ERROR, [c_int, POINTER(Progress), _OUT]),
    "asnap_held_process_of_stopped": (_ERROR, [c_int, POINTER(c_int), c_size_t, _OUT]),
    "asnap_held_process_threads": (POINTER(Thread), [_OBJECT, POINTER(c_size_t)]),
    "asnap_held_process_registers": (POINTER(Register), [_OBJECT, POINTER(c_size_t)]),
    "asnap_held_process_destroy": (None, [_OBJECT]),
    "asnap_mapped_symbols_create": (_ERROR, [_OBJECT, _OUT]),
    "asnap_mapped_symbols_at": (
        _ERROR,
        [_OBJECT, c_uint64, POINTER(SymbolPlace), POINTER(c_bool)],
    ),
    "asnap_mapped_symbols_named": (
        _ERROR,
        [_OBJECT, c_char_p, POINTER(SymbolPlace), c_size_t, POINTER(c_size_t)],
    ),
    "asnap_mapped_symbols_destroy": (None, [_OBJECT]),
    "asnap_direct_memory_of_process": (_ERROR, [c_int, POINTER(Memory), _OUT]),
    "asnap_direct_memory_of_core": (_ERROR, [_OBJECT, POINTER(Memory), _OUT]),
    "asnap_direct_memory_set_progress": (None, [_OBJECT, POINTER(Progress)]),
    "asnap_direct_memory_reader": (POINTER(Memory), [_OBJECT]),
    "asnap_direct_memory_destroy": (None, [_OBJECT]),
    "asnap_root_find": (
        _ERROR,
        [
            POINTER(Memory),
            c_uint64,
            POINTER(Region),
            c_size_t,
            POINTER(Progress),
            POINTER(c_uint64),
        ],
    ),
    "asnap_status_read": (_ERROR, [POINTER(Memory), c_uint64, POINTER(Status)]),
    "asnap_request_prepare": (
        _ERROR,
        [POINTER(Memory), c_uint64, c_int, POINTER(Start), POINTER(Write)],
    ),
    "asnap_watch_read": (_ERROR, [POINTER(Memory), c_uint64, POINTER(Watch)]),
    "asnap_watch_prepare": (
        _ERROR,
        [POINTER(Memory), c_uint64, POINTER(WatchLimits), POINTER(Write)],
    ),
    "asnap_raw_read": (_ERROR, [POINTER(Memory), c_uint64, c_bool, POINTER(Progress), _OUT]),
    "asnap_freed_read": (
        _ERROR,
        [POINTER(Memory), c_uint64, c_bool, POINTER(Progress), POINTER(Freed), _OUT],
    ),
    "asnap_errors_read": (
        _ERROR,
        [POINTER(Memory), c_uint64, c_bool, POINTER(Progress), POINTER(Errors), _OUT],
    ),
    "asnap_totals_read": (
        _ERROR,
        [POINTER(Memory), c_uint64, c_bool, POINTER(Progress), c_int, POINTER(TotalsTold), _OUT],
    ),
    "asnap_history_read": (_ERROR, [POINTER(Memory), c_uint64, POINTER(History)]),
    "asnap_snapshot_recount": (_ERROR, [_OBJECT, POINTER(c_uint64)]),
    "asnap_snapshot_stack_count": (c_size_t, [_OBJECT]),
    "asnap_snapshot_stack": (StackSum, [_OBJECT, c_size_t]),
    "asnap_raw_set_missing": (None, [_OBJECT, c_uint64]),
    "asnap_raw_add_note": (_ERROR, [_OBJECT, c_char_p]),
    "asnap_raw_trace_count": (c_size_t, [_OBJECT]),
    "asnap_raw_destroy": (None, [_OBJECT]),
    "asnap_symbolizer_create": (_ERROR, [c_char_p, _OUT]),
    "asnap_symbolizer_set_regions": (
        _ERROR,
        [_OBJECT, POINTER(Memory), POINTER(Region), c_size_t],
    ),
    "asnap_symbolizer_set_files": (_ERROR, [_OBJECT, POINTER(c_char_p), c_size_t]),
    "asnap_symbolizer_set_seen_files": (
        _ERROR,
        [_OBJECT, POINTER(c_char_p), POINTER(c_char_p), c_size_t],
    ),
    "asnap_symbolizer_set_debugger": (None, [_OBJECT, POINTER(Debugger)]),
    "asnap_symbolizer_name": (
        _ERROR,
        [_OBJECT, POINTER(c_uint64), c_size_t, POINTER(Progress), POINTER(NamedPc)],
    ),
    "asnap_symbolizer_variable": (
        _ERROR,
        [_OBJECT, c_uint64, c_uint64, c_bool, POINTER(Variable)],
    ),
    "asnap_symbolizer_read_apart": (None, [_OBJECT, c_bool]),
    "asnap_symbolizer_destroy": (None, [_OBJECT]),
    "asnap_snapshot_create": (_ERROR, [_OBJECT, _OBJECT, c_int, POINTER(Progress), _OUT]),
    "asnap_snapshot_symbolize": (_ERROR, [_OBJECT, _OBJECT, POINTER(Progress), _OUT]),
    "asnap_snapshot_destroy": (None, [_OBJECT]),
    "asnap_snapshot_size": (c_uint64, [_OBJECT]),
    "asnap_snapshot_sample_period": (c_uint64, [_OBJECT]),
    "asnap_block_estimate": (Estimate, [c_uint64, c_uint64]),
    "asnap_snapshot_estimate": (Estimate, [_OBJECT]),
    "asnap_snapshot_count": (c_uint64, [_OBJECT]),
    "asnap_snapshot_traceback_limit": (c_uint32, [_OBJECT]),
    "asnap_snapshot_note_count": (c_size_t, [_OBJECT]),
    "asnap_snapshot_note": (c_char_p, [_OBJECT, c_size_t]),
    "asnap_snapshot_traces": (_ERROR, [_OBJECT, POINTER(POINTER(Trace))]),
    "asnap_snapshot_find": (_ERROR, [_OBJECT, c_uint64, POINTER(c_bool), POINTER(Trace)]),
    "asnap_snapshot_class": (c_char_p, [_OBJECT, POINTER(Trace)]),
    "asnap_snapshot_largest": (_ERROR, [_OBJECT, c_size_t, POINTER(c_uint32)]),
    "asnap_snapshot_oldest": (_ERROR, [_OBJECT, c_size_t, POINTER(c_uint32)]),
    "asnap_snapshot_thread_count": (c_size_t, [_OBJECT]),
    "asnap_snapshot_thread": (c_uint32, [_OBJECT, c_uint32]),
    "asnap_snapshot_start_time": (c_uint64, [_OBJECT]),
    "asnap_snapshot_newest_time": (c_uint32, [_OBJECT]),
    "asnap_snapshot_domain_name": (c_char_p, [_OBJECT, c_uint32]),
    "asnap_snapshot_domain_count": (c_size_t, [_OBJECT]),
    "asnap_snapshot_domain": (c_uint32, [_OBJECT, c_size_t]),
    "asnap_snapshot_traceback_count": (c_size_t, [_OBJECT]),
    "asnap_snapshot_tracebacks": (POINTER(Traceback), [_OBJECT]),
    "asnap_snapshot_frame_id_count": (c_size_t, [_OBJECT]),
    "asnap_snapshot_frame_ids": (POINTER(c_uint32), [_OBJECT]),
    "asnap_snapshot_frame_count": (c_size_t, [_OBJECT]),
    "asnap_snapshot_frame": (Frame, [_OBJECT, c_uint32]),
    "asnap_snapshot_frames": (None, [_OBJECT, c_uint32, c_size_t, POINTER(Frame)]),
    "asnap_snapshot_frame_address": (c_uint64, [_OBJECT, c_uint32]),
    "asnap_snapshot_place": (Place, [_OBJECT, c_uint32]),
    "asnap_snapshot_places": (None, [_OBJECT, c_uint32, c_size_t, POINTER(Place)]),
    "asnap_snapshot_mapping_count": (c_size_t, [_OBJECT]),
    "asnap_snapshot_mapping": (Mapping, [_OBJECT, c_size_t]),
    "asnap_snapshot_frame_mapping": (c_uint32, [_OBJECT, c_uint32]),
    "asnap_snapshot_attribute_count": (c_size_t, [_OBJECT]),
    "asnap_snapshot_attribute": (Attribute, [_OBJECT, c_size_t]),
    "asnap_builder_create": (_ERROR, [_OUT]),
    "asnap_builder_destroy": (None, [_OBJECT]),
    "asnap_builder_frame": (
        _ERROR,
        [_OBJECT, POINTER(Frame), c_uint64, c_uint32, POINTER(c_uint32)],
    ),
    "asnap_builder_offset": (_ERROR, [_OBJECT, c_uint32, c_uint64]),
    "asnap_builder_allocates": (_ERROR, [_OBJECT, c_uint32, c_char_p]),
    "asnap_builder_traceback": (
        _ERROR,
        [_OBJECT, POINTER(c_uint32), c_size_t, c_uint32, POINTER(c_uint32)],
    ),
    "asnap_builder_tracebacks": (
        _ERROR,
        [
            _OBJECT,
            POINTER(c_uint32),
            POINTER(c_uint32),
            POINTER(c_uint32),
            c_size_t,
            POINTER(c_uint32),
        ],
    ),
    "asnap_builder_threads": (_ERROR, [_OBJECT, POINTER(c_uint32), c_size_t]),
    "asnap_builder_start_time": (_ERROR, [_OBJECT, c_uint64]),
    "asnap_builder_sample_period": (_ERROR, [_OBJECT, c_uint64]),
    "asnap_builder_traces": (_ERROR, [_OBJECT, POINTER(Trace), c_size_t]),
    "asnap_builder_take_traces": (_ERROR, [_OBJECT, POINTER(Trace), c_size_t]),
    "asnap_builder_note": (_ERROR, [_OBJECT, c_char_p]),
    "asnap_builder_domain_name": (_ERROR, [_OBJECT, c_uint32, c_char_p]),
    "asnap_builder_mapping": (_ERROR, [_OBJECT, POINTER(Mapping)]),
    "asnap_builder_attribute": (_ERROR, [_OBJECT, c_char_p, c_char_p]),
    "asnap_builder_finish": (_ERROR, [_OBJECT, c_uint32, _OUT]),
    "asnap_cpython_find": (
        _ERROR,
        [
            POINTER(Memory),
            POINTER(CpythonSymbols),
            POINTER(Region),
            c_size_t,
            POINTER(Progress),
            POINTER(Cpython),
        ],
    ),
    "asnap_cpython_snapshot": (
        _ERROR,
        [
            POINTER(Memory),
            POINTER(Cpython),
            POINTER(Region),
            c_size_t,
            POINTER(c_char_p),
            c_size_t,
            POINTER(Progress),
            _OUT,
        ],
    ),
    "asnap_snapshot_dump": (_ERROR, [_OBJECT, c_char_p, POINTER(Attribute), c_size_t]),
    "asnap_snapshot_dump_tracemalloc": (
        _ERROR,
        [_OBJECT, c_char_p, POINTER(Attribute), c_size_t],
    ),
    "asnap_snapshot_load": (_ERROR, [c_char_p, _OUT]),
    "asnap_naming_summary_create": (_ERROR, [_OBJECT, _OUT]),
    "asnap_naming_summary_destroy": (None, [_OBJECT]),
    "asnap_naming_summary_count": (c_size_t, [_OBJECT]),
    "asnap_naming_summary_part": (NamingPart, [_OBJECT, c_size_t]),
    "asnap_snapshot_unnamed_count": (c_size_t, [_OBJECT]),
    "asnap_snapshot_slice": (_ERROR, [_OBJECT, c_size_t, c_size_t, _OUT]),
    "asnap_snapshot_filter": (_ERROR, [_OBJECT, POINTER(Filter), c_size_t, _OUT]),
    "asnap_snapshot_skipped_frames": (c_uint32, [_OBJECT, c_uint32]),
    "asnap_skip_set": (POINTER(SkipSet), [c_size_t]),
    "asnap_snapshot_has_own": (_ERROR, [_OBJECT, c_char_p, POINTER(c_bool)]),
    "asnap_snapshot_skip": (_ERROR, [_OBJECT, POINTER(SkipRules), _OUT]),
    "asnap_key_describe": (POINTER(KeyDescription), [c_int]),
    "asnap_statistics_create": (_ERROR, [_OBJECT, c_int, c_bool, _OUT]),
    "asnap_statistics_destroy": (None, [_OBJECT]),
    "asnap_statistics_count": (c_size_t, [_OBJECT]),
    "asnap_statistics_row": (Statistic, [_OBJECT, c_size_t]),
    "asnap_statistics_frame": (Frame, [_OBJECT, c_size_t, c_size_t]),
    "asnap_statistics_rows": (None, [_OBJECT, c_size_t, c_size_t, POINTER(Statistic)]),
    "asnap_statistics_frames": (None, [_OBJECT, c_size_t, POINTER(Frame)]),
    "asnap_statistics_place": (Place, [_OBJECT, c_size_t, c_size_t]),
    "asnap_statistics_places": (None, [_OBJECT, c_size_t, POINTER(Place)]),
    "asnap_statistics_label": (c_char_p, [_OBJECT, c_size_t, c_char_p]),
    "asnap_statistics_bounds": (Bounds, [_OBJECT, c_size_t]),
    "asnap_statistics_detail": (_ERROR, [_OBJECT, c_size_t, POINTER(Detail)]),
    "asnap_statistics_blocks": (_ERROR, [_OBJECT, _OBJECT, c_size_t, _OUT]),
    "asnap_statistics_estimate": (Estimate, [_OBJECT, c_size_t]),
    "asnap_statistics_total_estimate": (Estimate, [_OBJECT]),
    "asnap_statistics_sample_period": (c_uint64, [_OBJECT]),
    "asnap_statistics_total_size": (c_uint64, [_OBJECT]),
    "asnap_statistics_total_count": (c_uint64, [_OBJECT]),
    "asnap_statistics_key": (c_int, [_OBJECT]),
    "asnap_statistics_cumulative": (c_bool, [_OBJECT]),
    "asnap_statistics_note_count": (c_size_t, [_OBJECT]),
    "asnap_statistics_note": (c_char_p, [_OBJECT, c_size_t]),
    "asnap_diff_create": (_ERROR, [_OBJECT, _OBJECT, c_int, c_bool, _OUT]),
    "asnap_diff_destroy": (None, [_OBJECT]),
    "asnap_diff_count": (c_size_t, [_OBJECT]),
    "asnap_diff_row": (StatisticDiff, [_OBJECT, c_size_t]),
    "asnap_diff_frame": (Frame, [_OBJECT, c_size_t, c_size_t]),
    "asnap_diff_rows": (None, [_OBJECT, c_size_t, c_size_t, POINTER(StatisticDiff)]),
    "asnap_diff_frames": (None, [_OBJECT, c_size_t, POINTER(Frame)]),
    "asnap_diff_place": (Place, [_OBJECT, c_size_t, c_size_t]),
    "asnap_diff_places": (None, [_OBJECT, c_size_t, POINTER(Place)]),
    "asnap_diff_label": (c_char_p, [_OBJECT, c_size_t, c_char_p]),
    "asnap_diff_bounds": (Bounds, [_OBJECT, c_size_t]),
    "asnap_diff_detail": (_ERROR, [_OBJECT, c_size_t, POINTER(Detail)]),
    "asnap_diff_estimates": (None, [_OBJECT, c_size_t, POINTER(Estimate)]),
    "asnap_diff_total_estimates": (None, [_OBJECT, POINTER(Estimate)]),
    "asnap_diff_sample_periods": (None, [_OBJECT, POINTER(c_uint64)]),
    "asnap_diff_total": (StatisticDiff, [_OBJECT]),
    "asnap_diff_key": (c_int, [_OBJECT]),
    "asnap_diff_cumulative": (c_bool, [_OBJECT]),
    "asnap_diff_note_count": (c_size_t, [_OBJECT]),
    "asnap_diff_note": (c_char_p, [_OBJECT, c_size_t]),
    "asnap_format_size": (None, [c_int64, c_bool, c_char_p, c_size_t]),
    "asnap_render_statistics": (_ERROR, [_OBJECT, c_int, POINTER(RenderOptions), _OUT]),
    "asnap_render_diff": (_ERROR, [_OBJECT, c_int, POINTER(RenderOptions), _OUT]),
    "asnap_render_traces": (_ERROR, [_OBJECT, c_int, POINTER(RenderOptions), _OUT]),
    "asnap_render_lives": (_ERROR, [_OBJECT, c_uint64, c_int, POINTER(RenderOptions), _OUT]),
    "asnap_render_errors": (
        _ERROR,
        [_OBJECT, POINTER(Errors), c_int, POINTER(RenderOptions), _OUT],
    ),
    "asnap_render_who": (_ERROR, [_OBJECT, c_uint64, c_int, POINTER(RenderOptions), _OUT]),
    "asnap_string_destroy": (None, [c_void_p]),
}

_library = None


def library():
    """The loaded library with every function declared."""
    global _library
    if _library is None:
        _library = _load(library_path())
    return _library


def declare(functions):
    """Adds to FUNCTIONS, where another module has those of a part of the library."""
    FUNCTIONS.update(functions)
    if _library is not None:
        _declare(_library, functions)


def _declare(loaded, functions):
    for name, (result, arguments) in functions.items():
        function = getattr(loaded, name)
        function.restype = result
        function.argtypes = arguments


def _load(path):
    # A debugger can hold elfutils' libdw, several of whose functions have the names
    # of libdwarf's: the library must see its own dependencies first.
    mode = ctypes.RTLD_LOCAL | os.RTLD_NOW | getattr(os, "RTLD_DEEPBIND", 0)
    try:
        loaded = ctypes.CDLL(path, mode=mode)
    except OSError as error:
        raise AllocsnapError(
            "{} cannot be loaded ({}): rebuild it with `make`, or set ALLOCSNAP_LIBRARY".format(
                path, error
            ),
            ErrorCode.IO,
        ) from None
    found = "of an unknown version"
    try:
        loaded.asnap_version.restype = c_char_p
        found = text_of(loaded.asnap_version())
        if found == __version__:
            _declare(loaded, FUNCTIONS)
            return loaded
    except AttributeError as error:
        found += " ({})".format(one_line(error))
    raise AllocsnapError(
        "{} is {}, the Python package is {}: install or build both from one version,"
        " or set ALLOCSNAP_LIBRARY".format(path, found, __version__),
        ErrorCode.VERSION,
    )


#: How memoryview and array call them.
_VIEWED = {c_uint64: "Q", c_int64: "q", c_size_t: "Q", c_uint32: "I"}


def columns(view, structure):
    """{field: its values} of structures side by side in a memoryview of bytes, each a
    memoryview itself: nothing is copied. For structures of integers."""
    found = {}
    for name, kind in structure._fields_:
        place, size = getattr(structure, name), ctypes.sizeof(kind)
        stride = ctypes.sizeof(structure) // size
        found[name] = view.cast(_VIEWED[kind])[place.offset // size :: stride]
    return found


def text_of(raw):
    """A string of the library's own; bytes that are not UTF-8 are shown escaped."""
    return "" if raw is None else raw.decode("utf-8", "backslashreplace")


def shown_name(raw):
    """A name from anywhere, to be printed."""
    return "" if raw is None else printable(raw)


def named_by_text(number):
    """The word for an asnap_named_by; None where there is none."""
    raw = library().asnap_named_by_text(number)
    return None if raw is None else text_of(raw)


def check(error):
    """Raises the error that a library function returned, if it did."""
    if not error:
        return
    lib = library()
    code = lib.asnap_error_code(error)
    message = text_of(lib.asnap_error_message(error))
    path, number = lib.asnap_error_path(error), lib.asnap_error_errno(error)
    lib.asnap_error_destroy(error)
    filename = None if path is None else os.fsdecode(path)
    raise AllocsnapError(message, ErrorCode(code), filename, number or None)
