"""Tracing of the program in the debugger: what tracemalloc does to its own process.

The debugger's session registers itself here. Without a debugger nothing is traced, and
only snapshots from files and from given traces are to be had.
"""

from __future__ import annotations

import operator
import sys
from typing import Any, Optional, Sequence, SupportsIndex, Tuple

from . import __version__, bulk, reachability
from .errors import AllocsnapError, ErrorCode
from .frames import FrameTuple, Traceback, TraceTuple
from .launch import DEFAULT_FRAME_LIMIT
from .snapshot import Snapshot

_FRAME_LIMIT_MAX = 65535
_INT_MAX = 2**31 - 1

_session: Any = None  # a session.Session, None without a debugger

_NO_DEBUGGER = (
    "there is no debugger here: load a snapshot from a file, or use this inside the"
    " debugger's Python, where a traced program is"
)


def set_session(session: Any) -> None:
    """Makes the functions below act on the program of a session.Session."""
    global _session
    _session = session


def _required() -> Any:
    if _session is None:
        _check_copy()
        raise AllocsnapError(_NO_DEBUGGER)
    return _session


def _check_copy() -> None:
    """Fails where the debugger's commands are of another version of this package."""
    held = getattr(sys, "_allocsnap_in_debugger", None)
    if held is not None:
        raise AllocsnapError(
            "the commands of this debugger are those of allocsnap {} in {}: import that one, or"
            " load those of {} in a new session".format(held.version, held.directory, __version__)
        )


def _status() -> Any:
    """The hooks' status, None where no program is traced."""
    if _session is None:
        _check_copy()
        return None
    if _session.process() is None:
        return None
    try:
        status = _session.status()[1]
    except AllocsnapError as error:
        if error.code == ErrorCode.NO_HOOKS:
            return None
        raise
    return status if status.tracing else None


def is_tracing() -> bool:
    """Whether the program's allocations are traced."""
    return _status() is not None


def start(*nframe: SupportsIndex) -> None:
    """Traces the program's allocations, with the `nframe` most recent frames of each
    stack (1 to 65535, 16 where it is not given). A paused process with the hooks is
    traced from its next malloc or free on, and any other program when it is run."""
    if len(nframe) > 1:
        raise TypeError("start expected at most 1 argument, got {}".format(len(nframe)))
    limit = operator.index(nframe[0]) if nframe else DEFAULT_FRAME_LIMIT
    if not -_INT_MAX - 1 <= limit <= _INT_MAX:
        raise OverflowError("Python int too large to convert to C int")
    if not 1 <= limit <= _FRAME_LIMIT_MAX:
        raise ValueError(
            "the number of frames must be in range [1; {}]".format(_FRAME_LIMIT_MAX)
        )
    session = _required()
    if _status() is None:
        session.start(limit)


def stop() -> None:
    """Stops tracing and drops all traces; without a process, takes `start` back."""
    if _status() is not None or (_session is not None and _session.launch.frame_limit()):
        _session.stop()


def clear_traces() -> None:
    """Drops all traces."""
    if _status() is not None:
        _session.clear()


def reset_peak() -> None:
    """Makes the peak of traced memory what is traced now."""
    if _status() is not None:
        _session.reset_peak()


def get_traced_memory() -> Tuple[int, int]:
    """(bytes in traced blocks now, the most there were)."""
    status = _status()
    return (0, 0) if status is None else (status.traced_size, status.peak_size)


def get_tracemalloc_memory() -> int:
    """Bytes that the hooks use to keep the traces."""
    status = _status()
    return 0 if status is None else status.tracker_size


def get_traceback_limit() -> int:
    """Frames kept of a stack."""
    status = _status()
    if status is not None:
        return status.frame_limit
    limit = None if _session is None else _session.launch.frame_limit()
    return DEFAULT_FRAME_LIMIT if limit is None else limit


def _read() -> Any:
    session = _required()
    return session.read().snapshot.skip(session.rules)


def _get_traces() -> Sequence[TraceTuple]:
    """The raw traces of the program as a list; empty where it is not traced."""
    return Snapshot._of(_read()).traces._traces if is_tracing() else []


def _get_object_traceback(obj: SupportsIndex) -> Optional[Sequence[FrameTuple]]:
    """The frames of the block that holds an address, most recent first, or None."""
    found = bulk.traceback_of(_read(), operator.index(obj)) if is_tracing() else None
    return None if found is None else found[0]


def get_object_traceback(obj: SupportsIndex) -> Optional[Traceback]:
    """The Traceback where the block that holds the address `obj` was asked for; None
    where there is no such block."""
    frames = _get_object_traceback(obj)
    return None if frames is None else Traceback(frames)


def take_live_snapshot(graph: bool = False) -> Snapshot:
    """A Snapshot of the program, which is being traced. `graph`: with what points to its
    blocks."""
    if not graph:
        return Snapshot._of(_read())
    session = _required()
    return Snapshot._of(reachability.compute(session).skip(session.rules))


def take_python_snapshot() -> Snapshot:
    """A Snapshot of what the tracemalloc of a CPython in the program traces."""
    session = _required()
    return Snapshot._of(session.read_python().snapshot.skip(session.rules))
