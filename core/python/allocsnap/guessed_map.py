"""Where memory is, of a process whose memory map cannot be read (a server that does not tell it, and a
debugger without a list of the program's libraries): around the addresses that its stack holds, as
far as memory can be read there. Libraries lie close to each other."""

import struct

from .errors import UnreadableMemory
from .target import Region

_PAGE = 4096
_PIECE = 16 * _PAGE
_STACK_BYTES = 1 << 20  # of the stack, above its pointer: return addresses, and the auxiliary vector
_ZONE_BITS = 25  # addresses in the same 32 MiB are neighbours
_ZONES_MOST = 16
_GAP_BYTES = 4 << 20  # so much that cannot be read ends the neighbourhood
_NEIGHBOURHOOD_BYTES = 512 << 20
_ADDRESSES = range(1 << 16, 1 << 56)


def guessed_map(target):
    """Regions in which the program's memory can be read; not all of them."""
    pointer = target.stack_pointer()
    if pointer is None:
        return []
    runs = []
    for address in _neighbours(_stack(target, pointer)):
        if not any(start <= address < end for start, end in runs):
            runs += _readable_around(target, address // _PAGE * _PAGE, runs)
    return [Region(start, end, readable=True, writable=True) for start, end in sorted(runs)]


def _reads(target, address, size):
    if target.interrupted():
        raise KeyboardInterrupt
    try:
        target.read_memory(address, size)
        return True
    except UnreadableMemory:
        return False


def _stack(target, pointer):
    """The bytes of the stack from its pointer on."""
    data = b""
    address = pointer // 8 * 8
    while len(data) < _STACK_BYTES:
        size = _PAGE - address % _PAGE
        try:
            data += bytes(target.read_memory(address, size))
        except UnreadableMemory:
            break
        address += size
    return data


def _neighbours(stack):
    """An address for each neighbourhood that words of the stack point to, the most often named
    first."""
    zones = {}
    for (word,) in struct.iter_unpack("=Q", stack[: len(stack) // 8 * 8]):
        if word in _ADDRESSES:
            zones.setdefault(word >> _ZONE_BITS, []).append(word)
    ranked = sorted(zones.values(), key=len, reverse=True)
    return [words[0] for words in ranked[:_ZONES_MOST]]


def _readable_around(target, address, known):
    """[(start, end)] of what can be read from `address` up and down, but for small gaps."""
    if not _reads(target, address, 8):
        return []
    found = []
    for step in (_PIECE, -_PIECE):
        place = address if step > 0 else address - _PIECE
        gap = 0
        while gap < _GAP_BYTES and 0 <= place and abs(place - address) < _NEIGHBOURHOOD_BYTES:
            if any(start <= place < end for start, end in known):
                break
            pieces = _readable_pieces(target, place)
            found += pieces
            gap = 0 if pieces else gap + _PIECE
            place += step
    return _joined(found)


def _readable_pieces(target, place):
    if _reads(target, place, _PIECE):
        return [(place, place + _PIECE)]
    pages = range(place, place + _PIECE, _PAGE)
    return [(page, page + _PAGE) for page in pages if _reads(target, page, _PAGE)]


def _joined(pieces):
    runs = []
    for start, end in sorted(pieces):
        if runs and runs[-1][1] == start:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
    return runs
