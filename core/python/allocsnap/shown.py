"""How long names are shown, and on what."""

import contextlib

from .terminal import Marks, finished

#: What can be chosen of names and of paths.
CHOICES = ("auto", "short", "full")


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
        return piece if self.marks is None else self.marks.marked(kind, piece)

    def finished(self, text):
        """A text of marked pieces, which is printable, as it is printed."""
        if self.terminal is None:
            return text
        kept = {"names": ("function", "name"), "paths": ("file",)}
        whole = [kind for what, kinds in kept.items() if self.chosen[what] == "full" for kind in kinds]
        return finished(text, self.marks, self.terminal, whole)
