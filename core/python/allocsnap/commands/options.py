"""Arguments that several commands share: what to show, and which traces of it."""

import argparse
import re

from ..errors import UsageError
from ..kept import NOW
from ..kept_graph import KeptGraph
from ..library import graphs, objects
from ..library.keys import DEFAULT, OWNER, TYPE, cumulative_names, find_name, known_names
from ..library.native import FORMATS, TOTALS
from ..places import LINE_MAX
from ..printable import printable
from ..roots import find as find_computed
from . import suppressing
from .grammar import Choices, whole_number

LIMIT_MAX = 2**63 - 1
DOMAIN_MAX = 2**32 - 1

#: What the help of a command with filters says of them.
FILTER_HELP = (
    "A PATTERN is for the whole path of a file, or without a / in it for the end of\n"
    "one (cache.c is */cache.c). As of fnmatch, * stands for anything, also for a /,\n"
    "? for one character, [ab] for one of these. With :LINE at its end it is for that\n"
    "line only (write [:] where a path itself ends so). A block is shown when any --include matches its most recent frame, or\n"
    "none is given, and no --exclude does. The most recent frame is the first one\n"
    "that no skip rule matches: see `help snapshot set`."
)

_WITH_LINE = re.compile(r"(.*):([-+]?[0-9]*)\Z", re.S)


def _pattern(text):
    """An argparse type: (pattern, line) of PATTERN or PATTERN:LINE; no line is None."""
    line = None
    parts = _WITH_LINE.match(text)
    if parts is not None:
        text, line = parts.group(1), whole_number("line", 0, LINE_MAX)(parts.group(2))
    if not text:
        raise argparse.ArgumentTypeError("no path is empty: write * for any file")
    return text, line


def limit_of(what):
    """An argparse type: how many of something are shown; 0 for all."""

    def limit(text):
        return 0 if text == "all" else whole_number(what, 1, LIMIT_MAX)(text)

    return limit


def _paths(text):
    """The patterns for whole paths of what a user gave: without a /, the end of one."""
    return [text] if "/" in text or text.startswith("*") else [text, "*/" + text]


def add_formats(parser):
    """An option for each format but the text, which is printed without one."""
    for name, (_, summary) in FORMATS.items():
        if summary is not None:
            parser.add_argument(
                "--" + name, action="store_const", const=name, dest="format", help=summary
            )
    parser.set_defaults(format="text")


def add_rows(parser):
    """Options of a command that shows rows."""
    parser.add_argument(
        "-n",
        "--limit",
        metavar="N",
        type=limit_of("number of rows"),
        default=None,
        help="show N rows, or `all` (default: 10; with --json: all)",
    )
    add_formats(parser)


def add_cumulative(parser):
    """The option of a command that counts by frames."""
    parser.add_argument(
        "--cumulative",
        action="store_true",
        help="count a block for each frame of its stack, not for the newest only; by {}".format(
            ", ".join(cumulative_names())
        ),
    )


def add_filters(parser):
    """Options of a command that can leave traces out."""
    for option, verb in (("--include", "show only"), ("--exclude", "leave out")):
        parser.add_argument(
            option,
            metavar="PATTERN[:LINE]",
            action="append",
            default=[],
            type=_pattern,
            help="{} what this pattern matches; may be repeated".format(verb),
        )
    parser.add_argument(
        "--all-frames",
        action="store_true",
        help="match all frames of a stack, not the most recent only",
    )
    parser.add_argument(
        "--domain",
        metavar="D",
        action="append",
        default=[],
        type=_domain_text,
        help="show only the blocks of this domain, a number or a name; may be repeated",
    )
    parser.add_argument(
        "--skip",
        metavar="PATTERN",
        action="append",
        default=[],
        type=_rule,
        help="pass over frames of this function, or with a / in it of this file, where"
        " blocks are attributed to a frame; may be repeated",
    )
    parser.add_argument(
        "--no-skip",
        action="store_true",
        help="pass over no frame, not even of the built-in sets",
    )


def add_kinds(parser, text):
    """The option that names classes of blocks; `text`: its help, with a place for their names."""
    parser.add_argument(
        "--kinds",
        metavar="KIND,...",
        type=Choices(graphs.CLASSES, "kind of block"),
        default=None,
        help=text.format(", ".join(graphs.CLASSES) + ", or all"),
    )


def add_reach(parser):
    """The options of a command that can look at blocks of some classes only."""
    parser.add_argument(
        "--leaked",
        action="store_true",
        help="look only at blocks that nothing points to any more (--kinds definite): of now, and"
        " of snapshots that were taken with --graph",
    )
    add_kinds(parser, "look only at blocks of these classes, as `leaks` tells them apart: {}")
    parser.set_defaults(suppressed=None)
    suppressing.add_options(parser)


def chosen_kinds(options):
    """The classes that the options of add_reach name; None: blocks of any, which need not be known."""
    if options.leaked and options.kinds is not None:
        raise UsageError("--leaked is --kinds definite: give one of them")
    return ("definite",) if options.leaked else options.kinds


def add_totals(parser):
    """The options of a command that can show what was ever allocated."""
    parser.add_argument(
        "--allocated",
        action="append_const",
        const="allocated",
        dest="totals",
        help="count all that was allocated since tracing began, also what was freed: where the"
        " program was started with ALLOCSNAP_TOTALS=1",
    )
    parser.add_argument(
        "--temporary",
        action="append_const",
        const="temporary",
        dest="totals",
        help="count of that what its thread freed before it allocated or freed anything else",
    )
    parser.set_defaults(totals=None)


def chosen_totals(options):
    """What the options of add_totals name, one of TOTALS; None: live blocks."""
    named = set(getattr(options, "totals", None) or [])
    if len(named) > 1:
        raise UsageError("--allocated and --temporary contradict each other: give one of them")
    return named.pop() if named else None


def _totals(session, name, options, key, totals):
    """The Snapshot that the options of add_totals want."""
    if name not in (None, NOW):
        raise UsageError(
            "--{} is of the process as it is now: a snapshot holds live blocks only".format(
                totals
            )
        )
    if chosen_kinds(options) is not None:
        raise UsageError("--{} counts blocks that are freed, too: leave --leaked and --kinds"
                         " out".format(totals))
    if key is not None and key not in cumulative_names() + ["traceback"]:
        raise UsageError(
            "--{} goes by stacks, not by {}: give {} or traceback".format(
                totals, key, ", ".join(cumulative_names())
            )
        )
    told, snapshot = session.totals(TOTALS[totals])
    if told.lost:
        add_notes(options, ["{} blocks are not counted, for want of memory".format(told.lost)])
    return snapshot


def whole(session, name, options, key=None):
    """The Snapshot of a name that the options of add_reach look at. `key`: of the statistics."""
    totals = chosen_totals(options)
    if totals is not None:
        return _totals(session, name, options, key, totals)
    kinds = chosen_kinds(options)
    if kinds is None:
        suppressing.check_unused(options)
        if key == OWNER:
            computed = find_computed(session, name, key=key)
            add_notes(options, computed.graph.notes)
            return computed.snapshot
        return (session.find_typed if key == TYPE else session.find)(name).snapshot
    rules = suppressing.rules(session, options)
    computed = find_computed(session, name, key=key)
    found = suppressing.Found(computed, rules, kinds, name)
    add_notes(options, found.graph.notes)
    options.suppressed = (options.suppressed or []) + [found]
    selected = found.graph.select(computed.snapshot, kinds)
    selected.computed = KeptGraph(computed.snapshot, found.graph)
    return selected


def _domain_text(text):
    """An argparse type: the number or the name of a domain."""
    if text[:1].isdigit() or text[:1] in ("-", "+", ""):
        whole_number("domain", 0, DOMAIN_MAX)(text)
    return text


def _rule(text):
    """An argparse type: a pattern of a skip rule."""
    if not text:
        raise argparse.ArgumentTypeError("no function's name is empty: name one")
    return text


class Choice:
    """What the options of add_filters choose of a snapshot."""

    def __init__(self, session, options):
        """Checks them, before anything is read."""
        if options.all_frames and not options.include and not options.exclude:
            raise UsageError("--all-frames goes with --include or --exclude: give one of them")
        if options.no_skip and options.skip:
            raise UsageError("--skip and --no-skip contradict each other: give one of them")
        self._options = options
        rules = session.rules
        self._rules = rules._replace(patterns=rules.patterns + tuple(options.skip))
        self.filters = bool(options.include or options.exclude or options.domain)

    def of(self, *snapshots):
        """The Snapshots of what is chosen of each, with blocks attributed by the skip
        rules."""
        options = self._options
        if not options.no_skip:
            self._note_unused(snapshots)
            snapshots = [snapshot.skip(self._rules) for snapshot in snapshots]
        if not self.filters:
            return snapshots
        named = [pair for snapshot in snapshots for pair in snapshot.domains]
        domains = [_domain(named, text) for text in options.domain]
        filters = _filters(options, domains or [None])
        return [snapshot.filter(filters) for snapshot in snapshots]

    def _note_unused(self, snapshots):
        for pattern in self._rules.mine:
            if not any(snapshot.has_own(pattern) for snapshot in snapshots):
                add_notes(self._options, [_UNUSED.format(printable(pattern))])


#: Where `set mine` changes nothing.
_UNUSED = (
    "`set mine {}`: no frame here is in such a source, program or library;"
    " `snapshot stats filename --no-skip` and `module --no-skip` list them"
)


def add_notes(options, notes):
    """Has a command say these, with what the snapshot lacks."""
    options.notes = getattr(options, "notes", [])
    options.notes += [note for note in notes if note not in options.notes]


def _filters(options, domains):
    """tracemalloc's rule, within the domains; None is any."""
    everything = (None, None)
    found = [
        objects.Filter(True, path, line, options.all_frames, domain)
        for pattern, line in options.include or [everything]
        for path in ([None] if pattern is None else _paths(pattern))
        for domain in domains
        if pattern is not None or domain is not None
    ]
    return found + [
        objects.Filter(False, path, line, options.all_frames)
        for pattern, line in options.exclude
        for path in _paths(pattern)
    ]


def _domain(named, text):
    """The number of a domain, given by number or name; `named`: [(number, name)]."""
    if text[0].isdigit():
        return int(text)
    for number, name in named:
        if name == text:
            return number
    known = "no domain has a name, give a number"
    if named:
        known = "the named domains are " + ", ".join(sorted({name for _, name in named}))
    raise UsageError('no domain "{}": {}'.format(text, known))


def add_words(parser, names):
    """Positions for KEY and snapshots in any order, told apart by what is in them."""
    parser.add_argument(
        "words",
        metavar="|".join(["KEY"] + names),
        nargs="*",
        help="KEY: {} (default: {}); {}: a snapshot, now or python".format(
            ", ".join(known_names()), DEFAULT, ", ".join(names)
        ),
    )


def split_words(session, words, most):
    """(key, names) of the words of add_words: one key, `most` snapshots at most."""
    names = [word for word in words if session.snapshots.is_name(word)]
    others = [word for word in words if word not in names]
    keys = [find_name(word) for word in others if find_name(word) is not None]
    unknown = [word for word in others if find_name(word) is None]
    if unknown:
        raise UsageError(_unknown_word(session, unknown[0], keys, names, most))
    if len(keys) > 1:
        raise UsageError("two keys, {} and {}: give one".format(*keys[:2]))
    if len(names) > most:
        one = "one" if most == 1 else "two of them"
        raise UsageError(
            "{} snapshots, {} and {}: give {}".format(
                {2: "two", 3: "three"}.get(len(names), len(names)),
                ", ".join(names[:-1]),
                names[-1],
                one,
            )
        )
    return (keys or [DEFAULT])[0], names


def _unknown_word(session, word, keys, names, most):
    """The message for a word that is no key and no snapshot, beside those given."""
    all_keys = "the keys are {}".format(", ".join(known_names()))
    if keys and len(names) >= most:
        return 'one word too many, "{}": give a key and {}'.format(
            word, "a snapshot" if most == 1 else "two snapshots"
        )
    if keys:
        return session.snapshots.no_snapshot(word)
    if len(names) >= most:
        return 'no key "{}": {}'.format(word, all_keys)
    return 'no key or snapshot "{}": {}; {}'.format(word, all_keys, session.snapshots.known())


def possible_words(session, typed, most):
    """What may come next among the words of add_words."""
    found = []
    if all(session.snapshots.is_name(word) or find_name(word) is None for word in typed):
        found += known_names()
    if sum(session.snapshots.is_name(word) for word in typed) < most:
        found += [name for name in session.snapshots.words() if name not in typed]
    return found
