"""Having the program call functions, with nothing of the debugger's or the program's coming in between."""

import contextlib
import re
import threading

import lldb
from allocsnap.attach_moment import FRAMES_MOST

_CALL_MICROSECONDS = 10 * 1000 * 1000
# LLDB takes these for its own.
_OWN_SIGNALS = ("SIGTRAP", "SIGINT", "SIGSTOP")


@contextlib.contextmanager
def _signals_pass(process):
    """Signals go to the program without stopping it."""
    signals = process.GetUnixSignals()
    before = []
    for place in range(signals.GetNumSignals()):
        number = signals.GetSignalAtIndex(place)
        if signals.GetSignalAsCString(number) not in _OWN_SIGNALS:
            state = (
                signals.GetShouldStop(number),
                signals.GetShouldNotify(number),
                signals.GetShouldSuppress(number),
            )
            before.append((number, state))
    try:
        for number, _ in before:
            _set_signal(signals, number, (False, False, False))
        yield
    finally:
        for number, state in before:
            _set_signal(signals, number, state)


def _set_signal(signals, number, state):
    signals.SetShouldStop(number, state[0])
    signals.SetShouldNotify(number, state[1])
    signals.SetShouldSuppress(number, state[2])


@contextlib.contextmanager
def _without_breakpoints(target):
    enabled = [one for one in target.breakpoint_iter() if one.IsEnabled()]
    try:
        for one in enabled:
            one.SetEnabled(False)
        yield
    finally:
        for one in enabled:
            one.SetEnabled(True)


@contextlib.contextmanager
def undisturbed(target):
    """Nothing stops the program while it lasts."""
    debugger, process = target.GetDebugger(), target.GetProcess()
    is_async = debugger.GetAsync()
    before = process.GetSelectedThread().GetThreadID()
    debugger.SetAsync(False)
    try:
        with _signals_pass(process), _without_breakpoints(target):
            yield
    finally:
        process.SetSelectedThreadByID(before)
        debugger.SetAsync(is_async)


def _frames(thread):
    found = []
    for frame in thread:
        if len(found) == FRAMES_MOST:
            break
        # The C library's code that a handler returns to.
        name = re.sub("^__GI_|@.*", "", frame.GetFunctionName() or "") or None
        if name in ("__restore_rt", "restore_rt"):
            name = "<signal handler called>"
        found.append((frame.GetPC(), name))
    return found


def stacks(process, numbers=None):
    """The frames of each thread, or of each of these."""
    for thread in process:
        if numbers is None or thread.GetIndexID() in numbers:
            yield thread.GetIndexID(), thread.GetThreadID(), _frames(thread)


def run_to(target, number, instruction, seconds):
    """Lets the program run until a thread is there, or the time is over."""
    process = target.GetProcess()
    place = target.BreakpointCreateByAddress(instruction)
    place.SetThreadID(process.GetThreadByIndexID(number).GetThreadID())
    watchdog = threading.Timer(seconds, process.SendAsyncInterrupt)
    watchdog.daemon = True
    watchdog.start()
    try:
        error = process.Continue()
    finally:
        watchdog.cancel()
        target.BreakpointDelete(place.GetID())
    return None if error.Success() else error.GetCString()


def _options(alone):
    options = lldb.SBExpressionOptions()
    options.SetAutoApplyFixIts(False)
    options.SetIgnoreBreakpoints(True)
    options.SetUnwindOnError(True)
    options.SetSuppressPersistentResult(True)
    options.SetFetchDynamicValue(lldb.eNoDynamicValues)
    options.SetTrapExceptions(False)
    options.SetLanguage(lldb.eLanguageTypeC)
    options.SetTimeoutInMicroSeconds(_CALL_MICROSECONDS)
    options.SetStopOthers(alone)
    options.SetTryAllThreads(False)
    return options


def call(process, number, function, arguments, stack, alone):
    """(what a function returns, None), or (None, why it could not be called)."""
    thread = process.GetThreadByIndexID(number)
    process.SetSelectedThread(thread)
    text = "((unsigned long (*)({}))0x{:x}UL)({})".format(
        ",".join(["unsigned long"] * len(arguments)) or "void",
        function,
        ",".join("0x{:x}UL".format(one & (2**64 - 1)) for one in arguments),
    )
    with _on_stack(thread, stack):
        value = thread.GetFrameAtIndex(0).EvaluateExpression(text, _options(alone))
    if value.GetError().Fail():
        return None, (value.GetError().GetCString() or "no value").split("\n")[0]
    return value.GetValueAsUnsigned(), None


@contextlib.contextmanager
def _on_stack(thread, stack):
    if stack is None:
        yield
        return
    before = thread.GetFrameAtIndex(0).GetSP()
    _set_stack(thread, stack)
    try:
        yield
    finally:
        _set_stack(thread, before)


def _set_stack(thread, place):
    register = thread.GetFrameAtIndex(0).FindRegister("rsp")
    error = lldb.SBError()
    register.SetValueFromCString("0x{:x}".format(place), error)
