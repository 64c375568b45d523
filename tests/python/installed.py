"""What the tests of installations share: make, what lies where, and a stranger who has the
installed files only, with a program of their own and nothing else at home."""

import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SECONDS = 300
TRIPLET = sys.implementation._multiarch  # pylint: disable=protected-access
PATHS = ("PREFIX", "DESTDIR", "LIBDIR", "BUILD")

SOURCE = """\
#include <allocsnap.h>
#include <allocsnap_hooks.h>
#include <stdio.h>
#include <stdlib.h>

static void *kept[3];

__attribute__((noinline)) static void finish(const char *version, int tracked)
{
    printf("%s %d\\n", version, tracked);
}

int main(void)
{
    for (int i = 0; i < 3; i++)
        kept[i] = malloc(1000);
    finish(asnap_version(), allocsnap_track(1, (uintptr_t)kept, sizeof(kept)));
    return 0;
}
"""
MALLOC_LINE = 1 + SOURCE[: SOURCE.index("malloc(1000)")].count("\n")


def own_environment(**more):
    """This process's, without what would tell of the checkout or the makes above."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MAKE", "MFLAGS", "ALLOCSNAP", "PYTHONPATH")) and name not in PATHS
    }
    return dict(kept, **more)


def run(command, status=0, **options):
    """What a command prints, both streams; it must end with `status`."""
    options.setdefault("env", own_environment())
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=SECONDS,
        check=False,
        **options
    )
    if done.returncode != status:
        raise AssertionError("%s ended with %d:\n%s" % (command, done.returncode, done.stdout))
    return done.stdout


def make(*arguments, directory=ROOT, status=0):
    """What make prints. The list of the system's libraries is left alone."""
    # Make would take a $ for the beginning of a variable's name.
    arguments = [argument.replace("$", "$$") for argument in arguments]
    return run(["make", "-s", "-C", directory, "LDCONFIG=:", *arguments], status)


def tree(root):
    """Paths of all files and, with a / at their end, directories below `root`."""
    found = []
    for directory, directories, names in os.walk(root):
        links = [name for name in directories if os.path.islink(os.path.join(directory, name))]
        paths = names + links + [name + "/" for name in directories if name not in links]
        found += [os.path.relpath(directory, root) + "/" + path for path in paths]
    return sorted(path[2:] if path.startswith("./") else path for path in found)


class Stranger:
    """Somebody whose home is empty but for what is said here."""

    def __init__(self, home, library_directory):
        self.home = home
        self.library_directory = library_directory
        self.program = os.path.join(home, "use")
        self.environment = own_environment(HOME=home, LD_LIBRARY_PATH=library_directory)

    def run(self, *command, status=0, **environment):
        variables = dict(self.environment, **environment)
        return run(list(command), status, env=variables, cwd=self.home)

    def pkg_config(self, *arguments, **environment):
        place = os.path.join(self.library_directory, "pkgconfig")
        return self.run("pkg-config", *arguments, "allocsnap", PKG_CONFIG_PATH=place, **environment)

    def compile(self, flags):
        """Compiles the program with the flags that pkg-config has printed."""
        with open(self.program + ".c", "w", encoding="utf-8") as file:
            file.write(SOURCE)
        # The shell takes away what pkg-config has put before blanks and quotes.
        command = "gcc -g -O0 -fno-builtin -Wall -Werror -o use use.c " + flags
        self.run("sh", "-c", command)

    def debug(self, *commands, status=0):
        """What gdb prints, with the init file at home, for commands in a session."""
        arguments = [word for command in commands for word in ("-ex", command)]
        return self.run("gdb", "-q", "-batch", *arguments, self.program, status=status)

    def debug_in_lldb(self, lldb, *commands):
        """The same of LLDB."""
        arguments = [word for command in commands for word in ("-o", command)]
        return self.run(lldb, "-b", *arguments, self.program)

    def init(self, line, name=".gdbinit"):
        """Makes `line` the one of ~/.gdbinit, or of another such file."""
        with open(os.path.join(self.home, name), "w", encoding="utf-8") as file:
            file.write(line + "\n")

    def check_session(self, test, debug=None):
        """A session of gdb, or of what `debug` runs: the program's own blocks, and a dump of
        them in ~/one.dump."""
        said = (debug or self.debug)(
            "snapshot start 5",
            "breakpoint set -n finish" if debug else "break finish",
            "run",
            "snapshot take one",
            "snapshot stats one --json --include */use.c --domain 0",
            "snapshot stats one --json --include */use.c --domain 1",
            "snapshot dump one one.dump",
        )
        totals = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
        test.assertEqual(
            [part["total"] for part in totals],
            [{"size": 3000, "count": 3}, {"size": 24, "count": 1}],
            said,
        )
        test.assertEqual([part["notes"] for part in totals], [[], []])
        frame = totals[0]["statistics"][0]["traceback"][0]
        test.assertEqual(frame["filename"], os.path.realpath(self.program + ".c"))
        test.assertEqual((frame["lineno"], frame["function"]), (MALLOC_LINE, "main"))

    def check_python(self, test, **environment):
        """A script of plain python3 finds the same in the dump."""
        script = (
            "import allocsnap\n"
            "snapshot = allocsnap.Snapshot.load('one.dump')\n"
            "kept = snapshot.filter_traces([allocsnap.Filter(True, '*/use.c', domain=0)])\n"
            "print([(s.size, s.count, s.traceback[0].lineno) for s in kept.statistics('lineno')])\n"
        )
        said = self.run("/usr/bin/python3", "-c", script, **environment)
        test.assertEqual(said, "[(3000, 3, %d)]\n" % MALLOC_LINE)

    def check_types(self, test, **environment):
        """Programs with types are taken by strict mypy, which finds those of the package, and do what
        they say with the dump."""
        here = os.path.join(ROOT, "tests", "python")
        with open(os.path.join(here, "typed_standard.py"), encoding="utf-8") as file:
            standard = file.read()
        with open(os.path.join(here, "typed_further.py"), encoding="utf-8") as file:
            further = file.read()
        sources = {
            "standard.py": standard,
            "standing_in.py": standard.replace("import tracemalloc\n", "import allocsnap as tracemalloc\n"),
            "further.py": further,
        }
        for name, text in sources.items():
            with open(os.path.join(self.home, name), "w", encoding="utf-8") as file:
                file.write(text)
        said = self.run("mypy", "--strict", *sources, **environment)
        test.assertEqual(said, "Success: no issues found in 3 source files\n")
        said = self.run("/usr/bin/python3", "standing_in.py", "one.dump", **environment)
        test.assertEqual(said, "['3000 3 %d'] 24 3 False\nTrue\n" % MALLOC_LINE)
        said = self.run("/usr/bin/python3", "further.py", "one.dump", **environment)
        test.assertEqual(said, "['main', 'main', 'main'] 1 1010\n")

    def check_command_line(self, test, program, **environment):
        """`allocsnap`, at this path, finds the same in ~/one.dump, and has its completion at hand."""
        said = self.run(
            program, "one.dump", "stats", "--json", "--include", "*/use.c", "--domain", "0", **environment
        )
        test.assertEqual(json.loads(said)["total"], {"size": 3000, "count": 3})
        said = self.run(program, "one.dump", "status", "--what", status=2, **environment)
        test.assertEqual(
            said, "allocsnap: unrecognized arguments: --what; `allocsnap status --help` shows how\n"
        )

    def check_program_alone(self, test, version):
        test.assertEqual(self.run(self.program), "%s -2\n" % version)

    def check_program(self, test, version):
        """The program by itself: without the hooks and with them."""
        self.check_program_alone(test, version)
        hooks = os.path.join(self.library_directory, "liballocsnap-hooks.so")
        test.assertEqual(self.run(self.program, LD_PRELOAD=hooks), "%s 0\n" % version)
