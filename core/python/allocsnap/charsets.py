"""Text in the character sets that a debugger knows, which are those of iconv."""

import codecs
import ctypes
import os


def is_ascii(charset):
    """Whether this name stands for ASCII, as ANSI_X3.4-1968 does."""
    try:
        return codecs.lookup(charset).name == "ascii"
    except LookupError:
        return False


def speaks_utf8(charset):
    """Whether this name stands for UTF-8."""
    try:
        return codecs.lookup(charset).name == "utf-8"
    except LookupError:
        return False


def of_environment():
    """The character set of the user's locale (setlocale(3)), as the environment names it."""
    names = (os.environ.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    name = next(filter(None, names), "C")
    return name.partition(".")[2].partition("@")[0] or "ASCII"


def decoded(raw, charset):
    """The text of bytes in a character set. Where it is ASCII, as in the C locale, other
    characters are those of UTF-8. Raises UnicodeDecodeError where the bytes are no text, or the
    set is unknown."""
    if is_ascii(charset):
        return raw.decode("utf-8", "surrogateescape")
    try:
        return raw.decode(charset)
    except LookupError:  # of Python, such as EBCDIC-US
        return _converted(raw, charset)


def _converted(raw, charset):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.iconv_open.restype = ctypes.c_void_p
    libc.iconv.restype = ctypes.c_size_t
    libc.iconv.argtypes = [ctypes.c_void_p] + [ctypes.c_void_p] * 4
    libc.iconv_close.argtypes = [ctypes.c_void_p]
    conversion = libc.iconv_open(b"UTF-8", charset.encode("utf-8", "surrogateescape"))
    failed = ctypes.c_void_p(-1).value
    if conversion == failed:
        raise UnicodeDecodeError(charset, raw, 0, len(raw), "an unknown character set")
    try:
        # No character takes more than four bytes in UTF-8.
        source, room = ctypes.create_string_buffer(raw, len(raw)), 4 * len(raw) + 16
        made = ctypes.create_string_buffer(room)
        places = [ctypes.c_void_p(ctypes.addressof(one)) for one in (source, made)]
        left = [ctypes.c_size_t(len(raw)), ctypes.c_size_t(room)]
        arguments = [ctypes.addressof(one) for one in (places[0], left[0], places[1], left[1])]
        if libc.iconv(conversion, *arguments) == ctypes.c_size_t(-1).value:
            raise UnicodeDecodeError(charset, raw, 0, len(raw), "not text in this character set")
        return made.raw[: room - left[1].value].decode("utf-8")
    finally:
        libc.iconv_close(conversion)
