"""The program that `run` starts: where it is, and what keeps the hooks out of it."""

import os
import stat

from .. import no_hooks, program_file
from ..errors import AllocsnapError, ErrorCode
from ..regular_files import open_regular
from ..target import Target, shown_path

#: Exit statuses, as env(1), nohup(1) and timeout(1) have them: of allocsnap itself; it is there and
#: cannot be started; it is not there.
NOT_TRACED, NOT_STARTED, NOT_FOUND = 125, 126, 127

_INTERPRETERS_MOST = 4  # as of the kernel
_LINE_BYTES = 256


class NotStarted(AllocsnapError):
    """Why a program does not run, with the exit status."""

    def __init__(self, message, status):
        super().__init__(message, ErrorCode.UNSUPPORTED)
        self.status = status


class Program(Target):
    """A program that is to be started, as Launch and no_hooks ask for it: its file and environment."""

    run_command = "allocsnap run"

    def __init__(self, path, environment):
        self._path = path
        self.environment = environment  # {name: value}, of bytes

    def process(self):
        return None

    def launch_id(self):
        return 0

    def program_path(self):
        return self._path

    def get_environment(self, name):
        value = self.environment.get(os.fsencode(name))
        return None if value is None else os.fsdecode(value)

    def set_environment(self, name, value):
        if value is None:
            self.environment.pop(os.fsencode(name), None)
        else:
            self.environment[os.fsencode(name)] = os.fsencode(value)


def environment():
    """{name: value}, in bytes, that this process was started with: Python changes its own."""
    try:
        with open("/proc/self/environ", "rb") as file:
            pairs = [entry.partition(b"=") for entry in file.read().split(b"\0")]
    except OSError:
        return dict(os.environb)
    # The first counts, as for getenv(3).
    return {name: value for name, equals, value in reversed(pairs) if equals}


def find(name, variables):
    """The path of the file that a name of a program stands for, as execvp(3) finds it."""
    if "/" in name:
        places = [name]
    else:
        path = os.fsdecode(variables.get(b"PATH", os.fsencode(os.defpath)))
        places = [os.path.join(place or ".", name) for place in path.split(":")]
    found = [place for place in places if os.path.exists(place)]
    if not found or not name:
        raise NotStarted("{}: there is no such program".format(shown_path(name) or '""'), NOT_FOUND)
    for place in found:
        if os.path.isfile(place) and os.access(place, os.X_OK):
            return place
    raise NotStarted(
        "{} cannot be started: {}".format(
            shown_path(found[0]),
            "it is a directory" if os.path.isdir(found[0]) else "you may not execute it (chmod +x)",
        ),
        NOT_STARTED,
    )


def check(path):
    """Fails with NotStarted where the hooks cannot be loaded into a program, or into what interprets
    it."""
    for _ in range(_INTERPRETERS_MOST):
        taken = _taken_rights(path)
        if taken is not None:
            raise NotStarted(
                "{} takes other rights than those of who starts it ({}), and loads no hooks: start it as"
                " the user whose rights it takes".format(shown_path(path), taken),
                NOT_TRACED,
            )
        try:
            why = no_hooks.for_next_run(Program(path, {}))
        except AllocsnapError as error:
            why = str(error)
        if why is not None:
            raise NotStarted(why, NOT_TRACED)
        path = _interpreter(path)
        if path is None or not os.path.exists(path):
            return


def _interpreter(path):
    """What the first line of a script names; None: it is no script."""
    try:
        with open_regular(path) as file:
            line = file.read(_LINE_BYTES).partition(b"\n")[0]
    except OSError:
        return None
    words = line[2:].split() if line.startswith(b"#!") else []
    return os.fsdecode(words[0]) if words else None


def _taken_rights(path):
    """By what a program takes other rights; None: it does not."""
    try:
        facts = os.stat(path)
        if os.statvfs(path).f_flag & os.ST_NOSUID:
            return None
    except OSError:
        return None
    if program_file.read(path) is None and _interpreter(path) is not None:
        return None  # the kernel takes no notice of them in scripts
    if facts.st_mode & stat.S_ISUID and facts.st_uid != os.geteuid():
        return "setuid"
    if facts.st_mode & stat.S_ISGID and facts.st_mode & stat.S_IXGRP and facts.st_gid != os.getegid():
        return "setgid"
    if os.geteuid() != 0 and _has_capabilities(path):
        return "file capabilities"
    return None


def _has_capabilities(path):
    try:
        return bool(os.getxattr(path, "security.capability"))
    except OSError:
        return False
