"""Names addresses of files through liballocsnap.so, as the debuggers do."""

import ctypes
import os
import struct

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LIBRARY = os.path.join(ROOT, os.environ.get("BUILD", "build"), "liballocsnap.so")

PT_LOAD = 1
PF_X = 1


class Frame(ctypes.Structure):
    _fields_ = [
        ("filename", ctypes.c_char_p),
        ("function", ctypes.c_char_p),
        ("lineno", ctypes.c_uint32),
        ("inlined", ctypes.c_bool),
        ("named_by", ctypes.c_uint8),
    ]


class Region(ctypes.Structure):
    _fields_ = [
        ("start", ctypes.c_uint64),
        ("end", ctypes.c_uint64),
        ("file_offset", ctypes.c_uint64),
        ("path", ctypes.c_char_p),
        ("flags", ctypes.c_uint32),
    ]


class NamedPc(ctypes.Structure):
    _fields_ = [
        ("frames", ctypes.POINTER(Frame)),
        ("frame_count", ctypes.c_size_t),
        ("allocates", ctypes.c_char_p),
    ]


def load_segments(path):
    """The (offset, address, file size, flags) of each PT_LOAD of a 64-bit ELF file."""
    with open(path, "rb") as file:
        header = file.read(64)
        table, = struct.unpack_from("<Q", header, 32)
        size, count = struct.unpack_from("<HH", header, 54)
        file.seek(table)
        headers = file.read(size * count)
    segments = []
    for i in range(count):
        kind, flags, offset, address, _, file_size = struct.unpack_from(
            "<IIQQQQ", headers, i * size)
        if kind == PT_LOAD:
            segments.append((offset, address, file_size, flags))
    return segments


def open_library(path=LIBRARY):
    library = ctypes.CDLL(path)
    pointer = ctypes.c_void_p
    library.asnap_error_message.restype = ctypes.c_char_p
    library.asnap_error_message.argtypes = [pointer]
    library.asnap_symbolizer_create.restype = pointer
    library.asnap_symbolizer_create.argtypes = [ctypes.c_char_p, ctypes.POINTER(pointer)]
    library.asnap_symbolizer_set_regions.restype = pointer
    library.asnap_symbolizer_set_regions.argtypes = [
        pointer, pointer, ctypes.POINTER(Region), ctypes.c_size_t]
    library.asnap_symbolizer_name.restype = pointer
    library.asnap_symbolizer_name.argtypes = [
        pointer, ctypes.POINTER(ctypes.c_uint64), ctypes.c_size_t, pointer,
        ctypes.POINTER(NamedPc)]
    library.asnap_symbolizer_destroy.argtypes = [pointer]
    return library


def text(value):
    return None if value is None else value.decode("utf-8", "surrogateescape")


class Namer:
    """Names link-time addresses of one file, mapped at `bias` above them; `within`: from a place in
    another file, (path, offset)."""

    def __init__(self, path, debug_directories=None, bias=0x7f0000000000, within=None):
        self.library = open_library()
        self.handle = ctypes.c_void_p()
        self.bias = bias
        self.path = path
        directories = None if debug_directories is None else debug_directories.encode()
        self._check(self.library.asnap_symbolizer_create(
            directories, ctypes.byref(self.handle)))
        segments = load_segments(path)
        mapped, start = within or (path, 0)
        regions = (Region * len(segments))()
        for region, (offset, address, size, flags) in zip(regions, segments):
            # As the kernel maps it: whole pages.
            before = offset % 4096
            region.start = bias + address - before
            region.end = bias + (address + size + 4095) // 4096 * 4096
            region.file_offset = start + offset - before
            region.path = mapped.encode()
            region.flags = 5
        self._check(self.library.asnap_symbolizer_set_regions(
            self.handle, None, regions, len(segments)))

    def _check(self, error):
        if error:
            raise RuntimeError(self.library.asnap_error_message(error).decode())

    def name(self, addresses):
        """For each address the list of (filename, lineno, function, inlined)."""
        # A call that ends one byte behind the address returns to there.
        wanted = (ctypes.c_uint64 * len(addresses))(*[a + 1 + self.bias for a in addresses])
        names = (NamedPc * len(addresses))()
        self._check(self.library.asnap_symbolizer_name(
            self.handle, wanted, len(addresses), None, names))
        result = []
        for named in names:
            result.append([(text(f.filename), f.lineno, text(f.function), f.inlined)
                           for f in named.frames[:named.frame_count]])
        return result

    def close(self):
        self.library.asnap_symbolizer_destroy(self.handle)
