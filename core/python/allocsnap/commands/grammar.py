"""Parsing a command's arguments: argparse that neither prints nor exits."""

import argparse
import re
import shlex

from ..errors import UsageError


class HelpRequested(Exception):
    """The user asked for a command's help; the argument is its text."""


class _HelpAction(argparse.Action):
    def __init__(self, option_strings, dest, **_unused):
        super().__init__(option_strings, dest, nargs=0, help="show this help")

    def __call__(self, parser, *_unused):
        raise HelpRequested(parser.format_help())


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """The same text whatever the terminal."""

    def __init__(self, prog):
        super().__init__(prog, max_help_position=24, width=79)


class Parser(argparse.ArgumentParser):
    """A parser whose errors are UsageErrors that name the command's help."""

    def __init__(self, command, description):
        super().__init__(
            prog="snapshot " + command,
            description=description,
            formatter_class=_Formatter,
            add_help=False,
            allow_abbrev=False,
        )
        self.how_to_help = self.prog + " --help"
        self.register("action", "asnap_help", _HelpAction)

    def add_argument(self, *names, **options):
        if options.get("nargs") == "*":
            # Without it, argparse says that the argument is required.
            options.setdefault("default", [])
        return super().add_argument(*names, **options)

    def add_common(self):
        """Adds what every command has, after its own."""
        self.add_argument("-h", "--help", action="asnap_help")

    def _check_value(self, action, value):
        # argparse's own words differ from one Python to the next.
        if action.choices is not None and value not in action.choices:
            known = ", ".join(action.choices)
            raise argparse.ArgumentError(action, "{!r} is none of {}".format(value, known))

    def error(self, message):
        raise UsageError("{}; `{}` shows how".format(message, self.how_to_help))

    def parse_line(self, line):
        """Parses a line as the user typed it after the command's name."""
        try:
            words = shlex.split(line)
        except ValueError as error:
            self.error("{} in {}".format(str(error).lower(), line))
        return self.parse_intermixed_args(words)

    def parse_rest(self, line):
        """Parses a line whose last argument is all that follows the options."""
        words = []
        rest = line.strip()
        while rest.startswith("--") or rest == "-h" or self._is_short(rest):
            word, _, rest = rest.partition(" ")
            rest = rest.lstrip()
            if word == "--":
                break
            if not any(word.split("=")[0] in action.option_strings for action in self._actions):
                self.error("unrecognized arguments: {}".format(word))
            words.append(word)
            if self.takes_value(word):
                value, _, rest = rest.partition(" ")
                words += [value] if value else []
                rest = rest.lstrip()
        return self.parse_args(words + (["--", rest] if rest else []))

    def _is_short(self, rest):
        """Whether a line begins with a short option whose value comes next."""
        word = rest.partition(" ")[0]
        return len(word) == 2 and word[0] == "-" and self.takes_value(word)

    def actions(self):
        """The arguments that were declared, for the reference."""
        return list(self._actions)

    def option_names(self):
        """The long options, for completion."""
        return [
            name
            for action in self._actions
            for name in action.option_strings
            if name.startswith("--")
        ]

    def positions(self, words):
        """The words that are neither options nor their values."""
        return [
            word
            for before, word in zip([""] + words, words)
            if not word.startswith("-") and self.values(before) is None
        ]

    def takes_value(self, word):
        """Whether this word is an option whose value comes next."""
        return self.values(word) is not None

    def values(self, word, begun=""):
        """What can follow this word where it is an option whose value comes next, as far
        as that is a choice, or of several; None where it is not. `begun`: how it begins."""
        for action in self._actions:
            if word in action.option_strings and action.nargs != 0:
                if isinstance(action.type, Choices):
                    return action.type.values(begun)
                return list(action.choices or [])
        return None


class Choices:
    """An argparse type: some of these words, separated by commas, or `all`; a tuple of them in the
    order of `words`. `what`: a word is one."""

    def __init__(self, words, what):
        self._words, self._what = words, what

    def __call__(self, text):
        if text == "all":
            return self._words
        given = [word for word in text.split(",") if word]
        unknown = [word for word in given if word not in self._words]
        if unknown or not given:
            raise argparse.ArgumentTypeError(
                "{} is no {}: they are {}, or all".format(
                    repr(unknown[0] if unknown else text), self._what, ", ".join(self._words)
                )
            )
        return tuple(word for word in self._words if word in given)

    def values(self, begun):
        """What the text can become that begins so, with one more word."""
        before = begun.rpartition(",")[0]
        others = [word for word in self._words if word not in before.split(",")]
        if not before:
            return others + ["all"]
        return [before + "," + word for word in others]


_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def byte_count(name, high):
    """An argparse type: a number of bytes from 0 to `high`, which may have K, M or G behind it, as in
    the hooks' environment."""

    def convert(text):
        match = re.match(r"([0-9]{1,100})([KMG]?)\Z", text)
        if match is not None:
            number = int(match.group(1)) * _UNITS[match.group(2)]
            if number <= high:
                return number
        shown = text if len(text) <= 40 else text[:37] + "..."
        raise argparse.ArgumentTypeError(
            '"{}" is not a {} (bytes, or with K, M or G: 512K)'.format(shown, name)
        )

    return convert


def whole_number(name, low, high=None):
    """An argparse type: a decimal number from `low` to `high`."""

    def convert(text):
        # Not int() alone, which takes "1_000" and digits of other scripts. A
        # hundred digits are out of every range.
        if re.match(r"[0-9]{1,100}\Z", text) and low <= int(text):
            if high is None or int(text) <= high:
                return int(text)
        bounds = "from {}".format(low) if high is None else "from {} to {}".format(low, high)
        shown = text if len(text) <= 40 else text[:37] + "..."
        raise argparse.ArgumentTypeError('"{}" is not a {} ({})'.format(shown, name, bounds))

    return convert
