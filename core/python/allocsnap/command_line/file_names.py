"""Names of files with parts that are filled in where each is written."""

import re
import time

from ..errors import UsageError

_PART = re.compile(r"%(.?)", re.S)


def check(name, parts):
    """Fails where a name has a % that is none of `parts`, {letter: what it stands for}."""
    for letter in _PART.findall(name):
        if letter != "%" and letter not in parts:
            raise UsageError(
                "%{} in the name of a file: there are {}, and %% for a %".format(
                    letter, ", ".join("%{} ({})".format(*part) for part in parts.items())
                )
            )


def has(name, letter):
    """Whether a name has this part."""
    return letter in _PART.findall(name)


def filled(name, values):
    """The name with its parts, {letter: text}."""
    return _PART.sub(lambda match: "%" if match.group(1) == "%" else str(values[match.group(1)]), name)


def time_text(seconds):
    """A time as %t has it: 20260131T235959.123Z, of universal time."""
    whole = time.strftime("%Y%m%dT%H%M%S", time.gmtime(seconds))
    return "{}.{:03d}Z".format(whole, int(seconds * 1000) % 1000)
