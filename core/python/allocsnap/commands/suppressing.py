"""What the options of suppressions leave out, and what is said of it."""

import json
import os

from ..errors import AllocsnapError
from ..library.leak_rules import Suppressed, Suppressions
from ..target import path_bytes


#: What other commands than leaks name for the rules.
HINT = "`snapshot leaks --show-suppressed`"


def add_options(parser):
    """Options of a command that looks at leaked blocks."""
    parser.add_argument(
        "--suppressions",
        metavar="FILE",
        action="append",
        default=[],
        help="leave out what a rule in this file is for, as LeakSanitizer has them (leak:PATTERN);"
        " may be repeated",
    )
    parser.add_argument(
        "--no-suppressions",
        action="store_true",
        help="leave out nothing, not even by the built-in rules",
    )


def check_unused(options):
    """Fails where options of suppressions are given that nothing asks for."""
    if options.suppressions or options.no_suppressions:
        raise AllocsnapError(
            "--suppressions and --no-suppressions are for leaks: give --leaked or --kinds with them,"
            " or leave them out"
        )


def absolute(path):
    """The path of a file of rules, as a user gave it."""
    return os.path.abspath(os.path.expanduser(path))


def rules(session, options):
    """The Suppressions of a session that options ask for."""
    if options.no_suppressions:
        if options.suppressions:
            raise AllocsnapError(
                "--suppressions and --no-suppressions contradict each other: give one of them"
            )
        return Suppressions(builtin=False)
    paths = list(map(absolute, options.suppressions))
    if session.suppressions is not None and session.suppressions not in paths:
        paths.append(session.suppressions)
    return Suppressions([path_bytes(path) for path in paths])


class Found:
    """The graph of a Computed without the blocks that Suppressions are for, and what is said of
    these. `kinds`: that are shown; `name`: of the snapshot, for where there are two."""

    def __init__(self, computed, chosen, kinds, name=None):
        self.name = name
        found = Suppressed(computed.calls, computed.graph, computed.snapshot, chosen, kinds)
        self.graph = found.graph
        self._by_rule, self._held = found.by_rule, found.held

    @property
    def _size(self):
        return sum(amount.size for _, amount in self._by_rule)

    @property
    def _count(self):
        return sum(amount.count for _, amount in self._by_rule)

    def text(self, size, with_rules=False, hint="--show-suppressed"):
        """Lines for people; none where nothing was left out and it was not asked for. `size` writes
        bytes."""
        if not self._by_rule:
            return "Suppressed: nothing\n" if with_rules else ""
        text = "Suppressed: size={}, count={}".format(size(self._size), self._count)
        if self._held.count:
            text += " (and {} in {} block{} that only they lead to)".format(
                size(self._held.size),
                self._held.count,
                "" if self._held.count == 1 else "s",
            )
        if not with_rules:
            return text + "; {} tells by which rules\n".format(hint)
        return text + "\n" + "".join(
            "  {}: size={}, count={}\n".format(rule, size(amount.size), amount.count)
            for rule, amount in self._by_rule
        )

    @property
    def json(self):
        """The same as an object."""
        return {
            "size": self._size,
            "count": self._count,
            "held_size": self._held.size,
            "held_count": self._held.count,
            "rules": [
                {
                    "rule": rule.rule,
                    "filename": rule.file,
                    "lineno": rule.lineno or None,
                    "size": amount.size,
                    "count": amount.count,
                }
                for rule, amount in self._by_rule
            ],
        }


def added(session, text, form, found, with_rules=False, hint="--show-suppressed"):
    """A text of rows with what was left out of them; `found`: a list of Found."""
    if form == "json":
        one = [one.json for one in found]
        more = json.dumps(one[0] if len(one) == 1 else one)
        return text.rstrip("\n")[:-1] + ',"suppressed":' + more + "}\n"
    if len(found) == 1:
        return text + found[0].text(session.shown.size, with_rules, hint)
    lines = [(one.name or "now", one.text(session.shown.size, False, hint)) for one in found]
    return text + "".join("{}: {}".format(name, line) for name, line in lines if line)
