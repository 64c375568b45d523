"""The `snapshot` commands, the same in every debugger: what a debugger's script needs of
them. shell.py has the one list of the commands."""

from .command import FILES
from .shell import COMMANDS, FUNCTIONS, PREFIX_HELP, shell_for

__all__ = ["COMMANDS", "FILES", "FUNCTIONS", "PREFIX_HELP", "shell_for"]
