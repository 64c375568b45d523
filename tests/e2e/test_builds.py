"""Cores whose program is another build by now, missing, or elsewhere."""

import os
import re
import shutil
import subprocess
import unittest

import expectations

from .harness import HOOKS, Case, environment, program

HOLDS = expectations.source("holds.c")
MARKS = expectations.named(HOLDS)
STATS = "snapshot stats --json"


class Builds(Case):
    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.directory, "server")
        shutil.copy(program("holds"), self.path)
        self.core = self.kernel_core(self.path, "abort")

    @staticmethod
    def build_id():
        notes = subprocess.check_output(["readelf", "-n", program("holds")], encoding="utf-8")
        return re.search(r"Build ID: ([0-9a-f]+)", notes).group(1)

    def replace(self, name):
        """Puts another program at the path of the one that dumped."""
        os.unlink(self.path)
        shutil.copy(program(name), self.path)

    def assert_named(self, answer):
        self.assertEqual(answer["notes"], [])
        self.assertEqual(
            [row["traceback"][0]["lineno"] for row in answer["statistics"]],
            [MARKS[name].line for name in ("moved", "zeroed", "small", "deepest", "empty")],
        )

    def assert_unnamed(self, answer, why):
        """All frames are in the file, and have the offset that the file's segments in memory give,
        but no name."""
        frames = [row["traceback"] for row in answer["statistics"]]
        self.assertTrue(frames)
        for ((frame),) in frames:
            offset = frame.pop("offset")
            self.assertEqual(
                frame,
                {"filename": self.path, "lineno": 0, "function": "server+0x%x" % offset,
                 "inlined": False, "named_by": "none", "module": self.path, "build_id": self.build_id()},
            )
        self.assertEqual(answer["total"], {"size": 10128, "count": 14})
        self.assertEqual(len(answer["notes"]), 1)
        self.assertIn(why, answer["notes"][0])

    def test_another_build_at_the_path_is_not_believed(self):
        self.replace("recursion")
        commands = [STATS, "snapshot stats"]
        results = self.batch(commands, self.path, self.core)
        self.assert_unnamed(results.json(STATS), "its build ID differs")
        first = results["snapshot stats"].splitlines()[0]
        self.assertTrue(first.startswith("warning: {}: ".format(self.path)), first)

    def test_the_right_build_at_the_path_comes_and_goes(self):
        gdb = self.gdb(self.path, self.core)
        self.assertIn("holds.c:", gdb.run("snapshot stats"))
        self.replace("recursion")
        self.assertIn("its build ID differs", gdb.run("snapshot stats"))
        self.replace("holds")
        text = gdb.run("snapshot stats")
        self.assertNotIn("warning", text)
        self.assertIn("holds.c:{}".format(MARKS["moved"].line), text)

    def test_the_program_that_gdb_has_read_is_used_where_the_path_is_empty(self):
        os.unlink(self.path)
        answer = self.batch([STATS], program("holds"), self.core).json(STATS)
        self.assert_named(answer)

    def test_the_program_that_gdb_has_read_is_used_where_the_path_has_another_build(self):
        self.replace("recursion")
        answer = self.batch([STATS], program("holds"), self.core).json(STATS)
        self.assert_named(answer)

    def test_a_program_of_another_build_is_not_used(self):
        os.unlink(self.path)
        answer = self.batch([STATS], program("recursion"), self.core).json(STATS)
        self.assert_unnamed(answer, "cannot be read (No such file or directory)")

    def test_file_says_where_the_program_is(self):
        os.unlink(self.path)
        gdb = self.gdb(program("recursion"), self.core)
        self.assertIn("cannot be read", gdb.run("snapshot stats"))
        gdb.run("file {}".format(program("holds")))
        text = gdb.run("snapshot stats")
        self.assertNotIn("warning", text)
        self.assertIn("holds.c:{}".format(MARKS["moved"].line), text)


class Deleted(Case):
    """A program that is deleted while it runs, as a build does."""

    def test_the_same_build_put_back_is_used_and_another_is_not(self):
        path = os.path.join(self.directory, "server")
        shutil.copy(program("holds"), path)
        gdb = self.gdb(path)
        gdb.run("snapshot start")
        gdb.run("break stop_here")
        self.assertIn("Breakpoint 1, ", gdb.run("run"))
        line = "holds.c:{}: size=5000 B".format(MARKS["moved"].line)
        self.assertIn(line, gdb.run("snapshot stats"))
        os.unlink(path)
        gone = "warning: {}: was deleted or replaced".format(path)
        # gdb has read it from there, and cannot help either.
        self.assertIn(gone, gdb.run("snapshot stats"))
        shutil.copy(program("recursion"), path)
        self.assertTrue(gdb.run("snapshot stats").startswith(gone))
        os.unlink(path)
        shutil.copy(program("holds"), path)
        text = gdb.run("snapshot stats")
        self.assertNotIn("warning", text)
        self.assertIn(line, text)


class MountNamespace(Case):
    """A program whose files are not where the debugger sees them, as in a container."""

    def test_its_own_files_are_read(self):
        self.need_attach()
        inside = os.path.join(self.directory, "inside")
        os.mkdir(inside)
        script = 'mount -t tmpfs none "$1" && cp "$2" "$1/server" && exec "$1/server" pause'
        env = environment(self.home, LD_PRELOAD=HOOKS, ALLOCSNAP="16")
        process = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", script, "sh", inside, program("holds")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=env,
        )
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        if process.stdout.readline() != b"ready\n":
            self.skipTest("no mount namespace can be made here")
        self.assertEqual(os.listdir(inside), [])
        answer = self.batch([STATS], "-p", str(process.pid)).json(STATS)
        self.assertEqual(answer["notes"], [])
        newest = answer["statistics"][0]["traceback"][0]
        self.assertEqual((newest["filename"], newest["lineno"]), (HOLDS, MARKS["moved"].line))


class SplitDebugInformation(Case):
    def test_without_its_files_lines_are_right_and_a_warning_tells_what_is_missing(self):
        path = os.path.join(self.directory, "split")
        command = ["gcc", "-g", "-gsplit-dwarf", "-O0", "-o", path, HOLDS]
        subprocess.run(command, cwd=self.directory, check=True)
        for is_there in (True, False):
            # gdb itself cannot do without them at the start.
            last = "shell true" if is_there else "shell rm *.dwo"
            commands = ["snapshot start", "break stop_here", "run", last, STATS, "snapshot stats"]
            results = self.batch(commands, path)
            answer = results.json(STATS)
            self.assertEqual(len(answer["notes"]), 0 if is_there else 1)
            newest = answer["statistics"][0]["traceback"][0]
            self.assertEqual(newest["lineno"], MARKS["moved"].line)
            self.assertEqual(newest["function"], "hold_large")
            first = results["snapshot stats"].splitlines()[0]
            self.assertEqual(first.startswith("warning: {}: ".format(path)), not is_there)
            self.assertEqual(".dwo) is missing" in first, not is_there)


class Names(Case):
    """Paths that are not UTF-8."""

    STATS = "snapshot stats lineno --json"

    def setUp(self):
        super().setUp()
        where = os.path.join(os.fsencode(self.directory), b"d\xff r\xc3\xa9")
        os.mkdir(where)
        self.path = os.path.join(where, b"prog\xfe")
        shutil.copy(program("holds"), self.path)

    def assert_exact(self, answer):
        self.assertEqual(answer["total"], {"size": 10128, "count": 14})
        self.assertEqual(answer["notes"], [])
        newest = answer["statistics"][0]["traceback"][0]
        self.assertEqual(newest["lineno"], MARKS["moved"].line)

    def test_a_process_and_its_core_are_read(self):
        dump = os.path.join(self.directory, "core")
        commands = ["snapshot start", "break stop_here", "run", self.STATS]
        commands += ["generate-core-file {}".format(dump)]
        self.assert_exact(self.batch(commands, self.path).json(self.STATS))
        self.assert_exact(self.batch([self.STATS], self.path, dump).json(self.STATS))


if __name__ == "__main__":
    unittest.main()
