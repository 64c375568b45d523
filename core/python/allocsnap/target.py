"""What a debugger does for this package."""

import contextlib
import re
import sys
from typing import Any, Hashable, NamedTuple, Optional, Tuple, Type

from . import charsets
from .errors import AllocsnapError
from .printable import printable
from .regular_files import open_regular


class Region(NamedTuple):
    """A piece of the inferior's address space: [start, end)."""

    start: int
    end: int
    file_offset: int = 0
    path: str = ""  # "" where no file is mapped; "[vdso]" for the vDSO
    readable: bool = False
    writable: bool = False
    executable: bool = False


class SeenFile(str):
    """Where a file can be opened that a program has mapped by another path, in a container."""

    def __new__(cls, path, mapped):
        made = super().__new__(cls, path)
        made.mapped = mapped
        return made


#: Kinds of registers.
GENERAL, VECTOR = "general", "vector"


class ThreadFacts(NamedTuple):
    """What a thread's registers hold; 0 where it is not known."""

    number: int  # the kernel's
    stack_pointer: int = 0
    thread_pointer: int = 0  # fs_base on x86-64, tpidr_el0 on aarch64
    registers: tuple = ()  # (name, word): of wide ones several words of one name
    # Which of GENERAL and VECTOR it has more registers of; None: what the names lack.
    unknown: Optional[tuple] = None


class Process(NamedTuple):
    """What the debugger has in front of it: a process or a core."""

    identity: Hashable  # equal as long as it is the same process or core
    pid: int  # as its own system numbers it
    core_path: Optional[str] = None  # of a core's file; None for a process
    is_core: bool = False
    running: bool = False  # threads of it run, and it is not at a stop
    moving: bool = False  # threads of it run, and its memory can be read all the same
    pointer_bytes: int = 8
    local_pid: Optional[int] = None  # on this host, where reading it directly is faster
    proc_pid: Optional[int] = None  # below this host's /proc; None: it is not there
    of_server: bool = False  # a server has started it, and starts no other

    @property
    def description(self):
        """"process 1234" or "core /tmp/core.1234"."""
        if self.is_core:
            return "core {}".format(shown_path(self.core_path or "file"))
        return "process {}".format(self.pid)


class Thread(NamedTuple):
    """A thread as the debugger calls it."""

    kernel_number: int
    number: int  # the debugger's own
    name: Optional[str] = None  # None where it has none that is text


class FilePlace(NamedTuple):
    """Where in a program or library an address is."""

    section: str
    path: str  # "": the debugger knows of only one file
    symbol: Optional[str] = None
    offset: int = 0  # in the symbol


class Target:
    """The debugger, as the commands need it; each debugger derives from it.

    Every method may raise one of `errors`; the message of such an exception is
    shown to the user as it is.
    """

    #: Exception types of the debugger that carry a message for the user.
    errors: Tuple[Type[BaseException], ...] = ()

    #: The debugger's command that starts the program.
    run_command = "run"

    #: Whether it unwinds stacks, and so finds the frames of `frame_over`.
    finds_frames = True

    #: Whether programs are started in it, which `start` and `stop` are then for as well.
    starts_programs = True

    #: What the user does to have a program traced where there are no hooks in it; None: the
    #: library's words.
    how_to_trace: Optional[str] = None

    #: What keeps a snapshot for later commands; {} is "takes" or "keeps".
    how_to_keep = "`snapshot take` {} one"

    #: What the user does to stop a running program.
    how_to_interrupt = "Ctrl-C"

    def words_for_all(self):
        """What the user types to stop the other threads of a process of which one has come to a
        stop, and to have all go on; None where they have stopped with it."""
        return None

    def process(self):
        """The Process now selected, or None."""
        raise NotImplementedError

    def read_memory(self, address, size):
        """`size` bytes at `address` as a bytes-like object.

        Raises UnreadableMemory where some of them cannot be read.
        """
        raise NotImplementedError

    def write_memory(self, address, data):
        """Writes the bytes `data` at `address`."""
        raise NotImplementedError

    def hold(self):
        """Keeps a program that runs on from running, until the command is over: registers and
        memory are of one moment then. A debugger has stopped it already."""

    def find_symbol(self, name):
        """The address of the data symbol `name`, or 0 where there is none."""
        raise NotImplementedError

    def memory_map(self):
        """The Regions of the process, sorted by address."""
        process = self.process()
        if process is not None and process.proc_pid is not None:
            try:
                return linux_memory_map(process.proc_pid)
            except OSError:
                pass
        return self.told_memory_map()

    def told_memory_map(self):
        """The Regions that the debugger knows, sorted by address."""
        raise NotImplementedError

    def stack_pointers(self):
        """{number of a Thread, the debugger's: its stack pointer} of those that have one."""
        return {}

    def frame_over(self, number, address):
        """(level, function or None) of the frame of a thread whose part of the stack holds an
        address; None: of no frame that the debugger finds."""
        return None

    def file_place(self, address):
        """The FilePlace of an address in a program or library that is loaded; None: in none
        that the debugger knows."""
        return None

    def section_place(self, _address):
        """The same of an address for which no symbol is, in more time; None where `file_place` has
        told all."""
        return None

    def evaluate(self, expression):
        """The value of an expression in the program's language, as an address: a number's or
        pointer's value, and of anything else where it lies."""
        number, address = self.value(expression)
        if number is None and address is None:
            raise AllocsnapError(
                "`{}` is neither an address nor in memory: give a pointer, a whole number, or a"
                " variable in memory".format(expression)
            )
        return address if number is None else number

    def value(self, expression):
        """(number, address) of an expression's value, of what it refers to where it is a C++
        reference. The number: None where it is no whole number and no pointer. The address:
        where it lies in memory, None where it does not; of a number it is not looked at."""
        raise NotImplementedError

    def thread_labels(self):
        """{kernel thread number: text} of the threads that the debugger knows."""
        return {
            thread.kernel_number: '{} "{}"'.format(thread.number, thread.name)
            if thread.name
            else str(thread.number)
            for thread in self.threads()
        }

    def threads(self):
        """The Threads that the debugger knows."""
        return []

    def thread_facts(self):
        """The ThreadFacts of every thread of the process."""
        return []

    def variable_at(self, number, level, address):
        """The name of the variable that an address is in, of the frame at a level of the thread
        with this number, the debugger's; None: of none that it knows."""
        return None

    def variable_file(self, name, start):
        """The path of the source that a global or static variable is in which begins at an address;
        None: not known. Several files may have a variable of that name."""
        return None

    def program_path(self):
        """The path of the program's own file, as the debugger has it; None: there is none."""
        return None

    def stack_pointer(self):
        """That of the selected thread; None where it is not known."""
        return None

    def files(self):
        """The paths of the programs, libraries and debug files that the debugger has read; a SeenFile
        is opened in place of what the program has mapped."""
        return []

    def name_address(self, address, build_id):
        """The frames of an instruction that the debugger's own symbols name, innermost first:
        a list of (file name or None, function or None, line or 0), empty where they do not.

        `build_id` is what the file in memory has, in hexadecimal, or "": symbols of another
        build are no answer. Code in no file, as it is compiled at run time, may have a symbol
        and no lines.
        """
        theirs, frames = self.frames_at(address)
        if frames:
            return frames if theirs == build_id else []
        symbol = None if build_id else self.symbol_at(address)
        return [(None, symbol, 0)] if symbol else []

    def frames_at(self, address):
        """(build ID of the file, frames as name_address has them) of an instruction by the
        debugger's line information; no frames where it has none. The build ID is in hexadecimal,
        "" for none."""
        return "", []

    def symbol_at(self, address):
        """The name of the symbol that an address is in, or None."""
        return None

    def debug_directories(self):
        """Where separate debug files are, colon-separated; None: the default."""
        return None

    def path_rules(self):
        """[(from, to)]: where sources are that were built below other directories."""
        return []

    def interrupted(self):
        """Whether the user has pressed Ctrl-C, where the debugger keeps that to itself instead
        of having KeyboardInterrupt raised."""
        return False

    def watch_calls(self, purpose, functions, libraries, reached):
        """Has `reached` called with the name of each of these functions when the program comes to
        it, now and in later runs; where it returns true, the program stops. `libraries`: a regular
        expression that the beginnings of the names of their files match. For each purpose once:
        told again, it changes nothing. A debugger that has no such means does nothing."""

    def forget_calls(self, purpose):
        """Ends that."""

    def has_program(self):
        """Whether there is a program, of which calls can be watched."""
        return True

    def caller_of_library(self):
        """(function or None, path or None, line) of the newest frame of the selected thread, or of
        one that watch_calls has just told of, that is in another file than the thread is; None: of
        none that is known. A debugger that can shows that frame first where the program stops."""
        return None

    # ---- having the program do something (attach.py) ----

    #: Whether it can have the program call a function.
    can_call = False

    #: What does for it what attach.lead_calls does by the methods below; None: nothing else.
    lead_calls: Any = None

    @contextlib.contextmanager
    def calling(self):
        """While this lasts, nothing that the program does stops it: breakpoints and signals wait."""
        yield

    def stacks(self, numbers=None):
        """For each thread, or each of these (number of a Thread, kernel number, frames): the newest frame first, each
        (instruction, name of the function or None); that of a signal is "<signal handler called>"."""
        return []

    def run_to(self, number, instruction, seconds):
        """Lets the program run on until a thread comes to an instruction, or that many seconds are over:
        then it is stopped."""
        raise NotImplementedError

    def call(self, number, function, arguments, stack=None, alone=False):
        """What a function of the program returns, 64 bits, that is called in a thread, with up to six
        numbers. `stack`: from where on downwards it may use memory, in place of the thread's stack;
        `alone`: the other threads stand still meanwhile. All registers are as before afterwards."""
        raise NotImplementedError

    def tell(self, text):
        """Tells the user something while the program runs."""

    def show_progress(self, text):
        """Tells a user at a terminal how far a long step has come; never among output that
        something else may read."""

    def terminal(self):
        """The terminal.Terminal that a command prints on now; None where that is something else, such
        as a file or a script."""

    def output_charset(self):
        """The name of the character set in which what a command prints is shown."""
        return charsets.of_environment()

    def launch_id(self):
        """What the environment below belongs to, where there are several programs."""
        raise NotImplementedError

    def get_environment(self, name):
        """The value that the next run of the program gets, or None."""
        raise NotImplementedError

    def set_environment(self, name, value):
        """Sets a variable for the next run; None removes it."""
        raise NotImplementedError


def is_of_script():
    """Whether other Python code has the caller's file carry out what it does: what is printed then may
    be read by that."""
    frame = sys._getframe(1)
    here = frame.f_code.co_filename
    while frame is not None and frame.f_code.co_filename == here:
        frame = frame.f_back
    return frame is not None


def path_bytes(path):
    """The bytes of a path, whose text holds those that are not UTF-8 as surrogates."""
    return path.encode("utf-8", "surrogateescape")


def shown_path(path):
    """A path to be printed."""
    return printable(path_bytes(path))


_MAPS_LINE = re.compile(
    r"([0-9a-f]+)-([0-9a-f]+) ([r-])([w-])([x-]). ([0-9a-f]+) \S+ \d+ *(.*)"
)


def linux_memory_map(pid):
    """The Regions of a process on this machine, from /proc/PID/maps (proc(5))."""
    with open("/proc/{}/maps".format(pid), "rb") as file:
        return parsed_memory_map(file.read())


def parsed_memory_map(maps):
    """The Regions in the bytes of a file of that form."""
    regions = []
    for line in maps.decode("utf-8", "surrogateescape").split("\n"):
        match = _MAPS_LINE.match(line)
        if match is None:
            continue
        start, end, readable, writable, executable, offset, name = match.groups()
        regions.append(
            Region(
                int(start, 16),
                int(end, 16),
                int(offset, 16),
                # The kernel writes a newline in a path as \012.
                name.replace("\\012", "\n"),
                readable == "r",
                writable == "w",
                executable == "x",
            )
        )
    return regions


def is_traced_below(pid, ancestor):
    """Whether the process `pid` of this machine is traced by the process `ancestor`, or by
    one that it has started."""
    try:
        tracer = _status_number(pid, "TracerPid")
        return tracer != 0 and ancestor in (tracer, _status_number(tracer, "PPid"))
    except OSError:
        return False


def _status_number(pid, field):
    """A number of /proc/PID/status (proc(5)); 0 where it is not there."""
    with open("/proc/{}/status".format(pid), encoding="ascii", errors="replace") as status:
        for line in status:
            name, _, value = line.partition(":")
            if name == field:
                return int(value)
    return 0


def mapped_cores():
    """The paths of the core files that this process has mapped."""
    paths = dict.fromkeys(region.path for region in linux_memory_map("self"))
    return [path for path in paths if path.startswith("/") and _is_core(path)]


def _is_core(path):
    try:
        with open_regular(path) as file:
            head = file.read(18)
    except OSError:
        return False
    # Elf64_Ehdr: e_ident begins with the magic, e_type is ET_CORE in the file's byte order.
    return head[:4] == b"\x7fELF" and 4 in head[16:18]
