"""What other heap profilers cost on the Python workload, beside the hooks: times over the
untraced program, by processor time. Each records as much as it can: every allocation, with
its stack. A peer that is missing says so. The workload is small, since some take a hundred
times as long."""

import os
import shutil
import subprocess
import sys

import workloads
from workloads import Way, row

JEMALLOC = "libjemalloc.so.2"
TCMALLOC = "libtcmalloc.so.4"
FRAMES = 64

#: Of the workload, and of the comparison.
WORKLOAD_ROUNDS = 30
TURNS = 2


def jemalloc():
    """(Way or None, what is wrong). Not every build can profile."""
    if not workloads.preloads(JEMALLOC):
        return None, "missing"
    variables = {
        "LD_PRELOAD": JEMALLOC,
        "MALLOC_CONF": "prof:true,lg_prof_sample:0,prof_final:true,prof_prefix:jemalloc",
    }
    tried = subprocess.run(
        ["true"],
        env=dict(os.environ, MALLOC_CONF="prof:true", LD_PRELOAD=JEMALLOC),
        stderr=subprocess.PIPE,
        check=True,
    )
    if tried.stderr:
        return None, "not built with profiling"
    return Way(variables, leaves="jemalloc.*.heap"), ""


def tcmalloc():
    if not workloads.preloads(TCMALLOC):
        return None, "missing"
    return Way({"LD_PRELOAD": TCMALLOC, "HEAPPROFILE": "tcmalloc"}, leaves="tcmalloc.*.heap"), ""


def massif():
    if shutil.which("valgrind") is None:
        return None, "missing"
    before = ["valgrind", "--tool=massif", "--massif-out-file=massif.out"]
    return Way(before=before, leaves="massif.out"), ""


def heaptrack():
    library = workloads.heaptrack_library()
    return (None, "missing") if library is None else (workloads.heaptrack(library), "")


def tracemalloc():
    """It is part of Python."""
    return Way({"PYTHONTRACEMALLOC": str(FRAMES)}), ""


def measure(peers, variables):
    """Prints a row for each peer of {name: (Way or None, what is wrong)}."""
    ways = {"untraced": workloads.UNTRACED}
    for name, (way, wrong) in peers.items():
        if way is None:
            row(name, wrong)
        else:
            ways[name] = way
    command = workloads.python(WORKLOAD_ROUNDS)
    least = workloads.least_costs(ways, TURNS, command, variables)
    untraced = least["untraced"].processor
    for name in list(ways)[1:]:
        spent = least[name].processor
        row(
            name,
            "{:.2f} times untraced ({:.2f} s, {:.2f} s)".format(spent / untraced, spent, untraced),
        )


def main(build):
    peers = {
        "hooks": (workloads.hooks(build, FRAMES), ""),
        "heaptrack": heaptrack(),
        "tracemalloc": tracemalloc(),
        "massif": massif(),
        "jemalloc's exact profile": jemalloc(),
        "gperftools' heap profiler": tcmalloc(),
    }
    measure(peers, workloads.MALLOC)
    measure({"tracemalloc, Python's own allocator": tracemalloc()}, {})


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]))
