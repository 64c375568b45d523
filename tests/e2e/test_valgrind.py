"""Below valgrind, whose tools take the place of malloc in the program's code: no hook is called."""

import subprocess
import unittest

from .harness import HOOKS, Case, environment, program

UNSEEN = (
    "valgrind's {} has taken the place of malloc, so that no block is seen: run the program without"
    " valgrind, or give valgrind --soname-synonyms=somalloc=nouserintercepts"
)


class Valgrind(Case):
    def stopped(self, commands, *options):
        """What is said of a program that has come to stop_here below valgrind."""
        child = subprocess.Popen(
            ["valgrind", "--vgdb=yes", "--vgdb-error=100000", "--vgdb-stop-at=startup"]
            + list(options) + [program("holds"), "pause"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.directory,
            env=environment(self.home, LD_PRELOAD=HOOKS, ALLOCSNAP="16"),
        )
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        # vgdb waits until the program is there.
        connect = "target remote | vgdb --wait=100 --pid={}".format(child.pid)
        before = [connect, "break stop_here", "continue"]
        results = self.batch(before + list(commands) + ["kill"], program("holds"))
        self.assertIn("Breakpoint 1, stop_here", results["continue"])
        return results

    def test_tools_that_replace_malloc(self):
        for tool in ("memcheck", "massif"):
            with self.subTest(tool):
                results = self.stopped(["snapshot status", "snapshot stats"], "--tool=" + tool)
                unseen = UNSEEN.format(tool)
                self.assertIn("traced:  0 B in 0 blocks, peak 0 B\n", results["snapshot status"])
                self.assertTrue(results["snapshot status"].endswith("\nunseen:  " + unseen + "\n"))
                self.assertEqual(
                    results["snapshot stats"], "warning: {}\nNo live traced blocks.\n".format(unseen)
                )

    def test_told_to_let_the_hooks_be(self):
        stats = "snapshot stats --json"
        results = self.stopped(
            ["snapshot status", stats], "--soname-synonyms=somalloc=nouserintercepts"
        )
        self.assertNotIn("unseen", results["snapshot status"])
        answer = results.json(stats)
        self.assertEqual(answer["total"], {"size": 10128, "count": 14})
        self.assertEqual(answer["notes"], [])

    def test_a_tool_that_replaces_nothing(self):
        results = self.stopped(["snapshot status"], "--tool=none")
        self.assertIn("traced:  10128 B in 14 blocks", results["snapshot status"])
        self.assertNotIn("unseen", results["snapshot status"])


if __name__ == "__main__":
    unittest.main()
