"""Why a process, a program or a core has no hooks, or hooks that are not called, and what to do about
it, as far as that can be told from here."""

import os
import re
import struct

from . import minidump, program_file
from .errors import AllocsnapError, ErrorCode
from .library import library_files, native

_AT_SECURE = 23  # of the auxiliary vector (getauxval(3))

_PRELOAD = "LD_PRELOAD=" + library_files.HOOKS_NAME
_LOAD_THEM = "start the program with " + _PRELOAD
_LIBC = (
    "{} is a program for {} ({}), which cannot load hooks that are built for {}: set"
    " ALLOCSNAP_HOOKS to hooks built for it, or trace a build of it for {}"
)
# Words that every debugger knows.
GO_ON = "let the program run on, to `tbreak main` or another breakpoint, and try again"
_STATIC = "{} is statically linked, and loads no libraries: link it dynamically to trace it"


def names_hooks(path):
    """Whether this is the name of a hooks library."""
    # A process that sees other files has them without one (attach.py).
    return os.path.basename(path).startswith(("liballocsnap-hooks", "memfd:liballocsnap-hooks"))


def are_awaited(process, regions):
    """Whether hooks are in a process, and will be there when it allocates first; or were in one of
    which a part of the core is lost, theirs among it."""
    is_possible = not process.is_core or regions.missing
    return bool(is_possible and any(map(names_hooks, regions.paths())))


def in_core(process, regions, files):
    """Why there are none in a core. `files`: those that the debugger has read."""
    loaded = any(map(names_hooks, list(regions.paths()) + files))
    written = "have its private anonymous memory dumped (bit 0 of its coredump_filter)"
    whole = "have a whole core written"
    if minidump.is_minidump(process.core_path):
        written = "have it written with `process save-core --style full`"
        whole = "have a whole one written with `process save-core --style full`"
    if regions.missing:
        return "the hooks' records are not in what is left; " + whole
    if loaded:
        return "the program had the hooks, but their records are not in this core: " + written
    return "no allocsnap hooks in this core: {}, and {}".format(_LOAD_THEM, written)


def never_called(status, regions, files):
    """Why hooks that trace have seen no block, where another tool has taken the place of malloc in
    the program's code; None where none has."""
    if not status.tracing or status.peak_size or status.traced_count:
        return None
    for path in sorted(regions.paths()) + files:
        # memcheck, massif, ...; the core part alone replaces nothing.
        found = re.match(r"vgpreload_(?!core\b)(\w+)", os.path.basename(path))
        if found:
            return (
                "valgrind's {} has taken the place of malloc, so that no block is seen: run the"
                " program without valgrind, or give valgrind"
                " --soname-synonyms=somalloc=nouserintercepts".format(found.group(1))
            )
    return None


def other_namespace(regions):
    """Where the program has made a namespace of libraries with a C library of its own (dlmopen),
    what that makes of the numbers; else None."""
    found = set()
    for region in regions.array[: regions.count]:
        name = os.path.basename(region.path or b"")
        if region.flags & native.REGION_EXECUTABLE and re.match(rb"libc(-2\.\d+)?\.so", name):
            found.add((region.path, region.start - region.file_offset))
    if len(found) < 2:
        return None
    return (
        "a second C library is loaded, in a namespace of its own (dlmopen): no call of the libraries"
        " there comes to the hooks, and their blocks are missing here (too few): load them by dlopen"
    )


def without_map():
    """Where a process's memory map cannot be read."""
    return (
        "no allocsnap hooks are found: the process's memory map cannot be read, and the"
        " debugger has not found liballocsnap-hooks.so: tell it where the program's"
        " libraries are (sysroot, solib-search-path), or start the program with the hooks"
    )


def in_process(target, process, regions, started):
    """Why there are none in a live process; None where there is nothing to add to that.
    `started`: whether `snapshot start` was given for the next run."""
    paths = regions.paths()
    if any(map(names_hooks, paths)):
        return "the allocsnap hooks are loaded but have not started yet: " + GO_ON
    path = target.program_path()
    program = program_file.read(_path_here(process, path))
    name = path or process.description
    if program is not None and not _is_linker(path):
        if program.is_static:
            return "no allocsnap hooks in this process: " + _STATIC.format(name)
        other = _other_libc(name, program)
        if other is not None:
            return "no allocsnap hooks in this process: " + other
        if not _has_libraries(paths, path, program):
            wanted = _preloads_hooks(process)
            if wanted or (wanted is None and started):
                return (
                    "no allocsnap hooks in this process yet, which has not loaded its libraries: "
                    + GO_ON
                )
    return _by_environment(target, process, started)


def again(target, process):
    """How to start a process again, with the hooks."""
    if process.of_server:
        return "have its server start it again, with {} and ALLOCSNAP set there".format(_PRELOAD)
    return "`{}` it again".format(target.run_command)


def _by_environment(target, process, started):
    """By what the process was started with, where that can be read."""
    wanted = _preloads_hooks(process)
    if _is_secure(process):
        return (
            "no allocsnap hooks in this process: it has taken other rights than those of who"
            " started it (setuid, file capabilities), and loads no LD_PRELOAD: start it as the"
            " user whose rights it takes"
        )
    if wanted:
        return (
            "no allocsnap hooks in this process, though its LD_PRELOAD names them ({}): the"
            " loader has told on the program's standard error why it did not take them".format(wanted)
        )
    if target.how_to_trace is not None:
        return "no allocsnap hooks in this process: {}".format(target.how_to_trace)
    if not started:
        return None
    if wanted is not None:
        return (
            "no allocsnap hooks in this process: it was started before `snapshot start`, from"
            " elsewhere, or by what takes LD_PRELOAD out of its environment (exec-wrapper, a shell's"
            " start-up file); {}".format(again(target, process))
        )
    return (
        "no allocsnap hooks in this process, though `snapshot start` was given: {}"
        " if it is older, go on if it has not loaded its libraries yet; statically"
        " linked and setuid programs cannot load the hooks".format(again(target, process))
    )


def for_next_run(target):
    """What keeps the hooks out of the next run of the program that the debugger has, in a
    sentence, or None. Fails where the program would not even start with them."""
    path = target.program_path()
    program = program_file.read(path)
    if program is None or _is_linker(path):
        return None
    hooks = program_file.read(library_files.hooks_path())
    if program.is_static:
        return _STATIC.format(path)
    if hooks is not None and (program.bits, program.machine) != (hooks.bits, hooks.machine):
        if program.bits != 64:
            return "{} is a {}-bit program: only 64-bit programs are supported".format(
                path, program.bits
            )
        return (
            "{} is a program for {}, and the hooks are for {}: set ALLOCSNAP_HOOKS to hooks"
            " built for it".format(path, program.kind, hooks.kind)
        )
    other = _other_libc(path, program)
    if other is not None:
        raise AllocsnapError(other, ErrorCode.UNSUPPORTED)
    return None


def _other_libc(name, program):
    """Why a program cannot load the hooks that there are here; None where it can."""
    try:
        theirs = program_file.libc_of(library_files.hooks_path())
    except AllocsnapError:  # there are no hooks here
        return None
    if theirs in (None, program.libc):
        return None
    return _LIBC.format(name, program.libc, program.interpreter, theirs, theirs)


def _is_linker(path):
    """Whether a program is the dynamic linker, which runs another one."""
    return os.path.basename(path or "").startswith(("ld-linux", "ld.so", "ld-musl-"))


def _path_here(process, path):
    """Where the program's file can be read here."""
    if process.proc_pid is not None:
        return "/proc/{}/exe".format(process.proc_pid)
    return path


def _has_libraries(paths, path, program):
    """Whether files are mapped beside the program and its dynamic linker."""
    own = {os.path.realpath(name) for name in (path or "", program.interpreter)}
    return any(name.startswith("/") and os.path.realpath(name) not in own for name in paths)


def _preloads_hooks(process):
    """What LD_PRELOAD of a process names of the hooks; "": nothing; None: not to be known."""
    entries = _proc(process, "environ")
    if entries is None:
        return None
    for entry in entries.split(b"\0"):
        name, _, value = entry.decode("utf-8", "backslashreplace").partition("=")
        if name == "LD_PRELOAD":
            found = [one for one in value.replace(":", " ").split() if names_hooks(one)]
            return " ".join(found)
    return ""


def _is_secure(process):
    """Whether the kernel has given a process other rights than its parent's."""
    vector = _proc(process, "auxv") or b""
    pairs = struct.iter_unpack("=QQ", vector[: len(vector) // 16 * 16])
    return any(kind == _AT_SECURE and value for kind, value in pairs)


def _proc(process, name):
    """A file of /proc/PID; None where it cannot be read here."""
    if process.proc_pid is None:
        return None
    try:
        with open("/proc/{}/{}".format(process.proc_pid, name), "rb") as file:
            return file.read()
    except OSError:
        return None
