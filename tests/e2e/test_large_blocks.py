"""`refs` of a block full of pointers: it is read as often as is needed, and no more."""

import json
import os
import subprocess
import unittest

from .harness import Case

MIB = 60
PROGRAM = """
#include <stdlib.h>
void **large;
void stop_here(void) {}
int main(void)
{
    size_t count = ((size_t)%d << 20) / sizeof(void *);
    void *blocks[1000];
    for (int i = 0; i < 1000; i++)
        blocks[i] = calloc(1, 200);
    large = malloc(count * sizeof(void *));
    for (size_t i = 0; i < count; i++)
        large[i] = (char *)blocks[i %% 1000] + (i < count / 2 ? 40 : 0);
    stop_here();
    return large == 0;
}
""" % MIB

#: Counts what is read through gdb for a command: the graph reads a MiB at a time, and then the block is
#: looked through for the places of pointers.
SCRIPT = """
import gdb, gdb_target
calls = []
read = gdb_target.GdbTarget.read_memory
def counted(self, address, size):
    calls.append(size)
    return read(self, address, size)
gdb_target.GdbTarget.read_memory = counted
text = gdb.execute("snapshot refs --json -n 20 large", to_string=True)
gdb_target.GdbTarget.read_memory = read
print(text, end="")
print(len([size for size in calls if size > 1 << 20]), sum(calls))
"""


class LargeBlocks(Case):
    def test_refs(self):
        script = os.path.join(self.directory, "count.py")
        for name, text in (("program.c", PROGRAM), ("count.py", SCRIPT)):
            with open(os.path.join(self.directory, name), "w", encoding="utf-8") as file:
                file.write(text)
        path = os.path.join(self.directory, "program")
        subprocess.run(["gcc", "-g", "-O0", "-w", "program.c", "-o", path], check=True, cwd=self.directory)
        source = "source " + script
        results = self.batch(["snapshot start", "break stop_here", "run", source], path)
        self.assertEqual(len(results[source].splitlines()), 2, results[source])
        answer, counts = results[source].splitlines()
        found = json.loads(answer)
        self.assertEqual(found["block"]["size"], MIB << 20)
        self.assertEqual(found["reference_count"], MIB << 17)
        self.assertEqual(len(found["references"]), 20)
        self.assertEqual(
            [(one["offset"], one["inside"]) for one in found["references"]],
            [(8 * index, True) for index in range(20)],
        )
        reads, size = map(int, counts.split())
        self.assertEqual(reads, 1)
        self.assertLess(size, (2 * MIB + 8) << 20)


if __name__ == "__main__":
    unittest.main()
