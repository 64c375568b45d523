"""Code that names are hard to find for, as compilers and people write it."""

import os
import subprocess

from .harness import Case

NO_LINE = """#include <stdlib.h>
void *volatile kept[4];
static inline __attribute__((always_inline)) void *pick(int a, int n)
{
    void *p;
    if (a) {
        kept[0] = 0;
        p = malloc(n);
    } else {
        kept[1] = 0;
        p = malloc(n);
    }
    return p;
}
__attribute__((noinline)) void go(int a, int n)
{
    kept[2] = pick(a, n);
    kept[3] = 0;
}
__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}
int main(int count, char **words)
{
    go(count, count * 100);
    stop_here();
    return words == NULL;
}
"""

LABEL = """.text
.globl get_block
get_block:
    .cfi_startproc
    sub $8, %rsp
    .cfi_def_cfa_offset 16
    mov $64, %edi
    call malloc@PLT
    add $8, %rsp
    ret
    .cfi_endproc
.section .note.GNU-stack, "", @progbits
"""
CALLER = """void *get_block(void);
void *volatile kept;
__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}
int main(void)
{
    kept = get_block();
    stop_here();
    return 0;
}
"""
TRACEBACKS = "snapshot stats traceback one --json"


class OddNames(Case):
    def build(self, command, **sources):
        for name, text in sources.items():
            path = os.path.join(self.directory, name.replace("_", "."))
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        subprocess.run(command, check=True, cwd=self.directory)
        return os.path.join(self.directory, "odd")

    def frames(self, results, command):
        (row,) = results.json(command)["statistics"]
        return [
            (os.path.basename(frame["filename"]), frame["lineno"], frame["function"], frame["inlined"])
            for frame in row["traceback"]
        ]

    def test_merged_calls_without_a_line(self):
        """clang merges both calls, which then have line 0; where they were inlined is known."""
        odd = self.build(["clang", "-g", "-O2", "-o", "odd", "odd.c"], odd_c=NO_LINE)
        again = TRACEBACKS.replace("one", "again")
        results = self.batch(
            ["snapshot start", "break stop_here", "run", "snapshot take one", TRACEBACKS]
            + ["snapshot take --no-names bare", "snapshot dump bare bare.dump"]
            + ["snapshot load bare.dump again", "snapshot symbolize again", again]
            + ["snapshot status again"],
            odd,
        )
        wanted = [("odd.c", 0, "pick", True), ("odd.c", 17, "go", False), ("odd.c", 26, "main", False)]
        self.assertEqual(self.frames(results, TRACEBACKS)[:3], wanted)
        self.assertEqual(self.frames(results, again)[:3], wanted)
        self.assertIn(
            "100.0% in {}, in code that its debug information gives no line\n".format(odd),
            results["snapshot status again"],
        )

    def test_assembly_without_types(self):
        odd = self.build(
            ["gcc", "-O1", "-o", "odd", "caller.c", "label.s"], caller_c=CALLER, label_s=LABEL
        )
        results = self.batch(
            ["snapshot start", "break stop_here", "run", "snapshot take one", TRACEBACKS], odd
        )
        self.assertEqual(
            self.frames(results, TRACEBACKS)[:2],
            [("odd", 0, "get_block", False), ("odd", 0, "main", False)],
        )
