"""The debuggers that are there, and how each runs a list of commands.

A command is what a user types, or one of the steps below, which each debugger words for
itself.
"""

import glob
import os
import re
import shutil
import subprocess
from typing import Callable, NamedTuple, Optional

from . import harness

#: Debuggers that may be missing here, each with the reason; others must be there.
MAY_BE_MISSING = {}

#: The plugin.
LLDB_SCRIPT = os.path.join(harness.ROOT, "lldb", "allocsnap_lldb.py")


class Step(NamedTuple):
    """What is not the same command in every debugger."""

    gdb: str
    lldb: str


RUN = Step("run", "run")
CONTINUE = Step("continue", "continue")
FOLLOW_CHILD = Step(
    "set follow-fork-mode child", "settings set target.process.follow-fork-mode child"
)


def connect(port):
    return Step("target remote 127.0.0.1:" + port, "gdb-remote 127.0.0.1:" + port)


def stop_at(function):
    return Step("break " + function, "breakpoint set -n " + function)


def write_core(path):
    return Step(
        "generate-core-file " + path,
        "process save-core --style full --plugin-name=minidump " + path,
    )


class Debugger(NamedTuple):
    """One of the debuggers."""

    name: str
    binary: str
    run: Callable  # (case, commands, program, arguments, core, pid, cwd) -> Results


def _worded(commands, language):
    return [
        getattr(command, language) if isinstance(command, Step) else command
        for command in commands
    ]


def _run_gdb(case, commands, program, arguments=(), core=None, pid=None, cwd=None, env=None):
    before = [
        "set {}".format(setting)
        for setting in ("width 0", "height 0", "style enabled off", "inferior-tty /dev/null")
    ]
    line = ["--args", program] + list(arguments)
    if core is not None:
        line = [program, core]
    elif pid is not None:
        line = ["-p", str(pid)]
    worded = _worded(commands, "gdb")
    results = harness.batch(case, before + worded, line, cwd=cwd, env=env)
    return harness.Results(commands, results.outputs[len(before) :])


_KILLED = re.compile(r"^Process \d+ exited with status = 9 .*\n", re.M)
_MARK = 'script print("\\x1e")'


def _run_lldb(
    binary, case, commands, program, arguments=(), core=None, pid=None, cwd=None, env=None
):
    # LLDB's batch mode ends at the first error; its standard input does not.
    worded = _worded(commands, "lldb")
    lines = [
        "script lldb.debugger.SetAsync(False)",
        "settings set auto-confirm true",
        "settings set target.input-path /dev/null",
        "settings set target.output-path /dev/null",
        "script " + harness.KEEP_COMPILED,
        "command script import {}".format(LLDB_SCRIPT),
        harness.GO_ON,
        _MARK,
    ]
    for command in worded:
        lines += [command, _MARK]
    line = [binary, "--no-lldbinit", "--no-use-colors", program]
    if core is not None:
        line += ["-c", core]
    elif pid is not None:
        line[-1:] = ["-p", str(pid)]
    elif arguments:
        line += ["--"] + list(arguments)
    done = subprocess.run(
        line,
        input="".join(text + "\n" for text in lines + ["quit"]),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=harness.DEADLINE,
        cwd=cwd or case.directory,
        env=harness.environment(case.home, **(env or {})),
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    pieces = done.stdout.split("\x1e\n")
    if len(pieces) != len(worded) + 2:
        raise harness.Failed("LLDB ended early (status {}):\n{}".format(done.returncode, done.stdout))
    outputs = []
    for command, piece in zip(worded, pieces[1:-1]):
        # LLDB echoes what it reads.
        head, tail = "(lldb) {}\n".format(command), "(lldb) {}\n".format(_MARK)
        # The end of a process that was killed is told by another thread, at any time.
        piece = _KILLED.sub("", piece)
        if not piece.startswith(head) or not piece.endswith(tail):
            raise harness.Failed("no echo of {!r} in {!r}".format(command, piece))
        outputs.append(piece[len(head) : -len(tail)])
    return harness.Results(commands, outputs)


def _lldb(binary):
    def run(*arguments, **options):
        return _run_lldb(binary, *arguments, **options)

    text = subprocess.check_output([binary, "--version"], encoding="utf-8")
    version = re.search(r"version (\d+)", text).group(1)
    return Debugger("lldb-" + version, binary, run)


def installed_lldb() -> Optional[str]:
    """The path of the machine's own LLDB: $LLDB, lldb, or the newest lldb-NUMBER."""
    chosen = os.environ.get("LLDB") or shutil.which("lldb")
    if chosen:
        return chosen
    found = {}
    for directory in os.environ.get("PATH", "").split(":"):
        for path in glob.glob(os.path.join(directory, "lldb-[0-9]*")):
            if re.fullmatch(r"lldb-\d+", os.path.basename(path)):
                found.setdefault(int(path.rpartition("-")[2]), path)
    return found[max(found)] if found else None


def start_server(case, debugger, path, **variables):
    """Starts a program below the debugger's own server, on a free port; returns the port.
    One server of LLDB does for all versions."""
    told = os.path.join(case.directory, debugger.name + ".port")
    os.mkfifo(told)
    if debugger.name == "gdb":
        command = ["/bin/sh", "-c", 'exec gdbserver --once 127.0.0.1:0 "$1" 2>"$0"', told, path]
    else:
        command = [server_of_lldb(), "gdbserver", "127.0.0.1:0", "--named-pipe", told, "--", path]
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=case.directory,
        env=harness.environment(case.home, **variables),
    )
    case.addCleanup(child.wait)
    case.addCleanup(child.kill)
    fifo = open(told, encoding="ascii")  # gdbserver goes on to write
    case.addCleanup(fifo.close)
    if debugger.name != "gdb":
        return fifo.read().rstrip("\0")
    for line in fifo:
        found = re.match(r"Listening on port (\d+)\n", line)
        if found:
            return found.group(1)
    raise harness.Failed("gdbserver did not tell its port")


def server_of_lldb():
    """The path of the server that belongs to the machine's own LLDB."""
    directory, name = os.path.split(installed_lldb())
    return os.path.join(directory, name.replace("lldb", "lldb-server", 1))


def dap_of_lldb(debugger):
    """The path of the lldb-dap that belongs to an LLDB; None where it is not there."""
    directory, name = os.path.split(debugger.binary)
    # Debian 13 has `lldb`, and no `lldb-dap` without its version.
    names = [part.replace("lldb", "lldb-dap", 1) for part in (name, debugger.name)]
    for path in [os.path.join(directory, part) for part in names] + [shutil.which(part) for part in names]:
        if path is not None and os.path.exists(path):
            return path
    return None


def gdb():
    return Debugger("gdb", harness.GDB, _run_gdb)


def lldbs():
    """The LLDBs to be tested: the machine's own, and those that `make lldbs` has unpacked.
    One that is missing is an error, unless MAY_BE_MISSING names it."""
    binaries = glob.glob(os.path.join(harness.BUILD, "lldb", "bin", "lldb-[0-9]*"))
    own = installed_lldb()
    if own is not None:
        binaries.insert(0, own)
    elif "lldb" not in MAY_BE_MISSING:
        raise harness.Failed("there is no LLDB: `make deps` installs one")
    return [_lldb(binary) for binary in binaries]


#: How to get those of each line of core/debuggers.txt that are to be tested; a Step has the same fields.
RUNNERS = {"gdb": lambda: [gdb()], "lldb": lldbs}


def every():
    """All that are to be tested, of every debugger; gdb is the first."""
    return [debugger for found in RUNNERS.values() for debugger in found()]
