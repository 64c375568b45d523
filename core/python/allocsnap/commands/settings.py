"""What can be set: which frames blocks are attributed to, and how names are shown."""

import shlex

from ..errors import AllocsnapError
from ..exit_stop import MODES
from ..library.skip_rules import skip_sets
from ..library.leak_rules import Suppressions
from ..printable import printable
from ..program_reader import EARLIER
from ..shown import CHOICES
from ..target import path_bytes
from . import suppressing
from .command import Command, plural

#: In place of a setting's values: what it is where it was not set.
DEFAULT = "default"

#: Before the name of a built-in skip set: without it.
_WITHOUT = "no-"


class Setting:
    """One of the words after `snapshot set`."""

    name = ""
    usage = ""  # of its values

    def values(self):
        """What can follow, as far as it is a choice."""
        return []

    def set(self, session, words):
        """Sets it, and returns what to print; without words, only shows it."""
        raise NotImplementedError

    def shown(self, session):
        """What it is, in a line."""
        raise NotImplementedError


class Skip(Setting):
    name = "skip"
    usage = "[PATTERN|no-SET...]"

    def values(self):
        return [DEFAULT] + [_WITHOUT + name for name in skip_sets()]

    def set(self, session, words):
        if not words:
            return self._listed(session)
        if DEFAULT in words and len(words) > 1:
            raise AllocsnapError("`default` stands alone: give it, or patterns and sets")
        words = [word for word in words if word != DEFAULT]
        if "" in words:
            raise AllocsnapError("no function's name is empty: give a pattern of one")
        without = [word[len(_WITHOUT) :] for word in words if word.startswith(_WITHOUT)]
        for name in without:
            if name not in skip_sets():
                raise AllocsnapError(
                    'no skip set "{}": the sets are {}'.format(name, ", ".join(skip_sets()))
                )
        session.rules = session.rules._replace(
            patterns=tuple(word for word in words if not word.startswith(_WITHOUT)),
            sets=tuple(name for name in skip_sets() if name not in without) if without else None,
        )
        return ""

    def shown(self, session):
        without = [_WITHOUT + name for name in skip_sets() if not _is_on(session, name)]
        return _quoted(without + list(session.rules.patterns)) or DEFAULT

    def _listed(self, session):
        lines = ["Passed over, but for --no-skip:\n"]
        for one in skip_sets().values():
            off = "" if _is_on(session, one.name) else "(off) "
            lines.append("  {:<9} {}{}\n".format(one.name, off, one.what))
        patterns = _quoted(session.rules.patterns)
        return "".join(lines) + "Rules of your own: {}\n".format(patterns or "none")


class Mine(Setting):
    name = "mine"
    usage = "[PATTERN...]"

    def values(self):
        return [DEFAULT]

    def set(self, session, words):
        if not words:
            patterns = _quoted(session.rules.mine)
            return "Your own code: {}\n".format(patterns or "none named")
        if DEFAULT in words and len(words) > 1:
            raise AllocsnapError("`default` stands alone: give it, or patterns")
        if "" in words:
            raise AllocsnapError("no path is empty: give a pattern of a source or a module")
        session.rules = session.rules._replace(mine=() if words == [DEFAULT] else tuple(words))
        return ""

    def shown(self, session):
        return _quoted(session.rules.mine) or DEFAULT


class Shown(Setting):
    """How long names are shown."""

    usage = "auto|short|full"

    def __init__(self, name):
        self.name = name

    def values(self):
        return list(CHOICES)

    def set(self, session, words):
        if len(words) != 1 or words[0] not in self.values():
            raise AllocsnapError(
                "{} are {} or {}: say which".format(
                    self.name, ", ".join(CHOICES[:-1]), CHOICES[-1]
                )
            )
        session.shown.chosen[self.name] = words[0]
        return ""

    def shown(self, session):
        return session.shown.chosen[self.name]


class StopAtExit(Setting):
    name = "stop-at-exit"
    usage = "off|exit|end"

    def values(self):
        return list(MODES)

    def set(self, session, words):
        if len(words) != 1 or words[0] not in MODES:
            raise AllocsnapError("stop-at-exit is off, exit or end: say which")
        session.exit_stop.set(words[0])
        return ""

    def shown(self, session):
        return session.exit_stop.mode


class Earlier(Setting):
    name = "earlier"
    usage = "|".join(EARLIER)

    def values(self):
        return list(EARLIER)

    def set(self, session, words):
        if len(words) != 1 or words[0] not in EARLIER:
            raise AllocsnapError("earlier is graph, always or never: say which")
        session.earlier = words[0]
        return ""

    def shown(self, session):
        return session.earlier


class LeakSuppressions(Setting):
    name = "suppressions"
    usage = "FILE|off"

    def values(self):
        return ["off"]

    def set(self, session, words):
        if len(words) != 1 or not words[0]:
            raise AllocsnapError("suppressions is the path of one file, or off: say which")
        if words == ["off"]:
            session.suppressions = None
            return ""
        path = suppressing.absolute(words[0])
        rules = Suppressions([path_bytes(path)], builtin=False).rules
        session.suppressions = path
        return "{} in {}.\n".format(plural(len(rules), "rule"), session.shown.path(path))

    def shown(self, session):
        return "off" if session.suppressions is None else session.shown.path(session.suppressions)


#: Every setting, in the order that they are shown in.
SETTINGS = {
    setting.name: setting
    for setting in (
        Skip(),
        Mine(),
        Shown("names"),
        Shown("paths"),
        LeakSuppressions(),
        Earlier(),
        StopAtExit(),
    )
}


def _is_on(session, name):
    return session.rules.sets is None or name in session.rules.sets


def _quoted(words):
    return " ".join(printable(shlex.quote(word)) for word in words)


class Set(Command):
    __doc__ = "set [{}]".format(
        " | ".join("{0.name} {0.usage}".format(setting) for setting in SETTINGS.values())
    )

    name = "set"
    of_sessions = True
    summary = "Set which frames are passed over, how names are shown, and where programs stop; or show it."
    details = (
        "A block is attributed to the first frame of its stack that is not passed over,\n"
        "in statistics, differences and filters. Built-in sets are: functions of the C,\n"
        "C++ and Rust libraries, of GLib and Qt, common wrappers of malloc, and functions\n"
        "without a name. `set skip` lists them, and your own rules. A PATTERN, as of\n"
        "fnmatch, is a rule for the name of a function (xmalloc, my_*), or with a / in it\n"
        "for the path of a file (*/mem.c); no-SET (no-glib) leaves a built-in set out.\n"
        "What is given replaces what was given before; `set skip default` takes it all\n"
        "back. The option --no-skip passes over nothing.\n\n"
        "`set mine PATTERN` names your own code, by paths of sources or of programs and\n"
        "libraries (my_server, */src/*): a block is attributed to the first frame in it,\n"
        "where there is one. `set mine default` takes it back.\n\n"
        "`set names short` shows functions without template arguments, parameters and\n"
        "return type, `set paths short` the shortest ends of paths that tell the files\n"
        "shown apart, `full` the whole. With `auto`, functions are short on a terminal,\n"
        "and what makes a line longer than the terminal is wide is cut: paths in their\n"
        "middle. Files and pipes have full names then, and JSON always.\n\n"
        "`set suppressions FILE` names rules for what `leaks` and --leaked leave out, beside\n"
        "the built-in ones; the file is read each time. `set suppressions off` takes it back.\n\n"
        "`set earlier` says when blocks that the hooks have no record of, as those from before\n"
        "tracing began or was cleared, are added to theirs, by glibc's own structures and\n"
        "without stacks: for what goes by pointers (`graph`), as leaks and path, `always`, or\n"
        "`never`.\n\n"
        "A traced program stops by itself where it calls exit or returns from main, so\n"
        "that what it holds last can be read: `set stop-at-exit exit`. With `end` it\n"
        "stops after its destructors and exit handlers instead, with `off` nowhere."
    )

    def arguments(self, parser):
        parser.add_argument("setting", choices=list(SETTINGS), nargs="?", help="what to set")
        parser.add_argument(
            "values",
            metavar="VALUE",
            nargs="*",
            help="patterns, no-SET or default; auto, short or full; a file; graph, always or never;"
            " off, exit or end",
        )

    def run(self, session, options):
        if options.setting is not None:
            return SETTINGS[options.setting].set(session, options.values)
        return "".join(
            "{}: {}\n".format(name, setting.shown(session)) for name, setting in SETTINGS.items()
        )

    def words(self, session, typed):
        if not typed:
            return list(SETTINGS)
        setting = SETTINGS.get(typed[0])
        return [] if setting is None or len(typed) > 1 else setting.values()
