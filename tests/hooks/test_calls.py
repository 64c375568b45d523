"""What the hooks call of other libraries: as little as can be, and nothing that waits, allocates,
can be cancelled, or is another library's to replace."""

import os
import subprocess

from e2e.harness import HOOKS, program

from .hooked import LINES, STATUS, Case

#: Every symbol that the hooks take from elsewhere, and why it does no harm.
IMPORTS = {
    # What compilers and linkers put into every library; absent, or called by the dynamic linker.
    "_ITM_deregisterTMCloneTable": "absent",
    "_ITM_registerTMCloneTable": "absent",
    "__cxa_finalize": "at the end of the process",
    "__gmon_start__": "absent",
    # Data, and functions that only return what the process was started with.
    "environ": "data: the environment, read once",
    "_r_debug": "data: the dynamic linker's list of files, in glibc",
    "_dl_debug_addr": "data: the same in musl",
    "__errno_location": "returns the place of the thread's errno",
    "getauxval": "looks through what the kernel gave the process at its start",
    # Threads: no lock, and what they allocate is known to be libc's.
    "pthread_key_create": "once, before there are threads",
    "pthread_setspecific": "once for each thread; may allocate, which is not traced",
    "__register_atfork": "in a constructor; glibc's",
    "pthread_atfork": "the same in musl",
    # libgcc: where a walk comes to code that no file has.
    "_Unwind_Find_FDE": "takes libgcc's own lock, under which nothing waits",
    # The check mode alone.
    "_Unwind_Backtrace": "with ALLOCSNAP_CHECK",
    "_Unwind_GetCFA": "with ALLOCSNAP_CHECK",
    "_Unwind_GetIPInfo": "with ALLOCSNAP_CHECK",
}

#: Programs that do a bit of everything, with the arguments that let them end by themselves.
PROGRAMS = ("plain", "cxx", "threads", "short_threads", "fork", "spawns", "dlopen", "cancelled")


class Imports(Case):
    def test_nothing_else_is_taken_from_other_libraries(self):
        listed = subprocess.run(
            ["nm", "-D", "--undefined-only", "--without-symbol-versions", HOOKS],
            stdout=subprocess.PIPE,
            encoding="ascii",
            check=True,
        ).stdout
        self.assertEqual({line.split()[-1] for line in listed.splitlines()}, set(IMPORTS))


class OthersFunctions(Case):
    NOSY = program("libnosy.so")

    def test_library_that_replaces_libcs_functions_and_allocates_in_them(self):
        for name in PROGRAMS:
            plain = self.finish(name, traced=False, preload=[self.NOSY])
            self.assertEqual(plain[0], 0)
            for nframe in (1, 16):
                for first in (True, False):
                    with self.subTest(program=name, nframe=nframe, hooks_first=first):
                        libraries = [HOOKS, self.NOSY] if first else [self.NOSY, HOOKS]
                        self.assertEqual(
                            self.finish(
                                name, traced=False, preload=libraries, ALLOCSNAP=str(nframe)
                            ),
                            plain,
                        )

    def test_its_blocks_are_recorded(self):
        results = self.batch(
            [
                "snapshot start 16",
                "set environment LD_PRELOAD {}:{}".format(HOOKS, self.NOSY),
                "break stop_here",
                "run",
                LINES,
                STATUS,
            ],
            program("plain"),
        )
        self.assertGreater(results.json(LINES)["total"]["count"], 0)
        self.assertEqual(self.held(results.json(LINES), "libnosy.c"), {})
        self.assertIn("dropped: 0 blocks", results[STATUS])


class Cancellation(Case):
    def test_allocation_functions_are_no_cancellation_points(self):
        self.assertEqual(self.finish("cancelled", traced=False), (0, ""))
        for nframe in (0, 1, 16, 1000):
            for _ in range(5):
                with self.subTest(nframe=nframe):
                    self.assertEqual(self.finish("cancelled", nframe=nframe), (0, ""))


class LeftRegisters(Case):
    """An address left in a register that any call may change would hold a block that is lost."""

    def test_only_the_result_has_the_address(self):
        if os.uname().machine != "x86_64":
            self.skipTest("the program reads the registers of x86-64")
        for period in ("0", "4"):
            with self.subTest(period):
                done = self.finish("left_registers", "300", ALLOCSNAP_SAMPLE=period)
                self.assertEqual(done, (0, "done\n"))


class NestedWalks(Case):
    def test_handlers_that_interrupt_each_others_walks(self):
        """Beyond so many of them blocks are counted as dropped, and none is lost."""
        pid, text = self.paused("nested_walks", nframe=16)
        kept = int(text)
        results = self.attached("nested_walks", pid, [LINES, STATUS])
        ((size, count),) = self.held(results.json(LINES), "nested_walks.c").values()
        dropped = int(results[STATUS].split("dropped: ")[1].split()[0])
        self.assertEqual((size, count + dropped), (48 * count, kept))
        if os.uname().machine == "x86_64":
            self.assertGreater(dropped, 0)
