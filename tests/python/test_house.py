"""The tree and the built libraries keep the laws of the house (house.py), and each law
notices when it is broken."""

import os
import re
import subprocess
import tempfile
import unittest

from . import house, house_python

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LIBRARY = os.path.join(ROOT, "build", "liballocsnap.so")
HOOKS = os.path.join(ROOT, "build", "liballocsnap-hooks.so")


def needed(library):
    """The libraries that a shared object asks for (DT_NEEDED)."""
    lines = subprocess.check_output(["readelf", "-dW", library], encoding="utf-8")
    return re.findall(r"\(NEEDED\).*\[(.*)\]", lines)


def exports(library):
    lines = subprocess.check_output(["nm", "-D", "--defined-only", library], encoding="utf-8")
    return [line.split()[-1].split("@")[0] for line in lines.splitlines()]


def object_symbols():
    """What each file of core defines and needs, by its object file."""
    symbols = {}
    for path in house.files(ROOT, "core", endings=(".c",)):
        built = os.path.join(ROOT, "build", "obj", os.path.splitext(path)[0] + ".o")
        if not os.path.exists(built):
            continue
        lines = subprocess.check_output(["nm", "-g", built], encoding="utf-8").splitlines()
        words = [line.split() for line in lines]
        symbols[path] = (
            {word[-1] for word in words if word[-2] not in "Uw"},
            {word[-1] for word in words if word[-2] in "Uw"},
        )
    return symbols


class Tree(unittest.TestCase):
    def test_keeps_every_law(self):
        for law in house.TREE_LAWS + house_python.PYTHON_LAWS:
            with self.subTest(law=law.__name__):
                self.assertEqual(law(ROOT), [])


class Libraries(unittest.TestCase):
    def test_hooks_name_no_c_library(self):
        self.assertEqual(house.hooks_needed(needed(HOOKS)), [])

    def test_exports(self):
        names = exports(LIBRARY)
        self.assertIn("asnap_version", names)
        self.assertEqual(house.library_exports(names), [])
        names = exports(HOOKS)
        self.assertIn("malloc", names)
        self.assertIn("allocsnap_table", names)
        self.assertEqual(house.hooks_exports(names), [])


    def test_no_circles(self):
        symbols = object_symbols()
        self.assertIn("core/hooks/entry/interpose.c", symbols)
        self.assertIn("core/model/group/keys.c", symbols)
        self.assertEqual(house.circles(symbols), [])


class Laws(unittest.TestCase):
    """Each law against a small tree that breaks it."""

    def broken(self, law, tree):
        with tempfile.TemporaryDirectory() as root:
            for path, content in tree.items():
                full = os.path.join(root, path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "w", encoding="utf-8") as file:
                    file.write(content)
            return law(root)

    def test_table_includes(self):
        tree = {"core/table/t.h": "#include <stdint.h>\n#include <string.h>\n"}
        self.assertEqual(
            self.broken(house.table_includes, tree), ["core/table/t.h includes string.h"]
        )

    def test_room_includes(self):
        tree = {
            "core/rooms.mk": "MAY_INCLUDE_base := include\nMAY_INCLUDE_hooks/a := table\n",
            "core/table/t.h": "",
            "core/include/allocsnap.h": "",
            "core/base/error.h": "#include <allocsnap.h>\n",
            "core/hooks/a/own.h": "",
            "core/hooks/a/a.c": '#include <stdlib.h>\n#include "own.h"\n#include "t.h"\n',
            "core/hooks/a/b.c": '#include "error.h"\n# include <allocsnap.h>\n#include "gone.h"\n',
            "core/other/c.c": "",
        }
        self.assertEqual(
            self.broken(house.room_includes, tree),
            [
                "core/hooks/a/b.c includes error.h",
                "core/hooks/a/b.c includes allocsnap.h",
                "core/hooks/a/b.c includes gone.h",
                "core/other/c.c is in a room that core/rooms.mk does not list",
            ],
        )

    def test_room_table(self):
        wrong = [
            ("base", "collect"),
            ("collect", "hooks/base"),
            ("hooks/base", "base"),
            ("hooks/record", "hooks/entry"),
            ("hooks/unwind", "table"),
            ("hooks/walk", "hooks/entry"),
            ("model/snapshot", "table"),
            ("render", "model/group"),
            ("symbols/elf", "symbols/dwarf"),
        ]
        lines = ["MAY_INCLUDE_%s := %s\n" % pair for pair in wrong]
        lines += ["MAY_INCLUDE_hooks/entry := include table hooks/walk\n", "MAY_INCLUDE_model/dump := base\n"]
        self.assertEqual(
            self.broken(house.room_table, {"core/rooms.mk": "".join(lines)}),
            ["core/rooms.mk lets %s include %s" % pair for pair in wrong],
        )

    def test_room_page(self):
        tree = {
            "core/rooms.mk": "MAY_INCLUDE_a := include b\nMAY_INCLUDE_b := include\nMAY_INCLUDE_c :=\n",
            "docs/architecture.md": "| `core/a` | x | `core/include`, `core/b`, libelf |\n"
            "| `core/b` | x | `core/include`, `core/a` |\n",
        }
        self.assertEqual(
            self.broken(house.room_page, tree),
            ["docs/architecture.md shows other rooms for core/b", "docs/architecture.md does not show core/c"],
        )

    def test_table_readers(self):
        line = '#include "allocsnap_table.h"\n'
        tree = {"core/collect/a.c": line, "core/hooks/b.c": line, "core/model/c.c": line}
        self.assertEqual(
            self.broken(house.table_readers, tree), ["core/model/c.c includes allocsnap_table.h"]
        )

    def test_function_names(self):
        tree = {
            "core/table/allocsnap_table.h": "enum asnap_table_functions {\n    ASNAP_TABLE_MALLOC = 1 << 0,\n"
            "    ASNAP_TABLE_NEW = 1 << 1,\n    ASNAP_TABLE_FREE = 1 << 2,\n"
            "    ASNAP_TABLE_FUNCTIONS = (1 << 2) - 1,\n};\n",
            "core/collect/unseen.c": '{ASNAP_TABLE_MALLOC, "calloc"}, {ASNAP_TABLE_NEW, "operator new"}',
            "docs/table-layout.md": "bit 0 malloc, 2 operator new, 2 free_sized |",
        }
        self.assertEqual(
            self.broken(house.function_names, tree),
            [
                "ASNAP_TABLE_FUNCTIONS is not all of enum asnap_table_functions",
                "core/collect/unseen.c does not name malloc",
                "docs/table-layout.md does not show bit 1, operator new",
                "core/collect/unseen.c does not name free",
                "docs/table-layout.md does not show bit 2, free",
            ],
        )

    def test_libdwarf_includes(self):
        line = "#include <libdwarf/libdwarf.h>\n"
        tree = {"core/symbols/a.c": line, "core/symbols/a.h": line}
        self.assertEqual(self.broken(house.libdwarf_includes, tree), [])
        tree["core/symbols/b.c"] = line
        self.assertEqual(
            self.broken(house.libdwarf_includes, tree),
            ["libdwarf.h is included by core/symbols/a.c, core/symbols/b.c"],
        )

    def test_file_openers(self):
        tree = {
            "core/base/open_file.c": "int f = open(name, 0);\n",
            "core/hooks/a.c": "int f = open(name, 0);\n",
            "core/model/a.c": "/* open(name) */ int f = asnap_open(name) + reader.open(name);\n",
            "core/model/b.c": "if (access(name, 0) == 0)\n",
            "core/render/c.c": "FILE *f = fopen (name, mode);\n",
        }
        self.assertEqual(
            self.broken(house.file_openers, tree),
            ["core/model/b.c calls access", "core/render/c.c calls fopen"],
        )

    def test_python_openers(self):
        tree = {
            **self.TABLE,
            "core/python/allocsnap/regular_files.py": "open(path)\n",
            "core/python/allocsnap/a.py": 'open("/proc/{}/maps".format(pid))\nx.opened(path)\n',
            "gdb/b.py": "with open(path) as f:\n    os.open(path, 0)\n",
        }
        self.assertEqual(
            self.broken(house_python.python_openers, tree), ["gdb/b.py:1 calls open", "gdb/b.py:2 calls open"]
        )

    def test_section_readers(self):
        line = "Elf_Data *data = elf_rawdata(section, NULL);\n"
        tree = {"core/symbols/elf/elf_contents.c": line, "core/symbols/elf/a.c": line}
        self.assertEqual(
            self.broken(house.section_readers, tree), ["core/symbols/elf/a.c calls elf_rawdata"]
        )

    def test_core_knows_no_python(self):
        tree = {"core/render/a.c": "#include <Python.h>\n"}
        self.assertEqual(
            self.broken(house.core_knows_no_python, tree), ["core/render/a.c includes Python.h"]
        )

    TABLE = {"core/debuggers.txt": "# F|C|I|L|Q|P\ngdb|gdb|~/.g|source SCRIPT||gdb\nlldb|LLDB|~/.l|import SCRIPT||lldb\n"}

    def test_debugger_table(self):
        tree = {
            "gdb/allocsnap_gdb.py": "",
            "docs/architecture.md": "|---|\n| `gdb` | what |\n",
            "README.md": "source /usr/local/share/allocsnap/gdb/allocsnap_gdb.py\n",
        }
        self.assertEqual(
            self.broken(house.debugger_table, {**tree, **self.TABLE}),
            [
                "there is no lldb/allocsnap_lldb.py",
                "docs/architecture.md has no row for lldb",
                "README.md does not say `import /usr/local/share/allocsnap/lldb/allocsnap_lldb.py`",
            ],
        )

    def test_debugger_lists(self):
        tree = {
            "Makefile": "FILES := lldb/*.py /x/gdb/y\n",
            "core/install/install.sh": "put gdb/$file tests/lldb.sh\n",
            "core/a.c": "/* gdb and LLDB */\n",
            "docs/man/a.7": ".It Pa @SHAREDIR@/x/allocsnap_" + "gdb.py\n",
            "tests/a.py": "%s/a\n%s/b\ngdb/a ggdb/b\n" % ("gdb", "lldb"),
            "tests/b.py": "\n%s/a %s/b\n" % ("gdb", "lldb"),
        }
        self.assertEqual(
            sorted(self.broken(house.debugger_lists, {**tree, **self.TABLE})),
            [
                "Makefile names lldb",
                "core/install/install.sh names gdb",
                "docs/man/a.7 names gdb",
                "tests/b.py:2 lists debuggers",
            ],
        )

    def test_debugger_imports(self):
        tree = {
            **self.TABLE,
            "core/python/allocsnap/a.py": "def f():\n    from gdb.types import x\n",
            "core/python/allocsnap/b.py": "from . import gdb\nimport gdbm\n",
            "gdb/c.py": "import os, gdb\n",
            "lldb/d.py": "import lldb\nimport gdb\n",
        }
        self.assertEqual(
            self.broken(house_python.debugger_imports, tree),
            ["core/python/allocsnap/a.py imports gdb", "lldb/d.py imports gdb"],
        )

    def test_python_syntax(self):
        tree = {"core/python/allocsnap/a.py": "match 1:\n    case 1:\n        pass\n"}
        self.assertEqual(len(self.broken(house_python.python_syntax, tree)), 1)

    def test_python_library(self):
        newer = (
            'a = "b".removeprefix("c")\nfrom functools import cache\nimport tomllib\n'
            "d: list[int] = []\ne = {} | d\nf = zip(d, d, strict=True)\ng = anext(d)\n"
        )
        tree = {**self.TABLE, "core/python/allocsnap/a.py": newer, "gdb/b.py": "import functools\nd = [] + []\n"}
        places = ["1: removeprefix", "2: cache", "3: tomllib", "4: list[...]"]
        places += ["5: a union of dicts", "6: zip(strict=)", "7: anext"]
        self.assertEqual(
            sorted(self.broken(house_python.python_library, tree)),
            ["core/python/allocsnap/a.py:" + place for place in places],
        )

    def test_typed_modules(self):
        tree = {
            "core/python/allocsnap/__init__.py": "from .a import A\nfrom .b import B, C\nfrom . import d\n"
            '__all__ = ["A", "C", "f"]\n',
            ".mypy.ini": "[mypy]\ndisallow_untyped_defs = True\n"
            "[mypy-allocsnap,allocsnap.b]\ndisallow_untyped_defs = True\n"
            "[mypy-allocsnap.a]\ndisallow_untyped_defs = False\n",
        }
        self.assertEqual(
            self.broken(house_python.typed_modules, tree),
            [".mypy.ini does not disallow_untyped_defs in allocsnap.a"],
        )

    def test_top_level(self):
        tree = {**self.TABLE, "gdb/a": "", "Makefile": "", ".ci/run": "", "tools/x": "", "notes.txt": ""}
        self.assertEqual(
            self.broken(house.top_level, tree),
            ["notes.txt is at the top level", "tools is at the top level"],
        )

    def test_unique_names(self):
        tree = {"core/model/a.c": "", "core/render/a.c": "", "core/render/b.c": ""}
        self.assertEqual(
            self.broken(house.unique_names, tree), ["one name for core/model/a.c, core/render/a.c"]
        )

    def test_lengths(self):
        tree = {"core/a.c": "\n" * house.LINES_MAX, "core/b.c": "\n" * (house.LINES_MAX + 1)}
        self.assertEqual(
            self.broken(house.lengths, tree), ["core/b.c has %d lines" % (house.LINES_MAX + 1)]
        )

    def test_words(self):
        path = "/".join(["", "home", "ann", "x.c"])
        tree = {"docs/a.md": "see %s\n" % path, "core/a.c": "/* TO" + "DO */\n", "core/b.c": ""}
        self.assertEqual(
            sorted(self.broken(house.words, tree)),
            ["core/a.c says TO" + "DO", "docs/a.md says %s" % path[:7]],
        )

    def test_sleeps(self):
        tree = {"tests/a.py": "time.%s(1)\n" % "sleep", "tests/b.c": "asleep(1);\n"}
        self.assertEqual(self.broken(house.sleeps, tree), ["tests/a.py calls %s(" % "sleep"])

    def test_test_packages(self):
        tree = {"tests/a/test_a.py": "", "tests/b/test_b.py": "", "tests/b/__init__.py": ""}
        self.assertEqual(
            self.broken(house.test_packages, tree),
            ["tests/a/test_a.py is not found: no __init__.py beside it"],
        )

    def test_circles(self):
        line = {"a.c": ({"a"}, {"b", "malloc"}), "b.c": ({"b"}, {"c"}), "c.c": ({"c"}, {"malloc"})}
        self.assertEqual(house.circles(line), [])
        circle = dict(line, **{"c.c": ({"c"}, {"a"})})
        self.assertEqual(
            house.circles(circle),
            ["%s.c and %s.c need each other" % tuple(pair) for pair in ("ab", "ac", "bc")],
        )

    def test_hooks_needed(self):
        good = ["ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"]
        self.assertEqual(house.hooks_needed(good), [])
        self.assertEqual(
            house.hooks_needed(["ld-linux-x86-64.so.2", "libc.so.6"]), ["the hooks need libc.so.6"]
        )

    def test_exports(self):
        self.assertEqual(house.library_exports(["asnap_a", "elf_begin"]), ["exported: elf_begin"])
        self.assertEqual(
            house.hooks_exports(["malloc", "_Znwm", "allocsnap_table", "mallocx", "asnap_record"]),
            ["exported: mallocx", "exported: asnap_record"],
        )


if __name__ == "__main__":
    unittest.main()
