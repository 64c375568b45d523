"""Which frames blocks are attributed past: the built-in sets, as the library's table has them,
and the user's own rules."""

import functools
from ctypes import c_char_p
from typing import NamedTuple, Optional, Tuple

from ..target import path_bytes
from . import native

_ALL_SETS = 2**32 - 1


class SkipSet(NamedTuple):
    """A built-in set (asnap_skip_set)."""

    number: int
    name: str
    what: str  # it holds


@functools.lru_cache(maxsize=None)
def skip_sets():
    """{name: SkipSet}, in the order of the table."""
    found = {}
    while True:
        one = native.library().asnap_skip_set(len(found))
        if not one:
            return found
        name = native.text_of(one.contents.name)
        found[name] = SkipSet(len(found), name, native.text_of(one.contents.what))


class SkipRules(NamedTuple):
    """What asnap_snapshot_skip takes."""

    patterns: Tuple[str, ...] = ()
    sets: Optional[Tuple[str, ...]] = None  # the names of those that count; None: all
    mine: Tuple[str, ...] = ()

    def native(self):
        """The native.SkipRules; it refers to nothing of this object."""
        sets = _ALL_SETS
        if self.sets is not None:
            sets = sum(1 << skip_sets()[name].number for name in set(self.sets))
        return native.SkipRules(*_strings(self.patterns), *_strings(self.mine), sets)


def _strings(texts):
    """The array and its length."""
    return (c_char_p * len(texts))(*map(path_bytes, texts)), len(texts)

