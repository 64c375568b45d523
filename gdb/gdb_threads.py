"""The threads of the selected inferior: their registers, and the variables of their frames."""

import contextlib
import re

import gdb
from allocsnap.target import ThreadFacts
from gdb_answers import NUMBERS, text_of


@contextlib.contextmanager
def selected(thread):
    """Has gdb look at a thread, and then at what it has looked at before."""
    before, frame = gdb.selected_thread(), None
    with contextlib.suppress(gdb.error):
        frame = gdb.selected_frame()
    try:
        thread.switch()
        yield
    finally:
        if before is not None and before.is_valid():
            before.switch()
        if frame is not None and frame.is_valid():
            frame.select()


# What registers consist of that hold several words, by the name of a field of their type.
_WORDS = re.compile(r"v\d+_int64\Z|d\Z")


def _register_words(value):
    """The words that a register holds."""
    kind = value.type.strip_typedefs()
    if kind.code in NUMBERS:
        return [int(value.cast(gdb.lookup_type("unsigned long")))]
    for field in kind.fields() if kind.code == gdb.TYPE_CODE_UNION else ():
        if field.name is not None and _WORDS.match(field.name):
            part = value[field.name]
            if part.type.strip_typedefs().code == gdb.TYPE_CODE_UNION:  # of aarch64
                part = part["u"]
            low, high = part.type.strip_typedefs().range()
            return [int(part[index]) & (2**64 - 1) for index in range(low, high + 1)]
    return []


def kernel_number(thread):
    """The kernel's number of a thread; some servers give the process's alone."""
    return thread.ptid[1] or thread.ptid[0]


def thread_facts(thread):
    """The ThreadFacts of the selected thread."""
    number = kernel_number(thread)
    frame = gdb.newest_frame()
    architecture = frame.architecture()
    names = {register.name for register in architecture.registers("general")}
    names |= {register.name for register in architecture.registers("vector")}
    words, found = [], {}
    for name in sorted(names | {"fs_base"}):
        try:
            held = _register_words(frame.read_register(name))
        except (gdb.error, ValueError):
            continue
        words += [(name, word) for word in held]
        found[name] = held
    stack_pointer = (found.get("rsp") or found.get("sp") or [0])[0]
    pointer = (found.get("fs_base") or found.get("tpidr") or [0])[0]
    return ThreadFacts(number, stack_pointer, pointer, tuple(words))


def variable_at(frame, address):
    """The name of the frame's variable that an address is in, or None."""
    try:
        block = frame.block()
    except RuntimeError:
        return None
    while block is not None:
        for symbol in block:
            if not (symbol.is_variable or symbol.is_argument):
                continue
            try:
                value = symbol.value(frame)
                start = int(value.address) if value.address is not None else None
            except (gdb.error, RuntimeError):
                continue
            if start is not None and start <= address < start + value.type.sizeof:
                return text_of(lambda symbol=symbol: symbol.print_name)
        if block.function is not None:
            return None
        block = block.superblock
    return None


@contextlib.contextmanager
def past_main():
    """Has gdb know the frames that called main: where main's ends is where theirs begin."""
    was_on = gdb.parameter("backtrace past-main")
    gdb.execute("set backtrace past-main on")
    try:
        yield
    finally:
        gdb.execute("set backtrace past-main {}".format("on" if was_on else "off"))


def thread_name(thread):
    """The name of a thread where it is text, else None."""
    try:
        return thread.name
    except UnicodeDecodeError:
        return None
