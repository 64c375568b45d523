"""A bench whose debugger's script fails has not measured, though the debugger ends with status 0."""

import os
import subprocess
import sys
import tempfile
import unittest

BENCHES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "bench")
sys.path.insert(0, BENCHES)

# pylint: disable=wrong-import-position
import run  # noqa: E402
import script_rows  # noqa: E402


class Scripts(unittest.TestCase):
    def printed(self, script):
        """What gdb prints that runs a script."""
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "script.py")
            with open(path, "w", encoding="utf-8") as file:
                file.write(script)
            return subprocess.run(
                ["gdb", "-nx", "-batch", "-ex", "source " + path],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                encoding="utf-8", check=False,
            ).stdout

    def test_that_comes_to_its_end(self):
        text = self.printed('print("bench: a\\t1 ms\\t")\nprint("other")\nprint("bench: end")\n')
        self.assertEqual(script_rows.rows_of(text), ["a\t1 ms\t"])

    def test_that_fails_on_the_way(self):
        text = self.printed('print("bench: a\\t1 ms\\t")\nraise ValueError\nprint("bench: end")\n')
        self.assertIn("bench: a", text)
        with self.assertRaisesRegex(SystemExit, "has not come to its end"):
            script_rows.rows_of(text)

    def test_that_measures_nothing(self):
        with self.assertRaises(SystemExit):
            script_rows.rows_of("bench: end\n")

    def test_each_script_says_that_it_is_at_its_end(self):
        scripts = [name for name in os.listdir(BENCHES) if name.endswith(("_in_gdb.py", "_in_lldb.py"))]
        self.assertGreaterEqual(len(scripts), 3)
        for name in scripts:
            with open(os.path.join(BENCHES, name), encoding="utf-8") as file:
                self.assertIn('print("{}")'.format(script_rows.END), file.read(), name)


class Benches(unittest.TestCase):
    def test_one_that_fails_could_not_measure(self):
        code = (
            "import os, sys; sys.stderr = open(os.devnull, 'w'); sys.path.insert(0, {!r});"
            " import script_rows; script_rows.rows_of('bench: a')"
        )
        with open(os.devnull, "w", encoding="utf-8") as nowhere:
            before, sys.stdout = sys.stdout, nowhere
            try:
                measured = run.run("made up", [sys.executable, "-c", code.format(BENCHES)])
            finally:
                sys.stdout = before
        self.assertFalse(measured)


if __name__ == "__main__":
    unittest.main()
