"""What the hooks cost where stacks vary and heaps are large, against heaptrack and a walk along
frame pointers into the same table: varying.c, and Python with some 800,000 live blocks. How evenly
threads get on that free each other's blocks: handing_on.c.

    bench_varying.py BUILD [LIVE...]

With LIVE the churn of 3 varying frames is measured with so many live blocks only, such as 10000000.
"""

import os
import subprocess
import sys

import workloads
from workloads import row

ROUNDS = 5
FRAMES = range(4)
LIVE = {1000: "at most 0.20", 100000: "at most 0.25", 1000000: "at most 0.30"}
PAIRS = 1000000

PYTHON_WIDTH = 35

THREADS = (2, 8, 32)
HANDING_SECONDS = 2


def program(build, name):
    return os.path.join(build, "tests", "bench", name)


def ways_of(build):
    ways = {
        "untraced": workloads.UNTRACED,
        "hooks": workloads.hooks(build),
        "frame pointers": workloads.preloaded(program(build, "libreference_tree.so")),
    }
    if workloads.heaptrack_library() is not None:
        ways["heaptrack -r"] = workloads.HEAPTRACK_COMMAND
    return ways


def pairs_of(build, frames, live, threads):
    """{way: nanoseconds of processor time for each pair}, with those of its helpers."""
    ways = ways_of(build)
    least = []
    for pairs in (0, PAIRS):
        words = [frames, live // max(threads, 1), pairs // max(threads, 1), threads]
        command = [program(build, "varying")] + [str(word) for word in words]
        least.append(workloads.least_costs(ways, ROUNDS, command, {}))
    return {way: (least[1][way].processor - least[0][way].processor) * 1e9 / PAIRS for way in ways}


def report_pairs(build, frames, live, threads, goal=""):
    name = "{} varying frames, {} live, {}".format(
        frames, live, "{} threads".format(threads) if threads else "1 thread"
    )
    costs = pairs_of(build, frames, live, threads)
    untraced = costs["untraced"]
    row(name + ": untraced", "{:.0f} ns a pair".format(untraced))
    for way in costs:
        if way != "untraced":
            row("  {}: added".format(way), "{:.0f} ns".format(costs[way] - untraced))
    report_ratio(costs, goal)


def report_ratio(costs, goal):
    if "heaptrack -r" not in costs:
        row("  added, hooks / heaptrack -r", "heaptrack is missing", goal)
        return
    added = [costs[way] - costs["untraced"] for way in ("hooks", "heaptrack -r")]
    row("  added, hooks / heaptrack -r", "{:.2f}".format(added[0] / added[1]), goal)


def report_python(build):
    ways = ways_of(build)
    del ways["frame pointers"]
    least = workloads.least_costs(
        ways, ROUNDS, workloads.python(1) + [str(PYTHON_WIDTH)], workloads.MALLOC
    )
    for way in ways:
        row("Python, a large heap: " + way, "{:.2f} s of processor".format(least[way].processor))
    report_ratio({way: least[way].processor for way in ways}, "at most 0.16")


def share(build, threads, way):
    """Of what the threads do on the average, how much the slowest does."""
    output = subprocess.run(
        [program(build, "handing_on"), str(threads), str(HANDING_SECONDS)],
        stdout=subprocess.PIPE,
        env=dict(os.environ, **way.variables),
        encoding="ascii",
        check=True,
    ).stdout
    done = [int(line) for line in output.split()]
    return min(done) * len(done) / sum(done)


def report_shares(build):
    for threads in THREADS:
        for name, goal in (("untraced", ""), ("hooks", "at least 80%")):
            way = workloads.hooks(build) if name == "hooks" else workloads.UNTRACED
            best = max(share(build, threads, way) for _ in range(3))
            what = "{} threads free each other's blocks, {}: least share".format(threads, name)
            row(what, "{:.0%}".format(best), goal)


def main(build, lives):
    if lives:
        for live in lives:
            report_pairs(build, FRAMES[-1], live, 0)
        return
    for frames in FRAMES:
        report_pairs(build, frames, min(LIVE), 0, LIVE[min(LIVE)])
    for live in sorted(LIVE)[1:]:
        report_pairs(build, FRAMES[-1], live, 0, LIVE[live])
    for live in sorted(LIVE):
        report_pairs(build, FRAMES[-1], live, 2)
    report_python(build)
    report_shares(build)


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]), [int(word) for word in sys.argv[2:]])
