"""Opening files by names from outside: of a program, a core, a dump."""

import errno
import os
import stat


def open_regular(path):
    """The regular file at `path`, opened for reading bytes; OSError where there is none.

    Anything else is not opened, not even for a moment: opening a pipe can wait, opening a
    device can do something. What was looked at is what is opened.
    """
    handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", path)
        return open("/proc/self/fd/{}".format(handle), "rb")
    finally:
        os.close(handle)
