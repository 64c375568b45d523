"""Suppressions of leaks: the same as LeakSanitizer's, built-in ones, and what is said of them."""

import os
import re
import subprocess
import unittest

from . import debuggers
from .debuggers import RUN, stop_at
from .harness import ROOT, Case, environment, program, tag_line

LIBRARY = """
#include <stdlib.h>
void *zoo_open(void) { return calloc(1, 404); }
void *zoo_call(void *(*back)(void)) { return back(); }
"""

PROGRAM = """
#include <stdlib.h>
#include <string.h>
extern "C" void *zoo_open(void);
extern "C" void *zoo_call(void *(*back)(void));
#define APART __attribute__((noinline))
static APART void *get(size_t size) { return calloc(1, size); }
APART void *once_once() { return get(101); }
APART void *child() { return get(303); }
APART void *parent(void *held) { void **made = (void **)get(202); made[3] = held; return made; }
struct Lion { int x; APART void *roar(int n) { return get(505 + n); } };
template <class T> struct Cage { APART static void *lock(T n) { return new char[606 + n]; } };
namespace zoo { APART void *hidden() { return get(707); } }
APART void *shared(size_t size) { return get(size); }
APART void *outer_a() { return shared(808); }
APART void *outer_b() { return shared(909); }
APART void make_cycle() {
    void **one = (void **)get(1010), **two = (void **)shared(1111);
    one[1] = two; two[2] = one;
}
APART void *called_back() { return get(1212); }
static APART void *money$(void) { return get(1313); }
extern "C" APART void stop_here(void) { __asm__ volatile(""); }
APART void work() {
    Lion lion;
    once_once(); parent(child()); zoo_open(); lion.roar(0); Cage<int>::lock(0); zoo::hidden();
    outer_a(); outer_b(); make_cycle(); zoo_call(called_back); money$();
}
/* No old pointer stays on the stack, nor in a register. */
APART void scrub() { char space[16384]; memset(space, 0, sizeof(space)); __asm__ volatile("" : : "r"(space) : "memory"); }
int main() { work(); scrub(); stop_here(); return 0; }
"""
SIZES = {101, 202, 303, 404, 505, 606, 707, 808, 909, 1010, 1111, 1212, 1313}

#: Files of rules, by the sizes of what they leave.
RULES = {
    "leak:nothing_of_the_kind": SIZES,
    "leak:once": SIZES - {101},
    "leak:^once_once()$": SIZES - {101},
    "leak:once()$": SIZES - {101},
    # The first place counts, which is not the end.
    "leak:once*()$\nleak:ce$": SIZES - {101},
    "leak:on*e$": SIZES,
    "leak:child": SIZES - {303},
    "leak:parent": SIZES - {202, 303},
    "leak:^parent\nleak:child": SIZES - {202, 303},
    "leak:zoo_open": SIZES - {404},
    "leak:libzoo.so": SIZES - {404, 1212},
    "leak:/libzoo.so$": SIZES - {404, 1212},
    "leak:^libzoo.so": SIZES,
    "leak:zoo.c": SIZES - {404, 1212},
    "leak:zoo": SIZES - {404, 707, 1212},
    "leak:*roar*": SIZES - {505},
    "leak:^Lion::roar(int)$": SIZES - {505},
    "leak:Cage<int>::lock": SIZES - {606},
    "leak:zoo::hidden": SIZES - {707},
    "leak:shared": SIZES - {808, 909, 1010, 1111},
    "leak:outer_": SIZES - {808, 909},
    "leak:outer_a\nleak:shared": SIZES - {808, 909, 1010, 1111},
    "leak:make_cycle": SIZES - {1010, 1111},
    "leak:called_back": SIZES - {1212},
    "leak:money": SIZES - {1313},
    "leak:money$": SIZES,
    "leak:get": set(SIZES) - (SIZES - {404, 606}),
    "leak:main": set(),
    "leak:*": set(),
    "leak:^*work()$": set(),
    "  leak:once \t\r\n\n# leak:main\n\tleak:child\n": SIZES - {101, 303},
    "leak:m?ney\nleak:[c]hild": SIZES,
}


class AsLeakSanitizer(Case):
    """Beside it, on one program and the same files."""

    seconds = 30

    def path(self, name):
        return os.path.join(self.directory, name)

    def build(self):
        for name, text in (("zoo.c", LIBRARY), ("main.cc", PROGRAM)):
            with open(self.path(name), "w", encoding="utf-8") as file:
                file.write(text)
        common = ["-g", "-O0", "-Wno-unused-result"]
        library = ["gcc", *common, "-shared", "-fPIC", "zoo.c", "-o", "libzoo.so"]
        subprocess.run(library, check=True, cwd=self.directory)
        link = ["-L.", "-lzoo", "-Wl,-rpath," + self.directory]
        for name, command in {
            "plain": ["g++"],
            "gcc": ["g++", "-fsanitize=leak"],
            "clang": ["clang++", "-fsanitize=leak", "-Wno-dollar-in-identifier-extension"],
        }.items():
            made = command + common + ["main.cc", "-o", name] + link
            subprocess.run(made, check=True, cwd=self.directory)
        for number, rules in enumerate(RULES):
            with open(self.path("rules{}".format(number)), "w", encoding="utf-8") as file:
                file.write(rules)

    def sanitizer(self, name, number):
        """(sizes of what LeakSanitizer shows, {pattern: (count, bytes)} of the rules it used)."""
        options = "suppressions={}:exitcode=0:print_suppressions=1".format(
            self.path("rules{}".format(number))
        )
        done = subprocess.run(
            [self.path(name)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=True,
            env=environment(self.home, LSAN_OPTIONS=options),
        )
        self.assertNotIn("failed to", done.stdout)
        leaks = re.findall(r"(?:Direct|Indirect) leak of (\d+) byte\(s\) in 1 object", done.stdout)
        self.assertEqual(len(leaks), done.stdout.count(" leak of "))
        _, _, used = done.stdout.partition("Suppressions used:\n")
        rows = re.findall(r"^ +(\d+) +(\d+) (.+)$", used, re.M)
        return set(map(int, leaks)), {rule: (int(count), int(size)) for count, size, rule in rows}

    def check(self, results, commands, sanitizers):
        for number, (rules, left) in enumerate(RULES.items()):
            answer = results.json(commands[number])
            rows = answer["statistics"]
            self.assertEqual({row["count"] for row in rows} - {1}, set())
            self.assertEqual({row["size"] for row in rows}, left, rules)
            used = {
                rule["rule"][len("leak:") :]: (rule["count"], rule["size"])
                for rule in answer["suppressed"]["rules"]
            }
            held = answer["suppressed"]
            self.assertEqual(sum(left) + held["size"] + held["held_size"], sum(SIZES))
            self.assertEqual(len(left) + held["count"] + held["held_count"], len(SIZES))
            for name in sanitizers:
                with self.subTest(rules, sanitizer=name):
                    shown, said = self.sanitizer(name, number)
                    self.assertEqual(shown, left)
                    self.assertEqual(said, used)

    def test_the_same_blocks(self):
        self.build()
        command = "snapshot leaks a traceback --kinds definite,indirect --no-skip --json --suppressions "
        commands = [command + self.path("rules{}".format(number)) for number in range(len(RULES))]
        dump = "snapshot dump a " + self.path("dump")
        before = ["snapshot start", "break stop_here", "run", "snapshot take --graph a"]
        rules = self.path("rules{}".format(list(RULES).index("leak:parent")))
        text = "snapshot leaks a --show-suppressed --suppressions " + rules
        results = self.batch(before + commands + [text, dump], self.path("plain"))
        self.assertTrue(
            results[text].endswith(
                "Suppressed: size=202 B, count=1 (and 303 B in 1 block that only they lead to)\n"
                "  leak:parent ({}:1): size=202 B, count=1\n".format(rules)
            ),
            results[text],
        )
        self.check(results, commands, ("gcc", "clang"))
        # A file of the snapshot has what is needed for it.
        load = "snapshot load {} a".format(self.path("dump"))
        self.check(self.batch([load] + commands), commands, ())


BY_DESIGN = os.path.join(ROOT, "tests", "programs", "by_design.cc")
BUILT_IN = {
    "loader", "c++-pool", "threads", "exit-handlers", "stdio", "locale", "time-zone", "databases",
    "conversions", "messages", "environment",
}


def own_lines():
    """The lines whose blocks are the program's own, though the C library asks for some of them."""
    with open(BY_DESIGN, encoding="utf-8") as lines:
        return {number for number, line in enumerate(lines, 1) if "/* tag: own " in line}


class BuiltIn(Case):
    """What programs keep by design, and not what they forget."""

    ALL = "snapshot leaks --kinds all --json"
    NONE = ALL + " --no-suppressions"
    COMMANDS = [
        ALL,
        NONE,
        "snapshot leaks --kinds all --show-suppressed",
        "snapshot leaks --json",
        "snapshot leaks --show-suppressed",
        "snapshot leaks --kinds indirect",
        "snapshot retained --json",
    ]

    def check(self, results):
        lost = tag_line(BY_DESIGN, "lost malloc")
        shown = results.json(self.ALL)
        rows = [row["traceback"][0] for row in shown["statistics"]]
        self.assertEqual({(row["filename"], row["lineno"]) for row in rows},
                         {(BY_DESIGN, line) for line in own_lines() | {lost}})
        suppressed = shown["suppressed"]
        self.assertEqual({rule["rule"] for rule in suppressed["rules"]}, BUILT_IN)
        for rule in suppressed["rules"]:
            self.assertEqual((rule["filename"], rule["lineno"]), (None, None))
            self.assertGreater(rule["count"], 0)
        for field in ("size", "count"):
            self.assertEqual(suppressed[field], sum(rule[field] for rule in suppressed["rules"]))
            self.assertEqual(
                shown["total"][field] + suppressed[field] + suppressed["held_" + field],
                results.json(self.NONE)["total"][field],
            )
        nothing = {"size": 0, "count": 0, "held_size": 0, "held_count": 0, "rules": []}
        self.assertEqual(results.json(self.NONE)["suppressed"], nothing)
        text = results["snapshot leaks --kinds all --show-suppressed"]
        self.assertRegex(text, r"\nSuppressed: size=[0-9.]+ KiB, count={}\n  loader \(built in: ".format(
            suppressed["count"]))
        self.assertEqual(len(text[text.index("\nSuppressed:") :].splitlines()), 2 + len(BUILT_IN))
        self.assertRegex(results["snapshot leaks --kinds indirect"], r"(?m)^No blocks of these kinds\.\n\Z")
        # None of it has leaked.
        (row,) = results.json("snapshot leaks --json")["statistics"]
        self.assertEqual((row["traceback"][0]["lineno"], row["size"]), (lost, 2222))
        self.assertEqual(results.json("snapshot leaks --json")["suppressed"], nothing)
        self.assertTrue(
            results["snapshot leaks --show-suppressed"].endswith("\nSuppressed: nothing\n")
        )

    def test_in_gdb(self):
        self.check(self.at_stop(self.COMMANDS, "by_design"))

    def test_without_the_debug_symbols_of_libraries(self):
        """The names that libraries export tell most, and never too much."""
        before = ["set debug-file-directory /nonexistent", "snapshot start", "break stop_here", "run"]
        results = self.batch(before + self.COMMANDS, program("by_design"))
        shown = results.json(self.ALL)
        names = {rule["rule"] for rule in shown["suppressed"]["rules"]}
        known = {"loader", "c++-pool", "threads", "stdio", "locale", "time-zone", "databases", "messages"}
        self.assertEqual(known - names, set())
        lines = {row["traceback"][0]["lineno"] for row in shown["statistics"]}
        self.assertEqual(own_lines() - lines, set())
        self.assertLess(shown["total"]["size"] * 2, results.json(self.NONE)["total"]["size"])

    def test_in_lldb(self):
        for debugger in debuggers.lldbs():
            with self.subTest(debugger.name):
                before = ["snapshot start 16", stop_at("stop_here"), RUN]
                self.check(debugger.run(self, before + self.COMMANDS, program("by_design")))

    def test_a_core_and_a_file(self):
        core = self.kernel_core("by_design", "trap")
        path = os.path.join(self.directory, "dump")
        more = ["snapshot take --graph a", "snapshot dump a " + path]
        self.check(self.batch(self.COMMANDS + more, program("by_design"), core))
        self.check(self.batch(["snapshot load " + path] + self.COMMANDS))

    def test_a_static_library(self):
        """libstdc++ within the program."""
        source = os.path.join(self.directory, "pool.cc")
        with open(source, "w", encoding="utf-8") as file:
            file.write(STATIC)
        path = os.path.join(self.directory, "pool")
        subprocess.run(
            ["g++", "-g", "-static-libstdc++", "-static-libgcc", source, "-o", path], check=True
        )
        command = "snapshot leaks --kinds all --json --no-skip"
        before = ["snapshot start", "break stop_here", "run"]
        answer = self.batch(before + [command], path).json(command)
        self.assertEqual([row["size"] for row in answer["statistics"]], [333])
        self.assertEqual([rule["rule"] for rule in answer["suppressed"]["rules"]], ["c++-pool"])
        self.assertGreater(answer["suppressed"]["size"], 70000)


STATIC = """
#include <stdexcept>
static void *kept;
extern "C" void stop_here(void) { __asm__ volatile(""); }
int main(int count, char **) {
    try { if (count > 99) throw std::runtime_error("many"); } catch (const std::exception &) {}
    kept = new char[333];
    stop_here();
    return kept == nullptr;
}
"""


class Said(Case):
    """Options, settings, and what is wrong with files."""

    def write(self, text, name="my.supp"):
        path = os.path.join(self.directory, name)
        with open(path, "wb") as file:
            file.write(text)
        return path

    def test_options_and_settings(self):
        one = self.write(b"leak:lose_large\n")
        two = self.write(b"# those\nleak:leave_on_stack\n", "two.supp")
        leaks = "snapshot leaks -n 1"
        commands = [
            "snapshot set suppressions",
            "snapshot set suppressions " + one,
            "snapshot set",
            leaks,
            leaks + " --show-suppressed --suppressions " + two,
            leaks + " --no-suppressions",
            "snapshot stats --leaked",
            "snapshot stats --leaked --json",
            "snapshot traces --leaked --json --suppressions " + two,
            "snapshot stats --suppressions " + two,
            "snapshot leaks --no-suppressions --suppressions " + two,
            "snapshot take --graph a",
            "snapshot diff a --leaked --json",
            "snapshot diff a --leaked",
            "snapshot set suppressions off",
            leaks + " ",
            "snapshot set suppressions /nonexistent/my.supp",
        ]
        results = self.at_stop(commands, "reach")
        self.assertEqual(
            results[commands[0]], "suppressions is the path of one file, or off: say which\n"
        )
        self.assertEqual(results[commands[1]], "1 rule in {}.\n".format(one))
        self.assertIn("\nsuppressions: {}\n".format(one), results["snapshot set"])
        footer = "Suppressed: size=1024 KiB, count=1; {} tells by which rules\n"
        self.assertTrue(results[leaks].endswith(footer.format("--show-suppressed")))
        self.assertNotIn("lose_large", results[leaks])
        self.assertTrue(
            results[commands[4]].endswith(
                "Suppressed: size=1024 KiB, count=4\n"
                "  leak:leave_on_stack ({}:2): size=219 B, count=3\n"
                "  leak:lose_large ({}:1): size=1024 KiB, count=1\n".format(two, one)
            ),
            results[commands[4]],
        )
        self.assertIn("in lose_large()", results[commands[5]])
        self.assertNotIn("Suppressed", results[commands[5]])
        hint = "`snapshot leaks --show-suppressed`"
        self.assertTrue(results["snapshot stats --leaked"].endswith(footer.format(hint)))
        rule = {"rule": "leak:lose_large", "filename": one, "lineno": 1, "size": 1 << 20, "count": 1}
        stats = results.json("snapshot stats --leaked --json")
        self.assertEqual(stats["suppressed"]["rules"], [rule])
        self.assertEqual(results.json(commands[8])["suppressed"]["count"], 4)
        self.assertIn("give --leaked with them", results[commands[9]])
        self.assertIn("contradict each other", results[commands[10]])
        both = results.json("snapshot diff a --leaked --json")["suppressed"]
        self.assertEqual([each["rules"] for each in both], [[rule], [rule]])
        self.assertTrue(
            results["snapshot diff a --leaked"].endswith(
                "a: {0}now: {0}".format(footer.format(hint))
            )
        )
        self.assertIn("in lose_large()", results[leaks + " "])
        self.assertIn("cannot read the suppressions in /nonexistent/my.supp", results[commands[16]])

    def test_bad_files(self):
        bad = self.write(b"leak:x\nrace:y\n")
        commands = ["snapshot leaks --suppressions " + path for path in
                    (bad, "/dev/zero", self.directory, os.path.join(self.directory, "not there"))]
        commands += ["snapshot set suppressions " + bad, "snapshot set"]
        results = self.at_stop(commands, "reach")
        line = '{}:2: "race:y" is no rule for leaks: write leak:PATTERN, or a # before a comment\n'
        self.assertEqual(results[commands[0]], line.format(bad))
        for command in commands[1:3]:
            self.assertRegex(results[command], r"\Acannot read the suppressions in [^\n]*\n\Z")
        self.assertEqual(results[commands[4]], line.format(bad))
        self.assertIn("\nsuppressions: off\n", results["snapshot set"])

    def test_python(self):
        rules = self.write(b"leak:lose_large\n")
        script = os.path.join(self.directory, "script.py")
        with open(script, "w", encoding="utf-8") as file:
            file.write(SCRIPT.replace("RULES", rules))
        lines = self.at_stop(["source " + script], "reach")["source " + script].splitlines()
        self.assertEqual(
            lines,
            [
                "leak:lose_large ({}:1)".format(rules),
                "[('leak:lose_large', 'my.supp', 1, 1048576, 1)]",
                "1048576 0",
                "True True",
                "suppressions are of Suppressions, not str",
                rules,
                "2",
            ],
        )


SCRIPT = """
import os
import allocsnap
snapshot = allocsnap.take_snapshot(graph=True)
mine = allocsnap.Suppressions("RULES")
print(mine.rules[0])
print([(s.rule, os.path.basename(s.filename), s.lineno, s.size, s.count)
       for s in snapshot.suppressed(suppressions=mine)])
sizes = [sum(t.size for t in snapshot.leaks(suppressions=rules).traces)
         for rules in (None, mine, allocsnap.Suppressions(builtin=False))]
print(sizes[0] - sizes[1], sizes[2] - sizes[0])
kinds = ("reachable",)
none = allocsnap.Suppressions(builtin=False)
print(len(snapshot.leaks(kinds).traces) < len(snapshot.leaks(kinds, none).traces),
      {s.filename for s in snapshot.suppressed(kinds)} == {None})
try:
    snapshot.leaks(suppressions="RULES")
except TypeError as error:
    print(error)
with open("RULES", "w") as file:
    file.write("# none\\nthread:x\\n")
try:
    allocsnap.Suppressions("RULES")
except allocsnap.AllocsnapError as error:
    print(error.filename)
    print(str(error).split(":")[1])
"""


if __name__ == "__main__":
    unittest.main()
