"""Where gdb finds the memory of an inferior: its core file, or what is mapped in a process."""

import re
import tempfile

import gdb
from allocsnap.target import Region, parsed_memory_map
from gdb_answers import output, text_of

_MAPPING = re.compile(r"\s*0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+0x[0-9a-f]+\s+0x([0-9a-f]+)(.*)")


def core_file(inferior):
    """The path of the core file; None where gdb does not say."""
    if getattr(inferior, "corefile", None) is not None:  # gdb 17 and later
        return text_of(lambda: inferior.corefile.filename)
    told = output("info files")
    found = re.search(r"^Local core dump file:\n\s*[`'](.*?)', file type ", told, re.M | re.S)
    return found.group(1) if found else None


def is_native(inferior):
    """Whether it is a process of this host, by gdb's own means."""
    return inferior.connection is not None and inferior.connection.type == "native"


def fetched_memory_map(inferior):
    """The map that the remote host's kernel tells, where its server hands over files."""
    connection = inferior.connection
    if connection is None or not connection.type.endswith("remote"):
        return []
    with tempfile.NamedTemporaryFile() as file:
        try:
            output("remote get /proc/{}/maps {}".format(inferior.pid, file.name))
        except gdb.error:
            return []
        return parsed_memory_map(file.read())


def printed_memory_map():
    """The map as `info proc mappings` prints it: a remote process, or a core that
    could not be opened."""
    regions = []
    try:
        text = output("info proc mappings")
    except gdb.error:
        return regions
    # Tables of gdb 16 and later have a blank after each column, also after the path.
    padding = re.search(r"^ *Start Addr.*?( ?)$", text, re.M)
    padding = padding.group(1) if padding else ""
    for line in text.split("\n"):
        match = _MAPPING.match(line)
        if match is None:
            continue
        start, end, offset = (int(number, 16) for number in match.groups()[:3])
        permissions, path = "r", match.group(4).lstrip()
        # gdb prints permissions of a live process, and none of a core.
        flags = re.match(r"([r-][w-][x-][ps-])\s*(.*)", path)
        if flags:
            permissions, path = flags.groups()
            # As the kernel writes a newline.
            path = path.replace("\\012", "\n")
        if padding and path.endswith(padding):
            path = path[:-1]
        regions.append(
            Region(
                start,
                end,
                offset,
                path,
                "r" in permissions,
                "w" in permissions,
                "x" in permissions,
            )
        )
    return sorted(regions)
