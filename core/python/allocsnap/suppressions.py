"""Suppressions and Suppressed of the Python interface."""

from __future__ import annotations

import os
from typing import List, NamedTuple, Optional, Union

from .library import leak_rules

Path = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]


class Suppressed(NamedTuple):
    """What a rule of Suppressions has left out."""

    rule: str  # as a file has it: "leak:PATTERN"; of a built-in one its name
    filename: Optional[str]  # None: it is built in
    lineno: int
    size: int
    count: int  # type: ignore[assignment]  # blocks


class Suppressions:
    """Which blocks are no leaks: rules of files as LeakSanitizer has them (lines of
    leak:PATTERN), and with `builtin` those for what programs keep by design of the C library,
    the loader and the C++ library."""

    def __init__(self, *filenames: Path, builtin: bool = True) -> None:
        paths = [os.fsencode(filename) for filename in filenames]
        self._rules = leak_rules.Suppressions(paths, bool(builtin))

    @property
    def rules(self) -> List[str]:
        """Each rule as text, with where it is from."""
        return [str(rule) for rule in self._rules.rules]
