"""deps.sh on machines that are made up: a directory of stand-ins is all of their PATH."""

import os
import shutil
import subprocess
import tempfile
import unittest

SCRIPT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "deps.sh")

# What the script itself runs, and what it looks for of the set `run`.
TOOLS = ("sh", "cat", "env", "grep", "tr", "xargs")
NEEDED = ("cc", "gcc", "g++", "gdb", "node", "npm", "protoc", "protoc-gen-c")
COMMANDS_OF_BENCHES = ("valgrind", "sqlite3", "heaptrack", "readelf", "eu-addr2line",
                       "llvm-symbolizer", "python3-dbg", "lldb-14", "chromium")
APT = "-qq -o DPkg::Lock::Timeout=120"


class Deps(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = directory.name
        for tool in TOOLS:
            os.symlink(shutil.which(tool), os.path.join(self.path, tool))
        for name in NEEDED:
            self.stand_in(name)
        self.stand_in("id", "echo 0")

    def stand_in(self, name, script="exit 0"):
        path = os.path.join(self.path, name)
        if os.path.lexists(path):
            os.remove(path)  # it may be a link to the real one
        with open(path, "x", encoding="utf-8") as file:
            file.write("#!/bin/sh\n%s\n" % script)
        os.chmod(path, 0o755)

    def stand_in_for_libraries(self):
        """What the benches preload, with nothing in it."""
        for name in ("libjemalloc.so.2", "libtcmalloc.so.4"):
            subprocess.run(
                ["gcc", "-shared", "-x", "c", "/dev/null", "-o", os.path.join(self.path, name)],
                check=True,
            )

    def remove(self, name):
        os.remove(os.path.join(self.path, name))

    def run_deps(self, *arguments):
        """(status, what it printed)."""
        done = subprocess.run(
            ["/bin/sh", SCRIPT, *arguments],
            env={"PATH": self.path, "LD_LIBRARY_PATH": self.path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=60,
        )
        return done.returncode, done.stdout

    def test_all_there_without_apt(self):
        self.assertEqual(self.run_deps("run"), (0, "deps: nothing missing\n"))

    def test_missing_without_apt(self):
        self.remove("gdb")
        self.assertEqual(
            self.run_deps("run"),
            (1, "deps: missing, and no apt-get to install it: what Debian packages as gdb\n"),
        )

    def test_headers_need_a_compiler_that_finds_them(self):
        self.stand_in("cc", "exit 1")
        self.assertEqual(
            self.run_deps("run"),
            (
                1,
                "deps: missing, and no apt-get to install it: what Debian packages as"
                " libc6-dev libdwarf-dev libelf-dev zlib1g-dev libiberty-dev liblzma-dev libprotobuf-c-dev libsqlite3-dev\n",
            ),
        )

    def test_what_dpkg_knows_is_not_looked_for(self):
        self.remove("gdb")
        self.remove("g++")
        self.stand_in(
            "dpkg-query",
            "echo install ok installed gdb; echo deinstall ok config-files g++; exit 1",
        )
        self.assertEqual(
            self.run_deps("run"),
            (1, "deps: missing, and no apt-get to install it: what Debian packages as g++\n"),
        )

    def test_installs_as_root_what_is_missing(self):
        self.remove("gdb")
        self.stand_in("apt-get", 'echo "$DEBIAN_FRONTEND: $*"')
        self.assertEqual(
            self.run_deps("run"),
            (
                0,
                "noninteractive: %s update\n"
                "deps: installing gdb (apt-get, as root)\n"
                "noninteractive: %s install -y --no-install-recommends gdb\n" % (APT, APT),
            ),
        )

    def test_installs_with_sudo(self):
        self.remove("gdb")
        self.stand_in("id", "echo 1000")
        self.stand_in("apt-get")
        self.stand_in("sudo", 'echo "sudo $1"; exec "$@"')
        self.assertEqual(
            self.run_deps("run"),
            (0, "sudo env\ndeps: installing gdb (apt-get, with sudo)\nsudo env\n"),
        )

    def test_neither_root_nor_sudo(self):
        self.remove("gdb")
        self.stand_in("id", "echo 1000")
        self.stand_in("apt-get")
        self.assertEqual(
            self.run_deps("run"),
            (
                1,
                "deps: missing, and neither root nor sudo: as root, run apt-get install gdb\n",
            ),
        )

    def test_apt_fails(self):
        self.remove("gdb")
        self.stand_in("apt-get", "echo E: no; exit 100")
        status, said = self.run_deps("run")
        self.assertEqual(status, 1)
        self.assertEqual(
            said.splitlines()[-1], "deps: apt-get could not install gdb (its words are above)"
        )

    def test_libraries_that_are_preloaded(self):
        for name in COMMANDS_OF_BENCHES:
            self.stand_in(name)
        self.stand_in_for_libraries()
        self.stand_in("env", 'echo "$LD_PRELOAD"')
        self.assertEqual(self.run_deps("bench"), (0, "deps: nothing missing\n"))
        self.stand_in("env", 'case $LD_PRELOAD in *jemalloc*) echo "ld.so: no such file" >&2 ;; esac')
        self.assertEqual(
            self.run_deps("bench"),
            (
                1,
                "deps: missing, and no apt-get to install it: what Debian packages as"
                " libjemalloc2\n",
            ),
        )

    def test_any_lldb_is_kept(self):
        for name in COMMANDS_OF_BENCHES:
            self.stand_in(name)
        self.stand_in_for_libraries()
        self.stand_in("env", 'echo "$LD_PRELOAD"')
        self.remove("lldb-14")
        with open("/etc/os-release", encoding="utf-8") as file:
            package = "lldb-22" if "VERSION_CODENAME=bookworm\n" in file else "lldb"
        missing = "deps: missing, and no apt-get to install it: what Debian packages as %s\n" % package
        self.assertEqual(self.run_deps("bench"), (1, missing))
        for name in ("lldb-14", "lldb-19", "lldb"):
            self.stand_in(name)
            self.assertEqual(self.run_deps("bench"), (0, "deps: nothing missing\n"))
            self.remove(name)

    def test_the_first_alternative_that_apt_knows(self):
        """A|B, where neither dpkg nor the proof knows of the first."""
        self.stand_in("dpkg-query", "for name; do echo install ok installed $name; done |"
                      " { grep -v -e gold || true; }")
        self.stand_in("apt-get")
        for known, package in (("no-such", "binutils-gold"), ("binutils", "binutils"),
                               ("binutils*", "binutils-gold")):
            self.stand_in("apt-cache", 'case $2 in %s) echo "Package: $2" ;; esac' % known)
            status, said = self.run_deps("test")
            self.assertEqual(status, 0)
            self.assertEqual(said, "deps: installing %s (apt-get, as root)\n" % package)

    def test_unknown_set(self):
        self.assertEqual(
            self.run_deps("all"),
            (1, "deps: no set named 'all': say run, test, lint, bench, soak or deb\n"),
        )


if __name__ == "__main__":
    unittest.main()
