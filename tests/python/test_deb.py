"""The Debian packages: installed by dpkg into a root of their own, they work there; purged,
they leave nothing."""

import os
import re
import shutil
import tempfile
import unittest

from .installed import ROOT, TRIPLET, Stranger, make, own_environment, run, tree
from .test_install import expected, version

PACKAGES = ("allocsnap", "liballocsnap-dev", "liballocsnap0")
# dpkg wants to be root.
ROOTLY = [] if os.geteuid() == 0 else ["fakeroot"]


class Packages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.place = os.path.realpath(directory.name)
        cls.root = os.path.join(cls.place, "root")
        said = make("deb").splitlines()
        cls.files = [os.path.join(ROOT, path) for path in said if path.endswith(".deb")]
        # A system with the packages of this one, as far as dpkg is told, for what is depended on.
        os.makedirs(os.path.join(cls.root, "var", "lib", "dpkg"))
        shutil.copy("/var/lib/dpkg/status", os.path.join(cls.root, "var", "lib", "dpkg", "status"))

    def dpkg(self, *arguments, status=0):
        """What dpkg says, in a root where scripts of packages run outside of it."""
        environment = own_environment(LC_ALL="C", PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")
        command = ["dpkg", "--root=" + self.root, "--force-script-chrootless", "--no-triggers"]
        said = run(ROOTLY + command + list(arguments), status, env=environment)
        # The packages of this system are told of, and not there.
        return [line for line in said.splitlines() if "files list file for package" not in line]

    def laid(self):
        return [path for path in tree(os.path.join(self.root, "usr")) if not path.endswith("/")]

    def field(self, file, name):
        return run(["dpkg-deb", "-f", file, name]).strip()

    def test_control(self):
        architecture = run(["dpkg", "--print-architecture"]).strip()
        names = ["%s_%s-1_%s.deb" % (name, version(), architecture) for name in PACKAGES]
        self.assertEqual([os.path.basename(file) for file in self.files], names)
        tool, headers, library = self.files
        same = " (= %s-1)" % version()
        depends = self.field(tool, "Depends").split(", ")
        self.assertEqual(depends[:2], ["liballocsnap0" + same, "python3:any (>= 3.8)"])
        self.assertEqual(depends[2:], [])
        self.assertEqual(self.field(headers, "Depends"), "liballocsnap0" + same)
        needed = [re.sub(r" \(.*", "", name) for name in self.field(library, "Depends").split(", ")]
        # Debian 13 renamed some libraries for their 64-bit time.
        needed = [re.sub("t64$", "", name) for name in needed]
        self.assertEqual(needed, ["libc6", "libdwarf1", "libelf1", "liblzma5", "libprotobuf-c1", "libsqlite3-0", "zlib1g"])
        self.assertRegex(self.field(tool, "Recommends"), r"^gdb \(>= 12\) \| lldb ")

    def test_who_makes_them(self):
        """Name them, and a time for all in them, by which they can be made again, bit by bit."""
        place = os.path.join(self.place, "another build")
        os.mkdir(place)
        for name in ("liballocsnap.so", "liballocsnap-hooks.so"):
            shutil.copy2(os.path.join(ROOT, "build", name), place)
        made = []
        for _ in range(2):
            run(
                ["core/install/deb.sh"],
                cwd=ROOT,
                env=own_environment(
                    BUILD=place,
                    VERSION=version(),
                    SONAME="liballocsnap.so.0",
                    PYTHON="/usr/bin/python3",
                    DEBFULLNAME="Ann Other",
                    DEBEMAIL="ann@example.org",
                    SOURCE_DATE_EPOCH="1700000000",
                ),
            )
            files = [os.path.join(place, "deb", os.path.basename(file)) for file in self.files]
            made.append(run(["sha256sum"] + files))
        self.assertEqual(made[0], made[1])
        for file in files:
            self.assertEqual(self.field(file, "Maintainer"), "Ann Other <ann@example.org>")

    def test_install_use_and_purge(self):
        self.dpkg("-i", *self.files)
        laid = self.laid()
        # All that `make install` lays, and what is Debian's.
        moved = [re.sub("^lib/", "lib/%s/" % TRIPLET, path) for path in expected()]
        moved = [path + ".gz" * path.startswith("share/man/") for path in moved]
        moved = [path.replace("zsh/site-functions", "zsh/vendor-completions") for path in moved]
        moved.remove("share/allocsnap/installed")
        moved += ["lib/python3/dist-packages/allocsnap", "share/lintian/overrides/allocsnap"]
        moved += [
            "share/doc/%s/%s" % (name, file)
            for name in PACKAGES
            for file in ("changelog.Debian.gz", "changelog.gz", "copyright")
        ]
        self.assertEqual([path for path in laid if "__pycache__" not in path], sorted(moved))
        modules = [path for path in laid if re.match(r"share/allocsnap/core/python/.*\.py$", path)]
        compiled = [path for path in laid if path.endswith(".pyc") and "/core/python/" in path]
        self.assertEqual(len(compiled), len(modules))

        self.use()

        self.dpkg("--purge", *PACKAGES)
        self.assertEqual(self.laid(), [])
        for name in PACKAGES:
            self.assertEqual(
                self.dpkg("-s", name, status=1)[0],
                "dpkg-query: package '%s' is not installed and no information is available" % name,
            )

    def use(self):
        """As a stranger does, with nothing but what the packages have laid."""
        usr = os.path.join(self.root, "usr")
        libraries = os.path.join(usr, "lib", TRIPLET)
        home = os.path.join(self.place, "home")
        os.mkdir(home)
        stranger = Stranger(home, libraries)
        stranger.init("source %s/share/allocsnap/gdb/allocsnap_gdb.py" % usr)
        # In /usr, no flags are needed; pkg-config is told that it is elsewhere.
        self.assertEqual(stranger.pkg_config("--cflags", "--libs").split(), ["-lallocsnap"])
        flags = stranger.pkg_config(
            "--cflags",
            "--libs",
            PKG_CONFIG_SYSROOT_DIR=self.root,
            PKG_CONFIG_ALLOW_SYSTEM_CFLAGS="1",
            PKG_CONFIG_ALLOW_SYSTEM_LIBS="1",
        )
        stranger.compile(flags)
        stranger.check_program(self, version())
        stranger.check_session(self)
        packages = os.path.join(usr, "lib", "python3", "dist-packages")
        stranger.check_python(self, PYTHONPATH=packages)
        stranger.check_types(self, PYTHONPATH=packages)
        stranger.check_command_line(self, os.path.join(usr, "bin", "allocsnap"))
        page = os.path.join(usr, "share", "man", "man7", "allocsnap.7.gz")
        shown = stranger.run("mandoc", "-Tascii", "-Owidth=200", page)
        self.assertIn("source /usr/share/allocsnap/gdb/allocsnap_gdb.py", re.sub(".\b", "", shown))


if __name__ == "__main__":
    unittest.main()
