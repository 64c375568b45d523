"""The `snapshot` commands, the same in every debugger.

COMMANDS is the one list of them: help, completion and what a debugger registers
come from it.
"""

from . import native
from .errors import AllocsnapError, ErrorCode, one_line
from .grammar import HelpRequested, Parser, whole_number
from .launch import DEFAULT_FRAME_LIMIT
from .session import NOW, Session

FRAME_LIMIT_MAX = 65535  # as in tracemalloc
LIMIT_MAX = 2**63 - 1


class Command:
    """A sub-command. Derived classes give the texts, the arguments and `run`."""

    name = ""
    summary = ""  # one sentence
    details = ""

    def __init__(self):
        description = "\n\n".join(text for text in (self.summary, self.details) if text)
        self.parser = Parser(self.name, description)
        self.arguments(self.parser)
        self.parser.add_common()

    def arguments(self, parser):
        """Declares the arguments."""

    def run(self, session, options):
        """Carries it out; returns what to print, with its line ends."""
        raise NotImplementedError

    def words(self, _session, _typed):
        """What may come next, after the words `typed`; options aside."""
        return []

    @property
    def help(self):
        """The help, whose first line is a sentence."""
        usage = self.parser.format_help().split("\n\n", 1)[0]
        text = self.parser.format_help()[len(usage) :].strip()
        summary, _, rest = text.partition("\n\n")
        return "{}\n\n{}\n\n{}".format(summary, usage, rest).rstrip()


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
            run, _plural(options.nframe, "frame")
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
                session.target.run_command, _plural(limit, "frame")
            )
        process, status = session.status()
        size = native.format_size
        tracing = "off"
        if status.tracing:
            tracing = "on, {} of each stack".format(_plural(status.frame_limit, "frame"))
        if status.request_pending:
            tracing += " (a request waits for the program's next allocation)"
        rows = [
            ("target", process.description),
            ("tracing", tracing),
            (
                "traced",
                "{} in {}, peak {}".format(
                    size(status.traced_size),
                    _plural(status.traced_count, "block"),
                    size(status.peak_size),
                ),
            ),
            ("tracker", "{} of memory".format(size(status.tracker_size))),
            ("dropped", _plural(status.dropped, "block")),
            (
                "hooks",
                "version {}, table version {}".format(
                    status.hooks_version.decode("utf-8", "backslashreplace"), status.table_version
                ),
            ),
        ]
        if status.busy_shards:
            rows.append(
                ("in flux", "{} being changed".format(_plural(status.busy_shards, "table part")))
            )
        return "".join("{:<8} {}\n".format(label + ":", text) for label, text in rows)


class Take(Command):
    """take [NAME]"""

    name = "take"
    summary = "Take a snapshot of the live heap blocks, and keep it."

    def arguments(self, parser):
        parser.add_argument(
            "name", metavar="NAME", nargs="?", help="its name (default: the next number)"
        )

    def run(self, session, options):
        name, taken = session.take(options.name)
        warnings = "".join("warning: {}\n".format(note) for note in taken.snapshot.notes)
        return warnings + "Snapshot {}: {} in {}.\n".format(name, *_amount(taken.snapshot))


class List(Command):
    """list"""

    name = "list"
    summary = "List the snapshots that are kept, oldest first."

    def run(self, session, options):
        taken = session.taken
        if not taken:
            return "No snapshots: `snapshot take` takes one.\n"
        rows = [("NAME", "SIZE", "BLOCKS", "FRAMES", "FROM")]
        for name, one in taken.items():
            snapshot = one.snapshot
            rows.append(
                (
                    name,
                    native.format_size(snapshot.size),
                    str(snapshot.count),
                    str(snapshot.traceback_limit),
                    one.source + (" (incomplete)" if snapshot.notes else ""),
                )
            )
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        return "".join(
            "{:<{}}  {:>{}}  {:>{}}  {:>{}}  {}\n".format(
                *[part for cell, width in zip(row, widths) for part in (cell, width)], row[4]
            )
            for row in rows
        )


class Delete(Command):
    """delete NAME..."""

    name = "delete"
    summary = "Forget snapshots."

    def arguments(self, parser):
        parser.add_argument("names", metavar="NAME", nargs="+", help="a snapshot")

    def run(self, session, options):
        session.delete(options.names)
        return ""

    def words(self, session, typed):
        return [name for name in session.taken if name not in typed]


class Stats(Command):
    """stats [KEY] [NAME]"""

    name = "stats"
    summary = "Show which source lines, files or stacks hold the memory, largest first."
    details = (
        "KEY and NAME may come in either order. By `traceback`, a group is a whole\n"
        "stack. Without a NAME it is `now`, a fresh reading of the paused process or\n"
        "core, and the newest snapshot where there is neither."
    )

    def arguments(self, parser):
        # Two positions, told apart by what is in them.
        parser.add_argument(
            "words",
            metavar="KEY|NAME",
            nargs="*",
            help="KEY: {} (default: lineno); NAME: a snapshot, or {}".format(
                ", ".join(native.KEYS), NOW
            ),
        )
        parser.add_argument(
            "--cumulative",
            action="store_true",
            help="count a block for each line or file of its stack, not the newest only",
        )
        parser.add_argument(
            "-n",
            "--limit",
            metavar="N",
            type=whole_number("number of rows", 1, LIMIT_MAX),
            default=None,
            help="show N rows (default: 10; with --json: all)",
        )
        parser.add_argument("--json", action="store_true", help="one JSON object on one line")

    def run(self, session, options):
        key, name = self._key_and_name(session, options.words)
        if options.cumulative and key == "traceback":
            raise AllocsnapError(
                "--cumulative goes by lineno or filename: a traceback is a whole stack already"
            )
        taken = session.find(name)
        statistics = native.Statistics(taken.snapshot, key, options.cumulative)
        if options.json:
            return statistics.json(options.limit or 0).rstrip("\n") + "\n"
        return statistics.text(options.limit or 10)

    def words(self, session, typed):
        words = []
        if not any(word in native.KEYS for word in typed):
            words += native.KEYS
        if not any(word == NOW or word in session.taken for word in typed):
            words += [NOW] + list(session.taken)
        return words

    @staticmethod
    def _key_and_name(session, words):
        keys = [word for word in words if word in native.KEYS]
        names = [word for word in words if word == NOW or word in session.taken]
        unknown = [word for word in words if word not in keys and word not in names]
        if unknown:
            raise AllocsnapError(_unknown_word(session, unknown[0], keys, names))
        if len(keys) > 1:
            raise AllocsnapError("two keys, {} and {}: give one".format(*keys[:2]))
        if len(names) > 1:
            raise AllocsnapError("two snapshots, {} and {}: give one".format(*names[:2]))
        return (keys or ["lineno"])[0], (names or [None])[0]


def _unknown_word(session, word, keys, names):
    """The message for a word that is no key and no snapshot, beside those given."""
    all_keys = "the keys are {}".format(", ".join(native.KEYS))
    if keys and names:
        return 'one word too many, "{}": give a key and a snapshot'.format(word)
    if keys:
        return session.no_snapshot(word)
    if names:
        return 'no key "{}": {}'.format(word, all_keys)
    return 'no key or snapshot "{}": {}; {}'.format(word, all_keys, session.known())


#: Every command, in the order that help shows them.
COMMANDS = tuple(command() for command in (Start, Stop, Status, Take, List, Delete, Stats))

PREFIX_HELP = "Snapshots of the program's heap: which source lines hold the memory."


class Shell:
    """Carries out commands for one debugger: the one place where errors end."""

    def __init__(self, target):
        self.session = Session(target)

    def execute(self, command, line):
        """Runs `command` with the arguments in `line`; returns what to print.

        Whatever goes wrong becomes an AllocsnapError of one line.
        """
        try:
            return command.run(self.session, command.parser.parse_line(line))
        except HelpRequested as request:
            return str(request)
        except KeyboardInterrupt:
            message, code = "interrupted: what was taken before is kept", ErrorCode.INTERRUPTED
        except AllocsnapError as error:
            message, code = str(error), error.code
        except MemoryError:
            message = "out of memory in the debugger: close what is not needed and try again"
            code = ErrorCode.NO_MEMORY
        except self.session.target.errors as error:
            message, code = str(error), ErrorCode.IO
        except Exception as error:  # pylint: disable=broad-except
            message = "internal error, please report it: {}: {}".format(type(error).__name__, error)
            code = ErrorCode.INVALID_ARGUMENT
        raise AllocsnapError(one_line(message), code) from None

    def unknown(self, line):
        """The error for a sub-command that does not exist."""
        return AllocsnapError(
            'no command "snapshot {}": the commands are {}'.format(
                line.split()[0], ", ".join(command.name for command in COMMANDS)
            )
        )

    def overview(self):
        """The commands, a line each."""
        width = max(len(command.name) for command in COMMANDS)
        lines = [
            "  snapshot {:<{}}  {}".format(command.name, width, command.summary)
            for command in COMMANDS
        ]
        return "\n".join([PREFIX_HELP, ""] + lines) + "\n"

    def complete(self, command, text):
        """The words that may stand in place of the last word of `text`."""
        words = text.split(" ")
        typed, last = [word for word in words[:-1] if word], words[-1]
        if typed[-1:] in (["-n"], ["--limit"]):
            return []
        if last.startswith("-"):
            candidates = [name for name in command.parser.option_names() if name not in typed]
        else:
            candidates = command.words(self.session, typed)
        return [word for word in candidates if word.startswith(last)]


def _plural(count, noun):
    return "{} {}{}".format(count, noun, "" if count == 1 else "s")


def _amount(snapshot):
    return native.format_size(snapshot.size), _plural(snapshot.count, "block")


_shells = {}


def shell_for(debugger, make_target):
    """The Shell of a debugger; loading its script again finds the same one."""
    if debugger not in _shells:
        _shells[debugger] = Shell(make_target())
    return _shells[debugger]
