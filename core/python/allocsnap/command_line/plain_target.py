"""What is known of a program without a debugger (allocsnap.target.Target), of processes and cores
alike."""

import os
import re
import sys

from ..errors import UnreadableMemory
from ..library.inferior import MappedSymbols
from ..no_hooks import names_hooks
from ..target import FilePlace, Target
from . import expressions, standard_output

#: Data symbols of the hooks' table (Session.find_symbol).
_MOST_SYMBOLS = 16


class PlainTarget(Target):
    """A process or a core. Derived classes have `memory` and `mapped`."""

    errors = (OSError,)
    run_command = "allocsnap run"
    finds_frames = False
    starts_programs = False
    find_terminal = staticmethod(standard_output.terminal)  # that commands print on
    how_to_trace = (
        "start the program with `allocsnap run`, or with LD_PRELOAD=liballocsnap-hooks.so and"
        " ALLOCSNAP=16"
    )
    how_to_keep = "name the file of a dump before the command to have one"

    def __init__(self):
        self._symbols = None

    def memory(self):
        """The library.calls.Calls that read it."""
        raise NotImplementedError

    def mapped(self):
        """Where things are mapped: library.calls.Regions or CoreMap."""
        raise NotImplementedError

    def symbols(self):
        """The MappedSymbols, looked for once."""
        if self._symbols is None:
            self._symbols = MappedSymbols(self.memory(), self.mapped(), self.files())
        return self._symbols

    def launch_id(self):
        return 0

    def terminal(self):
        return self.find_terminal()

    def find_symbol(self, name):
        """The hooks' own are looked for in their library; where they are linked into a program,
        memory is searched. Those of allocators: in the program, and in the C library."""
        mapped = self.mapped()
        is_file = names_hooks if name.startswith("allocsnap_") else self._is_allocators
        files = [path for path in mapped.paths() if is_file(path)]
        if not files:
            return 0
        found = MappedSymbols(self.memory(), mapped.only(files), self.files()).named(name)
        return found[0].address if found else 0

    def _is_allocators(self, path):
        """Whether a file is one in which an allocator's symbols are looked for."""
        is_libc = re.match(r"libc(-2\.\d+)?\.so", os.path.basename(path))
        return bool(is_libc) or path == self.mapped_program()

    def file_place(self, address):
        found = self.symbols().at(address)
        if found is None:
            return None
        if found.name is None:
            return FilePlace(found.section, found.path) if found.section else None
        return FilePlace(found.section, found.path, found.name, address - found.address)

    def value(self, expression):
        return expressions.value(
            expression, self.symbols(), self.mapped_program(), self._pointer_at
        )

    def _pointer_at(self, address):
        """What lies there where it is 0 or the address of memory; else None."""
        try:
            number = int.from_bytes(self.read_memory(address, 8), sys.byteorder)
        except UnreadableMemory:
            return None
        return number if number == 0 or self.mapped().find(number) is not None else None

    def mapped_program(self):
        """The path under which the program's own file is mapped, or None."""
        return self.program_path()

    def stack_pointers(self):
        numbers = {thread.kernel_number: thread.number for thread in self.threads()}
        return {
            numbers[facts.number]: facts.stack_pointer
            for facts in self.thread_facts()
            if facts.stack_pointer and facts.number in numbers
        }
