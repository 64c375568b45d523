"""Places in the source: a line of a file, or a file."""

import re

from .errors import AllocsnapError
from .library import objects

#: The highest number of a line.
LINE_MAX = 2**32 - 1


def place_filters(location):
    """The objects.Filters for the blocks of "FILE:LINE" or "FILE": FILE is the whole
    path or the end of it, from one of its names on, as in the debugger."""
    path, colon, number = location.rpartition(":")
    line = None
    if not colon:
        path = location
    elif re.fullmatch(r"[0-9]{1,10}", number) and int(number) <= LINE_MAX:
        line = int(number)
    elif re.fullmatch(r"[-+]?[0-9]*", number):
        path = ""
    else:
        path = location
    if not path:
        raise AllocsnapError('no place "{}": give FILE:LINE or FILE'.format(location))
    path = re.sub(r"[*?[]", r"[\g<0>]", path)
    ends = [path] if path.startswith("/") else [path, "*/" + path]
    return [objects.Filter(True, end, line) for end in ends]


class Places(list):
    """Those that have a number, which counts from 1."""

    def number_of(self, location):
        """The number of a place, "FILE:LINE" or "FILE", which it gets where it has none."""
        place_filters(location)
        if location not in self:
            self.append(location)
        return self.index(location) + 1

    def numbered(self, number):
        """The place that has a number."""
        if not 1 <= number <= len(self):
            known = "`snapshot place FILE:LINE` gives one a number"
            if self:
                known = "the last number is {}".format(len(self))
            raise AllocsnapError("no place has the number {}: {}".format(number, known))
        return self[number - 1]
