"""speedscope's files, by its schema, and as speedscope itself shows them in Chromium."""

import base64
import collections
import html
import json
import os
import re

from e2e.harness import Case

from .viewers import VIEWERS, chromium, node

RELEASE = os.path.join(VIEWERS, "node_modules", "speedscope", "dist", "release")
CUT = "[beyond the frame limit]"


def bytes_text(size):
    """A size as speedscope writes it."""
    for unit in ("B", "KB", "MB"):
        if size < 1024:
            return "{} {}".format(size, unit) if unit == "B" else "{:.2f} {}".format(size, unit)
        size /= 1024
    return "{:.2f} GB".format(size)


class Speedscope(Case):
    seconds = 20

    def check_schema(self, *paths):
        schema = os.path.join(RELEASE, "file-format-schema.json")
        self.assertEqual(node(self, "schema.js", schema, *paths), [[] for _ in paths])

    def load(self, path):
        """{name of a profile: {(frames, the oldest first): weight}}, which add up."""
        with open(path, encoding="utf-8") as file:
            whole = json.load(file)
        frames = [(frame["name"], frame.get("file")) for frame in whole["shared"]["frames"]]
        self.assertEqual(len(set(frames)), len(frames))
        found = {}
        for profile in whole["profiles"]:
            self.assertEqual(profile["unit"], "bytes" if profile["name"].startswith("bytes") else "none")
            self.assertEqual(profile["endValue"], sum(profile["weights"]))
            stacks = [tuple(frames[place] for place in sample) for sample in profile["samples"]]
            self.assertEqual(len(set(stacks)), len(stacks))
            self.assertEqual(len(stacks), len(profile["weights"]))
            found[profile["name"]] = dict(zip(stacks, profile["weights"]))
        return whole["profiles"][whole["activeProfileIndex"]]["name"], found

    def shown(self, path):
        """{function: (total, self)}, as speedscope's table shows them, of the profile in front."""
        script = os.path.join(self.directory, "load.js")
        with open(path, "rb") as file, open(script, "w", encoding="utf-8") as out:
            out.write('speedscope.loadFileFromBase64("heap.speedscope.json", "{}")'.format(
                base64.b64encode(file.read()).decode()))
        page = chromium(
            self, "file://{}/index.html#view=sandwich&localProfilePath={}".format(RELEASE, script[1:])
        )
        text = re.sub(r"<(style|script)\b.*?</\1>", "", page, flags=re.S)
        words = [html.unescape(word) for word in re.findall(r"[^<>]+(?=<)", re.sub(r"\n\s*", "", text))]
        start = words.index("Symbol Name") + 1
        rows = [words[place:place + 3] for place in range(start, len(words) - 2, 3)]
        plain = [[re.sub(r" \([\d.<>%]+\)\Z", "", word) for word in row] for row in rows]
        return {name: (total, own) for total, own, name in plain}

    @staticmethod
    def expected(traces, number):
        """{stack: weight} of rows of JSON."""
        found = collections.Counter()
        for row in traces:
            frames = [(one["function"] or one["filename"], one["filename"]) for one in row["traceback"]]
            if row["total_nframe"] is None or row["total_nframe"] > len(frames):
                frames.append((CUT, None))
            if number(row):
                found[tuple(reversed(frames))] += number(row)
        return dict(found)

    def test_one_snapshot(self):
        for name, nframe in (("holds", 16), ("inlined", 2), ("pool_threads", 16)):
            with self.subTest(name):
                path = os.path.join(self.directory, name + ".speedscope.json")
                counts = os.path.join(self.directory, name + ".counts.speedscope.json")
                traces = "snapshot traces -n all --json heap"
                results = self.at_stop(
                    ["snapshot take heap", "snapshot export heap " + path,
                     "snapshot export heap --count " + counts, traces],
                    name, nframe=nframe,
                )
                rows = results.json(traces)["traces"]
                self.check_schema(path, counts)
                active, profiles = self.load(path)
                self.assertEqual((active, list(profiles)), ("bytes", ["bytes", "blocks"]))
                self.assertEqual(profiles["bytes"], self.expected(rows, lambda row: row["size"]))
                self.assertEqual(profiles["blocks"], self.expected(rows, lambda row: 1))
                self.assertEqual(self.load(counts), ("blocks", profiles))
                self.check_shown(self.shown(path), profiles["bytes"], bytes_text)
                self.check_shown(self.shown(counts), profiles["blocks"], "{:,}".format)

    def check_shown(self, shown, stacks, text):
        """The table has the functions of the stacks, each counted once in a stack."""
        total, own = collections.Counter(), collections.Counter()
        for stack, weight in stacks.items():
            own[stack[-1][0]] += weight
            for name in {name for name, _ in stack}:
                total[name] += weight
        self.assertEqual(shown, {name: (text(total[name]), text(own[name])) for name in total})

    def test_two_snapshots(self):
        path = os.path.join(self.directory, "both.speedscope.json")
        old, new = ("snapshot traces -n all --json " + name for name in ("old", "new"))
        results = self.at_stop(
            ["snapshot take old", "continue", "snapshot take new", "snapshot export old new " + path, old, new],
            "phases",
        )
        self.check_schema(path)
        active, profiles = self.load(path)
        self.assertEqual(active, "bytes grown")
        for words, number in (("bytes", lambda row: row["size"]), ("blocks", lambda row: 1)):
            before, after = (self.expected(results.json(one)["traces"], number) for one in (old, new))
            self.assertEqual(profiles[words], after)
            self.assertEqual(profiles[words + " before"], before)
            change = {stack: after.get(stack, 0) - before.get(stack, 0) for stack in {**before, **after}}
            self.assertEqual(profiles[words + " grown"], {one: by for one, by in change.items() if by > 0})
            self.assertEqual(profiles[words + " shrunk"], {one: -by for one, by in change.items() if by < 0})
        self.check_shown(self.shown(path), profiles["bytes grown"], bytes_text)

    def test_nothing(self):
        """speedscope shows an empty file as one."""
        path = os.path.join(self.directory, "none.speedscope.json")
        self.at_stop(["snapshot export now --include *.none " + path], "holds")
        self.check_schema(path)
        self.assertEqual(self.load(path), ("bytes", {"bytes": {}, "blocks": {}}))
        self.assertEqual(self.shown(path), {})
