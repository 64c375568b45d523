"""What is written about the commands is what they say of themselves: the guide
(docs/commands.md), the manual page that is made of their help, and that of the hooks."""

import glob
import os
import re
import sys
import unittest

from .installed import ROOT, make, run

sys.path.insert(0, os.path.join(ROOT, "core", "python"))

# pylint: disable=wrong-import-position
from allocsnap.command_line import invocation  # noqa: E402
from allocsnap.commands import COMMANDS, FUNCTIONS  # noqa: E402
from allocsnap.library.keys import keys  # noqa: E402

# The guide says what the value is for each word of `snapshot set`.
WITHOUT_NAME = {"VALUE"}


def text(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def actions(command, options):
    return [
        action
        for action in command.parser.actions()
        if bool(action.option_strings) == options and action.dest != "help"
    ]


def argument_words(command):
    """The words for the positions of a command: names of values, and values to choose from."""
    found = set()
    for action in actions(command, options=False):
        found.update(action.choices or action.metavar.split("|"))
    return found


def option_forms(command):
    return {form for action in actions(command, options=True) for form in action.option_strings}


def all_options():
    return {form for command in COMMANDS for form in option_forms(command)}


class Guide(unittest.TestCase):
    def setUp(self):
        self.guide = text("docs", "commands.md")

    def test_synopsis(self):
        synopsis = re.search("```\n(snapshot .*?)```", self.guide, re.S).group(1)
        lines = [re.match(r"snapshot ([\w-]+) ?(.*)", line).groups() for line in synopsis.splitlines()]
        self.assertEqual([name for name, _ in lines], [command.name for command in COMMANDS])
        for command, (name, arguments) in zip(COMMANDS, lines):
            with self.subTest(name):
                words = argument_words(command) - WITHOUT_NAME
                self.assertLessEqual(words, set(re.findall(r"[A-Za-z]+(?:-[a-z]+)*", arguments)))
                if not words:
                    self.assertEqual(arguments, "")

    def test_options(self):
        """Each is there, and none that is not; what other commands have aside."""
        ours = {"snapshot"} | {command.name for command in COMMANDS}
        quoted = re.findall(r"`([^`\n]+)`", self.guide)
        quoted = [code for code in quoted if code[0] == "-" or code.split()[0] in ours]
        written = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", "\n".join(quoted)))
        known = all_options() | set(invocation.OPTIONS)
        for command in invocation.OWN.values():
            known |= option_forms(command)
        self.assertEqual(
            written | {"--help"}, {form for form in known if form.startswith("--")} | {"--help"}
        )

    def test_keys(self):
        """The first table with `lineno` has a row for each key, and no other."""
        table = re.search(r"^\| `lineno`.*\n(?:\|.*\n)*", self.guide, re.M).group()
        self.assertEqual(set(re.findall(r"^\| `(\w+)`", table, re.M)), set(keys()))

    def test_functions(self):
        for function in FUNCTIONS:
            self.assertIn("$%s()" % function.name, self.guide)

    def test_examples(self):
        """In all documents, commands that are quoted or typed are such, with options they have."""
        known = {command.name: option_forms(command) for command in COMMANDS}
        pages = glob.glob(os.path.join(ROOT, "docs", "*.md")) + [os.path.join(ROOT, "README.md")]
        seen = set()
        for page in pages:
            for quoted in re.findall(r"(?:\((?:gdb|lldb)\) |`)snapshot ([a-z-][^`\n]*)", text(page)):
                name, *words = quoted.split()
                with self.subTest(page=page, command=quoted):
                    self.assertIn(name, known)
                    used = {word for word in words if re.match(r"--?[a-z]", word)}
                    self.assertLessEqual(used, known[name] | {"--help"})
                seen.add(name)
        self.assertEqual(seen, set(known))


class Manual(unittest.TestCase):
    """build/man, as people read it."""

    @classmethod
    def setUpClass(cls):
        make("man")

    def shown(self, page):
        path = os.path.join(ROOT, "build", "man", page)
        self.assertEqual(run(["mandoc", "-Tlint", "-Wwarning", path]), "")
        return re.sub(".\b", "", run(["mandoc", "-Tascii", "-Owidth=200", path]))

    def test_commands(self):
        shown = self.shown("allocsnap.7")
        words = " ".join(shown.split()).replace("`", "")
        for command in COMMANDS:
            with self.subTest(command.name):
                # After the lists of those before it comes the command, at the list's indent.
                part = re.search(
                    r"^     snapshot %s( .*)?\n((       .*)?\n)*" % command.name, shown, re.M
                ).group()
                for word in argument_words(command):
                    self.assertRegex(part, r"\b%s\b" % re.escape(word))
                for action in actions(command, options=True):
                    self.assertIn(action.option_strings[-1], part)
                for paragraph in [command.summary] + command.details.split("\n\n"):
                    self.assertIn(" ".join(paragraph.replace("`", "").split()), words)
        for function in FUNCTIONS:
            self.assertIn("     $%s\n" % function.name, shown)

    def test_variables_of_the_hooks(self):
        read = set()
        for path in glob.glob(os.path.join(ROOT, "core", "hooks", "*", "*.c")):
            read.update(re.findall(r'"(ALLOCSNAP\w*)"', text(path)))
        self.assertIn("ALLOCSNAP_MAX_MEMORY", read)
        shown = self.shown("liballocsnap-hooks.7")
        environment = re.search(r"^ENVIRONMENT\n(.*?)^\w", shown, re.S | re.M).group(1)
        written = set(re.findall(r"^     ([A-Z_]{2,})(?: |$)", environment, re.M))
        self.assertEqual(written, read | {"LD_PRELOAD"})

    def test_functions_of_the_hooks(self):
        header = text("core", "include", "allocsnap_hooks.h")
        macros = set(re.findall(r"^#define (allocsnap_\w+)\(", header, re.M))
        shown = self.shown("liballocsnap-hooks.7")
        self.assertEqual(set(re.findall(r"^     (allocsnap_\w+)\(", shown, re.M)), macros)


if __name__ == "__main__":
    unittest.main()
