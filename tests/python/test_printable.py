"""What a terminal gets of names and messages: the same from C and from Python."""

import os
import sys
import unicodedata
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("ALLOCSNAP_BUILD", os.path.join(ROOT, "build"))
os.environ.setdefault("ALLOCSNAP_LIBRARY", os.path.join(BUILD, "liballocsnap.so"))
sys.path.insert(0, os.path.join(ROOT, "core", "python"))

from allocsnap import kept_graph  # noqa: E402
from allocsnap.errors import AllocsnapError  # noqa: E402
from allocsnap.printable import printable, printable_lines, printable_text  # noqa: E402

#: (bytes of a name, its printable form).
NAMES = (
    (b"", ""),
    (b"/usr/lib/x.so", "/usr/lib/x.so"),
    (b"\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
    (b"a\nb\tc\rd\x7f\x00"[:-1], r"a\x0ab\x09c\x0dd\x7f"),
    ("caf\u00e9 \u65e5\u672c \U0001f600".encode(), "caf\u00e9 \u65e5\u672c \U0001f600"),
    ("\u009b31m".encode(), r"\xc2\x9b31m"),
    ("\u202eabc\u2028d\u2066".encode(), r"\xe2\x80\xaeabc\xe2\x80\xa8d\xe2\x81\xa6"),
    ("a\u200bb\ufeffc\u00ad".encode(), r"a\xe2\x80\x8bb\xef\xbb\xbfc\xc2\xad"),
    ("\U000e0041".encode(), r"\xf3\xa0\x81\x81"),
    (b"\xff\xc3(\xe2\x82", r"\xff\xc3(\xe2\x82"),
    (b"\xed\xa0\x80\xc0\x80\xf5\x80\x80\x80", r"\xed\xa0\x80\xc0\x80\xf5\x80\x80\x80"),
    (b"\\x1b", r"\x5cx1b"),
    (b"\\\\x1b", r"\\x5cx1b"),
    (b"C:\\src\\x.c \\xg1 \\x1", "C:\\src\\x.c \\xg1 \\x1"),
)


def native_printable(raw):
    """What the library makes of a name, which here is that of a file."""
    try:
        kept_graph.load(b"/nonexistent/[" + raw + b"]/x")
    except AllocsnapError as error:
        text = str(error)
        return text[text.index("[") + 1 : text.rindex("]")]
    raise AssertionError("there is a file /nonexistent")


class Printable(unittest.TestCase):
    def setUp(self):
        self.assertFalse(os.path.exists("/nonexistent"))

    def test_names(self):
        for raw, shown in NAMES:
            with self.subTest(raw=raw):
                self.assertEqual(printable(raw), shown)
                self.assertEqual(printable(raw.decode("utf-8", "surrogateescape")), shown)
                self.assertEqual(native_printable(raw), shown)

    def test_texts(self):
        self.assertEqual(printable_text("a\\x1b\x1b\n"), r"a\x1b\x1b\x0a")
        self.assertEqual(printable_text(b"a\xff"), r"a\xff")
        self.assertEqual(printable_lines("a\\x1b\x1b\n\tb\r\n"), "a\\x1b\\x1b\n\\x09b\\x0d\n")
        self.assertEqual(printable("\ud800x"), r"\xed\xa0\x80x")

    def test_every_character(self):
        """Python's own tables know some that are newer, or have no look of their own."""
        different, unknown = [], []
        # In pieces: a path has an end.
        characters = [chr(code) for code in range(1, sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
        characters.remove("/")
        for start in range(0, len(characters), 64):
            piece = characters[start : start + 64]
            text = "]".join(piece)
            if native_printable(text.encode()) != printable(text):
                different.append(start)
        for character in characters:
            kept = printable(character) == character
            if kept and unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp"):
                unknown.append(hex(ord(character)))
        self.assertEqual(different, [])
        self.assertEqual(unknown, [])

    def test_nothing_is_lost(self):
        """Bytes can be told from what is shown."""
        shown = {}
        pieces = [b"\\", b"x", b"1", b"b", b"\x1b", b"\\x1b", b"\xff"]
        for first in pieces:
            for second in pieces:
                for third in pieces:
                    for fourth in pieces:
                        raw = first + second + third + fourth
                        self.assertEqual(shown.setdefault(printable(raw), raw), raw)

    def test_errors(self):
        error = AllocsnapError("no \x1b]0;owned\x07 snapshot\nnow")
        self.assertEqual(str(error), r"no \x1b]0;owned\x07 snapshot\x0anow")


if __name__ == "__main__":
    unittest.main()
