"""A program for CPython 3.8 and later with objects of known types: `python3 typed_python.py FILE`. It stops by
SIGSTOP; before, it writes as JSON how many objects of each type there are, as far as it knows: of its own
classes by construction, of containers as gc.get_objects() has them."""

import array
import collections
import datetime
import gc
import json
import os
import signal
import sys
import weakref

COUNT = 137


class Plain:
    """With a dictionary."""

    def __init__(self, number):
        self.number = number


class Slotted:
    __slots__ = ("number",)


class Referred:
    __slots__ = ("__weakref__",)


class Empty:
    __slots__ = ()


class OwnDict(dict):
    pass


class OwnList(list):
    pass


class OwnTuple(tuple):
    pass


class OwnInt(int):
    pass


class OwnStr(str):
    pass


class OwnBytes(bytes):
    __slots__ = ()


class OwnError(Exception):
    pass


class Meta(type):
    pass


class OwnDeque(collections.deque):
    pass


def many(make):
    return [make(number) for number in range(COUNT)]


def slotted(number):
    made = Slotted()
    made.number = number
    return made


#: Always known to the collector, in every version, and never in memory of another kind.
CONTAINERS = ["list", "set", "function", "cell", "module", "deque", "Plain", "OwnDict", "Referrer"]

Referrer = type("Referrer", (), {"__doc__": None})


def main():
    kept = [
        many(Plain),
        many(slotted),
        many(lambda _: Referred()),
        many(lambda _: Empty()),
        many(lambda _: OwnDict()),
        many(lambda _: OwnList([1, 2])),
        many(lambda number: OwnTuple(range(number))),
        many(lambda number: OwnInt(number + 10**number)),
        many(lambda number: OwnStr("\u0434" * (number + 2))),
        many(lambda number: OwnBytes(b"x" * (number + 2))),
        many(lambda number: OwnError(number)),
        many(lambda number: Meta("Made%d" % number, (), {})),
        many(lambda number: OwnDeque([number])),
        many(lambda number: Referrer()),
        many(lambda number: array.array("d", [number])),
        many(lambda number: set(range(number))),
        many(lambda number: collections.deque()),
        many(lambda number: datetime.time(number % 24)),
        [letter * (number + 2) for letter in "x\u0434\U0001f600" for number in range(COUNT)],  # strings of each kind
    ]
    # What looks like a head of an object: a small number, or another object, and a type.
    kept.append([[1, Plain], [Plain, Slotted], (Plain, OwnDict, int), [str, bytes, None]])
    kept.append([weakref.ref(one) for one in kept[2]])
    # Freed ones, some of which are kept for the next of their type.
    freed = [many(Plain), many(lambda _: []), many(lambda number: float(number)), many(lambda _: {1: 2})]
    del freed
    known = {name: COUNT for name in ("Slotted", "Referred", "Empty", "OwnList", "OwnTuple", "OwnInt", "OwnStr")}
    known.update({name: COUNT for name in ("OwnBytes", "OwnError", "Meta", "OwnDeque", "array.array")})
    known["time"] = COUNT + 2  # and time.min and time.max
    file = open(sys.argv[1], "w", encoding="ascii")
    encode = json.JSONEncoder().encode
    encode(known)
    gc.collect()
    gc.disable()
    objects = gc.get_objects()
    # Counted without abstract base classes, which remember what they were asked. The list of all is
    # none of them, and is not there any more when the program stops.
    there = dict.fromkeys(CONTAINERS, 0)
    for one in objects:
        if type(one).__name__ in there:
            there[type(one).__name__] += 1
    del objects
    known.update({name: there[name] for name in CONTAINERS})
    file.write(encode(known))
    file.flush()
    os.kill(os.getpid(), signal.SIGSTOP)
    return kept, file


main()
