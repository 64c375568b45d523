"""Leaks beside LeakSanitizer's, of the same source with and without it, and of real programs.

LeakSanitizer knows two kinds: direct and indirect. Four rules say how they go with the classes here:

- `definite` is direct, and `indirect` is indirect.
- `possible` is no leak there: a pointer to any place in a block holds it.
- Of a cycle that nothing points to, each block is indirect there; here one of them is `definite`.
- Memory that the program has mapped itself is searched here. There it is not, and what only it holds
  is direct.

The source has both on each line that allocates: what is here, and what is there."""

import os
import re
import subprocess
import sys
import unittest

from . import harness, test_leaks_memcheck
from .harness import Case, environment
from .test_leaks_memcheck import KINDS

PROGRAM = r"""
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#ifdef SANITIZED
#include <sanitizer/lsan_interface.h>
#endif
#define APART __attribute__((noinline))
struct node {
    struct node *next, *other;
    char rest[64];
};
struct string {
    uint64_t length;
    char text[104];
};
static struct node *global;
static char *inside, *behind, *characters;
static uintptr_t tagged, odd;
static struct node **mapped;
static __thread struct node *local;
static pthread_key_t key;
static pthread_barrier_t barrier;

APART void stop_here(void)
{
#ifdef SANITIZED
    __lsan_do_recoverable_leak_check();
#endif
}
APART static void alone(void)
{
    malloc(101); /* definite direct */
    for (int i = 0; i < 3; i++)
        calloc(1, 102); /* 3 definite direct */
    struct node *self = calloc(1, sizeof(*self)); /* definite direct */
    self->next = self;
}
APART static void chain(void)
{
    struct node *head = calloc(1, sizeof(*head)); /* definite direct */
    head->next = calloc(1, sizeof(*head)); /* indirect indirect */
    head->next->next = calloc(1, sizeof(*head)); /* indirect indirect */
}
APART static void two_heads(void)
{
    struct node *shared = calloc(1, sizeof(*shared)); /* indirect indirect */
    for (int i = 0; i < 2; i++) {
        struct node *head = calloc(1, sizeof(*head)); /* 2 definite direct */
        head->next = shared;
    }
}
APART static void cycle(struct node *last)
{
    struct node *first = last;
    for (int i = 0; i < 3; i++) {
        struct node *node = calloc(1, sizeof(*node)); /* cycle of 4 */
        node->next = first;
        first = node;
    }
    last->next = first;
}
APART static void lost_cycle(void)
{
    cycle(calloc(1, sizeof(struct node))); /* cycle of 4, the rest */
}
APART static void below_a_head(void)
{
    struct node *head = calloc(1, sizeof(*head)); /* definite direct */
    struct node *one = calloc(1, sizeof(*one)); /* indirect indirect */
    struct node *two = calloc(1, sizeof(*two)); /* indirect indirect */
    head->next = one, one->next = two, two->next = one;
    head->other = (struct node *)((char *)calloc(1, 103) + 40); /* indirect indirect */
}
APART static void held(void)
{
    global = calloc(1, sizeof(*global)); /* reachable held */
    global->next = calloc(1, sizeof(*global)); /* reachable held */
    inside = (char *)calloc(1, sizeof(struct node)) + 40; /* possible held */
    ((struct node *)(inside - 40))->next = calloc(1, 104); /* possible held */
    struct string *string = calloc(1, sizeof(*string)); /* reachable held */
    string->length = sizeof(string->text);
    characters = string->text;
    local = calloc(1, sizeof(*local)); /* reachable held */
    pthread_setspecific(key, calloc(1, 105)); /* reachable held */
}
APART static void in_disguise(void)
{
    behind = (char *)malloc(114) + 115; /* definite direct */
    tagged = (uintptr_t)malloc(106) | (uintptr_t)1 << 60; /* definite direct */
    char *bytes = calloc(1, 107); /* reachable held */
    odd = (uintptr_t)bytes;
    void *apart = malloc(108); /* definite direct */
    memcpy(bytes + 3, &apart, sizeof(apart));
}
APART static void freed(void)
{
    struct node *gone = calloc(1, sizeof(*gone));
    gone->other = malloc(109); /* definite direct */
    free(gone);
}
APART static void in_mappings(void)
{
    mapped = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mapped[5] = calloc(1, sizeof(struct node)); /* reachable direct */
    mapped[5]->next = malloc(110); /* reachable indirect */
}
static void *ends(void *unused)
{
    struct node *volatile slots[16];
    for (int i = 0; i < 16; i++)
        slots[i] = malloc(111); /* 16 definite direct */
    return slots[0] == NULL ? unused : NULL;
}
static void *waits(void *unused)
{
    void *volatile slot = malloc(113); /* reachable held */
    pthread_barrier_wait(&barrier);
    pause();
    return slot == NULL ? unused : NULL;
}
APART static void threads(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, ends, NULL);
    pthread_join(thread, NULL);
    pthread_create(&thread, NULL, waits, NULL);
    pthread_barrier_wait(&barrier);
}
/* Calls a function so that its frame is among what wipe() overwrites. */
APART static void below(void (*function)(void))
{
    volatile char room[4096];
    room[0] = 0;
    function();
}
APART static void wipe(void)
{
    volatile char bytes[65536];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = 0;
}
int main(void)
{
    static void (*const functions[])(void) = {alone,  chain,       two_heads, lost_cycle,  below_a_head,
                                              freed, in_disguise, held, in_mappings, threads};
    pthread_key_create(&key, NULL);
    pthread_barrier_init(&barrier, NULL, 2);
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        below(functions[i]);
        below(wipe);
        wipe();
    }
    stop_here();
    _exit(0);
}
"""

#: Of real programs.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "PYTHONHASHSEED": "0", "PYTHONMALLOC": "malloc"}

#: Prints the bytes and the number of the blocks that no pointer leads to if the program's own mappings are
#: not searched.
WITHOUT_MAPPINGS = """
from allocsnap import tracing
from allocsnap.library import graph_types, graphs
from allocsnap.roots import Computed
graph = Computed(tracing._session, graphs.Options()).graph
count = graphs.library().asnap_graph_block_count(graph)
todo = []
for block in range(count):
    found, roots, _ = graph.referrers(block, 100000)
    if any(graph.root(one.root).kind != graph_types.ROOT_MAPPING for one in found[:roots]):
        todo.append(block)
seen = set(todo)
while todo:
    block = todo.pop()
    leads = graph.references(block, graph.block(block).reference_count)
    new = {one.block for one in leads} - seen
    seen |= new
    todo += new
lost = [graph.block(block).trace.size for block in range(count) if block not in seen]
print(sum(lost), len(lost))
"""

_MARK = re.compile(r"/\* (?:(\d+) )?(\w+) (direct|indirect|held) \*/")


def marks():
    """({kind here: {line: blocks}}, {kind there: {line: blocks}}) by the source; the cycle's as it is there."""
    here, there = {kind: {} for kind in KINDS}, {"direct": {}, "indirect": {}, "held": {}}
    for number, line in enumerate(PROGRAM.splitlines(), 1):
        found = _MARK.search(line)
        if found is not None:
            count = int(found.group(1) or 1)
            here[found.group(2)][number] = there[found.group(3)][number] = count
        if "/* cycle of 4 */" in line:
            there["indirect"][number] = 3
        elif "/* cycle of 4, the rest */" in line:
            there["indirect"][number] = 1
    return here, there


class Sanitized(Case):
    """A program whose leaks are known by construction."""

    def build(self, name, *command):
        path = os.path.join(self.directory, "program.c")
        with open(path, "w", encoding="utf-8") as file:
            file.write(PROGRAM)
        options = ["-g", "-O0", "-fno-builtin", "-w", "-pthread", path, "-o", name]
        subprocess.run([*command, *options], check=True, cwd=self.directory)
        return os.path.join(self.directory, name)

    def by_sanitizer(self, path):
        """{kind: {line: (bytes, blocks)}} of its report."""
        done = subprocess.run(
            [path],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
            env=environment(self.home, ASAN_OPTIONS="detect_leaks=1:detect_stack_use_after_return=0"),
        )
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertNotIn("failed to", done.stdout)
        found = {"direct": {}, "indirect": {}}
        for leak in re.finditer(
            r"^(Direct|Indirect) leak of (\d+) byte\(s\) in (\d+) object\(s\).*\n((?: +#.*\n)+)",
            done.stdout,
            re.M,
        ):
            line = int(re.search(r"program\.c:(\d+)", leak.group(4)).group(1))
            rows = found[leak.group(1).lower()]
            size, count = rows.get(line, (0, 0))
            rows[line] = size + int(leak.group(2)), count + int(leak.group(3))
        self.assertEqual(done.stdout.count(" leak of "), sum(map(len, found.values())))
        return found

    def by_graph(self, path):
        """{kind: {line: (bytes, blocks)}}, and the bytes and blocks of each line."""
        commands = ["snapshot leaks --json --no-skip --no-suppressions --kinds " + kind for kind in KINDS]
        before = ["snapshot start", "break stop_here", "run"]
        results = self.batch(before + commands, path)
        found = {kind: {} for kind in KINDS}
        for kind, command in zip(KINDS, commands):
            answer = results.json(command)
            self.assertEqual(answer["notes"], [])
            for row in answer["statistics"]:
                (frame,) = row["traceback"]
                if frame["filename"].endswith("/program.c"):
                    found[kind][frame["lineno"]] = row["size"], row["count"]
                else:
                    self.assertEqual(kind, "reachable", frame)
        return found

    def test_of_the_same_source(self):
        here, there = marks()
        found = self.by_graph(self.build("plain", "gcc"))
        counts = {kind: {line: count for line, (_, count) in rows.items()} for kind, rows in found.items()}
        cycle = there["indirect"].keys() - {line for rows in here.values() for line in rows}
        self.assertEqual(len(cycle), 2)
        of_cycle = {kind: [rows.pop(line) for line in cycle & rows.keys()] for kind, rows in counts.items()}
        self.assertEqual(counts, here)
        self.assertEqual((of_cycle["definite"], sum(of_cycle["indirect"])), ([1], 3))
        sizes = {}
        for rows in found.values():
            for line, (size, count) in rows.items():
                before = sizes.get(line, (0, 0))
                sizes[line] = before[0] + size, before[1] + count
        for name in ("gcc", "clang"):
            for kind in ("leak", "address"):
                with self.subTest(name, sanitizer=kind):
                    path = self.build(name + kind, name, "-DSANITIZED", "-fsanitize=" + kind)
                    wanted = {
                        kind: {line: sizes[line] for line in there[kind]} for kind in ("direct", "indirect")
                    }
                    self.assertEqual(self.by_sanitizer(path), wanted)

    def test_rules(self):
        """What is known of the source goes by the rules above."""
        here, there = marks()
        pairs = {
            (kind, other)
            for kind, rows in here.items()
            for other, others in there.items()
            if rows.keys() & others.keys()
        }
        ordinary = {("definite", "direct"), ("indirect", "indirect"), ("possible", "held"), ("reachable", "held")}
        self.assertEqual(pairs, ordinary | {("reachable", "direct"), ("reachable", "indirect")})


#: A name too long to be a small object; since 3.12 names are never freed.
LONG_NAME = "\n{} = 1\n".format("x" * 1000)


class RealPrograms(Case):
    """Programs that were built without it: gcc's is preloaded, and looks after their exit handlers."""

    setup_of = staticmethod(test_leaks_memcheck.Memcheck.setup_of)
    by_graph = test_leaks_memcheck.Memcheck.by_graph
    write = test_leaks_memcheck.Memcheck.write

    def by_sanitizer(self, command):
        """{kind: (bytes, blocks)}."""
        library = subprocess.check_output(["gcc", "-print-file-name=liblsan.so"], encoding="utf-8").strip()
        report = os.path.join(self.directory, "report")
        options = "use_tls=1:exitcode=0:fast_unwind_on_malloc=1:log_path=" + report
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            cwd=self.directory,
            env=dict(ENVIRONMENT, LD_PRELOAD=library, LSAN_OPTIONS=options),
            timeout=harness.DEADLINE,
            check=False,
        )
        text = ""
        for name in os.listdir(self.directory):
            if name.startswith("report."):
                with open(os.path.join(self.directory, name), encoding="utf-8") as file:
                    text += file.read()
        self.assertNotIn("LeakSanitizer has encountered a fatal error", text + done.stderr)
        found = {}
        for kind in ("Direct", "Indirect"):
            rows = re.findall(kind + r" leak of (\d+) byte\(s\) in (\d+) object", text)
            found[kind] = tuple(sum(int(row[place]) for row in rows) for place in (0, 1))
        return found

    def compare(self, command):
        """What is `definite` and `indirect` here is direct and indirect there; returns {kind here: (bytes,
        blocks)}."""
        found, _ = self.by_graph(command, ENVIRONMENT)
        wanted = self.by_sanitizer(command)
        self.assertEqual((found["definite"], found["indirect"]), (wanted["Direct"], wanted["Indirect"]))
        return found

    def test_jq_that_halts(self):
        found = self.compare(["/usr/bin/jq", "-n", "[range(2000)|{a:.}]|halt_error"])
        self.assertEqual(found["indirect"][1] > 2000, found["definite"][1] == 1)

    def test_jq_without_its_program(self):
        found = self.compare(["/usr/bin/jq", "-f", "/nonexistent"])
        self.assertEqual(found["definite"], (len("/nonexistent") + 1, 1))

    def test_sqlite3_that_exits_in_the_middle(self):
        """What is `possible` is held there."""
        script = self.write("script.sql", test_leaks_memcheck.SCRIPT)
        command = ["/usr/bin/sqlite3", "-batch", "-init", "/dev/null", ":memory:", ".read " + script, ".exit 1"]
        found = self.compare(command)
        self.assertGreater(found["possible"][1], 100)

    def test_git(self):
        names = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        for words in (["init", "-q"], names + ["commit", "-q", "--allow-empty", "-m", "first"]):
            subprocess.run(["git"] + words, cwd=self.directory, check=True)
        directory = "--git-dir=" + os.path.join(self.directory, ".git")
        found = self.compare(["/usr/bin/git", directory, "log", "--oneline", "-p"])
        self.assertGreater(found["reachable"][1], 50)

    def test_python_at_its_end(self):
        """Since 3.12 its last strings, which nothing points to, are never freed. Each has bytes that were
        never written, where an old pointer may stand; a heap below 4 GiB, which the sanitizer's is not, has
        such ones."""
        script = self.write("script.py", test_leaks_memcheck.PYTHON)
        command = ["/usr/bin/python3", "-S", script]
        if sys.version_info < (3, 12):
            found = self.compare(command)
        else:
            found, _ = self.by_graph(command, ENVIRONMENT)
            ours = [sum(pair) for pair in zip(found["definite"], found["indirect"])]
            theirs = [sum(pair) for pair in zip(*self.by_sanitizer(command).values())]
            self.assertGreater(theirs[1], 1000)
            for one, other in zip(ours, theirs):
                self.assertLessEqual(abs(one - other) * 100, other, (ours, theirs))
        self.assertGreater(found["reachable"][1], 10)

    def test_python_with_mappings_of_its_own(self):
        """With -E its small objects are in memory that it maps: what only they hold has leaked there."""
        script = self.write("script.py", test_leaks_memcheck.PYTHON + LONG_NAME)
        count = self.write("count.py", WITHOUT_MAPPINGS)
        command = ["/usr/bin/python3", "-S", "-E", script]
        found, (text,) = self.by_graph(command, ENVIRONMENT, more=["source " + count])
        self.assertEqual((found["definite"], found["indirect"]), ((0, 0), (0, 0)))
        leaks = self.by_sanitizer(command)
        total = tuple(map(sum, zip(*leaks.values())))
        self.assertGreater(total[1], 0)
        self.assertEqual(tuple(map(int, text.split())), total)


if __name__ == "__main__":
    unittest.main()
