"""Snapshots of programs without hooks: blocks out of the allocator's own structures."""

import os
import re

from .errors import AllocsnapError
from .library import graphs, heaps
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


def other_allocator(target, regions):
    """Of a program whose blocks another allocator than glibc's has: what that is called, and its
    file where it is known. None: none is seen."""
    names = {os.path.basename(path): path for path in regions.paths()}
    for pattern, name, symbols in _OTHERS:
        for base in sorted(names):
            if re.match(pattern, base):
                return "{} ({})".format(name, shown_path(names[base]))
        for symbol in symbols:
            if target.find_symbol(symbol):
                return "{} (symbol {})".format(name, symbol)
    return None


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
            " {}".format(why, other),
            why.code,
        )
    main_arena = target.find_symbol("main_arena")
    return heaps.Heap(calls, regions, _threads(target, regions), main_arena, own)
