"""A moment at which a process can be had to load a library: what its threads are in the middle of."""

import os
import re
import time

from .errors import AllocsnapError, ErrorCode

#: System calls of x86-64 in which threads wait for something from outside, and no allocator does.
_WAITS = {
    0: "read", 7: "poll", 17: "pread64", 23: "select", 34: "pause", 35: "nanosleep", 42: "connect",
    43: "accept", 45: "recvfrom", 47: "recvmsg", 61: "wait4", 65: "semop", 70: "msgrcv",
    128: "rt_sigtimedwait", 130: "rt_sigsuspend", 202: "futex", 219: "restart_syscall", 208: "io_getevents", 220: "semtimedop",
    230: "clock_nanosleep", 232: "epoll_wait", 247: "waitid", 270: "pselect6", 271: "ppoll",
    281: "epoll_pwait", 288: "accept4", 299: "recvmmsg", 426: "io_uring_enter", 441: "epoll_pwait2",
}  # fmt: skip
_FUTEX = 202

_LIBC = re.compile(r"lib(c|pthread|dl|rt|m)([.-]|$)")
_LINKER = re.compile(r"(ld-linux|ld-\d|ld\.so)")
_ALLOCATORS = re.compile(
    r"lib(jemalloc|tcmalloc|mimalloc|hoard|scudo|snmalloc|rpmalloc|hardened_malloc)"
)

# Functions that hold what another call may wait for, or have begun what it may not come between.
_BUSY = re.compile(
    r"malloc|calloc|realloc|free|memalign|valloc|pvalloc|aligned_alloc|mallopt|mallinfo|trim|tcache|arena"
    r"|_int_|sys(malloc|trim)|operator (new|delete)|_Zn[wa]|_Zd[la]|_?_?dl_|dlopen|dlclose|dlsym|dlerror"
    r"|v?fork|clone|exit|atexit|pthread_(create|exit|detach|getattr|setattr|kill|cancel|atfork|sigqueue)"
    r"|set(res|re|e)?[ug]id|setgroups|nptl|getaddrinfo|gethost|getpw|getgr|nss|iconv|system|popen|spawn"
)
# Those of them that may wait while they do.
_HOLDS = re.compile(
    r"malloc|calloc|realloc|free|memalign|valloc|tcache|arena|_int_|systrim|dlopen|dlclose|_dl_|v?fork\Z"
    r"|pthread_create"
)
# What reads and writes the memory that it is given, and holds nothing.
_HARMLESS = re.compile(r"_*(mem|str|wmem|wcs|stp)[a-z]+")
# What a thread of libc's begins in.
_STARTS = re.compile(
    r"_start\Z|(__GI_)?_*clone3?\Z|start_thread\Z|__libc_start|_call_main|call_init"
)
# Waiting for a lock or a condition of the program's own.
_LOCKS = re.compile(r"pthread_(mutex|rwlock|cond|barrier|spin|join|clockjoin)|sem_|futex|lll_|mtx_|cnd_|thrd_|gcond")

_SIGNAL = "<signal handler called>"

#: The most frames that are asked for of a stack.
FRAMES_MOST = 512

#: How long the program is let run on for a moment, in all, and how long in one step.
SECONDS_MOST = 3.0
PAUSE_MS = 5


class Places:
    """Whose code is where."""

    def __init__(self, regions):
        self._regions = sorted(
            (region.start, region.end, os.path.basename(region.path))
            for region in regions
            if region.executable
        )

    def file_at(self, pc):
        """The name of the file that has code there; "" for none."""
        low, high = 0, len(self._regions)
        while low < high:
            middle = (low + high) // 2
            if self._regions[middle][1] <= pc:
                low = middle + 1
            else:
                high = middle
        if low < len(self._regions) and self._regions[low][0] <= pc:
            return self._regions[low][2]
        return ""


def _names_hooks(name):
    return "liballocsnap-hooks" in name


def system_call(pid, thread):
    """The number of the system call that a stopped thread is in, or -1; None where that cannot be seen."""
    try:
        with open("/proc/{}/task/{}/syscall".format(pid, thread), encoding="ascii") as file:
            words = file.read().split()
        return int(words[0])
    except (OSError, ValueError, IndexError):
        return None


def is_whole(places, frames):
    """Whether a stack leads to where its thread began, or to the most frames that are asked for. A
    debugger that loses its way in a file shows the newest part, as if the rest were not there. Code of no
    file, made at run time, often has no unwind information, and the dynamic linker does not call it."""
    if len(frames) >= FRAMES_MOST:
        return True
    pc, name = frames[-1]
    file = places.file_at(pc)
    # gdb shows nothing that is older than main.
    if file == "" or name == "main" or _LIBC.match(file) or _LINKER.match(file):
        return True
    if name and _STARTS.match(name):
        return True
    # A program's own _start may have no name.
    return len(frames) > 1 and bool(frames[-2][1] and _STARTS.match(frames[-2][1]))


def in_linker(places, frames):
    """Whether a thread is in the dynamic linker. It begins there: that frame is the oldest one."""
    return any(
        _LINKER.match(places.file_at(pc)) and not (name and _STARTS.match(name))
        for pc, name in frames
    )


def held_in(places, frames):
    """In what a thread is that may hold a lock which dlopen needs; None: in nothing of the kind."""
    if in_linker(places, frames):
        return "the dynamic linker"
    if frames and not is_whole(places, frames):
        return "a place that its stack does not tell"
    if any(name and "pthread_cond_" in name for _, name in frames):
        # Threads of an allocator's own wait so for work; whoever waits so has given the lock back.
        return None
    for pc, name in frames:
        file = places.file_at(pc)
        if _ALLOCATORS.match(file):
            return file
        if name and _HOLDS.search(name) and (_LIBC.match(file) or _is_allocators(name)):
            return name
    return None


def obstacle(places, frames, call):
    """Why a thread cannot make another one where it is, in words; None where it can. `call`: as of
    system_call."""
    if not frames:
        return "its stack cannot be unwound"
    if not is_whole(places, frames):
        return "its stack cannot be followed to its beginning"
    if call is None:
        return "it cannot be seen which system call it is in"
    for place, (pc, name) in enumerate(frames):
        file = places.file_at(pc)
        if name == _SIGNAL:
            continue
        if _LINKER.match(file) and not (name and _STARTS.match(name)):
            return "it is in the dynamic linker"
        if _ALLOCATORS.match(file) or _names_hooks(file):
            return "it is in the allocator ({})".format(file)
        if name and _STARTS.match(name):
            continue
        if name and _BUSY.search(name) and (_LIBC.match(file) or _is_allocators(name)):
            return "it is in {}".format(name)
        if _LIBC.match(file) and name is None:
            return "it is in {}, in a function without a name".format(file)
        if place == 0 and _LIBC.match(file) and call == -1 and not _HARMLESS.match(name):
            return "it is in {} of {}".format(name, file)
    if call not in (-1, *_WAITS):
        return "it is in a system call (number {}) that may be an allocator's".format(call)
    if call == _FUTEX and not any(name and _LOCKS.search(name) for _, name in frames[:4]):
        return "it waits for a lock of a library's"
    return None


def _is_allocators(name):
    """Of a program with an allocator of its own."""
    return re.match(r"(je_|tc_|mi_|_int_)?(malloc|calloc|realloc|free|memalign)\b", name) is not None


class Moment:
    """The threads of a stopped process, as far as it matters here."""

    def __init__(self, target, process, regions):
        self._target = target
        self._pid = process.proc_pid
        self._places = Places(regions)

    def find(self):
        """The number of a thread that can be had to make another one, by running one on to where it
        can where there is none."""
        until = time.monotonic() + SECONDS_MOST
        while True:
            why, runners = None, []
            for number, kernel_number, frames in self._target.stacks():
                call = system_call(self._pid, kernel_number)
                found = obstacle(self._places, frames, call)
                if found is None:
                    return number
                why = why or "thread {}: {}".format(number, found)
                goal = self._way_out(frames)
                if goal is not None:
                    runners.append((call != -1, number, goal))
            left = until - time.monotonic()
            if left <= 0 or not runners:
                break
            # One that runs comes there sooner than one that waits.
            _, number, goal = min(runners)
            self._target.run_to(number, goal, left)
        raise AllocsnapError(
            "no thread of it can be had to make another one now ({}): let the program run on a moment,"
            " and try again".format(why or "it has none that can be seen"),
            ErrorCode.UNSUPPORTED,
        )

    def _way_out(self, frames):
        """To where a thread comes back from what it is in the middle of, or None."""
        for place in range(1, len(frames)):
            pc, name = frames[place]
            if name == _SIGNAL or _LIBC.match(self._places.file_at(pc)):
                continue
            if obstacle(self._places, frames[place:], -1) is None:
                return pc
        return None

    def holders(self, before=None):
        """{number of a thread: (frames, in what)} of those that may hold a lock of malloc's or of the
        dynamic linker's; of those in `before`, an answer of this, that have not moved since."""
        found = {}
        for number, _, frames in self._target.stacks(before):
            what = held_in(self._places, frames)
            if what is not None and (before is None or before[number][0] == frames):
                found[number] = frames, what
        return found

    def thread_in_linker(self):
        """The number of a thread that is in the dynamic linker; None: there is none."""
        for number, _, frames in self._target.stacks():
            if in_linker(self._places, frames):
                return number
        return None
