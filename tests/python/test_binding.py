"""The binding and the header say the same."""

import ctypes
import os
import re
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PACKAGE = os.path.join(ROOT, "core", "python", "allocsnap")
sys.path.insert(0, os.path.dirname(PACKAGE))

# pylint: disable=wrong-import-position
from allocsnap import __version__, errors  # noqa: E402
from allocsnap.library import (  # noqa: E402
    exports, graph_types, heaps, interpreters, keys as key_table, native, report_page, structures as layouts,
)
from allocsnap.library.keys import keys  # noqa: E402


HEADERS = tuple(
    "allocsnap_%s.h" % topic
    for topic in ("base", "inferior", "tracing", "names", "snapshot", "cpython", "statistics", "graph", "heaps", "render",
                  "export", "report")
)


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def header():
    """The header, all its parts, without comments."""
    text = "".join(read("core", "include", name) for name in HEADERS)
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S)


def enumerators(name):
    """{enumerator: value} of an enum of the header."""
    body = re.search(r"enum %s \{(.*?)\}" % name, header(), re.S).group(1)
    found, value = {}, -1
    for part in body.split(","):
        if part.strip():
            word, _, given = part.partition("=")
            value = int(given) if given.strip() else value + 1
            found[word.strip()] = value
    return found


def fields(name):
    """The names of a struct's fields, in order."""
    body = re.search(r"struct %s \{(.*?)\}" % name, header(), re.S).group(1)
    return re.findall(r"(\w+)(?:\[\w+\]|\)\([^;]*\))?;", body)


class Binding(unittest.TestCase):
    def test_every_function_is_bound(self):
        declared = re.findall(r"ASNAP_API[^;(]*?\b(asnap_\w+)\(([^;]*)\);", header())
        self.assertEqual(sorted(name for name, _ in declared), sorted(native.FUNCTIONS))
        for name, arguments in declared:
            count = 0 if arguments.strip() == "void" else arguments.count(",") + 1
            self.assertEqual(count, len(native.FUNCTIONS[name][1]), name)

    def test_enumerators(self):
        self.assertEqual(
            {"ASNAP_ERROR_" + code.name: code.value for code in errors.ErrorCode},
            enumerators("asnap_error_code"),
        )
        self.assertEqual(
            {"ASNAP_KEY_" + name.upper(): key.number for name, key in keys().items()},
            enumerators("asnap_key"),
        )
        self.assertEqual(
            {name: getattr(key_table, name[len("ASNAP_") :]) for name in enumerators("asnap_label_kind")},
            enumerators("asnap_label_kind"),
        )
        self.assertIn("#define ASNAP_LABEL_SIZE {}\n".format(key_table.LABEL_SIZE), header())
        self.assertEqual(
            {"ASNAP_REQUEST_" + key.upper(): value for key, value in native.REQUESTS.items()},
            enumerators("asnap_request"),
        )
        self.assertEqual(
            {"ASNAP_ORDER_" + key.upper(): value for key, value in native.ORDERS.items()},
            enumerators("asnap_trace_order"),
        )
        self.assertEqual(
            {"ASNAP_FORMAT_" + key.upper(): value[0] for key, value in native.FORMATS.items()},
            enumerators("asnap_format"),
        )
        self.assertIn("#define ASNAP_NO_MAPPING UINT32_MAX\n", header())
        self.assertIn("#define ASNAP_TIME_UNKNOWN UINT32_MAX\n", header())
        self.assertIn(
            "#define ASNAP_TOTAL_UNKNOWN UINT32_MAX\n", header()
        )
        self.assertIn(
            "#define ASNAP_TIMES_PER_SECOND UINT32_C({})\n".format(native.TIMES_PER_SECOND),
            header(),
        )
        self.assertIn(
            "#define ASNAP_REQUEST_WRITES {}\n".format(native.REQUEST_WRITES),
            header(),
        )
        self.assertEqual(
            [native.READ_OK, native.READ_FAILED, native.READ_INTERRUPTED],
            list(enumerators("asnap_read_result").values()),
        )
        self.assertEqual(
            [native.REGION_READABLE, native.REGION_WRITABLE, native.REGION_EXECUTABLE],
            list(enumerators("asnap_region_flags").values()),
        )

    def test_enumerators_of_the_graph(self):
        self.assertEqual(
            {"ASNAP_REACH_" + key.upper(): value for key, value in graph_types.REACH.items()},
            {
                name: value
                for name, value in enumerators("asnap_reach_class").items()
                if name not in ("ASNAP_REACH_UNKNOWN", "ASNAP_REACH_CLASSES")
            },
        )
        self.assertEqual(
            {"ASNAP_GAPS_" + key.upper(): value for key, value in graph_types.GAPS.items()},
            enumerators("asnap_gaps"),
        )
        for enum in ("asnap_root_kind", "asnap_beside"):
            for name, value in enumerators(enum).items():
                if name not in ("ASNAP_ROOT_KINDS", "ASNAP_BESIDE_NOTHING"):
                    self.assertEqual(getattr(graph_types, name[len("ASNAP_") :]), value)
        self.assertIn("#define ASNAP_GRAPH_NO_BLOCK UINT32_MAX\n", header())

    def test_enumerators_of_heaps(self):
        names = ["ASNAP_CHUNK_" + name.upper() for name in heaps.USES]
        self.assertEqual(names + ["ASNAP_CHUNK_USES"], list(enumerators("asnap_chunk_use")))

    def test_export_formats(self):
        self.assertEqual(
            {"ASNAP_EXPORT_" + name.upper(): form.number for name, form in exports.formats().items()},
            enumerators("asnap_export_format"),
        )

    def test_structures(self):
        structures = {
            "asnap_memory": native.Memory,
            "asnap_progress": native.Progress,
            "asnap_region": native.Region,
            "asnap_status": native.Status,
            "asnap_write": native.Write,
            "asnap_frame": native.Frame,
            "asnap_named_pc": native.NamedPc,
            "asnap_variable": native.Variable,
            "asnap_thread_local": graph_types.ThreadLocal,
            "asnap_trace": native.Trace,
            "asnap_traceback": native.Traceback,
            "asnap_mapping": native.Mapping,
            "asnap_attribute": native.Attribute,
            "asnap_statistic": native.Statistic,
            "asnap_statistic_diff": native.StatisticDiff,
            "asnap_filter": native.Filter,
            "asnap_render_marks": layouts.RenderMarks,
            "asnap_render_options": native.RenderOptions,
            "asnap_address_range": native.AddressRange,
            "asnap_thread": native.Thread,
            "asnap_register": native.Register,
            "asnap_root": graph_types.Root,
            "asnap_graph_facts": graph_types.GraphFacts,
            "asnap_graph_block_info": graph_types.GraphBlockInfo,
            "asnap_reference": graph_types.Reference,
            "asnap_beside_sum": graph_types.BesideSum,
            "asnap_cpython_arena": interpreters.Arena,
            "asnap_cpython_class": interpreters.BlockClass,
            "asnap_heap_facts": heaps.HeapFacts,
            "asnap_heap_sum": heaps.HeapSum,
            "asnap_heap_area": heaps.HeapArea,
            "asnap_heap_chunk": heaps.HeapChunk,
            "asnap_export_description": exports.ExportDescription,
            "asnap_export_options": exports.ExportOptions,
            "asnap_report_fact": report_page.ReportFact,
            "asnap_report_way": report_page.ReportWay,
            "asnap_report_options": report_page.ReportOptions,
        }
        for name, structure in structures.items():
            self.assertTrue(issubclass(structure, ctypes.Structure))
            self.assertEqual([field[0] for field in structure._fields_], fields(name), name)

    def test_version(self):
        makefile = re.search(r"^VERSION := (\S+)$", read("Makefile"), re.M)
        self.assertEqual(makefile.group(1), __version__)


if __name__ == "__main__":
    unittest.main()
