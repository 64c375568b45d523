"""Programs that nobody wrote for these tests: sqlite3, python3 and redis-server.

What they hold at exit is compared with what valgrind counts for the same command.
"""

import os
import re
import select
import subprocess

from . import harness

SCRIPT = """\
create table entries(number integer primary key, text text, filler blob);
with recursive numbers(i) as (select 1 union all select i + 1 from numbers where i < 20000)
  insert into entries select i, 'entry number ' || i, zeroblob(i % 200) from numbers;
create index by_text on entries(text);
select count(*), sum(length(filler)) from entries;
"""

# os.environ and the locale's names differ with the preloaded library's path.
PYTHON = """\
import os
for name in list(os.environ):
    del os.environ[name]
import collections, json, re
kept = [json.loads(json.dumps({str(i): list(range(i % 7))})) for i in range(2000)]
pattern = re.compile("(a|b)*c")
"""

VALGRIND = [
    "valgrind",
    "--run-libc-freeres=no",
    "--run-cxx-freeres=no",
    "--leak-check=full",
    "--show-leak-kinds=all",
]


class RealPrograms(harness.Case):
    seconds = 12

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def program_environment(self):
        """The environments for gdb and for valgrind. Both add variables of their own; a
        program that copies its environment must be given as many in each."""
        env = {"PATH": "/usr/bin:/bin", "PYTHONHASHSEED": "0", "PYTHONMALLOC": "malloc"}
        done = subprocess.run(
            ["valgrind", "-q", "--leak-check=no", "/usr/bin/env"],
            stdout=subprocess.PIPE,
            env=env,
            timeout=harness.DEADLINE,
            check=True,
        )
        spare = len(done.stdout.splitlines()) - self.variables_in_gdb(env)
        self.assertGreaterEqual(spare, 0)
        padded = dict(env, **{"SPARE_{}".format(number): "1" for number in range(spare)})
        return padded, env

    def variables_in_gdb(self, env):
        """How many variables a traced program gets that is given `env`."""
        output = os.path.join(self.directory, "variables")
        self.batch(
            self.setup_of(env) + ["set args > {}".format(output), "run"],
            "/usr/bin/env",
        )
        with open(output, encoding="utf-8") as lines:
            return len(list(lines))

    @staticmethod
    def setup_of(env):
        """The commands that trace the next run with this environment."""
        given = ["set environment {} {}".format(*pair) for pair in sorted(env.items())]
        return ["unset environment"] + given + ["snapshot start 32"]

    def in_use_by_valgrind(self, command, env):
        done = subprocess.run(
            VALGRIND + command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=env,
            cwd=self.directory,
            timeout=harness.DEADLINE,
            check=True,
        )
        text = done.stderr.decode("utf-8", "replace")
        found = re.search(r"in use at exit: ([\d,]+) bytes in ([\d,]+) blocks", text)
        self.assertIsNotNone(found, text)
        return tuple(int(number.replace(",", "")) for number in found.groups())

    def at_exit(self, command, arguments, env):
        """The results of a session that stops the program at its _exit."""
        results = self.batch(
            self.setup_of(env)
            + [
                "set breakpoint pending on",
                "break _exit",
                "set args {} </dev/null >/dev/null".format(arguments),
                "run",
                "snapshot stats lineno --json",
            ],
            command,
        )
        self.assertIn("_exit", results["run"])
        return results

    def compare_with_valgrind(self, command, arguments, words):
        env, valgrind_env = self.program_environment()
        by_valgrind = self.in_use_by_valgrind([command] + words, valgrind_env)
        results = self.at_exit(command, arguments, env)
        total = results.json("snapshot stats lineno --json")["total"]
        self.assertEqual((total["size"], total["count"]), by_valgrind)

    def test_sqlite3_holds_at_exit_what_valgrind_says(self):
        script = self.write("script.sql", SCRIPT)
        read = ".read {}".format(script)
        self.compare_with_valgrind(
            "/usr/bin/sqlite3",
            "-batch -init /dev/null :memory: '{}'".format(read),
            ["-batch", "-init", "/dev/null", ":memory:", read],
        )

    def test_python_holds_at_exit_what_valgrind_says(self):
        script = self.write("script.py", PYTHON)
        # Isolated: it would keep the names of the files beside the script, which are not the same.
        self.compare_with_valgrind("/usr/bin/python3", "-S -I " + script, ["-S", "-I", script])

    def test_sqlite3_in_the_middle_and_from_a_core(self):
        script = self.write("script.sql", SCRIPT)
        core = os.path.join(self.directory, "sqlite3.core")
        # The program ends within sqlite3_close, with the table still there.
        commands = [
            "snapshot start 32",
            "set breakpoint pending on",
            "break sqlite3_close",
            "set args -batch -init /dev/null :memory: '.read {}' </dev/null >/dev/null".format(
                script
            ),
            "run",
            "snapshot stats lineno",
            "snapshot stats traceback --json",
            "generate-core-file {}".format(core),
        ]
        live = self.batch(commands, "/usr/bin/sqlite3")
        total = live.json("snapshot stats traceback --json")["total"]
        # 20,000 rows with 1,990,000 bytes of filler, twice their text: in table and index.
        self.assertGreater(total["size"], 1990000 + 2 * 20000 * len("entry number 1"))
        self.assertLess(total["size"], 6000000)
        dead = self.batch(
            ["snapshot stats lineno", "snapshot stats traceback --json"], "/usr/bin/sqlite3", core
        )
        for command in ("snapshot stats lineno", "snapshot stats traceback --json"):
            self.assertEqual(dead[command], live[command])


class Redis(harness.Case):
    KEYS = 100000

    def redis_cli(self, *arguments, **options):
        return subprocess.run(
            ["redis-cli", "-s", self.socket] + list(arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=harness.DEADLINE,
            check=True,
            **options
        ).stdout

    def test_redis_with_many_keys(self):
        # Debian's server is a link to this tool; its own package would start a service.
        server = os.path.join(self.directory, "redis-server")
        os.symlink("/usr/bin/redis-check-rdb", server)
        self.socket = os.path.join(self.directory, "socket")
        log = os.path.join(self.directory, "log")
        os.mkfifo(log)
        arguments = (
            "--port 0 --unixsocket {} --save '' --daemonize no --logfile {} --dir {}"
        ).format(self.socket, log, self.directory)
        gdb = self.gdb(server)
        gdb.run("set breakpoint pending on")
        gdb.run("snapshot start 32")
        gdb.run("set args {}".format(arguments))
        gdb.run("handle SIGINT stop print nopass")
        gdb.start("run")
        # Open for writing too: the server opens and closes its log with each line.
        messages = os.fdopen(os.open(log, os.O_RDWR), "rb", buffering=0)
        self.addCleanup(messages.close)
        self.wait_until_ready(messages)
        keys = "".join(
            "SET key:{0} value-of-key-{0}\n".format(number) for number in range(self.KEYS)
        ).encode()
        answer = self.redis_cli("--pipe", input=keys)
        self.assertIn("replies: {}".format(self.KEYS).encode(), answer)
        used = int(re.search(rb"used_memory:(\d+)", self.redis_cli("info", "memory")).group(1))
        gdb.interrupt()
        gdb.prompt()
        text = gdb.run("snapshot stats lineno -n 3 --json")
        total = harness.json.loads(text)["total"]
        # redis counts its allocator's usable sizes; the program asked for a little less.
        self.assertLess(total["size"], used * 1.05)
        self.assertGreater(total["size"], used * 0.6)
        self.assertGreater(total["count"], 2 * self.KEYS)
        core = os.path.join(self.directory, "redis.core")
        live = gdb.run("snapshot stats traceback")
        gdb.run("generate-core-file {}".format(core))
        gdb.close()
        dead = self.batch(["snapshot stats traceback"], server, core)
        self.assertEqual(dead["snapshot stats traceback"], live)

    def wait_until_ready(self, messages):
        """Reads the server's log until it says that it is ready."""
        text = b""
        while b"ready to accept connections" not in text.lower():
            readable, _, _ = select.select([messages], [], [], harness.DEADLINE)
            if not readable:
                self.fail("redis-server is not ready: {!r}".format(text))
            text += messages.read(4096)
