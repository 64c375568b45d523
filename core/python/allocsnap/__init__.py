"""Snapshots of a native program's heap, by allocation site.

The Python face of liballocsnap. It imports no debugger: gdb and LLDB each
implement `allocsnap.target.Target` and register `allocsnap.commands.COMMANDS`.
"""

# The version of the library that this package binds; native.py refuses others.
__version__ = "0.1.0"
