"""Threads, processes, signals, failures and locks with a sample of period 1: it has nearly every
block, and takes the ways of a sample."""

from . import test_failures, test_locks, test_processes, test_signals, test_threads

_SAMPLE = {"ALLOCSNAP_SAMPLE": "1", "ALLOCSNAP_SAMPLE_SEED": "1"}


class _Sampled:
    def variables(self, *arguments, **options):
        return dict(super().variables(*arguments, **options), **_SAMPLE)

    def batch(self, commands, *arguments, **options):
        set_first = ["set environment {} {}".format(*one) for one in _SAMPLE.items()]
        return super().batch(set_first + list(commands), *arguments, **options)


class Forks(_Sampled, test_processes.Forks):
    pass


class FirstThreadLast(_Sampled, test_processes.FirstThreadLast):
    pass


class Storm(_Sampled, test_signals.Storm):
    pass


class Requests(_Sampled, test_signals.Requests):
    pass


class HandedOn(_Sampled, test_signals.HandedOn):
    pass


class AlternateStack(_Sampled, test_signals.AlternateStack):
    pass


class Threads(_Sampled, test_threads.Threads):
    pass


class LoaderLock(_Sampled, test_locks.LoaderLock):
    pass


class LocksAndForks(_Sampled, test_locks.Forks):
    test_what_such_a_child_has = None  # it wants no notes, and a sample has one


class Overflow(_Sampled, test_failures.Overflow):
    pass
