"""Debug files that gdb has found, where the symbolizer would not have looked."""

import os
import re
import shutil
import subprocess

import expectations

from .harness import Case, program

HOLDS = expectations.source("holds.c")
MARKS = expectations.named(HOLDS)
STATS = "snapshot stats --json"
ON = ("-iex", "set debuginfod enabled on")
OFF = ("-iex", "set debuginfod enabled off")


class DebugFiles(Case):
    """A core of a stripped program, whose debug information a server has: one whose address
    is that of a directory."""

    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.directory, "server")
        debug = os.path.join(self.directory, "debug")
        subprocess.run(["objcopy", "--strip-all", program("holds"), self.path], check=True)
        subprocess.run(["objcopy", "--only-keep-debug", program("holds"), debug], check=True)
        notes = subprocess.check_output(["readelf", "-n", self.path], encoding="utf-8")
        build_id = re.search("Build ID: ([0-9a-f]+)", notes).group(1)
        self.served = os.path.join(self.directory, "served")
        place = os.path.join(self.served, "buildid", build_id)
        os.makedirs(place)
        shutil.move(debug, os.path.join(place, "debuginfo"))
        self.core = self.kernel_core(self.path, "abort")
        self.environment = dict(
            DEBUGINFOD_URLS="file://" + self.served,
            DEBUGINFOD_CACHE_PATH=os.path.join(self.directory, "cache"),
        )

    def lines(self, switch):
        answer = self.batch([STATS], *switch, self.path, self.core, env=self.environment).json(STATS)
        self.assertEqual(answer["total"], {"size": 10128, "count": 14})
        self.assertEqual(answer["notes"], [])
        return [row["traceback"][0]["lineno"] for row in answer["statistics"]]

    def test_debuginfod_where_gdb_may(self):
        self.assertEqual(
            self.lines(ON),
            [MARKS[name].line for name in ("moved", "zeroed", "small", "deepest", "empty")],
        )

    def test_no_debuginfod_where_gdb_may_not(self):
        self.assertEqual(set(self.lines(OFF)), {0})
        self.assertFalse(os.path.exists(os.path.join(self.directory, "cache")))
