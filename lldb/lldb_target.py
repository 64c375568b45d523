"""What LLDB knows of the program, for the commands (allocsnap.target.Target)."""

import os
import re
import sys

import lldb
import lldb_inferior_calls
from allocsnap.errors import UnreadableMemory
from allocsnap.joined_map import joined_map
from allocsnap.target import FilePlace, Process, Region, Target, Thread, ThreadFacts
from allocsnap.target import is_traced_below, mapped_cores
from allocsnap.terminal import ADDRESS, FILE, FUNCTION, NOTE, SIZE, Terminal

# States in which there is nothing to be read, and in which memory changes.
_NO_PROCESS = (
    lldb.eStateInvalid,
    lldb.eStateUnloaded,
    lldb.eStateConnected,
    lldb.eStateAttaching,
    lldb.eStateLaunching,
    lldb.eStateDetached,
    lldb.eStateExited,
)
_RUNNING = (lldb.eStateRunning, lldb.eStateStepping)

_PATH_RULE = re.compile(r'^\[\d+\] "(.*)" -> "(.*)"$', re.M)
# Several entries stand on one line.
_PATH_ENTRY = re.compile(r"\[\d+\]: (.*?)(?=  \[\d+\]: |$)", re.M)


# The colours that LLDB has for the same in `frame-format`, and others where it has none: SGR's
# parameters.
_STYLES = {FILE: "36", FUNCTION: "32", ADDRESS: "33", SIZE: "1", NOTE: "2"}


# `term-width` where LLDB has not asked the terminal.
_COLUMNS_UNTOLD = 80


class LldbError(Exception):
    """What LLDB says is wrong."""


def _required(error):
    """Raises what an SBError says, if it does."""
    if error.Fail():
        raise LldbError(error.GetCString() or "unknown error")


def _options():
    """How expressions are evaluated: nothing runs in the program."""
    options = lldb.SBExpressionOptions()
    options.SetAllowJIT(False)
    options.SetAutoApplyFixIts(False)  # `1 2` would become `1; 2`
    options.SetIgnoreBreakpoints(True)
    options.SetUnwindOnError(True)
    options.SetSuppressPersistentResult(True)
    options.SetFetchDynamicValue(lldb.eNoDynamicValues)
    return options


def quoted(text):
    """One word of a command."""
    return '"{}"'.format(re.sub(r'(["\\`])', r"\\\1", text))


def _path(spec):
    """The path of an SBFileSpec, or None."""
    return spec.fullpath if spec.IsValid() and spec.GetFilename() else None


def _build_id(module):
    """The build ID of a module in hexadecimal; "" where it has none, for which LLDB
    makes a UUID of the four bytes of a checksum."""
    uuid = (module.GetUUIDString() or "").replace("-", "").lower()
    return uuid if len(uuid) > 8 else ""


class LldbTarget(Target):
    """The selected target of one debugger."""

    errors = (LldbError,)

    #: The name of a function that breakpoints of watch_calls call, as LLDB finds it.
    call_callback = ""

    how_to_interrupt = "Ctrl-C, or `process interrupt`"

    def __init__(self, debugger):
        self._debugger_id = debugger.GetID()
        self._numbers = []  # (number, SBTarget)
        self._breakpoints = {}  # (launch_id(), purpose of watch_calls) -> its SBBreakpoint
        self._calls = {}  # purpose -> the arguments of watch_calls
        self._called_by = None  # the SBThread that has come to one, while it is looked at

    @property
    def _debugger(self):
        return lldb.SBDebugger.FindDebuggerWithID(self._debugger_id)

    @property
    def _target(self):
        return self._debugger.GetSelectedTarget()

    def _program(self):
        """The target, where there is one: without it, LLDB has nowhere to keep things."""
        if not self._target.IsValid():
            raise LldbError("there is no program: name it first with `target create PROGRAM`")
        return self._target

    @property
    def _process(self):
        return self._target.GetProcess()

    def _output(self, command):
        """What an LLDB command prints."""
        result = lldb.SBCommandReturnObject()
        self._debugger.GetCommandInterpreter().HandleCommand(command, result, False)
        if not result.Succeeded():
            raise LldbError((result.GetError() or "").strip().replace("error: ", "", 1))
        return result.GetOutput() or ""

    def process(self):
        process = self._process
        state = process.GetState()
        if not process.IsValid() or state in _NO_PROCESS:
            return None
        pid = process.GetProcessID()
        is_core = process.GetPluginName() in ("elf-core", "minidump")
        core_path = _core_path(process) if is_core else None
        local_pid = None if is_core else self._local_pid()
        return Process(
            identity=(process.GetUniqueID(), pid, core_path),
            pid=pid,
            core_path=core_path,
            is_core=is_core,
            running=state in _RUNNING,
            pointer_bytes=self._target.GetAddressByteSize(),
            local_pid=local_pid,
            proc_pid=local_pid,
        )

    def _local_pid(self):
        """The process's number where it is of this host: a server elsewhere has numbers of
        its own. LLDB's server here is a child of LLDB."""
        pid = self._process.GetProcessID()
        return pid if is_traced_below(pid, os.getpid()) else None

    def read_memory(self, address, size):
        error = lldb.SBError()
        data = self._process.ReadMemory(address, size, error) if size else b""
        if error.Fail() or data is None or len(data) != size:
            raise UnreadableMemory
        return data

    def write_memory(self, address, data):
        error = lldb.SBError()
        self._process.WriteMemory(address, bytes(data), error)
        _required(error)

    def find_symbol(self, name):
        for context in self._target.FindSymbols(name, lldb.eSymbolTypeAny):
            address = context.GetSymbol().GetStartAddress().GetLoadAddress(self._target)
            if address != lldb.LLDB_INVALID_ADDRESS:
                return address
        return 0

    def told_memory_map(self):
        return joined_map(_mappings(self._process), _loaded_parts(self._target))

    def value(self, expression):
        value = self._value(expression)
        kind = value.GetType().GetCanonicalType()
        if kind.IsReferenceType():
            value = value.Dereference()
            kind = value.GetType().GetCanonicalType()
        if kind.IsPointerType() or _is_whole(kind):
            return _whole_number(value, bool(kind.GetTypeFlags() & lldb.eTypeIsSigned)), None
        if value.GetLoadAddress() != lldb.LLDB_INVALID_ADDRESS:
            return None, value.GetLoadAddress()
        # In LLDB 19 and older, what the compiler's code gives is a copy.
        try:
            return None, self._value("&({})".format(expression)).GetValueAsUnsigned()
        except LldbError:
            return None, None

    def _value(self, expression):
        """The SBValue of an expression: variables and their members without the compiler, which
        does not know all of them."""
        frame = self._process.GetSelectedThread().GetSelectedFrame()
        value = frame.GetValueForVariablePath(expression, lldb.eNoDynamicValues)
        # A constant (of LLDB 22) takes itself for an address.
        is_place = value.GetValueType() != lldb.eValueTypeConstResult
        if value.IsValid() and value.GetError().Success():
            if is_place or value.GetType().IsPointerType():
                return value
        within = frame if frame.IsValid() else self._program()
        value = within.EvaluateExpression(expression, _options())
        if value.GetError().Success():
            return value
        text = value.GetError().GetCString() or "no value"
        if "without a running target" in text:
            raise LldbError(
                "`{}` would run code of the program, or take memory in it: do without calls,"
                " overloaded operators and strings".format(expression)
            )
        # The compiler's words come with a place and the line again.
        said = re.search(r"error: (?:<[^>]*>:\d+:\d+: )?(.*)", text)
        raise LldbError(said.group(1) if said else text)

    def threads(self):
        return [
            Thread(thread.GetThreadID(), thread.GetIndexID(), thread.GetName())
            for thread in self._process
        ]

    def thread_facts(self):
        return [_thread_facts(thread) for thread in self._process]

    def variable_at(self, number, level, address):
        frame = self._process.GetThreadByIndexID(number).GetFrameAtIndex(level)
        for variable in frame.GetVariables(True, True, False, False):
            start = variable.GetLoadAddress()
            if start != lldb.LLDB_INVALID_ADDRESS and start <= address < start + variable.GetByteSize():
                return variable.GetName()
        return None

    def variable_file(self, name, start):
        found = self._target.FindGlobalVariables(name, 64)
        for place in range(found.GetSize()):
            value = found.GetValueAtIndex(place)
            if value.GetLoadAddress() == start:
                return _path(value.GetDeclaration().GetFileSpec())
        return None

    def program_path(self):
        return _path(self._target.GetExecutable())

    def stack_pointer(self):
        frame = self._process.GetSelectedThread().GetFrameAtIndex(0)
        return frame.GetSP() if frame.IsValid() else None

    def stack_pointers(self):
        frames = {thread.GetIndexID(): thread.GetFrameAtIndex(0) for thread in self._process}
        return {number: frame.GetSP() for number, frame in frames.items() if frame.IsValid()}

    def frame_over(self, number, address):
        thread = self._process.GetThreadByIndexID(number)
        level, frame = 0, thread.GetFrameAtIndex(0)
        while frame.IsValid():
            older = thread.GetFrameAtIndex(level + 1)
            # Where a handler has a stack of its own, the older frame's may lie anywhere.
            if older.IsValid() and frame.GetSP() <= address < older.GetSP():
                return level, frame.GetDisplayFunctionName()
            level, frame = level + 1, older
        return None

    def file_place(self, address):
        place = self._target.ResolveLoadAddress(address)
        section, symbol = place.GetSection(), place.GetSymbol()
        if not section.IsValid():
            return None
        path = _path(place.GetModule().GetFileSpec()) or ""
        start = symbol.GetStartAddress().GetLoadAddress(self._target)
        if not symbol.IsValid() or start == lldb.LLDB_INVALID_ADDRESS:
            return FilePlace(section.GetName() or "", path)
        return FilePlace(section.GetName() or "", path, symbol.GetDisplayName(), address - start)

    def files(self):
        paths = []
        for module in self._target.module_iter():
            paths += [_path(module.GetFileSpec()), _path(module.GetSymbolFileSpec())]
        return list(dict.fromkeys(path for path in paths if path))

    def _context(self, address):
        place = self._target.ResolveLoadAddress(address)
        return self._target.ResolveSymbolContextForAddress(place, lldb.eSymbolContextEverything)

    def frames_at(self, address):
        context = self._context(address)
        entry, block = context.GetLineEntry(), context.GetBlock()
        if not entry.IsValid() or not block.IsValid():
            return "", []
        path, line = _path(entry.GetFileSpec()), entry.GetLine()
        frames = []
        block = block if block.IsInlined() else block.GetContainingInlinedBlock()
        while block.IsValid():
            frames.append((path, block.GetInlinedName(), line))
            path, line = _path(block.GetInlinedCallSiteFile()), block.GetInlinedCallSiteLine()
            block = block.GetParent().GetContainingInlinedBlock()
        frames.append((path, context.GetFunction().GetName(), line))
        return _build_id(context.GetModule()), frames

    def symbol_at(self, address):
        symbol = self._context(address).GetSymbol()
        return symbol.GetName() if symbol.IsValid() else None

    def debug_directories(self):
        found = _PATH_ENTRY.findall(self._output("settings show target.debug-file-search-paths"))
        return ":".join(found + ["/usr/lib/debug"])

    def path_rules(self):
        return _PATH_RULE.findall(self._output("settings show target.source-map"))

    def watch_calls(self, purpose, functions, libraries, reached):
        known = self._breakpoints.get((self.launch_id(), purpose))
        if known is not None and known.IsValid():
            return
        found = self._program().BreakpointCreateByNames(
            list(functions), lldb.eFunctionNameTypeFull, lldb.SBFileSpecList(), lldb.SBFileSpecList()
        )
        # It is in no list, and stays where all are deleted or disabled.
        name = lldb.SBBreakpointName(found.GetTarget(), "allocsnap_calls")
        name.SetAllowList(False)
        name.SetAllowDelete(False)
        name.SetAllowDisable(False)
        found.AddName("allocsnap_calls")
        found.SetScriptCallbackFunction(self.call_callback)
        self._breakpoints[self.launch_id(), purpose] = found
        self._calls[purpose] = functions, libraries, reached

    def forget_calls(self, purpose):
        self._calls.pop(purpose, None)
        for key in [key for key in self._breakpoints if key[1] == purpose]:
            found = self._breakpoints.pop(key)
            found.GetTarget().BreakpointDelete(found.GetID())

    def call_reached(self, frame):
        """Whether to stop where a breakpoint of watch_calls has found a call, in this frame."""
        library = frame.GetModule().GetFileSpec().GetFilename() or ""
        # The C library has longer names for the same functions (__GI__exit, __new_quick_exit).
        symbol = re.sub("^__GI_|@.*", "", frame.GetSymbol().GetName() or "")
        for functions, libraries, reached in self._calls.values():
            named = [name for name in functions if symbol.endswith(name)]
            if named and re.match(libraries, library):
                self._called_by = frame.GetThread()
                try:
                    return reached(max(named, key=len))
                finally:
                    self._called_by = None
        return False

    def caller_of_library(self):
        thread = self._called_by or self._process.GetSelectedThread()
        library = thread.GetFrameAtIndex(0).GetModule()
        for frame in thread:
            if frame.GetModule() != library:
                entry = frame.GetLineEntry()
                return frame.GetDisplayFunctionName(), _path(entry.GetFileSpec()), entry.GetLine()
        return None

    def has_program(self):
        return self._target.IsValid()

    can_call = True

    def calling(self):
        return lldb_inferior_calls.undisturbed(self._target)

    def stacks(self, numbers=None):
        return lldb_inferior_calls.stacks(self._process, numbers)

    def run_to(self, number, instruction, seconds):
        why = lldb_inferior_calls.run_to(self._target, number, instruction, seconds)
        if why is not None:
            raise LldbError(why)

    def call(self, number, function, arguments, stack=None, alone=False):
        value, why = lldb_inferior_calls.call(
            self._process, number, function, arguments, stack, alone
        )
        if why is not None:
            raise LldbError("a function of the program cannot be called: {}".format(why))
        return value

    def tell(self, text):
        print(text, end="", file=sys.stderr, flush=True)

    def interrupted(self):
        return self._debugger.GetCommandInterpreter().WasInterrupted()

    def show_progress(self, text):
        if sys.stderr.isatty():
            print(text, file=sys.stderr, flush=True)

    #: Whether other Python code runs the command, and may read what it prints.
    in_script = False

    def terminal(self):
        output = self._debugger.GetOutputFileHandle()
        if self.in_script or output is None or not output.isatty():
            return None
        columns = self._debugger.GetTerminalWidth()
        if columns == _COLUMNS_UNTOLD:
            columns = os.get_terminal_size(output.fileno()).columns
        return Terminal(columns or None, _STYLES if self._debugger.GetUseColor() else {})

    def launch_id(self):
        target = self._target
        for number, known in self._numbers:
            if known == target:
                return number
        number = len(self._numbers)
        self._numbers.append((number, target))
        return number

    def get_environment(self, name):
        return self._program().GetEnvironment().Get(name)

    def set_environment(self, name, value):
        if value is None or value == os.environ.get(name):
            # As it was before: the debugger's own.
            self._output("settings remove target.env-vars {}".format(name))
        else:
            self._output("settings append target.env-vars " + quoted(name + "=" + value))


def _thread_facts(thread):
    """The ThreadFacts of a thread."""
    frame = thread.GetFrameAtIndex(0)
    words, found = [], {}
    for registers in frame.GetRegisters() if frame.IsValid() else ():
        for register in registers:
            data, error = register.GetData(), lldb.SBError()
            size = data.GetByteSize()
            if size % 8:
                continue
            raw = data.ReadRawData(error, 0, size) if size else b""
            if error.Fail() or raw is None or len(raw) != size:
                continue
            order = "big" if data.GetByteOrder() == lldb.eByteOrderBig else "little"
            held = [int.from_bytes(raw[at : at + 8], order) for at in range(0, size, 8)]
            words += [(register.GetName(), word) for word in held]
            found[register.GetName()] = held
    stack_pointer = (found.get("rsp") or found.get("sp") or [0])[0]
    pointer = (found.get("fs_base") or found.get("tpidr") or [0])[0]
    return ThreadFacts(thread.GetThreadID(), stack_pointer, pointer, tuple(words))


def _is_whole(kind):
    """Whether values of a type are whole numbers."""
    flags = kind.GetTypeFlags()
    return bool(flags & (lldb.eTypeIsInteger | lldb.eTypeIsEnumeration)) or kind.GetBasicType() in (
        lldb.eBasicTypeBool,
        lldb.eBasicTypeNullPtr,
    )


def _whole_number(value, signed):
    """The number that an SBValue is, of any width."""
    error = lldb.SBError()
    data = value.GetData()
    raw = data.ReadRawData(error, 0, data.GetByteSize())
    _required(error)
    order = "big" if data.GetByteOrder() == lldb.eByteOrderBig else "little"
    return int.from_bytes(raw, order, signed=signed)


def _core_path(process):
    """The path of the core file; None where nothing says."""
    if hasattr(process, "GetCoreFile"):  # LLDB 18 and later
        return _path(process.GetCoreFile())
    # LLDB maps the cores that it reads.
    found = mapped_cores()
    return found[0] if len(found) == 1 else None


def _loaded_parts(target):
    """The Regions that LLDB has loaded of files."""
    parts = []
    for module in target.module_iter():
        path = _path(module.GetFileSpec()) or ""
        # A program names its libraries by links (/lib), the kernel by what they are.
        path = os.path.realpath(path) if os.path.exists(path) else path
        for section in module.section_iter():
            start, size = section.GetLoadAddress(target), section.GetFileByteSize()
            if start != lldb.LLDB_INVALID_ADDRESS and size:
                flags = section.GetPermissions()
                parts.append(
                    Region(
                        start,
                        start + size,
                        section.GetFileOffset(),
                        path,
                        bool(flags & lldb.ePermissionsReadable),
                        bool(flags & lldb.ePermissionsWritable),
                        bool(flags & lldb.ePermissionsExecutable),
                    )
                )
    return parts


def _mappings(process):
    """The Regions that LLDB lists: what is mapped of files it does not tell apart."""
    listed = process.GetMemoryRegions()
    info = lldb.SBMemoryRegionInfo()
    found = []
    for index in range(listed.GetSize()):
        listed.GetMemoryRegionAtIndex(index, info)
        if info.IsMapped():
            start, end, name = info.GetRegionBase(), info.GetRegionEnd(), info.GetName() or ""
            flags = (info.IsReadable(), info.IsWritable(), info.IsExecutable())
            found.append(Region(start, end, 0, name, *flags))
    return found
