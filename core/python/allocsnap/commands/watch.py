"""The command that has the program stop at a size of its heap."""

import argparse

from ..errors import AllocsnapError, UsageError
from ..launch import DEFAULT_FRAME_LIMIT
from ..terminal import SIZE
from ..watching import by_kind, check_not_passed, limits_of, precise_size, reached_text
from .command import Command, plural
from .control import NEXT, next_run, obstacle
from .grammar import byte_count, whole_number

_MOST = 2**63 - 1
_size = byte_count("size", _MOST)
_TITLES = {
    "size": "more than {} traced",
    "block": "a request of {} or more",
    "count": "more than {} traced",
    "failed": "a request that gets no memory",
}


def _title(session, kind, number):
    if kind == "count":
        return _TITLES[kind].format(plural(number, "block"))
    return _TITLES[kind].format(session.shown.marked(SIZE, precise_size(number)))


def _positive(convert):
    """An argparse type like another one that takes no 0."""

    def positive(text):
        number = convert(text)
        if not number:
            raise argparse.ArgumentTypeError('"{}" is no limit: it is from 1 on'.format(text))
        return number

    return positive


def _limit(text):
    """The first argument: (whether it is from now on, bytes), or "off"."""
    if text == "off":
        return text
    more = text.startswith("+")
    return more, _positive(_size)(text[1:] if more else text)


_NOTHING = "Nothing is watched: `snapshot watch 100M` stops the program when its heap passes 100 MiB."


class Watch(Command):
    """watch [SIZE|+SIZE|off] [--block SIZE] [--count N] [--failed]"""

    name = "watch"
    summary = "Stop the program when its heap passes a size, and show what is watched."
    of_sessions = True
    details = (
        "The program stops at the allocation that does it, as at a watchpoint, before this\n"
        "returns: `backtrace` shows who asked for it. Each limit is watched until it is\n"
        "reached once. What is given is watched beside the others, in the process or, where\n"
        "there is none, in the next run; `off` ends it all."
    )

    def arguments(self, parser):
        parser.add_argument(
            "limit",
            metavar="SIZE|off",
            nargs="?",
            type=_limit,
            help="stop when more than SIZE is traced, for example 500M; +SIZE: more than"
            " SIZE beyond what is traced now; off: watch nothing",
        )
        parser.add_argument(
            "--block",
            metavar="SIZE",
            type=_positive(_size),
            help="stop at a request of SIZE or more",
        )
        parser.add_argument(
            "--count",
            metavar="N",
            type=whole_number("number of blocks", 1, _MOST),
            help="stop when more than N blocks are traced",
        )
        parser.add_argument(
            "--failed", action="store_true", help="stop at a request that gets no memory"
        )

    def words(self, session, typed):
        return [] if typed else ["off"]

    def run(self, session, options):
        asked = {"block": options.block, "count": options.count, "failed": int(options.failed)}
        asked = {kind: number for kind, number in asked.items() if number}
        if options.limit == "off":
            if asked:
                raise UsageError("`off` stands alone; `snapshot watch --help` shows how")
            return self._off(session)
        if options.limit is not None:
            asked["size"] = options.limit
        if not asked:
            return self._show(session)
        if session.process() is None:
            return self._set_next_run(session, asked)
        return self._set(session, asked)

    @staticmethod
    def _set(session, asked):
        session.live_process()
        status = session.traced_status()
        if "size" in asked:
            more, size = asked["size"]
            asked["size"] = size + status.traced_size if more else size
            if asked["size"] > _MOST:
                raise AllocsnapError("no heap is as large as that: give a smaller size")
        check_not_passed(status, asked)
        limits = dict(limits_of(session.watching.read()), **asked)
        session.watching.set(limits)
        return "The program stops at {}, from its next malloc or free on.\n".format(_told(session, asked))

    @staticmethod
    def _set_next_run(session, asked):
        if "size" in asked:
            asked["size"] = asked["size"][1]
        text = ""
        if session.launch.frame_limit() is None:
            session.start()
            text = next_run(session, DEFAULT_FRAME_LIMIT) + obstacle(session)
        session.watching.set_next_run(dict(session.watching.next_run(), **asked))
        return text + "The next `{}` stops at {}.\n".format(
            session.target.run_command, _told(session, asked)
        )

    @staticmethod
    def _off(session):
        run = session.watching.next_run()
        process = session.process()
        limits = {}
        if process is not None and not (process.is_core and run):
            session.live_process()
            limits = limits_of(session.watching.read())
            session.watching.set({})
        if not limits and not run:
            return _NOTHING + "\n"
        if run:
            session.watching.set_next_run({})
        return "Nothing is watched any more{}.\n".format(", from its next malloc or free on" if limits else "")

    @staticmethod
    def _show(session):
        lines = []
        if session.process() is not None:
            watch = session.watching.read()
            limits = limits_of(watch)
            lines += ["watched: " + _title(session, kind, number) for kind, number in limits.items()]
            lines += [
                "reached: {}".format(reached_text(kind, one, watch.of_sample))
                for kind, one in by_kind(watch)
                if one.times
            ]
            if limits and watch.is_pending:
                lines.append("waiting: the hooks begin {}".format(NEXT))
        run = session.watching.next_run()
        if run:
            lines.append("next {}: {}".format(session.target.run_command, _told(session, run)))
        return "".join(line + "\n" for line in lines or [_NOTHING])


def _told(session, limits):
    """Limits {kind: number} in a sentence."""
    return " and at ".join(_title(session, kind, limits[kind]) for kind in _TITLES if kind in limits)
