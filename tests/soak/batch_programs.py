"""Programs that run to their end: sqlite3, python3, g++ and git."""

import hashlib
import os
import re
import shlex
import subprocess

from .traced import Server, Shown, at_exit, attached, environment, expect, run

SQL = """\
pragma cache_size = -64000;
create table entries(number integer primary key, text text, filler blob, other integer);
with recursive numbers(i) as (select 1 union all select i + 1 from numbers where i < {rows})
  insert into entries select i, 'entry number ' || i, zeroblob(i % 200), i * 7919 % 10007
  from numbers;
create index by_text on entries(text);
create index by_other on entries(other, number);
update entries set text = text || ' changed' where number % 3 = 0;
delete from entries where number % 5 = 0;
create table sums as select other, count(*) as count, sum(length(filler)) as bytes,
  group_concat(number) as numbers from entries group by other;
select count(*), sum(length(text)), sum(length(filler)) from entries;
select count(*), max(length(numbers)), sum(bytes) from sums;
select other, count from sums order by count desc, other limit 20;
vacuum;
pragma integrity_check;
"""

MODULES = """
    array ast base64 bigmem binascii bool bytes bz2 cmath codecs collections compile complex
    contextlib copy csv ctypes dataclasses decimal deque descr dict enum exceptions float
    fork1 fractions functools gc generators gzip hashlib heapq io itertools json list
    long lzma memoryview mmap pickle queue random re set shelve shutil signal slice sort
    statistics string struct subprocess sys tempfile thread threading
    threading_local tuple typing unicode weakref xml_etree zipfile zlib
""".split()

# The tests run in this process, which then waits to be looked at.
PYTHON_MAIN = """\
import signal, sys
from test.libregrtest import main
status = 0
try:
    main()
except SystemExit as end:
    status = end.code
print("status", status, flush=True)
signal.pause()
"""

CXX = """\
#include <bits/stdc++.h>
template <int N> struct stage {{
    std::map<std::string, std::vector<std::tuple<int, double, std::string>>> rows;
    std::regex pattern{{"(a|b)*c" + std::to_string(N)}};
    std::unordered_map<std::string, std::function<int(int)>> calls;
    int run(const std::vector<std::string> &words)
    {{
        for (const auto &word : words)
            if (std::regex_match(word, pattern))
                rows[word].emplace_back(N, N * 1.5, word);
        calls["add"] = [this](int given) {{ return given + N + int(rows.size()); }};
        std::variant<int, std::string, std::vector<int>> kind = N;
        return calls["add"](std::get<int>(kind)) + stage<N - 1>().run(words);
    }}
}};
template <> struct stage<0> {{
    int run(const std::vector<std::string> &) {{ return 0; }}
}};
int main(int count, char **words)
{{
    return stage<{stages}>().run({{words, words + count}});
}}
"""


def sqlite3(directory, scale):
    """A database in a file, made alike with the hooks and without."""
    script = SQL.format(rows=200000 * scale // 10)
    said, files = [], []
    for traced in (False, True):
        path = os.path.join(directory, "traced.db" if traced else "plain.db")
        said.append(run(["sqlite3", "-batch", path], traced, directory, script.encode()))
        with open(path, "rb") as file:
            files.append(hashlib.sha256(file.read()).hexdigest())
    expect(said[0] == said[1] and said[1].endswith(b"\nok\n"), "sqlite3 said", said[1][-500:])
    expect(files[0] == files[1], "the databases differ")
    # Once more in memory, to look at what it holds in the middle.
    with Server(["sqlite3", "-batch", ":memory:"], "", directory, given=True) as shell:
        shell.stdin.write(script.encode())
        shell.stdin.flush()
        shell.wait_for(r"(?m)^ok$")
        blocks, size = attached(shell.pid, directory)
        shell.stdin.close()
    return Shown(
        "sqlite3, {} rows".format(200000 * scale // 10),
        blocks,
        size,
        "integrity_check ok; answers and database file as without the hooks",
    )


def python3(directory, scale):
    """CPython's own tests, with each object from malloc."""
    modules = ["test_" + name for name in MODULES[: max(6, len(MODULES) * scale // 10)]]
    command = ["/usr/bin/python3", "-c", PYTHON_MAIN] + modules
    with Server(command, "", directory, PYTHONMALLOC="malloc") as tests:
        tests.wait_for(r"(?m)^status (\S+)$")
        text = tests.text
        expect("\nstatus 0\n" in text, text[-3000:])
        passed = re.search(r"(?m)^(?:All )?(\d+) tests? OK", text).group(1)
        blocks, size = attached(tests.pid, directory)
    return Shown(
        "python3 -m test, PYTHONMALLOC=malloc",
        blocks,
        size,
        "{} of {} test modules ran, none failed".format(passed, len(modules)),
    )


def gxx(directory, scale):
    """A large C++ file, compiled to the same object."""
    source = os.path.join(directory, "large.cc")
    with open(source, "w", encoding="utf-8") as file:
        file.write(CXX.format(stages=1 + scale))
    objects = []
    for traced in (False, True):
        run(["g++", "-std=c++17", "-O2", "-g", "-c", source, "-o", "large.o"], traced, directory)
        with open(os.path.join(directory, "large.o"), "rb") as file:
            objects.append(file.read())
    expect(objects[0] == objects[1], "the objects differ")
    # The compiler proper, at its end.
    words = subprocess.run(
        ["g++", "-###", "-std=c++17", "-O0", "-S", source, "-o", "/dev/null"],
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=environment(False),
        check=True,
    ).stderr
    line = next(line for line in words.splitlines() if "cc1plus" in line.split(" -", 1)[0])
    compiler = shlex.split(line)
    blocks, size = at_exit(compiler, directory)
    return Shown(
        "g++ -O2 -g, {} stages of templates".format(1 + scale),
        blocks,
        size,
        "object of {} bytes as without the hooks".format(len(objects[0])),
    )


def history(commits):
    """A history for git fast-import."""
    lines = []
    for number in range(1, commits + 1):
        text = "".join(
            "line {} of {}\n".format(line, number * line % 97) for line in range(60 + number % 40)
        )
        message = "change {}\n".format(number)
        lines.append("commit refs/heads/main\nmark :{}".format(number))
        lines.append("committer A <a@localhost> {} +0000".format(1600000000 + 60 * number))
        lines.append("data {}\n{}".format(len(message), message))
        if number > 1:
            lines.append("from :{}".format(number - 1))
        lines.append("M 644 inline dir{}/file{}".format(number % 7, number % 61))
        lines.append("data {}\n{}".format(len(text), text))
    return ("\n".join(lines) + "\n").encode()


def git(directory, scale):
    """A repository that is imported, repacked, checked and read."""
    commits = 400 * scale
    said = []
    for traced in (False, True):
        where = os.path.join(directory, "traced.git" if traced else "plain.git")
        given = {None: None, "fast-import": history(commits)}
        answers = []
        for words in (
            ["init", "-q", "--bare", where],
            ["fast-import", "--quiet"],
            ["-c", "gc.threads=2", "gc", "--quiet", "--aggressive", "--prune=now"],
            ["fsck", "--full", "--strict"],
            ["log", "-p", "--stat", "-M", "main"],
            ["rev-list", "--objects", "--all"],
            ["blame", "main", "--", "dir1/file1"],
            ["count-objects", "-v"],
        ):
            inside = directory if words[0] == "init" else where
            answers.append(
                run(["git"] + words, traced, inside, given.get(words[0]), GIT_CONFIG_NOSYSTEM="1")
            )
        said.append(answers[3:7] + [re.sub(rb"size.*", b"", answers[7])])
    expect(said[0] == said[1], "git says other things")
    blocks, size = at_exit(["/usr/bin/git", "--no-pager", "log", "-p", "main"], where)
    return Shown(
        "git on {} commits".format(commits),
        blocks,
        size,
        "fsck clean; log, rev-list, blame as without the hooks, {} bytes".format(
            sum(len(answer) for answer in said[0])
        ),
    )
