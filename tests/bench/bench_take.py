"""Taking a snapshot of 1,000,000 blocks in gdb, against gdb's own reading of the same
bytes, and the memory that the hooks need for them and for stacks."""

import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TREE = 'printf "tree: %u nodes of %u, %lu bytes\\n", {}'.format(
    ", ".join("allocsnap_root." + name for name in ("node_count", "node_bytes", "tracker_bytes"))
)


def in_gdb(build, program, commands):
    """What gdb prints: a run of `program`, stopped at its stop_here, and `commands` then."""
    line = ["gdb", "-nx", "-batch"]
    for command in [
        "source {}".format(os.path.join(ROOT, "gdb", "allocsnap_gdb.py")),
        "snapshot start 32",
        "break stop_here",
        "run",
    ] + commands:
        line += ["-ex", command]
    line.append(os.path.join(build, "tests", program))
    env = dict(os.environ, ALLOCSNAP_LIBRARY=os.path.join(build, "liballocsnap.so"))
    return subprocess.run(
        line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True, env=env
    ).stdout.decode()


def take(build):
    script = "source {}".format(os.path.join(HERE, "take_in_gdb.py"))
    text = in_gdb(build, os.path.join("programs", "million"), [script])
    results = [row[len("bench: ") :] for row in text.splitlines() if row.startswith("bench: ")]
    if not results:
        sys.exit("no results in: " + text)
    print("\n".join(results), flush=True)


def grow_tree(build):
    text = in_gdb(build, os.path.join("bench", "many_stacks"), [TREE, "continue", TREE])
    found = re.findall(r"^tree: (\d+) nodes of (\d+), (\d+) bytes$", text, re.MULTILINE)
    if len(found) != 2:
        sys.exit("no results in: " + text)
    nodes, _, size = [int(after) - int(before) for before, after in zip(*found)]
    print("node of a stack, by itself\t{} bytes\tat most 24 bytes".format(found[0][1]))
    print("hooks' memory for {} nodes\t{:.1f} bytes a node\t".format(nodes, size / nodes))


if __name__ == "__main__":
    take(sys.argv[1])
    grow_tree(sys.argv[1])
