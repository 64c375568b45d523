"""Taking a snapshot of 1,000,000 blocks in gdb, against gdb's own reading of the same
bytes, and the memory that the hooks need for them."""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


def main(build):
    commands = [
        "source {}".format(os.path.join(ROOT, "gdb", "allocsnap_gdb.py")),
        "snapshot start 16",
        "break stop_here",
        "run",
        "source {}".format(os.path.join(HERE, "take_in_gdb.py")),
    ]
    line = ["gdb", "-nx", "-batch"]
    for command in commands:
        line += ["-ex", command]
    line.append(os.path.join(build, "tests", "programs", "million"))
    env = dict(os.environ, ALLOCSNAP_LIBRARY=os.path.join(build, "liballocsnap.so"))
    text = subprocess.run(
        line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True, env=env
    ).stdout.decode()
    results = [row[len("bench: ") :] for row in text.splitlines() if row.startswith("bench: ")]
    if not results:
        sys.exit("no results in: " + text)
    print("\n".join(results))


if __name__ == "__main__":
    main(sys.argv[1])
