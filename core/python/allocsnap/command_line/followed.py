"""A program that is started and followed to its end by ptrace(2): it stops by itself where it exits, and
all else, its signals among it, takes its course."""

import os
import platform
import signal
import time

from ..library import ptrace
from .process_files import field, pending, system_call

_NUMBERS = {
    "x86_64": {"exit": {60}, "exec": {59, 322}},
    "aarch64": {"exit": {93}, "exec": {221, 281}},
}
#: Numbers of system calls: that ends one thread; that start another program.
_CALLS = _NUMBERS.get(platform.machine(), {"exit": set(), "exec": set()})

#: How long the threads of a process that ends are waited for, and one that is interrupted.
_SECONDS_MOST = 2
_PAUSE = 0.005


class _Thread:
    def __init__(self, number, process):
        self.number = number
        self.process = process
        self.is_stopped = False
        self.kept = None  # the status that it has stopped with, if that is to be seen to later
        self.is_ending = False  # it has stopped where it ends
        self.has_left = False  # it ends by itself, and the process goes on


class FollowedProcess:
    """One that is followed."""

    def __init__(self, pid, is_program, breakpoints=()):
        self.pid = pid
        self.threads = {}
        self.is_program = is_program  # it has become the program, or another one
        self.is_borrowing = False  # its memory is its parent's
        self.breakpoints = list(breakpoints)  # addresses
        self.is_at_entry = False  # there is one where the program begins, and no other
        self.is_done = False  # its last state has been seen
        self.ending_since = None

    def living(self):
        """Threads that have not left."""
        return [thread for thread in self.threads.values() if not thread.has_left]


class Followed:
    """The processes that are followed. `last` is called with a FollowedProcess and the numbers of its
    threads, all stopped, where it exits; `exits` with a process at its beginning, for the addresses of the
    functions by which it will; `stopped` where the program was stopped, with the signal."""

    def __init__(self, last, exits, stopped, with_children):
        self._last = last
        self._exits = exits
        self._stopped = stopped
        self._with_children = with_children
        self._processes = {}
        self._threads = {}
        self._newborn = {}  # status of threads whose parent has not told of them
        self._announced = {}  # (FollowedProcess of the parent, event) of threads that have not stopped yet
        self._stopping = None
        self._main = None
        self.status = None  # of the program, as of waitpid
        self.delivered = []  # (signal, process that has sent it) since this was emptied

    @property
    def options(self):
        found = ptrace.TRACE_CLONE | ptrace.TRACE_EXEC | ptrace.TRACE_EXIT | ptrace.EXIT_KILL
        return found | (ptrace.TRACE_FORK | ptrace.TRACE_VFORK if self._with_children else 0)

    def begin(self, pid):
        """Follows a child of this process that will become the program."""
        ptrace.seize(pid, self.options)
        self._main = self._add_process(FollowedProcess(pid, False))
        self._add_thread(pid, self._main)

    @property
    def is_over(self):
        """Whether nothing is left to be followed."""
        return not self._processes

    @property
    def is_waiting(self):
        """Whether a process is at its end, and its threads are waited for."""
        return any(process.ending_since is not None for process in self._processes.values())

    def _add_process(self, process):
        self._processes[process.pid] = process
        return process

    def _add_thread(self, number, process):
        thread = _Thread(number, process)
        self._threads[number] = process.threads[number] = thread
        return thread

    def _drop(self, thread):
        self._threads.pop(thread.number, None)
        thread.process.threads.pop(thread.number, None)

    # ---- what the kernel tells ----

    def see(self):
        """Sees to all that has happened; never waits."""
        while True:
            try:
                number, status = os.waitpid(-1, os.WNOHANG | ptrace.ALL)
            except ChildProcessError:
                self._processes.clear()
                break
            if number == 0:
                break
            self._see_thread(number, status)
        for process in list(self._processes.values()):
            self._check_end(process)
        if self._stopping is not None:
            number, self._stopping = self._stopping, None
            self._stopped(number)

    def _see_thread(self, number, status):
        thread = self._threads.get(number)
        if not os.WIFSTOPPED(status):
            self._gone(number, thread, status)
        elif thread is None:
            self._see_newborn(number, status)
        else:
            thread.is_stopped = True
            try:
                self._see_stop(thread, status)
            except ProcessLookupError:
                pass  # it has been killed meanwhile, and its end will be told

    def _gone(self, number, thread, status):
        self._newborn.pop(number, None)
        self._announced.pop(number, None)
        if thread is not None:
            self._drop(thread)
        process = self._processes.get(number)
        # The first thread's end is told when all others are gone.
        if process is not None:
            del self._processes[number]
            for other in list(process.threads.values()):
                self._drop(other)
            if process is self._main:
                self.status = status

    def _see_newborn(self, number, status):
        if number not in self._announced:
            self._newborn[number] = status
            return
        parent, kind = self._announced.pop(number)
        pid = int(field(number, "Tgid") or number)
        process = self._processes.get(pid)
        if process is None:
            if not self._with_children:
                ptrace.detach(number)
                return
            process = self._add_process(FollowedProcess(pid, parent.is_program, parent.breakpoints))
            process.is_at_entry, process.is_borrowing = parent.is_at_entry, kind != ptrace.FORK
            process.is_done = False
        thread = self._add_thread(number, process)
        thread.is_stopped = True
        try:
            if process.breakpoints and not process.is_borrowing:
                ptrace.set_breakpoints(number, process.breakpoints)
            self._see_stop(thread, status)
        except ProcessLookupError:
            pass

    def _announce(self, thread, kind):
        number = ptrace.message(thread.number)
        self._announced[number] = (thread.process, kind)
        if number in self._newborn:
            self._see_newborn(number, self._newborn.pop(number))

    def _see_stop(self, thread, status):
        event, number = ptrace.event(status), os.WSTOPSIG(status)
        if event == 0:
            self._see_signal(thread, number)
        elif event == ptrace.EXIT:
            self._see_exit(thread)
        elif event == ptrace.EXEC:
            self._see_exec(thread)
        elif event == ptrace.STOP and number in ptrace.STOPPING:
            thread.is_stopped = False
            ptrace.listen(thread.number)
            if thread.process is self._main:
                self._stopping = number
        else:
            if event in (ptrace.FORK, ptrace.VFORK, ptrace.CLONE):
                self._announce(thread, event)
            self._go_on(thread)

    @staticmethod
    def _go_on(thread, number=0):
        thread.is_stopped, thread.kept = False, None
        try:
            ptrace.go_on(thread.number, number)
        except ProcessLookupError:
            pass  # killed, also where it was stopped

    def _see_signal(self, thread, number):
        if number == signal.SIGTRAP and thread.process.breakpoints and ptrace.is_breakpoint(thread.number):
            self._see_breakpoint(thread)
            return
        if thread.process is self._main and number != signal.SIGCHLD:
            self.delivered.append((number, ptrace.signal_of(thread.number)[1]))
        self._go_on(thread, number)

    # ---- a program begins, and exits ----

    def _see_exec(self, thread):
        process = thread.process
        for other in list(process.threads.values()):
            if other is not thread:
                self._drop(other)
        process.is_program, process.is_borrowing, process.is_done = True, False, False
        thread.is_ending = thread.has_left = False
        process.ending_since = None
        entry = self._exits(process, True)
        process.is_at_entry = bool(entry) and ptrace.set_breakpoints(thread.number, entry)
        process.breakpoints = entry if process.is_at_entry else []
        self._go_on(thread)

    def _see_breakpoint(self, thread):
        process = thread.process
        self._hold(process, thread)
        if ptrace.instruction(thread.number) not in process.breakpoints:
            self._release(process, thread)
            return
        if process.is_at_entry:
            process.breakpoints = self._exits(process, False)
        else:
            self._see_last(process)
            process.breakpoints = []
        process.is_at_entry = False
        for each in process.threads.values():
            if each.is_stopped and not ptrace.set_breakpoints(each.number, process.breakpoints):
                process.breakpoints = []
        self._release(process, thread)

    def _see_last(self, process):
        process.is_done = True
        numbers = sorted(thread.number for thread in process.living() if thread.is_stopped)
        numbers.sort(key=lambda number: number != process.pid)
        self._last(process, numbers)

    def _hold(self, process, current):
        """Stops all threads of a process; what they stop for is kept."""
        running = [
            thread
            for thread in process.living()
            if thread is not current and not thread.is_stopped
        ]
        for thread in running:
            try:
                ptrace.interrupt(thread.number)
            except ProcessLookupError:
                pass
        deadline = time.monotonic() + _SECONDS_MOST
        for thread in running:
            while time.monotonic() < deadline:
                try:
                    number, status = os.waitpid(thread.number, os.WNOHANG | ptrace.ALL)
                except ChildProcessError:
                    self._drop(thread)
                    break
                if number == 0:
                    time.sleep(_PAUSE / 50)
                elif not os.WIFSTOPPED(status):
                    self._gone(number, thread, status)
                    break
                else:
                    thread.is_stopped, thread.kept = True, status
                    break

    def _release(self, process, current):
        self._go_on(current)
        for thread in list(process.threads.values()):
            if thread.kept is not None:
                status, thread.kept = thread.kept, None
                self._see_thread(thread.number, status)

    def _see_exit(self, thread):
        """A thread ends: by itself, or with all others."""
        process = thread.process
        thread.is_ending = True
        others = [each for each in process.living() if each is not thread]
        if others and system_call(process.pid, thread.number) in _CALLS["exit"]:
            thread.has_left = True
            self._go_on(thread)
        elif not process.is_program or process.is_borrowing or process.is_done:
            thread.has_left = True
            self._go_on(thread)
        elif process.ending_since is None:
            process.ending_since = time.monotonic()

    def _check_end(self, process):
        """Whether all threads of a process that ends have come to their ends."""
        if process.ending_since is None:
            return
        running = [thread for thread in process.living() if not thread.is_ending]
        if not running:
            process.ending_since = None
            self._see_last(process)
            self._let_end(process)
        elif self._is_replaced(process, running) or self._is_late(process):
            process.ending_since = None
            self._let_end(process)

    @staticmethod
    def _is_replaced(process, running):
        """Whether one of the threads starts another program, which ends all others."""
        return any(
            system_call(process.pid, thread.number) in _CALLS["exec"]
            and signal.SIGKILL not in pending(process.pid, thread.number)
            for thread in running
        )

    @staticmethod
    def _is_late(process):
        return time.monotonic() > process.ending_since + _SECONDS_MOST

    def _let_end(self, process):
        for thread in list(process.threads.values()):
            if thread.is_ending and thread.is_stopped:
                thread.has_left = True
                self._go_on(thread)

    def let_go(self):
        """Follows no process any longer; they run on."""
        for process in list(self._processes.values()):
            self._hold(process, None)
            for thread in list(process.threads.values()):
                number = 0
                if thread.kept is not None and ptrace.event(thread.kept) == 0:
                    number = os.WSTOPSIG(thread.kept)
                try:
                    ptrace.set_breakpoints(thread.number, [])
                    ptrace.detach(thread.number, number)
                except OSError:
                    pass
        self._processes.clear()
