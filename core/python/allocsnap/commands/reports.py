"""Commands that show what is in snapshots."""

import json
import re
import textwrap

from ..errors import AllocsnapError, UsageError
from ..kept import NOW
from ..library import rows as results
from ..library.keys import DEFAULT, cumulative_names, keys, known_names
from . import options as shared
from . import suppressing
from .command import Command
from ..library.native import ORDERS


#: The limit that shows all rows, and that of text where none is given.
ALL = 0
_ROWS = 10


def _check_cumulative(options, key):
    if options.cumulative and not keys()[key].has_cumulative:
        raise UsageError(
            "--cumulative goes by {}, not by {}: leave it out, or give one of these keys".format(
                ", ".join(cumulative_names()), key
            )
        )


def show(session, rows, options, unfiltered, name=NOW):
    """The text of native rows, as the options of shared.add_rows want it. `name`: of the snapshot
    that was asked for, or None."""
    limit, first = shown_rows(options), ""
    if options.format == "text":
        rows.display = session.display()
        first = _which(session, name)
    text = rows.render(options.format, limit, unfiltered).rstrip("\n") + "\n"
    text = _with_notes(text, getattr(options, "notes", None), options.format)
    found = getattr(options, "suppressed", None)
    if found is not None:
        text = suppressing.added(session, text, options.format, found, hint=suppressing.HINT)
    return first + text


def shown_rows(options):
    """How many rows the options of shared.add_rows show; ALL: all."""
    limit = options.limit
    if limit is None and options.format == "text":
        limit = _ROWS
    return limit or ALL


def _which(session, name):
    """Which snapshot is shown, and why, where none was named and there is no process."""
    chosen = session.default_name()
    if name is not None or chosen == NOW or session.is_chosen:
        return ""
    return "Snapshot {}, the newest: there is no process and no core.\n".format(chosen)


def _with_notes(text, notes, form):
    """A text with notes of the command, before what the snapshot lacks."""
    if not notes:
        return text
    if form == "text":
        return "".join("warning: {}\n".format(note) for note in notes) + text
    # Within a string of JSON, quotes are escaped.
    before, field, after = text.rpartition('"notes":[')
    more = json.dumps(notes)[1:-1]
    return before + field + more + ("" if after.startswith("]") else ",") + after


class Stats(Command):
    """stats [KEY] [NAME]"""

    name = "stats"
    aliases = ("stat",)
    summary = "Show what holds the memory, largest first: lines, files, functions, threads ..."

    @property
    def details(self):
        meant = "; ".join("by `{}`, {}".format(name, keys()[name].means) for name in known_names())
        words = "KEY and NAME may come in either order; the beginning of a KEY will do. A row is, {}."
        return (
            textwrap.fill(words.format(meant), 82)
            + "\n\nWithout a NAME it is `now`, a fresh reading of the paused process or core, and\n"
            "the newest snapshot where there is neither.\n\n" + shared.FILTER_HELP
        )

    def arguments(self, parser):
        shared.add_words(parser, ["NAME"])
        shared.add_totals(parser)
        shared.add_cumulative(parser)
        shared.add_reach(parser)
        shared.add_filters(parser)
        shared.add_rows(parser)

    def run(self, session, options):
        key, names = shared.split_words(session, options.words, 1)
        _check_cumulative(options, key)
        choice = shared.Choice(session, options)
        name = names[0] if names else None
        whole = shared.whole(session, name, options, key)
        labels = session.thread_labels(name)
        rows = results.Statistics(*choice.of(whole), key, options.cumulative, labels)
        return show(session, rows, options, whole if choice.filters else None, name)

    def words(self, session, typed):
        return shared.possible_words(session, typed, 1)


class Diff(Command):
    """diff OLD [NEW] [KEY]"""

    name = "diff"
    summary = "Compare two snapshots: which lines, files, functions ... hold more than before."
    details = (
        "The rows with the largest difference in size come first, also of what has\n"
        "vanished. Without NEW it is `now`, a fresh reading of the paused process or\n"
        "core, and the newest snapshot where there is neither.\n\n" + shared.FILTER_HELP
    )

    def arguments(self, parser):
        shared.add_words(parser, ["OLD", "NEW"])
        shared.add_cumulative(parser)
        shared.add_reach(parser)
        shared.add_filters(parser)
        shared.add_rows(parser)

    def run(self, session, options):
        key, names = shared.split_words(session, options.words, 2)
        if not names:
            raise UsageError(
                "which snapshots? `snapshot diff OLD [NEW]`: {}".format(session.snapshots.known())
            )
        _check_cumulative(options, key)
        choice = shared.Choice(session, options)
        old_name, given = names[0], names[1] if len(names) > 1 else None
        new_name = given or session.default_name()
        if old_name == new_name:
            raise UsageError(
                "{} would be compared with itself: name another snapshot,"
                " `snapshot diff OLD NEW`".format(old_name)
            )
        old, new = (shared.whole(session, name, options, key) for name in (old_name, new_name))
        labels = session.thread_labels(new_name)
        rows = results.Diff(*choice.of(new, old), key, options.cumulative, labels)
        return show(session, rows, options, (new, old) if choice.filters else None, given)

    def words(self, session, typed):
        return shared.possible_words(session, typed, 2)


class Traces(Command):
    """traces [NAME]"""

    name = "traces"
    summary = "List the blocks themselves, largest or oldest first."
    details = (
        "Each is shown with the thread that asked for it, and when: seconds after the\n"
        "hooks' start, and the time of day.\n\n"
        "Without a NAME it is `now`, a fresh reading of the paused process or core, and\n"
        "the newest snapshot where there is neither.\n\n" + shared.FILTER_HELP
    )

    def arguments(self, parser):
        parser.add_argument("snapshot", metavar="NAME", nargs="?", help="a snapshot, now or python")
        parser.add_argument(
            "--sort",
            choices=list(ORDERS),
            default="size",
            help="what comes first: the largest (size, the default) or the oldest (age)",
        )
        shared.add_reach(parser)
        shared.add_filters(parser)
        shared.add_rows(parser)

    def run(self, session, options):
        choice = shared.Choice(session, options)
        whole = shared.whole(session, options.snapshot, options)
        if options.sort == "age" and not whole.start_time:
            raise AllocsnapError(
                "nothing says when the blocks of this snapshot were asked for: leave out --sort age"
            )
        labels = session.thread_labels(options.snapshot)
        rows = results.Traces(*choice.of(whole), options.sort, labels)
        return show(session, rows, options, whole if choice.filters else None, options.snapshot)

    def words(self, session, typed):
        return [] if any(session.snapshots.is_name(word) for word in typed) else session.snapshots.words()


_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|[1-9][0-9]*|0")
# A name of the program's; convenience variables begin with a $.
_NAME = re.compile(r"(?<![\w$.])[A-Za-z_]\w*")
_TYPES = {"char", "const", "int", "long", "short", "signed", "size_t", "unsigned", "void"}


def address_of(session, expression):
    """The value of an expression. What the program's names stand for, only a process knows:
    without one, debuggers answer with where the file has them."""
    if _NUMBER.fullmatch(expression):
        return _checked_address(expression, int(expression, 0))
    process = session.target.process()
    if process is None and set(_NAME.findall(expression)) - _TYPES:
        raise AllocsnapError(
            "there is no process and no core in which `{}` is an address: give it as a"
            " number".format(expression)
        )
    if process is not None:
        session.stopped_process()
    return _checked_address(expression, session.target.evaluate(expression))


def _checked_address(expression, number):
    """The address that a number is; a negative one counts from the end of memory."""
    if not -(2**63) <= number < 2**64:
        raise AllocsnapError("`{}` is no address: it has more than 64 bits".format(expression))
    return number & (2**64 - 1)


def _with_lives(text, lives, form):
    """What `who` says, with the blocks that were there before."""
    if lives is None:
        return text
    if form == "text":
        return text + lives.render(form)
    return '{},"freed":{}}}\n'.format(text.rstrip()[:-1], lives.render(form))


_NONE_KEPT = (
    "the hooks keep no freed blocks here: start the program with ALLOCSNAP_FREED=10000 in its"
    " environment"
)


class Freed(Command):
    """freed [KEY]"""

    name = "freed"
    summary = "Show where the blocks that were freed last were freed, or allocated."
    details = (
        "The hooks keep the last N blocks that were freed where the program was started\n"
        "with ALLOCSNAP_FREED=N: with both stacks, threads and times. `who` shows those of\n"
        "one address."
    )

    def arguments(self, parser):
        parser.add_argument(
            "words",
            metavar="KEY",
            nargs="?",
            default=DEFAULT,
            help="{} (default: {})".format(", ".join(known_names()), DEFAULT),
        )
        parser.add_argument(
            "--allocated", action="store_true", help="by the stacks that allocated the blocks"
        )
        shared.add_cumulative(parser)
        shared.add_filters(parser)
        shared.add_rows(parser)

    def run(self, session, options):
        key, _ = shared.split_words(session, [options.words], 0)
        _check_cumulative(options, key)
        choice = shared.Choice(session, options)
        told, both = session.freed()
        if not told.capacity:
            raise AllocsnapError(_NONE_KEPT)
        whole = both.slice(0 if options.allocated else told.shown, told.shown)
        shared.add_notes(options, _notes(told))
        labels = session.thread_labels(NOW)
        rows = results.Statistics(*choice.of(whole), key, options.cumulative, labels)
        return show(session, rows, options, whole if choice.filters else None)

    def words(self, session, typed):
        return [] if typed else known_names()


class Errors(Command):
    """errors"""

    name = "errors"
    summary = "List calls that freed a block twice, or freed what is not known."
    details = (
        "Where the program was started with ALLOCSNAP_FREED=N, the hooks keep the last 512\n"
        "calls that were to free, or to resize, a block that had been freed before and is\n"
        "among the last N: with the stacks of that call, of the first one, and of the\n"
        "allocation. Likewise those for blocks of which nothing is known; these are no\n"
        "errors where the block was allocated before tracing began, or past the hooks. The\n"
        "calls go on to the allocator, which may end the program for it."
    )

    def arguments(self, parser):
        shared.add_rows(parser)

    def run(self, session, options):
        told, snapshot = session.errors()
        if not told.is_kept:
            raise AllocsnapError(_NONE_KEPT)
        for count, shown, what in (
            (told.twice_count, told.twice_shown, "for blocks that had been freed"),
            (told.unknown_count, told.unknown_shown, "for blocks that are not known"),
        ):
            if count > shown:
                note = "of {} calls {} the last {} are kept".format(count, what, shown)
                shared.add_notes(options, [note])
        labels = session.thread_labels(NOW)
        return show(session, results.Errors(told, snapshot, labels), options, None)


def _notes(told):
    """What is not among the freed blocks that are shown."""
    notes = []
    if told.count > told.shown:
        notes.append("these are the last {} of {} blocks that were freed".format(told.shown, told.count))
    if told.lost:
        notes.append(
            "{} of them were not kept, as a thread was held up at their place".format(told.lost)
        )
    return notes


class Who(Command):
    """who EXPRESSION"""

    name = "who"
    summary = "Show which block holds an address, and the stack that allocated it; or what else it is."
    details = (
        "EXPRESSION is in the program's language, as for `print`: its value is the\n"
        "address, or the address of its value where that is a structure or an array. It\n"
        "may lie anywhere inside a block. All after the options belongs to it.\n\n"
        "In a snapshot that was taken with --graph, the block's class follows (`leaks`)."
    )
    rest_of_line = True

    def arguments(self, parser):
        parser.add_argument(
            "--in",
            dest="snapshot",
            metavar="NAME",
            default=None,
            help="look into this snapshot (default: now, or the newest one where there"
            " is neither process nor core)",
        )
        shared.add_formats(parser)
        parser.add_argument("expression", metavar="EXPRESSION", help="for example p->next")

    def run(self, session, options):
        name = options.snapshot or session.default_name()
        session.snapshots.check_known(name)
        address = address_of(session, options.expression)
        taken, regions = session.find_mapped(name)
        snapshot = taken.snapshot
        trace, place = snapshot.find(address), None
        if regions is not None and trace is None:
            place = session.place(regions, address)
        labels = session.thread_labels(name)
        who = results.Who(snapshot, address, regions, place, labels, session.display())
        first = _which(session, options.snapshot) if options.format == "text" else ""
        lives = session.lives(address, labels, snapshot.newest_time) if regions is not None else None
        return first + _with_lives(who.render(options.format), lives, options.format)

    def values(self, session, option, begun=""):
        return session.snapshots.words() if option == "--in" else super().values(session, option, begun)
