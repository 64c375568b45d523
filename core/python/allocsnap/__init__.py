"""Snapshots of a native program's heap, by allocation site.

The names are those of the standard library's `tracemalloc`, and code written for it
runs after `import allocsnap as tracemalloc`. Inside a debugger they act on its program;
in plain python3 they open the files that `snapshot dump` has written. The package
imports no debugger: gdb and LLDB each implement `allocsnap.target.Target` and register
`allocsnap.commands.COMMANDS`.
"""

from __future__ import annotations

# The version of the library that this package binds; native.py refuses others.
__version__ = "0.1.0"

# The names are imported after __version__, which the modules need.
# pylint: disable=wrong-import-position
import importlib  # noqa: E402
import sys  # noqa: E402
from typing import TYPE_CHECKING, Any  # noqa: E402

# A debugger's commands hold its session in the modules that they came with. A package that is
# imported again, after a change of sys.modules or under another path, is made of those.
_held = getattr(sys, "_allocsnap_in_debugger", None)
if _held is not None and _held.version == __version__:
    for _name, _module in _held.modules.items():
        sys.modules[__name__ + "." + _name] = _module
        if "." not in _name:
            globals()[_name] = _module

from . import tracing  # noqa: E402
from .errors import AllocsnapError  # noqa: E402
from .filters import BaseFilter, DomainFilter, Filter, ReachFilter  # noqa: E402
from .frames import Frame, Group, Traceback, _format_size, _normalize_filename  # noqa: E402
from .snapshot import Snapshot, Trace, _Traces  # noqa: E402
from .statistic import Statistic, StatisticDiff, _compare_grouped_stats  # noqa: E402
from .suppressions import Suppressed, Suppressions  # noqa: E402
from .tracing import _get_object_traceback, _get_traces, clear_traces  # noqa: E402
from .tracing import get_object_traceback, get_traceback_limit, get_traced_memory  # noqa: E402
from .tracing import get_tracemalloc_memory, is_tracing, reset_peak, start, stop  # noqa: E402

__all__ = [
    "AllocsnapError",
    "BaseFilter",
    "DomainFilter",
    "Filter",
    "Frame",
    "Group",
    "ReachFilter",
    "Snapshot",
    "Statistic",
    "StatisticDiff",
    "Suppressed",
    "Suppressions",
    "Trace",
    "Traceback",
    "_Traces",
    "_compare_grouped_stats",
    "_format_size",
    "_get_object_traceback",
    "_get_traces",
    "_normalize_filename",
    "clear_traces",
    "get_object_traceback",
    "get_traceback_limit",
    "get_traced_memory",
    "get_tracemalloc_memory",
    "is_tracing",
    "reset_peak",
    "start",
    "stop",
    "take_snapshot",
]


def take_snapshot(*, graph: bool = False, python: bool = False) -> Snapshot:
    """A Snapshot of the traced program. `graph`: find out what points to its blocks, for
    Trace.reach and Snapshot.leaks, references, referrers, paths and retained. `python`: of what
    the tracemalloc of a CPython in it traces, in place of the hooks' blocks."""
    if python:
        if graph:
            raise ValueError("graph and python do not go together")
        return tracing.take_python_snapshot()
    if not is_tracing():
        raise RuntimeError(
            "the tracemalloc module must be tracing memory allocations to take a snapshot"
        )
    if _get_traces is not tracing._get_traces:
        # Somebody gives traces of their own, as tests of tools do.
        return Snapshot(_get_traces(), get_traceback_limit())
    return tracing.take_live_snapshot(graph)


#: What tracemalloc imports, for code that reaches it through it: name -> module, and the name
#: there; None: the module itself.
_BORROWED = {
    "Iterable": ("collections.abc", "Iterable"),
    "Sequence": ("collections.abc", "Sequence"),
    "fnmatch": ("fnmatch", None),
    "linecache": ("linecache", None),
    "os": ("os", None),
    "pickle": ("pickle", None),
    "total_ordering": ("functools", "total_ordering"),
}


# A type checker that saw this would find every name in the package.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in _BORROWED:
            raise AttributeError("module {!r} has no attribute {!r}".format(__name__, name))
        module, attribute = _BORROWED[name]
        found = importlib.import_module(module)
        return found if attribute is None else getattr(found, attribute)
