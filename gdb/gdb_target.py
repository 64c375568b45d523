"""What gdb knows of the program, for the commands (allocsnap.target.Target)."""

import os
import re

import gdb
import gdb_inferior_calls
import gdb_output
from allocsnap import charsets
from allocsnap.errors import UnreadableMemory
from allocsnap.target import FilePlace, Process, Target, Thread, ThreadFacts
from gdb_answers import NUMBERS, address_of, number_of, output, text_of
from gdb_calls import CallBreakpoint, quietly, show_at_stop
from gdb_memory_map import core_file, fetched_memory_map, is_native, printed_memory_map
from gdb_threads import kernel_number, past_main, selected, thread_facts, thread_name, variable_at

_PATH_RULE = re.compile(r"^  [`'](.*)' -> [`'](.*)'\.$", re.M)

# A row of `info files`.
_SECTION = re.compile(r"^\t0x([0-9a-f]+) - 0x([0-9a-f]+) is (\S+)(?: in (.+))?$", re.M)


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
        core_path = core_file(inferior) if is_core else None
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
            pointer_bytes=number_of("sizeof (void *)"),
            proc_pid=inferior.pid if is_native(inferior) else None,
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
            return number_of("(unsigned long) &{}".format(name))
        except gdb.error:
            return 0

    def told_memory_map(self):
        return printed_memory_map() or fetched_memory_map(gdb.selected_inferior())

    def thread_facts(self):
        found = []
        for thread in gdb.selected_inferior().threads():
            try:
                with selected(thread):
                    found.append(thread_facts(thread))
            except gdb.error:
                found.append(ThreadFacts(kernel_number(thread)))
        return found

    def variable_at(self, number, level, address):
        thread = next(one for one in gdb.selected_inferior().threads() if one.num == number)
        with selected(thread):
            frame = gdb.newest_frame()
            for _ in range(level):
                frame = frame and frame.older()
            return frame and variable_at(frame, address)

    def variable_file(self, name, start):
        found = _file_of_variable(name, start)
        if found is None and re.fullmatch(r"\w+", name):
            # Of files that gdb has not looked into it knows no static symbols yet.
            output("info variables -q ^{}$".format(name))
            found = _file_of_variable(name, start)
        return found

    def program_path(self):
        path = text_of(lambda: gdb.current_progspace().filename or "")
        return re.sub("^target:", "", path) or None

    def stack_pointer(self):
        try:
            return number_of("(unsigned long) $sp")
        except gdb.error:
            return None

    def value(self, expression):
        value = gdb.parse_and_eval(expression)
        code = value.type.strip_typedefs().code
        if code in (gdb.TYPE_CODE_REF, gdb.TYPE_CODE_RVALUE_REF):
            value = value.referenced_value()
            code = value.type.strip_typedefs().code
        if code in NUMBERS:
            return int(value), None
        address = address_of(value)
        return None, None if address is None else int(address)

    def threads(self):
        return [
            Thread(thread.ptid[1], thread.num, thread_name(thread))
            for thread in gdb.selected_inferior().threads()
        ]

    def stack_pointers(self):
        found = {}
        for thread in gdb.selected_inferior().threads():
            with selected(thread):
                pointer = self.stack_pointer()
            if pointer is not None:
                found[thread.num] = pointer
        return found

    def frame_over(self, number, address):
        thread = next(one for one in gdb.selected_inferior().threads() if one.num == number)
        with selected(thread), past_main():
            frame = gdb.newest_frame()
            start = int(frame.read_register("sp"))
            while frame is not None:
                older = frame.older()
                end = 0 if older is None else int(older.read_register("sp"))
                # Where a handler has a stack of its own, the older frame's may lie anywhere.
                if start <= address < end:
                    return frame.level(), text_of(frame.name)
                frame, start = older, end
        return None

    def file_place(self, address):
        told = output("info symbol {}".format(address))
        found = re.match(r"(.+?)(?: \+ (\d+))? in section (\S+)(?: of (.+))?$", told)
        if found is None:
            return None
        symbol, offset, section, path = found.groups()
        path = path or self.program_path() or ""
        return FilePlace(section, path, symbol, int(offset or 0))

    def section_place(self, address):
        for row in _SECTION.finditer(output("info files")):
            start, end, section, path = row.groups()
            if int(start, 16) <= address < int(end, 16):
                return FilePlace(section, path or self.program_path() or "")
        return None

    def files(self):
        # Those with an owner are separate debug files, also such that debuginfod has sent.
        names = [text_of(lambda objfile=objfile: objfile.filename) for objfile in gdb.objfiles()]
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
                functions.append(text_of(lambda block=block: block.function.print_name))
            block = block.superblock
        # gdb does not say where inlined functions were called.
        path = text_of(symtab.fullname) if place.line else None
        frames = [(None, function, 0) for function in functions] or [(None, None, 0)]
        build_id = symtab.objfile.build_id or ""
        return build_id, [(path, frames[0][1], place.line)] + frames[1:]

    def symbol_at(self, address):
        told = output("info symbol {}".format(address))
        found = re.match(r"(.+?)(?: \+ \d+)? in section ", told)
        return found.group(1) if found else None

    def debug_directories(self):
        return text_of(lambda: gdb.parameter("debug-file-directory"))

    def path_rules(self):
        return _PATH_RULE.findall(output("show substitute-path"))

    def watch_calls(self, purpose, functions, libraries, reached):
        if purpose in self._calls:
            return
        found = self._calls[purpose] = []
        for function in functions:
            # gdb prints that the library is not loaded yet.
            quietly(
                lambda one=function: found.append(CallBreakpoint(one, libraries, reached))
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
        show_at_stop(frame)
        sal = frame.find_sal()
        path = text_of(lambda: sal.symtab.filename) if sal.symtab is not None else None
        return text_of(frame.name), path, sal.line

    @property
    def can_call(self):
        return not gdb.parameter("non-stop")

    def calling(self):
        own = [one for breakpoints in self._calls.values() for one in breakpoints]
        return gdb_inferior_calls.undisturbed(own)

    stacks = staticmethod(gdb_inferior_calls.stacks)
    run_to = staticmethod(gdb_inferior_calls.run_to)

    def call(self, number, function, arguments, stack=None, alone=False):
        return gdb_inferior_calls.call(number, function, arguments, stack, alone)

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

    def output_charset(self):
        # What it cannot say, gdb.write fails for.
        charset = gdb.host_charset()
        return super().output_charset() if charsets.speaks_utf8(charset) else charset

    def launch_id(self):
        return gdb.selected_inferior().num

    def get_environment(self, name):
        text = output("show environment {}".format(name)).rstrip("\n")
        prefix = "{} = ".format(name)
        return text[len(prefix) :] if text.startswith(prefix) else None

    def set_environment(self, name, value):
        if value is None:
            output("unset environment {}".format(name))
        else:
            output("set environment {} = {}".format(name, value))


def _file_of_variable(name, start):
    """The path of the source of the variable that begins at an address, or None."""
    for symbol in [gdb.lookup_global_symbol(name)] + gdb.lookup_static_symbols(name):
        if symbol is None or symbol.symtab is None or not symbol.is_variable:
            continue
        address = address_of(symbol.value()) if not symbol.needs_frame else None
        if address is not None and int(address) == start:
            return text_of(lambda found=symbol: found.symtab.filename)
    return None


def _has_frame():
    """Whether gdb can look at the selected thread. It can, and says that the thread runs, where this
    has come to a breakpoint, for its condition or in Breakpoint.stop of Python."""
    try:
        gdb.selected_frame()
        return True
    except gdb.error:
        return False
