"""What an address is that is in no live block: on a thread's stack, in the data or code of a file, or
in what was a block when a snapshot was taken."""

import os

from .terminal import FILE, FUNCTION, NAME, plain

#: Of more, the stacks that they have left are not looked through.
_MOST_THREADS = 256


def sentence(target, process, regions, kept, address, marked=plain):
    """What is known of an address of the process, as "it is on the stack of thread 1, frame #0 in
    main", with names as they are; None where nothing is. `regions`: where things are mapped. `kept`:
    {name: kept.Taken}; `marked`: as Shown.marked."""
    mapping = _mapping(regions, address)
    if mapping is None:
        return None
    return (
        _in_file(target.file_place(address), marked)
        or _in_snapshot(kept, process.description, address)
        or _on_stack(target, mapping, address, marked)
        or _in_storage(target, mapping)
    )


def _mapping(regions, address):
    """The native.Region that an address is in, or None."""
    found = (regions.array[place] for place in range(regions.count))
    return next((one for one in found if one.start <= address < one.end), None)


def _on_stack(target, mapping, address, marked):
    within = {
        number: pointer
        for number, pointer in target.stack_pointers().items()
        if mapping.start <= pointer < mapping.end
    }
    if not within:
        return _on_other_stack(target, address, marked)
    # Of stacks that lie in one mapping it is the last that begins before the address.
    before = {number: pointer for number, pointer in within.items() if pointer <= address}
    if not before:
        number = min(within, key=within.get)
        return "it is on the stack of thread {}, below its stack pointer".format(number)
    number = max(before, key=before.get)
    if not target.finds_frames:
        return "it is in the mapping of the stack of thread {}, above its stack pointer".format(number)
    frame = target.frame_over(number, address)
    if frame is None:
        # What the kernel hands over, or thread-local storage.
        return "it is in the mapping of the stack of thread {}, above its frames".format(number)
    return _in_frame(number, frame, marked)


def _on_other_stack(target, address, marked):
    """The same of a stack that its thread has left, for that of a signal handler."""
    threads = target.threads()
    for thread in threads if len(threads) <= _MOST_THREADS else ():
        frame = target.frame_over(thread.number, address)
        if frame is not None:
            return _in_frame(thread.number, frame, marked)
    return None


def _in_frame(number, frame, marked):
    level, function = frame
    text = "it is on the stack of thread {}, frame #{}".format(number, level)
    return text + " in " + marked(FUNCTION, function) if function else text


def _in_storage(target, mapping):
    """What holds a thread pointer: of the first thread no stack is in the same mapping."""
    numbers = {thread.kernel_number: thread.number for thread in target.threads()}
    for facts in target.thread_facts():
        if mapping.start <= facts.thread_pointer < mapping.end and facts.number in numbers:
            return "it is in the mapping of the thread-local storage of thread {}".format(
                numbers[facts.number]
            )
    return None


def _in_file(place, marked):
    if place is None:
        return None
    name = os.path.basename(place.path) if place.path else "the program"
    text = "it is in section {} of {}".format(place.section, marked(FILE, name))
    if place.symbol is None:
        return text
    text += ": " + marked(NAME, place.symbol)
    if place.offset:
        text += "+{}".format(place.offset if place.offset < 10 else hex(place.offset))
    return text


def _in_snapshot(kept, source, address):
    for name, taken in reversed(list(kept.items())):
        if taken.source != source:
            continue
        if taken.snapshot.find(address) is not None:
            return (
                "it was in a block of the snapshot {0}, which `snapshot who --in {0} {1:#x}`"
                " shows".format(name, address)
            )
    return None
