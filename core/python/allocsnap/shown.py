"""How long names are shown, and on what."""

import contextlib
import re

from .library.rows import format_size
from .target import shown_path
from .terminal import FILE, SIZE, Marks, finished, plain

#: What can be chosen of names and of paths.
CHOICES = ("auto", "short", "full")

#: The path in what a snapshot was taken from (kept.Taken.source).
_SOURCE_PATH = re.compile(r"(?:(?<=\bcore )|(?<=\bfile ))/.*?(?=, of |, tracemalloc of |\Z)")


class Shown:
    """What a session shows names by."""

    def __init__(self):
        self.chosen = {"names": "auto", "paths": "auto"}
        self.terminal = None  # the Terminal that the command prints on, or None
        self.marks = None  # the Marks of what it prints there

    @contextlib.contextmanager
    def printing_on(self, terminal):
        """Has what is made meanwhile be for a Terminal, or for something else."""
        self.terminal = terminal
        self.marks = None if terminal is None else Marks()
        try:
            yield
        finally:
            self.terminal = self.marks = None

    @property
    def short_names(self):
        """Whether functions are without template arguments and parameters."""
        chosen = self.chosen["names"]
        return chosen == "short" or (chosen == "auto" and self.terminal is not None)

    @property
    def short_paths(self):
        """Whether paths are ends that tell files apart; `auto` has them whole where they fit."""
        return self.chosen["paths"] == "short"

    def marked(self, kind, piece):
        """A piece of a text, of a kind of terminal.KINDS."""
        return (plain if self.marks is None else self.marks.marked)(kind, piece)

    def size(self, size):
        """So many bytes, for people."""
        return self.marked(SIZE, format_size(size))

    def path(self, path):
        """The path of a file, as it may be printed."""
        return self.marked(FILE, shown_path(path))

    def source(self, source):
        """What a snapshot was taken from, or a process: "core /tmp/core.1234"."""
        return _SOURCE_PATH.sub(lambda match: self.marked(FILE, match.group()), source)

    def finished(self, text):
        """A text of marked pieces, which is printable, as it is printed."""
        if self.terminal is None:
            return text
        kept = {"names": ("function", "name"), "paths": ("file",)}
        whole = [kind for what, kinds in kept.items() if self.chosen[what] == "full" for kind in kinds]
        return finished(text, self.marks, self.terminal, whole)
