"""What a process is given to load the hooks: the code of a thread, and the memory that it and the calls
before it use.

The thread's function, in x86-64 assembly; its argument is where the memory begins:

    endbr64
    push %rbx
    mov  %rdi, %rbx
    mov  $14, %eax            # rt_sigprocmask(SIG_BLOCK, all signals, NULL, 8)
    xor  %edi, %edi
    lea  0x38(%rbx), %rsi
    xor  %edx, %edx
    mov  $8, %r10d
    syscall
    lea  0x40(%rbx), %rdi
    mov  0x00(%rbx), %rsi
    call *0x08(%rbx)          # dlopen(path, flags)
    mov  %rax, 0x20(%rbx)
    test %rax, %rax
    jz   1f
    mov  %rax, %rdi
    lea  0x440(%rbx), %rsi
    call *0x10(%rbx)          # dlsym(handle, name)
    mov  %rax, 0x28(%rbx)
    test %rax, %rax
    jnz  3f
1:  call *0x18(%rbx)          # dlerror()
    test %rax, %rax
    jz   3f
    xor  %ecx, %ecx
2:  mov  (%rax,%rcx), %dl     # its text, which is gone with the thread
    mov  %dl, 0x480(%rbx,%rcx)
    test %dl, %dl
    jz   3f
    inc  %ecx
    cmp  $0x3ff, %ecx
    jb   2b
3:  movl $1, 0x30(%rbx)       # done
    xor  %eax, %eax
    pop  %rbx
    ret
"""

import os
import struct
from typing import NamedTuple

CODE = bytes.fromhex(
    "f30f1efa534889fbb80e00000031ff488d733831"
    "d241ba080000000f05488d7b40488b33ff530848"
    "8943204885c074164889c7488db340040000ff53"
    "10488943284885c07522ff53184885c0741a31c9"
    "8a140888940b8004000084d2740affc181f9ff03"
    "000072e8c743300100000031c05bc3"
)

#: The memory: what is asked for and answered, a report of the hooks, and a stack for calls.
_ANSWER, _PATH, _NAME, _TEXT = 0x20, 0x40, 0x440, 0x480
_TEXT_BYTES = 0x400
REPORT = 0x900
_THREAD = 0xA80  # pthread_t
_TIME = 0xA90  # struct timespec
MEMORY_BYTES = 0x40000
PATH_BYTES = _NAME - _PATH - 1

_RTLD_NOW = 2
_FUNCTION = b"allocsnap_redirect"

#: struct asnap_redirect_report (core/hooks/entry/redirect.h).
_REPORT = struct.Struct("=IIIIQ232s")
_DONE, _NO_MEMORY, _STARTED_WITH, _NO_LINKER, _NOT_WRITABLE = range(5)


class Report(NamedTuple):
    """What the hooks say of leading the program's calls to them."""

    result: int
    error: int
    words: int
    files: int
    address: int
    file: str

    @property
    def why_not(self):
        """Why they could not, in a sentence; None where they could."""
        if self.result == _DONE:
            return None
        if self.result == _NO_MEMORY:
            return "the hooks have got no memory for the list of what is to be changed"
        if self.result == _STARTED_WITH:
            return "another copy of the hooks, or another allocator, was loaded after the first one"
        if self.result == _NO_LINKER:
            return (
                "the hooks do not find the functions that this dynamic linker calls, by which they learn"
                " of files that are unloaded"
            )
        return "the memory of {} at {:#x} cannot be changed ({})".format(
            self.file or "the program", self.address, os.strerror(self.error)
        )


def report_at(data):
    """The Report in the bytes that the hooks have written."""
    result, error, words, files, address, file = _REPORT.unpack_from(data)
    name = file.partition(b"\0")[0].decode("utf-8", "surrogateescape")
    return Report(result, error, words, files, address, name)


REPORT_BYTES = _REPORT.size


class Answer(NamedTuple):
    """What the thread has found."""

    is_done: bool
    handle: int
    function: int
    text: str  # of dlerror


def request(path, dlopen, dlsym, dlerror):
    """The bytes to put where the memory begins."""
    head = struct.pack("=QQQQQQQQ", _RTLD_NOW, dlopen, dlsym, dlerror, 0, 0, 0, 2**64 - 1)
    return head + path.ljust(_NAME - _PATH, b"\0") + _FUNCTION.ljust(_TEXT - _NAME, b"\0")


ANSWER_BYTES = _TEXT + _TEXT_BYTES


def answer(data):
    """The Answer in the first ANSWER_BYTES of the memory."""
    handle, function, done = struct.unpack_from("=QQI", data, _ANSWER)
    text = bytes(data[_TEXT:ANSWER_BYTES]).partition(b"\0")[0]
    return Answer(done == 1, handle, function, text.decode("utf-8", "replace"))


def thread_place(memory):
    """Where pthread_create puts what pthread_join is to be given."""
    return memory + _THREAD


def pause_place(memory):
    """Where the time is for nanosleep."""
    return memory + _TIME


def pause_bytes(milliseconds):
    """A struct timespec."""
    return struct.pack("=qq", milliseconds // 1000, milliseconds % 1000 * 1000000)


def stack_top(memory):
    """From where a call may use the stack."""
    return memory + MEMORY_BYTES - 256
