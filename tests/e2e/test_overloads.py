"""Overloads that other files do not see stay apart, also where gcc has inlined them everywhere and the
debug information has no linkage names for them."""

import os
import re
import subprocess

from .harness import Case

SOURCE = """\
#include <cstdlib>
#include <string>
#include <vector>

static void *kept[64];
static int count;

typedef unsigned long Size;
enum Kind { small, large };

static void load(int) { kept[count++] = malloc(11); }                    // load(int)
static void load(double) { kept[count++] = malloc(12); }                 // load(double)
static void load(const char *) { kept[count++] = malloc(13); }           // load(char const*)
static void load(char *const) { kept[count++] = malloc(14); }            // load(char*)
static void load(const volatile int *) { kept[count++] = malloc(15); }   // load(int const volatile*)
static void load(const char *const *) { kept[count++] = malloc(16); }    // load(char const* const*)
static void load(Size, short) { kept[count++] = malloc(17); }            // load(unsigned long, short)
static void load(long long &) { kept[count++] = malloc(18); }            // load(long long&)
static void load(long long &&) { kept[count++] = malloc(19); }           // load(long long&&)
static void load(Kind) { kept[count++] = malloc(20); }                   // load(Kind)
static void load(void (*)(int, const char *)) { kept[count++] = malloc(21); }  // load(void (*)(int, char const*))
static void load(char *(*)()) { kept[count++] = malloc(22); }            // load(char* (*)())
static void load(std::vector<Size> &) { kept[count++] = malloc(23); }    // load(std::vector<unsigned long, std::allocator<unsigned long> >&)
static void load(const std::string &) { kept[count++] = malloc(24); }    // load(std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> > const&)
static void load(std::nullptr_t) { kept[count++] = malloc(25); }         // load(decltype(nullptr))

namespace shop {
namespace {
struct Box {
    void open() { kept[count++] = malloc(31); }                          // shop::(anonymous namespace)::Box::open()
    void open() const { kept[count++] = malloc(32); }                    // shop::(anonymous namespace)::Box::open() const
    void close() & { kept[count++] = malloc(33); }                       // shop::(anonymous namespace)::Box::close() &
    void close() && { kept[count++] = malloc(34); }                      // shop::(anonymous namespace)::Box::close() &&
    template <class Type> Box(Type) { kept[count++] = malloc(35); }      // shop::(anonymous namespace)::Box::Box<int>(int)
};
}
static void load(Box *) { kept[count++] = malloc(36); }                  // shop::load(shop::(anonymous namespace)::Box*)
template <class Type> static void many(Type) { kept[count++] = malloc(40); }   // void shop::many<unsigned long>(unsigned long)
template <class Type> static int many(Type *) { kept[count++] = malloc(41); return 0; } // int shop::many<char>(char*)
template <Size number> static void sized() { kept[count++] = malloc(43); }  // void shop::sized<3ul>() = void shop::sized<3>()
template <class... Types> static void all(Types...) { kept[count++] = malloc(42); }  // void shop::all<int, char>(int, char)
}

/* What is not written: */
static void load(int (&)[3]) { kept[count++] = malloc(51); }             // load(int (&) [3]) = load(?) at line LINE
static void load(int shop::Box::*) { kept[count++] = malloc(52); }       // load(int shop::(anonymous namespace)::Box::*) = load(?) at line LINE

static void callback(int, const char *) {}
static char *maker() { return nullptr; }
extern "C" __attribute__((noinline)) void stop_here(void) { __asm__ volatile(""); }

int main(int, char **words)
{
    int numbers[3] = {};
    long long number = 1;
    const char *text = words[0];
    std::vector<Size> sizes;
    std::string string;
    load(1);
    load(1.0);
    load(text);
    load(words[0]);
    load((const volatile int *)numbers);
    load(&text);
    load(Size(1), short(1));
    load(number);
    load(1LL);
    load(small);
    load(callback);
    load(maker);
    load(sizes);
    load(string);
    load(nullptr);
    shop::Box box(1);
    const shop::Box other = box;
    box.open();
    other.open();
    box.close();
    shop::Box(box).close();
    shop::load(&box);
    shop::many(Size(1));
    shop::many(words[0]);
    shop::all(1, 'x');
    shop::sized<3>();
    load(numbers);
    load((int shop::Box::*)nullptr);
    stop_here();
}
"""

LOCAL = """\
#include <cstdlib>
static void *kept[2];
static void outer(int) { struct Local { static void hold() { kept[0] = malloc(61); } }; Local::hold(); }
static void outer(double) { struct Local { static void hold() { kept[1] = malloc(62); } }; Local::hold(); }
extern "C" __attribute__((noinline)) void stop_here(void) { __asm__ volatile(""); }
int main() { outer(1); outer(1.0); stop_here(); }
"""

BUILDS = [
    (compiler, flags)
    for compiler in ("g++", "clang++")
    for flags in (["-O0"], ["-O2"], ["-O2", "-gdwarf-4"], ["-O2", "-gsplit-dwarf"])
]

FUNCTIONS = "snapshot stats function --json --no-skip"


def expected():
    """{size: the names that its function may have}: where gcc has inlined it, and with a symbol."""
    held = {}
    for number, line in enumerate(SOURCE.splitlines(), 1):
        found = re.search(r"malloc\((\d+)\).*?// (.*)$", line)
        if found:
            held[int(found.group(1))] = found.group(2).replace("LINE", str(number)).split(" = ")
    return held


class Overloads(Case):
    seconds = 20

    def shown(self, compiler, flags, text=SOURCE):
        """{size: (function, count)} of the program's blocks, by function."""
        place = os.path.join(self.directory, "-".join([compiler] + flags))
        os.mkdir(place)
        source, made = (os.path.join(place, name) for name in ("subject.cc", "subject"))
        with open(source, "w", encoding="utf-8") as file:
            file.write(text)
        subprocess.run(
            [compiler, "-std=c++17", "-g", "-fno-builtin", "-w", *flags, "-o", made, source],
            check=True, cwd=place,
        )
        shown = self.batch(["snapshot start", "break stop_here", "run", FUNCTIONS], "--args", made)
        return {
            row["size"]: (row["traceback"][0]["function"], row["count"])
            for row in shown.json(FUNCTIONS)["statistics"]
            if row["traceback"][0]["filename"] == source
        }

    def test_each_has_a_name_of_its_own(self):
        wanted = expected()
        self.assertEqual(len(wanted), 27)
        for compiler, flags in BUILDS:
            with self.subTest(compiler=compiler, flags=flags):
                rows = self.shown(compiler, flags)
                self.assertEqual(sorted(rows), sorted(wanted))
                for size, (function, count) in rows.items():
                    self.assertEqual(count, 1)
                    self.assertIn(function, wanted[size])
                if compiler == "g++" and flags != ["-O0"]:
                    self.assertEqual(rows[51][0], wanted[51][-1])

    def test_types_in_type_units_are_not_written(self):
        wanted = expected()
        rows = self.shown("g++", ["-O2", "-fdebug-types-section"])
        self.assertEqual(sorted(rows), sorted(wanted))
        unwritten = 0
        for size, (function, _) in rows.items():
            if function not in wanted[size]:
                self.assertRegex(function, r"\?[^()]*\)( const| &&?)? at line \d+$")
                unwritten += 1
        self.assertLess(unwritten, 10)

    def test_what_is_local_to_overloads_is_one(self):
        """A limit that docs/limits.md names."""
        self.assertEqual(
            self.shown("g++", ["-O2"], LOCAL), {123: ("outer::Local::hold()", 2)}
        )
        self.assertEqual(
            self.shown("g++", ["-O0"], LOCAL),
            {61: ("outer(int)::Local::hold()", 1), 62: ("outer(double)::Local::hold()", 1)},
        )

    def test_without_types_there_are_no_parameters(self):
        """Of -g1, whose debug information has none, also not those of functions without."""
        rows = self.shown("g++", ["-O2", "-g1"], LOCAL)
        self.assertEqual({function for function, _ in rows.values()} & {"outer()", "hold()"}, set())
