"""run.py over directories of made-up tests."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import unittest

RUN = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "run.py")

#: Each test waits for the other: they end only where they run at the same time.
MEETING = """
    import os, signal, unittest
    FIFO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fifo")

    def meet(how):
        signal.alarm(60)  # not for ever
        os.close(os.open(FIFO, how))

    class First(unittest.TestCase):
        def test(self):
            meet(os.O_WRONLY)

    class Second(unittest.TestCase):
        def test(self):
            meet(os.O_RDONLY)
"""

#: Each counts those that run while it does.
ALONE = """
    import os, unittest
    HERE = os.path.dirname(os.path.abspath(__file__))

    class Base(unittest.TestCase):
        def test(self):
            path = os.path.join(HERE, "running")
            with open(path, "a") as file:
                file.write("+" + type(self).__name__)
            with open(path, "a") as file:
                file.write("-")

    class Other(Base):
        pass

    class Short(Base):
        alone = "it measures"

    class Long(Base):
        alone = "it measures"
        seconds = 5
"""


class Run(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        shutil.copy(RUN, self.directory)

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(textwrap.dedent(text))
        return path

    def read(self, name):
        with open(os.path.join(self.directory, name), encoding="utf-8") as file:
            return file.read()

    def run_tests(self, *arguments):
        """(status, its lines) of run.py."""
        done = subprocess.run(
            [sys.executable, os.path.join(self.directory, "run.py"), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=120,
        )
        return done.returncode, done.stdout.splitlines()

    def check_end(self, answer, status, *lines):
        self.assertEqual((answer[0], answer[1][-len(lines) :]), (status, list(lines)), answer[1])

    def test_at_the_same_time_and_in_the_order_of_their_names(self):
        self.write("test_meeting.py", MEETING)
        os.mkfifo(os.path.join(self.directory, "fifo"))
        status, lines = self.run_tests("-j", "2")
        self.assertEqual(status, 0, lines)
        self.assertEqual(
            [line for line in lines if line],
            [
                "test (test_meeting.First.test) ... ok",
                "test (test_meeting.Second.test) ... ok",
                "2 passed, 0 failed, 0 skipped",
            ],
        )

    def test_alone(self):
        self.write("test_alone.py", ALONE)
        only = [word for name in ("Other", "Short", "Long") for word in ("--only", "test_alone." + name)]
        self.check_end(self.run_tests("-j", "4", *only), 0, "3 passed, 0 failed, 0 skipped")
        self.assertEqual(self.read("running"), "+Other-+Long-+Short-")

    def test_the_longest_begins_first(self):
        self.write("test_alone.py", ALONE.replace("alone", "other"))
        self.check_end(self.run_tests("-j", "1"), 0, "4 passed, 0 failed, 0 skipped")
        self.assertEqual(self.read("running"), "+Long-+Base-+Other-+Short-")

    def test_every_kind_of_end(self):
        self.write(
            "test_ends.py",
            """
            import os, unittest

            class A(unittest.TestCase):
                def test_fails(self):
                    print("what it printed")
                    self.fail("as it must")

                def test_parts(self):
                    for part in range(3):
                        with self.subTest(part=part):
                            self.assertEqual(part, 1)

                def test_passes(self):
                    pass

                @unittest.skip("only root can do it")
                def test_skipped(self):
                    pass

                @unittest.skip("the tool is not installed")
                def test_skipped_for_no_reason(self):
                    pass

            class B(unittest.TestCase):
                def test_dies(self):
                    os.kill(os.getpid(), 9)

                def test_never_reached(self):
                    pass

            class C(unittest.TestCase):
                @classmethod
                def setUpClass(cls):
                    raise OSError("no room")

                def test_never_reached(self):
                    pass
            """,
        )
        self.write("test_import.py", "import a_module_that_is_not_there\n")
        answer = self.run_tests()
        self.check_end(
            answer,
            1,
            "skipped: test_ends.A.test_skipped: only root can do it",
            "failed: test_ends.A.test_fails",
            "failed: test_ends.A.test_parts (part=0)",
            "failed: test_ends.A.test_parts (part=2)",
            "failed: test_ends.A.test_skipped_for_no_reason is skipped, which run.py does not allow:"
            " the tool is not installed",
            "failed: test_ends.B ended with status -9",
            "failed: setUpClass (test_ends.C)",
            "failed: unittest.loader._FailedTest.test_import",
            "1 passed, 6 failed, 1 skipped",
        )
        self.assertIn("test_fails (test_ends.A.test_fails) ... what it printed", answer[1])
        self.assertIn("test_dies (test_ends.B.test_dies) ... ", answer[1])
        self.assertIn("AssertionError: as it must", answer[1])
        self.assertIn("OSError: no room", answer[1])
        self.assertIn("ModuleNotFoundError: No module named 'a_module_that_is_not_there'", answer[1])

    def test_nothing_ran(self):
        self.check_end(self.run_tests(), 1, "0 passed, 0 failed, 0 skipped")
        self.write("test_alone.py", ALONE)
        self.check_end(
            self.run_tests("--only", "test_alone.Other", "--only", "test_alone.Ot"),
            1,
            "run.py: no test is named test_alone.Ot",
        )

    def test_programs_of_cunit(self):
        good = self.write(
            "good", "#!/bin/sh\necho '               tests     12     12     11      1        0'\n"
            "echo 'failed: suite name: file.c:3: 1 == 2'\nexit 1\n"
        )
        dies = self.write("dies", "#!/bin/sh\necho '  Test: that kills'\nkill -11 $$\n")
        for path in (good, dies):
            os.chmod(path, 0o755)
        self.check_end(
            self.run_tests(good, dies),
            1,
            "failed: suite name: file.c:3: 1 == 2",
            "failed: %s ended with status -11, after: Test: that kills" % dies,
            "11 passed, 2 failed, 0 skipped",
        )

    def test_nothing_is_left(self):
        """Neither temporary files nor processes."""
        self.write(
            "test_leaves.py",
            """
            import os, subprocess, tempfile, unittest

            class Leaves(unittest.TestCase):
                def test(self):
                    print("left:", tempfile.mkdtemp())
                    print("runs:", subprocess.Popen(["sleep", "1000"]).pid)
            """,
        )
        status, lines = self.run_tests()
        self.assertEqual(status, 0, lines)
        said = "\n".join(lines)
        self.assertFalse(os.path.exists(re.search("left: (.*)", said).group(1)))
        process = "/proc/%s/cmdline" % re.search(r"runs: (\d+)", said).group(1)
        if os.path.exists(process):  # killed, and nobody has asked for its end; or another's
            with open(process, encoding="utf-8") as file:
                self.assertNotIn("sleep\0001000", file.read())

    def test_times(self):
        self.write("test_alone.py", ALONE)
        times = os.path.join(self.directory, "times")
        self.check_end(self.run_tests("--times", times), 0, "4 passed, 0 failed, 0 skipped")
        self.assertEqual(
            sorted(line.split(" ")[2] for line in self.read("times").splitlines()),
            ["test_alone.%s.test" % name for name in ("Base", "Long", "Other", "Short")],
        )


if __name__ == "__main__":
    unittest.main()
