"""make install lays the files where debuggers, compilers and python3 find all they need,
without the checkout; make uninstall takes them back."""

import functools
import glob
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from . import house
from .installed import ROOT, Stranger, make, own_environment, run, tree

# Legal in a path, and apt to mean something to make, sh, pkg-config, roff or a debugger.
ODD = "it's a & b #d *e %f $HOME \\g"
# pkg-config does not quote brackets, and LD_LIBRARY_PATH ends at a semicolon.
ODDER = ODD + "; (h)"


def version():
    with open(os.path.join(ROOT, "Makefile"), encoding="utf-8") as file:
        return re.search(r"^VERSION := (.*)$", file.read(), re.M).group(1)


def of_checkout(*patterns):
    return sorted(
        os.path.relpath(path, ROOT)
        for pattern in patterns
        for path in glob.glob(os.path.join(ROOT, pattern))
    )


def expected():
    """What lies below a prefix, directories aside."""
    names = ["include/" + os.path.basename(path) for path in of_checkout("core/include/*.h")]
    for section in "17":
        pages = of_checkout("docs/man/*." + section)
        names += ["share/man/man{}/{}".format(section, os.path.basename(path)) for path in pages]
    names += ["bin/allocsnap", "share/bash-completion/completions/allocsnap"]
    names += ["share/zsh/site-functions/_allocsnap"]
    shared = of_checkout("core/python/allocsnap/*.py", "core/python/allocsnap/*/*.py")
    shared += of_checkout(*(folder + "/*.py" for folder in house.folders(ROOT)))
    shared += ["core/python/allocsnap/py.typed", "installed", "report.html"]
    names += ["share/allocsnap/" + path for path in shared]
    libraries = ["liballocsnap-hooks.so", "liballocsnap.so", "liballocsnap.so.0"]
    return sorted(names + ["lib/" + name for name in libraries + ["pkgconfig/allocsnap.pc"]])


class Install(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.place = os.path.join(directory.name, "place")

    def files(self):
        return [path for path in tree(self.place) if not path.endswith("/")]

    def test_files_below_destdir(self):
        said = make("install", "PREFIX=/opt/allocsnap", "DESTDIR=" + self.place)
        self.assertEqual(self.files(), ["opt/allocsnap/" + path for path in expected()])
        scripts = [debugger.script for debugger in house.debuggers(ROOT)]
        for path in ["core/python/allocsnap/__init__.py", "installed"] + scripts:
            self.assertIn("share/allocsnap/" + path, expected())
        library = os.path.join(self.place, "opt", "allocsnap", "lib", "liballocsnap.so")
        self.assertEqual(os.readlink(library), "liballocsnap.so.0")
        lines = ["For the snapshot commands in every gdb, add this line to your ~/.gdbinit:"]
        lines += ["source /opt/allocsnap/share/allocsnap/gdb/allocsnap_gdb.py"]
        lines += ["In every LLDB, with this one in your ~/.lldbinit:"]
        lines += ["command script import /opt/allocsnap/share/allocsnap/lldb/allocsnap_lldb.py"]
        self.assertEqual(said.splitlines()[:4], lines)
        self.assertEqual(len(said.splitlines()), 2 * len(scripts))

    def test_for_everybody(self):
        """Whatever the umask of who installs is."""
        run(["sh", "-c", "umask 077; exec make -s install"], cwd=ROOT,
            env=own_environment(PREFIX=self.place, LDCONFIG=":"))
        for path in tree(self.place):
            full = os.path.join(self.place, path)
            if not os.path.islink(full) and path != "share/allocsnap/installed":
                is_program = path.endswith(("/", ".so", ".so.0", "bin/allocsnap"))
                mode = os.stat(full).st_mode & 0o777
                self.assertEqual((path, mode), (path, 0o755 if is_program else 0o644))

    def test_uninstall_leaves_what_was_there(self):
        os.makedirs(os.path.join(self.place, "lib"))
        with open(os.path.join(self.place, "lib", "other.so"), "w", encoding="utf-8"):
            pass
        make("install", "PREFIX=" + self.place)
        # As a session of root does.
        package = os.path.join(self.place, "share", "allocsnap", "core", "python", "allocsnap")
        os.makedirs(os.path.join(package, "__pycache__"))
        make("uninstall", "PREFIX=" + self.place)
        self.assertEqual(tree(self.place), ["lib/", "lib/other.so"])

    def test_uninstall_leaves_nothing(self):
        make("install", "DESTDIR=" + self.place)
        make("uninstall", "DESTDIR=" + self.place)
        self.assertEqual(tree(self.place), [])
        self.assertEqual(
            make("uninstall", "DESTDIR=" + self.place, status=2).splitlines()[0],
            "install: allocsnap is not installed in %s/usr/local: give the PREFIX and DESTDIR of the"
            " install" % self.place,
        )

    def test_uninstall_of_what_is_gone_in_part(self):
        make("install", "PREFIX=" + self.place + "/")
        shutil.rmtree(os.path.join(self.place, "share", "man"))
        os.remove(os.path.join(self.place, "lib", "liballocsnap.so"))
        make("uninstall", "PREFIX=" + self.place)
        self.assertFalse(os.path.exists(self.place))

    def test_files_of_another_version_go(self):
        make("install", "PREFIX=" + self.place)
        old = os.path.join(self.place, "include", "allocsnap_old.h")
        manifest = os.path.join(self.place, "share", "allocsnap", "installed")
        with open(old, "w", encoding="utf-8"), open(manifest, "a", encoding="utf-8") as file:
            file.write(old + "\n")
        make("install", "PREFIX=" + self.place)
        self.assertEqual(self.files(), expected())

    def test_library_directories(self):
        for name in ("lib64", "lib/aarch64-linux-gnu"):
            with self.subTest(name):
                libdir = os.path.join(self.place, name)
                make("install", "PREFIX=" + self.place, "LIBDIR=" + libdir)
                names = [re.sub("^lib/", name + "/", path) for path in expected()]
                self.assertEqual(self.files(), sorted(names))
                make("uninstall", "PREFIX=" + self.place)
                self.assertFalse(os.path.exists(self.place))

    def test_paths_that_cannot_be(self):
        cases = {
            ("PREFIX=here",): "install: PREFIX must be an absolute path, not here",
            ("PREFIX=/a", "LIBDIR=/b"): (
                "install: LIBDIR must be lib, lib64 or lib/TRIPLET below /a, not /b"
            ),
        }
        for arguments, message in cases.items():
            for goal in ("install", "uninstall"):
                said = make(goal, *arguments, "DESTDIR=" + self.place, status=2)
                self.assertEqual(said.splitlines()[0], message)
        self.assertFalse(os.path.exists(self.place))

    def test_odd_paths(self):
        destination, prefix = os.path.join(self.place, ODDER), "/" + ODDER
        said = make("install", "PREFIX=" + prefix, "DESTDIR=" + destination)
        self.assertIn("source %s/share/allocsnap/gdb/allocsnap_gdb.py" % prefix, said.splitlines())
        self.assertEqual(self.files(), [os.path.join(ODDER, ODDER, path) for path in expected()])
        page = os.path.join(destination, ODDER, "share", "man", "man7", "allocsnap.7")
        shown = run(["mandoc", "-Tascii", "-Owidth=200", page])
        self.assertIn("gdb: source %s/share/allocsnap/gdb/" % prefix, re.sub(".\b", "", shown))
        make("uninstall", "PREFIX=" + prefix, "DESTDIR=" + destination)
        self.assertEqual(tree(self.place), [ODDER + "/"])

    def test_use_at_an_odd_path(self):
        prefix = os.path.join(self.place, ODD)
        source = make("install", "PREFIX=" + prefix).splitlines()[1]
        home = os.path.join(self.place, "home")
        os.mkdir(home)
        stranger = Stranger(home, os.path.join(prefix, "lib"))
        self.assertEqual(stranger.pkg_config("--variable=prefix"), prefix + "\n")
        # A shell would take pkg-config's $ for its own.
        stranger.compile(stranger.pkg_config("--cflags", "--libs").replace("$", "\\$"))
        stranger.check_program_alone(self, version())
        stranger.init(source)
        said = stranger.debug("snapshot start", status=1)
        self.assertRegex(said, r"^the hooks library's path .* which LD_PRELOAD cannot hold: ")
        self.assertEqual(len(said.splitlines()), 1)


class Installed(unittest.TestCase):
    """The installed tree, from a home directory that is empty, when the checkout is gone."""

    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        place = os.path.realpath(directory.name)
        cls.checkout, cls.prefix = os.path.join(place, "checkout"), os.path.join(place, "prefix")
        for path in of_checkout("Makefile", "core", *house.folders(ROOT), "docs", "tests/*/*.mk",
                                "build/*.so", "build/*.so.0", "build/obj/core"):
            cls.copy(path)
        cls.said = make("install", "PREFIX=" + cls.prefix, directory=cls.checkout).splitlines()
        shutil.rmtree(cls.checkout)
        home = os.path.join(place, "home")
        os.mkdir(home)
        cls.stranger = Stranger(home, os.path.join(cls.prefix, "lib"))
        cls.stranger.init(cls.said[1])
        cls.stranger.compile(cls.stranger.pkg_config("--cflags", "--libs"))

    @classmethod
    def copy(cls, path):
        """Times included, by which make sees that all is built."""
        source, target = os.path.join(ROOT, path), os.path.join(cls.checkout, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if os.path.isdir(source):
            shutil.copytree(source, target, symlinks=True)
        else:
            shutil.copy2(source, target, follow_symlinks=False)

    def test_session_and_script(self):
        self.stranger.check_session(self)
        packages = os.path.join(self.prefix, "share", "allocsnap", "core", "python")
        self.stranger.check_python(self, PYTHONPATH=packages)
        self.stranger.check_types(self, PYTHONPATH=packages)
        program = os.path.join(self.prefix, "bin", "allocsnap")
        self.stranger.check_command_line(self, program)
        link = os.path.join(self.stranger.home, "as")
        os.symlink(program, link)
        self.stranger.check_command_line(self, link)

    def test_session_in_lldb(self):
        names = ["lldb"] + ["lldb-%d" % number for number in range(40, 13, -1)]
        lldb = next(filter(None, map(shutil.which, names)))
        self.stranger.init(self.said[3], ".lldbinit")
        self.stranger.check_session(self, functools.partial(self.stranger.debug_in_lldb, lldb))

    def test_program(self):
        self.stranger.check_program(self, version())
        self.assertEqual(
            self.stranger.pkg_config("--modversion", "--variable=hooks").splitlines()[0], version()
        )
        self.assertEqual(
            self.stranger.pkg_config("--variable=hooks"),
            os.path.join(self.prefix, "lib", "liballocsnap-hooks.so") + "\n",
        )

    def test_traced_program_needs_no_library(self):
        flags = self.stranger.pkg_config("--cflags")
        self.assertEqual(flags.split(), ["-I" + os.path.join(self.prefix, "include")])

    def test_manual(self):
        for page in ("allocsnap.1", "allocsnap.7", "liballocsnap-hooks.7"):
            path = os.path.join(self.prefix, "share", "man", "man" + page[-1], page)
            self.assertEqual(run(["mandoc", "-Tlint", "-Wwarning", path]), "")
            with open(path, encoding="utf-8") as file:
                self.assertNotRegex(file.read(), "@[A-Z]+@")

    def test_nothing_names_the_checkout(self):
        """The libraries' debug information aside."""
        found = subprocess.run(
            ["grep", "-rlI", self.checkout, self.prefix], stdout=subprocess.PIPE, check=False
        )
        self.assertEqual((found.returncode, found.stdout), (1, b""))


if __name__ == "__main__":
    unittest.main()
