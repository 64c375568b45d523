"""Whether a process that the debugger has stopped is there still. Anybody may kill it from outside, and the
debugger notices only when the program is to go on; meanwhile it reads zeros, or what the program's files have,
or nothing."""

import contextlib
import os

from .errors import AllocsnapError, ErrorCode

#: What goes wrong where memory is gone.
_BY_READING = (
    ErrorCode.NO_HOOKS, ErrorCode.NOT_TRACING, ErrorCode.UNREADABLE, ErrorCode.DAMAGED,
    ErrorCode.VERSION, ErrorCode.UNSUPPORTED, ErrorCode.IO,
)


def _is_there(pid, thread):
    """Whether a thread has not ended; proc(5), the state after the name in parentheses."""
    try:
        with open("/proc/{}/task/{}/stat".format(pid, thread), "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] not in (b"Z", b"X", b"x")
    except (FileNotFoundError, ProcessLookupError):
        return False
    except (OSError, IndexError):
        return True


def has_ended(process):
    """Whether a target.Process was one of this machine that stood still, and has ended: all of its threads have.
    One that runs on may end by itself; who reads it looks for that."""
    if process.is_core or process.proc_pid is None or process.moving:
        return False
    pid = process.proc_pid
    if _is_there(pid, pid):
        return False
    try:
        return not any(_is_there(pid, thread) for thread in os.listdir("/proc/{}/task".format(pid)))
    except OSError:
        return True


def check(process):
    """Fails where the process has ended."""
    if has_ended(process):
        raise AllocsnapError(
            "{} has ended, without the debugger having it go on, as when it is killed from outside: its memory is"
            " gone; what was taken before is kept, and to see more start the program again".format(
                process.description
            ),
            ErrorCode.UNREADABLE,
        )


@contextlib.contextmanager
def checked(process):
    """Around reading a process: what was read of one that has ended meanwhile is no result, and no other
    error than that one."""
    try:
        yield
    except AllocsnapError as error:
        if error.code in _BY_READING:
            check(process)
        raise
    check(process)
