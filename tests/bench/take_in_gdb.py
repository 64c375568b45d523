"""Runs inside gdb, at a stop of a traced program with many blocks."""

import resource
import time

import gdb
from allocsnap.kept import NOW
from allocsnap.library import rows
from allocsnap.library.keys import keys
from allocsnap.session import Session

ROUNDS = 7


class Recorder:
    """A target that remembers what was read."""

    def __init__(self, target):
        self._target = target
        self.reads = []

    def __getattr__(self, name):
        return getattr(self._target, name)

    def read_memory(self, address, size):
        self.reads.append((address, size))
        return self._target.read_memory(address, size)


def best(step):
    """The least time of some rounds, in milliseconds, and the last result."""
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        result = step()
        times.append(time.perf_counter() - begin)
    return min(times) * 1000, result


def main():
    target = __import__("__main__").GdbTarget()
    session = Session(target)
    session.read()  # names every frame, which is not what is measured
    recorder = Recorder(target)
    session.target = recorder
    session.read()
    session.target = target
    take, taken = best(session.read)
    inferior = gdb.selected_inferior()

    def read_plainly():
        for address, size in recorder.reads:
            inferior.read_memory(address, size)

    plain, _ = best(read_plainly)
    size = sum(size for _, size in recorder.reads)
    status = session.status()[1]
    count = taken.snapshot.count
    tracker = status.tracker_size
    print("bench: blocks\t{}\t".format(count))
    print("bench: gdb's plain read of {:.1f} MB\t{:.1f} ms\t".format(size / 1e6, plain))
    print("bench: take\t{:.1f} ms\t".format(take))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    session.read()
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    print("bench: take, page faults\t{}\tat most 100".format(faults))
    print("bench: take / plain read\t{:.2f} times\tat most 5 times".format(take / plain))
    print("bench: hooks' memory\t{:.1f} bytes a block\tat most 32 bytes".format(tracker / count))
    typed = session.find_typed(NOW)  # each key, also that of classes
    for key in keys():
        spent = []
        for _ in range(ROUNDS):
            begin = time.process_time()
            rows.Statistics(typed.snapshot, key, False)
            spent.append(time.process_time() - begin)
        print("bench: stats {}\t{:.2f} ms of CPU\tunder 30 ms".format(key, min(spent) * 1000))
    print("bench: end")


main()
