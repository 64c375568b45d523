"""Commands that have the program traced, and say how it is."""

from . import objects
from .command import Command, plural
from .errors import AllocsnapError, ErrorCode
from .grammar import whole_number
from .launch import DEFAULT_FRAME_LIMIT
from .native import REQUESTS

FRAME_LIMIT_MAX = 65535  # as in tracemalloc


#: When the hooks do what they are asked for.
NEXT = "at the program's next malloc or free"

# Failures to find hooks that obey in a process: then only the next run can be traced.
_NOT_HOOKED = (
    ErrorCode.NO_HOOKS,
    ErrorCode.UNREADABLE,
    ErrorCode.DAMAGED,
    ErrorCode.VERSION,
    ErrorCode.UNSUPPORTED,
)


def _hooked_status(session):
    """The native.Status of the live process; None where no hooks can obey in it."""
    process = session.process()
    if process is None or process.is_core:
        return None
    try:
        return session.status()[1]
    except AllocsnapError as error:
        if error.code in _NOT_HOOKED:
            return None
        raise


def _next_run(session, frame_limit):
    return "The next `{}` traces the heap, {} of each stack.\n".format(
        session.target.run_command, plural(frame_limit, "frame")
    )


class Start(Command):
    """start [NFRAME]"""

    name = "start"
    summary = "Trace the heap: of the paused process, or from the next run on."
    details = (
        "Where the hooks are in the process, tracing starts, or starts again without the\n"
        "blocks traced so far, {}. Else they are loaded\n"
        "into the next run, with the environment variable LD_PRELOAD, before what the\n"
        "program preloads already; `snapshot stop` gives your own values back."
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

    def run(self, session, options):
        status = _hooked_status(session)
        if status is not None:
            return self._in_process(session, status, options.nframe or status.frame_limit)
        limit = options.nframe or DEFAULT_FRAME_LIMIT
        session.launch.start(limit)
        text = _next_run(session, limit)
        process = session.process()
        if process is not None and not process.is_core:
            text += "The process that there is now stays as it is: restart it with `{}`.\n".format(
                session.target.run_command
            )
        return text

    @staticmethod
    def _in_process(session, status, limit):
        session.request("start", limit)
        text = "Tracing starts{} {}, {} of each stack.\n".format(
            " again" if status.tracing else "", NEXT, plural(limit, "frame")
        )
        if status.tracing:
            text += "{} dropped then.\n".format(_so_far(status))
        if session.launch.frame_limit() not in (None, limit):
            session.launch.start(limit)
            text += _next_run(session, limit)
        return text


class Stop(Command):
    """stop"""

    name = "stop"
    summary = "Stop tracing: of the paused process, or from the next run on."
    details = (
        "A process that is traced drops its traces and is not traced any more, {}.\n"
        "Else it takes `snapshot start` back, and the next run is not\n"
        "traced. Snapshots are kept."
    ).format(NEXT)

    def run(self, session, options):
        status = _hooked_status(session)
        run = session.target.run_command
        if status is not None and status.tracing:
            session.request("stop")
            text = "Tracing stops {}.\n{} dropped then.\n".format(NEXT, _so_far(status))
            if session.launch.frame_limit() is not None:
                text += "The next `{}` is traced all the same: `snapshot stop` once more.\n".format(
                    run
                )
            return text
        if session.launch.stop():
            return "The next `{}` is not traced.\n".format(run)
        if status is not None:
            raise AllocsnapError("there is nothing to stop: this process is not traced")
        if session.process() is not None and session.process().is_core:
            session.live_process()
        raise AllocsnapError("there is nothing to stop: `snapshot start` was not given")


def _so_far(status):
    """"The 2 blocks traced so far are"."""
    return "The {} traced so far {}".format(
        plural(status.traced_count, "block"), "is" if status.traced_count == 1 else "are"
    )


def _traced_status(session):
    """The native.Status of the live process, which must be traced."""
    session.live_process()
    status = session.status()[1]
    if not status.tracing:
        raise AllocsnapError(
            "the process is not traced: `snapshot start` traces it from now on",
            ErrorCode.NOT_TRACING,
        )
    return status


class Clear(Command):
    """clear"""

    name = "clear"
    summary = "Drop the traces of the paused process, and go on tracing."
    details = "It happens {}. Snapshots are kept.".format(NEXT)

    def run(self, session, options):
        status = _traced_status(session)
        session.request("clear")
        return "{} dropped {}.\n".format(_so_far(status), NEXT)


class ResetPeak(Command):
    """reset-peak"""

    name = "reset-peak"
    summary = "Let the peak of the traced memory be what is traced now."
    details = "It happens {}. Snapshots are kept.".format(NEXT)

    def run(self, session, options):
        status = _traced_status(session)
        session.request("reset_peak")
        size = objects.format_size
        return "The peak, now {}, becomes what is traced ({} now) {}.\n".format(
            size(status.peak_size), size(status.traced_size), NEXT
        )


class Status(Command):
    """status"""

    name = "status"
    summary = "Show whether the program is traced, and what is traced now."

    def run(self, session, options):
        limit = session.launch.frame_limit()
        if session.process() is None and limit is not None:
            return "No process. The next `{}` traces the heap, {} of each stack.\n".format(
                session.target.run_command, plural(limit, "frame")
            )
        process, status = session.status()
        size = objects.format_size
        tracing = "off"
        if status.tracing:
            tracing = "on, {} of each stack".format(plural(status.frame_limit, "frame"))
        rows = [
            ("target", process.description),
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
                "{} in {}, peak {}".format(
                    size(status.traced_size),
                    plural(status.traced_count, "block"),
                    size(status.peak_size),
                ),
            ),
            ("tracker", "{} of memory".format(size(status.tracker_size))),
            ("dropped", plural(status.dropped, "block")),
            (
                "hooks",
                "version {}, table version {}".format(
                    status.hooks_version.decode("utf-8", "backslashreplace"), status.table_version
                ),
            ),
        ]
        if status.busy_shards:
            rows.append(
                ("in flux", "{} being changed".format(plural(status.busy_shards, "table part")))
            )
        return "".join("{:<8} {}\n".format(label + ":", text) for label, text in rows)
