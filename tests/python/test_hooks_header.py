"""The header for traced programs stands on its own, in C and in C++."""

import os
import shutil
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

SOURCE = """\
#include "allocsnap_hooks.h"
int use(const void *block);
int use(const void *block)
{
    return allocsnap_track(1, (uintptr_t)block, 2) + allocsnap_untrack(1, (uintptr_t)block) +
           allocsnap_name_domain(1, "name");
}
"""


class Header(unittest.TestCase):
    def compile(self, command, suffix):
        if shutil.which(command[0]) is None:
            self.fail("install {}".format(command[0]))
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "use" + suffix)
            with open(path, "w", encoding="utf-8") as file:
                file.write(SOURCE)
            done = subprocess.run(
                command
                + ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"]
                + ["-I", os.path.join(ROOT, "core", "include"), path],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
            )
        self.assertEqual((done.returncode, done.stdout.decode()), (0, ""))

    def test_in_c(self):
        for compiler in ("gcc", "clang"):
            for standard in ("c99", "c11", "c2x"):
                with self.subTest(compiler=compiler, standard=standard):
                    self.compile([compiler, "-std=" + standard], ".c")

    def test_in_cxx(self):
        for compiler in ("g++", "clang++"):
            for standard in ("c++11", "c++17", "c++20"):
                with self.subTest(compiler=compiler, standard=standard):
                    self.compile([compiler, "-std=" + standard], ".cc")


if __name__ == "__main__":
    unittest.main()
