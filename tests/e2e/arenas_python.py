"""A program for CPython 3.8 and later: writes what sys._debugmallocstats() has to standard error, and stops by
SIGSTOP. Blocks of many sizes are in use, and some between them are free."""

import os
import signal
import sys


def main():
    kept = [bytes(number % 500) for number in range(20000)] + [{number: [number]} for number in range(500)]
    del kept[::3]
    tail = [object() for _ in range(50000)]
    del tail[20000:]
    stop, pid, number, stats = os.kill, os.getpid(), signal.SIGSTOP, sys._debugmallocstats
    # What the first call leaves in caches, the second finds.
    stats()
    stats()
    stop(pid, number)
    return kept, tail


main()
