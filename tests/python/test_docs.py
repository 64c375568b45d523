"""The documents against what is there: lines that people type, links and headings, examples.

That docs/commands.md has all that the commands have is in test_commands_reference.py."""

import os
import re
import shlex
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "core", "python"))

# pylint: disable=wrong-import-position
from allocsnap import commands  # noqa: E402
from allocsnap.errors import AllocsnapError  # noqa: E402
from allocsnap.command_line import invocation  # noqa: E402
from allocsnap.commands.grammar import HelpRequested  # noqa: E402

COMMANDS = {command.name: command for command in commands.COMMANDS}

#: A line that a user types, in a fenced block: after a prompt, or as an argument of the debugger.
_PROMPT = re.compile(r"^\((?:gdb|lldb)\) (?:-exec |pipe )?snapshot (.+)$", re.M)
_ARGUMENT = re.compile(r"-(?:ex|o) '(?:pipe )?snapshot ([^']+)'")
#: In running text; capitals and dots stand for something else, which does not parse.
_INLINE = re.compile(r"(?<!`)`(?:-exec )?snapshot ([^`]+)`(?!`)")
#: A line for a shell that begins with the command line's name, in a fenced block, and in running text.
_SHELL = re.compile(r"^\$ (?:.*\$\()?allocsnap ((?:'[^'\n]*'|[^|>)\n'])+)", re.M)
_SHELL_INLINE = re.compile(r"(?<!`)`allocsnap ([^`]+)`(?!`)")
_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.M | re.S)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_PLACEHOLDER = re.compile(r"\.\.\.|\b[A-Z]{3,}\b|^NAME")


def documents():
    """{path: text} of every document."""
    names = ["README.md"] + ["docs/" + name for name in sorted(os.listdir(os.path.join(ROOT, "docs")))]
    found = {}
    for name in names:
        if name.endswith(".md"):
            with open(os.path.join(ROOT, name), encoding="utf-8") as file:
                found[name] = file.read()
    return found


def anchors(text):
    """What GitHub makes of the headings."""
    plain = _FENCE.sub("", text)
    titles = re.findall(r"^#+ (.+)$", plain, re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def command_lines(text):
    """The lines after `snapshot` that a document has people type."""
    lines = _ARGUMENT.findall(text)
    for _language, block in _FENCE.findall(text):
        lines += _PROMPT.findall(block)
    without = _FENCE.sub("", text)
    lines += [line for line in _INLINE.findall(without) if not _PLACEHOLDER.search(line)]
    # gdb's `pipe` hands the rest to a program.
    return [line.split(" | ")[0].replace("\n", " ").strip() for line in lines]


def shell_lines(text):
    """The lines after `allocsnap` that a document has people type in a shell."""
    lines = [line for _, block in _FENCE.findall(text) for line in _SHELL.findall(block)]
    return lines + _SHELL_INLINE.findall(_FENCE.sub("", text))


def wrong_in_shell(line):
    """Why the command line refuses a line; None where it takes it."""
    words = [{"PID": "1", "$pid": "1"}.get(word.strip('"'), word) for word in shlex.split(line)]
    try:
        asked = invocation.read(words)
        if not isinstance(asked, str) and asked.word in invocation.OWN:
            if not asked.rest:
                return None  # text names the command alone, to speak of it
            asked.command.parse(asked.rest)
        elif not isinstance(asked, str):
            asked.command.parse(asked.line)
    except AllocsnapError as error:
        # The name of a snapshot may be left out.
        return None if "required: FILE" in str(error) or "required: NAME" in str(error) else str(error)
    return None


def wrong(line):
    """Why the commands' own parser refuses a line; None where it takes it."""
    name, _, rest = line.partition(" ")
    command = COMMANDS.get(name)
    if command is None:
        return "no such command"
    try:
        command.parse(rest)
    except HelpRequested:
        pass
    except AllocsnapError as error:
        # Text may name a command alone, to speak of it.
        return str(error) if rest else None
    return None


class Docs(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.texts = documents()

    def test_command_lines_parse(self):
        bad, count = [], 0
        for path, text in self.texts.items():
            for line in command_lines(text):
                count += 1
                reason = wrong(line)
                if reason:
                    bad.append("{}: snapshot {}: {}".format(path, line, reason))
        self.assertEqual(bad, [])
        self.assertGreater(count, 100)

    def test_lines_of_the_shell_parse(self):
        bad, count = [], 0
        for path, text in self.texts.items():
            for line in shell_lines(text):
                count += 1
                reason = wrong_in_shell(line)
                if reason:
                    bad.append("{}: allocsnap {}: {}".format(path, line, reason))
        self.assertEqual(bad, [])
        self.assertGreater(count, 10)

    def test_links_lead_somewhere(self):
        bad = []
        for path, text in self.texts.items():
            for target in _LINK.findall(_FENCE.sub("", text)):
                if re.match(r"[a-z]+:", target):
                    continue
                name, _, heading = target.partition("#")
                there = os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else path
                if not os.path.exists(os.path.join(ROOT, there)):
                    bad.append("{}: no file {}".format(path, target))
                elif heading and heading not in anchors(self.texts[there]):
                    bad.append("{}: no heading {}".format(path, target))
        self.assertEqual(bad, [])

    def test_every_page_is_linked(self):
        linked = set()
        for path, text in self.texts.items():
            for target in _LINK.findall(text):
                name = target.partition("#")[0]
                linked.add(os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else "")
        self.assertEqual(set(self.texts) - linked - {"README.md"}, {"docs/changelog.md"} - linked)

    def test_example_compiles(self):
        text = self.texts["docs/howto.md"]
        (source,) = [block for language, block in _FENCE.findall(text) if language == "c"]
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "arena.c")
            with open(path, "w", encoding="utf-8") as file:
                file.write(source)
            headers = os.path.join(ROOT, "core", "include")
            subprocess.run(
                ["gcc", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I", headers, path], check=True
            )

    def test_example_python_compiles(self):
        blocks = [
            (path, block)
            for path, text in self.texts.items()
            for language, block in _FENCE.findall(text)
            if language == "python"
        ]
        self.assertGreater(len(blocks), 1)
        for path, block in blocks:
            compile(block, path, "exec")


class Checks(unittest.TestCase):
    """The checks find what they are for."""

    def test_command_lines(self):
        text = (
            "`snapshot a b`, `snapshot take [NAME]` and ``snapshot `x` ``\n```\n$ x\n"
            "(gdb) snapshot stats -n 2\n(lldb) snapshot take\nsnapshot out\n"
            "(gdb) pipe snapshot stats --json | jq .\n```\ngdb -ex 'snapshot start 1'\n"
        )
        self.assertEqual(
            command_lines(text), ["start 1", "stats -n 2", "take", "stats --json", "a b"]
        )

    def test_wrong(self):
        self.assertEqual(wrong("frobnicate"), "no such command")
        self.assertIn("--frames", wrong("stats --frames 3"))
        self.assertIn("0", wrong("start 0"))
        self.assertIsNone(wrong("dump"))
        self.assertIsNone(wrong("who (char *) kept[3] + 40"))

    def test_lines_of_the_shell(self):
        text = '`allocsnap -p 1 stats`\n```\n$ allocsnap x diff | y\n$ test "$(allocsnap z who 1)" = 1\n```\n'
        self.assertEqual(shell_lines(text), ["x diff ", "z who 1", "-p 1 stats"])
        self.assertIsNone(wrong_in_shell("-p PID dump file"))
        self.assertIn("--frames", wrong_in_shell("x stats --frames"))
        self.assertIn("which command?", wrong_in_shell("x y"))

    def test_anchors(self):
        self.assertEqual(anchors("# A run, later\n```\n# no\n```\n## In `gdb`\n"), {"a-run-later", "in-gdb"})


if __name__ == "__main__":
    unittest.main()
