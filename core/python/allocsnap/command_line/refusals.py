"""Why the kernel does not let this process look at another one, and what would have it do so, in one
sentence (ptrace(2), "Ptrace access mode checking"; Yama, Documentation/admin-guide/LSM/Yama.rst)."""

import os
import pwd
import re

from ..printable import printable

_SYS_PTRACE = 19  # CAP_SYS_PTRACE
_YAMA = "/proc/sys/kernel/yama/ptrace_scope"


def no_process(pid):
    """What to say where there is none."""
    return "there is no process {}: `ps` lists those that there are".format(pid)


def status(pid):
    """{field: text} of /proc/PID/status; empty where there is no such process."""
    try:
        with open("/proc/{}/status".format(pid), encoding="utf-8", errors="replace") as file:
            lines = [line.partition(":") for line in file]
    except OSError:
        return {}
    return {name: value.strip() for name, _, value in lines}


def has_memory(pid):
    """Whether there is a process of this number, not a thread, with memory of a program's."""
    found = status(pid)
    return "VmSize" in found and found.get("Tgid") == str(pid)


def not_readable(pid):
    """Why the memory of a process cannot be read."""
    found = status(pid)
    if not found:
        return no_process(pid)
    if int(found.get("Tgid", pid)) != pid:
        return "{} is a thread of process {}: give that number".format(pid, found["Tgid"])
    if found.get("State", "").startswith(("Z", "X")):
        return "process {} has ended, and only its parent has not taken note of it yet".format(pid)
    if "VmSize" not in found:
        return "process {} is the kernel's own, and has no memory of a program's".format(pid)
    return "process {} cannot be read: {}".format(pid, _why(pid, found))


def not_stopped(pid):
    """Why a process whose memory can be read cannot be stopped."""
    found = status(pid)
    if not found:
        return no_process(pid)
    tracer = found.get("TracerPid", "0")
    if tracer == str(os.getpid()):
        tracer = "0"
    if tracer != "0":
        name = printable(status(tracer).get("Name", ""))
        return (
            "process {} is stopped and looked at by process {}{} already (a debugger, strace?), and the"
            " kernel allows one: have that one detach, or give commands that do not stop it"
            " (stats, diff, traces)".format(pid, tracer, " ({})".format(name) if name else "")
        )
    return "process {} cannot be stopped: {}".format(pid, _why(pid, found))


def _why(pid, found):
    """What keeps this process from one that is there, as far as can be told."""
    if _has_capability():
        return _with_capability(pid)
    root = "as root (capability CAP_SYS_PTRACE)"
    users = set(found.get("Uid", "").split()[:3])
    own = str(os.getuid())
    if users and own not in users:
        return "it is of user {}, and you are {}: run allocsnap as that user, or {}".format(
            _user(users.pop()), _user(own), root
        )
    if users - {own} or _owner(pid) != os.getuid():
        return (
            "it runs with other rights than those of who started it (setuid, file capabilities), or has"
            " forbidden it (PR_SET_DUMPABLE): run allocsnap {}".format(root)
        )
    scope = _scope()
    if scope in ("1", "2", "3"):
        return _by_yama(scope, root)
    if os.getuid() == 0:
        return _in_container()
    return "the kernel does not allow it (a security module such as AppArmor or SELinux?): run allocsnap {}".format(root)


def _by_yama(scope, root):
    if scope == "3":
        return "{} is 3, which forbids it to everybody until the machine starts again".format(_YAMA)
    meant = "lets only who started a process" if scope == "1" else "lets only root"
    return (
        "{} is {}, which {} do so: `sysctl kernel.yama.ptrace_scope=0`, or run allocsnap {}{}".format(
            _YAMA, scope, meant, root, ", or start the program with `allocsnap run`" if scope == "1" else ""
        )
    )


def _in_container():
    return (
        "you are root without the capability CAP_SYS_PTRACE, as in a container: start that with"
        " `--cap-add SYS_PTRACE`, or run allocsnap outside of it"
    )


def _with_capability(pid):
    """Where this process has the capability, in its own user namespace."""
    if _namespace(pid) not in (None, _namespace("self")):
        return "it is in another user namespace (a container?): run allocsnap in there, or as root outside"
    if _scope() == "3":
        return _by_yama("3", "")
    return (
        "the kernel does not allow it though you have the capability CAP_SYS_PTRACE: a filter of system"
        " calls (seccomp, as containers have) or a security module (AppArmor, SELinux) forbids it"
    )


def _has_capability():
    return bool(int(status("self").get("CapEff", "0"), 16) >> _SYS_PTRACE & 1)


def _scope():
    try:
        with open("/proc/sys/kernel/yama/ptrace_scope", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return "0"


def _owner(pid):
    """Who owns the files of /proc/PID: root, where the process may not be looked at."""
    try:
        return os.stat("/proc/{}".format(pid)).st_uid
    except OSError:
        return None


def _namespace(pid):
    try:
        return os.readlink("/proc/{}/ns/user".format(pid))
    except OSError:
        return None


def _user(number):
    try:
        return printable(pwd.getpwuid(int(number)).pw_name)
    except (KeyError, ValueError):
        return "number " + re.sub(r"\D", "", number)
