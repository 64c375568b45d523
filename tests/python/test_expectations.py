"""Heap marks are read as expectations.py says, and every program's marks are sound."""

import os
import tempfile
import unittest

import expectations

SOURCE = """/* A program.
 * heap-total: exact */
int main(void)
{
    a = malloc(1);   /* heap: one size=1 count=1 */
    b = strdup("x"); /* heap: copy size=2 count=1 via=strdup */
    c = malloc(9);   /* heap: gone size=0 count=0 */
    d = f();         /* heap: child size=8+3*10 count=1+3 in=child frames=4+1 */
    e = malloc(5);   /* heap: parent size=5 count=1 in=parent */
}
"""


class Parser(unittest.TestCase):
    def write(self, text):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        path = os.path.join(directory.name, "a.c")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def test_expected_has_direct_live_lines(self):
        path = self.write(SOURCE)
        self.assertEqual(expectations.expected(path), {5: (1, 1)})
        self.assertEqual(expectations.expected(path, "child"), {5: (1, 1), 8: (38, 4)})
        self.assertEqual(expectations.expected(path, "parent"), {5: (1, 1), 9: (5, 1)})

    def test_total_has_what_libraries_asked_for_too(self):
        path = self.write(SOURCE)
        self.assertEqual(expectations.total(path), (3, 2))
        self.assertEqual(expectations.total(path, "child"), (41, 6))

    def test_named(self):
        named = expectations.named(self.write(SOURCE))
        self.assertEqual(sorted(named), ["child", "copy", "gone", "one", "parent"])
        self.assertEqual(named["child"].frames, 5)
        self.assertEqual(named["copy"].via, "strdup")
        self.assertEqual((named["gone"].line, named["gone"].count), (7, 0))

    def test_is_exact(self):
        self.assertTrue(expectations.is_exact(self.write(SOURCE)))
        self.assertFalse(expectations.is_exact(self.write("/* No. */\n/* heap-total: exact */\n")))

    def test_malformed_marks_are_refused(self):
        for mark in (
            "/* heap: a size=1 */",
            "/* heap: a size=x count=1 */",
            "/* heap: a size=1 count=1 colour=red */",
            "/* heap: a size=1 count=1 live */",
            "/* heap: a size=1 count=1",
            "/* heap: a size=1 count=1 */ /* heap: a size=1 count=1 */",
        ):
            with self.subTest(mark=mark):
                path = self.write("f();\n" + mark + "\n")
                with self.assertRaises(ValueError) as caught:
                    expectations.marks(path)
                self.assertIn(path, str(caught.exception))


TESTS = os.path.dirname(expectations.PROGRAMS)

#: Tests that say themselves what their programs hold, since it depends on how they are run.
SAYING = [os.path.join("hooks", name) for name in os.listdir(os.path.join(TESTS, "hooks"))]
SAYING += [os.path.join("e2e", name) for name in (
    "test_debugger_names.py", "test_reach.py", "test_reach_incomplete.py", "test_resident.py",
    "test_suppressions.py", "test_types.py", "test_allocated_types.py",
    "test_owners.py",
)]


def saying_tests():
    """The text of those tests."""
    texts = []
    for name in SAYING:
        if name.endswith(".py"):
            with open(os.path.join(TESTS, name), encoding="utf-8") as file:
                texts.append(file.read())
    return "".join(texts)


class Sources(unittest.TestCase):
    def test_every_program_is_marked(self):
        """Or a test says what it holds, which depends on how it is run."""
        elsewhere = saying_tests()
        for name in sorted(os.listdir(expectations.PROGRAMS)):
            if not name.endswith((".c", ".cc")):
                continue
            with self.subTest(name=name):
                path = expectations.source(name)
                with open(path, encoding="utf-8") as file:
                    stops = "void stop_here(" in file.read()
                found = expectations.marks(path)
                names = (name, os.path.splitext(name)[0])
                if stops and not any('"{}"'.format(each) in elsewhere for each in names):
                    self.assertTrue(found)
                places = [(mark.line, mark.where) for mark in found]
                self.assertEqual(len(set(places)), len(places), "two marks on one line")


if __name__ == "__main__":
    unittest.main()
