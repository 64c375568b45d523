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


PROGRAM_SOURCE = """
#include <stdlib.h>
void *keep(size_t size);
static void *volatile kept[2];
int main(void)
{
    kept[0] = malloc(1000);
    kept[1] = keep(50);
    abort();
}
"""
LIBRARY_SOURCE = """
#include <stdlib.h>
void *keep(size_t size)
{
    return malloc(size);
}
"""


class Sysroot(Case):
    """A core of a program that ran elsewhere: it and its library are below a directory, where
    `set sysroot` points, stripped, with their debug files there too."""

    def setUp(self):
        super().setUp()
        self.home_of_program = os.path.join(self.directory, "device")
        os.mkdir(self.home_of_program)
        library = self.compile("libkeep.so", LIBRARY_SOURCE, "-shared", "-fPIC")
        started = self.compile("keeper", PROGRAM_SOURCE, library,
                               "-Wl,-rpath," + self.home_of_program)
        self.separate(library)
        self.separate(started)
        self.core = self.kernel_core(started)
        self.root = os.path.join(self.directory, "root")
        moved = self.root + self.home_of_program
        os.makedirs(os.path.dirname(moved))
        shutil.move(self.home_of_program, moved)
        self.moved = moved
        self.debug = os.path.join(self.root, "usr/lib/debug")

    def compile(self, name, text, *more):
        source = os.path.join(self.directory, name + ".c")
        with open(source, "w", encoding="utf-8") as file:
            file.write(text)
        path = os.path.join(self.home_of_program, name)
        subprocess.run(["gcc", "-g", "-O0", source, *more, "-o", path], check=True)
        return path

    def separate(self, path):
        debug = path + ".debug"
        subprocess.run(["objcopy", "--only-keep-debug", path, debug], check=True)
        subprocess.run(["objcopy", "--strip-all", path], check=True)
        subprocess.run(["objcopy", "--add-gnu-debuglink=" + debug, path], check=True)

    def check_lines(self, debug_directory):
        answer = self.batch(
            [STATS],
            "-iex", "set sysroot " + self.root,
            "-iex", "set debug-file-directory " + debug_directory,
            os.path.join(self.moved, "keeper"), self.core,
        ).json(STATS)
        self.assertEqual(answer["notes"], [])
        rows = [row["traceback"][0] for row in answer["statistics"]]
        self.assertEqual(
            [(os.path.basename(row["filename"]), row["lineno"], row["function"]) for row in rows],
            [("keeper.c", 7, "main"), ("libkeep.so.c", 5, "keep")],
        )

    def test_beside(self):
        self.check_lines("/nonexistent")

    def test_below_the_debug_directory_by_path(self):
        """By the path that the program had, without the sysroot, as gdb looks for it."""
        place = self.debug + self.home_of_program
        os.makedirs(place)
        for name in ("keeper.debug", "libkeep.so.debug"):
            shutil.move(os.path.join(self.moved, name), place)
        self.check_lines(self.debug)

    def test_below_the_debug_directory_by_build_id(self):
        for name in ("keeper", "libkeep.so"):
            path = os.path.join(self.moved, name)
            notes = subprocess.check_output(["readelf", "-n", path], encoding="utf-8")
            build_id = re.search("Build ID: ([0-9a-f]+)", notes).group(1)
            place = os.path.join(self.debug, ".build-id", build_id[:2])
            os.makedirs(place, exist_ok=True)
            shutil.move(path + ".debug", os.path.join(place, build_id[2:] + ".debug"))
        self.check_lines(self.debug)
