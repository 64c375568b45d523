"""What the test programs hold at their stop_here, read from the marks in their sources.

A mark is a comment at the end of a line that asks for memory:

    kept[0] = malloc(100); /* heap: NAME size=100 count=1 */

NAME is unique in its file. `size` is the bytes of all blocks of the line that are live,
`count` their number; both may be sums of products (`size=8+10*24`). A line whose blocks
are all gone has count=0. Further words:

    via=WHAT   the most recent frame is not this line but inside WHAT, a library function
               or a header that the line calls
    in=WHICH   holds only in one of several places where the program stops, as its first
               comment says
    frames=N   frames of the stack that lie in this file

A file whose first comment says `heap-total: exact` has no other memory than the marks';
elsewhere libraries keep memory of their own.
"""

import collections
import os
import re

PROGRAMS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "programs")

Mark = collections.namedtuple("Mark", "name line size count via where frames")

_COMMENT = re.compile(r"/\* heap: (.*?) \*/")
_SUM = re.compile(r"\d+([*+]\d+)*\Z")
_KEYS = ("size", "count", "via", "in", "frames")


def source(name):
    """The full path of a program's source: source("plain.c")."""
    return os.path.join(PROGRAMS, name)


def _number(text):
    if not _SUM.match(text):
        raise ValueError("not a sum of products: %r" % text)
    total = 0
    for term in text.split("+"):
        product = 1
        for factor in term.split("*"):
            product *= int(factor)
        total += product
    return total


def _mark(text, line):
    name, *words = text.split()
    values = dict(word.split("=", 1) for word in words)
    unknown = sorted(set(values) - set(_KEYS))
    if unknown:
        raise ValueError("unknown word in a heap mark: %s" % unknown[0])
    frames = values.get("frames")
    return Mark(
        name=name,
        line=line,
        size=_number(values["size"]),
        count=_number(values["count"]),
        via=values.get("via"),
        where=values.get("in"),
        frames=None if frames is None else _number(frames),
    )


def marks(path):
    """All marks of a source file, in order."""
    found = []
    with open(path, encoding="utf-8") as file:
        for line, text in enumerate(file, 1):
            comments = _COMMENT.findall(text)
            if len(comments) != text.count("heap:"):
                raise ValueError("%s:%d: malformed heap mark" % (path, line))
            try:
                found.extend(_mark(comment, line) for comment in comments)
            except (KeyError, ValueError) as error:
                raise ValueError("%s:%d: malformed heap mark: %s" % (path, line, error)) from error
    names = [mark.name for mark in found]
    if len(set(names)) != len(names):
        raise ValueError("%s: two heap marks of one name" % path)
    return found


def named(path):
    """All marks of a source file by name."""
    return {mark.name: mark for mark in marks(path)}


def live(path, where=None):
    """The marks of a source file with live blocks at the place `where`."""
    return [mark for mark in marks(path) if mark.count and mark.where in (None, where)]


def expected(path, where=None):
    """{line: (size, count)} of the lines that are most recent frames of live blocks."""
    return {mark.line: (mark.size, mark.count) for mark in live(path, where) if not mark.via}


def total(path, where=None):
    """(size, count) of all live blocks of marked lines."""
    found = live(path, where)
    return sum(mark.size for mark in found), sum(mark.count for mark in found)


def is_exact(path):
    """Whether the program has no other memory than the marks'."""
    with open(path, encoding="utf-8") as file:
        return "heap-total: exact" in file.read().split("*/", 1)[0]
