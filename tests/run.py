"""Runs every test, several beside one another: each CUnit program given, and the test_*.py below
tests/.

The work is cut into pieces: a CUnit program, or a class of Python tests. Each piece runs in a
process of its own, with its own directory for temporary files, and its output is kept until all
that stands before it is printed: the same tests give the same lines in the same order. A class may
say `seconds = N`, about how long it takes, since the longest begin first, and `alone = "why"` where
nothing may run beside it.

A test that is skipped for a reason that is not listed here has failed. Ends with the names of what
failed and was skipped and one line that sums up all of it, and with
status 0 only where tests ran and none failed.
"""

import argparse
import contextlib
import json
import os
import re
import resource
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))

#: After which a piece counts as hanging. Tests have their own, shorter ones.
PIECE_SECONDS = 2700

#: Why a test may be skipped: what the machine does not allow, and `make deps` cannot change. Any
#: other reason is a failure.
MAY_BE_SKIPPED = re.compile(
    r"only root can "
    r"|/proc/sys/kernel/(yama/ptrace_scope|core_pattern) is "
    r"|`ulimit -H -c` is "
    r"|unshare and chroot are not allowed here$"
    r"|no mount namespace can be made here$"
    r"|this kernel does not run 32-bit programs"
    # Its package and that of its debug information were upgraded apart.
    r"|\S+ has no debug file of its build: "
)

# CUnit's summary: total, ran, passed, failed, inactive.
CUNIT_TESTS = re.compile(r"^\s*tests\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+\S+\s*$")
# What tests/unit/main.c prints for each assertion that failed.
CUNIT_FAILURE = "failed: "


class Outcome:
    """What came of a piece, or of all."""

    def __init__(self, passed=0, failures=(), failed=None, skips=(), times=()):
        self.passed = passed
        self.failures = list(failures)  # lines that name them
        self.failed = len(self.failures) if failed is None else failed
        self.skips = list(skips)  # [name, why]
        self.times = list(times)  # [seconds, seconds of processors, name]

    def add(self, other):
        self.passed += other.passed
        self.failures += other.failures
        self.failed += other.failed
        self.skips += other.skips
        self.times += other.times


class Stopwatch:
    """Time, and that of processors in this process and its children that have ended."""

    def __init__(self):
        self._start = self._now()

    @staticmethod
    def _now():
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return time.monotonic(), sum(usage.ru_utime + usage.ru_stime for usage in used)

    def read(self):
        return tuple(now - start for now, start in zip(self._now(), self._start))


class CunitPiece:
    """A CUnit program."""

    seconds = 30
    alone = None

    def __init__(self, program):
        self.name = program

    def run(self):
        passed = failed = 0
        names, last = [], "no output"
        watch = Stopwatch()
        child = subprocess.Popen(
            [self.name], stdout=subprocess.PIPE, encoding="utf-8", errors="replace"
        )
        for line in child.stdout:
            sys.stdout.write(line)
            summary = CUNIT_TESTS.match(line)
            if summary:
                passed += int(summary.group(3))
                failed += int(summary.group(4))
            elif line.startswith(CUNIT_FAILURE):
                names.append(line[len(CUNIT_FAILURE) :].rstrip("\n"))
            elif line.strip():
                last = line.strip()
        if child.wait() != 0 and failed == 0:
            names.append("%s ended with status %d, after: %s" % (self.name, child.returncode, last))
            failed += 1
        return Outcome(passed, names, failed, times=[(*watch.read(), self.name)])


class Result(unittest.TextTestResult):
    """Also knows what each test took."""

    def __init__(self, stream):
        super().__init__(stream, descriptions=True, verbosity=2)
        self.times = []

    def startTest(self, test):
        self._watch = Stopwatch()
        super().startTest(test)

    def stopTest(self, test):
        super().stopTest(test)
        self.times.append((*self._watch.read(), test.id()))


class PythonPiece:
    """The tests of one class, or of a module that sets up something for all of its own."""

    def __init__(self, name, tests):
        self.name = name
        self.seconds = getattr(type(tests[0]), "seconds", 1)
        self.alone = getattr(type(tests[0]), "alone", None)
        self._tests = tests

    def run(self):
        stream = unittest.runner._WritelnDecorator(sys.stdout)
        result = Result(stream)
        unittest.TestSuite(self._tests).run(result)
        result.printErrors()
        wrong = [test for test, _ in result.failures + result.errors] + result.unexpectedSuccesses
        # Of a test with several parts (subTest), the parts; it counts once.
        failures = [test.id() for test in wrong]
        skips = [(test.id(), why) for test, why in result.skipped]
        for test, why in result.skipped:
            if not MAY_BE_SKIPPED.match(why):
                wrong.append(test)
                failures.append("%s is skipped, which run.py does not allow: %s" % (test.id(), why))
                skips.remove((test.id(), why))
        failed = {getattr(test, "test_case", test).id() for test in wrong}
        skipped = {getattr(test, "test_case", test).id() for test, _ in result.skipped} - failed
        ran = {name for _, _, name in result.times}
        return Outcome(
            len(ran - failed - skipped),
            failures,
            len(failed),
            skips,
            result.times,
        )


def flat(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from flat(test)
        else:
            yield test


def python_pieces(only):
    """The pieces of what test_*.py hold, or of those tests whose name begins so."""
    groups, found = {}, set()
    for test in flat(unittest.defaultTestLoader.discover(HERE, "test_*.py")):
        kind = type(test)
        name = "%s.%s" % (kind.__module__, kind.__qualname__)
        if hasattr(sys.modules[kind.__module__], "setUpModule"):
            name = kind.__module__
        if kind.__module__.startswith("unittest."):
            name = test.id()  # a module that cannot be imported
        asked = [wanted for wanted in only if (test.id() + ".").startswith(wanted + ".")]
        found.update(asked)
        if asked or not only:
            groups.setdefault(name, []).append(test)
    if set(only) - found:
        sys.exit("run.py: no test is named %s" % ", ".join(sorted(set(only) - found)))
    return [PythonPiece(name, tests) for name, tests in groups.items()]


class Worker:
    """A process that carries out one piece."""

    def __init__(self, piece):
        self.piece = piece
        self.deadline = time.monotonic() + PIECE_SECONDS
        self._directory = tempfile.mkdtemp(prefix="allocsnap-tests-")
        os.chmod(self._directory, 0o755)  # tests start programs as other users
        self._output = os.path.join(self._directory, "output")
        self._result = os.path.join(self._directory, "result")
        self._late = False
        sys.stdout.flush()
        self._pid = os.fork()
        if self._pid == 0:
            self._carry_out()
        self.fd = os.pidfd_open(self._pid)

    def _carry_out(self):
        status = 1
        try:
            os.setsid()
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(os.open(self._output, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 1)
            os.dup2(1, 2)
            temporary = os.path.join(self._directory, "tmp")
            os.mkdir(temporary)
            tempfile.tempdir = os.environ["TMPDIR"] = temporary
            outcome = self.piece.run()
            with open(self._result, "w", encoding="utf-8") as file:
                json.dump(vars(outcome), file)
            status = 0
        except BaseException as error:  # the process ends here, whatever it is
            print("%s: %r" % (self.piece.name, error))
        finally:
            with contextlib.suppress(Exception):
                sys.stdout.flush()
            os._exit(status)

    def kill(self):
        """Ends it and what it has started."""
        self._late = True
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)

    def finish(self):
        """Waits for its end; (its output, its outcome)."""
        os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOWAIT)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)  # what a test has left running
        status = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        os.close(self.fd)
        output = b""
        with contextlib.suppress(FileNotFoundError), open(self._output, "rb") as file:
            output = file.read()
        try:
            with open(self._result, encoding="utf-8") as file:
                outcome = Outcome(**json.load(file))
        except (FileNotFoundError, ValueError):
            why = "ended with status %d" % status
            if self._late:
                why = "did not end within %d s" % PIECE_SECONDS
            outcome = Outcome(failures=["%s %s" % (self.piece.name, why)])
        if output and not output.endswith(b"\n"):
            output += b"\n"
        shutil.rmtree(self._directory, ignore_errors=True)
        return output, outcome


def carry_out(pieces, jobs):
    """Yields what each piece printed and its outcome, in their order."""
    waiting = sorted((piece for piece in pieces if not piece.alone), key=lambda piece: -piece.seconds)
    alone = [piece for piece in pieces if piece.alone]
    done, printed = {}, 0
    selector = selectors.DefaultSelector()
    running = []
    try:
        while printed < len(pieces):
            while waiting and len(running) < jobs or alone and not running:
                worker = Worker((waiting or alone).pop(0))
                running.append(worker)
                selector.register(worker.fd, selectors.EVENT_READ, worker)
            latest = min(worker.deadline for worker in running)
            ended = selector.select(max(0, latest - time.monotonic()))
            for key, _ in ended:
                selector.unregister(key.fd)
                running.remove(key.data)
                done[key.data.piece] = key.data.finish()
            for worker in running:
                if time.monotonic() >= worker.deadline:
                    worker.kill()
            while printed < len(pieces) and pieces[printed] in done:
                yield done.pop(pieces[printed])
                printed += 1
    finally:
        for worker in running:
            worker.kill()
            worker.finish()


def read_arguments():
    parser = argparse.ArgumentParser(description="Runs the tests.")
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", help="a CUnit program")
    parser.add_argument("-j", "--jobs", type=int, default=len(os.sched_getaffinity(0)) + 1,
                        help="how many pieces run at a time (%(default)s here)")
    parser.add_argument("--only", action="append", default=[], metavar="NAME",
                        help="of the Python tests those of this module, class or name")
    parser.add_argument("--times", metavar="FILE",
                        help="write there what each test took: seconds, those of processors, name")
    return parser.parse_args()


def main():
    arguments = read_arguments()
    pieces = [CunitPiece(program) for program in arguments.programs] + python_pieces(arguments.only)
    total = Outcome()
    for output, outcome in carry_out(pieces, max(1, arguments.jobs)):
        sys.stdout.buffer.write(output)
        sys.stdout.buffer.flush()
        total.add(outcome)
    if arguments.times:
        with open(arguments.times, "w", encoding="utf-8") as file:
            for seconds, used, name in sorted(total.times, reverse=True):
                print("%.2f %.2f %s" % (seconds, used, name), file=file)
    print()
    for name, why in total.skips:
        print("skipped: %s: %s" % (name, why))
    for name in total.failures:
        print("failed: " + name)
    print("%d passed, %d failed, %d skipped" % (total.passed, total.failed, len(total.skips)))
    return 0 if total.passed and not total.failed else 1


if __name__ == "__main__":
    sys.exit(main())
