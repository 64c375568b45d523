"""The snapshots that are kept from one command to the next, by name."""

from typing import NamedTuple

from .errors import AllocsnapError
from .library import objects
from .library.keys import find_name

#: The word that stands for a fresh reading of the paused process or core.
NOW = "now"

#: The word for a fresh reading of the tracemalloc of a CPython in it.
PYTHON = "python"

FRESH = (NOW, PYTHON)


class Taken(NamedTuple):
    """A snapshot with what it was taken from."""

    snapshot: objects.Snapshot
    source: str  # Process.description, or the file
    peak: int = 0  # bytes at the most, so far; 0: not known


class Kept:
    """Those of one debugger session."""

    def __init__(self, how_to_keep="`snapshot take` {} one"):
        self._how_to_keep = how_to_keep
        self._taken = {}  # name -> Taken, oldest first
        self._last_number = 0

    @property
    def all(self):
        """{name: Taken}, oldest first."""
        return dict(self._taken)

    def get(self, name):
        """The Taken that is kept under this name."""
        if name in FRESH:
            raise AllocsnapError(
                "`{}` is a fresh reading each time, and not kept: {}".format(
                    name, self._how_to_keep.format("keeps")
                )
            )
        if name not in self._taken:
            raise AllocsnapError(self.no_snapshot(name))
        return self._taken[name]

    def keep(self, name, taken):
        """Keeps a snapshot under a name that has been checked, or under the next number."""
        if name is None:
            number = self._last_number + 1
            while str(number) in self._taken:
                number += 1
            self._last_number = number
            name = str(number)
        self._taken[name] = taken
        return name, taken

    def replace(self, name, snapshot):
        """Keeps another snapshot of the same source under a name; returns its Taken."""
        self._taken[name] = self._taken[name]._replace(snapshot=snapshot)
        return self._taken[name]

    def words(self):
        """Every word that names a snapshot."""
        return list(FRESH) + list(self._taken)

    def is_name(self, word):
        """Whether this word names a snapshot."""
        return word in FRESH or word in self._taken

    def delete(self, names):
        """Forgets these snapshots, or none of them where one is unknown."""
        for name in names:
            self.get(name)
        for name in set(names):
            del self._taken[name]

    def known(self):
        """The names of the kept snapshots, for a message."""
        if not self._taken:
            return "there are no snapshots: {}".format(self._how_to_keep.format("takes"))
        return "the snapshots are {}".format(", ".join(self._taken))

    def no_snapshot(self, name):
        """The message for a name that no snapshot has."""
        return 'no snapshot "{}": {}'.format(name, self.known())

    def check_known(self, name):
        """Fails where nothing has this name."""
        if not self.is_name(name):
            raise AllocsnapError(self.no_snapshot(name))

    def check_new_name(self, name):
        if name in self._taken:
            raise AllocsnapError(
                'there is a snapshot "{0}" already: choose another name,'
                " or `snapshot delete {0}` first".format(name)
            )
        if name in FRESH or find_name(name) == name:
            raise AllocsnapError(
                '"{}" has a meaning of its own in the commands: choose another name'.format(name)
            )
        if not name.isprintable() or " " in name or not name[:1].isalnum():
            raise AllocsnapError(
                "{!r} cannot be the name of a snapshot: begin with a letter or digit,"
                " and use no blanks".format(name)
            )
