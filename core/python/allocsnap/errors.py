"""The errors of this package: one line each, with what to do next."""

from __future__ import annotations

import enum
from typing import Optional

from .printable import printable_text


class ErrorCode(enum.IntEnum):
    """What kind of failure; the numbers of asnap_error_code (allocsnap.h)."""

    NO_MEMORY = 1
    INVALID_ARGUMENT = 2
    NO_HOOKS = 3
    NOT_TRACING = 4
    UNREADABLE = 5
    DAMAGED = 6
    VERSION = 7
    UNSUPPORTED = 8
    INTERRUPTED = 9
    IO = 10


class AllocsnapError(RuntimeError):
    """A failure that one line explains, whatever names are in it. `code` is an ErrorCode; `filename` and `errno` are
    as OSError's, None where it is of no file and no system call failed."""

    def __init__(
        self,
        message: object,
        code: ErrorCode = ErrorCode.INVALID_ARGUMENT,
        filename: Optional[str] = None,
        errno: Optional[int] = None,
    ) -> None:
        super().__init__(printable_text(str(message)))
        self.code = code
        self.filename = filename
        self.errno = errno


class UsageError(AllocsnapError):
    """What was typed is no command: words or options that are not known, or contradict each other."""


class UnreadableMemory(Exception):
    """Raised by Target.read_memory where some of the bytes cannot be read."""


def one_line(text: object) -> str:
    """`text` without line breaks, so that an error stays one line."""
    return " ".join(str(text).split())
