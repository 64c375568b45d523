"""Commands that have the program traced, and say how it is."""

from .. import late, no_hooks, remote_python, resident
from ..errors import AllocsnapError, UsageError
from ..launch import DEFAULT_FRAME_LIMIT
from .command import Command, amount, naming_lines, period_text, plural
from .grammar import byte_count, whole_number
from ..library.native import FREED_MAX, REQUESTS, SAMPLE_PERIOD_MAX, shown_name

FRAME_LIMIT_MAX = 65535  # as in tracemalloc

#: When the hooks do what they are asked for.
NEXT = "at the program's next malloc or free"


def _sample(session, period):
    """What there is to say of the period that was asked for, after the number of frames."""
    return ", {}".format(period_text(session, period)) if period else ""


def _freed(status):
    """The row for the freed blocks that are kept; none where there are none."""
    return [("freed", "the last {} are kept".format(plural(status.freed_capacity, "block")))] * (
        status.freed_capacity != 0
    )


def next_run(session, frame_limit):
    text = "The next `{}` traces the heap, {} of each stack{}.\n".format(
        session.target.run_command,
        plural(frame_limit, "frame"),
        _sample(session, session.launch.sample_period()),
    )
    if session.launch.freed():
        text += "The last {} that it frees are kept.\n".format(
            plural(session.launch.freed(), "block")
        )
    for path in session.launch.left_out():
        text += "It leaves out {} of LD_PRELOAD, which is another copy of the hooks.\n".format(
            session.shown.path(path)
        )
    return text


def obstacle(session):
    """Why the next run will not be traced all the same, in a line; "" where nothing is known."""
    try:
        text = no_hooks.for_next_run(session.target)
    except AllocsnapError as error:
        text = str(error)
    return "warning: {}\n".format(text) if text else ""


class Start(Command):
    """start [NFRAME] [--sample SIZE] [--freed N] [--python]"""

    name = "start"
    summary = "Trace the heap: of the paused process, or from the next run on."
    details = (
        "Where the hooks are in the process, tracing starts, or starts again without the\n"
        "blocks traced so far, {}. A process that was\n"
        "started without them is had to load them, and its calls are led there; what it has\n"
        "allocated before is not traced. In a debugger the next run is traced as well.\n"
        "Where that cannot be done, or there is no process, they are loaded into the next\n"
        "run, with the environment variable LD_PRELOAD, before what the program preloads\n"
        "already; `snapshot stop` gives your own values back.\n\n"
        "With --sample, only some blocks are recorded, chosen by chance: about one for\n"
        "each SIZE bytes that are allocated, a large one with certainty. Sizes and counts\n"
        "are estimates then, shown with their standard error.\n\n"
        "With --freed, the next run keeps the last N blocks that it has freed, for `freed`,\n"
        "`who` and `errors`; what a process keeps is settled when it is started.\n\n"
        "With --python, tracemalloc of the CPython in the process is asked to start, of 3.14\n"
        "or later; it does once the main thread runs Python code."
    ).format(NEXT)

    def arguments(self, parser):
        parser.add_argument(
            "nframe",
            metavar="NFRAME",
            nargs="?",
            type=whole_number("number of frames", 1, FRAME_LIMIT_MAX),
            help="frames kept of each stack, 1 to {} (default: {}, or as before in a"
            " process)".format(FRAME_LIMIT_MAX, DEFAULT_FRAME_LIMIT),
        )

        parser.add_argument(
            "--sample",
            metavar="SIZE",
            type=byte_count("period of a sample", SAMPLE_PERIOD_MAX),
            help="record a sample of this period, for example 512K; 0: every block (default:"
            " every block, or as before in a process)",
        )
        parser.add_argument(
            "--freed",
            metavar="N",
            type=whole_number("number of freed blocks", 0, FREED_MAX),
            help="have the next run keep the last N blocks that it has freed (default: as the"
            " program's environment says)",
        )
        parser.add_argument(
            "--python",
            action="store_true",
            help="start CPython's own tracemalloc in place of the hooks (default: {} frames)".format(
                remote_python.FRAME_LIMIT
            ),
        )

    @staticmethod
    def _start_python(session, options):
        for name, value in (("--sample", options.sample), ("--freed", options.freed)):
            if value is not None:
                raise UsageError("{} is of the hooks, and goes not with --python".format(name))
        limit = options.nframe or remote_python.FRAME_LIMIT
        name, traces = session.start_python(limit)
        if traces:
            return "tracemalloc of {} traces already: `snapshot take --python` has its blocks.\n".format(name)
        return (
            "tracemalloc of {} starts, with {} of each traceback, once the main thread runs Python code:"
            " `snapshot take --python` then.\n".format(name, plural(limit, "frame"))
        )

    def run(self, session, options):
        if options.python:
            return self._start_python(session, options)
        was = session.launch.frame_limit(), session.launch.sample_period()
        status = session.start(options.nframe, options.sample, options.freed)
        run = session.launch.frame_limit()
        if status is None:
            why_not = obstacle(session)
            text = next_run(session, run) + why_not
            process = session.process()
            if session.not_attached is not None and not why_not:
                text += "The process that there is now stays as it is: {}.\n".format(
                    session.not_attached
                )
            elif process is not None and not process.is_core:
                text += "The process that there is now stays as it is: {}.\n".format(
                    no_hooks.again(session.target, process)
                    if process.of_server
                    else "restart it with `{}`".format(session.target.run_command)
                )
            return text
        text = _attached(session) + "Tracing starts{} {}, {} of each stack{}.\n".format(
            " again" if status.tracing and session.attached is None else "",
            NEXT,
            plural(options.nframe or status.frame_limit, "frame"),
            _sample(session, status.sample_period if options.sample is None else options.sample),
        )
        is_other = (run, session.launch.sample_period()) != was
        dropped = "" if session.attached is not None else _dropped(status)
        return text + dropped + (next_run(session, run) if is_other else "")


def _attached(session):
    """What was done to a process that was started without the hooks, in a line."""
    report = session.attached
    if report is None:
        return ""
    return (
        "The hooks are loaded into the process, and its calls led there ({} in {}); blocks that it has"
        " already are not traced.\n".format(plural(report.words, "word"), plural(report.files, "file"))
    )


class Stop(Command):
    """stop"""

    name = "stop"
    summary = "Stop tracing: of the paused process, or from the next run on."
    details = (
        "A process that is traced drops its traces and is not traced any more, {}.\n"
        "The calls of one that was started without the hooks go past them again. Without such\n"
        "a process it takes `snapshot start` back, and the next run is not traced. Snapshots\n"
        "are kept."
    ).format(NEXT)

    def run(self, session, options):
        status = session.stop()
        run = session.target.run_command
        if status is None:
            return "The next `{}` is not traced.\n".format(run)
        if session.attached is not None:
            return "Tracing stops. The program's calls go past the hooks again, which stay loaded.\n"
        text = "Tracing stops {}.\n".format(NEXT) + _dropped(status)
        if session.not_attached is not None:
            text += "The hooks still pass the program's calls on: {}.\n".format(session.not_attached)
        if session.launch.frame_limit() is not None:
            text += "The next `{}` is traced all the same; not after `snapshot stop` once more.\n".format(
                run
            )
        return text


def _amounts(status, size):
    """What is traced, in words that say where it is estimated. `size` writes bytes."""
    if status.tracing and status.sample_period:
        return "about {} in {}, peak about {} (estimated from {})".format(
            size(status.traced_size),
            plural(status.traced_count, "block"),
            size(status.peak_size),
            plural(status.sampled_count, "sampled block"),
        )
    return "{} in {}, peak {}".format(
        size(status.traced_size), plural(status.traced_count, "block"), size(status.peak_size)
    )


def _dropped(status):
    """What happens to the blocks of a Status, in a sentence."""
    if not status.traced_count:
        return ""
    return "The {} traced so far {} dropped then.\n".format(
        plural(status.traced_count, "block"), "is" if status.traced_count == 1 else "are"
    )


class Clear(Command):
    """clear"""

    name = "clear"
    summary = "Drop the traces of the paused process, and go on tracing."
    details = "It happens {}. Snapshots are kept.".format(NEXT)

    def run(self, session, options):
        status = session.clear()
        return "The traces of {} are dropped {}.\n".format(
            plural(status.traced_count, "block"), NEXT
        )


class ResetPeak(Command):
    """reset-peak"""

    name = "reset-peak"
    summary = "Let the peak of the traced memory be what is traced now."
    details = "It happens {}. Snapshots are kept.".format(NEXT)

    def run(self, session, options):
        status, size = session.reset_peak(), session.shown.size
        return "The peak, now {}, becomes what is traced ({} now) {}.\n".format(
            size(status.peak_size), size(status.traced_size), NEXT
        )


class Status(Command):
    """status [NAME]"""

    name = "status"
    summary = "Show whether the program is traced, or how a snapshot's frames are named."

    def arguments(self, parser):
        parser.add_argument(
            "name", metavar="NAME", nargs="?", help="a snapshot that is kept (default: the program)"
        )

    def words(self, session, typed):
        return [] if typed else list(session.snapshots.all)

    def run(self, session, options):
        if options.name is not None:
            taken = session.snapshots.get(options.name)
            return "snapshot: {}, from {}\nholds:    {} in {}\n".format(
                options.name,
                session.shown.source(taken.source),
                *amount(taken.snapshot, session.shown.size),
            ) + naming_lines(session, options.name)
        limit = session.launch.frame_limit()
        if session.process() is None:
            why_not = obstacle(session)
            if limit is not None:
                return "No process. {}{}".format(next_run(session, limit), why_not)
            if why_not:
                return "No process.\n" + why_not
        process, status, unseen = session.full_status()
        size = session.shown.size
        tracing = "off"
        if status.tracing:
            tracing = "on, {} of each stack{}".format(
                plural(status.frame_limit, "frame"), _sample(session, status.sample_period)
            )
        rows = [
            ("target", session.shown.source(process.description)),
            ("tracing", tracing),
        ]
        if status.request_pending:
            waiting = [name for name, flag in REQUESTS.items() if status.requests & flag]
            rows.append(
                ("waiting", "{}, until the program's next malloc or free".format(
                    ", ".join(waiting).replace("_", "-") or "a request"
                ))
            )
        rows += [
            (
                "traced",
                _amounts(status, size),
            ),
            ("tracker", "{} of memory".format(size(status.tracker_size))),
            *self._resident(session, process, status),
            ("dropped", plural(status.dropped, "block")),
            *_freed(status),
            (
                "hooks",
                "version {}, table version {}".format(
                    shown_name(status.hooks_version), status.table_version
                ),
            ),
        ]
        if status.refused:
            rows.append(
                ("refused", "{} of the program's own pools: too large a size, sum or address, or too"
                 " many domains (allocsnap_hooks.h)".format(plural(status.refused, "block")))
            )
        if late.state(session.target) == late.LED_PAST:
            rows.append(
                ("unseen", "the program's calls go past the hooks, which it has loaded: `snapshot start`"
                 " leads them there")
            )
        elif status.unseen:
            rows.append(("unseen", shown_name(status.unseen)))
        if unseen is not None:
            rows.append(("unseen", unseen))
        if status.busy_shards:
            rows.append(
                ("in flux", "{} being changed".format(plural(status.busy_shards, "table part")))
            )
        return "".join("{:<8} {}\n".format(label and label + ":", text) for label, text in rows)

    @staticmethod
    def _resident(session, process, status):
        """The rows for what else of the process is resident; none where that is not known."""
        found = None if process.proc_pid is None else resident.of_process(process.proc_pid)
        if found is None:
            return []
        is_python = resident.has_pools_of_python(session.target.memory_map())
        traced = None if status.sample_period else status.traced_size
        lines = resident.lines(found, traced, status.tracker_size, is_python, session.shown.size)
        return [("" if place else "rss", line) for place, line in enumerate(lines)]
