"""allocsnap in LLDB (14 and later): `command script import` this file, then `help snapshot`."""

import os
import re
import shlex
import sys

import lldb


def _find_package():
    """Puts the Python package on the path; it lies the same in a checkout and where
    it is installed. Returns what is wrong, or None."""
    here = os.path.dirname(os.path.realpath(__file__))
    directory = os.path.join(os.path.dirname(here), "core", "python")
    if not os.path.isdir(os.path.join(directory, "allocsnap")):
        return "the Python package allocsnap is not in {}: install allocsnap again".format(directory)
    package = sys.modules.get("allocsnap")
    loaded = package and os.path.dirname(os.path.dirname(os.path.realpath(package.__file__)))
    if loaded and loaded != directory:
        return "allocsnap is here already, from {}: start LLDB anew to have that of {}".format(
            loaded, directory
        )
    if directory not in sys.path:
        sys.path.insert(0, directory)
    return None


# LLDB prints a traceback where the import of a script fails: it succeeds, and tells.
_WRONG = _find_package()
if _WRONG is None:
    # pylint: disable=wrong-import-position
    from allocsnap import commands
    from allocsnap.errors import AllocsnapError, UnreadableMemory
    from allocsnap.joined_map import joined_map
    from allocsnap.target import FilePlace, Process, Region, Target, Thread, ThreadFacts
    from allocsnap.target import is_traced_below, mapped_cores
else:
    Target = object

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


def _quoted(text):
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
    how_to_interrupt = "Ctrl-C, or `process interrupt`"

    def __init__(self, debugger):
        self._debugger_id = debugger.GetID()
        self._numbers = []  # (number, SBTarget)
        self._exits = {}  # launch_id() -> the SBBreakpoint of watch_exits

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

    def variable_file(self, name):
        found = self._target.FindGlobalVariables(name, 1)
        return _path(found.GetValueAtIndex(0).GetDeclaration().GetFileSpec()) if found.GetSize() else None

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
            if older.IsValid() and address < older.GetSP():
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

    def watch_exits(self, functions, reached):
        number = self.launch_id()
        if number in self._exits and self._exits[number].IsValid():
            return
        found = self._program().BreakpointCreateByNames(
            list(functions), lldb.eFunctionNameTypeFull, lldb.SBFileSpecList(), lldb.SBFileSpecList()
        )
        found.AddName("allocsnap_exits")
        found.SetScriptCallbackFunction("{}.{}".format(__name__, _at_exit.__name__))
        self._exits[number] = found
        self.exits, self.exit_reached = functions, reached

    def forget_exits(self):
        for found in self._exits.values():
            found.GetTarget().BreakpointDelete(found.GetID())
        self._exits = {}

    def has_program(self):
        return self._target.IsValid()

    def tell(self, text):
        print(text, end="", file=sys.stderr, flush=True)

    def interrupted(self):
        return self._debugger.GetCommandInterpreter().WasInterrupted()

    def show_progress(self, text):
        if sys.stderr.isatty():
            print(text, file=sys.stderr, flush=True)

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
            self._output("settings append target.env-vars " + _quoted(name + "=" + value))


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


def _at_exit(frame, _location, _arguments, _dictionary):
    """What the breakpoint of watch_exits calls; whether to stop."""
    library = frame.GetModule().GetFileSpec().GetFilename() or ""
    if not re.match(r"(libc\b|ld-musl)", library):
        return False
    target = _shell(frame.GetThread().GetProcess().GetTarget().GetDebugger()).session.target
    # The C library has longer names for the same functions (__GI__exit, __new_quick_exit).
    symbol = re.sub("^__GI_|@.*", "", frame.GetSymbol().GetName() or "")
    functions = [name for name in target.exits if symbol.endswith(name)]
    return bool(functions) and target.exit_reached(max(functions, key=len))


def _shell(debugger):
    """The Shell of a debugger; an IDE has several in one process."""
    return commands.shell_for(
        "lldb {}".format(debugger.GetID()), lambda: LldbTarget(debugger)
    )


def _printable(text):
    """Text as LLDB takes it, without the last line's end, which LLDB adds."""
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text[:-1] if text.endswith("\n") else text


class _Subcommand:
    """A command as LLDB calls it, with the line as it was typed; derived classes have the
    `command`."""

    command = None

    def __init__(self, debugger, _dictionary):
        self._shell = _shell(debugger)

    def __call__(self, _debugger, argument, _context, result):
        self._execute(argument, result)

    def _execute(self, argument, result):
        try:
            result.AppendMessage(_printable(self._shell.execute(self.command, argument)))
        except AllocsnapError as error:
            result.SetError(_printable(str(error)))
        except KeyboardInterrupt:
            result.SetError("interrupted")

    def get_short_help(self):
        return self.command.help.partition("\n")[0]

    def get_long_help(self):
        return self.command.help.partition("\n\n")[2]

    def get_repeat_command(self, _line):
        """Nothing: an empty line does not do it again."""
        return ""


class _ParsedSubcommand(_Subcommand):
    """One whose words LLDB has parted, and completes. To LLDB it has no options: so they come
    as words."""

    def get_options_definition(self):
        return {}

    def get_flags(self):
        return 0

    def get_args_definition(self):
        kind = lldb.eArgTypeFilename if self.command.takes_files else lldb.eArgTypeValue
        return [[{"arg_type": kind, "repeat": "star"}]]

    def option_parsing_started(self):
        """LLDB asks for it."""

    def handle_argument_completion(self, words, place, cursor):
        """What LLDB completes; False: the name of a file, which it does by itself."""
        words = list(words[:place]) + [words[place][:cursor] if place < len(words) else ""]
        found = self._shell.complete(self.command, " ".join(words))
        if found is commands.FILES:
            return False
        return {"values": found} if found else True

    def __call__(self, _debugger, words, _context, result):
        words = [words.GetItemAtIndex(place) for place in range(words.GetSize())]
        line = " ".join(shlex.quote(word.GetStringValue(2**16)) for word in words)
        self._execute(line, result)


def _parses(debugger, command):
    """Whether LLDB shall part a command's words: where it can complete them."""
    version = re.search(r"lldb version (\d+)", debugger.GetVersionString())
    return not command.rest_of_line and version is not None and int(version.group(1)) >= 20


def _argument(arguments, name):
    """The text of an argument of a breakpoint's function, or None."""
    value = arguments.GetValueForKey(name)
    if value.GetType() == lldb.eStructuredDataTypeInteger:  # LLDB 15 and later
        return str(value.GetIntegerValue())
    return value.GetStringValue(4096) or None


def _stops_above(function):
    """What `breakpoint command add -F` takes, for a Function of the commands."""

    def stops(frame, _location, arguments, _dictionary):
        debugger = frame.GetThread().GetProcess().GetTarget().GetDebugger()
        try:
            above, place = (_argument(arguments, name) for name in ("above", "place"))
            return function.exceeds(__name__, above, place, _shell(debugger).measure)
        except AllocsnapError as error:
            print("error: {}".format(_printable(str(error))), file=sys.stderr)
            return True

    return stops


def __lldb_init_module(debugger, _dictionary):
    """Registers `snapshot` and its sub-commands; LLDB calls it."""
    if _WRONG is not None:
        print("error: {}".format(_WRONG), file=sys.stderr)
        return
    # An alias, because lldb-dap overlooks what has sub-commands, and compiles it as C++.
    lines = ['command container add -o -h "{}" allocsnap'.format(commands.PREFIX_HELP)]
    for word, command in commands.WORDS:
        name = "snapshot_" + word.replace("-", "_") + "_command"
        parsed = _parses(debugger, command)
        base = _ParsedSubcommand if parsed else _Subcommand
        globals()[name] = type(name, (base,), {"command": command})
        lines.append(
            "command script add -o {} -c {}.{} allocsnap {}".format(
                "-p" if parsed else "", __name__, name, word
            )
        )
    lines.append(
        "command alias -h {} -H {} -- snapshot allocsnap".format(
            _quoted(commands.PREFIX_HELP), _quoted(_shell(debugger).overview())
        )
    )
    for function in commands.FUNCTIONS:
        globals()[function.name] = _stops_above(function)
    for line in lines:
        result = lldb.SBCommandReturnObject()
        debugger.GetCommandInterpreter().HandleCommand(line, result, False)
        if not result.Succeeded():
            print(
                "error: allocsnap needs LLDB 14 or later; this is {}".format(
                    debugger.GetVersionString().partition("\n")[0]
                ),
                file=sys.stderr,
            )
            return
