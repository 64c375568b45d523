"""What the command line has a debugger do: loading the hooks into a process. The answer is one line."""

import json

from . import attach
from .errors import AllocsnapError, ErrorCode

#: Before the answer.
MARK = "allocsnap-attached: "


def answer(shell, is_on):
    """The line for a Shell whose debugger has a process in front of it."""
    session = shell.session
    try:
        report = attach.lead_calls(session, session.live_process(), is_on)
        told = {"report": list(report)}
    except (AllocsnapError, *session.target.errors) as error:
        code = getattr(error, "code", ErrorCode.UNSUPPORTED)
        told = {"error": str(error), "code": int(code)}
    return MARK + json.dumps(told)
