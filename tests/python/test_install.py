"""make install lays the files where gdb finds all it needs; make uninstall takes them back."""

import os
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.join(ROOT, "build", "tests", "programs", "plain")
SECONDS = 300


def make(*arguments):
    """What make prints; the makes above this test are none of its business."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))
    }
    return subprocess.run(
        ["make", "-s", "-C", ROOT, *arguments],
        env=environment,
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        timeout=SECONDS,
    ).stdout


def tree(root):
    """Paths of all files below `root`, relative to it."""
    return sorted(
        os.path.relpath(os.path.join(directory, name), root)
        for directory, _, names in os.walk(root)
        for name in names
    )


class Install(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.place = directory.name

    def test_files_below_destdir(self):
        said = make("install", "PREFIX=/opt/allocsnap", "DESTDIR=" + self.place)
        prefix = os.path.join(self.place, "opt", "allocsnap")
        found = tree(self.place)
        for path in (
            "include/allocsnap.h",
            "include/allocsnap_memory.h",
            "include/allocsnap_names.h",
            "include/allocsnap_render.h",
            "lib/liballocsnap-hooks.so",
            "lib/liballocsnap.so",
            "lib/liballocsnap.so.0",
            "share/allocsnap/core/python/allocsnap/__init__.py",
            "share/allocsnap/gdb/allocsnap_gdb.py",
            "share/allocsnap/lldb/allocsnap_lldb.py",
        ):
            self.assertIn("opt/allocsnap/" + path, found)
        self.assertEqual(
            os.readlink(os.path.join(prefix, "lib", "liballocsnap.so")), "liballocsnap.so.0"
        )
        self.assertEqual(
            said.splitlines()[-3::2],
            [
                "source /opt/allocsnap/share/allocsnap/gdb/allocsnap_gdb.py",
                "command script import /opt/allocsnap/share/allocsnap/lldb/allocsnap_lldb.py",
            ],
        )

    def test_uninstall_leaves_what_was_there(self):
        other = os.path.join(self.place, "lib", "other.so")
        os.makedirs(os.path.dirname(other))
        with open(other, "w", encoding="utf-8"):
            pass
        make("install", "PREFIX=" + self.place)
        self.assertGreater(len(tree(self.place)), 1)
        make("uninstall", "PREFIX=" + self.place)
        self.assertEqual(tree(self.place), ["lib/other.so"])

    def test_gdb_finds_the_installed_parts(self):
        source = make("install", "PREFIX=" + self.place).splitlines()[-3]
        environment = {
            name: value
            for name, value in os.environ.items()
            if name not in ("ALLOCSNAP_LIBRARY", "ALLOCSNAP_HOOKS")
        }
        done = subprocess.run(
            ["gdb", "-q", "-nx", "-batch", PROGRAM]
            + ["-ex", source, "-ex", "snapshot start 5", "-ex", "show environment LD_PRELOAD"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=SECONDS,
        )
        hooks = os.path.join(self.place, "lib", "liballocsnap-hooks.so")
        self.assertEqual(done.stdout.splitlines()[-1], "LD_PRELOAD = " + hooks)
        self.assertEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main()
