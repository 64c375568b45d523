"""Taking a snapshot of 1,000,000 blocks in gdb, against gdb's own reading of the same
bytes, and in LLDB, against gdb; of a process and of its core. And the memory that the hooks
need for them and for stacks."""

import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))
from e2e.debuggers import installed_lldb  # noqa: E402
from script_rows import rows_of  # noqa: E402

IN_GDB = "source {}".format(os.path.join(HERE, "take_in_gdb.py"))
MILLION = os.path.join("programs", "million")
TREE = 'printf "tree: %u nodes of %u, %lu bytes\\n", {}'.format(
    ", ".join("allocsnap_root." + name for name in ("node_count", "node_bytes", "tracker_bytes"))
)


def in_gdb(build, program, commands, core=None):
    """What gdb prints: a run of `program`, stopped at its stop_here, or its core,
    and `commands` then."""
    line = ["gdb", "-nx", "-batch"]
    for command in [
        "source {}".format(os.path.join(ROOT, "gdb", "allocsnap_gdb.py")),
    ] + start(core) + commands:
        line += ["-ex", command]
    line.append(os.path.join(build, "tests", program))
    return output(build, line + ([] if core is None else [core]))


def in_lldb(build, program, core=None):
    """What LLDB prints of take_in_lldb.py."""
    line = [installed_lldb() or "lldb", "--no-lldbinit", "-b"]
    for command in [
        "command script import {}".format(os.path.join(ROOT, "lldb", "allocsnap_lldb.py")),
    ] + start(core) + ["command script import {}".format(os.path.join(HERE, "take_in_lldb.py"))]:
        line += ["-o", command]
    line.append(os.path.join(build, "tests", program))
    return output(build, line + ([] if core is None else ["-c", core]))


def start(core):
    """How a program comes to its stop_here, in both debuggers."""
    return ["snapshot start 32", "b stop_here", "run"] if core is None else []


def output(build, line):
    env = dict(os.environ, ALLOCSNAP_LIBRARY=os.path.join(build, "liballocsnap.so"))
    return subprocess.run(
        line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True, env=env
    ).stdout.decode()


def milliseconds(rows, what):
    """The time of the row for `what`."""
    found = [row.split("\t")[1] for row in rows if row.split("\t")[0] == what]
    return float(found[0].split(" ")[0])


def take(build):
    with tempfile.TemporaryDirectory() as directory:
        core = os.path.join(directory, "core")
        rows = rows_of(in_gdb(build, MILLION, [IN_GDB, "generate-core-file " + core]))
        print("\n".join(rows), flush=True)
        compare("take", rows, rows_of(in_lldb(build, MILLION)))
        compare(
            "take of a core",
            rows_of(in_gdb(build, MILLION, [IN_GDB], core)),
            rows_of(in_lldb(build, MILLION, core)),
        )


def compare(what, gdb, lldb):
    """Prints how long a snapshot takes in LLDB, against gdb."""
    for row in lldb:
        print("{} in LLDB{}".format(what, row[len("take") :]))
    ratio = milliseconds(lldb, "take") / milliseconds(gdb, "take")
    print("{} in LLDB / in gdb\t{:.2f} times\tat most 2 times".format(what, ratio), flush=True)


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
