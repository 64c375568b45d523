"""What the benches of the hooks run, untraced and traced, and what it costs.

Processor time is what other programs on the machine disturb least. Where several ways to
run a program are compared, they take turns, and the least of each counts.
"""

import collections
import glob
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))

PYTHON = "/usr/bin/python3"


def python(rounds):
    return [PYTHON, "-S", os.path.join(HERE, "json_workload.py"), str(rounds)]


def sqlite():
    script = os.path.join(HERE, "sqlite_workload.sql")
    return ["sqlite3", "-batch", "-init", os.devnull, ":memory:", ".read " + script]


#: Makes all of Python's blocks ones of malloc.
MALLOC = {"PYTHONMALLOC": "malloc"}


def heaptrack_library():
    """What heaptrack preloads, or None."""
    command = shutil.which("heaptrack")
    if command is None:
        return None
    place = os.path.dirname(os.path.dirname(os.path.realpath(command)))
    library = os.path.join(place, "lib", "heaptrack", "libheaptrack_preload.so")
    return library if os.path.exists(library) else None


def preloads(library):
    """Whether the dynamic linker finds a library."""
    done = subprocess.run(
        ["true"], env=dict(os.environ, LD_PRELOAD=library), stderr=subprocess.PIPE, check=True
    )
    return not done.stderr


#: What a run takes, in seconds: `processor` with all threads and children that were waited
#: for, and `wall`, by the clock.
Cost = collections.namedtuple("Cost", "processor wall")


def cost(command, variables, leaves=None):
    """The Cost of a command that runs with these environment variables added, in a
    directory that is removed with what it leaves there: at least a file whose name matches
    `leaves`, by which it shows that it recorded."""
    with tempfile.TemporaryDirectory() as directory:
        with open(os.path.join(directory, "said"), "w+b") as said:
            begin = time.perf_counter()
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                env=dict(os.environ, PYTHONHASHSEED="0", **variables),
                cwd=directory,
            )
            _, child.returncode, usage = os.wait4(child.pid, 0)
            wall = time.perf_counter() - begin
            said.seek(0)
            text = said.read().decode("utf-8", "replace")
        if child.returncode != 0 or "cannot be preloaded" in text:
            sys.exit("{}: status {}: {}".format(" ".join(command), child.returncode, text))
        if leaves is not None and not glob.glob(os.path.join(directory, leaves)):
            sys.exit("{}: left no {}: {}".format(" ".join(command), leaves, text))
    return Cost(usage.ru_utime + usage.ru_stime, wall)


class Way:
    """A way to run a program: what stands before its command, what is added to its
    environment, and what it leaves (see cost)."""

    def __init__(self, variables=None, before=(), leaves=None):
        self.variables = variables or {}
        self.before = list(before)
        self.leaves = leaves

    def cost(self, command, variables):
        """The Cost of the command run so."""
        return cost(self.before + command, dict(variables, **self.variables), self.leaves)


UNTRACED = Way()


def preloaded(library, limit=64):
    return Way({"LD_PRELOAD": library, "ALLOCSNAP": str(limit)})


def hooks(build, limit=64):
    return preloaded(os.path.join(build, "liballocsnap-hooks.so"), limit)


def sampled(build, period):
    return Way(
        {
            "LD_PRELOAD": os.path.join(build, "liballocsnap-hooks.so"),
            "ALLOCSNAP": "64",
            "ALLOCSNAP_SAMPLE": period,
        }
    )


def heaptrack(library):
    """The program's part of `heaptrack -r`, without the compressor beside it."""
    return Way(
        {"LD_PRELOAD": library, "DUMP_HEAPTRACK_OUTPUT": "heaptrack.raw"}, leaves="heaptrack.raw"
    )


#: All of `heaptrack -r`.
HEAPTRACK_COMMAND = Way(before=["heaptrack", "-r", "-o", "heaptrack"], leaves="heaptrack.raw.*")


def least_costs(ways, rounds, command, variables):
    """{name: Cost} of {name: Way}, each number the least of all rounds."""
    costs = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            costs[name].append(way.cost(command, variables))
    return {name: Cost(*map(min, zip(*measured))) for name, measured in costs.items()}


def row(what, value, goal=""):
    print("{}\t{}\t{}".format(what, value, goal), flush=True)
