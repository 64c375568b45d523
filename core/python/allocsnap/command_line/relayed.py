"""Signals of a program that this process stands in for: a shell, or who else has started it, knows this
process only."""

import contextlib
import os
import signal

from . import process_files

#: Those that are handed on where they were sent to this process.
_RELAYED = (
    signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2,
    signal.SIGALRM, signal.SIGTSTP, signal.SIGCONT, signal.SIGWINCH,
)  # fmt: skip
_ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)

_OF_KERNEL = 0x80  # SI_KERNEL: the terminal's, which every process of its group gets

#: How often threads of a process that ends are looked at.
_PAUSE = 0.01


class Relayed:
    """While it is entered, signals are held back from this process, and seen to by `follow`."""

    def __init__(self):
        self._before = None

    def __enter__(self):
        self._before = signal.pthread_sigmask(signal.SIG_BLOCK, _RELAYED + (signal.SIGCHLD,))
        return self

    def __exit__(self, *_unused):
        self.undo()

    def undo(self):
        """Signals are as they were before."""
        signal.pthread_sigmask(signal.SIG_SETMASK, self._before)

    @contextlib.contextmanager
    def interruptible(self):
        """Ctrl-C and its like end a long step of this process's own."""
        blocked = signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    @staticmethod
    def stop_as_well(number):
        """The program was stopped by a signal: so is this process, that the shell sees it."""
        if number != signal.SIGSTOP or _is_in_front():
            os.kill(os.getpid(), signal.SIGSTOP)

    def follow(self, followed, pid):
        """Sees to what happens to the program, and hands signals on to it, to its end."""
        before = []
        while not followed.is_over:
            pause = _PAUSE if followed.is_waiting else None
            came = self._wait(pause)
            followed.see()
            delivered, followed.delivered = before + followed.delivered, []
            before = delivered[-len(_RELAYED) :]
            for info in came:
                if followed.status is not None:
                    if info.si_signo in _ENDING:
                        followed.let_go()
                else:
                    self._relay(info, pid, before)

    @staticmethod
    def _wait(pause):
        """The signals that have come in, SIGCHLD aside."""
        wanted = _RELAYED + (signal.SIGCHLD,)
        info = signal.sigwaitinfo(wanted) if pause is None else signal.sigtimedwait(wanted, pause)
        came = []
        while info is not None:
            if info.si_signo != signal.SIGCHLD:
                came.append(info)
            info = signal.sigtimedwait(wanted, 0)
        return came

    @staticmethod
    def _relay(info, pid, delivered):
        """Hands a signal on, unless the program has got it as well: from the terminal, or as it was
        sent to the whole group."""
        number = info.si_signo
        if info.si_code == _OF_KERNEL:
            return
        if (number, info.si_pid) in delivered:
            delivered.remove((number, info.si_pid))
            return
        if number in process_files.pending(pid):
            return
        try:
            os.kill(pid, number)
        except OSError:
            pass


def _is_in_front():
    """Whether the terminal is this process's, as a shell gives it to one job at a time."""
    for file in (0, 1, 2):
        try:
            return os.tcgetpgrp(file) == os.getpgrp()
        except OSError:
            continue  # it is no terminal of this session's
    return False
