"""Which of 1,000,000 blocks are lost, what holds the others and what they keep alive: from a core
in gdb, beside a reading of the core, LeakSanitizer's and memcheck's check of the same heap, and
chap's where it is installed.

    bench_leaks.py BUILD [BLOCKS]

Times are of the processor. 10,000,000 blocks take some minutes, and twice 2 GB of disk."""

import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile

from script_rows import rows_of

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BLOCKS = 1000000
#: The other checks take long: with more blocks they are left out.
PEERS_MOST = 2000000


def output(line, status=None, **more):
    """What a command prints, whose end is 0 unless it may be any."""
    done = subprocess.run(
        line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False, encoding="utf-8", **more
    )
    if status is None and done.returncode != 0:
        sys.exit("{} has failed: {}".format(line[0], done.stdout[-1000:]))
    return done.stdout


def in_gdb(build, commands, arguments, **variables):
    env = dict(os.environ, ALLOCSNAP_LIBRARY=os.path.join(build, "liballocsnap.so"), **variables)
    line = ["gdb", "-nx", "-batch", "-ex", "source " + os.path.join(ROOT, "gdb", "allocsnap_gdb.py")]
    for command in commands:
        line += ["-ex", command]
    return output(line + arguments, env=env, stderr=subprocess.DEVNULL)


def make_core(build, program, blocks, core, traced=True):
    commands = ["snapshot start"] if traced else []
    commands += ["b stop_here", "run", "generate-core-file " + core, "kill"]
    in_gdb(build, commands, ["--args", program, str(blocks)])


def of_core(build, program, core):
    """Prints the rows of leaks_in_gdb.py; the seconds of the graph."""
    script = "source " + os.path.join(HERE, "leaks_in_gdb.py")
    text = in_gdb(build, [script], [program, core], ALLOCSNAP_BENCH_CORE=core)
    print("\n".join(rows_of(text)), flush=True)
    return float(re.search("^bench-seconds: (.*)$", text, re.MULTILINE).group(1))


def seconds_in(text):
    """What heap_shapes says that its check took."""
    return float(re.search("^check (.*)$", text, re.MULTILINE).group(1))


def of_sanitizer(program, blocks):
    """LeakSanitizer's check, in a library that is preloaded; None: there is none."""
    found = output(["gcc", "-print-file-name=liblsan.so"]).strip()
    if not os.path.isabs(found):
        return None
    env = dict(os.environ, LD_PRELOAD=os.path.realpath(found))
    return seconds_in(output([program, str(blocks)], env=env, stderr=subprocess.DEVNULL))


def of_memcheck(program, blocks):
    line = ["valgrind", "--tool=memcheck", "--leak-check=full", "--leak-resolution=low"]
    line += ["--undef-value-errors=no", program, str(blocks)]
    return seconds_in(output(line, stderr=subprocess.DEVNULL))


def of_chap(build, program, blocks, core):
    """chap's count of what is leaked, the reading of the core included, and its answer; None: there
    is none. Its core is one without the hooks, whose table leads to all blocks."""
    if shutil.which("chap") is None:
        return None
    make_core(build, program, blocks, core, traced=False)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        ["chap", core], input="count leaked\n", check=False, encoding="utf-8",
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    print("chap's count leaked says\t{}\t".format(done.stdout.strip().splitlines()[-1]))
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(build, blocks):
    program = os.path.join(build, "tests", "bench", "heap_shapes")
    with tempfile.TemporaryDirectory() as directory:
        core = os.path.join(directory, "core")
        make_core(build, program, blocks, core)
        here = of_core(build, program, core)
        if blocks > PEERS_MOST:
            return
        for name, there in [
            ("LeakSanitizer's check", of_sanitizer(program, blocks)),
            ("memcheck's check", of_memcheck(program, blocks)),
            ("chap's count leaked", of_chap(build, program, blocks, core)),
        ]:
            if there is None:
                print("{}\tnot installed\t".format(name))
            else:
                print("{} / leaks here\t{:.1f} times\tover 1 times".format(name, there / here))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else BLOCKS)
