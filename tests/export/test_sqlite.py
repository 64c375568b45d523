"""Databases, as SQLite reads them, and the queries of docs/export-sqlite.md."""

import collections
import os
import re
import sqlite3
import stat

from e2e.harness import ROOT, Case, program

TAKE = "snapshot take --graph heap"
TRACES = "snapshot traces -n all --json heap"


def queries():
    """{the words before a query: the query} of the page, by the first of them."""
    with open(os.path.join(ROOT, "docs", "export-sqlite.md"), encoding="utf-8") as file:
        found = re.findall(r"^([A-Z][^\n]*(?:\n[^\n]+)*):\n\n```sql\n(.*?)```$", file.read(), re.M | re.S)
    return dict(found)


class Databases(Case):
    def open(self, path):
        database = sqlite3.connect("file:{}?mode=ro".format(path), uri=True)
        self.addCleanup(database.close)
        database.row_factory = sqlite3.Row
        self.assertEqual([row[0] for row in database.execute("PRAGMA integrity_check")], ["ok"])
        return database

    def ask(self, database, words):
        """The rows of the query whose words begin so."""
        (query,) = [query for before, query in queries().items() if before.startswith(words)]
        return [tuple(row) for row in database.execute(query)]


class Contents(Databases):
    seconds = 10

    def check(self, name, **options):
        path = os.path.join(self.directory, "heap.db")
        results = self.at_stop([TAKE, "snapshot export heap " + path, TRACES], name, **options)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertEqual(
            [name for name in os.listdir(self.directory) if name.startswith(("heap", "."))], ["heap.db"]
        )
        database = self.open(path)
        answer = results.json(TRACES)
        frames = {
            row["id"]: (
                row["function"], row["filename"], row["lineno"], bool(row["inlined"]), row["named_by"],
                row["path"], row["build_id"], row["offset"],
            )
            for row in database.execute(
                "SELECT frames.*, path, build_id FROM frames LEFT JOIN modules ON modules.id = module"
            )
        }
        stacks = collections.defaultdict(dict)
        for stack, depth, frame in database.execute("SELECT stack, depth, frame FROM stack_frames"):
            stacks[stack][depth] = frames[frame]
        found = collections.Counter(
            (
                row["address"], row["size"], row["domain"], row["name"], row["thread"], row["time"],
                tuple(stacks[row["stack"]][depth] for depth in range(len(stacks[row["stack"]]))),
            )
            for row in database.execute(
                "SELECT blocks.*, name FROM blocks LEFT JOIN domains USING (snapshot, domain)"
            )
        )
        keys = ("function", "filename", "lineno", "inlined", "named_by", "module", "build_id", "offset")
        expected = collections.Counter(
            (
                row["address"], row["size"], row["domain"], row["domain_name"], row["thread"], row["time"],
                tuple(
                    tuple((frame[key] or None) if key == "build_id" else frame[key] for key in keys)
                    for frame in row["traceback"]
                ),
            )
            for row in answer["traces"]
        )
        self.assertEqual(found, expected)
        (snapshot,) = database.execute("SELECT * FROM snapshots")
        self.assertEqual(
            (snapshot["id"], snapshot["size"], snapshot["count"], snapshot["traceback_limit"]),
            (1, answer["total"]["size"], answer["total"]["count"], options.get("nframe", 16)),
        )
        self.assertAlmostEqual(snapshot["start"], answer["start"], 3)
        cut = {row["total_nframe"] is None or row["total_nframe"] > len(row["traceback"])
               for row in answer["traces"]}
        self.assertEqual({row[0] for row in database.execute("SELECT is_cut FROM stacks")}, cut)
        mapped = database.execute("SELECT start, stop FROM mappings WHERE path = ?", (program(name),))
        for start, stop in mapped:
            self.assertLess(start, stop)
        return database, answer

    def test_blocks(self):
        database, _ = self.check("holds")
        self.assertEqual(database.execute("PRAGMA user_version").fetchone()[0], 1)
        self.assertEqual({row[0] for row in database.execute("SELECT reach FROM blocks")}, {"reachable"})
        self.assertEqual(database.execute("SELECT count(*) FROM notes").fetchone()[0], 0)

    def test_frame_limit(self):
        self.check("holds", nframe=1)
        self.check("inlined", nframe=2)

    def test_threads_and_domains(self):
        self.check("pool_threads")

    def test_types(self):
        database, _ = self.check("types")
        command = "snapshot stats type -n all --json"
        rows = self.at_stop([command], "types").json(command)["statistics"]
        classes = {row["label"]: row["count"] for row in rows if not row["label"].startswith("<")}
        found = database.execute("SELECT type, count(*) FROM blocks WHERE type NOT NULL GROUP BY type")
        self.assertEqual(dict(map(tuple, found)), classes)


class Queries(Databases):
    """The page's, with what the commands say."""

    seconds = 10

    @staticmethod
    def lines(rows, *numbers):
        return sorted(
            (row["traceback"][0]["filename"], row["traceback"][0]["lineno"], *(row[key] for key in numbers))
            for row in rows
        )

    def test_one_snapshot(self):
        path = os.path.join(self.directory, "heap.db")
        lines = "snapshot stats lineno --json"
        results = self.at_stop(["snapshot export now " + path, lines, TAKE, TRACES], "holds")
        database = self.open(path)
        rows = self.ask(database, "The lines that hold most")
        self.assertEqual(
            sorted((row[0], row[1], row[3], row[4]) for row in rows),
            self.lines(results.json(lines)["statistics"], "size", "count"),
        )
        traces = results.json(TRACES)["traces"]
        sums = collections.Counter()
        for row in traces:
            for name in {frame["function"] for frame in row["traceback"]}:
                sums[name] += row["size"]
        rows = self.ask(database, "By function")
        self.assertEqual({name: size for name, size, _ in rows}, dict(sums))
        small = [row["size"] for row in traces if row["size"] <= 32]
        self.assertEqual(
            self.ask(database, "Which modules"),
            [(program("holds"), len(small), sum(small), sum(small) / len(small))],
        )
        steps = self.ask(database, "How large")
        self.assertEqual(sum(count for _, count, _ in steps), len(traces))
        for below, count, size in steps:
            sizes = [row["size"] for row in traces
                     if row["size"] < below and (row["size"] >= below // 2 or below == 16)]
            self.assertEqual((count, size), (len(sizes), sum(sizes)))
        total = (len(traces), sum(row["size"] for row in traces))
        self.assertEqual(sum(row[1] for row in self.ask(database, "When the blocks")), total[0])
        ((thread, domain, name, size, count),) = self.ask(database, "What each thread")
        self.assertEqual((thread, domain, name, count, size), (traces[0]["thread"], 0, None, *total))
        largest = max(traces, key=lambda row: (row["size"], -row["address"]))
        self.assertEqual(
            self.ask(database, "The whole stack"),
            [(depth, frame["function"], frame["filename"], frame["lineno"])
             for depth, frame in enumerate(largest["traceback"])],
        )
        large = [row["size"] for row in traces if row["traceback"][0]["function"] == "hold_large"]
        self.assertEqual(self.ask(database, "Blocks that were asked for by one"), [(len(large), sum(large))])
        ends = sorted((row["address"], row["size"]) for row in traces)
        gaps = [(start + size, after - start - size) for (start, size), (after, _) in zip(ends, ends[1:])]
        gaps = sorted((gap for gap in gaps if 0 < gap[1] < 1 << 20), key=lambda gap: -gap[1])[:10]
        self.assertEqual(sorted(self.ask(database, "Gaps")), sorted(gaps))

    def test_two_snapshots(self):
        path = os.path.join(self.directory, "both.db")
        diff = "snapshot diff old new lineno --json"
        old, new = ("snapshot traces -n all --json " + name for name in ("old", "new"))
        results = self.at_stop(
            ["snapshot take old", "continue", "snapshot take new", diff, old, new,
             "snapshot export old new " + path],
            "phases",
        )
        database = self.open(path)
        rows = results.json(diff)["statistics"]
        self.assertEqual(
            sorted(self.ask(database, "What has grown")),
            [row for row in self.lines(rows, "size_diff", "count_diff") if row[2:] != (0, 0)],
        )
        before, after = ({(row["address"], row["size"], row["time"]) for row in results.json(one)["traces"]}
                         for one in (old, new))
        stayed = self.ask(database, "Blocks of OLD")
        self.assertEqual(sum(row[2] for row in stayed), len(before & after))
        self.assertGreater(len(before & after), 0)
        self.assertEqual([tuple(row) for row in database.execute("SELECT id, count FROM snapshots")],
                         [(1, len(results.json(old)["traces"])), (2, len(results.json(new)["traces"]))])

    def test_leaks(self):
        path = os.path.join(self.directory, "heap.db")
        leaks = ["snapshot leaks lineno --kinds {} --no-suppressions --json heap".format(kind) for kind in ("definite", "indirect")]
        results = self.at_stop([TAKE, "snapshot export heap " + path, *leaks], "reach")
        rows = self.ask(self.open(path), "What has leaked")
        for kind, command in zip(("definite", "indirect"), leaks):
            self.assertEqual(
                sorted(row[1:] for row in rows if row[0] == kind),
                self.lines(results.json(command)["statistics"], "count", "size"),
            )

    def test_all_of_them(self):
        path = os.path.join(self.directory, "both.db")
        self.at_stop([TAKE, "snapshot export heap now " + path], "holds")
        database = self.open(path)
        found = queries()
        self.assertGreaterEqual(len(found), 10)
        for words, query in found.items():
            with self.subTest(words):
                database.execute(query).fetchall()
