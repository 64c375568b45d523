"""$snapshot_size() and $snapshot_count(), in expressions and in conditions."""

import unittest

import expectations

from .harness import Case, program, tag_line

SOURCE = expectations.source("holds.c")
MARKS = expectations.named(SOURCE)
SMALL = MARKS["small"].line

NO_PROCESS = (
    "there is no process and no core: start the program with `run`, or load a core file\n"
)


class Expressions(Case):
    def test_values(self):
        line = "holds.c:{}".format(SMALL)
        values = {
            "$snapshot_size()": 10128,
            "$snapshot_count()": 14,
            "$snapshot_size() / $snapshot_count()": 723,
            '$snapshot_size("{}")'.format(line): 1000,
            '$snapshot_count("{}")'.format(line): 10,
            '$snapshot_count("programs/{}")'.format(line): 10,
            '$snapshot_count("{}:{}")'.format(SOURCE, SMALL): 10,
            '$snapshot_count("/{}")'.format(line): 0,
            '$snapshot_count("olds.c:{}")'.format(SMALL): 0,
            '$snapshot_count("*.c:{}")'.format(SMALL): 0,
            '$snapshot_count("hold[s].c:{}")'.format(SMALL): 0,
            '$snapshot_count("holds.c:{}")'.format(SMALL + 1): 0,
            '$snapshot_count("holds.c")': 14,
        }
        commands = ["output " + expression for expression in values]
        results = self.at_stop(commands, "holds")
        for expression, value in values.items():
            with self.subTest(expression):
                self.assertEqual(results["output " + expression], str(value))

    def test_strings_of_other_languages(self):
        spellings = {"rust": '"', "fortran": "'", "ada": '"', "go": '"', "d": '"', "c++": '"'}
        commands = []
        for language, quote in spellings.items():
            place = "{0}holds.c:{1}{0}".format(quote, SMALL)
            commands += ["set language " + language, "output $snapshot_size({})".format(place)]
            commands[-1] += " " * len(commands)  # each command of its own
        results = self.at_stop(commands, "holds")
        for setting, command in zip(commands[::2], commands[1::2]):
            with self.subTest(setting):
                self.assertEqual(results[command], "1000")

    def test_skip_rules_count(self):
        expression = 'output $snapshot_size("holds.c:{}")'.format(tag_line(SOURCE, "main large"))
        results = self.at_stop([expression, "snapshot set skip hold_*", " " + expression], "holds")
        self.assertEqual(results[expression], "0")
        self.assertEqual(results[" " + expression], "9096")

    def test_of_a_core(self):
        core = self.kernel_core("holds", "abort")
        commands = ["output $snapshot_size()", 'output $snapshot_count("holds.c")']
        results = self.batch(commands, program("holds"), core)
        self.assertEqual([results[command] for command in commands], ["10128", "14"])

    def test_errors_are_one_line(self):
        usage = '$snapshot_size takes a place as a string: $snapshot_size("file.c:12")\n'
        cases = {
            "print $snapshot_size(1)": usage,
            'print $snapshot_size("a", "b")': usage,
            "print $snapshot_size(1.5)": usage,
            "print $snapshot_size((char *) 0)": usage,
            "print $snapshot_size(kept)": usage,
            "print $snapshot_size(kept_count)": usage,
            "print $snapshot_size($_siginfo)": usage,
            'print $snapshot_size("\\377")': usage,
            'print $snapshot_size("")': 'no place "": give FILE:LINE or FILE\n',
            'print $snapshot_size(":3")': 'no place ":3": give FILE:LINE or FILE\n',
        }
        results = self.at_stop(
            list(cases) + ["kill", "print $snapshot_size()", 'print $snapshot_count("a.c")'],
            "holds",
        )
        for command, message in cases.items():
            with self.subTest(command):
                self.assertEqual(results[command], message)
        self.assertEqual(results["print $snapshot_size()"], NO_PROCESS)
        self.assertEqual(results['print $snapshot_count("a.c")'], NO_PROCESS)

    def test_process_that_is_not_traced(self):
        results = self.batch(
            ["break stop_here", "run", "print $snapshot_size()", 'print $snapshot_size("a.c")']
            + ["snapshot start", "run ", "snapshot stop", "print $snapshot_count()"],
            program("holds"),
        )
        for command in ("print $snapshot_size()", 'print $snapshot_size("a.c")'):
            self.assertIn("no allocsnap hooks", results[command])
            self.assertEqual(results[command].count("\n"), 1)
        self.assertEqual(
            results["print $snapshot_count()"],
            "the process is not traced: `snapshot start` traces it from now on\n",
        )

    def test_help(self):
        results = self.batch(["help function"])
        self.assertIn("snapshot_size -- The bytes in live traced blocks now.", results["help function"])
        self.assertIn(
            "snapshot_count -- The number of live traced blocks now.", results["help function"]
        )


class Conditions(Case):
    def test_size(self):
        results = self.batch(
            ["snapshot start", "break keep if $snapshot_size() > 5000", "run"]
            + ["output $snapshot_size()"],
            program("holds"),
        )
        # 1000 small bytes and 4096 zeroed ones.
        self.assertIn("Breakpoint 1, keep ", results["run"])
        self.assertEqual(results["output $snapshot_size()"], "5096")

    def test_count_of_a_line(self):
        condition = '$snapshot_count("holds.c:{}") == 7'.format(SMALL)
        results = self.batch(
            ["snapshot start", "break keep if {}".format(condition), "run", "output kept_count"],
            program("holds"),
        )
        self.assertIn("Breakpoint 1, keep ", results["run"])
        self.assertEqual(results["output kept_count"], "6")

    def test_thousands_of_evaluations(self):
        results = self.batch(
            ["snapshot start", "break handle_request if $snapshot_size() > 1500000", "run"]
            + ["output number", "output $snapshot_size()"],
            program("server"),
        )
        self.assertIn("Breakpoint 1, handle_request ", results["run"])
        self.assertGreater(int(results["output number"]), 500)
        size = int(results["output $snapshot_size()"])
        self.assertGreater(size, 1500000)
        # One request adds less than this.
        self.assertLess(size, 1500000 + 1024)

    def test_while_other_threads_go_on(self):
        """Other threads allocate while a condition is evaluated: no error, no nonsense."""
        late = expectations.named(expectations.source("threads.c"))["late"]
        condition = '$snapshot_count("threads.c") > 8000 || $snapshot_size() > 100000000'
        results = self.batch(
            ["snapshot start", "set $evaluated = 0"]
            + ["break threads.c:{} if ($evaluated++, {})".format(late.line, condition)]
            + ["break stop_here", "run", "output $evaluated", "output $snapshot_count()"],
            program("threads"),
        )
        self.assertIn("Breakpoint 2, stop_here ", results["run"])
        self.assertNotIn("rror", results["run"])
        self.assertEqual(results["output $evaluated"], str(late.count))
        self.assertGreater(int(results["output $snapshot_count()"]), late.count)

    def test_error_in_a_condition(self):
        results = self.batch(
            ["break stop_here if $snapshot_size() > 0", "run", "info program"], program("holds")
        )
        self.assertRegex(
            results["run"], r"Error in testing .*condition.*\n(?s:.*)no allocsnap hooks"
        )
        self.assertNotIn("Traceback", results["run"])
        self.assertIn("Breakpoint 1, stop_here", results["run"])


if __name__ == "__main__":
    unittest.main()
