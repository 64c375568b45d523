"""A traced program stops by itself where it ends, so that what it holds last can be read."""

from .errors import AllocsnapError

#: Where it stops: nowhere; where it calls exit, or returns from main, before the handlers and
#: destructors that then run; and after these, where its process ends.
MODES = ("off", "exit", "end")

#: Functions of the C library that end a process: those that run handlers first, and those that do
#: not. The first kind comes to the second.
WITH_HANDLERS = ("exit", "quick_exit")
AT_ONCE = ("_exit", "_Exit")
FUNCTIONS = WITH_HANDLERS + AT_ONCE

_LIBC = r"(libc\b|ld-musl)"
_PURPOSE = "exits"

_NOTICE = (
    "The traced program {}: {}`snapshot stats` shows what it holds, `{}` lets it end (`snapshot"
    " set stop-at-exit off` has it not stop here).\n"
)
_OTHERS = "its other threads run, `{}` stops them; then "


class ExitStop:
    """What a session wants of the ends of its programs."""

    def __init__(self, target, is_traced):
        self._target = target
        self._is_traced = is_traced  # whether the process is traced now
        self._stopped = set()  # ("exit" or "end", Process.identity) of what has stopped there
        self.mode = "exit"

    def set(self, mode):
        """Takes one of MODES, for programs that are at hand and those to come."""
        self.mode = mode
        if mode == "off":
            self._target.forget_calls(_PURPOSE)
        elif self._target.has_program():
            self.watch()

    def watch(self):
        """Has the debugger look out, for the next run as well."""
        if self.mode != "off":
            self._target.watch_calls(_PURPOSE, FUNCTIONS, _LIBC, self.reached)

    def reached(self, function):
        """Whether to stop where the process has called one of FUNCTIONS of the C library; if so, the
        user is told why."""
        place = "exit" if function in WITH_HANDLERS else "end"
        if self.mode == "off" or (self.mode == "end" and place == "exit"):
            return False
        process = self._target.process()
        if process is None or not self._is_first(process.identity, place) or not self._traced():
            return False
        self._stopped.add((place, process.identity))
        does = "is about to exit" if place == "exit" else "is at its end"
        stop, go_on = self._target.words_for_all() or (None, "continue")
        self._target.tell(_NOTICE.format(does, _OTHERS.format(stop) if stop else "", go_on))
        return True

    def _is_first(self, identity, place):
        """Whether it has not stopped in this process, where one stop is to be."""
        places = ("exit", "end") if self.mode == "exit" else (place,)
        return not any((each, identity) in self._stopped for each in places)

    def _traced(self):
        try:
            return self._is_traced()
        except AllocsnapError:
            return False
