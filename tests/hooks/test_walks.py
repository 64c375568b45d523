"""The hooks' walks against libgcc's, at the same moment (ALLOCSNAP_CHECK): every stack of
programs made for it, built in many ways, and of real ones is equal, frame by frame."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("ALLOCSNAP_BUILD", os.path.join(ROOT, "build"))
PROGRAMS = os.path.join(ROOT, "tests", "programs")
HOOKS = os.path.join(BUILD, "liballocsnap-hooks.so")
SAFE_ALLOCATOR = os.path.join(BUILD, "tests", "programs", "libsafealloc.so")
SECONDS = 300

#: What is written at exit.
COUNTS = re.compile(r"^(\d+) stacks compared with libgcc's, (\d+) differ$", re.M)

#: Compilers and flags for walks.cc.
WAYS = [
    ("g++", "-O0"),
    ("g++", "-O0 -fomit-frame-pointer"),
    ("g++", "-O1 -fno-plt"),
    ("g++", "-O2"),
    ("g++", "-O2 -fno-omit-frame-pointer -fcf-protection=none"),
    ("g++", "-O2 -fstack-protector-all -fcf-protection=full"),
    ("g++", "-O3 -mavx2"),
    ("g++", "-Os -fno-pie -no-pie"),
    ("g++", "-O2 -flto"),
    ("clang++", "-O0"),
    ("clang++", "-O1 -fno-omit-frame-pointer"),
    ("clang++", "-O2"),
    ("clang++", "-O3 -mavx2"),
]

#: How often the longest program repeats its work: `make fuzz` asks for more.
SCALE = int(os.environ.get("ALLOCSNAP_WALK_SCALE", "1"))

JSON = """
import json
items = [{'a': [i]} for i in range(3000)]
for _ in range({}):
    items = json.loads(json.dumps(items))
""".replace("{}", str(SCALE))


class Walks(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="allocsnap-test-")
        self.addCleanup(shutil.rmtree, self.directory)

    def compare(self, command, least, limit="64", preloads=(), **variables):
        """Runs a command; all of its stacks, `least` or more, must be equal."""
        report = os.path.join(self.directory, "check")
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=SECONDS,
            cwd=self.directory,
            env=dict(
                os.environ,
                LD_PRELOAD=" ".join((HOOKS,) + tuple(preloads)),
                ALLOCSNAP=limit,
                ALLOCSNAP_CHECK=report,
                **variables
            ),
        )
        self.assertEqual(done.returncode, 0, done.stderr.decode(errors="replace"))
        with open(report, encoding="ascii") as file:
            text = file.read()
        os.remove(report)
        counts = [[int(one) for one in found] for found in COUNTS.findall(text)]
        self.assertEqual(sum(differing for _, differing in counts), 0, text)
        self.assertGreaterEqual(sum(compared for compared, _ in counts), least)

    def test_builds(self):
        source = os.path.join(PROGRAMS, "walks.cc")
        program = os.path.join(self.directory, "walks")
        for compiler, flags in WAYS:
            with self.subTest(compiler=compiler, flags=flags):
                subprocess.run(
                    [compiler, "-g", "-pthread", "-o", program, source] + flags.split(),
                    check=True,
                    stderr=subprocess.DEVNULL,
                )
                self.compare([program], 6000)

    def test_frame_limits(self):
        program = os.path.join(BUILD, "tests", "programs", "walks")
        for limit in ("2", "3", "16", "65535"):
            self.compare([program], 9000, limit=limit)

    def test_coroutines(self):
        self.compare([os.path.join(BUILD, "tests", "programs", "coroutines")], 29000)

    def test_every_instruction(self):
        program = os.path.join(BUILD, "tests", "programs", "walk_steps")
        self.compare([program], 20000, preloads=[SAFE_ALLOCATOR])

    def test_stacks_made_by_hand(self):
        # libgcc's walk would not survive them: they are not compared.
        subprocess.run(
            [os.path.join(BUILD, "tests", "programs", "handmade_stacks")],
            check=True,
            timeout=SECONDS,
            env=dict(os.environ, LD_PRELOAD=HOOKS, ALLOCSNAP="64"),
        )

    def test_python(self):
        self.compare(["/usr/bin/python3", "-c", JSON], 50000 + 30000 * SCALE, PYTHONMALLOC="malloc")

    def test_sqlite(self):
        script = (
            "create table t(a integer primary key, b text);"
            "with recursive c(x) as (select 1 union all select x+1 from c where x<20000)"
            " insert into t select x, hex(x) from c;"
            "create index i on t(b); select count(*), max(b) from t where b like '3%';"
        )
        self.compare(["sqlite3", "-batch", "-init", os.devnull, ":memory:", script], 20000)

    def test_compiler(self):
        source = os.path.join(PROGRAMS, "cxx.cc")
        self.compare(["g++", "-std=c++17", "-O1", "-c", "-o", "cxx.o", source], 20000)

    def test_debugger(self):
        program = os.path.join(BUILD, "tests", "programs", "server")
        self.compare(
            ["gdb", "-nx", "-batch", "-ex", "info functions session", program], 10000
        )


if __name__ == "__main__":
    unittest.main()
