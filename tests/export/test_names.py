"""Names of any bytes, in every format: the file is one, and nothing in it is obeyed."""

import csv
import ctypes
import gzip
import json
import os
import re
import sqlite3
import tracemalloc
import unicodedata

from e2e.harness import Case
from e2e.test_hostile_names import NASTY, SHOWN

from report.page_data import PageData

from . import firefox_profiles
from .test_pprof import Pprof

# pylint: disable=wrong-import-position,wrong-import-order
from allocsnap.library import exports, native, objects  # noqa: E402
from allocsnap.library.calls import Calls  # noqa: E402
from allocsnap.library.library_files import report_page_path  # noqa: E402
from allocsnap.printable import printable as shown  # noqa: E402

#: What breaks quotes, cells, statements, escapes and markup.
TRICKS = [
    NASTY,
    b"\"quoted\", 'so'; DROP TABLE blocks; -- \\",
    b"=cmd|' /C calc'!A0",
    b"+1", b"-1", b"@SUM(A1)", b"\t=1", b" ", "\uff1d1".encode(),
    b"</script><script>alert(1)</script>&amp;<!--",
    b"\\x41 \\u0041 \\n %s %n",
    b"a\rb\nc\r\nd", b"a;b#c 12", b"\x80\xff\xfe\xed\xa0\x80",
    "\u202e\u2066\ufeff\U0001f600".encode(), b"x" * 70000,
]


def nasty_snapshot(case):
    """A Snapshot of one block for each trick, which is all of its names."""
    library = native.library()
    builder = ctypes.c_void_p()
    native.check(library.asnap_builder_create(ctypes.byref(builder)))
    case.addCleanup(library.asnap_builder_destroy, builder)
    threads = (ctypes.c_uint32 * 2)(0, 4242)
    native.check(library.asnap_builder_threads(builder, threads, 2))
    native.check(library.asnap_builder_start_time(builder, 1700000000 * 10**9))
    for place, raw in enumerate(TRICKS):
        mapping = native.Mapping(0x1000 * place + 0x1000, 0x1000 * place + 0x2000, 0, raw, raw)
        native.check(library.asnap_builder_mapping(builder, ctypes.byref(mapping)))
        frames = (ctypes.c_uint32 * 2)()
        for number, frame in enumerate(
            [native.Frame(raw, raw, 3, True, 0), native.Frame(raw, None, 0, False, 0)]
        ):
            made = ctypes.c_uint32()
            native.check(
                library.asnap_builder_frame(
                    builder, ctypes.byref(frame), 0x1000 * place + 0x1100, place, ctypes.byref(made)
                )
            )
            frames[number] = made.value
        stack = ctypes.c_uint32()
        native.check(library.asnap_builder_traceback(builder, frames, 2, 9, ctypes.byref(stack)))
        block = (native.Trace * 1)(native.Trace(0x500000 + 64 * place, 48, stack.value, place, 1, 5))
        native.check(library.asnap_builder_traces(builder, block, 1))
        native.check(library.asnap_builder_domain_name(builder, place, raw))
        native.check(library.asnap_builder_note(builder, b"a note of " + raw))
        native.check(library.asnap_builder_attribute(builder, raw, raw))
    snapshot = objects.Snapshot()
    native.check(library.asnap_builder_finish(builder, 16, snapshot.out))
    return snapshot


class Names(Case):
    seconds = 10
    pprof = Pprof.pprof

    def test_every_format(self):
        """A format that is not looked at here fails."""
        snapshot = nasty_snapshot(self)
        for form in exports.formats().values():
            if form.needs_graph:
                # tests/export/test_heapsnapshot.py has graphs of such names.
                self.assertEqual(form.name, "heapsnapshot")
                continue
            with self.subTest(form.name):
                path = os.path.join(self.directory, form.name + ".file")
                exports.write(Calls(), snapshot, form, path)
                getattr(self, "check_" + form.name)(path)

    def check_line(self, text):
        """Nothing of it is obeyed."""
        wrong = {
            one
            for one in text
            if one not in "\n" and unicodedata.category(one) in ("Cc", "Cf", "Zl", "Zp", "Cs")
        }
        self.assertEqual(wrong, set())

    def check_text(self, text):
        """The same, and all of it is shown."""
        self.check_line(text)
        self.assertIn(SHOWN, text)

    def read(self, path):
        with open(path, "rb") as file:
            return file.read().decode("utf-8")

    def check_folded(self, path):
        text = self.read(path)
        self.check_text(text)
        lines = text.splitlines()
        self.assertEqual(len(lines), len(TRICKS))
        for line in lines:
            self.assertRegex(line, r"\A\[beyond the frame limit\];[^;#]*;[^;#]* 48\Z")

    def check_tracemalloc(self, path):
        loaded = tracemalloc.Snapshot.load(path)
        self.assertEqual(len(loaded.traces), len(TRICKS))
        names = {trace.traceback[-1].filename for trace in loaded.traces}
        self.assertEqual(names, {os.fsdecode(raw) for raw in TRICKS})

    def check_csv(self, path):
        text = self.read(path)
        self.check_text(text.replace("\r\n", "\n"))
        csv.field_size_limit(10**6)
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, strict=True))
        self.assertEqual(len(rows), len(TRICKS))
        for row in rows:
            self.assertNotIn(None, row)
            for cell in row.values():
                self.assertNotRegex(cell, "\\A[=+\\-@\uff1d]")
        for column in ("filename", "module", "build_id"):
            self.assertEqual(
                {re.sub(r"\A'", "", row[column]) for row in rows}, {shown(raw) for raw in TRICKS}
            )

    def check_report(self, path):
        """What is no base64 is of the page alone."""
        page = PageData(path)
        with open(report_page_path(), encoding="utf-8") as file:
            self.assertEqual(page.page, file.read().replace("<!--allocsnap data-->", ""))
        self.check_text("\n".join(page.texts()))
        names = {shown(raw) for raw in TRICKS}
        texts = page.texts()
        for tag, width, column in (("frfn", 1, 0), ("frfi", 1, 0), ("frmo", 1, 0), ("doma", 2, 1)):
            self.assertLessEqual(names, {texts[number] for number in page.sections[tag][column::width]})
        self.assertEqual(len(page.sections["note"]), 2 * len(TRICKS))

    def check_sqlite(self, path):
        database = sqlite3.connect("file:{}?mode=ro".format(path), uri=True)
        self.addCleanup(database.close)
        self.assertEqual(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
        names = {shown(raw) for raw in TRICKS}
        for query in (
            "SELECT path FROM modules", "SELECT build_id FROM modules", "SELECT path FROM mappings",
            "SELECT function FROM frames WHERE function NOT NULL", "SELECT filename FROM frames",
            "SELECT name FROM domains", "SELECT filename FROM block_lines",
        ):
            self.assertEqual({name for name, in database.execute(query)}, names)
        self.assertEqual(database.execute("SELECT count(*) FROM notes").fetchone(), (len(TRICKS),))
        for line in database.iterdump():
            self.check_line(line)

    def check_speedscope(self, path):
        whole = json.loads(self.read(path))
        names = {shown(raw) for raw in TRICKS}
        self.assertEqual({frame.get("file") for frame in whole["shared"]["frames"]}, names | {None})
        self.check_text("".join(frame["name"] for frame in whole["shared"]["frames"]))
        self.check_line("".join(whole["notes"]))
        self.assertEqual(len(whole["notes"]), len(TRICKS))

    def check_firefox(self, path):
        profile = firefox_profiles.load(self, path)
        shared = profile.whole["shared"]
        names = {shown(raw) for raw in TRICKS}
        self.assertEqual({shared["stringArray"][one] for one in shared["sources"]["filename"]}, names)
        self.assertEqual({lib["path"] for lib in profile.whole["libs"]}, names)
        self.assertEqual({lib["codeId"] for lib in profile.whole["libs"]}, names)
        self.check_text("".join(shared["stringArray"]))
        self.check_line("".join(profile.notes))
        self.assertEqual(len(profile.notes), len(TRICKS))
        self.assertEqual(set(profile.sizes.values()), {48})

    def check_pprof(self, path):
        with gzip.open(path) as file:
            self.assertGreater(len(file.read()), 70000)
        raw = self.pprof("-raw", path)
        self.check_text(raw)
        self.assertEqual(len(re.findall(r"^ +1 +48: ", raw, re.M)), len(TRICKS))
        comments = self.pprof("-comments", path)
        self.assertEqual(comments.count("a note of "), len(TRICKS))
