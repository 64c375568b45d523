"""Records that were dropped, cores that are cut short or lack mappings or registers, memory that cannot be
read: the first lines of `leaks` say what is missing and how that errs, and what else is there is right."""

import json
import os
import struct
import subprocess
import unittest

from . import debuggers
from .debuggers import RUN, stop_at
from .harness import program
from .test_reach import COMMANDS, KINDS, SOURCE, classes, expected, lines_of
from .test_reach_incomplete import UNKNOWN
from .typed import Typed

PROGRAM = r"""
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
struct link {
    struct link *next;
    void *held;
};
static struct link *list;
static void **shared, **cut;
void stop_here(int trap)
{
    if (trap)
        __builtin_trap();
}
__attribute__((noinline)) static void fill(void)
{
    void *kept = malloc(801), *lost = malloc(802);
    memset(lost, 0, 802);
    for (int i = 0; i < 300000; i++) {
        struct link *link = malloc(sizeof(*link));
        link->next = list;
        link->held = kept;
        list = link;
        if (i < 299999)
            link->held = NULL;
    }
}
__attribute__((noinline)) static void map(void)
{
    int file = open("file", O_RDWR | O_CREAT, 0600);
    if (ftruncate(file, 65536) != 0)
        abort();
    shared = mmap(NULL, 32768, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cut = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    shared[7] = malloc(803);
    cut[0] = malloc(804);
    cut[8191] = malloc(805);
    if (ftruncate(file, 16384) != 0)
        abort();
}
__attribute__((noinline)) static void wipe(void)
{
    volatile char bytes[65536];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = 0;
}
/* Calls a function so that its frame is among what wipe() overwrites. */
__attribute__((noinline)) static void below(void (*function)(void))
{
    volatile char room[4096];
    room[0] = 0;
    function();
}
int main(int argc, char **argv)
{
    void *volatile slot = malloc(806);
    if (argc > 2) {
        FILE *filter = fopen("/proc/self/coredump_filter", "w");
        fputs(argv[2], filter);
        fclose(filter);
    }
    below(strcmp(argv[1], "full") == 0 ? fill : map);
    wipe();
    stop_here(strcmp(argv[1], "trap") == 0);
    return slot == NULL;
}
"""

FULL = ["snapshot leaks size --json" + more for more in ("", " --kinds possible", " --gaps no", " --kinds reachable")]
TEXTS = ["snapshot leaks", "snapshot leaks --kinds all", "snapshot stats --kinds all", "snapshot traces --leaked"]
LEAKS = "snapshot leaks traceback --json --kinds definite,possible"
LEAKED = "blocks that only they hold are shown as leaked"


def sizes(answer):
    """The sizes of the blocks from 801 on that rows by traceback are of, one block a row."""
    return sorted(row["size"] for row in answer["statistics"] if row["size"] > 800)


def segments(core):
    """[(place in the file, address, bytes in the file, bytes in memory)] of what a core has of memory, and
    (place, bytes) of its notes."""
    with open(core, "rb") as file:
        head = file.read(64)
        start, size, count = struct.unpack_from("<Q", head, 32) + struct.unpack_from("<HH", head, 54)
        file.seek(start)
        rows = [struct.unpack("<IIQQQQQQ", file.read(size)) for _ in range(count)]
    loads = [(row[2], row[3], row[5], row[6]) for row in rows if row[0] == 1]
    return loads, next((row[2], row[5]) for row in rows if row[0] == 4)


def notes(core):
    """[(place of the kind, kind, place of the contents, bytes)] of the notes of a core."""
    place, size = segments(core)[1]
    with open(core, "rb") as file:
        file.seek(place)
        data = file.read(size)
    at, found = 0, []
    while at < size:
        name, length, kind = struct.unpack_from("<III", data, at)
        contents = at + 12 + (name + 3) // 4 * 4
        found.append((place + at + 8, kind, place + contents, length))
        at = contents + (length + 3) // 4 * 4
    return found


def patch(core, changes):
    """Writes (place, bytes) into a file."""
    with open(core, "r+b") as file:
        for place, data in changes:
            file.seek(place)
            file.write(data)


PRSTATUS, FPREGSET, XSTATE = 1, 2, 0x202
# struct elf_prstatus of x86-64: pr_reg, and in it rsp.
REGISTERS, REGISTERS_SIZE, STACK_POINTER = 112, 27 * 8, 19 * 8


class Missing(Typed):
    def setUp(self):
        super().setUp()
        with open(os.path.join(self.directory, "program.c"), "w", encoding="utf-8") as file:
            file.write(PROGRAM)
        self.path = os.path.join(self.directory, "program")
        flags = ["-g", "-O0", "-fno-builtin", "-w"]
        subprocess.run(["gcc", *flags, "program.c", "-o", self.path], check=True, cwd=self.directory)

    def in_each(self, check, commands, *arguments, core=None, **options):
        """Calls `check` with what each debugger answers: of a process that stops, or of a core."""
        for debugger in [debuggers.gdb()] + debuggers.lldbs():
            begin = ["snapshot start 16", stop_at("stop_here"), RUN] if core is None else []
            with self.subTest(debugger.name):
                results = debugger.run(self, begin + commands, self.path, arguments, core=core, **options)
                check(results)

    def test_records_that_were_dropped(self):
        """The blocks without a record may hold others: the memory between the recorded ones, and behind
        them, is searched."""

        def check(results):
            found = [results.json(command) for command in FULL]
            by_label = [{row["label"]: row["count"] for row in one["statistics"]} for one in found]
            label = "512 B to < 1 KiB"
            self.assertEqual(by_label[0], {label: 1})
            # The recorded part of the list hangs on the other.
            links = by_label[1].pop("16 B to < 32 B")
            self.assertGreater(links, 1000)
            self.assertEqual(by_label[1], {label: 1})
            # The newest recorded link has leaked then, with what hangs on it.
            self.assertEqual(by_label[2], {label: 2, "16 B to < 32 B": 1})
            indirect = [row["indirect_count"] for row in found[2]["statistics"]]
            self.assertEqual(sum(indirect), links - 1)
            # The one on the stack.
            self.assertEqual(by_label[3][label], 1)
            auto = UNKNOWN + (
                "what only the memory between the recorded ones leads to counts as possible, which"
                " may hide leaks"
            )
            never = UNKNOWN + "what only they hold is shown as leaked"
            for one, note in zip(found, (auto, auto, never)):
                self.assertEqual(one["notes"][0], note)
                self.assertRegex(one["notes"][1], r"^\d+ blocks were not recorded")
            for command in TEXTS:
                self.assertTrue(results[command].startswith("warning: " + auto + "\n"), command)

        commands = ["snapshot set earlier never"] + FULL + TEXTS
        self.in_each(check, commands, "full", env={"ALLOCSNAP_MAX_MEMORY": "1M"})

    def core(self, *arguments):
        return self.kernel_core(self.path, "trap", *arguments)

    @staticmethod
    def registers(core):
        """(stack pointer, place of the registers) of each thread."""
        found = []
        with open(core, "rb") as file:
            for _, kind, place, _ in notes(core):
                if kind == PRSTATUS:
                    file.seek(place + REGISTERS + STACK_POINTER)
                    found.append((struct.unpack("<Q", file.read(8))[0], place + REGISTERS))
        return found

    def test_a_core_that_is_cut_short(self):
        """Before the main thread's stack, the last that the program has written to."""
        core = self.core()
        ((pointer, _),) = self.registers(core)
        loads, _ = segments(core)
        (place, end), = [
            (place, start + size)
            for place, start, _, size in loads
            if start <= pointer < start + size
        ]
        os.truncate(core, place)
        # The ABI's red zone belongs to it; the kernel leaves out the file's mapping.
        amount = "{:.1f} KiB".format((65536 + end - pointer + 128) / 1024)

        def check(results):
            answer = results.json(LEAKS)
            self.assertEqual(sizes(answer), [804, 805, 806])
            first, *others = answer["notes"]
            self.assertEqual(first, amount + " of roots are not in this core: " + LEAKED)
            self.assertTrue(any("is truncated" in note for note in others), others)

        self.in_each(check, [LEAKS], core=core)

    def test_cores_without_some_mappings(self):
        """By its filter (core(5)) a core lacks shared mappings."""
        for mask, lost, amount in (("0x33", [804, 805], "64.0"), ("0x31", [803, 804, 805], "96.0")):
            core = self.core(mask)
            os.remove(os.path.join(os.path.dirname(core), "file"))

            def check(results, lost=lost, amount=amount):
                answer = results.json(LEAKS)
                self.assertEqual(sizes(answer), lost)
                note = "{} KiB of roots are not in this core: {}".format(amount, LEAKED)
                self.assertEqual(answer["notes"], [note])

            self.in_each(check, [LEAKS], core=core)

    def test_memory_that_cannot_be_read(self):
        """A mapping of a file, behind the end of that."""

        def check(results):
            answer = results.json(LEAKS)
            self.assertEqual(sizes(answer), [805])
            self.assertEqual(answer["notes"], ["48.0 KiB of roots cannot be read: " + LEAKED])

        self.in_each(check, [LEAKS], "live")

    # ---- registers ----

    def test_cores_without_vector_registers(self):
        core = self.kernel_core("reach", "trap")
        kinds = {FPREGSET, XSTATE}
        patch(core, [(at, b"\xff\xff\xff\x7f") for at, kind, _, _ in notes(core) if kind in kinds])
        known = expected()
        (vector,) = lines_of("a vector register")
        count = len(self.registers(core))
        note = "the vector registers of {0} of {0} threads are not known: {1}".format(count, LEAKED)
        for debugger in [debuggers.gdb()] + debuggers.lldbs():
            with self.subTest(debugger.name):
                results = debugger.run(self, COMMANDS, program("reach"), core=core)
                found, _, told = classes(results)
                self.assertEqual(set(found["definite"]) - set(known["definite"]), {vector})
                self.assertEqual(found["possible"], known["possible"])
                self.assertEqual(told, {note})

    def test_a_thread_without_registers(self):
        """Its stack is searched as a whole."""
        core = self.kernel_core("reach", "trap")
        (register,) = lines_of("a register")
        (vector,) = lines_of("a vector register")
        known = expected()
        of_main = self.registers(core)[0][1]
        patch(core, [(of_main, bytes(REGISTERS_SIZE))])
        answer = {}
        for kind, command in zip(KINDS, COMMANDS):
            words = command.split()[1:]
            answer[kind] = json.loads(self.told("-c", core, program("reach"), *words))
        lost = {row["traceback"][0]["lineno"] for row in answer["definite"]["statistics"]
                if row["traceback"][0]["filename"] == SOURCE}
        self.assertLessEqual(lost - set(known["definite"]), {register, vector})
        self.assertIn(register, lost)
        count = len(self.registers(core))
        for kind in KINDS:
            self.assertRegex(
                answer[kind]["notes"][0],
                "^the registers of 1 of {} threads are not known: blocks that only they hold are shown"
                " as leaked, and old values on stacks may hide others$".format(count),
            )


if __name__ == "__main__":
    unittest.main()
