"""The symbolizer against three other tools, over programs and libraries as they are installed:
whole ones, such with a debug file by build ID, with a file that debug files share, and such with
nothing but a symbol table."""

import glob
import os
import re
import subprocess
import unittest

from . import oracles
from .namer import LIBRARY
from .test_symbols_accuracy import sample
from .test_symbols_options import Compared

PLACE = "/usr/lib/x86_64-linux-gnu"
DEBUG = "/usr/lib/debug"
COUNT = 2500
# In a symbol table.
DYNAMIC = re.compile(r"^([0-9a-f]{16}) ([0-9a-f]{16}) [tTWi] (.*?)(@.*)?$", re.MULTILINE)


class Programs(Compared):
    seconds = 17

    def compare_installed(self, pattern):
        """A library whose debug file is in its place under the debug directory."""
        found = glob.glob(os.path.join(PLACE, pattern))
        if len(found) != 1:
            self.skipTest("no " + pattern)
        notes = subprocess.check_output(["readelf", "-n", found[0]], encoding="utf-8")
        identity = re.search(r"Build ID: ([0-9a-f]+)", notes).group(1)
        debug = os.path.join(DEBUG, ".build-id", identity[:2], identity[2:] + ".debug")
        if not os.path.exists(debug):
            self.skipTest(pattern + " has no debug file of its build: install it, or upgrade both")
        return self.compare(os.path.realpath(found[0]), COUNT, symbols_of=debug)

    def test_c_library(self):
        self.compare_installed("libc.so.6")

    def test_file_shared_by_debug_files(self):
        """libbinutils-dbg: built as a whole, and its two debug files share one."""
        self.compare_installed("libbfd-*-system.so")
        shared = self.compare_installed("libopcodes-*-system.so")
        self.assertGreater(shared.total, 1000)

    def test_cxx_library(self):
        """libstdc++6-12-dbg, built without optimisation, has its debug information in it."""
        found = glob.glob(os.path.join(PLACE, "debug", "libstdc++.so.6.*[0-9]"))
        if len(found) != 1:
            self.skipTest("libstdc++'s debug file is not installed")
        self.compare(found[0], COUNT)

    def test_own_libraries(self):
        """As the debugger loads it; and the hooks, which are built as a whole."""
        self.compare(LIBRARY, COUNT)
        self.compare(os.path.join(os.path.dirname(LIBRARY), "liballocsnap-hooks.so"), COUNT)

    def test_symbol_tables(self):
        """The function, or another name for it, as eu-addr2line says."""
        for path in ("/usr/bin/gdb", "/usr/bin/gdbserver", "/usr/bin/perl",
                     os.path.join(PLACE, "libstdc++.so.6")):
            if not os.path.exists(path):
                continue
            with self.subTest(path=path):
                path = os.path.realpath(path)
                plain = self.dynamic(path, "nm -D -S -n -C")
                verbose = self.dynamic(path, "nm -D -S -n", "c++filt")
                addresses = sample(plain, COUNT)
                said, = oracles.ask_all(["eu-addr2line"], path, addresses)
                for address, stack, theirs in zip(addresses, self.named(path, addresses), said):
                    (file, line, function, inlined), = stack
                    self.assertEqual((file, line, inlined), (path, 0, False))
                    self.assertIn(function, self.names(plain, address))
                    self.assertIn(theirs[0][0].split("@")[0], self.names(verbose, address))

    def dynamic(self, path, list_symbols, *filters):
        """(start, size, name) of the functions in the dynamic symbol table."""
        listed = subprocess.check_output(list_symbols.split() + [path])
        for command in filters:
            listed = subprocess.run([command], input=listed, stdout=subprocess.PIPE,
                                    check=True).stdout
        return [(int(start, 16), int(size, 16), name)
                for start, size, name, _ in DYNAMIC.findall(listed.decode())]

    def names(self, functions, address):
        return {name for start, size, name in functions if start <= address < start + size}


if __name__ == "__main__":
    unittest.main()
