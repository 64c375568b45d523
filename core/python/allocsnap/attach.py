"""`snapshot start` in a process that was started without the hooks: it is had to load them.

A thread of the process is found that is in the middle of nothing (attach_moment.py), and called
upon to make another one, by pthread_create, on a stack that was made for it. The new thread is one
of the C library's like any other and calls dlopen, while all others go on as they are: it waits
for the loader's lock and malloc's like any other, and what was interrupted is not entered again.
Then, all threads stopped and none of them in the dynamic linker, a function of the hooks is called
that leads the program's calls there (core/hooks/entry/redirect.c); it takes no lock.
"""

import contextlib
import os
import re
import time

from . import attach_code, late, no_hooks, program_file
from .attach_moment import PAUSE_MS, SECONDS_MOST, Moment
from .errors import AllocsnapError, ErrorCode
from .library import library_files
from .library.inferior import MappedSymbols
from .regular_files import open_regular
from .target import path_bytes, shown_path

_OBEY = "allocsnap_obey"
_REDIRECT = "allocsnap_redirect"

_X86_64 = 62  # e_machine
_PROT_READ, _PROT_WRITE, _PROT_EXEC = 1, 2, 4
_MAP = 0x22  # MAP_PRIVATE | MAP_ANONYMOUS
_CODE_BYTES = 4096
_MFD_CLOEXEC = 1
_SECCOMP_STRICT = 1
_FAILED = 2**64 - 4095  # as pointers, error numbers are above

_FUNCTIONS = ("mmap", "munmap", "nanosleep", "pthread_create", "pthread_join", "dlopen", "dlsym", "dlerror")

# For hooks without a file; older C libraries lack the first.
_COPYING = ("memfd_create", "close")


def _refused(process, why, do):
    return AllocsnapError(
        "{} was started without the hooks, and they cannot be loaded into it: {}; {}".format(
            process.description, why, do
        ),
        ErrorCode.UNSUPPORTED,
    )


def _again(target):
    return "`snapshot start` and `{}` trace it from its start".format(target.run_command)


class _Attached:
    """A process while it is changed."""

    def __init__(self, session, process):
        self._target = session.target
        self._process = process
        self._regions = self._target.memory_map()
        self._calls = session.reader(process, session.regions_of(process))
        self._mapped = session.regions_of(process)
        self._moment = Moment(self._target, process, self._regions)
        self._functions = {}
        self._is_waiting = False

    def fail(self, why, do=None):
        """Raises what keeps the hooks out."""
        raise _refused(self._process, why, do or _again(self._target))

    # ---- whether it can be ----

    def check(self):
        """Fails where it is known that the hooks cannot be loaded; nothing of the process is changed."""
        if self._process.proc_pid is None:
            self.fail("it is of another system than the debugger is")
        path = "/proc/{}/exe".format(self._process.proc_pid)
        program = program_file.read(path)
        if program is None:
            self.fail("its program's file cannot be read")
        if program.is_static:
            self.fail("it is statically linked, and loads no libraries", "link it dynamically to trace it")
        if program.libc != "glibc":
            self.fail("its C library is {}, not glibc".format(program.libc))
        if program.machine != _X86_64:
            self.fail("it is a program for {}, not x86-64".format(program.kind))
        self._check_filters()
        self._find_functions()

    def _check_filters(self):
        """A filter of system calls may end the process for those that loading takes. That of a container
        is for all that runs in it, and lets programs load libraries."""
        pid = self._process.proc_pid
        mode = _status_number(pid, "Seccomp")
        around = _status_number(_status_number(pid, "PPid"), "Seccomp_filters")
        is_own = _status_number(pid, "Seccomp_filters") > around
        if mode == _SECCOMP_STRICT or (mode and is_own):
            self.fail(
                "it has forbidden itself system calls (seccomp), which may be those that loading takes"
            )

    def _find_functions(self):
        libraries = [
            path
            for path in self._mapped.paths()
            if re.match(r"lib(c|pthread|dl)([.-])", os.path.basename(path))
        ]
        if not any(os.path.basename(path).startswith("libc") for path in libraries):
            self.fail("it has not loaded its C library yet", no_hooks.GO_ON)
        symbols = MappedSymbols(self._calls, self._mapped.only(libraries), self._target.files())
        for name in _FUNCTIONS:
            found = [one.address for one in symbols.named(name) if one.is_function]
            if not found:
                self.fail("its C library has no {} that can be found".format(name))
            self._functions[name] = found[0]
        for name in _COPYING:
            self._functions.update({name: one.address for one in symbols.named(name) if one.is_function})

    # ---- calls ----

    def _call(self, number, name, *arguments, stack=None, alone=False):
        return self._target.call(number, self._functions[name], arguments, stack, alone)

    def _map(self, number, size, protection):
        place = self._call(number, "mmap", 0, size, protection, _MAP, 2**64 - 1, 0)
        if place > _FAILED or not place:
            self.fail("it gets no memory (mmap)", "free some, and try again")
        return place

    @contextlib.contextmanager
    def memory(self, number):
        """Memory of the process for the calls: (data, code)."""
        data = self._map(number, attach_code.MEMORY_BYTES, _PROT_READ | _PROT_WRITE)
        code = 0
        try:
            code = self._map(number, _CODE_BYTES, _PROT_READ | _PROT_EXEC)
            yield data, code
        except _Unfinished:
            # The thread may still need it.
            self.fail(
                "a thread that loads them waits for a lock of the dynamic linker's or of malloc's, which"
                " another thread keeps",
                "it goes on to wait; `snapshot start` once more traces the process when it has the lock",
            )
        finally:
            if not self._is_waiting:
                with contextlib.suppress(*self._target.errors):
                    self._call(number, "munmap", data, attach_code.MEMORY_BYTES)
                    if code:
                        self._call(number, "munmap", code, _CODE_BYTES)

    def _pause(self, number, data):
        """Lets the program run on a moment, while one thread of it sleeps."""
        place = attach_code.pause_place(data)
        self._call(number, "nanosleep", place, 0, stack=attach_code.stack_top(data))

    def settle(self, number, data):
        """Fails where a thread stays where it may hold a lock that loading needs: then a call would wait
        for ever."""
        self._target.write_memory(
            attach_code.pause_place(data), attach_code.pause_bytes(PAUSE_MS)
        )
        held = self._moment.holders()
        until = time.monotonic() + SECONDS_MOST
        while held and time.monotonic() < until:
            self._pause(number, data)
            held = self._moment.holders(held)
        for one, (_, what) in held.items():
            self.fail(
                "thread {} stays in {}, and may hold a lock".format(one, what),
                "let the program run on, and try again",
            )

    # ---- loading ----

    def load(self, number, data, code, path):
        """The attach_code.Answer of a thread that has called dlopen."""
        functions = self._functions
        request = attach_code.request(
            path, functions["dlopen"], functions["dlsym"], functions["dlerror"]
        )
        self._target.write_memory(data, request)
        self._target.write_memory(code, attach_code.CODE)
        top = attach_code.stack_top(data)
        thread = attach_code.thread_place(data)
        error = self._call(number, "pthread_create", thread, 0, code, data, stack=top)
        if error:
            self.fail("it cannot make a thread ({})".format(os.strerror(error & 0x7FFFFFFF)))
        for _ in range(int(SECONDS_MOST * 1000 / PAUSE_MS)):
            found = attach_code.answer(self._target.read_memory(data, attach_code.ANSWER_BYTES))
            if found.is_done:
                break
            self._pause(number, data)
        else:
            self._is_waiting = True
            raise _Unfinished
        handle = int.from_bytes(self._target.read_memory(thread, 8), "little")
        self._call(number, "pthread_join", handle, 0, stack=top)
        return found

    def load_either_way(self, number, data, code, path):
        """The address of the hooks' function, once they are loaded: by their file, or without one where the
        process sees other files or may not read this one."""
        text = "the process sees other files"
        if self._sees(path):
            found = self.load(number, data, code, path)
            if found.function:
                return found.function
            text = found.text or "nothing"
        found = self._load_copy(number, data, code, path)
        if found is None or not found.function:
            text += "" if found is None else "; without a file: {}".format(found.text or "nothing")
            self.fail("dlopen says: {}".format(text), "let it read {}".format(shown_path(os.fsdecode(path))))
        return found.function

    def _sees(self, path):
        """Whether a path leads to the same file for the process."""
        try:
            there = os.stat(b"/proc/%d/root%b" % (self._process.proc_pid, path))
            return os.path.samestat(there, os.stat(path))
        except OSError:
            return False

    def _load_copy(self, number, data, code, path):
        """As `load`, from memory that is a file without a name; None where it can have none."""
        own = _status_number(self._process.proc_pid, "NSpid")
        # The debugger looks for a file by the path that dlopen was given: it must find none, and above all
        # no pipe.
        if "memfd_create" not in self._functions or os.path.exists("/proc/self/task/{}".format(own)):
            return None
        name = data + attach_code.REPORT
        self._target.write_memory(name, os.path.basename(library_files.HOOKS_NAME).encode() + b"\0")
        top = attach_code.stack_top(data)
        file = self._call(number, "memfd_create", name, _MFD_CLOEXEC, stack=top) & 0xFFFFFFFF
        if file >= 1 << 31:
            return None
        try:
            with open_regular(path) as hooks:
                content = hooks.read()
            with open("/proc/{}/fd/{}".format(self._process.proc_pid, file), "wb") as copy:
                copy.write(content)
            return self.load(number, data, code, b"/proc/self/task/%d/fd/%d" % (own, file))
        finally:
            if not self._is_waiting:
                self._call(number, "close", file, stack=top)

    def redirect(self, number, data, function, is_on):
        """Has the hooks lead the program's calls to them, or back."""
        for _ in range(int(SECONDS_MOST * 1000 / PAUSE_MS)):
            stuck = self._moment.thread_in_linker()
            if stuck is None:
                break
            self._pause(number, data)
        else:
            self.fail(
                "thread {} stays in the dynamic linker".format(stuck),
                "let the program run on, and try again",
            )
        report = data + attach_code.REPORT
        top = attach_code.stack_top(data)
        self._target.call(number, function, (int(is_on), report), top, True)
        return attach_code.report_at(
            self._target.read_memory(report, attach_code.REPORT_BYTES)
        )

    def find_thread(self):
        return self._moment.find()


class _Unfinished(Exception):
    """dlopen has not come back."""


def attach(session, process):
    """Has a stopped process load the hooks, and leads its calls to them. Fails with what keeps it from
    that; then the process goes on as it was."""
    attached = _Attached(session, process)
    attached.check()
    path = path_bytes(library_files.hooks_path())
    if len(path) > attach_code.PATH_BYTES:
        attached.fail("the path of the hooks is too long", "set ALLOCSNAP_HOOKS to a shorter one")
    with session.target.calling():
        number = attached.find_thread()
        function = late.symbol(session.target, _REDIRECT)
        with attached.memory(number) as (data, code):
            attached.settle(number, data)
            if not function:
                function = attached.load_either_way(number, data, code, path)
            report = attached.redirect(number, data, function, True)
            if report.why_not is not None:
                attached.fail(report.why_not)
    return report


def detach(session, process):
    """Leads the program's calls back to where they went before."""
    attached = _Attached(session, process)
    attached.check()
    function = late.symbol(session.target, _REDIRECT)
    with session.target.calling():
        number = attached.find_thread()
        with attached.memory(number) as (data, _):
            attached.settle(number, data)
            report = attached.redirect(number, data, function, False)
            if report.why_not is not None:
                attached.fail(report.why_not)
            # The program's calls, by which the hooks would do it, come to them no more.
            obey = late.symbol(session.target, _OBEY)
            session.target.call(number, obey, (), attach_code.stack_top(data))
    return report


def lead_calls(session, process, is_on):
    """`attach` or `detach`."""
    return attach(session, process) if is_on else detach(session, process)


def _status_number(pid, field):
    """A number of /proc/PID/status; 0 where it is not there."""
    try:
        with open("/proc/{}/status".format(pid), encoding="ascii", errors="replace") as file:
            for line in file:
                name, _, value = line.partition(":")
                if name == field:
                    return int(value.split()[-1])
    except (OSError, ValueError):
        pass
    return 0
