"""ptrace(2), as the kernel has it: the calls that following a program takes."""

import ctypes
import os
import platform
import signal
import struct

#: Of waitpid: threads too, whatever their parents (__WALL).
ALL = 0x40000000

#: Options: what stops a thread, and that it dies with its tracer.
TRACE_FORK, TRACE_VFORK, TRACE_CLONE = 1 << 1, 1 << 2, 1 << 3
TRACE_EXEC, TRACE_EXIT, EXIT_KILL = 1 << 4, 1 << 6, 1 << 20

#: Events of a stop (`event`). STOP: it was interrupted, is new, or its process was stopped by a signal.
FORK, VFORK, CLONE, EXEC, EXIT, STOP = 1, 2, 3, 4, 6, 128

#: Signals that stop a process.
STOPPING = (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)

_PEEKUSER, _POKEUSER, _CONT, _DETACH = 3, 6, 7, 17
_GETEVENTMSG, _GETSIGINFO = 0x4201, 0x4202
_SEIZE, _INTERRUPT, _LISTEN = 0x4206, 0x4207, 0x4208

_SIGINFO_BYTES = 128
_TRAP_HWBKPT = 4  # si_code

# struct user of x86-64: where u_debugreg[8] is. DR7 has two bits that enable each of DR0 to DR3; all
# else of it 0 is a breakpoint where instructions are carried out.
_DEBUG_REGISTERS = 848
_BREAKPOINTS = 4 if platform.machine() == "x86_64" else 0

_ptrace = ctypes.CDLL(None, use_errno=True).ptrace
_ptrace.restype = ctypes.c_long
_ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]


def _call(request, thread, address=0, data=0):
    """Calls ptrace; fails with OSError, ProcessLookupError where the thread has been killed."""
    result = _ptrace(request, thread, address, data)
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def event(status):
    """The event in a status that waitpid has told; 0: it stops for a signal."""
    return status >> 16


def seize(thread, options):
    """Becomes its tracer; it runs on."""
    _call(_SEIZE, thread, 0, options)


def interrupt(thread):
    """Has it stop soon."""
    _call(_INTERRUPT, thread)


def go_on(thread, number=0):
    """Has a stopped thread run on, and gives it a signal."""
    _call(_CONT, thread, 0, number)


def listen(thread):
    """Leaves it stopped, as its process was by a signal, until that one is continued."""
    _call(_LISTEN, thread)


def detach(thread, number=0):
    """Is its tracer no longer; it runs on, and gets a signal."""
    _call(_DETACH, thread, 0, number)


def message(thread):
    """The number that comes with an event: of the new process or thread."""
    number = ctypes.c_ulong()
    _call(_GETEVENTMSG, thread, 0, ctypes.addressof(number))
    return number.value


def signal_of(thread):
    """(code, number of the process that has sent it) of the signal that a thread stops for."""
    buffer = ctypes.create_string_buffer(_SIGINFO_BYTES)
    _call(_GETSIGINFO, thread, 0, ctypes.addressof(buffer))
    # siginfo_t: si_signo, si_errno, si_code, a hole, si_pid.
    _, _, code, pid = struct.unpack_from("=iii4xi", buffer.raw)
    return code, pid


def is_breakpoint(thread):
    """Whether a thread that stops for SIGTRAP has come to one of its breakpoints."""
    return signal_of(thread)[0] == _TRAP_HWBKPT


def set_breakpoints(thread, addresses):
    """Has a stopped thread stop where it comes to one of these addresses, and nowhere else. They are the
    processor's: nothing of the program is changed, and no child gets them. False: there are too few."""
    if len(addresses) > _BREAKPOINTS:
        return False
    try:
        _call(_POKEUSER, thread, _DEBUG_REGISTERS + 8 * 7, 0)
        for place, address in enumerate(addresses):
            _call(_POKEUSER, thread, _DEBUG_REGISTERS + 8 * place, address)
        enabled = sum(1 << 2 * place for place in range(len(addresses)))
        _call(_POKEUSER, thread, _DEBUG_REGISTERS + 8 * 7, enabled)
    except ProcessLookupError:
        return True  # it has been killed
    except OSError:
        return False
    return True


# struct user of x86-64: where regs.rip is.
_INSTRUCTION = 8 * 16


def instruction(thread):
    """The address of the instruction that a thread at a breakpoint has come to."""
    ctypes.set_errno(0)
    return _call(_PEEKUSER, thread, _INSTRUCTION) & (2**64 - 1)
