"""Commands about what still points to blocks: leaks, refs, path, retained."""

import argparse
import json

from ..errors import AllocsnapError
from ..kept import NOW
from ..library import graph_types, graphs
from ..library import rows as results
from ..library.keys import TYPE
from ..printable import printable
from ..roots import Computed, find, tag_mask
from ..terminal import ADDRESS, FILE, FUNCTION, NAME
from . import options as shared
from . import suppressing
from .command import Command, plural
from .reports import address_of, show, shown_rows

_ROWS = 10


def _mask(text):
    """An argparse type: the bits of a pointer that are no part of it."""
    number = tag_mask(text)
    if number is None:
        raise argparse.ArgumentTypeError(
            '"{}" is not a mask such as 0xff00000000000000, without bits 12 to 46, which every address'
            " needs".format(text)
        )
    return number


def add_graph(parser):
    """Options of a command that looks for pointers."""
    parser.add_argument(
        "--no-heuristics",
        action="store_true",
        help="take no pointer to the inside of a block for an ordinary one",
    )
    parser.add_argument(
        "--gaps",
        choices=list(graph_types.GAPS),
        default="auto",
        help="search the memory between traced blocks as well (default: auto, where blocks were"
        " not recorded)",
    )
    parser.add_argument(
        "--tag-mask",
        metavar="MASK",
        type=_mask,
        default=0,
        help="bits of pointers in which the program keeps tags, such as 0xff00000000000000",
    )


def _graph_options(options):
    return graphs.Options(not options.no_heuristics, options.gaps, options.tag_mask)


def _of_now(session):
    """Fails where there is nothing to be read anew."""
    if session.default_name() != NOW:
        session.stopped_process()


class Leaks(Command):
    """leaks [KEY] [NAME]"""

    name = "leaks"
    summary = "Show what nothing points to any more, by the line that allocated it."
    details = (
        "Every register, stack, global variable and other memory of the program that is no\n"
        "heap is searched for pointers, and so is every block that these lead to. A block is\n"
        "`definite` where nothing leads to it; of a cycle one block stands for all. It is\n"
        "`indirect` where only definite blocks lead to it, `possible` where only pointers to\n"
        "the inside of a block do, for no known reason, and else `reachable`.\n\n"
        "Without --kinds, definite blocks are shown, and beside them what is reachable only\n"
        "through them. The first lines say what could not be searched. Old values that were\n"
        "not overwritten can hide leaks, and a pointer that is kept in another form holds\n"
        "nothing.\n\n"
        "--suppressions names a file of rules as LeakSanitizer has them: `leak:PATTERN` leaves\n"
        "out what was allocated through a function, source or module of that name, or of one\n"
        "that has PATTERN within it; * stands for anything, ^ for the beginning, $ for the end.\n"
        "Built-in rules leave out what the C library, the loader and the C++ library keep until\n"
        "the program ends. What is left out counts as held, and so does what it leads to.\n\n"
        + shared.FILTER_HELP
    )

    def arguments(self, parser):
        shared.add_words(parser, ["NAME"])
        shared.add_kinds(parser, "which blocks to show: {} (default: definite)")
        suppressing.add_options(parser)
        parser.add_argument(
            "--show-suppressed",
            action="store_true",
            help="list the rules by which blocks are left out, with what they leave out",
        )
        add_graph(parser)
        shared.add_filters(parser)
        shared.add_rows(parser)

    def run(self, session, options):
        key, names = shared.split_words(session, options.words, 1)
        choice = shared.Choice(session, options)
        rules = suppressing.rules(session, options)
        name = names[0] if names else None
        kinds = options.kinds or ("definite",)
        computed = find(session, name, _graph_options(options), key)
        found = suppressing.Found(computed, rules, kinds)
        whole = found.graph.select(computed.snapshot, kinds)
        (chosen,) = choice.of(whole)
        rows = results.Statistics(chosen, key, False, session.thread_labels(name))
        if "indirect" in kinds:
            beside = graph_types.BESIDE_WITHIN
        elif "reachable" in kinds:
            beside = graph_types.BESIDE_INDIRECT
        else:
            beside = graph_types.BESIDE_LEAKED
        found.graph.add_to(rows, chosen, beside)
        text = show(session, rows, options, whole if choice.filters else None, name)
        return suppressing.added(session, text, options.format, [found], options.show_suppressed)

    def words(self, session, typed):
        return shared.possible_words(session, typed, 1)


class _OfBlock(Command):
    """A command about one block."""

    rest_of_line = True

    def arguments(self, parser):
        parser.add_argument(
            "-n",
            "--limit",
            metavar="N",
            type=shared.limit_of("number"),
            default=None,
            help=self.limit_help,
        )
        add_graph(parser)
        parser.add_argument("--json", action="store_true", help="one JSON object on one line")
        parser.add_argument("expression", metavar="EXPRESSION", help="for example p->next")

    limit_help = ""

    def computed(self, session, options):
        """(Computed, Blocks, number of the block)."""
        _of_now(session)
        computed = Computed(session, _graph_options(options))
        # LLDB leaves the value in memory that it has mapped in the program: it is asked afterwards.
        address = address_of(session, options.expression)
        block = computed.graph.find(address)
        if block is None:
            raise AllocsnapError(
                "{:#x} is in no live traced block: `snapshot who {:#x}` says what is there".format(
                    address, address
                )
            )
        return computed, _Blocks(session, computed), block


class _Blocks:
    """How blocks are shown: by the line that allocated them."""

    def __init__(self, session, computed):
        self._graph = computed.graph
        self._session = session
        self._snapshot = computed.snapshot.skip(session.rules)

    def place(self, number):
        """(file, line, function) that a block is attributed to."""
        trace = self._graph.block(number).trace
        return self._snapshot.attributed(trace.traceback_id)

    def text(self, number):
        """A block on a line: "block of server.c:52 in load at 0x..., 120 B"."""
        trace = self._graph.block(number).trace
        filename, lineno, function = self.place(number)
        marked = self._session.shown.marked
        where = marked(FILE, filename) + (":{}".format(lineno) if lineno else "")
        if function:
            where += " in " + marked(FUNCTION, function)
        return "block of {} at {}, size={}".format(
            where,
            marked(ADDRESS, "{:#x}".format(trace.address)),
            self._session.shown.size(trace.size),
        )

    def type(self, number):
        """The class of the object in a block; None: not known."""
        return self._snapshot.class_of(self._graph.block(number).trace)

    def json(self, number):
        """The same as an object."""
        info = self._graph.block(number)
        filename, lineno, function = self.place(number)
        return {
            "address": info.trace.address,
            "size": info.trace.size,
            "reach": self._graph.class_of(number),
            "filename": filename,
            "lineno": lineno,
            "function": function,
        }


def _notes(computed):
    return list(computed.graph.notes) + computed.snapshot.notes


def _warnings(computed):
    return "".join("warning: {}\n".format(printable(note.encode())) for note in _notes(computed))


class Refs(_OfBlock):
    """refs EXPRESSION"""

    name = "refs"
    summary = "Show what points to a block, and what it points to."
    limit_help = "show N of each, or `all` (default: 10)"
    details = (
        "EXPRESSION is one of the program's language, as for `print`: its value is the address\n"
        "of the block, or an address inside it. All after the options belongs to it.\n\n"
        "What is in no block is named: a global variable, a register, a thread's stack.\n"
        "`inside` marks pointers to the inside of a block."
    )

    def run(self, session, options):
        computed, blocks, block = self.computed(session, options)
        graph = computed.graph
        info = graph.block(block)
        _, roots, holders = graph.referrers(block, 0)
        limit = max(roots + holders, info.reference_count)
        if options.limit != 0:
            limit = min(limit, options.limit or _ROWS)
        referrers, _, _ = graph.referrers(block, limit)
        references = graph.references(block, limit)
        pointers = [one for one in referrers if one.block != graph_types.NO_BLOCK]
        pointers = list(zip(pointers, computed.places((one.block, block) for one in pointers)))
        places = computed.places((block, one.block) for one in references)
        references = list(zip(references, places))
        referrers = [one for one in referrers if one.block == graph_types.NO_BLOCK]
        if options.json:
            counts = {
                "root_count": roots,
                "referrer_count": holders,
                "reference_count": info.reference_count,
                "cycle_count": info.cycle_count,
            }
            return self._json(computed, blocks, block, counts, (referrers, pointers, references))
        lines = [
            blocks.text(block) + ", " + graph.class_of(block),
            "pointed to by {} in roots and {} in blocks:".format(
                plural(roots, "pointer"), plural(holders, "pointer")
            ),
        ]
        if info.cycle_count:
            lines[0] += ", stands for a cycle of {}".format(plural(info.cycle_count, "block"))
        marked = session.shown.marked
        lines += ["  " + computed.root_name(one, marked) + _inside(one) for one in referrers]
        lines += [
            "  "
            + blocks.text(one.block)
            + _at(offset, " ").rstrip()
            + _inside(one)
            + _variable(computed, one.block, offset, marked)
            for one, offset in pointers
        ]
        shown = len(referrers) + len(pointers)
        if roots + holders > shown:
            lines.append("  and {} other".format(roots + holders - shown))
        lines.append("has {} to blocks:".format(plural(info.reference_count, "pointer")))
        lines += [
            "  " + _at(offset) + blocks.text(one.block) + _inside(one) for one, offset in references
        ]
        if info.reference_count > len(references):
            lines.append("  and {} other".format(info.reference_count - len(references)))
        return _warnings(computed) + "\n".join(lines) + "\n"

    @staticmethod
    def _json(computed, blocks, block, counts, found):
        roots, referrers, references = found
        answer = {"block": blocks.json(block)}
        answer.update(counts)
        answer["roots"] = [{"name": computed.root_name(one), "inside": one.inside} for one in roots]
        for name, pointers in (("referrers", referrers), ("references", references)):
            answer[name] = [
                dict(blocks.json(one.block), offset=offset, inside=one.inside)
                for one, offset in pointers
            ]
        answer["notes"] = _notes(computed)
        return json.dumps(answer) + "\n"


def _at(offset, before=""):
    """"+0x18 -> ", where the place is known."""
    return "" if offset is None else "{}+{:#x}{}".format(before, offset, "" if before else " -> ")


def _variable(computed, block, offset, marked):
    """", thread-local NAME of thread N", of a place in a block that the dynamic linker keeps such
    variables in."""
    if offset is None:
        return ""
    name = computed.thread_local_name(computed.graph.block(block).trace.address + offset, marked)
    return ", " + name if name else ""


def _inside(reference):
    return ", inside" if reference.inside else ""


class Path(_OfBlock):
    """path EXPRESSION"""

    name = "path"
    summary = "Show how the program gets to a block: from a root through other blocks."
    limit_help = "show N paths that have no block in common, or `all` (default: 1, the shortest)"
    details = (
        "EXPRESSION is one of the program's language, as for `print`: its value is the address\n"
        "of the block, or an address inside it. All after the options belongs to it."
    )

    def run(self, session, options):
        computed, blocks, block = self.computed(session, options)
        graph = computed.graph
        paths = graph.paths(block, None if options.limit == 0 else options.limit or 1)
        if len(paths) == 1:
            # Of several paths each has a root of its own.
            paths = [(computed.best_root(root, way[0]), way) for root, way in paths]
        if options.json:
            found = {
                "block": blocks.json(block),
                "paths": [
                    {
                        "root": computed.root_name(root),
                        "blocks": [
                            dict(blocks.json(number), offset=offset)
                            for number, offset in self._steps(computed, way)
                        ],
                    }
                    for root, way in paths
                ],
                "notes": _notes(computed),
            }
            return json.dumps(found) + "\n"
        text = _warnings(computed)
        if not paths:
            return text + "no pointer leads to the {}: it is {}\n".format(
                blocks.text(block), graph.class_of(block)
            )
        for number, (root, way) in enumerate(paths):
            if len(paths) > 1:
                text += "#{}:\n".format(number + 1)
            text += computed.root_name(root, session.shown.marked) + _inside(root) + "\n"
            for one, offset in self._steps(computed, way):
                text += "  -> {}{}{}\n".format(
                    blocks.text(one), _at(offset, " "), _variable(computed, one, offset, session.shown.marked)
                )
        return text

    @staticmethod
    def _steps(computed, way):
        """(block, where in it the pointer to the next is) along a path."""
        following = list(way[1:]) + [None]
        return [
            (block, None if after is None else computed.offset(block, after))
            for block, after in zip(way, following)
        ]


class Retained(Command):
    """retained [KEY] [NAME]"""

    name = "retained"
    summary = "Show what each line keeps alive, beside what it holds itself."
    details = (
        "A block keeps alive what the program could not get at without it: itself, and the\n"
        "blocks that all ways from a root lead to through it. `retained` of a line is the sum\n"
        "over its blocks that no other of its blocks keeps alive, so that none counts twice;\n"
        "what only several of its blocks together keep alive is not in it. With --exact it is\n"
        "told as well: `exact` is what the program could not get at without all blocks of the\n"
        "line. Leaked blocks count as if they were held.\n\n"
        + shared.FILTER_HELP
    )

    def arguments(self, parser):
        shared.add_words(parser, ["NAME"])
        parser.add_argument(
            "--top",
            action="store_true",
            help="list the single blocks that keep most alive",
        )
        parser.add_argument(
            "--exact",
            action="store_true",
            help="tell of the rows shown what all their blocks together keep alive",
        )
        add_graph(parser)
        shared.add_filters(parser)
        shared.add_rows(parser)

    def run(self, session, options):
        key, names = shared.split_words(session, options.words, 1)
        choice = shared.Choice(session, options)
        name = names[0] if names else None
        if options.top and choice.filters:
            raise AllocsnapError("--top goes over all blocks: leave out the filters")
        if options.top and options.exact:
            raise AllocsnapError("what --top lists of single blocks is exact: leave out --exact")
        if options.top and len(options.words) > len(names):
            raise AllocsnapError("--top lists single blocks: leave out {}".format(key))
        computed = find(session, name, _graph_options(options), TYPE if options.top else key)
        if computed.snapshot.sample_period:
            raise AllocsnapError(
                "what blocks keep alive cannot be told of a sample: trace every block"
                " (`snapshot start --sample 0`)"
            )
        computed.graph.retain(computed.calls)
        if options.top:
            return self._top(session, computed, options)
        whole = computed.snapshot
        (chosen,) = choice.of(whole)
        rows = results.Statistics(chosen, key, False, session.thread_labels(name))
        computed.graph.add_to(rows, chosen, graph_types.BESIDE_RETAINED)
        if options.exact:
            computed.graph.add_exact(computed.calls, rows, chosen, shown_rows(options))
        return show(session, rows, options, whole if choice.filters else None, name)

    @staticmethod
    def _top(session, computed, options):
        blocks, graph = _Blocks(session, computed), computed.graph
        limit = _ROWS if options.limit is None and options.format == "text" else options.limit
        numbers = graph.top(limit or computed.snapshot.trace_count)
        if options.format == "json":
            rows = []
            for number in numbers:
                size, count = graph.retained(number)
                retained = {"retained_size": size, "retained_count": count}
                rows.append(dict(blocks.json(number), type=blocks.type(number), **retained))
            return json.dumps({"blocks": rows, "notes": _notes(computed)}) + "\n"
        text = _warnings(computed)
        for place, number in enumerate(numbers):
            size, count = graph.retained(number)
            kind = blocks.type(number)
            text += "#{}: {}{}, retained={} in {}\n".format(
                place + 1,
                blocks.text(number),
                ", type=" + session.shown.marked(NAME, kind) if kind else "",
                session.shown.size(size),
                plural(count, "block"),
            )
        return text

    def words(self, session, typed):
        return shared.possible_words(session, typed, 1)
