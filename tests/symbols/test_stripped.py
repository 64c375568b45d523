"""Functions without a name, in stripped files: told by where they begin, as readelf reads the
unwind information."""

import os
import random
import re
import shutil
import subprocess
import tempfile
import unittest

from .namer import Namer
from .test_symbols_accuracy import build

#: Stripped programs of Debian's.
PROGRAMS = ("git", "redis-server", "sqlite3", "gdb")

_ENTRY = re.compile(r"FDE cie=[0-9a-f]+ pc=([0-9a-f]+)\.\.([0-9a-f]+)")


def bounds(path):
    """The sorted (start, end) of the functions that a file has unwind information of."""
    text = subprocess.run(["readelf", "--debug-dump=frames", path], check=True,
                          capture_output=True, encoding="utf-8").stdout
    found = {tuple(int(number, 16) for number in entry) for entry in _ENTRY.findall(text)}
    return sorted(pair for pair in found if pair[0] < pair[1])


class Stripped(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.directory)

    def names(self, path, addresses):
        """The one frame of each address, by nobody's symbols."""
        namer = Namer(path, debug_directories=self.directory)
        try:
            found = namer.name(addresses)
        finally:
            namer.close()
        self.assertEqual({len(frames) for frames in found}, {1})
        return [frames[0] for frames in found]

    def check(self, path, least):
        """Names the first, the last and some other address of functions, of which a part, `least`,
        have no symbol."""
        functions = bounds(path)
        chosen = random.Random(7).sample(functions, min(1500, len(functions)))
        addresses = [address for start, end in chosen
                     for address in (start, end - 1, (start + end) // 2)]
        starts = [start for start, _ in chosen for _ in range(3)]
        nameless = 0
        for frame, start in zip(self.names(path, addresses), starts):
            self.assertEqual(frame[:2], (path, 0))
            if "+0x" in frame[2]:
                self.assertEqual(frame[2], "{}+{:#x}".format(os.path.basename(path), start))
                nameless += 1
        self.assertGreater(nameless, least * len(addresses))

    def test_programs_of_the_system(self):
        for name in PROGRAMS:
            with self.subTest(name):
                self.check(os.path.realpath(shutil.which(name)), least=0.2)

    def test_what_compilers_and_linkers_make(self):
        for options in (["g++", "subject.cc", "-O2"], ["g++", "subject.cc", "-O2", "-no-pie"],
                        ["clang++", "subject.cc", "-O2"],
                        ["g++", "subject.cc", "-O2", "-Wl,--no-eh-frame-hdr"],
                        ["g++", "subject.cc", "-O2", "-shared", "-fPIC", "-Wl,-Ttext-segment=0x3a000000"]):
            with self.subTest(options):
                path = build(self.directory, *options)
                subprocess.run(["strip", "--strip-all", path], check=True)
                self.check(path, least=0.4)

    def test_without_unwind_information_it_is_the_address_itself(self):
        path = build(self.directory, "gcc", "subject.c", "-O0")
        functions = bounds(path)
        subprocess.run(["strip", "--strip-all", path], check=True)
        subprocess.run(["objcopy", "--remove-section", ".eh_frame", "--remove-section",
                        ".eh_frame_hdr", path], check=True)
        address = functions[len(functions) // 2][0] + 1
        self.assertEqual(self.names(path, [address]),
                         [(path, 0, "{}+{:#x}".format(os.path.basename(path), address), False)])


if __name__ == "__main__":
    unittest.main()
