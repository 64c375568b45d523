"""The keys of statistics, as the library's table has them."""

import functools
from typing import NamedTuple

from ..errors import AllocsnapError
from . import native

#: asnap_label_kind: what a row of a key is called by.
LABEL_PLACE, LABEL_FUNCTION, LABEL_MODULE, LABEL_THREAD, LABEL_RANGE, LABEL_TYPE = range(6)

#: The key whose groups are found out where they are asked for (object_types.py).
TYPE = "type"

#: And the one that the graph is needed for (owners.py).
OWNER = "owner"

LABEL_SIZE = 64
_UINT64_MAX = 2**64 - 1

#: The key where none is given.
DEFAULT = "lineno"

#: Shorter beginnings of a key's name do not stand for it.
_BEGINNING = 3


class Key(NamedTuple):
    """A key (asnap_key_description)."""

    number: int  # asnap_key
    name: str
    noun: str  # what one row is
    means: str  # the same, at more length
    label: int
    has_cumulative: bool


@functools.lru_cache(maxsize=None)
def keys():
    """{name: Key}, in the order of the table."""
    found = {}
    while True:
        description = native.library().asnap_key_describe(len(found))
        if not description:
            return found
        fields = description.contents
        name = native.text_of(fields.name)
        texts = [native.text_of(text) for text in (fields.name, fields.noun, fields.means)]
        found[name] = Key(len(found), *texts, fields.label, fields.has_cumulative)


def known_names():
    """The names of the keys; none where the library cannot be loaded, which the first
    command will say."""
    try:
        return list(keys())
    except AllocsnapError:
        return []


def cumulative_names():
    """The names of the keys that have cumulative statistics."""
    return [name for name in known_names() if keys()[name].has_cumulative]


def find_name(word):
    """The name of the key that a word stands for: its name, or a beginning of no other's;
    None where it stands for none."""
    if word in keys():
        return word
    found = [name for name in keys() if name.startswith(word)]
    return found[0] if len(found) == 1 and len(word) >= _BEGINNING else None


def range_of(bounds):
    """(from, below) of a native.Bounds; None where it is not known. `below` is None where
    there is no bound."""
    if not bounds.below:
        return None
    return bounds.from_, None if bounds.below == _UINT64_MAX else bounds.below
