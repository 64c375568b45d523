"""Stopping where the program calls a function of a library, with the caller shown."""

import contextlib
import itertools
import os
import re
import sys

import gdb


def quietly(do):
    """Does something of which gdb would print."""
    sys.modules["__main__"].__dict__["_allocsnap_quiet"] = do
    gdb.execute("python _allocsnap_quiet()", to_string=True)


class CallBreakpoint(gdb.Breakpoint):
    """One that no list shows, on a function of a library."""

    def __init__(self, function, libraries, reached):
        super().__init__("-qualified -function " + function, internal=True)
        self._function, self._libraries, self._reached = function, libraries, reached

    def stop(self):
        library = gdb.solib_name(gdb.newest_frame().pc()) or ""
        is_one = re.match(self._libraries, os.path.basename(library))
        return bool(is_one) and self._reached(self._function)


def show_at_stop(frame):
    """Has gdb begin at a frame when the program has stopped: it is the one that is selected, and
    `backtrace` lists none before it. What is called while a breakpoint is looked at must not choose
    one."""

    def choose(_event):
        gdb.events.stop.disconnect(choose)
        with contextlib.suppress(gdb.error):
            frame.select()
            _Backtrace.begin_at(frame)
            gdb.execute("frame")

    gdb.events.stop.connect(choose)


class _Backtrace:
    """A frame filter of gdb's, while the program stands at a limit of its heap."""

    name, priority, enabled = "allocsnap", 100, True

    def __init__(self, level):
        self._level = level

    def filter(self, frames):
        """The frames from that level on."""
        return itertools.dropwhile(lambda one: one.inferior_frame().level() < self._level, frames)

    @classmethod
    def begin_at(cls, frame):
        """Has `backtrace` begin there, for the thread that is selected, until it goes on."""
        filters = gdb.current_progspace().frame_filters
        filters[cls.name] = cls(frame.level())

        def end(_event):
            gdb.events.cont.disconnect(end)
            filters.pop(cls.name, None)

        gdb.events.cont.connect(end)
