"""Asks a CPython that runs to start tracemalloc, by its own interface for debuggers (PEP 768): a thread
state has room for the path of a script, which the thread runs at its next safe place."""

import os
import struct
import tempfile

from .errors import AllocsnapError, ErrorCode, UnreadableMemory
from .target import shown_path

#: The frame limit where none is asked for.
FRAME_LIMIT = 25

_COOKIE = b"xdebugpy"
_3_14 = 0x030E

#: Words of struct _Py_DebugOffsets of 3.14, by their place: where things are in the runtime's state, in
#: an interpreter's, and in a thread's.
_WORDS = 95
_INTERPRETERS, _INTERPRETER_SIZE, _MAIN_THREAD, _THREAD_SIZE = 5, 6, 10, 22
_BREAKER, _SUPPORT, _ENABLED, _PENDING, _PATH, _PATH_SIZE = range(89, 95)

# _PY_EVAL_PLEASE_STOP_BIT: the thread looks at what it is asked for.
_PLEASE_STOP = 1 << 5

_SCRIPT = """import os, tracemalloc
os.unlink({path!r})
tracemalloc.start({limit})
"""


def _set_instead(limit):
    return "start the program with PYTHONTRACEMALLOC={0}, or have it call tracemalloc.start({0})".format(limit)


class Request:
    """What is written into a CPython that stands still. `place`: (path of its file, symbols), as of
    cpython.find."""

    def __init__(self, target, process, place, limit):
        self._target = target
        self._limit = limit
        path, known = place
        runtime = known.get("runtime")
        words = self._words(runtime, _WORDS) if runtime else None
        self.name = self._name(path, known, words)
        if words is None or words[1] >> 16 != _3_14 or not self._fits(words):
            raise AllocsnapError(
                "{} cannot be asked to start tracemalloc while it runs, as 3.14 can: {}".format(
                    self.name, _set_instead(limit)
                ),
                ErrorCode.UNSUPPORTED,
            )
        if process.proc_pid is None:
            raise AllocsnapError(
                "the process is not one of this host, where a file for it could be laid: {}".format(
                    _set_instead(limit)
                ),
                ErrorCode.UNSUPPORTED,
            )
        self._root = "/proc/{}/root".format(process.proc_pid)
        self._interpreter = self._words(runtime + words[_INTERPRETERS], 1)[0]
        self._thread = self._words(self._interpreter + words[_MAIN_THREAD], 1)[0]
        if not self._interpreter or not self._thread:
            raise AllocsnapError("{} has no main thread: it has ended, or not begun yet".format(self.name))
        self._offsets = words
        self._check()

    def _words(self, address, count):
        try:
            data = bytes(self._target.read_memory(address, 8 * count))
        except UnreadableMemory:
            raise AllocsnapError(
                "the state of the interpreter at 0x{:x} cannot be read".format(address),
                ErrorCode.UNREADABLE,
            ) from None
        return struct.unpack("<{}Q".format(count), data)

    def _name(self, path, known, words):
        version = None
        if words is not None and struct.pack("<Q", words[0]) == _COOKIE:
            version = words[1]
        elif "version" in known:
            version = self._words(known["version"], 1)[0]
        if version is None or version >> 24 != 3:
            return "the CPython of {}".format(shown_path(path))
        return "CPython 3.{}.{}".format(version >> 16 & 0xFF, version >> 8 & 0xFF)

    @staticmethod
    def _fits(words):
        """Whether the offsets are such as there can be."""
        return (
            struct.pack("<Q", words[0]) == _COOKIE
            and words[_PATH_SIZE] == 512
            and words[_SUPPORT] + words[_PATH] + words[_PATH_SIZE] <= words[_THREAD_SIZE]
            and words[_BREAKER] + 8 <= words[_THREAD_SIZE] < 1 << 20
            and words[_PENDING] + 4 <= words[_PATH]
            and max(words[_ENABLED], words[_MAIN_THREAD]) + 8 <= words[_INTERPRETER_SIZE] < 1 << 24
        )

    def _check(self):
        """Fails where the interpreter takes no requests, or has another one."""
        if self._number(self._interpreter + self._offsets[_ENABLED]) != 1:
            raise AllocsnapError(
                "{} takes no requests of debuggers (PYTHON_DISABLE_REMOTE_DEBUG or -X"
                " disable-remote-debug): {}".format(self.name, _set_instead(self._limit)),
                ErrorCode.UNSUPPORTED,
            )
        if self._number(self._support + self._offsets[_PENDING]) != 0:
            raise AllocsnapError(
                "{} has a request already that it has not come to: its main thread runs no Python"
                " code now; let it run on, and try again".format(self.name)
            )

    @property
    def _support(self):
        return self._thread + self._offsets[_SUPPORT]

    def _number(self, address):
        try:
            return struct.unpack("<i", bytes(self._target.read_memory(address, 4)))[0]
        except UnreadableMemory:
            raise AllocsnapError(
                "the state of the interpreter at 0x{:x} cannot be read".format(address),
                ErrorCode.UNREADABLE,
            ) from None

    def _lay_script(self):
        """The path of a new script, as the program sees it; it removes itself when it runs."""
        directory = "/tmp"
        try:
            number, outside = tempfile.mkstemp(
                prefix="allocsnap-", suffix=".py", dir=self._root + directory
            )
            path = os.path.join(directory, os.path.basename(outside))
            try:
                os.write(number, _SCRIPT.format(path=path, limit=self._limit).encode("ascii"))
                os.fchmod(number, 0o644)
            finally:
                os.close(number)
        except OSError as error:
            raise AllocsnapError(
                "no script can be laid into {} of the program: {}".format(directory, error.strerror),
                ErrorCode.IO,
            ) from None
        return path

    def send(self):
        """Writes the request."""
        path = self._lay_script()
        try:
            self._target.write_memory(
                self._support + self._offsets[_PATH], os.fsencode(path) + b"\0"
            )
            self._target.write_memory(
                self._support + self._offsets[_PENDING], struct.pack("<i", 1)
            )
            breaker = self._thread + self._offsets[_BREAKER]
            self._target.write_memory(
                breaker, struct.pack("<Q", self._words(breaker, 1)[0] | _PLEASE_STOP)
            )
        except BaseException:
            os.unlink(self._root + path)
            raise
