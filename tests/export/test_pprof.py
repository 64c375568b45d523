"""Profiles, as `go tool pprof` reads them, and as the whole of pprof names their frames."""

import collections
import json
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request

from e2e import harness
from e2e.debuggers import RUN, lldbs, stop_at
from e2e.harness import Case, program

from .profiles import CUT, Profile
from .viewers import VIEWERS

TAKE = "snapshot take --graph heap"
TRACES = "snapshot traces -n all --json heap"


def place(frame):
    """A frame of JSON as a line of a profile."""
    return (frame["function"] or frame["filename"], frame["filename"], frame["lineno"])


def stack(row):
    """The frames of a row, those that stand for one address together."""
    groups, last = [], None
    for frame in row["traceback"]:
        if last is not None and last["inlined"] and last["offset"] == frame["offset"]:
            groups[-1].append(place(frame))
        else:
            groups.append([place(frame)])
        last = frame
    if row["total_nframe"] is None or row["total_nframe"] > len(row["traceback"]):
        groups.append([CUT])
    return tuple(map(tuple, groups))


def age(seconds):
    """The words for the age of a block."""
    steps = (
        (1, "< 1 s"), (10, "1 s to < 10 s"), (60, "10 s to < 1 min"), (600, "1 min to < 10 min"),
        (3600, "10 min to < 1 h"), (86400, "1 h to < 1 day"),
    )
    return next((words for below, words in steps if seconds < below), "1 day or more")


class Pprof(Case):
    def pprof(self, *arguments, command=("go", "tool", "pprof"), **env):
        """What a pprof prints."""
        done = subprocess.run(
            [*command, *arguments],
            env=dict(harness.environment(self.home, GOCACHE=self.home, GOFLAGS="-buildvcs=false"), **env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=harness.DEADLINE,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn(b"panic", done.stderr)
        return done.stdout.decode("utf-8")

    def whole_pprof(self, *arguments, **env):
        """The same of the pprof that names frames."""
        path = os.path.join(VIEWERS, "pprof")
        if not os.path.exists(path):
            self.fail("there is no {}: `make deps` makes it".format(path))
        return self.pprof(*arguments, command=(path,), **env)

    def export(self, name, *more, nframe=16, file="heap.pb.gz", program_path=None, arguments=()):
        """(path of the profile, results) of a program at its stop."""
        path = os.path.join(self.directory, file)
        export = "snapshot export heap " + path
        commands = [TAKE, export, TRACES, *more]
        if program_path is None:
            return path, self.at_stop(commands, name, *arguments, nframe=nframe)
        before = ["snapshot start {}".format(nframe), "break exit", "run"]
        return path, self.batch(before + commands, program_path)

    def check(self, path, results):
        """Every sample is blocks of ours, and all of them are there."""
        answer = results.json(TRACES)
        profile = Profile(self.pprof("-raw", path))
        self.assertEqual(profile.types, "inuse_objects/count inuse_space/bytes[dflt]")
        self.assertIn("PeriodType: space bytes\nPeriod: 1\n", profile.head)
        times = [row["time"] for row in answer["traces"] if row["time"] is not None]
        expected = collections.Counter()
        for row in answer["traces"]:
            labels = {"bytes": row["size"], "domain": str(row["domain"]), "thread": row["thread"]}
            if row["domain_name"] is not None:
                labels["domain"] += " ({})".format(row["domain_name"])
            if row["time"] is not None:
                labels["age"] = age(max(times) - row["time"])
            labels = {key: str(value) for key, value in labels.items() if value is not None}
            expected[stack(row), frozenset(labels.items())] += 1
        found = collections.Counter()
        for sample in profile.samples:
            labels = dict(sample.labels, bytes=sample.labels["bytes"].split()[0])
            labels.pop("reach", None)
            self.assertEqual(sample.size, sample.count * int(labels["bytes"]))
            found[profile.stack(sample), frozenset(labels.items())] += sample.count
        self.assertEqual(found, expected)
        self.assertEqual(sum(sample.size for sample in profile.samples), answer["total"]["size"])
        self.check_mappings(profile)
        return profile

    def check_mappings(self, profile):
        self.assertEqual(profile.comments, [])
        for location in profile.locations.values():
            mapping = profile.mappings[location.mapping]
            if mapping.path == "[unknown]":
                self.assertEqual((mapping.start, mapping.end), (0, 0))
            else:
                self.assertTrue(mapping.start <= location.address < mapping.end, location)
                self.assertRegex(mapping.build_id, r"\A([0-9a-f]{2}){8,20}\Z")


class Totals(Pprof):
    seconds = 30

    def test_what_was_ever_allocated(self):
        """Each stack is there once, with what `stats` says of it."""
        keep = "set environment ALLOCSNAP_TOTALS 1"
        stats = "snapshot stats traceback --no-skip --json -n all --{}"
        export = "snapshot export --{0} now " + os.path.join(self.directory, "{0}.pb.gz")
        names = ("allocated", "temporary")
        other = "snapshot export --allocated now " + os.path.join(self.directory, "one.folded")
        both = "snapshot export --allocated --temporary now " + os.path.join(self.directory, "one.pb.gz")
        commands = [text.format(name) for name in names for text in (stats, export)]
        results = self.batch(
            [keep, "snapshot start 16", "break stop_here", "run", *commands, other, both],
            program("totals"),
        )
        for name, values in zip(names, ("alloc", "temporary")):
            path = os.path.join(self.directory, name + ".pb.gz")
            profile = Profile(self.pprof("-sample_index={}_space".format(values), "-raw", path))
            self.assertEqual(profile.types, "{0}_objects/count {0}_space/bytes[dflt]".format(values))
            answer, expected, found = results.json(stats.format(name)), {}, {}
            for row in answer["statistics"]:
                count, size = expected.get(stack(row), (0, 0))
                expected[stack(row)] = (count + row["count"], size + row["size"])
            for sample in profile.samples:
                self.assertEqual(sample.labels, {})
                count, size = found.get(profile.stack(sample), (0, 0))
                found[profile.stack(sample)] = (count + sample.count, size + sample.size)
            self.assertEqual(found, expected)
            self.assertEqual(sum(sample.size for sample in profile.samples), answer["total"]["size"])
            self.check_mappings(profile)
        self.assertEqual(
            results[other],
            "the format folded has live blocks only: leave --allocated out, or choose pprof\n",
        )
        self.assertEqual(
            results[both], "--allocated and --temporary contradict each other: give one of them\n"
        )


class Numbers(Pprof):
    seconds = 30

    def check_program(self, name, **options):
        function = "snapshot stats function --no-skip --json heap"
        path, results = self.export(name, function, **options)
        profile = self.check(path, results)
        self.assertEqual(list(profile.mappings.values())[0].path, program(name))
        self.check_top(path, results, function)
        return profile

    def check_top(self, path, results, function):
        """`-top` shows the sizes of `stats function`, with `-sample_index=inuse_objects` the blocks,
        and counts a block for each function of its stack once."""
        for index, unit, key in (("inuse_space", "B", "size"), ("inuse_objects", "count", "count")):
            top = self.pprof(
                "-top", "-nodecount=100000", "-nodefraction=0", "-unit=" + unit,
                "-sample_index=" + index, path,
            )
            flat, cum = collections.Counter(), collections.Counter()
            rows = r"^ *(\d+)B? +\S+ +\S+ +(\d+)B? +\S+  (.*?)(?: \((?:partial-)?inline\))?$"
            for row in re.findall(rows, top, re.M):
                flat[row[2]] += int(row[0])
                cum[row[2]] += int(row[1])
            expected = collections.Counter()
            for row in results.json(function)["statistics"]:
                expected[row["label"]] += row[key]
            self.assertEqual(+flat, +expected)
            expected = collections.Counter()
            for row in results.json(TRACES)["traces"]:
                for name in {name for group in stack(row) for name, _, _ in group}:
                    expected[name] += row["size"] if key == "size" else 1
            self.assertEqual(+cum, +expected)

    def test_lines_and_functions(self):
        profile = self.check_program("holds")
        self.assertEqual(list(profile.mappings.values())[0].known, "[FN][FL][LN]")

    def test_traces(self):
        """`-traces` shows each stack with its bytes."""
        path, results = self.export("inlined")
        found = collections.Counter()
        for piece in re.split("^-----------[+]-+$", self.pprof("-traces", "-unit=B", path), flags=re.M)[1:]:
            lines = [line for line in piece.splitlines() if line and not re.match(r" +[a-z]+:  ", line)]
            frames = [re.fullmatch(r" +(?:(\d+)B?)? +(\S.*?)(?: \(inline\))?", line).groups() for line in lines]
            if frames:
                self.assertEqual([size is None for size, _ in frames], [False] + [True] * (len(frames) - 1))
                found[tuple(name for _, name in frames)] += int(frames[0][0])
        expected = collections.Counter()
        for row in results.json(TRACES)["traces"]:
            expected[tuple(name for group in stack(row) for name, _, _ in group)] += row["size"]
        self.assertEqual(found, expected)

    def test_web_pages(self):
        """`-http` shows the same numbers in a browser."""
        path, results = self.export("holds")
        said = os.path.join(self.directory, "said")
        with open(said, "wb") as file:
            process = subprocess.Popen(
                ["go", "tool", "pprof", "-nodefraction=0", "-no_browser", "-http=localhost:", path],
                env=harness.environment(self.home, GOCACHE=self.home, GOFLAGS="-buildvcs=false"),
                stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True,
            )  # fmt: skip
        # It is a child of the command.
        self.addCleanup(process.wait)
        self.addCleanup(os.killpg, process.pid, signal.SIGKILL)
        deadline = time.monotonic() + harness.DEADLINE
        address, page = None, None
        while page is None:
            os.sched_yield()
            with open(said, encoding="utf-8") as file:
                address = re.search(r"Serving web UI on (\S+)\n", file.read())
            self.assertIsNone(process.poll())
            self.assertLess(time.monotonic(), deadline)
            try:
                page = address and urllib.request.urlopen(address.group(1) + "/ui/top").read().decode("utf-8")
            except urllib.error.URLError:
                pass
        total, rows = re.search(r"TopTable\(\s*(\d+)\s*,\s*(\[.*\])\);", page).groups()
        answer = results.json(TRACES)
        self.assertEqual(int(total), answer["total"]["size"])
        flat = collections.Counter()
        for row in json.loads(rows):
            flat[row["Name"]] += row["Flat"]
        expected = collections.Counter()
        for row in answer["traces"]:
            expected[stack(row)[0][0][0]] += row["size"]
        self.assertEqual(+flat, +expected)
        graph = urllib.request.urlopen(address.group(1) + "/ui/flamegraph").read().decode("utf-8")
        self.assertIn("hold_large", graph)

    def test_inlined(self):
        profile = self.check_program("inlined")
        names = [[name for name, _, _ in one.lines] for one in profile.locations.values()]
        self.assertIn(["innermost", "middle", "outer"], names)
        self.assertIn(["innermost", "outer"], names)

    def test_frame_limit(self):
        for nframe in (1, 2, 100):
            profile = self.check_program("holds", nframe=nframe)
            lines = [one.lines for one in profile.locations.values()]
            self.assertEqual([CUT] in lines, nframe < 100)

    def test_program_at_fixed_addresses(self):
        self.check_program("malloc_address")

    def test_cxx(self):
        path, results = self.export("types")
        self.check(path, results)

    def test_threads_and_domains(self):
        path, results = self.export("pool_threads")
        profile = self.check(path, results)
        self.assertEqual({sample.labels["domain"] for sample in profile.samples}, {"0", "5", "6"})
        self.assertEqual(len({sample.labels["thread"] for sample in profile.samples}), 5)
        tags = self.pprof("-tags", "-unit=B", path)
        self.assertRegex(tags, r"14000\S* \([ \d.]+%\): 5\n")

    def test_recursion(self):
        path, results = self.export("deep", arguments=("50", "3"), nframe=100)
        self.check(path, results)

    def test_classes(self):
        kinds = ("definite", "indirect", "possible", "reachable")
        leaks = ["snapshot leaks --kinds {} --no-suppressions --json heap".format(kind) for kind in kinds]
        path, results = self.export("reach", *leaks)
        profile = self.check(path, results)
        for kind, command in zip(kinds, leaks):
            samples = [sample for sample in profile.samples if sample.labels.get("reach") == kind]
            total = results.json(command)["total"]
            self.assertEqual(sum(sample.count for sample in samples), total["count"])
            self.assertEqual(sum(sample.size for sample in samples), total["size"])

    def test_without_a_graph(self):
        path = os.path.join(self.directory, "heap.pb.gz")
        self.at_stop(["snapshot export now " + path], "holds")
        for sample in Profile(self.pprof("-raw", path)).samples:
            self.assertNotIn("reach", sample.labels)

    def test_filters(self):
        path = os.path.join(self.directory, "heap.pb.gz")
        export = "snapshot export heap {} --domain 6".format(path)
        results = self.at_stop([TAKE, export], "pool_threads")
        self.assertIn(": 6000 B in 2000 blocks", results[export])
        profile = Profile(self.pprof("-raw", path))
        self.assertEqual({sample.labels["domain"] for sample in profile.samples}, {"6"})
        self.assertEqual(sum(sample.size for sample in profile.samples), 6000)

    def test_unloaded_library(self):
        """Where it was mapped is not known segment by segment: pprof must not look for names there."""
        path, results = self.export("unloaded")
        profile = self.check(path, results)
        (gone,) = [one for one in profile.mappings.values() if one.path == program("libfirst.so")]
        self.assertEqual(gone.offset, 0)
        self.assertIn("[FN]", gone.known)

    def test_core(self):
        path = os.path.join(self.directory, "core.pb.gz")
        core = self.kernel_core("reach", "trap")
        export = "snapshot export heap " + path
        self.check(path, self.batch([TAKE, export, TRACES], program("reach"), core))

    def test_lldb(self):
        for debugger in lldbs():
            with self.subTest(debugger.name):
                path = os.path.join(self.directory, "lldb.pb.gz")
                before = ["snapshot start 16", stop_at("stop_here"), RUN]
                commands = before + [TAKE, "snapshot export heap " + path, TRACES]
                self.check(path, debugger.run(self, commands, program("inlined")))


class Differences(Pprof):
    def test_diff_base(self):
        old = os.path.join(self.directory, "old.pb.gz")
        new = os.path.join(self.directory, "new.pb.gz")
        diff = "snapshot diff old new function --no-skip --json"
        results = self.at_stop(
            ["snapshot take old", "snapshot export old " + old, "continue", "snapshot take new",
             "snapshot export new " + new, diff],
            "phases",
        )
        expected = {
            row["label"]: row["size_diff"] for row in results.json(diff)["statistics"] if row["size_diff"]
        }
        self.assertTrue(expected)
        top = self.pprof("-top", "-nodefraction=0", "-unit=B", "-diff_base=" + old, new)
        found = {
            name: int(flat) for flat, name in re.findall(r"^ *(-?\d+)B .*%  (.*)$", top, re.M) if int(flat)
        }
        self.assertEqual(found, expected)


SOURCE = r"""
#include <stdlib.h>
#include <unistd.h>

void *volatile kept[4];

__attribute__((always_inline)) static inline void *within(int size)
{
    return malloc(size);
}

__attribute__((noinline)) void *caller(int size)
{
    void *made = within(size);
    __asm__ volatile("");
    return made;
}

int main(void)
{
    kept[0] = caller(1000);
    kept[1] = malloc(200);
    exit(0);
}
"""


class Names(Pprof):
    """What has no name is named by pprof itself, of the same numbers."""

    seconds = 20

    def build(self, name, *flags):
        source = os.path.join(self.directory, "program.c")
        with open(source, "w", encoding="utf-8") as file:
            file.write(SOURCE)
        path = os.path.join(self.directory, name)
        subprocess.run(["gcc", "-g", "-O1", *flags, source, "-o", path], check=True)
        return path

    def flat(self, path, **env):
        top = self.whole_pprof("-top", "-unit=B", path, **env)
        rows = re.findall(r"^ *(\d+)B .*?%  (\S+)(?: \(inline\))?$", top, re.M)
        return {name: int(flat) for flat, name in rows if flat != "0"}

    def check_stripped(self, *flags):
        whole = self.build("whole", *flags)
        bare = os.path.join(self.directory, "bare")
        subprocess.run(["strip", "-o", bare, whole], check=True)
        path, results = self.export("bare", program_path=bare)
        profile = self.check(path, results)
        first = list(profile.mappings.values())[0]
        self.assertEqual((first.path, first.known), (bare, ""))
        names = self.flat(path)
        self.assertEqual(sorted(names.values()), [200, 1000])
        for name in names:
            self.assertRegex(name, r"\Abare\+0x[0-9a-f]+\Z")
        # The file with names, by its build ID.
        place = os.path.join(self.directory, "files", first.build_id)
        os.makedirs(place)
        os.rename(whole, os.path.join(place, "whole"))
        files = os.path.dirname(place)
        self.assertEqual(self.flat(path, PPROF_BINARY_PATH=files), {"within": 1000, "main": 200})

    def test_stripped(self):
        self.check_stripped()

    def test_stripped_where_addresses_are_no_offsets(self):
        self.check_stripped("-fuse-ld=lld")

    def test_stripped_at_fixed_addresses(self):
        self.check_stripped("-no-pie", "-fno-pie")

    def test_names_left_out(self):
        """The file is at its place still."""
        whole = self.build("whole")
        path = os.path.join(self.directory, "heap.pb.gz")
        self.batch(
            ["snapshot start 16", "break exit", "run", "snapshot take --no-names heap",
             "snapshot export heap " + path],
            whole,
        )
        self.assertEqual(self.flat(path), {"within": 1000, "main": 200})
