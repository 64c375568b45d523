"""Core files made byte by byte, with a table of the hooks' in them (docs/table-layout.md)."""

import os
import re
import struct

from .harness import ROOT

_HEADER = os.path.join(ROOT, "core", "table", "allocsnap_table.h")

PAGE = 4096
ROOT_AT = 0x10000000
LISTS_AT = 0x10100000  # addresses of the chunks of nodes, threads, modules, and of each shard
NODES_AT = 0x11000000
MODULES_AT = 0x12000000
PATHS_AT = 0x13000000
RECORDS_AT = 0x14000000

_ROOT_BYTES, _SHARD_BYTES, _RECORD_BYTES, _NODE_BYTES, _SHARDS = 13632, 64, 24, 16, 64
_CONTROL, _APPLIED, _START, _NODE_CHUNKS, _MODULE_CHUNKS = 80, 112, 144, 152, 168
_DOMAIN_COUNT, _DOMAINS, _NODE_COUNT, _MODULE_COUNT = 176, 184, 1216, 1224
_SHARD_AT, _NAMES_AT = 1280, 5376
CHUNK_RECORDS, CHUNK_NODES, CHUNK_MODULES = 1024, 8192, 64
ORIGIN = 0xFFFFFFFF


def _version():
    with open(_HEADER, encoding="utf-8") as file:
        return int(re.search(r"define ASNAP_TABLE_VERSION UINT32_C\((\d+)\)", file.read()).group(1))


def shard_of(address):
    """The number of the shard that has the records of an address."""
    return ((address >> 20) * 0x9E3779B97F4A7C15 & (2**64 - 1)) >> 58


class Core:
    """A core of x86-64: pieces of memory, and the files of NT_FILE."""

    def __init__(self):
        self._pieces = []  # (address, bytes, place of the bytes, flags)
        self._contents = []
        self.files = []  # (start, end, path)

    def put(self, address, data, flags=6):
        """Maps these bytes, filled up to a page."""
        self._contents.append(data + b"\0" * (-len(data) % PAGE))
        return self.map(address, len(self._contents) - 1, flags)

    def map(self, address, number, flags=6):
        """Maps the bytes with this number again."""
        self._pieces.append((address, number, flags))
        return number

    def _notes(self):
        def note(kind, contents):
            head = struct.pack("<III", 5, len(contents), kind) + b"CORE\0\0\0\0"
            return head + contents + b"\0" * (-len(contents) % 4)

        status = bytearray(336)  # struct elf_prstatus; at 32 is pr_pid
        struct.pack_into("<i", status, 32, 4242)
        notes = note(1, bytes(status))
        if self.files:
            contents = struct.pack("<QQ", len(self.files), PAGE)
            for start, end, _ in self.files:
                contents += struct.pack("<QQQ", start, end, 0)
            contents += b"".join(path + b"\0" for _, _, path in self.files)
            notes += note(0x46494C45, contents)
        return notes

    def write(self, path):
        """Writes the file; returns its size."""
        notes = self._notes()
        count = 1 + len(self._pieces)
        end = 64 + 56 * count
        offsets = {}
        headers = struct.pack("<IIQQQQQQ", 4, 0, end, 0, 0, len(notes), 0, 4)
        end = (end + len(notes) + PAGE - 1) // PAGE * PAGE
        for number, data in enumerate(self._contents):
            offsets[number] = end
            end += len(data)
        for address, number, flags in self._pieces:
            size = len(self._contents[number])
            headers += struct.pack(
                "<IIQQQQQQ", 1, flags, offsets[number], address, 0, size, size, PAGE
            )
        ident = b"\x7fELF\2\1\1" + b"\0" * 9
        header = ident + struct.pack(
            "<HHIQQQIHHHHHH", 4, 62, 1, 0, 64, 0, 0, 64, 56, count, 64, 0, 0
        )
        with open(path, "wb") as file:
            file.write(header + headers + notes)
            for number, data in enumerate(self._contents):
                file.seek(offsets[number])
                file.write(data)
        return end


class Table:
    """A table of the hooks': nodes, modules, domains and blocks."""

    def __init__(self, hooks_version=b"1.2.3"):
        self._hooks_version = hooks_version
        self.nodes = [(0, ORIGIN, 0)]  # (return address, parent, module)
        self.modules = [(0, 0, b"")]  # (start, end, path)
        self.domains = [(0, b"")]  # (number, name)
        self._blocks = {}  # shard -> [record]
        self._sums = {}

    def node(self, pc, parent=0, module=0):
        self.nodes.append((pc, parent, module))
        return len(self.nodes) - 1

    def module(self, start, end, path):
        self.modules.append((start, end, path))
        return len(self.modules) - 1

    def domain(self, number, name):
        self.domains.append((number, name))
        return len(self.domains) - 1

    def block(self, address, size, node, domain=0):
        """`domain`: its place."""
        record = struct.pack("<QQII", address | domain << 56, size, node, 0)
        shard = shard_of(address)
        self._blocks.setdefault(shard, []).append(record)
        count, total = self._sums.get(shard, (0, 0))
        self._sums[shard] = (count + 1, total + size)

    def root(self):
        """The bytes of the root."""
        root = bytearray(_ROOT_BYTES)
        root[0:16] = b"allocsnap-table\0"
        struct.pack_into("<IIQ", root, 16, _version(), 0x01020304, ROOT_AT)
        struct.pack_into(
            "<IIIIII", root, 32, _ROOT_BYTES, _SHARD_BYTES, _RECORD_BYTES, _NODE_BYTES, _SHARDS, 8
        )
        root[56:80] = self._hooks_version[:23].ljust(24, b"\0")
        for place in (_CONTROL, _APPLIED):
            struct.pack_into("<III", root, place, 1, 1, 16)
        struct.pack_into("<Q", root, _START, 1700000000 * 10**9)
        struct.pack_into("<Q", root, _NODE_CHUNKS, LISTS_AT)
        struct.pack_into("<Q", root, _MODULE_CHUNKS, LISTS_AT + 8)
        struct.pack_into("<I", root, _DOMAIN_COUNT, len(self.domains))
        for place, (number, name) in enumerate(self.domains):
            struct.pack_into("<I", root, _DOMAINS + 4 * place, number)
            root[_NAMES_AT + 32 * place : _NAMES_AT + 32 * (place + 1)] = name[:31].ljust(32, b"\0")
        struct.pack_into("<I", root, _NODE_COUNT, len(self.nodes))
        struct.pack_into("<I", root, _MODULE_COUNT, len(self.modules))
        for shard, (count, size) in self._sums.items():
            used = len(self._blocks[shard])
            struct.pack_into(
                "<IIQQQI", root, _SHARD_AT + _SHARD_BYTES * shard,
                0, used, count, size, LISTS_AT + 16 + 8 * shard, 1,
            )
        return bytes(root)

    def put_into(self, core):
        """Lays it out in the memory of a Core: one chunk of each kind, and of each shard."""
        core.put(ROOT_AT, self.root())
        lists = bytearray(16 + 8 * _SHARDS)
        struct.pack_into("<QQ", lists, 0, NODES_AT, MODULES_AT)
        nodes = b"".join(struct.pack("<QII", pc | module << 48, parent, 0) for pc, parent, module in self.nodes)
        core.put(NODES_AT, nodes.ljust(CHUNK_NODES * _NODE_BYTES, b"\0"))
        modules, paths = b"", b""
        for start, end, path in self.modules:
            place = PATHS_AT + len(paths)
            modules += struct.pack("<QQQII", start, end, place, len(path), 0) + b"\0" * 32
            paths += path + b"\0"
        core.put(MODULES_AT, modules.ljust(CHUNK_MODULES * 64, b"\0"))
        core.put(PATHS_AT, paths)
        for shard, records in self._blocks.items():
            place = RECORDS_AT + 0x10000 * shard
            struct.pack_into("<Q", lists, 16 + 8 * shard, place)
            core.put(place, b"".join(records).ljust(CHUNK_RECORDS * _RECORD_BYTES, b"\0"))
        core.put(LISTS_AT, bytes(lists))
