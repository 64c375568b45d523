"""What the kernel tells of a process of this host that no debugger holds."""

import os

from ..errors import AllocsnapError, ErrorCode, UnreadableMemory
from ..library.calls import Calls, Regions
from ..library.inferior import HeldProcess
from ..target import VECTOR, Process, SeenFile, Thread, ThreadFacts, linux_memory_map
from . import attach_by_gdb, process_files, refusals
from .plain_target import PlainTarget

_GONE = "process {} has ended, or become another program, while it was read: nothing is shown of it"
_THREADS_MOST = 100000


class ProcessTarget(PlainTarget):
    """A process, which runs on unless it is held."""

    def __init__(self, pid):
        super().__init__()
        self.pid = pid
        try:
            self._memory = os.open("/proc/{}/mem".format(pid), os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            raise AllocsnapError(refusals.not_readable(pid), ErrorCode.IO) from None
        if not refusals.has_memory(pid):
            raise AllocsnapError(refusals.not_readable(pid), ErrorCode.IO)
        self._started = self._start_time()
        if self._started is None:
            raise AllocsnapError(refusals.no_process(pid), ErrorCode.IO)
        self._pointer_bytes = _pointer_bytes(pid)
        self._held = None
        self._map = None
        self._witness = self._readable_address()
        self._calls = Calls(self, direct=Regions([]).direct(pid))

    def _start_time(self):
        """When it was started, which tells it from another one with its number; None: it has ended."""
        try:
            with open("/proc/{}/stat".format(self.pid), "rb") as file:
                fields = file.read().rpartition(b") ")[2].split()
        except OSError:
            return None
        # proc(5): state is field 3, starttime field 22.
        return None if fields[0] in b"ZX" else fields[19]

    def _readable_address(self):
        """An address that can be read as long as the process is the same program; None: not known."""
        for region in linux_memory_map(self.pid):
            if region.executable and region.readable and region.path.startswith("/"):
                return region.start
        return None

    def why_gone(self):
        """What to say where the process is not there any more, or is another program; else None."""
        is_same = self._start_time() == self._started
        if is_same and self._witness is not None:
            # Of a program that is no more, nothing can be read by this file (proc(5)).
            is_same = len(self._pread(self._witness, 1)) == 1
        return None if is_same else _GONE.format(self.pid)

    def check(self):
        """Fails where the process is not there any more, or is another program."""
        why = self.why_gone()
        if why is not None:
            raise AllocsnapError(why, ErrorCode.IO)

    can_call = True
    lead_calls = staticmethod(attach_by_gdb.lead_calls)

    def forget(self):
        """What is mapped is asked for anew: the process has run on."""
        self._map = self._symbols = None

    def process(self):
        return Process(
            identity=(self.pid, self._started),
            pid=self.pid,
            moving=self._held is None,
            pointer_bytes=self._pointer_bytes,
            local_pid=self.pid,
            proc_pid=self.pid,
        )

    # ---- memory ----

    def _pread(self, address, size):
        # The offset of a file has 63 bits: no program has memory beyond.
        if address + size >= 2**63:
            return b""
        try:
            return os.pread(self._memory, size, address)
        except OSError:
            return b""

    def read_memory(self, address, size):
        data = b""
        while len(data) < size:
            piece = self._pread(address + len(data), size - len(data))
            if not piece:
                raise UnreadableMemory
            data += piece
        return data

    def write_memory(self, address, data):
        file = os.open("/proc/{}/mem".format(self.pid), os.O_WRONLY | os.O_CLOEXEC)
        try:
            if os.pwrite(file, bytes(data), address) != len(data):
                raise AllocsnapError("process {} cannot be written to".format(self.pid), ErrorCode.IO)
        finally:
            os.close(file)

    def memory(self):
        return self._calls

    def mapped(self):
        if self._map is None:
            self._map = Regions(self.memory_map())
        return self._map

    def told_memory_map(self):
        raise AllocsnapError(refusals.not_readable(self.pid), ErrorCode.IO)

    # ---- standing still ----

    def hold(self):
        if self._held is not None:
            return
        try:
            self._held = HeldProcess(self.pid, self._calls)
        except AllocsnapError as error:
            if error.errno is None:
                raise
            raise AllocsnapError(refusals.not_stopped(self.pid), ErrorCode.IO) from None
        self.forget()

    def release(self):
        """Lets it run on."""
        held, self._held = self._held, None
        if held is not None:
            held.release()

    # ---- threads ----

    def threads(self):
        return [
            Thread(self._own_number(number), place, _thread_name(self.pid, number))
            for place, number in enumerate(self._thread_numbers(), 1)
        ]

    def _own_number(self, number):
        """What a thread's number is to the process itself, and so to the hooks: in a container it has another
        one (pid_namespaces(7))."""
        if process_files.is_seen_from_here(self.pid, "pid"):
            return number
        numbers = (process_files.field("{}/task/{}".format(self.pid, number), "NSpid") or "").split()
        return int(numbers[-1]) if numbers else number

    def _thread_numbers(self):
        if self._held is not None:
            return [thread.number for thread in self._held.threads()]
        try:
            names = os.listdir("/proc/{}/task".format(self.pid))
        except OSError:
            return []
        return sorted(int(name) for name in names)[:_THREADS_MOST]

    def thread_facts(self):
        if self._held is None:
            # As far as the kernel tells it of threads that wait.
            return [
                ThreadFacts(self._own_number(number), _waiting_at(self.pid, number))
                for number in self._thread_numbers()
            ]
        registers = self._held.registers()
        return [
            ThreadFacts(
                self._own_number(thread.number),
                thread.stack_pointer,
                thread.thread_pointer,
                tuple(sorted(registers.get(place, ()), key=lambda register: register[0])),
                # Words that are no addresses are not there.
                (VECTOR,) if thread.vectors_unknown else (),
            )
            for place, thread in enumerate(self._held.threads())
        ]

    # ---- files ----

    def program_path(self):
        try:
            return os.readlink("/proc/{}/exe".format(self.pid))
        except OSError:
            return None

    def files(self):
        """Those of a process that sees other files (a container), where they are seen here."""
        if process_files.is_seen_from_here(self.pid, "mnt"):
            return []
        mapped = {region.path: region for region in self.memory_map() if region.path.startswith("/")}
        found = {}
        for path in sorted(mapped):
            seen, own = process_files.paths_from_here(self.pid, mapped[path])
            # The hooks have noted the latter.
            found.update({path: seen, own: seen})
        return [SeenFile(seen, path) for path, seen in found.items()]


def _pointer_bytes(pid):
    """4 for a 32-bit program."""
    try:
        with open("/proc/{}/exe".format(pid), "rb") as file:
            head = file.read(5)
    except OSError:
        return 8
    return 4 if head[:4] == b"\x7fELF" and head[4:] == b"\x01" else 8


def _thread_name(pid, number):
    """The name of a thread where it is text, else None."""
    try:
        with open("/proc/{}/task/{}/comm".format(pid, number), "rb") as file:
            return file.read().decode("utf-8")[:-1]
    except (OSError, UnicodeDecodeError):
        return None


def _waiting_at(pid, number):
    """The stack pointer of a thread that waits in the kernel; 0: it does not, or is not known."""
    try:
        with open("/proc/{}/task/{}/syscall".format(pid, number), encoding="ascii") as file:
            words = file.read().split()
        return int(words[-2], 16) if len(words) >= 3 else 0
    except (OSError, ValueError):
        return 0
