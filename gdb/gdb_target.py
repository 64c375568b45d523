"""What gdb knows of the program, for the commands (allocsnap.target.Target)."""

import contextlib
import itertools
import os
import re
import shlex
import sys
import tempfile

import gdb
import gdb_output
from allocsnap.errors import UnreadableMemory
from allocsnap.target import FilePlace, Process, Region, Target, Thread, ThreadFacts
from allocsnap.target import parsed_memory_map

# What can be an address by itself.
_NUMBERS = (
    gdb.TYPE_CODE_PTR,
    gdb.TYPE_CODE_INT,
    gdb.TYPE_CODE_ENUM,
    gdb.TYPE_CODE_CHAR,
    gdb.TYPE_CODE_BOOL,
)

_PATH_RULE = re.compile(r"^  [`'](.*)' -> [`'](.*)'\.$", re.M)

# A row of `info files`.
_SECTION = re.compile(r"^\t0x([0-9a-f]+) - 0x([0-9a-f]+) is (\S+)(?: in (.+))?$", re.M)

_MAPPING = re.compile(r"\s*0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+0x[0-9a-f]+\s+0x([0-9a-f]+)(.*)")


def _text(ask):
    """The text that `ask` gets from gdb, bytes that are not UTF-8 as surrogates
    (names of files); gdb itself fails on what is not in its character set."""
    try:
        return ask()
    except UnicodeDecodeError:
        charset = gdb.parameter("host-charset")
        gdb.execute("set host-charset ISO-8859-1")
        try:
            return ask().encode("latin-1").decode("utf-8", "surrogateescape")
        finally:
            gdb.execute("set host-charset {}".format(charset))


def _output(command):
    """What a gdb command prints (to a string it does so without colours), without the command
    itself, which `set trace-commands on` has gdb print first."""
    try:
        text = gdb.execute(command, to_string=True)
    except UnicodeDecodeError:
        # A file's name that is not UTF-8 spoils the whole; a pipe has bytes.
        with tempfile.NamedTemporaryFile() as file:
            gdb.execute("pipe -d // {} // cat >{}".format(command, shlex.quote(file.name)))
            text = file.read().decode("utf-8", "surrogateescape")
    if gdb.parameter("trace-commands"):
        text = re.sub(r"^\++.*\n", "", text, flags=re.M)
    return text


def _number(expression):
    """The value of a C expression, whatever the program's language is. Not by a command that may
    fail: then gdb reads commands again, also where the program is at the condition of a
    breakpoint, and goes on."""
    language = gdb.parameter("language")
    gdb.execute("set language c", to_string=True)
    try:
        return int(gdb.parse_and_eval(expression))
    finally:
        gdb.execute("set language {}".format(language), to_string=True)


class GdbTarget(Target):
    """The selected inferior."""

    errors = (gdb.error,)
    how_to_interrupt = "Ctrl-C, or `interrupt -a` in non-stop mode"

    def __init__(self):
        self._calls = {}  # purpose of watch_calls -> its breakpoints

    def words_for_all(self):
        is_one = len(gdb.selected_inferior().threads()) == 1
        return None if is_one or not gdb.parameter("non-stop") else ("interrupt -a", "continue -a")

    def process(self):
        inferior = gdb.selected_inferior()
        if not inferior.pid:
            return None
        connection = inferior.connection
        is_core = connection is not None and connection.type == "core"
        core_path = _core_path(inferior) if is_core else None
        identity = (inferior.num, inferior.connection_num, inferior.pid, core_path)
        running = any(thread.is_running() for thread in inferior.threads())
        moving = running and _has_frame()
        return Process(
            identity=identity,
            pid=inferior.pid,
            core_path=core_path,
            is_core=is_core,
            running=running and not (moving and gdb.selected_thread().is_running()),
            moving=moving,
            pointer_bytes=_number("sizeof (void *)"),
            proc_pid=inferior.pid if _is_native(inferior) else None,
            of_server=connection is not None and connection.type == "remote",
        )

    def read_memory(self, address, size):
        try:
            return gdb.selected_inferior().read_memory(address, size)
        except gdb.MemoryError:
            raise UnreadableMemory from None

    def write_memory(self, address, data):
        gdb.selected_inferior().write_memory(address, data)

    def find_symbol(self, name):
        # The cast makes do without debug information.
        try:
            return _number("(unsigned long) &{}".format(name))
        except gdb.error:
            return 0

    def told_memory_map(self):
        return _printed_memory_map() or _fetched_memory_map(gdb.selected_inferior())

    def thread_facts(self):
        found = []
        for thread in gdb.selected_inferior().threads():
            try:
                with _selected(thread):
                    found.append(_thread_facts(thread))
            except gdb.error:
                found.append(ThreadFacts(_kernel_number(thread)))
        return found

    def variable_at(self, number, level, address):
        thread = next(one for one in gdb.selected_inferior().threads() if one.num == number)
        with _selected(thread):
            frame = gdb.newest_frame()
            for _ in range(level):
                frame = frame and frame.older()
            return frame and _variable_at(frame, address)

    def variable_file(self, name, start):
        found = _file_of_variable(name, start)
        if found is None and re.fullmatch(r"\w+", name):
            # Of files that gdb has not looked into it knows no static symbols yet.
            _output("info variables -q ^{}$".format(name))
            found = _file_of_variable(name, start)
        return found

    def program_path(self):
        path = _text(lambda: gdb.current_progspace().filename or "")
        return re.sub("^target:", "", path) or None

    def stack_pointer(self):
        try:
            return _number("(unsigned long) $sp")
        except gdb.error:
            return None

    def value(self, expression):
        value = gdb.parse_and_eval(expression)
        code = value.type.strip_typedefs().code
        if code in (gdb.TYPE_CODE_REF, gdb.TYPE_CODE_RVALUE_REF):
            value = value.referenced_value()
            code = value.type.strip_typedefs().code
        if code in _NUMBERS:
            return int(value), None
        address = _address_of(value)
        return None, None if address is None else int(address)

    def threads(self):
        return [
            Thread(thread.ptid[1], thread.num, _thread_name(thread))
            for thread in gdb.selected_inferior().threads()
        ]

    def stack_pointers(self):
        found = {}
        for thread in gdb.selected_inferior().threads():
            with _selected(thread):
                pointer = self.stack_pointer()
            if pointer is not None:
                found[thread.num] = pointer
        return found

    def frame_over(self, number, address):
        thread = next(one for one in gdb.selected_inferior().threads() if one.num == number)
        with _selected(thread), _past_main():
            frame = gdb.newest_frame()
            start = int(frame.read_register("sp"))
            while frame is not None:
                older = frame.older()
                end = 0 if older is None else int(older.read_register("sp"))
                # Where a handler has a stack of its own, the older frame's may lie anywhere.
                if start <= address < end:
                    return frame.level(), _text(frame.name)
                frame, start = older, end
        return None

    def file_place(self, address):
        told = _output("info symbol {}".format(address))
        found = re.match(r"(.+?)(?: \+ (\d+))? in section (\S+)(?: of (.+))?$", told)
        if found is None:
            return None
        symbol, offset, section, path = found.groups()
        path = path or self.program_path() or ""
        return FilePlace(section, path, symbol, int(offset or 0))

    def section_place(self, address):
        for row in _SECTION.finditer(_output("info files")):
            start, end, section, path = row.groups()
            if int(start, 16) <= address < int(end, 16):
                return FilePlace(section, path or self.program_path() or "")
        return None

    def files(self):
        # Those with an owner are separate debug files, also such that debuginfod has sent.
        names = [_text(lambda objfile=objfile: objfile.filename) for objfile in gdb.objfiles()]
        # In another mount namespace (a container) gdb reads the target's files.
        root = "/proc/{}/root/".format(gdb.selected_inferior().pid)
        return [re.sub("^target:/", root, name) for name in names if name]

    def frames_at(self, address):
        place = gdb.find_pc_line(address)
        block = gdb.block_for_pc(address)
        symtab = place.symtab
        if symtab is None or block is None:
            return "", []
        functions = []
        while block is not None and not block.is_static and not block.is_global:
            if block.function is not None:
                functions.append(_text(lambda block=block: block.function.print_name))
            block = block.superblock
        # gdb does not say where inlined functions were called.
        path = _text(symtab.fullname) if place.line else None
        frames = [(None, function, 0) for function in functions] or [(None, None, 0)]
        build_id = symtab.objfile.build_id or ""
        return build_id, [(path, frames[0][1], place.line)] + frames[1:]

    def symbol_at(self, address):
        told = _output("info symbol {}".format(address))
        found = re.match(r"(.+?)(?: \+ \d+)? in section ", told)
        return found.group(1) if found else None

    def debug_directories(self):
        return _text(lambda: gdb.parameter("debug-file-directory"))

    def path_rules(self):
        return _PATH_RULE.findall(_output("show substitute-path"))

    def watch_calls(self, purpose, functions, libraries, reached):
        if purpose in self._calls:
            return
        found = self._calls[purpose] = []
        for function in functions:
            # gdb prints that the library is not loaded yet.
            _quietly(
                lambda one=function: found.append(_CallBreakpoint(one, libraries, reached))
            )

    def forget_calls(self, purpose):
        for breakpoint in self._calls.pop(purpose, ()):
            breakpoint.delete()

    def caller_of_library(self):
        frame = gdb.newest_frame()
        library = gdb.solib_name(frame.pc())
        while frame is not None and gdb.solib_name(frame.pc()) == library:
            frame = frame.older()
        if frame is None:
            return None
        _show_at_stop(frame)
        sal = frame.find_sal()
        path = _text(lambda: sal.symtab.filename) if sal.symtab is not None else None
        return _text(frame.name), path, sal.line

    def tell(self, text):
        gdb.write(text)

    #: Whether a command runs whose output something else than a person may read: of a script, of
    #: gdb.execute(to_string=True), which takes the log stream along.
    in_script = False

    def show_progress(self, text):
        if os.isatty(2) and not self.in_script:
            gdb.write(text + "\n", gdb.STDLOG)
            gdb.flush(gdb.STDLOG)

    def terminal(self):
        return None if self.in_script else gdb_output.terminal()

    def launch_id(self):
        return gdb.selected_inferior().num

    def get_environment(self, name):
        text = _output("show environment {}".format(name)).rstrip("\n")
        prefix = "{} = ".format(name)
        return text[len(prefix) :] if text.startswith(prefix) else None

    def set_environment(self, name, value):
        if value is None:
            _output("unset environment {}".format(name))
        else:
            _output("set environment {} = {}".format(name, value))


def _file_of_variable(name, start):
    """The path of the source of the variable that begins at an address, or None."""
    for symbol in [gdb.lookup_global_symbol(name)] + gdb.lookup_static_symbols(name):
        if symbol is None or symbol.symtab is None or not symbol.is_variable:
            continue
        address = _address_of(symbol.value()) if not symbol.needs_frame else None
        if address is not None and int(address) == start:
            return _text(lambda found=symbol: found.symtab.filename)
    return None


def _has_frame():
    """Whether gdb can look at the selected thread. It can, and says that the thread runs, where this
    has come to a breakpoint, for its condition or in Breakpoint.stop of Python."""
    try:
        gdb.selected_frame()
        return True
    except gdb.error:
        return False


def _quietly(do):
    """Does something of which gdb would print."""
    sys.modules["__main__"].__dict__["_allocsnap_quiet"] = do
    gdb.execute("python _allocsnap_quiet()", to_string=True)


class _CallBreakpoint(gdb.Breakpoint):
    """One that no list shows, on a function of a library."""

    def __init__(self, function, libraries, reached):
        super().__init__("-qualified -function " + function, internal=True)
        self._function, self._libraries, self._reached = function, libraries, reached

    def stop(self):
        library = gdb.solib_name(gdb.newest_frame().pc()) or ""
        is_one = re.match(self._libraries, os.path.basename(library))
        return bool(is_one) and self._reached(self._function)


def _show_at_stop(frame):
    """Has gdb begin at a frame when the program has stopped: it is the one that is selected, and
    `backtrace` lists none before it. What is called while a breakpoint is looked at must not choose
    one."""

    def choose(_event):
        gdb.events.stop.disconnect(choose)
        with contextlib.suppress(gdb.error):
            frame.select()
            _Backtrace.begin_at(frame)
            gdb.execute("frame")

    gdb.events.stop.connect(choose)


class _Backtrace:
    """A frame filter of gdb's, while the program stands at a limit of its heap."""

    name, priority, enabled = "allocsnap", 100, True

    def __init__(self, level):
        self._level = level

    def filter(self, frames):
        """The frames from that level on."""
        return itertools.dropwhile(lambda one: one.inferior_frame().level() < self._level, frames)

    @classmethod
    def begin_at(cls, frame):
        """Has `backtrace` begin there, for the thread that is selected, until it goes on."""
        filters = gdb.current_progspace().frame_filters
        filters[cls.name] = cls(frame.level())

        def end(_event):
            gdb.events.cont.disconnect(end)
            filters.pop(cls.name, None)

        gdb.events.cont.connect(end)


@contextlib.contextmanager
def _selected(thread):
    """Has gdb look at a thread, and then at what it has looked at before."""
    before, frame = gdb.selected_thread(), None
    with contextlib.suppress(gdb.error):
        frame = gdb.selected_frame()
    try:
        thread.switch()
        yield
    finally:
        if before is not None and before.is_valid():
            before.switch()
        if frame is not None and frame.is_valid():
            frame.select()


# What registers consist of that hold several words, by the name of a field of their type.
_WORDS = re.compile(r"v\d+_int64\Z|d\Z")


def _register_words(value):
    """The words that a register holds."""
    kind = value.type.strip_typedefs()
    if kind.code in _NUMBERS:
        return [int(value.cast(gdb.lookup_type("unsigned long")))]
    for field in kind.fields() if kind.code == gdb.TYPE_CODE_UNION else ():
        if field.name is not None and _WORDS.match(field.name):
            part = value[field.name]
            if part.type.strip_typedefs().code == gdb.TYPE_CODE_UNION:  # of aarch64
                part = part["u"]
            low, high = part.type.strip_typedefs().range()
            return [int(part[index]) & (2**64 - 1) for index in range(low, high + 1)]
    return []


def _kernel_number(thread):
    """The kernel's number of a thread; some servers give the process's alone."""
    return thread.ptid[1] or thread.ptid[0]


def _thread_facts(thread):
    """The ThreadFacts of the selected thread."""
    number = _kernel_number(thread)
    frame = gdb.newest_frame()
    architecture = frame.architecture()
    names = {register.name for register in architecture.registers("general")}
    names |= {register.name for register in architecture.registers("vector")}
    words, found = [], {}
    for name in sorted(names | {"fs_base"}):
        try:
            held = _register_words(frame.read_register(name))
        except (gdb.error, ValueError):
            continue
        words += [(name, word) for word in held]
        found[name] = held
    stack_pointer = (found.get("rsp") or found.get("sp") or [0])[0]
    pointer = (found.get("fs_base") or found.get("tpidr") or [0])[0]
    return ThreadFacts(number, stack_pointer, pointer, tuple(words))


def _variable_at(frame, address):
    """The name of the frame's variable that an address is in, or None."""
    try:
        block = frame.block()
    except RuntimeError:
        return None
    while block is not None:
        for symbol in block:
            if not (symbol.is_variable or symbol.is_argument):
                continue
            try:
                value = symbol.value(frame)
                start = int(value.address) if value.address is not None else None
            except (gdb.error, RuntimeError):
                continue
            if start is not None and start <= address < start + value.type.sizeof:
                return _text(lambda symbol=symbol: symbol.print_name)
        if block.function is not None:
            return None
        block = block.superblock
    return None


@contextlib.contextmanager
def _past_main():
    """Has gdb know the frames that called main: where main's ends is where theirs begin."""
    was_on = gdb.parameter("backtrace past-main")
    gdb.execute("set backtrace past-main on")
    try:
        yield
    finally:
        gdb.execute("set backtrace past-main {}".format("on" if was_on else "off"))


def _thread_name(thread):
    """The name of a thread where it is text, else None."""
    try:
        return thread.name
    except UnicodeDecodeError:
        return None


def _address_of(value):
    """Where a value is in the program's memory; None where it is not. For a string in an
    expression gdb would have the program allocate memory, by a call."""
    allowed = gdb.parameter("may-call-functions")
    gdb.execute("set may-call-functions off")
    try:
        return value.address
    except gdb.error:
        return None
    finally:
        gdb.execute("set may-call-functions {}".format("on" if allowed else "off"))


def _core_path(inferior):
    """The path of the core file; None where gdb does not say."""
    if getattr(inferior, "corefile", None) is not None:  # gdb 17 and later
        return _text(lambda: inferior.corefile.filename)
    told = _output("info files")
    found = re.search(r"^Local core dump file:\n\s*[`'](.*?)', file type ", told, re.M | re.S)
    return found.group(1) if found else None


def _is_native(inferior):
    """Whether it is a process of this host, by gdb's own means."""
    return inferior.connection is not None and inferior.connection.type == "native"


def _fetched_memory_map(inferior):
    """The map that the remote host's kernel tells, where its server hands over files."""
    connection = inferior.connection
    if connection is None or not connection.type.endswith("remote"):
        return []
    with tempfile.NamedTemporaryFile() as file:
        try:
            _output("remote get /proc/{}/maps {}".format(inferior.pid, file.name))
        except gdb.error:
            return []
        return parsed_memory_map(file.read())


def _printed_memory_map():
    """The map as `info proc mappings` prints it: a remote process, or a core that
    could not be opened."""
    regions = []
    try:
        text = _output("info proc mappings")
    except gdb.error:
        return regions
    # Tables of gdb 16 and later have a blank after each column, also after the path.
    padding = re.search(r"^ *Start Addr.*?( ?)$", text, re.M)
    padding = padding.group(1) if padding else ""
    for line in text.split("\n"):
        match = _MAPPING.match(line)
        if match is None:
            continue
        start, end, offset = (int(number, 16) for number in match.groups()[:3])
        permissions, path = "r", match.group(4).lstrip()
        # gdb prints permissions of a live process, and none of a core.
        flags = re.match(r"([r-][w-][x-][ps-])\s*(.*)", path)
        if flags:
            permissions, path = flags.groups()
            # As the kernel writes a newline.
            path = path.replace("\\012", "\n")
        if padding and path.endswith(padding):
            path = path[:-1]
        regions.append(
            Region(
                start,
                end,
                offset,
                path,
                "r" in permissions,
                "w" in permissions,
                "x" in permissions,
            )
        )
    return sorted(regions)
