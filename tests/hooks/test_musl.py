"""Programs of musl, with the hooks that programs of glibc run with."""

import os
import re
import shutil
import subprocess
import tempfile

import expectations
from e2e.harness import DEADLINE, HOOKS, ROOT, environment, program

from .hooked import LINES, MEMORY, STATUS, Case, answer_of

LIBRARY = "/lib/ld-musl-{}.so.1".format(os.uname().machine)
TRACES = "snapshot traces --json"
FLAGS = "-g -O0 -fno-builtin -w -D_GNU_SOURCE -I{}/core/include".format(ROOT).split()

#: Programs and libraries: {name: (source, flags)}.
BUILT = {
    "plain": ("plain.c", "-pie"),
    "plain_fixed": ("plain.c", "-no-pie -fno-pie"),
    "plain_bfd": ("plain.c", "-fuse-ld=bfd -Wl,--eh-frame-hdr"),
    "realloc": ("realloc.c", ""),
    "aligned": ("aligned.c", ""),
    "holds": ("holds.c", ""),
    "recursion": ("recursion.c", ""),
    "recursion_table": ("recursion.c", "-O2 -fno-optimize-sibling-calls -Wl,--eh-frame-hdr"),
    "threads": ("threads.c", ""),
    "short_threads": ("short_threads.c", ""),
    "small_stacks": ("small_stacks.c", ""),
    "exchange": ("exchange.c", ""),
    "fork": ("fork.c", ""),
    "fork_storm": ("fork_storm.c", ""),
    "spawns": ("spawns.c", ""),
    "pool_threads": ("pool_threads.c", ""),
    "plain_operators": ("plain_operators.cc", "-fno-exceptions -fno-rtti"),
    "pvalloc_asked": ("pvalloc_asked.c", ""),
    "dlopen": ("dlopen.c", ""),
    "libplugin.so": ("libplugin.c", "-fPIC -shared"),
    "libgone.so": ("libgone.c", "-fPIC -shared"),
    "libsafealloc.so": ("libsafealloc.c", "-fPIC -shared"),
    "signal_storm": ("signal_storm.c", "-L{0} -lsafealloc -Wl,-rpath,{0}"),
    "deep": ("deep.c", ""),
    "rights": ("rights.c", ""),
    "static": ("plain.c", "-static"),
}

#: Those that come to stop_here() once, with all their memory in marks.
EXACT = (
    "plain", "plain_fixed", "plain_bfd", "realloc", "aligned", "holds", "recursion",
    "recursion_table", "plain_operators",
)
#: Those that end by themselves.
ENDING = EXACT + (
    "threads", "short_threads", "small_stacks", "exchange", "fork", "fork_storm", "spawns",
    "pool_threads", "dlopen",
)


class Musl(Case):
    seconds = 40

    @classmethod
    def setUpClass(cls):
        cls.programs = tempfile.mkdtemp(prefix="allocsnap-")
        cls.addClassCleanup(shutil.rmtree, cls.programs)
        for name, (source, flags) in BUILT.items():
            subprocess.run(
                ["musl-gcc"] + FLAGS + ["-o", os.path.join(cls.programs, name)]
                + ["-x", "c++" if source.endswith(".cc") else "c", expectations.source(source)]
                + ["-x", "none"] + flags.format(cls.programs).split(),
                check=True,
            )

    def path(self, name):
        return os.path.join(self.programs, name)

    def result(self, command, traced, **extra):
        """(status, output, errors) of a program without a debugger."""
        if traced:
            extra.update(LD_PRELOAD=HOOKS, ALLOCSNAP="16")
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env=environment(self.home, **extra),
            cwd=self.directory,
            timeout=DEADLINE,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def check_answer(self, text, memory, source, where=None):
        """Lines, sizes and counts are those of the marks."""
        answer = answer_of(text)
        self.assertEqual(answer["notes"], [])
        self.check_sums(answer, memory)
        path = expectations.source(source)
        held = self.held(answer, source)
        if source == "realloc.c":
            # In musl a block that is resized to no bytes is still one.
            line = expectations.named(path)["before_zero"].line + 1
            self.assertEqual(held.pop(line), (0, 1))
            answer["total"]["count"] -= 1
        if source == "plain_operators.cc":
            ((size, count),) = held.values()
            self.assertEqual((size, count), expectations.total(path, "operator"))
        else:
            self.assertEqual(held, expectations.expected(path, where))
        return answer


class Lines(Musl):
    def test_each_kind_of_program(self):
        for name in EXACT:
            with self.subTest(program=name):
                source = BUILT[name][0]
                results = self.at_stop([LINES, MEMORY, STATUS], self.path(name))
                answer = self.check_answer(results[LINES], results[MEMORY], source)
                where = "operator" if name == "plain_operators" else None
                size, count = expectations.total(expectations.source(source), where)
                self.assertEqual(answer["total"], {"size": size, "count": count})
                self.assertIn("dropped: 0 blocks", results[STATUS])
                self.assertNotIn("unseen:", results[STATUS])

    def test_threads(self):
        for name in ("threads", "small_stacks"):
            with self.subTest(program=name):
                results = self.at_stop([LINES, MEMORY], self.path(name))
                self.check_answer(results[LINES], results[MEMORY], name + ".c")

    def test_blocks_that_threads_hand_on(self):
        results = self.at_stop(
            [LINES, MEMORY, "continue", LINES, MEMORY, STATUS], self.path("exchange")
        )
        stops = zip(results.of(LINES), results.of(MEMORY), ("full", "exchanged"))
        for text, memory, where in stops:
            self.check_answer(text, memory, "exchange.c", where)
        self.assertIn("dropped: 0 blocks", results[STATUS])

    def test_thousands_of_threads_leave_no_memory(self):
        results = self.at_stop(
            [LINES, MEMORY, "continue", LINES, MEMORY], self.path("short_threads")
        )
        few, many = results.of(MEMORY)
        for text, memory in zip(results.of(LINES), (few, many)):
            self.check_answer(text, memory, "short_threads.c")
        self.assertLess(self.memory(many)[2] - self.memory(few)[2], 5000 // 100 * 4096)

    def test_library_loaded_at_run_time(self):
        results = self.at_stop([LINES, MEMORY], self.path("dlopen"))
        answer = self.check_answer(results[LINES], results[MEMORY], "dlopen.c")
        path = expectations.source("libplugin.c")
        self.assertEqual(self.held(answer, "libplugin.c"), expectations.expected(path))

    def test_signals_at_any_moment(self):
        """In an allocator that does not tell the sizes of its blocks."""
        pid, _ = self.paused(self.path("signal_storm"))
        results = self.attached(self.path("signal_storm"), pid, [LINES, MEMORY, STATUS])
        self.assertEqual(
            self.held(results.json(LINES), "signal_storm.c"),
            self.tagged(
                "signal_storm.c", timer=(500 * 48, 500), thread=(500 * 56, 500), main=(6400, 100)
            ),
        )
        self.check_sums(results.json(LINES), results[MEMORY])
        self.assertIn("dropped: 0 blocks", results[STATUS])

    def test_fork(self):
        for follow, where in (("parent", "parent"), ("child", "child")):
            with self.subTest(follow=follow):
                results = self.batch(
                    [
                        "set follow-fork-mode " + follow,
                        "snapshot start 16",
                        "break stop_here",
                        "run",
                        LINES,
                        MEMORY,
                    ],
                    self.path("fork"),
                )
                self.check_answer(results[LINES], results[MEMORY], "fork.c", where)


class Stacks(Musl):
    def test_frames_of_each_function(self):
        """Also where the file has no table of its unwind information."""
        for name in ("recursion", "recursion_table"):
            with self.subTest(program=name):
                results = self.at_stop([TRACES], self.path(name))
                source = expectations.source("recursion.c")
                frames = {mark.line: mark.frames for mark in expectations.live(source)}
                shown = {}
                for trace in results.json(TRACES)["traces"]:
                    own = [
                        frame for frame in trace["traceback"] if frame["filename"] == source
                    ]
                    shown[own[0]["lineno"]] = len(own)
                self.assertEqual(
                    shown, {line: min(count, 16) for line, count in frames.items()}
                )

    def test_deep_recursion(self):
        results = self.at_stop([TRACES], self.path("deep"), "3000", "1", nframe=64)
        depths = {
            trace["size"]: trace["total_nframe"] for trace in results.json(TRACES)["traces"]
        }
        # main, and what lies above it.
        above = depths.pop(3001 * 8)
        self.assertEqual(depths, {level: level + above for level in range(1, 3001)})

    def test_stack_ends_in_the_c_library(self):
        """It has no unwind information: its own frame is the last that is known."""
        results = self.at_stop([TRACES], self.path("plain"))
        copies = [trace for trace in results.json(TRACES)["traces"] if trace["size"] == 10]
        ((frame,),) = [trace["traceback"] for trace in copies]
        self.assertEqual(
            (frame["filename"], frame["function"], frame["lineno"]),
            (os.path.realpath(LIBRARY), "strdup", 0),
        )


class Running(Musl):
    def test_programs_do_as_without_the_hooks(self):
        for name in ENDING:
            with self.subTest(program=name):
                plain = self.result([self.path(name)], traced=False)
                self.assertEqual(plain, (0, "", ""))
                self.assertEqual(self.result([self.path(name)], traced=True), plain)

    def test_pvalloc(self):
        self.assertEqual(self.result([self.path("pvalloc_asked")], traced=False)[0], 1)
        self.assertEqual(self.result([self.path("pvalloc_asked")], traced=True), (0, "", ""))

    def test_check_mode_without_libgcc(self):
        self.assertEqual(
            self.result([self.path("recursion")], traced=True, ALLOCSNAP_CHECK="checked"),
            (
                0,
                "",
                "allocsnap: ALLOCSNAP_CHECK=checked: not a file that can be written, in a program"
                " with libgcc to compare with; not tracing\n",
            ),
        )
        self.assertFalse(os.path.exists(os.path.join(self.directory, "checked")))

    def test_tracing_is_on(self):
        self.assertEqual(
            self.result([self.path("rights")], traced=True),
            (0, "secure 0, hooks loaded, tracing on\n", ""),
        )

    def test_programs_of_both_libraries_start_each_other(self):
        musl, glibc = self.path("rights"), program("rights")
        said = "secure 0, hooks loaded, tracing on\n"
        for command in (
            ["/bin/sh", "-c", "{}; {}".format(musl, glibc)],
            [LIBRARY, self.path("rights")],
        ):
            with self.subTest(command=command):
                self.assertEqual(
                    self.result(command, traced=True), (0, said * (1 + (command[1] == "-c")), "")
                )
        # By execve in musl.
        self.assertEqual(
            self.result([self.path("spawns"), "exec"], traced=True),
            self.result([self.path("spawns"), "exec"], traced=False),
        )

    def test_static_program(self):
        """It loads no libraries, and runs as it would without them."""
        self.assertEqual(self.result([self.path("static")], traced=True), (0, "", ""))


class Cores(Musl):
    def test_core_of_the_kernel(self):
        core = self.kernel_core(self.path("holds"), "abort")
        results = self.batch([LINES, MEMORY], self.path("holds"), core)
        self.check_answer(results[LINES], results[MEMORY], "holds.c")

    def test_core_of_gdb(self):
        core = os.path.join(self.directory, "saved")
        before = self.at_stop([LINES, "generate-core-file " + core], self.path("plain"))
        results = self.batch([LINES, MEMORY], self.path("plain"), core)
        self.check_answer(results[LINES], results[MEMORY], "plain.c")
        self.assertEqual(results[LINES], before[LINES])


class BuiltForMusl(Musl):
    """The hooks built by musl-gcc, as where there is no glibc."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.build = tempfile.mkdtemp(prefix="allocsnap-")
        cls.addClassCleanup(shutil.rmtree, cls.build)
        cls.hooks = os.path.join(cls.build, "liballocsnap-hooks.so")
        subprocess.run(
            ["make", "-s", "-C", ROOT, "CC=musl-gcc", "BUILD=" + cls.build, cls.hooks],
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def test_lines(self):
        for name in ("plain", "threads", "aligned", "recursion"):
            with self.subTest(program=name):
                # gdb's shell, a program of glibc, loads them as well.
                results = self.at_stop(
                    [LINES, MEMORY], self.path(name), env={"ALLOCSNAP_HOOKS": self.hooks}
                )
                self.check_answer(results[LINES], results[MEMORY], BUILT[name][0])


class Imports(Musl):
    def symbols(self, *options):
        listed = subprocess.run(
            ["nm", "-D", "--without-symbol-versions"] + list(options),
            stdout=subprocess.PIPE,
            encoding="ascii",
            check=True,
        ).stdout
        return re.findall(r"([A-Za-z]) (\S+)$", listed, re.M)

    def test_musl_has_all_that_the_hooks_need(self):
        needed = {name for kind, name in self.symbols("--undefined-only", HOOKS) if kind == "U"}
        has = {name for _, name in self.symbols("--defined-only", LIBRARY)}
        self.assertNotEqual(needed, set())
        self.assertEqual(needed - has, set())
