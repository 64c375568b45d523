"""The `snapshot` commands, the same in every debugger: what a debugger's script needs of
them. shell.py has the one list of the commands."""

from .command import FILES
from .conditions import FUNCTIONS
from .shell import COMMANDS, PREFIX_HELP, WORDS, shell_for

__all__ = ["WORDS", "COMMANDS", "FILES", "FUNCTIONS", "PREFIX_HELP", "shell_for"]
