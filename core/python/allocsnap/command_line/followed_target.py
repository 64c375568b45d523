"""A process whose threads this process has stopped itself, as it follows it."""

from ..library.inferior import HeldProcess
from .process_target import ProcessTarget


class FollowedTarget(ProcessTarget):
    """It stands still until whoever follows it lets it run on. `stopped`: numbers of its threads."""

    def __init__(self, pid, stopped):
        super().__init__(pid)
        self._held = HeldProcess(pid, self._calls, stopped)
