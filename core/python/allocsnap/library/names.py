"""Names between Python and the library, which keeps bytes."""


def encoded_name(name):
    """The bytes of a name. Bytes that are not UTF-8 are escaped in Python's names
    (os.fsdecode), and come back as they were."""
    if not isinstance(name, str):
        raise TypeError("a name must be a string, not {!r}".format(name))
    try:
        raw = name.encode("utf-8")
    except UnicodeEncodeError:
        raw = _escaped_bytes(name)
    if b"\0" in raw:
        raise ValueError("a name cannot hold a NUL character: {!r}".format(name))
    return raw


def _escaped_bytes(name):
    try:
        raw = name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raw = b""
    if decoded_name(raw) != name:
        raise ValueError("a name cannot be written as bytes: {!r}".format(name))
    return raw


def decoded_name(raw):
    """The name that these bytes are."""
    return raw.decode("utf-8", "surrogateescape")
