"""What /proc tells of processes and threads (proc(5))."""

import os
import struct

_AT_ENTRY = 9  # of the auxiliary vector (getauxval(3))


def _lines(path):
    try:
        with open("/proc/{}".format(path), encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()
    except OSError:
        return []


def field(number, name):
    """A field of the status of a process or thread; None where it is not there."""
    for line in _lines("{}/status".format(number)):
        found, _, value = line.partition(":")
        if found == name:
            return value.strip()
    return None


def system_call(pid, thread):
    """The number of the system call that a thread is in; None: in none, or it is not known."""
    words = " ".join(_lines("{}/task/{}/syscall".format(pid, thread))).split()
    return int(words[0]) if words and words[0].isdigit() else None


def pending(pid, thread=None):
    """The numbers of the signals that wait for a thread, and for its process."""
    found = set()
    for line in _lines("{}/task/{}/status".format(pid, pid if thread is None else thread)):
        name, _, value = line.partition(":")
        if name in ("SigPnd", "ShdPnd"):
            bits = int(value, 16)
            found.update(number + 1 for number in range(64) if bits >> number & 1)
    return found


def entry(pid):
    """The address where a program begins, once its libraries are loaded; 0: not known."""
    try:
        with open("/proc/{}/auxv".format(pid), "rb") as file:
            vector = file.read()
    except OSError:
        return 0
    pairs = struct.iter_unpack("=QQ", vector[: len(vector) // 16 * 16])
    return next((value for kind, value in pairs if kind == _AT_ENTRY), 0)


def ptrace_scope():
    """What Yama lets processes do to others, "0" to "3" (Documentation/admin-guide/LSM/Yama.rst)."""
    return "".join(_lines("sys/kernel/yama/ptrace_scope")).strip() or "0"


def is_seen_from_here(pid, kind):
    """Whether a process is in our own namespace of a kind ("mnt", "pid"), as far as that is known."""
    try:
        return os.readlink("/proc/{}/ns/{}".format(pid, kind)) == os.readlink("/proc/self/ns/" + kind)
    except OSError:
        return True


def paths_from_here(pid, region):
    """(where a file that a process of another mount namespace has mapped can be opened here, its path to the
    process). The kernel tells us its path from the root of that namespace, which is not the root of a process that
    has called chroot(2)."""
    root = "/proc/{}/root".format(pid)
    try:
        above = os.readlink(root).rstrip("/")
    except OSError:
        above = ""
    path = region.path[len(above) :] if region.path.startswith(above + "/") else region.path
    if os.path.exists(root + path):
        return root + path, path
    # Gone, or outside of that root. Only root may open this one (proc(5)).
    return "/proc/{}/map_files/{:x}-{:x}".format(pid, region.start, region.end), region.path
