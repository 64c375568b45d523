"""Blocks out of the allocator's own structures: of programs without hooks, and those from before
tracing."""

import os
import re

from .errors import AllocsnapError, ErrorCode
from .library import graphs, heaps, native
from .regular_files import open_regular
from .target import shown_path

# Libraries that take the place of glibc's malloc, by the beginnings of their names, and what they are
# called; the symbols that they define where they are linked into the program.
_OTHERS = (
    (r"libjemalloc(\.|-)", "jemalloc", ("mallctlnametomib", "je_mallctl")),
    (r"libtcmalloc", "tcmalloc", ("tc_malloc",)),
    (r"libmimalloc", "mimalloc", ("mi_malloc",)),
    (r"libhoard|libscudo|libsnmalloc|librpmalloc|libhardened_malloc", "another allocator", ()),
    (r"lib(clang_rt\.)?[amtlhd]+san", "a sanitizer's allocator", ("__asan_init", "__msan_init")),
    (r"ld-musl|libc\.musl", "musl's malloc", ()),
)


# What each has in its file: jemalloc's `mallctl version`, TC_VERSION_STRING of gperftools; mimalloc has
# its version as a number alone, but in the name of the file.
_VERSIONS = {
    "jemalloc": re.compile(rb"\0(\d+\.\d+\.\d+)-\d+-g[0-9a-f]+\0"),
    "tcmalloc": re.compile(rb"\0gperftools (\d+\.\d+(?:\.\d+)?)\0"),
}
_IN_NAME = re.compile(r"\.so\.(\d+(?:\.\d+)*)\Z")
_FILE_MOST = 16 << 20


def _version(name, path):
    """" 5.3.0", the version of the allocator in a file, or ""."""
    pattern = _VERSIONS.get(name)
    if pattern is not None:
        try:
            with open_regular(path) as file:
                found = pattern.search(file.read(_FILE_MOST))
        except OSError:
            return ""
        return " " + found.group(1).decode("ascii") if found else ""
    found = _IN_NAME.search(path) if name == "mimalloc" else None
    return " " + found.group(1) if found else ""


def other_allocator(target, regions):
    """Of a program whose blocks another allocator than glibc's has: what that is called, its version
    and its file where they are known. None: none is seen."""
    names = {os.path.basename(path): path for path in regions.paths()}
    for pattern, name, symbols in _OTHERS:
        for base in sorted(names):
            if re.match(pattern, base):
                path = names[base]
                return "{}{} ({})".format(name, _version(name, path), shown_path(path))
        for symbol in symbols:
            if target.find_symbol(symbol):
                return "{} (symbol {})".format(name, symbol)
    return None


# Allocators that programs of glibc are linked with.
_UNDERNEATH = ("jemalloc", "tcmalloc", "mimalloc")
_ADVICE = ", whose structures are not known here: the hooks work on top of it"


def _threads(target, regions):
    if regions.is_core_map:
        return graphs.CoreThreads(regions)
    return graphs.LiveThreads(target.thread_facts())


def read_heap(target, calls, regions, why=None, own=(None, 0)):
    """The heaps.Heap of a program that stands still. `why`: the error that says why there are no
    hooks; `own` as heaps.Heap has it."""
    other = other_allocator(target, regions)
    if other is not None and why is not None:
        raise AllocsnapError(
            "{}; without hooks only glibc's blocks are read, and this program's are those of"
            " {}{}".format(why, other, _ADVICE if other.startswith(_UNDERNEATH) else ""),
            why.code,
        )
    main_arena = target.find_symbol("main_arena")
    return heaps.Heap(calls, regions, _threads(target, regions), main_arena, own)


# malloc(3) and what it calls lie around these, which the hooks do not define.
_MALLOC = ("__libc_malloc", "__libc_free", "__libc_calloc", "__libc_realloc", "__libc_memalign")
_BEFORE_MALLOC, _BEHIND_MALLOC = 16 << 10, 4 << 10


def _code(target, regions, own):
    """[(start, end)] of the code of malloc(3) and of the hooks, whose memory is `own`; None: that of
    malloc is not known."""
    known = [address for address in map(target.find_symbol, _MALLOC) if address]
    if len(known) < len(_MALLOC):
        return None
    code = [(min(known) - _BEFORE_MALLOC, max(known) + _BEHIND_MALLOC)]
    array, count = own
    places = [regions.find(array[i].start) for i in range(count)]
    paths = {region.path for region in places if region is not None and region.path}
    for region in (regions.array[i] for i in range(regions.count)):
        if region.path in paths and region.flags & native.REGION_EXECUTABLE:
            code.append((region.start, region.end))
    return code


def add_earlier(target, calls, regions, root, raw):
    """Adds to an objects.Raw of hooks those blocks of glibc's that they have no record of; the
    heaps.Heap that these are from. None: nothing is added, as they are another allocator's, or
    what is in flight could not be told from them."""
    if other_allocator(target, regions) is not None:
        return None
    own = heaps.OwnRanges(calls, root)
    code = _code(target, regions, own.array)
    if code is None:
        return None
    try:
        heap = read_heap(target, calls, regions, own=own.array)
    except AllocsnapError as error:
        if error.code != ErrorCode.UNSUPPORTED:
            raise
        return None
    heap.add_earlier(calls, raw, code)
    return heap
