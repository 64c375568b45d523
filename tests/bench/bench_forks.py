"""What a fork costs with the hooks, beside the same program without (forks.c): few live blocks
and many, alone and with threads that allocate."""

import collections
import os
import subprocess
import sys

from workloads import row

FORKS = 1000
ROUNDS = 3

#: (live blocks, threads beside the one that forks)
CASES = [(1000, 0), (1000, 4), (1000000, 0), (1000000, 4)]

#: Of one fork, up to the end of its child: microseconds, and page faults in both processes.
Fork = collections.namedtuple("Fork", "microseconds faults")


def forks(build, variables, blocks, threads):
    """The median Fork of a run."""
    output = subprocess.run(
        [os.path.join(build, "tests", "bench", "forks"), str(FORKS), str(threads), str(blocks)],
        stdout=subprocess.PIPE,
        env=dict(os.environ, **variables),
        encoding="ascii",
        check=True,
    ).stdout
    return Fork(*map(float, output.split()))


def main(build):
    ways = {
        "untraced": {},
        "hooks": {"LD_PRELOAD": os.path.join(build, "liballocsnap-hooks.so"), "ALLOCSNAP": "64"},
    }
    for blocks, threads in CASES:
        measured = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, variables in ways.items():
                measured[name].append(forks(build, variables, blocks, threads))
        least = {name: Fork(*map(min, zip(*runs))) for name, runs in measured.items()}
        what = "fork, {} blocks, {} threads".format(blocks, threads)
        for name in ways:
            row(
                "{}: {}".format(what, name),
                "{0.microseconds:.0f} us, {0.faults:.0f} page faults".format(least[name]),
            )
        row(
            "  hooks / untraced",
            "{:.2f} times".format(least["hooks"].microseconds / least["untraced"].microseconds),
        )


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]))
