"""The marks in the test programs' sources are true: valgrind, which knows nothing of
them, finds the same blocks at the same lines."""

import collections
import os
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

import expectations

BUILD = os.path.join(
    os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "build"
)
SECONDS = 300

# Sources that valgrind cannot run, or sees otherwise, and why.
LEFT_OUT = {
    "clones.c": "it takes no clone of this kind",
    "hidden_header.c": "it reads the headers itself",
    "misused_pool.c": "it is not told of its pools",
    "newhandler.cc": "its operator new cannot throw",
    "obeyed.c": "it is not told of its pools",
    "pvalloc.c": "it has no pvalloc",
    "header_new.cc": "it takes operator new[] for itself",
    "pool_threads.c": "it is not told of its pools",
    "pools.c": "it is not told of its pools",
    "spawns.c": "its vfork is a fork",
    "static_cxx.c": "its operator new cannot throw",
}
OPTIONS = {
    "overload.cc": ["--soname-synonyms=somalloc=nouserintercepts"],
}
WITH_LIBRARIES = {
    "dlopen.c": ["libplugin.c", "libgone.c"],
    "unloaded.c": ["libfirst.c", "libsecond.c"],
}
PLACE_AT_EXIT = {
    "early.c": "exit",
    "exchange.c": "exchanged",
    "fork.c": "parent",
    "libgone.c": "loaded",
    "phases.c": "exit",
    "sampled.c": "exit",
    "plain_operators.cc": "caller",
}


def leaks(source):
    """Live blocks of a source's program at its exit, as valgrind sees them: a list of (size,
    count, [(file name, line), ...]), the most recent frame first."""
    with tempfile.TemporaryDirectory() as directory:
        report = os.path.join(directory, "report.xml")
        subprocess.run(
            [
                "valgrind",
                "--quiet",
                "--xml=yes",
                "--xml-file=" + report,
                "--child-silent-after-fork=yes",
                "--keep-debuginfo=yes",
                "--leak-check=full",
                "--leak-resolution=high",
                "--show-leak-kinds=all",
                "--run-libc-freeres=no",
                "--run-cxx-freeres=no",
                "--num-callers=50",
                *OPTIONS.get(source, []),
                os.path.join(BUILD, "tests", "programs", os.path.splitext(source)[0]),
            ],
            check=True,
            stdin=subprocess.DEVNULL,
            timeout=SECONDS,
        )
        tree = xml.etree.ElementTree.parse(report)
    found = []
    for error in tree.getroot().iter("error"):
        size = error.findtext("xwhat/leakedbytes")
        if size is None:
            continue
        frames = [
            (frame.findtext("file"), int(frame.findtext("line", "0")))
            for frame in error.find("stack").iter("frame")
            if not (frame.findtext("obj") or "").endswith("-linux.so")  # valgrind's own
        ]
        found.append((int(size), int(error.findtext("xwhat/leakedblocks")), frames))
    return found


def by_line(found, name):
    """({line: (size, count)} of most recent frames in the source `name`, the same of
    blocks that a function called by the line asked for)."""
    direct, through = collections.Counter(), collections.Counter()
    for size, count, frames in found:
        lines = [line for file, line in frames if file == name]
        if lines:
            sums = direct if frames[0][0] == name else through
            sums[lines[0], "size"] += size
            sums[lines[0], "count"] += count

    def paired(sums):
        return {line: (sums[line, "size"], sums[line, "count"]) for line, _ in sums}

    return paired(direct), paired(through)


class Programs(unittest.TestCase):
    seconds = 40

    def check(self, name):
        found = leaks(name)
        for source in [name] + WITH_LIBRARIES.get(name, []):
            where = PLACE_AT_EXIT.get(source)
            path = expectations.source(source)
            direct, through = by_line(found, source)
            self.assertEqual(direct, expectations.expected(path, where))
            for mark in expectations.live(path, where):
                if mark.via:
                    self.assertEqual(through.get(mark.line), (mark.size, mark.count), mark)
                if mark.frames is not None:
                    frames = [f for _, _, f in found if f[0] == (source, mark.line)]
                    self.assertEqual(len(frames), 1)
                    in_file = [file for file, _ in frames[0] if file == source]
                    self.assertEqual(len(in_file), mark.frames, mark)
        if expectations.is_exact(expectations.source(name)):
            everything = sum(row[0] for row in found), sum(row[1] for row in found)
            exact = expectations.total(expectations.source(name), PLACE_AT_EXIT.get(name))
            self.assertEqual(everything, exact)


def add(name):
    def test(self):
        self.check(name)

    setattr(Programs, "test_" + name.replace(".", "_"), test)


for source in sorted(os.listdir(expectations.PROGRAMS)):
    marked = source.endswith((".c", ".cc")) and "heap:" in open(
        expectations.source(source), encoding="utf-8"
    ).read()
    if marked and not source.startswith("lib") and source not in LEFT_OUT:
        add(source)

if __name__ == "__main__":
    unittest.main()
