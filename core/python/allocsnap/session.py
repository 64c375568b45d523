"""What is kept from one command to the next: snapshots, names, places found."""

import contextlib
from typing import NamedTuple

from . import native, objects, tracing
from .errors import AllocsnapError, ErrorCode
from .launch import Launch

#: The word that stands for a fresh reading of the paused process or core.
NOW = "now"


class Taken(NamedTuple):
    """A snapshot with what it was taken from."""

    snapshot: objects.Snapshot
    source: str  # Process.description


@contextlib.contextmanager
def _blamed_on_truncation(process, regions):
    """Says before an error in reading a core that its file is truncated."""
    try:
        yield
    except AllocsnapError as error:
        if regions.missing and error.code not in (ErrorCode.INTERRUPTED, ErrorCode.NO_MEMORY):
            message = "{} is truncated, {} of the program's memory are missing: {}".format(
                process.description, objects.format_size(regions.missing), error
            )
            raise AllocsnapError(message, error.code) from None
        raise


class Session:
    """The snapshots of one debugger session, and reading new ones."""

    def __init__(self, target):
        self.target = target
        self.launch = Launch(target)
        self._taken = {}  # name -> Taken, oldest first
        self._last_number = 0
        self._symbolizer = None
        self._debug_directories = None
        self._root = (None, 0)  # (Process.identity, address)
        tracing.set_session(self)

    # ---- the process ----

    def process(self):
        """The Process to read, or None where there is none."""
        return self.target.process()

    def stopped_process(self):
        """The Process, where it can be read; else an error that says why not."""
        process = self.target.process()
        if process is None:
            raise AllocsnapError(
                "there is no process and no core: start the program with `{}`,"
                " or load a core file".format(self.target.run_command)
            )
        if process.running:
            raise AllocsnapError(
                "the process is running: interrupt it first"
                " (Ctrl-C, or `interrupt -a` in non-stop mode)"
            )
        if process.pointer_bytes != 8:
            raise AllocsnapError(
                "this is a {}-bit program: only 64-bit programs are supported".format(
                    8 * process.pointer_bytes
                ),
                ErrorCode.UNSUPPORTED,
            )
        return process

    def live_process(self):
        """The Process, where it can be changed; else an error that says why not."""
        process = self.stopped_process()
        if process.is_core:
            raise AllocsnapError(
                "a core cannot be changed: start the program with `{}` to trace it".format(
                    self.target.run_command
                ),
                ErrorCode.UNSUPPORTED,
            )
        return process

    def status(self):
        """(Process, native.Status) of the process; its hooks may be stopped."""
        process = self.stopped_process()
        regions = self._regions(process)
        calls = objects.Calls(self.target)
        with _blamed_on_truncation(process, regions):
            root = self._find_root(process, calls, regions)
            return process, objects.read_status(calls, root)

    def request(self, request, frame_limit=0):
        """Asks the hooks of the process for one of native.REQUESTS; `frame_limit` (0: as
        before) is for "start". They obey at the program's next malloc or free."""
        process = self.live_process()
        calls = objects.Calls(self.target)
        root = self._find_root(process, calls, self._regions(process))
        for address, data in objects.prepare_request(calls, root, request, frame_limit):
            self.target.write_memory(address, data)

    def read(self):
        """Takes a snapshot of the process, without keeping it."""
        process = self.stopped_process()
        regions = self._regions(process)
        calls = objects.Calls(self.target)
        with _blamed_on_truncation(process, regions):
            root = self._find_root(process, calls, regions)
            raw = objects.Raw(calls, root)
        raw.set_missing(regions.missing)
        symbolizer = self._names()
        symbolizer.set_regions(calls, regions)
        symbolizer.set_files(self.target.files())
        return Taken(objects.Snapshot.create(calls, raw, symbolizer), process.description)

    def _regions(self, process):
        if process.core_path is not None:
            try:
                return objects.CoreMap(process.core_path)
            except AllocsnapError:
                # What the debugger knows of it still finds the modules.
                pass
        return objects.Regions(self.target.memory_map())

    def _find_root(self, process, calls, regions):
        """The root's address. Where it has no symbol, memory is searched once for
        each process."""
        candidate = self.target.find_symbol("allocsnap_root")
        identity, known = self._root
        if not candidate and identity == process.identity:
            try:
                return objects.find_root(calls, known, regions)
            except AllocsnapError as error:
                if error.code != ErrorCode.NO_HOOKS:
                    raise
        try:
            root = objects.find_root(calls, candidate, regions)
        except AllocsnapError as error:
            if error.code != ErrorCode.NO_HOOKS:
                raise
            why = self._no_hooks(process, regions) or str(error)
            raise AllocsnapError(why, error.code) from None
        self._root = (process.identity, root)
        return root

    def _no_hooks(self, process, regions):
        """Why there are no hooks in the process, as far as it can be told, or None."""
        if process.is_core and regions.missing:
            return "the hooks' records are not in what is left; have a whole core written"
        if process.is_core:
            return (
                "no allocsnap hooks in this core: start the program with"
                " LD_PRELOAD=liballocsnap-hooks.so, and have its private anonymous memory"
                " dumped (bit 0 of its coredump_filter)"
            )
        if self.launch.frame_limit() is None:
            return None
        return (
            "no allocsnap hooks in this process, though `snapshot start` was given: `{}` it"
            " again if it is older, go on if it has not loaded its libraries yet; statically"
            " linked and setuid programs cannot load the hooks".format(self.target.run_command)
        )

    def _names(self):
        """The symbolizer, made anew where the user changed the debug directories."""
        directories = self.target.debug_directories()
        if self._symbolizer is None or directories != self._debug_directories:
            self._symbolizer = objects.Symbolizer(directories)
            self._debug_directories = directories
        return self._symbolizer

    # ---- snapshots ----

    @property
    def taken(self):
        """The kept snapshots by name, oldest first."""
        return dict(self._taken)

    def take(self, name=None):
        """Reads a snapshot and keeps it under `name`, or under the next number."""
        if name is not None:
            self._check_new_name(name)
        taken = self.read()
        if name is None:
            number = self._last_number + 1
            while str(number) in self._taken:
                number += 1
            self._last_number = number
            name = str(number)
        self._taken[name] = taken
        return name, taken

    def names(self):
        """Every word that names a snapshot."""
        return [NOW] + list(self._taken)

    def is_name(self, word):
        """Whether this word names a snapshot."""
        return word == NOW or word in self._taken

    def default_name(self):
        """The name of what is meant where none is given."""
        if self.target.process() is None and self._taken:
            return list(self._taken)[-1]
        return NOW

    def find(self, name):
        """The Taken of that name; `now` reads one, None stands for the default."""
        if name is None:
            name = self.default_name()
        if name == NOW:
            return self.read()
        self._check_known(name)
        return self._taken[name]

    def delete(self, names):
        """Forgets these snapshots, or none of them where one is unknown."""
        for name in names:
            self._check_known(name)
        for name in set(names):
            del self._taken[name]

    def known(self):
        """The names of the kept snapshots, for a message."""
        if not self._taken:
            return "there are no snapshots: `snapshot take` takes one"
        return "the snapshots are {}".format(", ".join(self._taken))

    def no_snapshot(self, name):
        """The message for a name that no snapshot has."""
        return 'no snapshot "{}": {}'.format(name, self.known())

    def _check_known(self, name):
        if name not in self._taken:
            raise AllocsnapError(self.no_snapshot(name))

    def _check_new_name(self, name):
        if name in self._taken:
            raise AllocsnapError(
                'there is a snapshot "{0}" already: choose another name,'
                " or `snapshot delete {0}` first".format(name)
            )
        if name == NOW or name in native.KEYS:
            raise AllocsnapError(
                '"{}" has a meaning of its own in the commands: choose another name'.format(name)
            )
        if not name.isprintable() or " " in name or not name[:1].isalnum():
            raise AllocsnapError(
                "{!r} cannot be the name of a snapshot: begin with a letter or digit,"
                " and use no blanks".format(name)
            )
