"""Debug information that libdwarf does not survive costs its own names, and not the
session."""

import json
import os
import signal

from .harness import Case, program

STATS = "snapshot stats --json --limit 100"
TAKE = "snapshot take"
END = (
    "allocsnap: {}: the process that read its debug information failed ({}): some of its "
    "functions are named without lines; build it anew, or look at it with dwarfdump"
)


class BadDwarf(Case):
    def variables(self, how, **extra):
        return dict(ALLOCSNAP_LIBRARY=program("baddwarf/liballocsnap.so"), BAD_DWARF=how, **extra)

    def all_rows(self, how):
        results = self.at_stop(
            ["snapshot take", "snapshot stats 1 --json --limit 100"], "plain", env=self.variables(how)
        )
        answer = results.json("snapshot stats 1 --json --limit 100")
        return results["snapshot take"], answer

    def rows(self, answer):
        return {
            (row["traceback"][0]["lineno"], row["traceback"][0]["named_by"]): (
                row["size"],
                row["count"],
            )
            for row in answer["statistics"]
        }

    def test_nothing_wrong(self):
        _, answer = self.all_rows("")
        self.assertEqual(answer["notes"], [])
        self.assertEqual({named for _, named in self.rows(answer)}, {"line table"})

    def check_survived(self, how, why):
        """Every number is right, and the lines are those that gdb itself knows."""
        _, right = self.all_rows("")
        _, answer = self.all_rows(how)
        note = END.format(program("plain"), why)[len("allocsnap: ") :]
        self.assertEqual([found for found in answer["notes"] if "plain" in found], [note])
        self.assertEqual(answer["total"], right["total"])
        self.assertEqual(
            {line: sums for (line, named), sums in self.rows(answer).items() if named == "debugger"},
            {line: sums for (line, _), sums in self.rows(right).items()},
        )

    def test_abort(self):
        self.check_survived("abort", "Aborted")

    def test_early_exit(self):
        self.check_survived("exit", "it ended early")

    def test_too_much_memory(self):
        self.check_survived("eat", "it ended early")

    def test_too_much_time(self):
        self.check_survived("spin", "CPU time limit exceeded")

    def hanging(self):
        """A gdb whose `snapshot take` was begun, and has come to where it hangs."""
        fifo = os.path.join(self.directory, "fifo")
        os.mkfifo(fifo)
        gdb = self.gdb(
            "--args", program("plain"), env=self.variables("hang", BAD_DWARF_FIFO=fifo)
        )
        for command in ("snapshot start 16", "break stop_here", "run"):
            gdb.run(command)
        gdb.start(TAKE)
        with open(fifo, "rb"):
            os.remove(fifo)
        return gdb

    def children(self, gdb):
        """The processes that gdb has forked off itself."""
        with open("/proc/{0}/task/{0}/children".format(gdb.pid), encoding="ascii") as file:
            numbers = [int(number) for number in file.read().split()]
        own = os.readlink("/proc/{}/exe".format(gdb.pid))
        return [number for number in numbers if os.readlink("/proc/{}/exe".format(number)) == own]

    def test_interrupt_of_one_that_hangs(self):
        gdb = self.hanging()
        gdb.interrupt()
        self.assertEqual(
            gdb.prompt(),
            "Snapshot 1: 32.0 MiB in 12 blocks.\n"
            "12 frames left without a name: `snapshot symbolize 1` names them.\n",
        )
        self.assertEqual(self.children(gdb), [])

    def test_one_that_is_killed(self):
        """Its file is not to blame, and tried again with the next snapshot."""
        gdb = self.hanging()
        (child,) = self.children(gdb)
        os.kill(child, signal.SIGKILL)
        self.assertEqual(
            gdb.prompt(),
            "warning: {}: the process that reads its debug information was killed (for want of"
            " memory?): some of its functions are named without lines; take another snapshot, or"
            " `snapshot symbolize` this one, to try again\n"
            "Snapshot 1: 32.0 MiB in 12 blocks.\n".format(program("plain")),
        )
        self.assertEqual(gdb.run(TAKE), "Snapshot 2: 32.0 MiB in 12 blocks.\n")
        answer = json.loads(gdb.run("snapshot stats 2 --json --limit 100"))
        self.assertEqual({named for _, named in self.rows(answer)}, {"line table"})

