"""Snapshots in files, with the attributes that Python code has given them."""

import errno
import os

from .errors import AllocsnapError, ErrorCode
from . import kept_graph
from .library import native
from .library.names import decoded_name, encoded_name

#: The kinds of file.
FORMATS = ("allocsnap", "tracemalloc")


def dump(snapshot, filename, attributes, kind):
    """Writes a snapshot of the library as one of FORMATS. `attributes` is {name: string}."""
    if kind not in FORMATS:
        raise ValueError("no format {!r}: there are {}".format(kind, " and ".join(FORMATS)))
    array = (native.Attribute * max(len(attributes), 1))()
    for place, (name, value) in zip(array, attributes.items()):
        if not isinstance(value, str):
            raise TypeError(
                "the attribute {!r} is of type {}: a file keeps strings, turn it into one or"
                " delete it".format(name, type(value).__name__)
            )
        place.name = encoded_name(name)
        place.value = encoded_name(value)
    path = os.fsencode(filename)
    try:
        if kind == "allocsnap":
            snapshot.dump(path, array, len(attributes))
        else:
            snapshot.dump_tracemalloc(path, array, len(attributes))
    except AllocsnapError as error:
        if error.code == ErrorCode.IO:
            raise os_error(filename, error) from None
        raise


def load(filename):
    """The library's snapshot in a file, and {name: string} of its attributes."""
    lib = native.library()
    try:
        made = kept_graph.load(os.fsencode(filename))
    except AllocsnapError as error:
        if error.code == ErrorCode.IO:
            raise os_error(filename, error) from None
        raise
    attributes = {}
    for index in range(lib.asnap_snapshot_attribute_count(made)):
        attribute = lib.asnap_snapshot_attribute(made, index)
        attributes[decoded_name(attribute.name)] = decoded_name(attribute.value)
    return made, attributes


def os_error(filename, error):
    """The error that Python's open gives for this file, for code that tells errors apart; else
    the library's words."""
    number = errno.EISDIR if os.path.isdir(filename) else error.errno
    if number is None:
        return OSError(str(error))
    return OSError(number, os.strerror(number), filename)
