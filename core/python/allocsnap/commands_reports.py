"""Commands that show what is in snapshots."""

from . import objects, options as shared
from .command import Command
from .errors import AllocsnapError


def _check_cumulative(options, key):
    if options.cumulative and key == "traceback":
        raise AllocsnapError(
            "--cumulative goes by lineno or filename: a traceback is a whole stack already"
        )


def _show(rows, options, unfiltered):
    """The text of native rows, as the options of shared.add_rows want it."""
    if options.json:
        return rows.json(options.limit or 0, unfiltered).rstrip("\n") + "\n"
    return rows.text(options.limit or 10, unfiltered)


class Stats(Command):
    """stats [KEY] [NAME]"""

    name = "stats"
    summary = "Show which source lines, files or stacks hold the memory, largest first."
    details = (
        "KEY and NAME may come in either order. By `traceback`, a group is a whole\n"
        "stack. Without a NAME it is `now`, a fresh reading of the paused process or\n"
        "core, and the newest snapshot where there is neither.\n\n" + shared.FILTER_HELP
    )

    def arguments(self, parser):
        shared.add_words(parser, ["NAME"])
        shared.add_cumulative(parser)
        shared.add_filters(parser)
        shared.add_rows(parser)

    def run(self, session, options):
        key, names = shared.split_words(session, options.words, 1)
        _check_cumulative(options, key)
        chosen = shared.filters(options)
        whole = session.find(names[0] if names else None).snapshot
        part = shared.filtered(whole, chosen)
        rows = objects.Statistics(part, key, options.cumulative)
        return _show(rows, options, whole if chosen else None)

    def words(self, session, typed):
        return shared.possible_words(session, typed, 1)


class Diff(Command):
    """diff OLD [NEW] [KEY]"""

    name = "diff"
    summary = "Compare two snapshots: which lines, files or stacks hold more than before."
    details = (
        "The rows with the largest difference in size come first, also of what has\n"
        "vanished. Without NEW it is `now`, a fresh reading of the paused process or\n"
        "core, and the newest snapshot where there is neither.\n\n" + shared.FILTER_HELP
    )

    def arguments(self, parser):
        shared.add_words(parser, ["OLD", "NEW"])
        shared.add_cumulative(parser)
        shared.add_filters(parser)
        shared.add_rows(parser)

    def run(self, session, options):
        key, names = shared.split_words(session, options.words, 2)
        if not names:
            raise AllocsnapError(
                "which snapshots? `snapshot diff OLD [NEW]`: {}".format(session.known())
            )
        _check_cumulative(options, key)
        chosen = shared.filters(options)
        old_name, new_name = names[0], names[1] if len(names) > 1 else session.default_name()
        if old_name == new_name:
            raise AllocsnapError(
                "{} would be compared with itself: name another snapshot,"
                " `snapshot diff OLD NEW`".format(old_name)
            )
        old, new = (session.find(name).snapshot for name in (old_name, new_name))
        rows = objects.Diff(
            shared.filtered(new, chosen), shared.filtered(old, chosen), key, options.cumulative
        )
        return _show(rows, options, (new, old) if chosen else None)

    def words(self, session, typed):
        return shared.possible_words(session, typed, 2)
