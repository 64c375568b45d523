"""Commands that have the program traced, and say how it is."""

from . import native
from .command import Command, plural
from .errors import AllocsnapError
from .grammar import whole_number
from .launch import DEFAULT_FRAME_LIMIT

FRAME_LIMIT_MAX = 65535  # as in tracemalloc


class Start(Command):
    """start [NFRAME]"""

    name = "start"
    summary = "Load the hooks into the next run of the program, so that it is traced."
    details = (
        "The hooks are preloaded with the environment variable LD_PRELOAD, before what\n"
        "the program preloads already; `snapshot stop` gives your own values back."
    )

    def arguments(self, parser):
        parser.add_argument(
            "nframe",
            metavar="NFRAME",
            nargs="?",
            type=whole_number("number of frames", 1, FRAME_LIMIT_MAX),
            default=DEFAULT_FRAME_LIMIT,
            help="frames kept of each stack, 1 to {} (default: {})".format(
                FRAME_LIMIT_MAX, DEFAULT_FRAME_LIMIT
            ),
        )

    def run(self, session, options):
        session.launch.start(options.nframe)
        run = session.target.run_command
        text = "The next `{}` traces the heap, {} of each stack.\n".format(
            run, plural(options.nframe, "frame")
        )
        process = session.process()
        if process is not None and not process.is_core:
            text += "The process that there is now stays as it is: restart it with `{}`.\n".format(
                run
            )
        return text


class Stop(Command):
    """stop"""

    name = "stop"
    summary = "Do not load the hooks into the next run: undo `snapshot start`."

    def run(self, session, options):
        if not session.launch.stop():
            raise AllocsnapError("there is nothing to stop: `snapshot start` was not given")
        return "The next `{}` is not traced.\n".format(session.target.run_command)


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
        size = native.format_size
        tracing = "off"
        if status.tracing:
            tracing = "on, {} of each stack".format(plural(status.frame_limit, "frame"))
        if status.request_pending:
            tracing += " (a request waits for the program's next allocation)"
        rows = [
            ("target", process.description),
            ("tracing", tracing),
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
