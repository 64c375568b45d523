"""Having the program call functions, with nothing of the debugger's or the program's coming in between."""

import contextlib
import re
import threading

import gdb
from allocsnap.attach_moment import FRAMES_MOST
from gdb_answers import output, text_of
from gdb_threads import kernel_number, selected

# What `info signals` lists: the name, and what is done.
_SIGNAL = re.compile(r"^(SIG\w+)\s+(Yes|No)\t(Yes|No)\t(Yes|No)\t", re.M)
# Setting the handling of "all" leaves these out: gdb takes them for its own.
_OWN_SIGNALS = ("SIGTRAP", "SIGINT")

_SETTINGS = {
    "scheduler-locking": "off",
    "schedule-multiple": "off",
    "stop-on-solib-events": "0",
    "unwindonsignal": "off",
    "print thread-events": "off",
    "may-call-functions": "on",
    "language": "c",
}


def _setting(name):
    value = gdb.parameter(name)
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)


@contextlib.contextmanager
def _settings(changed):
    """Other settings of gdb's while it lasts."""
    before = {name: _setting(name) for name in changed}
    try:
        for name, value in changed.items():
            output("set {} {}".format(name, value))
        yield
    finally:
        for name, value in before.items():
            output("set {} {}".format(name, value))


@contextlib.contextmanager
def _signals_pass():
    """Signals go to the program without stopping it."""
    before = [row for row in _SIGNAL.findall(output("info signals")) if row[0] not in _OWN_SIGNALS]
    output("handle all nostop noprint pass")
    try:
        yield
    finally:
        for name, stop, printed, passed in before:
            words = [
                "stop" if stop == "Yes" else "nostop",
                "print" if printed == "Yes" else "noprint",
                "pass" if passed == "Yes" else "nopass",
            ]
            if words != ["nostop", "noprint", "pass"]:
                output("handle {} {}".format(name, " ".join(words)))


@contextlib.contextmanager
def _without_breakpoints(others):
    """`others`: such as no list shows."""
    enabled = [one for one in [*gdb.breakpoints(), *others] if one.is_valid() and one.enabled]
    try:
        for one in enabled:
            one.enabled = False
        yield
    finally:
        for one in enabled:
            if one.is_valid():
                one.enabled = True


@contextlib.contextmanager
def undisturbed(breakpoints):
    """Nothing stops the program while it lasts."""
    before = gdb.selected_thread()
    with _settings(_SETTINGS), _signals_pass(), _without_breakpoints(breakpoints):
        try:
            yield
        finally:
            if before is not None and before.is_valid():
                before.switch()


def thread_of(number):
    """The thread that gdb calls so."""
    return next(one for one in gdb.selected_inferior().threads() if one.num == number)


def _frames():
    found, frame = [], gdb.newest_frame()
    while frame is not None and len(found) < FRAMES_MOST:
        is_signal = frame.type() == gdb.SIGTRAMP_FRAME
        name = "<signal handler called>" if is_signal else text_of(frame.name)
        found.append((frame.pc(), name))
        try:
            frame = frame.older()
        except gdb.error:
            break
    return found


def stacks(numbers=None):
    """The frames of each thread, or of each of these."""
    for thread in gdb.selected_inferior().threads():
        if numbers is not None and thread.num not in numbers:
            continue
        with selected(thread):
            try:
                frames = _frames()
            except gdb.error:
                frames = []
        yield thread.num, kernel_number(thread), frames


class _Watchdog:
    """Interrupts the program where it does not stop by itself in time."""

    def __init__(self, seconds):
        self.has_fired = self._is_over = False
        self._timer = threading.Timer(seconds, lambda: gdb.post_event(self._fire))
        self._timer.daemon = True

    def __enter__(self):
        self._timer.start()
        return self

    def __exit__(self, *_what):
        self._is_over = True
        self._timer.cancel()

    def _fire(self):
        # As gdb's events are handled one by one, the program runs on if nothing has been told of it.
        if not self._is_over:
            self.has_fired = True
            gdb.execute("interrupt")


def run_to(number, instruction, seconds):
    """Lets the program run until a thread is there, or the time is over."""
    thread = thread_of(number)
    thread.switch()
    place = gdb.Breakpoint("*0x{:x}".format(instruction), internal=True, temporary=True)
    place.silent = True
    place.thread = thread.global_num
    try:
        with _Watchdog(seconds) as watchdog:
            output("continue")
    finally:
        is_there = not place.is_valid()
        if not is_there:
            place.delete()
    if watchdog.has_fired and is_there:
        # Its signal has come too late, and is still to be taken out of the program's way.
        output("continue")


def call(number, function, arguments, stack, alone):
    """What a function returns."""
    thread_of(number).switch()
    gdb.newest_frame().select()
    text = "((unsigned long (*)({}))0x{:x})({})".format(
        ",".join(["unsigned long"] * len(arguments)) or "void",
        function,
        ",".join("0x{:x}UL".format(one & (2**64 - 1)) for one in arguments),
    )
    with _settings({"scheduler-locking": "on" if alone else "off"}), _on_stack(stack):
        return int(gdb.parse_and_eval(text)) & (2**64 - 1)


@contextlib.contextmanager
def _on_stack(stack):
    if stack is None:
        yield
        return
    before = int(gdb.newest_frame().read_register("rsp")) & (2**64 - 1)
    output("set $rsp = 0x{:x}".format(stack))
    try:
        yield
    finally:
        gdb.newest_frame().select()
        output("set $rsp = 0x{:x}".format(before))
