"""The laws of the house, as functions from the root of a tree (or from what a tool says of
a library) to a list of violations, each one line."""

import os
import re
import typing

TOP_LEVEL = {"Makefile", "README.md", "LICENSE", "core", "tests", "docs", "build"}  # and the debuggers
PUBLIC_TABLE = "allocsnap_table.h"
LINES_MAX = 600

HOOKS_NEEDED = re.compile(r"ld-linux[-\w]*\.so\.\d+\Z")
LIBRARY_EXPORT = re.compile(r"asnap_\w+\Z")
HOOKS_EXPORT = re.compile(
    r"(__asan_default_options|allocsnap_\w+"
    r"|malloc|calloc|realloc|reallocarray|free|posix_memalign|aligned_alloc|memalign|valloc|pvalloc"
    r"|free_sized|free_aligned_sized|malloc_usable_size"
    r"|_Z(nw|na|dl|da)\w+)\Z"
)

_INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
_HOME = re.compile(r"(?<![\w.$})*])/(home/(?!me/)|root/|work/|Users/)[\w.]")
_UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b")
# Opening a file by its name, or looking at what a name stands for before it is opened.
_OPENS = re.compile(r"(?<![\w.])(open|openat|fopen|freopen|opendir|access|faccessat)\s*\(")
# What asks libelf for the contents of sections.
_CONTENTS = re.compile(r"\b(elf_getdata|elf_rawdata|elf_compress|gelf_getchdr)\s*\(")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)

#: Who opens files, beside core/base/open_file.c: under names of this project's or of the kernel's own.
OPENERS = {
    "core/base/open_file.c",
    "core/base/atomic_file.c",
    "core/base/leftovers.c",
    "core/collect/held_process.c",
    "core/symbols/apart/naming_writer.c",
    "core/python/allocsnap/regular_files.py",
}

_SLEEP = re.compile(r"\b(u|nano|clock_nano)?sleep\s*\(")


class Debugger(typing.NamedTuple):
    """A line of core/debuggers.txt, which says what each field is."""

    folder: str
    called: str
    init: str
    line: str
    quotes: str
    package: str

    @property
    def script(self):
        return "%s/allocsnap_%s.py" % (self.folder, self.folder)


def debuggers(root):
    """The table of debuggers; empty where a tree has none."""
    path = "core/debuggers.txt"
    if not os.path.exists(os.path.join(root, path)):
        return []
    return [Debugger(*line.split("|")) for line in text(root, path).splitlines() if not line.startswith("#")]


def folders(root):
    return [debugger.folder for debugger in debuggers(root)]


def debugger_table(root):
    """Each debugger of the table is there, with its row among the rooms and its line in the README."""
    found = []
    for debugger in debuggers(root):
        if not os.path.exists(os.path.join(root, debugger.script)):
            found.append("there is no %s" % debugger.script)
        if "\n| `%s` |" % debugger.folder not in text(root, "docs/architecture.md"):
            found.append("docs/architecture.md has no row for %s" % debugger.folder)
        line = debugger.line.replace("SCRIPT", "/usr/local/share/allocsnap/" + debugger.script)
        if line not in text(root, "README.md"):
            found.append("README.md does not say `%s`" % line)
    return found


def debugger_lists(root):
    """Nobody beside the table lists debuggers: what is built and installed names none, and no line of a
    test names two."""
    table = debuggers(root)
    named = [re.compile(r"(?<![\w/])%s/|\b%s" % (one.folder, one.script.split("/")[1])) for one in table]
    found = []
    for path in files(root, "core", "docs/man", ".ci") + ["Makefile"]:
        if path != "core/debuggers.txt" and os.path.exists(os.path.join(root, path)):
            found += ["%s names %s" % (path, one.folder) for one, name in zip(table, named)
                      if name.search(text(root, path))]
    for path in files(root, "tests"):
        for number, line in enumerate(text(root, path).splitlines(), 1):
            if sum(name.search(line) is not None for name in named) > 1:
                found.append("%s:%d lists debuggers" % (path, number))
    return found


def files(root, *places, endings=(".c", ".h", ".cc", ".py", ".sh", ".mk", ".map", ".md", ".7", "")):
    """Paths, relative to `root`, of the files below `places` whose name ends so."""
    found = []
    for place in places:
        for directory, directories, names in os.walk(os.path.join(root, place)):
            directories[:] = sorted(name for name in directories if name != "__pycache__")
            for name in sorted(names):
                if os.path.splitext(name)[1] in endings:
                    found.append(os.path.relpath(os.path.join(directory, name), root))
    return found


def text(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def includes(root, path):
    """[(bracket, name)] of a C file: [("<", "stdint.h"), ...]."""
    return _INCLUDE.findall(text(root, path))


def sources(root, *places):
    return files(root, *places, endings=(".c", ".h", ".cc"))


def table_includes(root):
    """core/table includes <stdint.h> and <stddef.h>."""
    return [
        "%s includes %s" % (path, name)
        for path in sources(root, "core/table")
        for bracket, name in includes(root, path)
        if (bracket, name) not in (("<", "stdint.h"), ("<", "stddef.h"))
    ]


_ROOM_LINE = re.compile(r"^MAY_INCLUDE_(\S+) :=(.*)$", re.MULTILINE)


def rooms(root):
    """{room: [rooms that it may include]}, of core/rooms.mk."""
    return {name: may.split() for name, may in _ROOM_LINE.findall(text(root, "core/rooms.mk"))}


def room_includes(root):
    """A file includes the headers of its own room, of the rooms that core/rooms.mk allows it,
    and of the system; a room that the table lacks is a violation too."""
    table = rooms(root)
    homes = {}
    for path in sources(root, "core"):
        homes.setdefault(os.path.basename(path), []).append(os.path.dirname(path)[len("core/") :])
    found = []
    for path in sources(root, "core"):
        room = os.path.dirname(path)[len("core/") :]
        if room in ("include", "table"):
            continue
        if room not in table:
            found.append("%s is in a room that core/rooms.mk does not list" % path)
            continue
        for bracket, name in includes(root, path):
            allowed = set(homes.get(os.path.basename(name), ())) & {room, *table[room]}
            if not allowed and (bracket == '"' or os.path.basename(name) in homes):
                found.append("%s includes %s" % (path, name))
    return found


def room_table(root):
    """The table keeps the order of the house: hooks see the table and hooks alone, unwind
    nothing, record and walk no entry; only collect and the hooks see the table's layout;
    only what is given a core or process sees collect; and no two rooms see each other."""
    found = []
    for room, may in sorted(rooms(root).items()):
        for other in may:
            hooks = room.startswith("hooks/")
            wrong = (
                (hooks and not other.startswith("hooks/") and other not in ("table", "include"))
                or (not hooks and other.startswith("hooks/"))
                or room == "hooks/unwind"
                or (room in ("hooks/record", "hooks/walk") and other == "hooks/entry")
                or (other == "table" and not hooks and room != "collect")
                or room in _ORDER[: _ORDER.index(other) + 1 if other in _ORDER else 0]
                or (room in _RESULTS_ONLY and other not in ("include", "base"))
            )
            if wrong:
                found.append("core/rooms.mk lets %s include %s" % (room, other))
    return found


# From left to right: a room includes what stands to its left, never to its right.
_ORDER = [
    "include", "table",
    "hooks/base", "hooks/record", "hooks/unwind", "hooks/walk", "hooks/entry",
    "base", "collect",
    "symbols/base", "symbols/demangle", "symbols/elf", "symbols/dwarf", "symbols/apart", "symbols/naming",
    "model/snapshot", "graph", "model/select", "model/group", "model/dump", "render", "export",
]  # fmt: skip
# These see the results that the public headers show.
_RESULTS_ONLY = ("render", "export")


def room_page(root):
    """docs/architecture.md shows the same table."""
    page = dict(
        (name, re.findall(r"`([^`]+)`", may))
        for name, may in re.findall(
            r"^\| `core/(\S+)` \|[^|]*\|([^|]*)\|", text(root, "docs/architecture.md"), re.MULTILINE
        )
    )
    found = []
    for room, may in sorted(rooms(root).items()):
        if room not in page:
            found.append("docs/architecture.md does not show core/%s" % room)
        elif [name for name in page[room] if name.startswith("core/")] != ["core/" + name for name in may]:
            found.append("docs/architecture.md shows other rooms for core/%s" % room)
    return found


def table_readers(root):
    """In the core, the hooks write the table's layout and collect reads it."""
    return [
        "%s includes %s" % (path, name)
        for path in sources(root, "core")
        for _, name in includes(root, path)
        if os.path.basename(name) == PUBLIC_TABLE
        and not path.startswith(("core/hooks/", "core/collect/", "core/table/"))
    ]


def function_names(root):
    """Each function whose definition before the hooks the table can tell of (asnap_table_functions) has its
    name where it is said, and its number on the page of the layout."""
    header = re.search(r"enum asnap_table_functions \{.*?\};", text(root, "core/table/" + PUBLIC_TABLE), re.S).group()
    bits = {name: int(bit) for name, bit in re.findall(r"ASNAP_TABLE_(\w+) = 1 << (\d+),", header)}
    said = dict(re.findall(r'\{ASNAP_TABLE_(\w+), "([^"]+)"\}', text(root, "core/collect/unseen.c")))
    page = text(root, "docs/table-layout.md")
    found = []
    width = re.search(r"ASNAP_TABLE_FUNCTIONS = \(1 << (\d+)\) - 1,", header)
    if sorted(bits.values()) != list(range(int(width.group(1)))):
        found.append("ASNAP_TABLE_FUNCTIONS is not all of enum asnap_table_functions")
    for function, bit in bits.items():
        name = "operator " * (function in ("NEW", "DELETE")) + function.lower()
        if said.get(function) != name:
            found.append("core/collect/unseen.c does not name %s" % name)
        if not re.search(r"(bit |, )%d %s(?!\w)" % (bit, name), page):
            found.append("docs/table-layout.md does not show bit %d, %s" % (bit, name))
    return found


def libdwarf_includes(root):
    """One source and one header for it, at most, include libdwarf.h."""
    users = [
        path
        for path in sources(root, "core")
        if any(os.path.basename(name) == "libdwarf.h" for _, name in includes(root, path))
    ]
    return [
        "libdwarf.h is included by %s" % ", ".join(some)
        for ending in (".c", ".h")
        for some in [[path for path in users if path.endswith(ending)]]
        if len(some) > 1
    ]


def file_openers(root):
    """Files whose names come from elsewhere are opened in one place, and nothing is asked of a
    name before. The hooks open what is the kernel's."""
    return [
        "%s calls %s" % (path, match.group(1))
        for path in sources(root, "core")
        for match in [_OPENS.search(_COMMENT.sub("", text(root, path)))]
        if match and path not in OPENERS and not path.startswith("core/hooks/")
    ]


def section_readers(root):
    """libelf is asked for contents where it was looked first whether they are there."""
    return [
        "%s calls %s" % (path, match.group(1))
        for path in sources(root, "core")
        for match in [_CONTENTS.search(text(root, path))]
        if match and os.path.basename(path) not in ("elf_contents.c", "elf_contents.h", "elf_file.c")
    ]


def core_knows_no_python(root):
    return [
        "%s includes %s" % (path, name)
        for path in sources(root, "core")
        for _, name in includes(root, path)
        if os.path.basename(name) == "Python.h"
    ]


def top_level(root):
    return [
        "%s is at the top level" % name
        for name in sorted(os.listdir(root))
        if name not in TOP_LEVEL.union(folders(root)) and not name.startswith(".")
    ]


def unique_names(root):
    """A file name says which file."""
    by_name = {}
    for path in files(root, "core", *folders(root)):
        by_name.setdefault(os.path.basename(path), []).append(path)
    return [
        "one name for %s" % ", ".join(paths)
        for name, paths in sorted(by_name.items())
        if len(paths) > 1 and name != "__init__.py"
    ]


def lengths(root):
    found = []
    for path in files(root, "core", *folders(root), "tests"):
        lines = text(root, path).count("\n")
        if lines > LINES_MAX:
            found.append("%s has %d lines" % (path, lines))
    return found


def words(root):
    """No path of somebody's own machine (a home of "me" stands for any), nothing left for later."""
    found = []
    for path in files(root, "core", *folders(root), "tests", "docs") + ["Makefile", "README.md"]:
        if not os.path.exists(os.path.join(root, path)):
            continue
        for pattern in (_HOME, _UNFINISHED):
            match = pattern.search(text(root, path))
            if match:
                found.append("%s says %s" % (path, match.group()))
    return found


def sleeps(root):
    """Tests wait for what happens, never for time to pass."""
    return [
        "%s calls %s" % (path, match.group())
        for path in files(root, "tests", endings=(".c", ".h", ".cc", ".py"))
        for match in [_SLEEP.search(text(root, path))]
        if match
    ]


def test_packages(root):
    """Each directory with test_*.py is a package, or discovery passes it by."""
    return [
        "%s is not found: no __init__.py beside it" % path
        for path in files(root, "tests", endings=(".py",))
        if os.path.basename(path).startswith("test_")
        and not os.path.exists(os.path.join(root, os.path.dirname(path), "__init__.py"))
    ]


def hooks_needed(names):
    """The hooks name no C library, and so serve programs of either."""
    return ["the hooks need %s" % name for name in names if not HOOKS_NEEDED.match(name)]


def library_exports(names):
    return ["exported: %s" % name for name in names if not LIBRARY_EXPORT.match(name)]


def hooks_exports(names):
    return ["exported: %s" % name for name in names if not HOOKS_EXPORT.match(name)]


def circles(symbols):
    """No two files need each other, straight or by way of others; `symbols` has for each file the
    names that it defines and those that it needs."""
    owner = {name: file for file, (defined, _) in symbols.items() for name in defined}
    needs = {
        file: {owner[name] for name in needed if name in owner} - {file}
        for file, (_, needed) in symbols.items()
    }

    def reached(start):
        seen, open_ends = set(), [start]
        while open_ends:
            for file in needs[open_ends.pop()] - seen:
                seen.add(file)
                open_ends.append(file)
        return seen

    behind = {file: reached(file) for file in needs}
    return [
        "%s and %s need each other" % (file, other)
        for file in sorted(needs)
        for other in sorted(behind[file])
        if file < other and file in behind[other]
    ]


TREE_LAWS = (
    table_includes,
    room_includes,
    room_table,
    room_page,
    table_readers,
    function_names,
    libdwarf_includes,
    file_openers,
    section_readers,
    core_knows_no_python,
    debugger_table,
    debugger_lists,
    top_level,
    unique_names,
    lengths,
    words,
    sleeps,
    test_packages,
)
