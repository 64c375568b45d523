"""The report of 1,000,000 blocks with 300,000 distinct frames: how long it takes to write, and what
Chromium does with it. A pause is a time in which the page cannot answer (the longest of its "long
tasks")."""

import ctypes
import os
import random
import sys
import tempfile
import time

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TESTS)

# pylint: disable=wrong-import-position
from report.browser import Browser  # noqa: E402
from report.pages import NO_MAPPING, native, objects, write  # noqa: E402

BLOCKS, FRAMES, STACKS, DEPTH = 1000000, 300000, 60000, 16
HOUR = 360000

_LONGEST = """
return new Promise((done) => {
    const found = [0];
    new PerformanceObserver((list) => found.push(...list.getEntries().map((one) => one.duration)))
        .observe({type: "longtask", buffered: true});
    setTimeout(() => done(Math.max(...found)), 200);
});
"""


def made():
    """The Snapshot."""
    chance = random.Random(5)
    check, lib = native.check, native.library()
    builder = ctypes.c_void_p()
    check(lib.asnap_builder_create(ctypes.byref(builder)))
    ids = []
    for number in range(FRAMES):
        frame = native.Frame(
            b"/src/part%d/file%d.cc" % (number // 5000, number // 100),
            b"space::Class%d::function_%d(int)" % (number // 40, number // 3), number % 700 + 1, False,
        )  # fmt: skip
        one = ctypes.c_uint32()
        check(lib.asnap_builder_frame(builder, ctypes.byref(frame), 0, NO_MAPPING, ctypes.byref(one)))
        ids.append(one.value)
    roots = [[chance.choice(ids) for _ in range(6)] for _ in range(40)]
    flat = []
    for stack in range(STACKS):
        first = 5 * stack % FRAMES
        own = ids[first : first + 5] + [chance.choice(ids[:2000]) for _ in range(DEPTH - 11)]
        flat += own + chance.choice(roots)
    numbers = (ctypes.c_uint32 * STACKS)()
    depths = (ctypes.c_uint32 * STACKS)(*[DEPTH] * STACKS)
    array = (ctypes.c_uint32 * len(flat))(*flat)
    check(lib.asnap_builder_tracebacks(builder, array, depths, depths, STACKS, numbers))
    threads = (ctypes.c_uint32 * 9)(*range(9))
    check(lib.asnap_builder_threads(builder, threads, 9))
    check(lib.asnap_builder_start_time(builder, 1700000000 * 10**9))
    traces = (native.Trace * BLOCKS)()
    for place in range(BLOCKS):
        size, stack = chance.choice((16, 24, 64, 100, 4000)), int(STACKS * chance.random() ** 3)
        traces[place] = (0x7F0000000000 + 4096 * place, size, numbers[stack], 0, place % 8 + 1,
                         place * HOUR // BLOCKS)  # fmt: skip
    check(lib.asnap_builder_traces(builder, traces, BLOCKS))
    snapshot = objects.Snapshot()
    check(lib.asnap_builder_finish(builder, DEPTH, snapshot.out))
    lib.asnap_builder_destroy(builder)
    return snapshot


def row(what, value, goal=""):
    print("{}\t{}\t{}".format(what, value, goal), flush=True)


def main():
    snapshot = made()
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "report.html")
        begin, used = time.perf_counter(), time.process_time()
        write(path, snapshot, source_lines=False)
        took, used = time.perf_counter() - begin, time.process_time() - used
        row("written", "{:.2f} s ({:.2f} of a processor), {:.1f} MB".format(
            took, used, os.path.getsize(path) / 1e6))  # fmt: skip
        browser = Browser(directory)
        try:
            begin = time.perf_counter()
            browser.open(path)
            row("opened in Chromium", "{:.1f} s".format(time.perf_counter() - begin))
            row("longest pause in opening", "{:.0f} ms".format(browser.run(_LONGEST)), "at most 1000 ms")
            for what, selector in (
                ("a thread alone", '#bars-thread [data-value="3"]'), ("all again", ".clear"),
                ("lines in the flame graph", '#flame [data-value="lineno"]'), ("who calls", '#flame [data-value="up"]'),
                ("functions in the table", '#table [data-value="function"]'), ("cumulative", "#table-cumulative"),
                ("rows by name", "#table th.name button"), ("blocks for bytes", '.toolbar [data-value="count"]'),
            ):  # fmt: skip
                begin = time.perf_counter()
                browser.click(selector)
                row(what, "{:.1f} s".format(time.perf_counter() - begin))
            browser.fill("#search", "Class77")
            row("longest pause in all", "{:.0f} ms".format(browser.run(_LONGEST)), "at most 1000 ms")
        finally:
            browser.close()


if __name__ == "__main__":
    main()
