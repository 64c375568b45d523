"""What is typed in a shell: `allocsnap`, of the checkout."""

import os
import signal
import subprocess

from . import harness

ALLOCSNAP = os.path.join(harness.ROOT, "core", "install", "allocsnap")
PYTHON = os.environ.get("PYTHON", "/usr/bin/python3")


class Typed(harness.Case):
    """A test of the command line."""

    def setUp(self):
        super().setUp()
        # A shell without job control has what it starts in the background ignore these.
        for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGQUIT, signal.SIG_DFL)):
            self.addCleanup(signal.signal, number, signal.signal(number, handler))

    def typed(self, *words, before=(), **options):
        """(status, standard output, standard error) of `allocsnap` and these words, as text. `before`:
        what it is run by."""
        options.setdefault("stdin", subprocess.DEVNULL)
        env = harness.environment(self.home, **options.pop("env", {}))
        done = subprocess.run(
            list(before) + [PYTHON, "-B", ALLOCSNAP] + [str(word) for word in words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=options.pop("cwd", self.directory),
            env=env,
            timeout=harness.DEADLINE,
            check=False,
            **options
        )
        texts = [text.decode("utf-8", "surrogateescape") for text in (done.stdout, done.stderr)]
        return (done.returncode, *texts)

    def told(self, *words, **options):
        """What it prints, where all goes well."""
        status, out, err = self.typed(*words, **options)
        self.assertEqual((status, err), (0, ""), out)
        return out

    def refused(self, status, *words, **options):
        """The line that says why it does nothing."""
        found, out, err = self.typed(*words, **options)
        self.assertEqual((found, out), (status, ""), err)
        self.assertRegex(err, r"\Aallocsnap: .+\n\Z")
        self.assertEqual(err.count("\n"), 1, err)
        return err[len("allocsnap: ") : -1]


def threads(pid):
    """{number: state letter} of the threads of a process."""
    found = {}
    for name in os.listdir("/proc/{}/task".format(pid)):
        with open("/proc/{}/task/{}/stat".format(pid, name), encoding="ascii", errors="replace") as file:
            found[int(name)] = file.read().rpartition(") ")[2][0]
    return found


def children(pid):
    """The numbers of the processes that the first thread of one has started."""
    with open("/proc/{0}/task/{0}/children".format(pid), encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def tracer(pid):
    """The number of the process that traces another; 0: none does."""
    with open("/proc/{}/status".format(pid), encoding="ascii", errors="replace") as file:
        return int(next(line.split()[1] for line in file if line.startswith("TracerPid:")))


