"""Reading 1,000,000 traces of CPython's tracemalloc, against 1,000,000 blocks of the hooks' table."""

import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "core", "python"))

PYTHON = "/usr/bin/python3"
ROUNDS = 9

#: Two blocks each.
HALF_A_MILLION = """
import os, signal
kept = [bytearray(1) for _ in range(495000)]
os.kill(os.getpid(), signal.SIGSTOP)
"""


def least(step):
    """The least processor time of some rounds, in milliseconds, and how many blocks were read."""
    spent = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        taken = step()
        spent.append(time.process_time() - begin)
    return min(spent) * 1000, taken.snapshot.count


def measure(pid, how):
    """(milliseconds, blocks) of a process that stands still."""
    from allocsnap.command_line.process_target import ProcessTarget
    from allocsnap.session import Session

    session = Session(ProcessTarget(pid))
    session.target.hold()
    return least(getattr(session, how))


def python():
    with subprocess.Popen([PYTHON, os.path.join(HERE, "python_traces.py")], stdout=subprocess.PIPE) as process:
        try:
            process.stdout.readline()
            return measure(process.pid, "read_python")
        finally:
            process.kill()


def native(build):
    """Of a program that stops itself once it has its blocks, whose frames were named before."""
    env = dict(os.environ, ALLOCSNAP="32", LD_PRELOAD=os.path.join(build, "liballocsnap-hooks.so"))
    with subprocess.Popen([PYTHON, "-c", HALF_A_MILLION], env=dict(env, PYTHONMALLOC="malloc")) as process:
        try:
            os.waitpid(process.pid, os.WUNTRACED)
            return measure(process.pid, "read")
        finally:
            process.send_signal(signal.SIGKILL)


def main(build):
    os.environ["ALLOCSNAP_LIBRARY"] = os.path.join(build, "liballocsnap.so")
    spent, count = python()
    table, blocks = native(build)
    print("tracemalloc: {} traces\t{:.1f} ms of CPU\t".format(count, spent))
    print("hooks' table: {} blocks\t{:.1f} ms of CPU\t".format(blocks, table))
    ratio = spent / count / (table / blocks)
    print("a trace of tracemalloc / a block of the table\t{:.2f} times\tat most 2 times".format(ratio))


if __name__ == "__main__":
    main(sys.argv[1])
