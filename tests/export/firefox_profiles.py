"""Firefox Profiler's processed profiles of version 60, by its documented types: src/types/profile.ts and
docs-developer/CHANGELOG-formats.md of firefox-devtools/profiler. No npm package has them."""

import collections
import json
from typing import Any, NamedTuple

VERSION = 60
CUT = ("[beyond the frame limit]", None, None)

#: Columns of each table of `shared`: a type, or the table that they lead into; None: it may be null,
#: -1: -1 stands for none.
SHARED = {
    "stackTable": {"frame": ("frameTable",), "prefix": ("stackTable", None)},
    "frameTable": {
        "address": (int,), "inlineDepth": (int,), "category": (int,), "subcategory": (int,),
        "func": ("funcTable",), "nativeSymbol": ("nativeSymbols", None), "innerWindowID": (int, None),
        "line": (int, None), "column": (int, None),
    },
    "funcTable": {
        "name": ("stringArray",), "isJS": (bool,), "relevantForJS": (bool,), "resource": ("resourceTable", -1),
        "source": ("sources", None), "lineNumber": (int, None), "columnNumber": (int, None),
    },
    "resourceTable": {
        "lib": ("libs", None), "name": ("stringArray",), "host": ("stringArray", None), "type": (int,),
    },
    "nativeSymbols": {
        "libIndex": ("libs",), "address": (int,), "name": ("stringArray",), "functionSize": (int, None),
    },
    "sources": {"uuid": (str, None), "filename": ("stringArray",)},
}
LIB = ("arch", "name", "path", "debugName", "debugPath", "breakpadId", "codeId")
THREAD = {
    "processType": str, "processStartupTime": int, "processShutdownTime": type(None), "registerTime": int,
    "unregisterTime": type(None), "pausedRanges": list, "isMainThread": bool, "pid": str, "tid": int,
    "name": str, "markers": dict, "samples": dict,
}
MARKERS = ("data", "name", "startTime", "endTime", "phase", "category")
META = {
    "version": int, "preprocessedProfileVersion": int, "product": str, "importedFrom": str, "interval": int,
    "processType": int, "stackwalk": int, "startTime": int, "symbolicated": bool,
    "symbolicationNotSupported": bool, "usesOnlyOneStackType": bool, "sourceCodeIsNotOnSearchfox": bool,
    "keepProfileThreadOrder": bool, "initialVisibleThreads": list, "initialSelectedThreads": list,
    "categories": list, "markerSchema": list, "extra": list,
}


class Profile(NamedTuple):
    whole: Any
    selected: int  # the thread that is shown first
    names: Any  # of the threads
    sizes: Any  # {((function, file, line), ..., the oldest first): bytes}
    counts: Any  # the same of blocks
    notes: Any


def load(case, path):
    """The Profile in a file, all of which is as documented."""
    with open(path, encoding="utf-8") as file:
        whole = json.load(file)
    case.assertEqual(set(whole), {"meta", "libs", "shared", "threads"})
    check_types(case, whole["meta"], META)
    case.assertEqual(whole["meta"]["preprocessedProfileVersion"], VERSION)
    case.assertEqual(
        whole["meta"]["categories"], [{"name": "Other", "color": "grey", "subcategories": ["Other"]}]
    )
    for lib in whole["libs"]:
        case.assertEqual(tuple(lib), LIB)
        case.assertTrue(all(isinstance(lib[name], str) for name in LIB[:-1]))
        case.assertIsInstance(lib["codeId"], (str, type(None)))
    check_shared(case, whole)
    sizes, counts = whole["threads"]
    for place, thread in enumerate((sizes, counts)):
        check_types(case, {name: thread[name] for name in thread if name != "nativeAllocations"}, THREAD)
        case.assertEqual(thread["tid"], place)
        case.assertEqual(thread["markers"], dict({name: [] for name in MARKERS}, length=0))
    case.assertEqual(sizes["samples"]["length"], 0)
    case.assertNotIn("nativeAllocations", counts)
    (selected,) = whole["meta"]["initialSelectedThreads"]
    (section,) = whole["meta"]["extra"]
    for entry in section["entries"]:
        case.assertEqual((entry["label"], entry["format"]), ("Note", "string"))
    return Profile(
        whole,
        selected,
        [sizes["name"], counts["name"]],
        weights(case, whole, sizes["nativeAllocations"], "bytes"),
        weights(case, whole, counts["samples"], "samples"),
        [entry["value"] for entry in section["entries"]],
    )


def check_types(case, fields, types):
    case.assertEqual(set(fields), set(types))
    for name, kind in types.items():
        case.assertIs(type(fields[name]), kind, name)


def check_shared(case, whole):
    shared = whole["shared"]
    case.assertEqual(set(shared), set(SHARED) | {"stringArray"})
    lengths = {name: shared[name]["length"] for name in SHARED}
    lengths.update(stringArray=len(shared["stringArray"]), libs=len(whole["libs"]))
    case.assertTrue(all(isinstance(text, str) for text in shared["stringArray"]))
    for name, columns in SHARED.items():
        case.assertEqual(set(shared[name]), set(columns) | {"length"}, name)
        for column, (kind, *nothing) in columns.items():
            cells = shared[name][column]
            case.assertEqual(len(cells), lengths[name], (name, column))
            for cell in cells:
                if nothing and cell == nothing[0]:
                    continue
                if isinstance(kind, str):
                    case.assertTrue(type(cell) is int and 0 <= cell < lengths[kind], (name, column, cell))
                else:
                    case.assertIs(type(cell), kind, (name, column))
    for place, prefix in enumerate(shared["stackTable"]["prefix"]):
        case.assertTrue(prefix is None or prefix < place)
    pairs = list(zip(shared["stackTable"]["frame"], shared["stackTable"]["prefix"]))
    case.assertEqual(len(set(pairs)), len(pairs))
    case.assertEqual(set(shared["frameTable"]["category"]) | {0}, {0})


def weights(case, whole, table, kind):
    """{stack: weight} of a table of samples or allocations."""
    case.assertEqual(set(table), {"weightType", "time", "weight", "stack", "length"})
    case.assertEqual(table["weightType"], kind)
    case.assertEqual([len(table[name]) for name in ("time", "weight", "stack")], [table["length"]] * 3)
    case.assertEqual(len(set(table["stack"])), table["length"])
    case.assertEqual(set(table["time"]) | {0}, {0})
    found = collections.Counter()
    for place, weight in zip(table["stack"], table["weight"]):
        case.assertIs(type(weight), int)
        found[tuple(stack(whole["shared"], place))] += weight
    return dict(found)


def stack(shared, place):
    """[(function, file, line)] of a stack, the oldest first."""
    frames, functions, strings = shared["frameTable"], shared["funcTable"], shared["stringArray"]
    found = []
    while place is not None:
        frame = shared["stackTable"]["frame"][place]
        function = frames["func"][frame]
        source = functions["source"][function]
        path = None if source is None else strings[shared["sources"]["filename"][source]]
        found.append((strings[functions["name"][function]], path, frames["line"][frame]))
        place = shared["stackTable"]["prefix"][place]
    return found[::-1]
