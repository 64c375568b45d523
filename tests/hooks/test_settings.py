"""What the hooks read in the environment: good values are obeyed, bad ones said in one line."""

import os
import subprocess

from e2e.harness import DEADLINE, HOOKS, environment, program

from .hooked import Case

ON = "secure 0, hooks loaded, tracing on\n"
OFF = "secure 0, hooks loaded, tracing off\n"
SHOWN = 63  # characters of a bad value
WANTED = {
    "ALLOCSNAP": "a frame limit from 1 to 65535 (or 0 to wait for the debugger)",
    "ALLOCSNAP_MAX_MEMORY": "a number of bytes from 1M on (with K, M or G behind it)",
    "ALLOCSNAP_SAMPLE": "a number of bytes up to 1024G (with K, M or G behind it), one block for"
    " each so many (or 0 for every block)",
    "ALLOCSNAP_SAMPLE_SEED": "a number",
    "ALLOCSNAP_WATCH": "a number of bytes (with K, M or G behind it), cgroup-10%, block=BYTES,"
    " count=BLOCKS or failed, or several between commas",
    "ALLOCSNAP_WATCH_ACTION": "abort, stop, report or debugger",
    "ALLOCSNAP_FREED": "a number of freed blocks to keep, up to 16777216 (or 0)",
    "ALLOCSNAP_TOTALS": "1 to count all that is allocated (or 0)",
    "ALLOCSNAP_HISTORY": "1 to keep how much was traced over the time (or 0)",
    "ALLOCSNAP_CHECK": "a file that can be written, in a program with libgcc to compare with",
}


def complaint(variable, value):
    shown = "".join(letter if " " <= letter <= "~" else "?" for letter in value[:SHOWN])
    return "allocsnap: {}={}{}: not {}; not tracing\n".format(
        variable, shown, "..." if len(value) > SHOWN else "", WANTED[variable]
    )


class Settings(Case):
    def say(self, **variables):
        """What a program says of its tracing, and what the hooks complain of."""
        env = dict(variables, **environment(self.home, LD_PRELOAD=HOOKS))
        done = subprocess.run(
            [program("rights")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env=env,
            cwd=self.directory,
            timeout=DEADLINE,
            check=True,
        )
        return done.stdout, done.stderr

    def check_bad(self, variable, value):
        with self.subTest(variable, value=value[:80]):
            self.assertEqual(self.say(**{variable: value}), (OFF, complaint(variable, value)))

    def test_good_frame_limits(self):
        for value in ("", "1", "16", "65535", "007", "0" * 62 + "1", "0" * 63 + "1", "0" * 500 + "9"):
            with self.subTest(value):
                self.assertEqual(self.say(ALLOCSNAP=value), (ON, ""))
        for value in ("0", "0" * 64):
            with self.subTest(value):
                self.assertEqual(self.say(ALLOCSNAP=value), (OFF, ""))

    def test_bad_frame_limits(self):
        for value in (
            "65536", "-1", "+1", "1 ", " 1", "1.5", "0x10", "abc", "\u00e9", "1\n6", "\x1b[31m",
            "18446744073709551617", "1" * 62, "1" * 63, "1" * 64, "1" * 65, "1" * 100000,
            # Cut where they may have been, these would be limits.
            "16" + "x" * 62, "0" * 62 + "1x", "0" * 63 + "x", "0" * 4094 + "1x", "0" * 4095 + "x",
            "0" * 4096 + "16", "0" * 4096 + "x",
        ):
            if value == "\u00e9":
                # Each of its bytes is shown as one that cannot be.
                self.assertEqual(self.say(ALLOCSNAP=value)[1], complaint("ALLOCSNAP", "\0\0"))
            else:
                self.check_bad("ALLOCSNAP", value)

    def test_bad_limits_of_memory(self):
        for value in ("1M" + "x" * 62, "9" * 64, "0" * 4095 + "1M", "1M" + " " * 100):
            self.check_bad("ALLOCSNAP_MAX_MEMORY", value)

    def test_periods_of_samples(self):
        for value in ("", "0", "1", "512K", "007M", "1024G", "1099511627776"):
            with self.subTest(value):
                self.assertEqual(self.say(ALLOCSNAP_SAMPLE=value), (ON, ""))
        for value in ("1025G", "1099511627777", "-1", "512k", "512KB", "K", "1.5M", "x", "9" * 64):
            self.check_bad("ALLOCSNAP_SAMPLE", value)
        self.assertEqual(self.say(ALLOCSNAP_SAMPLE="1K", ALLOCSNAP_SAMPLE_SEED="18446744073709551615"), (ON, ""))
        for value in ("18446744073709551616", "-1", "1K", "x"):
            self.check_bad("ALLOCSNAP_SAMPLE_SEED", value)

    def test_limits_to_watch(self):
        for value in ("", "2G", "1", "18446744073709551615", "block=64M", "count=007",
                      "failed", "2G,block=1M,count=5000000,failed", "failed,2G"):
            with self.subTest(value):
                self.assertEqual(self.say(ALLOCSNAP_WATCH=value, ALLOCSNAP_WATCH_ACTION="debugger"), (ON, ""))
        for value in (
            "0", "-1", "1.5G", "2T", " 2G", "2G,", ",", ",2G", "2G,3G", "2G,cgroup", "block=", "block=0",
            "count=1K", "count=-1", "count=0", "failed=1", "failed,failed", "cgroup-", "cgroup-%",
            "cgroup-100%", "cgroup-10", "cgroup10%", "cgroup-1x%", "cgroup--1%", "Block=1", "x", "9" * 64,
        ):
            self.check_bad("ALLOCSNAP_WATCH", value)
        for value in ("abort", "stop", "report", "debugger"):
            with self.subTest(value):
                self.assertEqual(self.say(ALLOCSNAP_WATCH_ACTION=value), (ON, ""))
        for value in ("Abort", "kill", "abort,report", "0"):
            self.check_bad("ALLOCSNAP_WATCH_ACTION", value)

    def test_freed_blocks(self):
        for value in ("", "0", "1", "0010", "16777216"):
            with self.subTest(value):
                self.assertEqual(self.say(ALLOCSNAP_FREED=value), (ON, ""))
        for value in ("-1", "1K", "16777217", " 1", "1 ", "x", "9" * 64):
            self.check_bad("ALLOCSNAP_FREED", value)
        self.assertEqual(
            self.say(ALLOCSNAP_FREED="100000", ALLOCSNAP_MAX_MEMORY="2M"),
            (ON, "allocsnap: no memory for ALLOCSNAP_FREED: freed blocks are not kept\n"),
        )

    def test_what_is_on_or_off(self):
        for variable in ("ALLOCSNAP_TOTALS", "ALLOCSNAP_HISTORY"):
            for value in ("", "0", "1"):
                with self.subTest(variable, value=value):
                    self.assertEqual(self.say(**{variable: value}), (ON, ""))
            for value in ("2", "01", "10", "-1", " 1", "1 ", "on"):
                self.check_bad(variable, value)

    def test_no_memory_for_the_history(self):
        # Freed blocks leave less than 64 KiB, which is not enough for anything else.
        self.assertEqual(
            self.say(ALLOCSNAP_HISTORY="1", ALLOCSNAP_FREED="16300", ALLOCSNAP_MAX_MEMORY="1M"),
            (OFF, "allocsnap: no memory for ALLOCSNAP_HISTORY: the history is not kept\n"),
        )

    def test_files_that_cannot_be_written(self):
        missing = os.path.join(self.directory, "missing", "file")
        for value in (missing, self.directory, "/" + "x" * 256, self.directory + "/x" * 2100):
            self.check_bad("ALLOCSNAP_CHECK", value)
        self.assertFalse(os.path.exists(os.path.dirname(missing)))

    def test_a_file_that_can_be_written(self):
        path = os.path.join(self.directory, "check")
        self.assertEqual(self.say(ALLOCSNAP_CHECK=path), (ON, ""))
        with open(path, encoding="ascii") as report:
            self.assertRegex(report.read(), r"\A[0-9]+ stacks compared with libgcc's, 0 differ\n\Z")

    def test_more_than_one_bad_value(self):
        values = {"ALLOCSNAP": "x", "ALLOCSNAP_MAX_MEMORY": "y", "ALLOCSNAP_CHECK": "/x/y"}
        said, complaints = self.say(**values)
        self.assertEqual(said, OFF)
        self.assertEqual(complaints, "".join(complaint(*pair) for pair in values.items()))

    def test_an_entry_anywhere_in_a_large_environment(self):
        """The kernel's copy of it is read in pieces."""
        piece = 1 << 16
        entry = len("ALLOCSNAP=0") + 1
        for before in range(piece - entry - 2, piece + 2):
            # "FILLER=" and a NUL.
            self.assertEqual(self.say(FILLER="x" * (before - 8), ALLOCSNAP="0"), (OFF, ""), before)
        fillers = {"FILLER{}".format(i): "x" * 100000 for i in range(15)}
        self.assertEqual(self.say(**fillers, ALLOCSNAP="0"), (OFF, ""))
        self.assertEqual(self.say(**fillers, ALLOCSNAP="x"), (OFF, complaint("ALLOCSNAP", "x")))

    def test_names_that_only_begin_alike(self):
        self.assertEqual(self.say(ALLOCSNAP_="x", ALLOCSNA="x", XALLOCSNAP="x"), (ON, ""))
