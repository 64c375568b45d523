"""What the hooks cost the program: Python and sqlite3 against heaptrack, and a churn
program against a walk along frame pointers with the same table (churn.c, bench.mk)."""

import os
import subprocess
import sys

import workloads
from workloads import row

ROUNDS = 12
PYTHON_ROUNDS = 120

DEPTH = 26
CHURN_ROUNDS = 7
CHURN_SECONDS = 0.25
FEW_PAIRS = 50000

SAMPLE = "512K"

#: How the churn program is run: (library or None, frame limit, or SAMPLE for a sample of that
#: period, depth, threads; 0: none but the program's own).
TREE = os.path.join("tests", "bench", "libreference_tree.so")
CACHE = os.path.join("tests", "bench", "libreference_cache.so")
HOOKS = "liballocsnap-hooks.so"
CHURN = {
    "untraced": (None, 0, DEPTH, 0),
    "hooks": (HOOKS, 64, DEPTH, 0),
    "cache": (CACHE, 64, DEPTH, 0),
    "tree": (TREE, 64, DEPTH, 0),
    "1 frame": (HOOKS, 1, DEPTH, 0),
    "sampled": (HOOKS, SAMPLE, DEPTH, 0),
    "not tracing": (HOOKS, 0, DEPTH, 0),
    "1 frame, 1 thread": (HOOKS, 1, DEPTH, 1),
    "untraced, 1 thread": (None, 0, DEPTH, 1),
    "hooks, 1 thread": (HOOKS, 64, DEPTH, 1),
    "cache, 1 thread": (CACHE, 64, DEPTH, 1),
    "untraced, 2 threads": (None, 0, DEPTH, 2),
    "hooks, 2 threads": (HOOKS, 64, DEPTH, 2),
    "cache, 2 threads": (CACHE, 64, DEPTH, 2),
}


def against_heaptrack(build, name, command, variables):
    """Compares with heaptrack's library alone, which is the stricter, by processor time,
    and with the command by the clock."""
    library = workloads.heaptrack_library()
    ways = {
        "untraced": workloads.UNTRACED,
        "hooks": workloads.hooks(build),
        "sampled": workloads.sampled(build, SAMPLE),
    }
    if library is not None:
        ways["heaptrack"] = workloads.heaptrack(library)
        ways["heaptrack -r"] = workloads.HEAPTRACK_COMMAND
    least = workloads.least_costs(ways, ROUNDS, command, variables)
    untraced = least["untraced"]
    for way in ways:
        row(
            "{}: {}".format(name, way),
            "{0.processor:.2f} s, by the clock {0.wall:.2f} s, {1:.2f} times".format(
                least[way], least[way].wall / untraced.wall
            ),
        )
    row(
        "{}: added by a sample of period {}".format(name, SAMPLE),
        "{:.1%} of processor time".format(least["sampled"].processor / untraced.processor - 1),
        "at most 2%",
    )
    if library is None:
        row("{}: added, hooks / heaptrack".format(name), "heaptrack is missing", "at most 0.18")
        return
    for way, clock, goal in (
        ("heaptrack", "processor", ""),
        ("heaptrack -r", "wall", "at most 0.18"),
    ):
        added = [getattr(least[one], clock) - getattr(untraced, clock) for one in ("hooks", way)]
        row(
            "{}: added, hooks / {}".format(name, way),
            "{:.3f}".format(added[0] / added[1]),
            goal,
        )


def churn(build, library, limit, depth, threads, pairs):
    """Nanoseconds for each pair of the slowest thread."""
    command = [os.path.join(build, "tests", "bench", "churn")]
    variables = {}
    if library is not None:
        variables = {"LD_PRELOAD": os.path.join(build, library)}
        variables["ALLOCSNAP_SAMPLE" if limit == SAMPLE else "ALLOCSNAP"] = str(limit)
    output = subprocess.run(
        command + [str(depth), str(pairs), str(threads)],
        stdout=subprocess.PIPE,
        env=dict(os.environ, **variables),
        encoding="ascii",
        check=True,
    ).stdout
    return max(float(line) for line in output.splitlines())


def churn_all(build):
    """{name in CHURN: nanoseconds}, each of runs of about CHURN_SECONDS."""
    least = {name: churn(build, *way, FEW_PAIRS) for name, way in CHURN.items()}
    pairs = {name: max(int(CHURN_SECONDS * 1e9 / least[name]), FEW_PAIRS) for name in CHURN}
    for _ in range(CHURN_ROUNDS):
        for name, way in CHURN.items():
            least[name] = min(least[name], churn(build, *way, pairs[name]))
    return least


def nanoseconds(value, untraced):
    return "{:.1f} ns a pair, {:.1f} added".format(value, value - untraced)


def report_churn(least):
    untraced = least["untraced"]
    row("churn: untraced", "{:.1f} ns a pair".format(untraced))
    row("churn: hooks", nanoseconds(least["hooks"], untraced))
    row(
        "churn: a sample of period " + SAMPLE,
        nanoseconds(least["sampled"], untraced),
        "at most 6 ns added",
    )
    row("churn: loaded, not tracing", nanoseconds(least["not tracing"], untraced), "")
    for name, what, goal in (
        ("cache", "cached stacks", "at most 1.7 times"),
        ("tree", "tree of stacks", ""),
    ):
        what = "churn: frame pointers, {}".format(what)
        row(what, nanoseconds(least[name], untraced))
        added = (least["hooks"] - untraced) / (least[name] - untraced)
        row(
            "  hooks / that",
            "{:.2f} times, {:.2f} of what is added".format(least["hooks"] / least[name], added),
            goal,
        )
    row(
        "churn: hooks, limit of 1 frame",
        "{:.1f} ns a pair, {:.2f} times untraced".format(
            least["1 frame"], least["1 frame"] / untraced
        ),
        "at most 60 ns",
    )
    row(
        "churn: the same, in a second thread",
        "{:.1f} ns a pair".format(least["1 frame, 1 thread"]),
    )
    for name, what, goal in (
        ("hooks", "hooks", "at least 80%"),
        ("cache", "frame pointers, cached stacks", ""),
        ("untraced", "untraced", ""),
    ):
        kept = least[name + ", 1 thread"] / least[name + ", 2 threads"]
        row("churn: rate kept by 2 threads, {}".format(what), "{:.0%}".format(kept), goal)


def main(build):
    against_heaptrack(build, "Python", workloads.python(PYTHON_ROUNDS), workloads.MALLOC)
    against_heaptrack(build, "sqlite3", workloads.sqlite(), {})
    report_churn(churn_all(build))


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]))
