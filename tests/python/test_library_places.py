"""Where the package finds the libraries: by the environment, else beside itself, in a
checkout's build/, in the prefix it is installed in."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PACKAGE = os.path.join(ROOT, "core", "python", "allocsnap")
NAMES = ("liballocsnap.so", "liballocsnap-hooks.so")
# Packages for compilers have the other name.
INSTALLED = ("liballocsnap.so.0", "liballocsnap-hooks.so")
TRIPLET = sys.implementation._multiarch
CODE = """
from allocsnap.errors import AllocsnapError
from allocsnap.library import library_files
for find in (library_files.library_path, library_files.hooks_path):
    try:
        print(find())
    except AllocsnapError as error:
        print(error)
"""


class Places(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = os.path.join(os.path.realpath(directory.name), "share", "allocsnap")
        self.packages = os.path.join(self.root, "core", "python")
        shutil.copytree(PACKAGE, os.path.join(self.packages, "allocsnap"))

    def put(self, *path, names=NAMES):
        """Lays both libraries (to be found, not to be loaded) into a directory."""
        directory = os.path.join(self.root, *path)
        os.makedirs(directory, exist_ok=True)
        for name in names:
            with open(os.path.join(directory, name), "wb"):
                pass
        return os.path.normpath(directory)

    def found(self, **environment):
        kept = {name: value for name, value in os.environ.items() if "ALLOCSNAP" not in name}
        return subprocess.run(
            [sys.executable, "-c", CODE],
            env=dict(kept, PYTHONPATH=self.packages, **environment),
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            check=True,
        ).stdout.splitlines()

    def expect(self, directory, names=NAMES, **environment):
        self.assertEqual(
            self.found(**environment), [os.path.join(directory, name) for name in names]
        )

    def test_first_to_last(self):
        """Each place laid down comes before those laid down so far."""
        for line in self.found():
            self.assertRegex(line, r"^liballocsnap\.so was not found: build it with `make`, ")
        for directory in (("lib", TRIPLET), ("lib64",), ("lib",)):
            with self.subTest(directory):
                self.expect(self.put("..", "..", *directory, names=INSTALLED), INSTALLED)
        self.expect(self.put("build"))
        self.expect(self.put("core", "python", "allocsnap"))
        chosen = self.put("chosen")
        self.expect(chosen, ALLOCSNAP_LIBRARY=os.path.join("chosen", NAMES[0]))

    def test_by_a_link_among_other_packages(self):
        """As Debian's package has it."""
        directory = self.put("..", "..", "lib", names=INSTALLED)
        others = os.path.join(self.root, "others")
        os.mkdir(others)
        os.symlink(os.path.join(self.packages, "allocsnap"), os.path.join(others, "allocsnap"))
        self.packages = others
        self.expect(directory, INSTALLED)

    def test_hooks_by_themselves(self):
        beside, chosen = self.put("build"), self.put("chosen")
        hooks = os.path.join(chosen, NAMES[1])
        self.assertEqual(
            self.found(ALLOCSNAP_HOOKS=hooks), [os.path.join(beside, NAMES[0]), hooks]
        )

    def test_what_is_chosen_and_not_there_is_not_passed_over(self):
        self.put("build")
        absent = os.path.join(self.root, "absent", NAMES[0])
        self.assertEqual(self.found(ALLOCSNAP_LIBRARY=absent)[0], absent)


if __name__ == "__main__":
    unittest.main()
