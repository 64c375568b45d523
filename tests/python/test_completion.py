"""What bash and zsh complete of `allocsnap`, in the shells themselves."""

import os
import pty
import re
import select
import subprocess
import sys
import tempfile
import time
import unittest

from .installed import ROOT, SECONDS, own_environment, run

sys.path.insert(0, os.path.join(ROOT, "core", "python"))

# pylint: disable=wrong-import-position
from allocsnap.command_line import invocation  # noqa: E402
from allocsnap.library.keys import keys  # noqa: E402

_BASH = """
source {script}
COMP_WORDS=(allocsnap "$@"); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMPREPLY=()
_allocsnap
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


class Completion(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.place = os.path.realpath(directory.name)
        for name in ("a.dump", "b core"):
            with open(os.path.join(self.place, name), "w", encoding="utf-8"):
                pass

    def script(self, shell):
        path = os.path.join(self.place, "." + shell)
        env = own_environment(ALLOCSNAP_LIBRARY=os.path.join(ROOT, "build", "liballocsnap.so"))
        text = run(["/usr/bin/python3", "-B", "core/install/completions.py", shell], cwd=ROOT, env=env)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def in_bash(self, script, *words):
        """The set of what bash offers in place of the last word."""
        with open(os.path.join(self.place, ".try"), "w", encoding="utf-8") as file:
            file.write(_BASH.format(script=script))
        said = run(["bash", os.path.join(self.place, ".try"), *words], cwd=self.place)
        return set(said.splitlines()) - {""}

    def test_bash(self):
        script = self.script("bash")
        files = {"a.dump", "b core"}
        names = {word for word in [*invocation.HERE, *invocation.OWN] if word.startswith("s")}
        self.assertEqual(self.in_bash(script, "s"), names)
        self.assertLess(set(invocation.OPTIONS) | files, self.in_bash(script, "") | self.in_bash(script, "-"))
        self.assertLessEqual(files, self.in_bash(script, "-c", ""))
        self.assertIn(str(os.getpid()), self.in_bash(script, "-p", ""))
        self.assertLessEqual(set(keys()), self.in_bash(script, "-c", "core", "stats", ""))
        self.assertEqual(self.in_bash(script, "-c", "stats", "leaks", "--ga"), {"--gaps"})
        self.assertEqual(self.in_bash(script, "x", "leaks", "--gaps", ""), {"auto", "yes", "no"})
        self.assertEqual(self.in_bash(script, "x", "traces", "--sort", "a"), {"age"})
        self.assertEqual(self.in_bash(script, "x", "stats", "--kinds", "d"), {"definite"})
        self.assertEqual(self.in_bash(script, "x", "stats", "-n", ""), set())
        self.assertEqual(self.in_bash(script, "x", "dump", "a"), {"a.dump"})
        self.assertEqual(self.in_bash(script, "run", "--report", "lea"), {"leaks"})
        self.assertEqual(self.in_bash(script, "run", "-o", "a"), {"a.dump"})
        self.assertIn("b core", self.in_bash(script, "run", "b"))
        self.assertIn(str(os.getpid()), self.in_bash(script, "top", ""))
        self.assertIn(str(os.getpid()), self.in_bash(script, "every", "1s", "-p", ""))

    def test_every_option_is_there(self):
        script = self.script("bash")
        for word, command in [*invocation.HERE.items(), *invocation.OWN.items()]:
            with self.subTest(word):
                wanted = {name for action in command.parser.actions() for name in action.option_strings}
                self.assertEqual(self.in_bash(script, "x", word, "-"), wanted)

    def in_zsh(self, script, typed):
        """What a line becomes where the Tab key is pressed behind it."""
        parent, child = pty.openpty()
        process = subprocess.Popen(
            ["zsh", "-f", "-i"], stdin=child, stdout=child, stderr=child, cwd=self.place,
            env=own_environment(TERM="dumb", HOME=self.place), start_new_session=True,
        )
        os.close(child)
        self.addCleanup(os.close, parent)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        os.write(
            parent,
            "PS1= RPS1=; unsetopt zle_bracketed_paste prompt_sp; autoload -Uz compinit; compinit -u -D;"
            " source {}; show() {{ print -r -- \"<$BUFFER>\"; BUFFER=; zle accept-line }}; zle -N show;"
            " bindkey '^X' show; print begun-\n".format(script).encode(),
        )
        self.read(parent, r"\nbegun-")
        os.write(parent, typed.encode() + b"\t\x18")
        return re.search("<(.*)>", self.read(parent, r"<[^>\n]*>")).group(1)

    def read(self, file, wanted):
        """What comes, until something is in it."""
        text, deadline = "", time.monotonic() + SECONDS
        while not re.search(wanted, text):
            left = deadline - time.monotonic()
            self.assertTrue(select.select([file], [], [], max(0, left))[0], text)
            text += os.read(file, 4096).decode("utf-8", "replace").replace("\r", "")
        return text

    def test_zsh(self):
        script = self.script("zsh")
        for typed, wanted in {
            "allocsnap symb": "allocsnap symbolize ",
            "allocsnap -c a.": "allocsnap -c a.dump ",
            "allocsnap -c core leaks --gap": "allocsnap -c core leaks --gaps ",
            "allocsnap x traces --sort a": "allocsnap x traces --sort age ",
            "allocsnap x stats trace": "allocsnap x stats traceback ",
            "allocsnap ru": "allocsnap run ",
            "allocsnap run --report funct": "allocsnap run --report function ",
            "allocsnap run --chi": "allocsnap run --children ",
            "allocsnap eve": "allocsnap every ",
        }.items():
            with self.subTest(typed):
                self.assertEqual(self.in_zsh(script, typed), wanted)


if __name__ == "__main__":
    unittest.main()
