"""Frames in libraries that were unloaded, at whose addresses another library is now."""

import os
import shutil
import unittest

import expectations

from .harness import Case, program

FIRST = expectations.source("libfirst.c")
SECOND = expectations.source("libsecond.c")
FIRST_LINE = expectations.named(FIRST)["first"].line
SECOND_LINE = expectations.named(SECOND)["second"].line
LINES = "snapshot stats --json --no-skip"
SAME_PLACE = "output first_function == second_function"


def lines(answer):
    """{(size, count): the frame} of the rows of the libraries' blocks."""
    return {
        (row["size"], row["count"]): tuple(
            row["traceback"][0][field] for field in ("filename", "lineno", "function")
        )
        for row in answer["statistics"]
        if (row["size"], row["count"]) in ((222, 2), (222, 1))
    }


NAMED = {
    (222, 2): (FIRST, FIRST_LINE, "first_make"),
    (222, 1): (SECOND, SECOND_LINE, "second_make"),
}


class Unloaded(Case):
    def copies(self):
        """The path of a copy of the program, beside copies of the libraries."""
        for name in ("unloaded", "libfirst.so", "libsecond.so"):
            shutil.copy(program(name), self.directory)
        return os.path.join(self.directory, "unloaded")

    def at_end(self, path, commands):
        before = ["snapshot start 16", "break stop_here", "run"]
        results = self.batch(before + [SAME_PLACE] + commands, path)
        self.assertIn("Breakpoint 1, ", results["run"])
        self.assertEqual(results[SAME_PLACE], "1")
        return results

    def test_both_have_their_own_names(self):
        results = self.at_end(program("unloaded"), [LINES])
        answer = results.json(LINES)
        self.assertEqual(lines(answer), NAMED)
        self.assertEqual(answer["notes"], [])

    def test_single_blocks(self):
        who = "snapshot who --json kept[{}]"
        results = self.at_end(program("unloaded"), [who.format(0), who.format(2)])
        for place, line, function in ((0, FIRST_LINE, "first_make"), (2, SECOND_LINE, "second_make")):
            frames = results.json(who.format(place))["trace"]["traceback"]
            self.assertEqual([frame["function"] for frame in frames[:2]], [function, "main"])
            self.assertEqual(frames[0]["lineno"], line)

    def test_a_core_and_a_file(self):
        core = os.path.join(self.directory, "gcore")
        file = os.path.join(self.directory, "dump")
        self.at_end(
            program("unloaded"),
            ["generate-core-file " + core, "snapshot dump now " + file],
        )
        dead = self.batch([LINES], program("unloaded"), core)
        self.assertEqual(lines(dead.json(LINES)), NAMED)
        loaded = self.batch(["snapshot load " + file, LINES])
        self.assertEqual(lines(loaded.json(LINES)), NAMED)

    def test_another_build_at_the_path_is_not_believed(self):
        path = self.copies()
        gone = os.path.join(self.directory, "libfirst.so")
        other = "shell cp {} {}".format(os.path.join(self.directory, "libsecond.so"), gone)
        results = self.at_end(path, [other, LINES, "snapshot take"])
        answer = results.json(LINES)
        self.assertEqual(lines(answer), {**NAMED, (222, 2): (gone, 0, None)})
        note = "{}: is not the file that the program had loaded (its build ID differs): ".format(gone)
        self.assertEqual([text[: len(note)] for text in answer["notes"]], [note])
        self.assertTrue(results["snapshot take"].startswith("warning: " + note))

    def test_a_file_that_is_missing(self):
        path = self.copies()
        first = os.path.join(self.directory, "libfirst.so")
        results = self.at_end(path, ["shell rm " + first, LINES])
        answer = results.json(LINES)
        self.assertEqual(lines(answer), {**NAMED, (222, 2): (first, 0, None)})
        self.assertEqual(len(answer["notes"]), 1)
        self.assertTrue(answer["notes"][0].startswith(first + ": cannot be read"))


if __name__ == "__main__":
    unittest.main()
