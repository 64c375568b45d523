"""The binding of allocsnap_graph.h: its functions and structures."""

import ctypes
from ctypes import POINTER, c_bool, c_char_p, c_int, c_size_t
from ctypes import c_uint32, c_uint64, c_void_p

from typing import Dict

from . import native
from .native import AddressRange, Memory, Progress, Region, Register, Thread, Trace


class Root(ctypes.Structure):
    """What is searched for pointers (asnap_root)."""

    _fields_ = [("start", c_uint64), ("end", c_uint64), ("kind", c_uint32), ("thread", c_uint32)]


#: asnap_gaps, by the word a user types.
GAPS: Dict[str, int] = {"auto": 0, "yes": 1, "no": 2}

#: asnap_reach_class, likewise; UNKNOWN is 0.
REACH: Dict[str, int] = {"reachable": 1, "possible": 2, "indirect": 3, "definite": 4}

#: asnap_root_kind.
(
    ROOT_REGISTER, ROOT_STACK, ROOT_TLS, ROOT_FILE, ROOT_MAPPING, ROOT_GAP, ROOT_RED_ZONE,
) = range(7)

#: asnap_beside.
BESIDE_INDIRECT, BESIDE_LEAKED, BESIDE_RETAINED, BESIDE_WITHIN = 1, 2, 3, 4

#: No block (ASNAP_GRAPH_NO_BLOCK), and no root.
NO_BLOCK = 2**32 - 1


class GraphFacts(ctypes.Structure):
    _fields_ = [
        ("memory", POINTER(Memory)),
        ("root_address", c_uint64),
        ("regions", POINTER(Region)),
        ("region_count", c_size_t),
        ("core", c_void_p),
        ("threads", POINTER(Thread)),
        ("thread_count", c_size_t),
        ("registers", POINTER(Register)),
        ("register_count", c_size_t),
        ("main_stack", c_uint64),
        ("no_heuristics", c_bool),
        ("gaps", c_uint32),
        ("tag_mask", c_uint64),
        ("progress", POINTER(Progress)),
        ("untouched", POINTER(AddressRange)),
        ("untouched_count", c_size_t),
        ("unsearched_bytes", c_uint64),
        ("structures", POINTER(AddressRange)),
        ("structure_count", c_size_t),
        ("is_completed", c_bool),
    ]


class GraphBlockInfo(ctypes.Structure):
    """What the graph knows of a block (asnap_graph_block_info)."""

    _fields_ = [
        ("trace", Trace),
        ("reach", c_uint32),
        ("owner", c_uint32),
        ("indirect_size", c_uint64),
        ("indirect_count", c_uint64),
        ("cycle_count", c_uint64),
        ("reference_count", c_uint64),
        ("referrer_count", c_uint64),
    ]


class Reference(ctypes.Structure):
    _fields_ = [
        ("place", c_uint64),
        ("block", c_uint32),
        ("root", c_uint32),
        ("inside", c_bool),
    ]


class ThreadLocal(ctypes.Structure):
    _fields_ = [
        ("start", c_uint64),
        ("end", c_uint64),
        ("file", c_uint64),
        ("thread", c_uint32),
    ]


class Suppression(ctypes.Structure):
    """A rule (asnap_suppression)."""

    _fields_ = [("rule", c_char_p), ("path", c_char_p), ("what", c_char_p), ("line", c_uint32)]


class BesideSum(ctypes.Structure):
    _fields_ = [
        ("size", c_uint64),
        ("count", c_uint64),
        ("cycles", c_uint64),
        ("cycle_count", c_uint64),
        ("exact_size", c_uint64),
        ("exact_count", c_uint64),
    ]


_ERROR = c_void_p
_OUT = POINTER(c_void_p)
_OBJECT = c_void_p

FUNCTIONS = {
    "asnap_reach_class_text": (c_char_p, [c_int]),
    "asnap_graph_create": (_ERROR, [_OBJECT, POINTER(GraphFacts), _OUT]),
    "asnap_graph_destroy": (None, [_OBJECT]),
    "asnap_graph_note_count": (c_size_t, [_OBJECT]),
    "asnap_graph_note": (c_char_p, [_OBJECT, c_size_t]),
    "asnap_graph_roots": (POINTER(Root), [_OBJECT, POINTER(c_size_t)]),
    "asnap_graph_sum": (None, [_OBJECT, c_int, POINTER(c_uint64), POINTER(c_uint64)]),
    "asnap_graph_block_count": (c_uint32, [_OBJECT]),
    "asnap_graph_block": (GraphBlockInfo, [_OBJECT, c_uint32]),
    "asnap_graph_find": (c_uint32, [_OBJECT, c_uint64]),
    "asnap_graph_block_of": (c_uint32, [_OBJECT, POINTER(Trace)]),
    "asnap_graph_select": (_ERROR, [_OBJECT, _OBJECT, c_uint32, _OUT]),
    "asnap_graph_filter": (_ERROR, [_OBJECT, _OBJECT, POINTER(native.Filter), c_size_t, _OUT]),
    "asnap_graph_hold": (_ERROR, [_OBJECT, POINTER(c_uint32), c_uint32, _OUT]),
    "asnap_graph_held": (
        None,
        [_OBJECT, c_uint32, c_uint32, POINTER(c_uint64), POINTER(c_uint64)],
    ),
    "asnap_graph_released": (None, [_OBJECT, c_uint32, POINTER(c_uint64), POINTER(c_uint64)]),
    "asnap_suppressions_create": (_ERROR, [c_bool, _OUT]),
    "asnap_suppressions_destroy": (None, [_OBJECT]),
    "asnap_suppressions_read": (_ERROR, [_OBJECT, c_char_p]),
    "asnap_suppressions_count": (c_uint32, [_OBJECT]),
    "asnap_suppressions_rule": (Suppression, [_OBJECT, c_uint32]),
    "asnap_graph_suppress": (
        _ERROR,
        [_OBJECT, _OBJECT, _OBJECT, c_uint32, POINTER(Progress), _OUT],
    ),
    "asnap_graph_has_pointers": (c_bool, [_OBJECT]),
    "asnap_graph_dump": (
        _ERROR,
        [
            _OBJECT,
            _OBJECT,
            c_char_p,
            POINTER(native.Attribute),
            c_size_t,
            POINTER(Progress),
        ],
    ),
    "asnap_graph_load": (_ERROR, [c_char_p, _OUT, _OUT]),
    "asnap_graph_rename": (_ERROR, [_OBJECT, _OBJECT, _OBJECT, POINTER(Progress), _OUT]),
    "asnap_graph_references": (
        None,
        [_OBJECT, c_uint32, POINTER(Reference), c_size_t, POINTER(c_size_t)],
    ),
    "asnap_graph_references_from": (
        None,
        [_OBJECT, c_uint32, c_uint64, POINTER(Reference), c_size_t, POINTER(c_size_t)],
    ),
    "asnap_graph_root_references": (
        None,
        [_OBJECT, c_uint64, POINTER(Reference), c_size_t, POINTER(c_size_t)],
    ),
    "asnap_graph_referrers": (
        _ERROR,
        [
            _OBJECT,
            c_uint32,
            POINTER(Reference),
            c_size_t,
            POINTER(c_size_t),
            POINTER(c_size_t),
        ],
    ),
    "asnap_graph_paths_create": (_ERROR, [_OBJECT, c_uint32, _OUT]),
    "asnap_graph_paths_next": (
        _ERROR,
        [_OBJECT, POINTER(Reference), POINTER(POINTER(c_uint32)), POINTER(c_size_t)],
    ),
    "asnap_graph_paths_destroy": (None, [_OBJECT]),
    "asnap_graph_retain": (_ERROR, [_OBJECT, POINTER(Progress)]),
    "asnap_graph_retained": (
        None,
        [_OBJECT, c_uint32, POINTER(c_uint64), POINTER(c_uint64)],
    ),
    "asnap_graph_top": (None, [_OBJECT, c_size_t, POINTER(c_uint32)]),
    "asnap_graph_retained_by": (
        _ERROR,
        [
            _OBJECT,
            POINTER(Trace),
            c_size_t,
            POINTER(c_uint32),
            c_uint32,
            POINTER(c_uint64),
            POINTER(c_uint64),
        ],
    ),
    "asnap_statistics_add_graph": (_ERROR, [_OBJECT, _OBJECT, _OBJECT, c_int]),
    "asnap_graph_retained_exactly": (
        _ERROR,
        [
            _OBJECT,
            POINTER(Trace),
            c_size_t,
            POINTER(c_uint32),
            c_uint32,
            POINTER(Progress),
            POINTER(c_uint64),
            POINTER(c_uint64),
        ],
    ),
    "asnap_statistics_add_exact": (
        _ERROR,
        [_OBJECT, _OBJECT, _OBJECT, c_size_t, POINTER(Progress)],
    ),
    "asnap_thread_local_list_create": (_ERROR, [POINTER(GraphFacts), _OUT]),
    "asnap_thread_local_list_destroy": (None, [_OBJECT]),
    "asnap_thread_local_list_find": (POINTER(ThreadLocal), [_OBJECT, c_uint64]),
    "asnap_vtable_list_create": (_ERROR, [_OBJECT, POINTER(GraphFacts), _OUT]),
    "asnap_vtable_list_destroy": (None, [_OBJECT]),
    "asnap_vtable_list_addresses": (POINTER(c_uint64), [_OBJECT, POINTER(c_size_t)]),
    "asnap_vtable_list_python": (c_bool, [_OBJECT, c_size_t, POINTER(c_char_p)]),
    "asnap_vtable_list_name": (_ERROR, [_OBJECT, _OBJECT, POINTER(c_char_p)]),
    "asnap_owner_list_create": (_ERROR, [_OBJECT, _OBJECT, POINTER(Progress), _OUT]),
    "asnap_owner_list_destroy": (None, [_OBJECT]),
    "asnap_owner_list_roots": (POINTER(Reference), [_OBJECT, POINTER(c_size_t)]),
    "asnap_owner_list_name": (_ERROR, [_OBJECT, _OBJECT, POINTER(c_char_p)]),
    "asnap_statistics_beside": (c_int, [_OBJECT]),
    "asnap_statistics_beside_sum": (BesideSum, [_OBJECT, c_size_t]),
}

native.declare(FUNCTIONS)
