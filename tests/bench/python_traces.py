"""A million objects that CPython's tracemalloc traces, from 20 depths of calls; says so and waits to be read."""

import gc
import signal
import tracemalloc


def hold(depth, count):
    return hold(depth - 1, count) if depth else [object() for _ in range(count)]


gc.disable()
tracemalloc.start(25)
KEPT = [hold(depth, 50000) for depth in range(20)]
print("ready", flush=True)
signal.pause()
