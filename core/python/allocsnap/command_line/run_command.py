"""`allocsnap run`: starts a program with the hooks, and reports what it holds where it exits."""

import os
import select
import signal
import sys

from ..commands.control import FRAME_LIMIT_MAX
from ..commands.grammar import byte_count, whole_number
from ..errors import AllocsnapError, ErrorCode, UsageError, one_line
from ..launch import DEFAULT_FRAME_LIMIT, Launch
from ..library import exports, native
from ..library.keys import find_name, known_names
from ..library.native import SAMPLE_PERIOD_MAX
from ..printable import printable, printable_text
from . import file_names, process_files, programs
from .exit_places import ExitPlaces
from .followed import Followed
from .followed_target import FollowedTarget
from .own_command import OwnCommand, by_name, shell_of
from .programs import NOT_TRACED, NotStarted
from .relayed import Relayed

#: What can stand in the name of a file.
_PARTS = {"p": "the number of the process"}

_DEFAULT_REPORT = "lineno"


class _Report:
    """What is to be told, or written, of the last state of each process."""

    def __init__(self, text, with_children):
        self.is_file = False
        if text == "leaks":
            self.command, self.line = by_name("leaks"), ""
        elif exports.format_of(text) is not None:
            self.is_file, self.command, self.line = True, by_name("export"), text
            check_file(text, with_children)
        elif find_name(text) is not None:
            self.command, self.line = by_name("stats"), text
        else:
            raise UsageError(
                '"{}" is no report: they are leaks; {}; or a file whose name ends with {}'.format(
                    printable(text),
                    ", ".join(known_names()),
                    ", ".join(ending for form in exports.known_formats() for ending in form.endings),
                )
            )

    def arguments(self, values):
        """Those of the command, for the process of these parts of names."""
        if self.is_file:
            return "now " + _quoted(file_names.filled(self.line, values))
        return self.line


def check_file(name, with_children):
    """Fails where the name of a file cannot be that of all processes."""
    file_names.check(name, _PARTS)
    if with_children and not file_names.has(name, "p"):
        raise UsageError(
            "{}: with --children, each process has a file: put %p, its number, into the name".format(
                printable(name)
            )
        )


def _quoted(path):
    return "'{}'".format(os.path.abspath(os.path.expanduser(path)).replace("'", "'\"'\"'"))


class Run(OwnCommand):
    """run [OPTION...] PROGRAM [ARGUMENT...]"""

    name = "run"
    summary = "Start a program with the hooks, and report what it holds where it exits."
    details = (
        "The report is written to standard error; all else, its exit status, signals,\n"
        "terminal and standard streams, is the program's own. Its last snapshot is taken\n"
        "where it calls exit or returns from main, or else at its end, also by a signal\n"
        "(--set 'stop-at-exit end', before `run`: at its end always).\n\n"
        "REPORT is `leaks`, a key of `stats` such as lineno, or a file as `export` writes:\n"
        "its format is that of the end of its name. It may be given several times. Without\n"
        "--report and -o it is lineno."
    )

    def arguments(self, parser):
        parser.add_argument(
            "-n",
            dest="nframe",
            metavar="NFRAME",
            type=whole_number("number of frames", 1, FRAME_LIMIT_MAX),
            default=DEFAULT_FRAME_LIMIT,
            help="frames kept of each stack, 1 to {} (default: {})".format(
                FRAME_LIMIT_MAX, DEFAULT_FRAME_LIMIT
            ),
        )
        parser.add_argument(
            "--sample",
            metavar="SIZE",
            type=byte_count("period of a sample", SAMPLE_PERIOD_MAX),
            help="record a sample of this period, for example 512K; 0: every block (default: as"
            " ALLOCSNAP_SAMPLE says, or every block)",
        )
        parser.add_argument(
            "-o", "--output", metavar="FILE", help="write the last snapshot to a file, as `dump`"
        )
        parser.add_argument(
            "--report", metavar="REPORT", action="append", default=[], help="what to tell, see above"
        )
        parser.add_argument(
            "--children",
            action="store_true",
            help="follow the processes that it starts as well, and report of each; files need %%p in"
            " their names, the number of the process",
        )
        parser.add_argument("program", metavar="PROGRAM", help="as in a shell: a path, or found by PATH")
        parser.add_argument("arguments", metavar="ARGUMENT", nargs="*", help="its own arguments")

    def parse(self, words):
        own, rest = [], list(words)
        while rest and rest[0].startswith("-") and rest[0] != "--":
            own.append(rest.pop(0))
            if self.parser.takes_value(own[-1]) and rest:
                own.append(rest.pop(0))
        if rest[:1] == ["--"]:
            rest.pop(0)
        options = self.parser.parse_args(own + (["--", "x"] if rest else []))
        options.program, options.arguments = rest[0], rest[1:]
        return options

    def words(self):
        return None

    def values(self, option):
        if option == "--report":
            return ["leaks", *known_names(), "@files"]
        return ["@files"] if option in ("-o", "--output") else super().values(option)

    def run(self, options, asked):
        try:
            native.library()  # without it there is nothing to report
            reports = [_Report(text, options.children) for text in options.report]
            if options.output is not None:
                check_file(options.output, options.children)
            elif not reports:
                reports = [_Report(_DEFAULT_REPORT, options.children)]
            return _Running(options, asked, reports).run()
        except NotStarted as error:
            tell("allocsnap: {}\n".format(error))
            return error.status
        except AllocsnapError as error:
            if isinstance(error, UsageError) or error.code == ErrorCode.INTERRUPTED:
                raise
            tell("allocsnap: {}\n".format(error))
            return NOT_TRACED


def tell(text):
    """Writes to standard error. Where that cannot be written to, the program does not suffer for it."""
    if sys.stderr is None:
        return
    file, left = sys.stderr.fileno(), text.encode("utf-8", "backslashreplace")
    while left:
        try:
            left = left[os.write(file, left) :]
        except BlockingIOError:
            select.select([], [file], [])
        except OSError:
            return


class _Running:
    """One run of a program."""

    def __init__(self, options, asked, reports):
        self._options = options
        self._settings = asked.settings
        self._reports = reports
        variables = programs.environment()
        self._path = programs.find(options.program, variables)
        programs.check(self._path)
        self._program = programs.Program(self._path, variables)
        self._session = self._shell(self._program).session
        self._places = ExitPlaces(self._session.exit_stop.mode)
        launch = Launch(self._program)
        launch.start(options.nframe, options.sample)
        for path in launch.left_out():
            tell(
                "allocsnap: {} of LD_PRELOAD, another copy of the hooks, is left out\n".format(
                    printable_text(path)
                )
            )
        self._relayed = Relayed()

    def _shell(self, target):
        return shell_of(target, self._settings)

    def run(self):
        """Runs it to its end; returns the exit status."""
        followed = Followed(
            self._last, self._places.addresses, self._relayed.stop_as_well, self._options.children
        )
        with self._relayed:
            pid = self._start(followed)
            self._relayed.follow(followed, pid)
        return _exit_status(followed.status)

    def _start(self, followed):
        """Starts it; returns its number."""
        told, tells = os.pipe()
        waits, begins = os.pipe()
        pid = os.fork()
        if pid == 0:
            self._become(waits, begins, tells)
        # Who reads the reports may end before they do.
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        os.close(tells)
        os.close(waits)
        try:
            followed.begin(pid)
        except OSError as error:
            os.kill(pid, signal.SIGKILL)
            raise _not_followed(error) from None
        finally:
            os.close(begins)
        self._told = told
        return pid

    def _become(self, waits, begins, tells):
        """In the child: becomes the program when it is followed."""
        try:
            os.close(begins)
            os.read(waits, 1)
            self._relayed.undo()
            # Python ignores it, which the program would do as well.
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            words = [self._options.program] + self._options.arguments
            try:
                os.execve(self._path, words, self._program.environment)
            except OSError as error:
                if error.errno == 8:  # ENOEXEC: a script without a first line, as in execvp(3)
                    os.execve("/bin/sh", ["/bin/sh", self._path] + words[1:], self._program.environment)
                raise
        except OSError as error:
            tell("allocsnap: {} cannot be started: {}\n".format(printable_text(self._path), error.strerror))
        finally:
            os._exit(programs.NOT_STARTED)

    # ---- what it holds last ----

    def _last(self, process, threads):
        """Reports of a process whose threads stand still."""
        if self._places.mode == "off":
            return
        with self._relayed.interruptible():
            try:
                self._report(process, threads)
            except AllocsnapError as error:
                tell("allocsnap: {}\n".format(printable_text(one_line(error))))
            except KeyboardInterrupt:
                tell("allocsnap: interrupted: there is no whole report\n")

    def _report(self, process, threads):
        target = FollowedTarget(process.pid, threads)
        shell = self._shell(target)
        shell.session.share_names(self._session)
        values = {"p": process.pid}
        head = ""
        if self._options.children:
            name = process_files.field(process.pid, "Name") or ""
            head = "process {} ({}):\n".format(process.pid, printable(name))
        try:
            if self._options.output is not None:
                path = file_names.filled(self._options.output, values)
                tell(head + shell.execute(by_name("dump"), "now " + _quoted(path)))
                head = ""
            for report in self._reports:
                tell(head + shell.execute(report.command, report.arguments(values)))
                head = ""
        finally:
            target.release()


def _not_followed(error):
    scope = process_files.ptrace_scope()
    why = error.strerror
    if scope == "3":
        why = "/proc/sys/kernel/yama/ptrace_scope is 3, which forbids it to everybody until the machine starts again"
    elif scope == "2":
        why = (
            "/proc/sys/kernel/yama/ptrace_scope is 2, which lets only root do so: `sysctl"
            " kernel.yama.ptrace_scope=1`, or run allocsnap as root (capability CAP_SYS_PTRACE)"
        )
    else:
        why += (
            " (a filter of system calls, as containers have: start the container with `--cap-add SYS_PTRACE`;"
            " or another debugger that follows allocsnap's children)"
        )
    return NotStarted("the program cannot be followed by ptrace: {}".format(why), NOT_TRACED)


def _exit_status(status):
    """As shells have it: 128 and the number of the signal that has ended it."""
    if status is None:
        return NOT_TRACED
    if os.WIFSIGNALED(status):
        return 128 + os.WTERMSIG(status)
    return os.WEXITSTATUS(status)
