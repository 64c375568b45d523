"""The CPythons of this machine that tracemalloc's tables are read of, and which of those that are wanted are
not here: `python3 -m e2e.interpreters` lists both."""

import functools
import glob
import os
import pwd
import subprocess
from typing import NamedTuple

#: Versions whose tables are known. Others are not asked for.
WANTED = [(3, minor) for minor in range(8, 15)]

#: Where they may be: Debian's, those that were built here, pyenv's, and what ALLOCSNAP_PYTHONS names.
_PLACES = ["/usr/bin/python3", "/usr/bin/python3.*", "/usr/local/bin/python3.*"]
_PYENV = ".pyenv/versions/*/bin/python3.*"

_ASK = (
    "import sys, sysconfig; print(*sys.version_info[:3], int(hasattr(sys, 'gettotalrefcount')),"
    " int(bool(sysconfig.get_config_var('Py_GIL_DISABLED'))))"
)


class Interpreter(NamedTuple):
    """One of them."""

    path: str
    version: tuple
    is_debug: bool
    is_free_threaded: bool

    @property
    def title(self):
        """"3.11.2 (debug): /usr/bin/python3.11-dbg"."""
        kinds = ["debug"] * self.is_debug + ["free-threaded"] * self.is_free_threaded
        shown = " ({})".format(", ".join(kinds)) if kinds else ""
        return "{}{}: {}".format(".".join(map(str, self.version)), shown, self.path)


def _asked(path):
    """The Interpreter at a path; None where it is none that is wanted."""
    try:
        done = subprocess.run(
            [path, "-I", "-S", "-c", _ASK],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60, check=True,
        )  # fmt: skip
        *version, is_debug, is_free_threaded = map(int, done.stdout.split())
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    if tuple(version[:2]) not in WANTED:
        return None
    return Interpreter(path, tuple(version), bool(is_debug), bool(is_free_threaded))


@functools.lru_cache(None)
def every():
    """Those of this machine, each once."""
    home = pwd.getpwuid(os.getuid()).pw_dir
    paths = [path for place in _PLACES + [os.path.join(home, _PYENV)] for path in sorted(glob.glob(place))]
    paths += [path for path in os.environ.get("ALLOCSNAP_PYTHONS", "").split(":") if path]
    real = {os.path.realpath(path): None for path in paths}
    found = [_asked(path) for path in real if os.access(path, os.X_OK)]
    return tuple(one for one in found if one is not None)


def lacking():
    """What is wanted and not here, as text."""
    found = every()
    versions = {one.version[:2] for one in found}
    missing = ["3.{}".format(minor) for major, minor in WANTED if (major, minor) not in versions]
    if not any(one.is_debug for one in found):
        missing.append("a debug build")
    if not any(one.is_free_threaded for one in found):
        missing.append("a free-threaded build")
    return missing


if __name__ == "__main__":
    for interpreter in every():
        print("has   " + interpreter.title)
    for what in lacking():
        print("lacks " + what)
