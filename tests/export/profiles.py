"""Profiles, as `pprof -raw` prints them."""

import re
from typing import Dict, List, NamedTuple, Tuple

#: Stands for older frames that were not recorded.
CUT = ("[beyond the frame limit]", "", 0)

_SAMPLE = re.compile(r"\s+(-?\d+)\s+(-?\d+): ([\d ]*)\Z")
_LABELS = re.compile(r"([a-z]+):\[([^\]]*)\]")
#: Go 1.22 and later have a column behind the line, which is 0 here.
_LOCATION = re.compile(r"\s+(\d+): 0x([0-9a-f]+) M=(\d+) (.*) (\S*?):(\d+)(?::0)? s=0\(\)\Z")
_INLINED = re.compile(r"\s{13}(.*) (\S*?):(\d+)(?::0)? s=0\(\)\Z")
_MAPPING = re.compile(r"(\d+): 0x([0-9a-f]+)/0x([0-9a-f]+)/0x([0-9a-f]+) (\S+) ([0-9a-f]*) ?(.*)\Z")


class Mapping(NamedTuple):
    start: int
    end: int
    offset: int
    path: str
    build_id: str
    known: str  # "[FN][FL][LN][IN]"


class Sample(NamedTuple):
    count: int
    size: int
    locations: Tuple[int, ...]  # the most recent first
    labels: Dict[str, str]


class Location(NamedTuple):
    address: int
    mapping: int
    lines: List[Tuple[str, str, int]]  # (function, file, line), the innermost first


class Profile:
    """What is in a profile, of which paths have no blanks."""

    def __init__(self, raw):
        self.comments = re.findall(r"^Comment: (.*)$", raw, re.M)
        head, rest = raw.split("Samples:\n")
        samples, rest = rest.split("Locations\n")
        locations, mappings = rest.split("Mappings\n")
        self.head = head
        self.types, *lines = samples.splitlines()
        self.samples = []
        for line in lines:
            sample = _SAMPLE.match(line)
            if sample:
                ids = tuple(map(int, sample.group(3).split()))
                self.samples.append(Sample(int(sample.group(1)), int(sample.group(2)), ids, {}))
            else:
                self.samples[-1].labels.update(_LABELS.findall(line))
        self.locations = {}
        for line in locations.splitlines():
            outer = _LOCATION.match(line)
            if outer:
                found = Location(int(outer.group(2), 16), int(outer.group(3)), [])
                self.locations[int(outer.group(1))] = found
            name, path, number = (outer.groups()[3:] if outer else _INLINED.match(line).groups())
            found.lines.append((name, path, int(number)))
        self.mappings = {}
        for number, *numbers, path, build_id, known in map(
            lambda line: _MAPPING.match(line).groups(), mappings.splitlines()
        ):
            self.mappings[int(number)] = Mapping(*(int(one, 16) for one in numbers), path, build_id, known)

    def stack(self, sample):
        """The lines of a sample, the most recent first, those of one location together."""
        return tuple(tuple(self.locations[number].lines) for number in sample.locations)
