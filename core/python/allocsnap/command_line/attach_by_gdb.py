"""Loading the hooks into a process from the command line: gdb does it, which knows how to unwind the stacks
of its threads and to have one call a function."""

import json
import os
import shutil
import subprocess

from ..attach_code import Report
from ..attach_in_debugger import MARK
from ..errors import AllocsnapError, ErrorCode
from ..library import library_files

_SECONDS_MOST = 120
_SCRIPT = """
from allocsnap import attach_in_debugger, commands
from gdb_target import GdbTarget
gdb.write("\\n" + attach_in_debugger.answer(commands.shell_for("gdb", GdbTarget), {}) + "\\n")
"""


def lead_calls(session, process, is_on):
    """As attach.lead_calls."""
    gdb = shutil.which(os.environ.get("GDB") or "gdb")
    if gdb is None:
        raise AllocsnapError(
            "{} was started without the hooks; gdb loads them into it, and is not installed: install it, or"
            " {}".format(process.description, session.target.how_to_trace),
            ErrorCode.UNSUPPORTED,
        )
    # The kernel lets one at a time stop it.
    session.target.release()
    told = _told(gdb, process.pid, is_on)
    session.target.forget()
    if "error" in told:
        raise AllocsnapError(told["error"], ErrorCode(told["code"]))
    return Report(*told["report"])


def _told(gdb, pid, is_on):
    line = [gdb, "-nx", "-batch", "-iex", "set auto-load off", "-iex", "set debuginfod enabled off"]
    line += ["-p", str(pid), "-ex", "source " + library_files.script_path("gdb")]
    line += ["-ex", "python exec({!r})".format(_SCRIPT.format(bool(is_on)))]
    try:
        done = subprocess.run(
            line,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_SECONDS_MOST,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AllocsnapError("gdb could not be asked: {}".format(error), ErrorCode.IO) from None
    for text in done.stdout.splitlines():
        if text.startswith(MARK):
            return json.loads(text[len(MARK) :])
    last = (done.stdout.strip().splitlines() or ["nothing"])[-1]
    raise AllocsnapError("gdb has not loaded the hooks, and says: {}".format(last), ErrorCode.IO)
