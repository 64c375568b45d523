"""Snapshots without names, which are named later; and what names are from."""

import json
import os
import shutil
import subprocess
import unittest

from .harness import ROOT, Case, environment, program

HOLDS = program("holds")

NAMED = "named:    100.0% of bytes to the line\n"

STOP_NAMING = """
python
from allocsnap.library import calls
_whole = calls.Calls._on_report
def _stop(self, context, step, done, total):
    if step == b"naming frames":
        self._kept = KeyboardInterrupt()
        return False
    return _whole(self, context, step, done, total)
calls.Calls._on_report = _stop
end
"""


class Symbolize(Case):
    def path(self, name="file.dump"):
        return os.path.join(self.directory, name)

    def lines(self, script):
        return script.strip().splitlines()

    def test_without_names_and_with_them_later(self):
        commands = [
            "snapshot take --no-names a",
            "snapshot status a",
            "snapshot stats a --json -n 1",
            "snapshot dump a " + self.path(),
            "snapshot take b",
            "snapshot symbolize a",
            "snapshot traces a --json",
            "snapshot traces b --json",
        ]
        results = self.at_stop(commands, "holds")
        self.assertRegex(
            results[commands[0]],
            r"^Snapshot a: 10128 B in 14 blocks\.\n"
            r"\d+ frames left without a name: `snapshot symbolize a` names them\.\n$",
        )
        self.assertRegex(
            results[commands[1]],
            r"^snapshot: a, from process \d+\nholds:    10128 B in 14 blocks\n"
            r"named:    0\.0% of bytes to the line\n"
            r"          100\.0% in {}, not looked for yet: `snapshot symbolize a` does\n$".format(HOLDS),
        )
        (frame,) = results.json(commands[2])["statistics"][0]["traceback"]
        self.assertEqual(
            (frame["filename"], frame["lineno"], frame["named_by"]), (HOLDS, 0, "address")
        )
        self.assertRegex(frame["function"], "^0x[0-9a-f]+$")
        self.assertEqual(results[commands[5]], "Snapshot a: 10128 B in 14 blocks.\n" + NAMED)
        self.assertEqual(results.json(commands[6]), results.json(commands[7]))
        self.check_file(results.json(commands[7]))

    def check_file(self, expected):
        """The dump is named in another gdb, and in plain python3."""
        later = self.batch(
            [
                "snapshot load {} a".format(self.path()),
                "snapshot symbolize a",
                "snapshot traces a --json",
            ]
        )
        frames = [trace["traceback"] for trace in expected["traces"]]
        found = later.json("snapshot traces a --json")["traces"]
        self.assertEqual([trace["traceback"] for trace in found], frames)
        code = (
            "import allocsnap, json, sys\n"
            "bare = allocsnap.Snapshot.load(sys.argv[1])\n"
            "named = bare.symbolize()\n"
            "print(json.dumps([sorted((f.filename, f.lineno, f.function, f.named_by)"
            " for t in s.traces for f in t.traceback) for s in (bare, named)]))\n"
        )
        output = subprocess.run(
            ["/usr/bin/python3", "-c", code, self.path()],
            env=environment(self.directory, PYTHONPATH=os.path.join(ROOT, "core", "python")),
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
        bare, named = json.loads(output)
        self.assertEqual({frame[3] for frame in bare if frame[0] == HOLDS}, {"address"})
        wanted = [
            [one["filename"], one["lineno"], one["function"], one["named_by"]]
            for stack in frames
            for one in stack
        ]
        self.assertEqual(named, sorted(wanted, key=lambda one: (one[0], one[1], one[2])))

    def test_a_file_in_another_place(self):
        mine = self.path("mine")
        moved = self.path("moved")
        shutil.copy(HOLDS, mine)
        commands = [
            "snapshot take --no-names a",
            "shell mv {} {}".format(mine, moved),
            "snapshot symbolize a",
            "snapshot symbolize a {}".format(HOLDS + "_is_not_there"),
            "snapshot symbolize a {}".format(moved),
        ]
        results = self.batch(
            ["snapshot start", "break stop_here", "run", "file"] + commands, mine
        )
        self.assertIn("warning: {}: ".format(mine), results[commands[2]])
        self.assertIn(", not looked for yet: ", results[commands[2]])
        self.assertEqual(
            results[commands[3]],
            "there is no file {}_is_not_there: name another\n".format(HOLDS),
        )
        self.assertEqual(results[commands[4]], "Snapshot a: 10128 B in 14 blocks.\n" + NAMED)

    def test_ctrl_c_while_frames_are_named(self):
        gdb = self.gdb("--args", HOLDS)
        gdb.run("snapshot start")
        gdb.run("break stop_here")
        gdb.run("run")
        for line in self.lines(STOP_NAMING)[:-1]:
            gdb.start(line)
        gdb.run("end")
        self.assertRegex(
            gdb.run("snapshot take a"),
            r"^Snapshot a: 10128 B in 14 blocks\.\n"
            r"\d+ frames left without a name: `snapshot symbolize a` names them\.\n$",
        )
        interrupted = "interrupted: what was taken before is kept\n"
        self.assertEqual(gdb.run("snapshot symbolize a"), interrupted)
        self.assertEqual(gdb.run("snapshot stats"), interrupted)
        gdb.run("python calls.Calls._on_report = _whole")
        self.assertEqual(
            gdb.run("snapshot symbolize a"), "Snapshot a: 10128 B in 14 blocks.\n" + NAMED
        )
        self.assertEqual(gdb.run("snapshot stats --json a"), gdb.run("snapshot stats --json"))

    def test_without_debug_information(self):
        stripped = self.path("stripped")
        subprocess.run(["strip", "-g", "-o", stripped, HOLDS], check=True)
        results = self.batch(
            [
                "snapshot start",
                "break stop_here",
                "run",
                "snapshot take a",
                "snapshot status a",
                "snapshot status b",
            ],
            stripped,
        )
        self.assertIn(
            "named:    0.0% of bytes to the line\n"
            "          100.0% in {}, without debug information\n"
            "          Install the debug symbols of these files (".format(stripped),
            results["snapshot status a"],
        )
        self.assertEqual(
            results["snapshot status b"], 'no snapshot "b": the snapshots are a\n'
        )


if __name__ == "__main__":
    unittest.main()
