"""A lambda has one name, whichever compiler built the program, optimised or not."""

import os
import re
import subprocess

from .harness import Case

SOURCE = """\
#include <cstdlib>
#include <functional>

static void *kept[32];
static int count;

namespace shop {
struct Till {
    void *member = [] { return malloc(11); }();          // shop::Till::{lambda at line %d}
    void open(int more)
    {
        auto call = [more](int size) __attribute__((noinline)) {  // shop::Till::open::{lambda at line %d}
            kept[count++] = malloc(20 + size + more);
        };
        call(1);
        call(1);
    }
    template <class Type> static void many(Type)
    {
        auto each = [](auto value) { kept[count++] = malloc(30 + sizeof(value)); };  // shop::Till::many::{lambda at line %d}
        each(1);
        each(1.0);
    }
};
namespace {
void hidden()
{
    [] { kept[count++] = malloc(41); }();                // shop::(anonymous namespace)::hidden::{lambda at line %d}
}
}
}

static auto global = [](int size) { kept[count++] = malloc(size); };  // {lambda at line %d}

static void outer(int size)
{
    auto first = [size] { kept[count++] = malloc(60 + size); };  // outer::{lambda at line %d}
    auto second = [size] {                               // outer::{lambda at line %d}
        kept[count++] = malloc(70 + size);
        [size] { kept[count++] = malloc(80 + size); }(); // outer::{lambda at line %d}
    };
    first();
    second();
}

static void outer(double size)
{
    [size] { kept[count++] = malloc((size_t)(90 + size)); }();  // outer::{lambda at line %d}
}

/* Its type is one for all units that include it: in a type unit, with -fdebug-types-section. */
inline void shared(int size)
{
    auto apart = [size]                                  // shared::{lambda at line %d}
        (int more) mutable
    {
        kept[count++] = malloc(94 + size + more);
    };
    apart(1);
}

void called(const std::function<void(int)> &function) { function(100); }

static struct {
    /* Other code than the lambdas', with which gcc would join it. */
    void operator()(int size) { kept[count++] = malloc(1 + size); }
} without_name;

extern "C" __attribute__((noinline)) void stop_here(void) { __asm__ volatile(""); }

int main(int one, char **)
{
    shop::Till till;
    kept[count++] = till.member;
    till.open(one);
    shop::Till::many(1);
    shop::Till::many(1.0f);
    shop::hidden();
    global(50 + one);
    outer(one);
    outer(1.0 * one);
    shared(one);
    called([one](int size) { kept[count++] = malloc(size + one); });  // main::{lambda at line %d}
    without_name(109 + one);
    stop_here();
}
"""

#: The sizes of the blocks of each, in the order of their lines.
SIZES = [[11], [22, 22], [34, 38, 34, 38], [41], [51], [61], [71], [81], [91], [96], [101]]

BUILDS = [
    (compiler, flags)
    for compiler in ("g++", "clang++")
    for flags in (
        ["-O0"], ["-O1"], ["-O2"], ["-O2", "-gdwarf-4"], ["-O2", "-gsplit-dwarf"],
        ["-O0", "-fdebug-types-section"], ["-O2", "-fdebug-types-section"],
    )
]

FUNCTIONS = "snapshot stats function --json --no-skip"


def expected():
    """The source, and {name: (size, count)} of its lambdas."""
    lines = SOURCE.splitlines()
    numbers = [number for number, line in enumerate(lines, 1) if "line %d}" in line]
    held = {}
    for number, sizes in zip(numbers, SIZES):
        held[re.search("// (.*)$", lines[number - 1]).group(1) % number] = (sum(sizes), len(sizes))
    assert len(held) == len(numbers) == len(SIZES)
    return SOURCE % tuple(numbers), held


class Lambdas(Case):
    seconds = 30

    def shown(self, compiler, flags):
        """The rows by function of the program, built so: {label: (size, count)}."""
        place = os.path.join(self.directory, "-".join([compiler] + flags))
        os.mkdir(place)
        source, made = (os.path.join(place, name) for name in ("subject.cc", "subject"))
        with open(source, "w", encoding="utf-8") as file:
            file.write(expected()[0])
        subprocess.run(
            [compiler, "-std=c++17", "-g", "-fno-builtin", "-w", *flags, "-o", made, source],
            check=True, cwd=place,
        )
        shown = self.batch(["snapshot start", "break stop_here", "run", FUNCTIONS], "--args", made)
        return {
            row["label"]: (row["size"], row["count"])
            for row in shown.json(FUNCTIONS)["statistics"]
            if row["traceback"][0]["filename"] == source
        }

    def test_each_has_one_name(self):
        _, held = expected()
        for compiler, flags in BUILDS:
            with self.subTest(compiler=compiler, flags=flags):
                rows = self.shown(compiler, flags)
                lambdas = {name: row for name, row in rows.items() if "lambda" in name}
                self.assertEqual(lambdas, held)
                # A class without a name is none.
                [other] = set(rows) - set(lambdas)
                self.assertIn("operator()", other)
                self.assertEqual(rows[other], (111, 1))

    def test_two_on_one_line_are_one(self):
        """A limit that docs/limits.md names: Clang's entries have no columns."""
        source, made = (os.path.join(self.directory, name) for name in ("twice.cc", "twice"))
        with open(source, "w", encoding="utf-8") as file:
            file.write(
                '#include <cstdlib>\nstatic void *kept[2];\n'
                'extern "C" __attribute__((noinline)) void stop_here(void) { __asm__ volatile(""); }\n'
                'int main()\n{\n'
                '    [] { kept[0] = malloc(10); }(), [] { kept[1] = malloc(20); }();\n'
                '    stop_here();\n}\n'
            )
        for compiler in ("g++", "clang++"):
            subprocess.run([compiler, "-g", "-O2", "-fno-builtin", "-o", made, source], check=True)
            shown = self.batch(["snapshot start", "break stop_here", "run", FUNCTIONS], "--args", made)
            rows = {row["label"]: row["size"] for row in shown.json(FUNCTIONS)["statistics"]}
            self.assertEqual(rows["main::{lambda at line 6}"], 30)
