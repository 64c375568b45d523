"""`snapshot start` and `stop` before a run: the hooks in the program's environment.

The hooks are loaded with LD_PRELOAD in the environment that the debugger gives
the program, and not with an exec wrapper: a wrapper is ignored where the program
is started without a shell, it is lost on a target that starts programs itself,
and there is only one, which the user may have set. The price is that the shell
through which gdb starts a program is traced for the moment before it becomes the
program; the program's own table starts empty.
"""

import os
import re

from .errors import AllocsnapError
from .library import library_files
from .regular_files import open_regular

DEFAULT_FRAME_LIMIT = 16

_PRELOAD = "LD_PRELOAD"
_LIMIT = "ALLOCSNAP"
_SAMPLE = "ALLOCSNAP_SAMPLE"
_FREED = "ALLOCSNAP_FREED"
_WATCH = "ALLOCSNAP_WATCH"
_WATCH_ACTION = "ALLOCSNAP_WATCH_ACTION"


class _Started:
    """What a `start` changed for one program."""

    def __init__(self, hooks):
        self.hooks = hooks  # path of the library
        self.frame_limit = 0
        self.sample_period = None
        self.freed = None
        self.original = {}  # variable -> what the user had, or None
        self.ours = {}  # variable -> what it was set to
        self.left_out = []  # what the user preloads and this run does not
        self.watch = ""  # what it watches, as the environment says it


class Launch:
    """Changes the environment of the next run, and changes it back."""

    def __init__(self, target):
        self._target = target
        self._started = {}  # Target.launch_id() -> _Started

    def frame_limit(self):
        """Frames the next run keeps of a stack; None where it is not traced."""
        started = self._started.get(self._target.launch_id())
        return None if started is None else started.frame_limit

    def sample_period(self):
        """The period of the next run's sample, in bytes, 0 for every block; None where it was not
        asked for, and the program's own environment says."""
        started = self._started.get(self._target.launch_id())
        return None if started is None else started.sample_period

    def freed(self):
        """How many freed blocks the next run keeps; None where it was not asked for, and the
        program's own environment says."""
        started = self._started.get(self._target.launch_id())
        return None if started is None else started.freed

    def watch(self):
        """What the next run watches, in the words of ALLOCSNAP_WATCH; "" for nothing."""
        started = self._started.get(self._target.launch_id())
        return "" if started is None else started.watch

    def set_watch(self, words):
        """Has the next run, which `start` was called for, watch this; "" for nothing."""
        started = self._started[self._target.launch_id()]
        started.watch = words
        for variable, value in ((_WATCH, words), (_WATCH_ACTION, "debugger" if words else "")):
            if variable in started.ours or words:
                self._set(started, variable, value or started.original[variable])

    def left_out(self):
        """Paths in the user's LD_PRELOAD that the next run does not load: other copies of
        the hooks, of which one only can be at work."""
        started = self._started.get(self._target.launch_id())
        return [] if started is None else started.left_out

    def start(self, frame_limit, sample_period=None, freed=None):
        """Makes the next run load the hooks. Started before, it changes the limit, the period and
        how many freed blocks are kept."""
        hooks = library_files.hooks_path()
        # ld.so(8): the list is separated by blanks or colons, without a way to
        # quote them, and $ begins a token that is replaced.
        if re.search(r"[\s:$]", hooks):
            raise AllocsnapError(
                "the hooks library's path {!r} has a blank, a colon or a $, which LD_PRELOAD"
                " cannot hold: copy it elsewhere and set ALLOCSNAP_HOOKS to that path".format(hooks)
            )
        watch = self.watch()
        # What is left after a stop is the user's, whatever happened in between.
        self.stop()
        started = _Started(hooks)
        started.frame_limit = frame_limit
        started.sample_period = sample_period
        started.freed = freed
        preloaded = _entries(self._target.get_environment(_PRELOAD), without=hooks)
        started.left_out = [path for path in preloaded if _is_hooks(path)]
        others = [path for path in preloaded if path not in started.left_out]
        self._started[self._target.launch_id()] = started
        self._set(started, _PRELOAD, ":".join([hooks] + others))
        self._set(started, _LIMIT, str(frame_limit))
        if sample_period is not None:
            self._set(started, _SAMPLE, str(sample_period))
        if freed is not None:
            self._set(started, _FREED, str(freed))
        if watch:
            self.set_watch(watch)

    def stop(self):
        """Gives the user's values back; returns False where nothing was changed."""
        started = self._started.pop(self._target.launch_id(), None)
        if started is None:
            return False
        for variable, ours in started.ours.items():
            current = self._target.get_environment(variable)
            if current == ours:
                self._target.set_environment(variable, started.original[variable])
            elif variable == _PRELOAD and current is not None:
                # The user changed it since: only what was added goes.
                rest = _entries(current, without=started.hooks)
                self._target.set_environment(variable, ":".join(rest) or None)
        return True

    def _set(self, started, variable, value):
        started.original.setdefault(variable, self._target.get_environment(variable))
        started.ours[variable] = value
        self._target.set_environment(variable, value)


def _entries(preload, without):
    """The libraries of an LD_PRELOAD, in order, without one of them."""
    return [entry for entry in re.split("[ :]", preload or "") if entry and entry != without]


_HOOKS_FILE = re.compile(r"liballocsnap-hooks\.so")
_HOOKS_BYTES_MAX = 1 << 24


def _is_hooks(path):
    """Whether a library is a copy of the hooks: by its name, else by a function that it has."""
    if _HOOKS_FILE.match(os.path.basename(path)):
        return True
    if "/" not in path:
        return False
    try:
        with open_regular(path) as file:
            data = file.read(_HOOKS_BYTES_MAX)
    except OSError:
        return False
    return data.startswith(b"\x7fELF") and b"\0allocsnap_hooks_track\0" in data
