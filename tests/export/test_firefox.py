"""Files for Firefox Profiler, by its documented types, with the numbers of the commands."""

import collections
import os

from e2e.harness import Case

from . import firefox_profiles
from .firefox_profiles import CUT


class Firefox(Case):
    seconds = 15

    def load(self, path):
        return firefox_profiles.load(self, path)

    @staticmethod
    def expected(traces, number):
        """{stack: weight} of rows of JSON."""
        found = collections.Counter()
        for row in traces:
            frames = [
                (one["function"] or one["filename"], one["filename"], one["lineno"] or None)
                for one in row["traceback"]
            ]
            if row["total_nframe"] is None or row["total_nframe"] > len(frames):
                frames.append(CUT)
            found[tuple(reversed(frames))] += number(row)
        return dict(found)

    def test_one_snapshot(self):
        for name, nframe in (("holds", 16), ("inlined", 2), ("pool_threads", 16)):
            with self.subTest(name):
                path = os.path.join(self.directory, name + ".profile.json")
                counts = os.path.join(self.directory, name + ".counts")
                traces, lines = "snapshot traces -n all --json heap", "snapshot stats --json heap"
                results = self.at_stop(
                    ["snapshot take heap", "snapshot export heap " + path,
                     "snapshot export heap --count --format firefox " + counts, traces, lines],
                    name, nframe=nframe,
                )
                rows, total = results.json(traces)["traces"], results.json(lines)["total"]
                profile = self.load(path)
                self.assertEqual((profile.selected, profile.names), (0, ["bytes", "blocks"]))
                self.assertEqual(profile.sizes, self.expected(rows, lambda row: row["size"]))
                self.assertEqual(profile.counts, self.expected(rows, lambda row: 1))
                self.assertEqual(sum(profile.sizes.values()), total["size"])
                self.assertEqual(sum(profile.counts.values()), total["count"])
                self.check_frames(profile.whole, rows)
                self.assertEqual(self.load(counts)._replace(whole=None, selected=0), profile._replace(whole=None))
                self.assertEqual(self.load(counts).selected, 1)

    def check_frames(self, whole, rows):
        """Where each frame's code is."""
        shared = whole["shared"]
        frames, functions = shared["frameTable"], shared["funcTable"]
        found = set()
        for place in range(frames["length"] - 1):
            resource = functions["resource"][frames["func"][place]]
            lib = None if resource == -1 else whole["libs"][shared["resourceTable"]["lib"][resource]]
            address = frames["address"][place]
            found.add((
                shared["stringArray"][functions["name"][frames["func"][place]]], frames["line"][place],
                bool(frames["inlineDepth"][place]), None if address == -1 else address,
                lib and lib["path"], lib and lib["codeId"],
            ))
        known = {
            (one["function"] or one["filename"], one["lineno"] or None, one["inlined"], one["offset"],
             one["module"], one["build_id"])
            for row in rows
            for one in row["traceback"]
        }
        self.assertEqual(found, known)

    def test_two_snapshots(self):
        """What has grown has positive weights, and what has shrunk negative ones."""
        path, back = (os.path.join(self.directory, name) for name in ("both.profile.json", "back.profile.json"))
        old, new = ("snapshot traces -n all --json " + name for name in ("old", "new"))
        results = self.at_stop(
            ["snapshot take old", "continue", "snapshot take new", "snapshot export old new " + path,
             "snapshot export new old " + back, old, new],
            "phases",
        )
        profile = self.load(path)
        self.assertEqual(profile.names, ["difference in bytes", "difference in blocks"])
        for found, number in ((profile.sizes, lambda row: row["size"]), (profile.counts, lambda row: 1)):
            before, after = (self.expected(results.json(one)["traces"], number) for one in (old, new))
            change = {stack: after.get(stack, 0) - before.get(stack, 0) for stack in {**before, **after}}
            self.assertEqual(found, change)
        self.assertTrue(any(profile.sizes.values()))
        other = self.load(back)
        self.assertEqual(other.sizes, {stack: -size for stack, size in profile.sizes.items()})
        self.assertEqual(other.counts, {stack: -count for stack, count in profile.counts.items()})

    def test_nothing(self):
        path = os.path.join(self.directory, "none.profile.json")
        self.at_stop(["snapshot export now --include *.none " + path], "holds")
        profile = self.load(path)
        self.assertEqual((profile.sizes, profile.counts, profile.notes), ({}, {}, []))
