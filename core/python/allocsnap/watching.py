"""Limits of the heap at which the program stops: the hooks watch them (`core/hooks/record/watch.h`),
and the debugger has a breakpoint where they say that one is reached."""

from .errors import AllocsnapError, ErrorCode
from .library import native, objects
from .library.calls import Calls
from .printable import printable_text

#: What the hooks call when a limit is reached.
FUNCTION = "allocsnap_watch_reached"
_PURPOSE = "limits"

_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def precise_size(size):
    """A size for people, with two digits after the point where it is not whole: sizes just above a
    limit are to be told from it."""
    if size < 1024:
        return "{} B".format(size)
    unit = min((size.bit_length() - 1) // 10, len(_UNITS))
    text = "{:.2f}".format(size / (1 << 10 * unit))
    return "{} {}".format(text.rstrip("0").rstrip("."), _UNITS[unit - 1])


def _blocks(count):
    return "{} block{}".format(count, "" if count == 1 else "s")


def reached_text(kind, reached, is_sample):
    """What was reached, in words without an end."""
    about = "about " if is_sample else ""
    size = precise_size(reached.size)
    if kind == "size" and size == precise_size(reached.limit):
        size = "{} B".format(reached.size)
    heap = "{}{} in {}".format(about, size, _blocks(reached.count))
    if kind == "size":
        return "Heap passed {}: {}".format(precise_size(reached.limit), heap)
    if kind == "count":
        return "Heap passed {}: {}".format(_blocks(reached.limit), heap)
    if kind == "block":
        return "Request of {} ({} or more): heap of {}".format(
            precise_size(reached.request), precise_size(reached.limit), heap
        )
    return "Request of {} got no memory: heap of {}".format(precise_size(reached.request), heap)


def environment_words(limits):
    """Limits {kind: number} in the words of ALLOCSNAP_WATCH."""
    forms = {"size": "{}", "block": "block={}", "count": "count={}", "failed": "failed"}
    return ",".join(forms[kind].format(limits[kind]) for kind in native.WATCH_KINDS if limits.get(kind))


class Watching:
    """What a session wants its programs to be stopped for."""

    def __init__(self, session):
        self._session = session
        self._seen = (None, {})  # (Process.identity, {kind: how often it was reached})
        self._next_run = {}  # Target.launch_id() -> limits {kind: number} of the next run

    def next_run(self):
        """The limits {kind: number} that the next run begins with."""
        if not self._session.launch.watch():
            return {}
        return dict(self._next_run.get(self._session.target.launch_id(), {}))

    def read(self, process=None):
        """The native.Watch of the process or core."""
        process = process or self._session.stopped_process()
        return objects.read_watch(*self._session.inferior_of(process))

    def set_next_run(self, limits):
        """Has the next run begin with limits {kind: number}, none for no watch."""
        self._next_run[self._session.target.launch_id()] = limits
        self._session.launch.set_watch(environment_words(limits))
        if limits:
            self._look_out()

    def set(self, limits):
        """Has the process watch limits {kind: number}, in place of all others."""
        session = self._session
        process = session.live_process()
        self._remember(process, self.read(process))
        asked = native.WatchLimits(*(limits.get(kind, 0) for kind in native.WATCH_KINDS))
        calls, root = session.inferior_of(process)
        for address, data in objects.prepare_watch(calls, root, asked):
            session.target.write_memory(address, data)
        if limits:
            self._look_out()

    def _look_out(self):
        self._session.target.watch_calls(_PURPOSE, (FUNCTION,), "", self._reached)

    def _remember(self, process, watch):
        times = {kind: reached.times for kind, reached in by_kind(watch)}
        self._seen = (process.identity, times)

    def _reached(self, _function):
        """Whether to stop where the hooks tell; if so, the user is told why."""
        target = self._session.target
        try:
            process = self._session.stopped_process(may_move=True)
            root = self._session.root_symbol()
            watch = objects.read_watch(Calls(target), root)
        except AllocsnapError:
            return False
        identity, seen = self._seen
        before = seen if identity == process.identity else {}
        new = [(kind, one) for kind, one in by_kind(watch) if one.times > before.get(kind, 0)]
        self._remember(process, watch)
        if not new:
            return False
        at = _place(target.caller_of_library())
        for kind, one in new:
            target.tell("{}{}.\n".format(reached_text(kind, one, watch.of_sample), at))
        return True


def by_kind(watch):
    """[(kind, native.Reached)] of a native.Watch."""
    return list(zip(native.WATCH_KINDS, watch.reached))


def _place(caller):
    """Where that is, as the end of a sentence; "" where it is not known."""
    if caller is None or caller[0] is None:
        return ""
    function, path, line = caller
    at = " at {}:{}".format(path, line) if path and line else ""
    return ", by {}{}".format(printable_text(function), printable_text(at))


def limits_of(watch):
    """The limits {kind: number} of a native.Watch."""
    found = {kind: int(getattr(watch.limits, kind)) for kind in native.WATCH_KINDS}
    return {kind: number for kind, number in found.items() if number}


def check_not_passed(status, limits):
    """Fails where what is traced is beyond a limit already."""
    size, count = limits.get("size"), limits.get("count")
    what = None
    if size is not None and status.traced_size > size:
        what = precise_size(status.traced_size)
    if count is not None and status.traced_count > count:
        what = _blocks(status.traced_count)
    if what is not None:
        raise AllocsnapError(
            "the heap has {} already: give a larger limit, or +SIZE for as much more than now".format(what),
            ErrorCode.INVALID_ARGUMENT,
        )
