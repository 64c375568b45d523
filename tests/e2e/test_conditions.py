"""$snapshot_size() and $snapshot_count(), in expressions and in conditions."""

import os
import shutil
import subprocess
import unittest

import expectations

from .harness import GDB, SCRIPT, Case, environment, program, tag_line

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
            '$snapshot_count("holds.c:main")': 0,
        }
        commands = ["output " + expression for expression in values]
        results = self.at_stop(commands, "holds")
        for expression, value in values.items():
            with self.subTest(expression):
                self.assertEqual(results["output " + expression], str(value))

    def test_strings_of_other_languages(self):
        """Nothing is left in the program, where gdb has it allocate them."""
        spellings = {"rust": '"', "fortran": "'", "ada": '"', "go": '"', "d": '"', "c++": '"'}
        spellings.update({"pascal": '"', "objective-c": '"', "opencl": '"', "minimal": '"', "asm": '"'})
        commands = []
        for language, quote in spellings.items():
            place = "{0}holds.c:{1}{0}".format(quote, SMALL)
            commands += ["set language " + language, "output $snapshot_size({})".format(place)]
            commands[-1] += " " * len(commands)  # each command of its own
        total = ["set language c", "output $snapshot_count()"]
        results = self.at_stop(commands + total, "holds")
        for setting, command in zip(commands[::2], commands[1::2]):
            with self.subTest(setting):
                self.assertEqual(results[command], "1000")
        self.assertEqual(results["output $snapshot_count()"], "14")

    def test_strings_that_gdb_has_the_program_allocate(self):
        """They are not the program's blocks, whoever is called with them."""
        commands = [
            'output (int) strcmp("holds", "held")',
            "set language rust",
            'output $snapshot_count("holds.c")',
            "set language c",
            "output $snapshot_count()",
            "snapshot stats --json",
        ]
        results = self.at_stop(commands, "holds")
        self.assertNotIn(results[commands[0]], ("", "0"))
        self.assertEqual(results[commands[2]], "14")
        self.assertEqual(results[commands[4]], "14")
        self.assertEqual(results.json(commands[5])["total"], {"size": 10128, "count": 14})

    def test_places_by_number(self):
        commands = ["snapshot place"]
        commands += ["snapshot place holds.c:{}".format(SMALL), "snapshot place holds.c"]
        commands += [" snapshot place holds.c:{}".format(SMALL), " snapshot place"]
        commands += ["output $snapshot_count({})".format(number) for number in (1, 2, 3, 0, -1)]
        commands += ["set $place = 2", "output $snapshot_size($place)"]
        none = [":3", ":", "holds.c:", "holds.c:-1", "holds.c:+1", "holds.c:4294967296"]
        commands += ["snapshot place " + place for place in none]
        results = self.at_stop(commands, "holds")
        first, second = "Place 1: holds.c:{}\n".format(SMALL), "Place 2: holds.c\n"
        self.assertEqual(
            results["snapshot place"], "No places: `snapshot place FILE:LINE` gives one a number.\n"
        )
        self.assertEqual(results[commands[1]], first)
        self.assertEqual(results[commands[2]], second)
        self.assertEqual(results[commands[3]], first)
        self.assertEqual(results[" snapshot place"], first + second)
        self.assertEqual(results["output $snapshot_count(1)"], "10")
        self.assertEqual(results["output $snapshot_count(2)"], "14")
        for number in (3, 0, -1):
            self.assertEqual(
                results["output $snapshot_count({})".format(number)],
                "no place has the number {}: the last number is 2\n".format(number),
            )
        self.assertEqual(results["output $snapshot_size($place)"], "10128")
        for place in none:
            self.assertEqual(
                results["snapshot place " + place],
                'no place "{}": give FILE:LINE or FILE\n'.format(place),
            )

    def test_numbers_in_every_language(self):
        """And the program stays as it is, also where gdb knows no strings (Modula-2)."""
        known = self.batch(["complete set language "])["complete set language "].split()
        languages = [one for one in known[2::3] if one != "unknown"]
        self.assertGreater(len(languages), 12)
        commands = ["snapshot place holds.c:{}".format(SMALL)]
        for place, language in enumerate(languages):
            commands += ["set language " + language]
            commands += ["output $snapshot_count(1)" + " " * place]
        commands += ["set language c", "output $snapshot_count()"]
        results = self.at_stop(commands, "holds")
        for place, language in enumerate(languages):
            with self.subTest(language):
                self.assertEqual(results["output $snapshot_count(1)" + " " * place], "10")
        self.assertEqual(results["output $snapshot_count()"], "14")

    def test_skip_rules_count(self):
        expression = 'output $snapshot_size("holds.c:{}")'.format(tag_line(SOURCE, "main large"))
        results = self.at_stop([expression, "snapshot set skip hold_*", " " + expression], "holds")
        self.assertEqual(results[expression], "0")
        self.assertEqual(results[" " + expression], "9096")

    def test_of_a_core(self):
        core = self.kernel_core("holds", "abort")
        commands = ["output $snapshot_size()", 'output $snapshot_count("holds.c")']
        commands += ["snapshot place holds.c:{}".format(SMALL), "set language rust"]
        commands += ["output $snapshot_count(1)"]
        results = self.batch(commands, program("holds"), core)
        self.assertEqual(
            [results[command] for command in commands if command.startswith("output")],
            ["10128", "14", "10"],
        )

    def test_errors_are_one_line(self):
        usage = (
            "$snapshot_size takes a place as a string, or by the number that `snapshot place` gives"
            ' it: $snapshot_size("file.c:12"), $snapshot_size(1)\n'
        )
        none = "no place has the number {}: `snapshot place FILE:LINE` gives one a number\n"
        cases = {
            "print $snapshot_size(1)": none.format(1),
            'print $snapshot_size("a", "b")': usage,
            "print $snapshot_size(1.5)": usage,
            "print $snapshot_size((char *) 0)": usage,
            "print $snapshot_size(kept)": usage,
            "print $snapshot_size(kept_count)": none.format(14),
            "print $snapshot_size($_siginfo)": usage,
            'print $snapshot_size("\\377")': "the place is not text in the program's character set"
            " UTF-8 (`show target-charset`): give its number, from `snapshot place`\n",
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


class CharacterSets(Case):
    """In the C locale, for which gdb takes ASCII, and with sets that Python does not know."""

    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.directory, "hält.c")
        shutil.copy(SOURCE, self.path)
        self.program = os.path.join(self.directory, "hält")
        subprocess.run(["gcc", "-g", "-o", self.program, self.path], check=True)

    def stopped(self, commands, locale="C"):
        before = ["snapshot start", "break stop_here", "run"]
        return self.batch(before + commands, self.program, env={"LC_ALL": locale})

    def test_arguments_beyond_ascii(self):
        counts = 'output $snapshot_count("hält.c:{}")'.format(SMALL)
        by_number = ["snapshot place hält.c", "output $snapshot_count(1)"]
        stats = "snapshot stats --include */hält.c --json"
        files = ["snapshot dump now hält.dump", "snapshot load hält.dump ä", "snapshot list"]
        wrong = "snapshot delete ö"
        for locale in ("C", "POSIX", "C.UTF-8"):
            with self.subTest(locale):
                results = self.stopped([counts, stats, wrong] + by_number + files, locale)
                self.assertEqual(results[counts], "10")
                self.assertEqual(results[by_number[1]], "14")
                self.assertEqual(results[by_number[0]], "Place 1: hält.c\n")
                self.assertEqual(results.json(stats)["total"], {"size": 10128, "count": 14})
                self.assertIn("\nä  ", results["snapshot list"])
                self.assertEqual(
                    results[wrong], 'no snapshot "ö": there are no snapshots: `snapshot take` takes one\n'
                )
                self.assertNotIn("Python Exception", str(results))

    def test_what_the_user_has_set_stays(self):
        settings = ["set host-charset ASCII", "set target-charset ISO-8859-1"]
        line = [GDB, "-nx", "-batch", "-iex", "set auto-load off"]
        for setting in settings:
            line += ["-iex", setting]
        line += ["-ex", "source " + SCRIPT, "-ex", "show charset", "-ex", "snapshot list"]
        shown = subprocess.run(
            line,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment(self.home, LC_ALL="C"),
            encoding="ascii",
            check=True,
        ).stdout
        self.assertIn('The host character set is "ASCII".\n', shown)
        self.assertIn('The target character set is "ISO-8859-1".\n', shown)
        self.assertIn("No snapshots: `snapshot take` takes one.\n", shown)

    def test_target_character_sets(self):
        place = '"holds.c:{}"'.format(SMALL)
        commands = [
            "with target-charset {} -- output $snapshot_count({})".format(charset, place)
            for charset in ("EBCDIC-US", "KOI8-R", "UTF-16")
        ]
        results = self.at_stop(commands, "holds")
        self.assertEqual([results[command] for command in commands[:2]], ["10", "10"])
        self.assertEqual(
            results[commands[2]],
            "the place is not text in the program's character set UTF-16 (`show target-charset`):"
            " give its number, from `snapshot place`\n",
        )


if __name__ == "__main__":
    unittest.main()
