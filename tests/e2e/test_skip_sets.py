"""The built-in skip sets, on the real libraries: blocks are at the line that a person would look
at, and the row says what was passed over."""

import glob
import os
import re
import shutil
import subprocess

from . import debuggers
from .harness import Case, Failed

STATS = "snapshot stats -n all"
JSON = "snapshot stats --json"
RAW = "snapshot stats --json --no-skip"

_TAG = re.compile(r"/\* at: (.*?) \*/")

STOP = """
#include <stdlib.h>
__attribute__((noinline)) void stop_here(void) { __asm__ volatile(""); }
"""

LIBC = STOP + """
#define _GNU_SOURCE 1
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void *volatile kept[32];
static char *text, *line;
static size_t room, size;

static void *work(void *unused)
{
    (void)unused;
    pause();
    return NULL;
}

int main(int count, char **words)
{
    struct dirent **entries;
    FILE *file;
    pthread_t thread;
    kept[0] = strdup(words[0]);                             /* at: strdup */
    kept[1] = strndup("some text", 4);                      /* at: strndup */
    if (asprintf(&text, "%d words", count) < 0) return 1;   /* at: asprintf */
    kept[2] = file = fopen(words[1], "r");                  /* at: fopen */
    if (getline(&line, &room, file) < 0) return 1;          /* at: getdelim */
    kept[3] = opendir("/");                                 /* at: opendir */
    kept[4] = realpath("/usr/.", NULL);                     /* at: realpath */
    if (scandir("/", &entries, NULL, alphasort) < 1) return 1; /* at: scandir */
    kept[5] = open_memstream(&text, &size);                 /* at: open_memstream */
    if (pthread_create(&thread, NULL, work, NULL) != 0) return 1; /* at: pthread_create */
    kept[6] = malloc(77);                                   /* at: - */
    stop_here();
    return 0;
}
"""

CXX = STOP + """
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

struct Part { std::string name; int number; };

static std::vector<int> *numbers;
static std::map<int, Part> parts;
static std::unordered_map<std::string, int> places;
static std::string text;
static std::shared_ptr<Part> shared;
static std::function<int()> later;

int main(int count, char **words)
{
    numbers = new std::vector<int>();                /* at: - */
    for (int i = 0; i < 1000; i++)
        numbers->push_back(i);                       /* at: vector::push_back */
    parts[count] = Part{std::string(100, 'x'), 1};   /* at: std:: */
    places[words[0]] = 1;                            /* at: unordered_map */
    text.assign(500, 'y');                           /* at: std:: */
    shared = std::make_shared<Part>();               /* at: make_shared */
    char room[64] = {};
    later = [room] { return static_cast<int>(room[3]); }; /* at: function|operator= */
    stop_here();
    return 0;
}
"""

RUST = """
use std::collections::HashMap;

#[no_mangle]
#[inline(never)]
pub extern "C" fn stop_here(kept: &Kept) {
    std::hint::black_box(kept);
}

pub struct Kept {
    numbers: Vec<u64>,
    text: String,
    places: HashMap<String, u64>,
    boxed: Box<[u8; 300]>,
    copy: Vec<u64>,
}

fn main() {
    let mut numbers = Vec::new();
    for i in 0..500u64 {
        numbers.push(i); /* at: push */
    }
    let text = format!("{} words", std::env::args().count()); /* at: format */
    let mut places = HashMap::new();
    for i in 0..50u64 {
        places.insert(i.to_string(), i); /* at: */
    }
    let boxed = Box::new([7u8; 300]); /* at: */
    let copy = numbers.clone(); /* at: clone */
    let kept = Kept { numbers, text, places, boxed, copy };
    stop_here(&kept);
    println!("{} {} {} {} {}", kept.numbers.len(), kept.text, kept.places.len(), kept.boxed[3], kept.copy.len());
}
"""

GLIB = STOP + """
typedef struct _Array Array;
typedef struct _Table Table;
void *g_malloc0(size_t);
char *g_strdup_printf(const char *, ...);
Array *g_array_sized_new(int, int, unsigned, unsigned);
Table *g_hash_table_new(unsigned (*)(const void *), int (*)(const void *, const void *));
int g_hash_table_insert(Table *, void *, void *);
unsigned g_direct_hash(const void *);
int g_direct_equal(const void *, const void *);
static void *volatile kept[8];
int main(int count, char **words)
{
    (void)words;
    kept[0] = g_malloc0(1000);                                 /* at: g_malloc0 */
    kept[1] = g_strdup_printf("%d words", count);              /* at: g_strdup_printf */
    kept[2] = g_array_sized_new(0, 0, 8, 500);                 /* at: g_array_sized_new */
    Table *table = g_hash_table_new(g_direct_hash, g_direct_equal);
    for (size_t i = 1; i < 1000; i++)
        g_hash_table_insert(table, (void *)i, (void *)i);      /* at: g_hash_table_insert */
    kept[3] = table;
    stop_here();
    return 0;
}
"""

# Libraries' classes as far as the linker needs them: their headers cannot be installed beside
# others that tests want.
LIBCXX = STOP + """
namespace std { inline namespace __1 {
template <class T> struct char_traits;
template <class T> class allocator;
template <class C, class Traits, class Allocator> class basic_string {
    void *room[3] = {};
public:
    basic_string &append(const char *);
    basic_string &assign(unsigned long, C);
    void reserve(unsigned long);
};
} }
using String = std::__1::basic_string<char, std::__1::char_traits<char>, std::__1::allocator<char>>;
static String kept[3];
int main()
{
    kept[0].append("a text that is too long for the string itself"); /* at: std::.*string::append */
    kept[1].assign(500, 'x');                                        /* at: std::.*string::assign */
    kept[2].reserve(900);                                            /* at: libc..[.]so|string::reserve */
    stop_here();
    return 0;
}
"""

QT = STOP + """
class QByteArray {
    void *d;
public:
    QByteArray(const char *, int);
    void resize(int);
    QByteArray &append(const char *);
};
static void *kept[8];
int main()
{
    kept[0] = new QByteArray("some text", 9);          /* at: - */
    static_cast<QByteArray *>(kept[0])->resize(9000);  /* at: QByteArray::resize */
    kept[1] = new QByteArray("", 0);                   /* at: - */
    static_cast<QByteArray *>(kept[1])->append("text"); /* at: QByteArray::append */
    stop_here();
    return 0;
}
"""

# Qt's widgets, of which the classes' names and sizes are enough here.
WIDGETS = STOP.replace("__attribute__", 'extern "C" __attribute__') + """
class QString {
    void *d;
public:
    static QString fromUtf8_helper(const char *, int);
    QString(const QString &);
    ~QString() {}
};
class QWidget { public: void show(); };
namespace Qt { enum WindowType { Plain }; }
template <class Type> class QFlags { int number; public: QFlags(int given) : number(given) {} };
class QApplication { char room[64]; public: QApplication(int &, char **, int); };
class QLabel { char room[256]; public: QLabel(const QString &, QWidget *, QFlags<Qt::WindowType>); };

static QLabel *labels[200];

int main(int count, char **words)
{
    QApplication *application = new QApplication(count, words, 0x50f00);
    for (int i = 0; i < 200; i++)
        labels[i] = new QLabel(QString::fromUtf8_helper("some text", 9), nullptr, 0); /* labels */
    reinterpret_cast<QWidget *>(labels[0])->show();
    stop_here();
    return application == nullptr;
}
"""

# The names of other programs' wrappers, each of which only calls malloc.
NAMES = (
    "xmalloc", "xstrdup", "xcalloc", "safe_malloc", "zmalloc", "ztrymalloc_usable", "palloc0",
    "MemoryContextAlloc", "ngx_palloc", "ngx_pcalloc", "_emalloc", "zend_mm_alloc_heap",
    "CRYPTO_zalloc", "PyMem_RawMalloc", "PyObject_Malloc", "_PyMem_DebugRawAlloc",
)
WRAPPERS = STOP + """
static void *volatile kept[64];
""" + "".join(
    "__attribute__((noinline)) void *%s(size_t size)"
    " { void *made = malloc(size); kept[63] = made; return made; }\n" % name
    for name in NAMES
) + "int main(void)\n{\n" + "".join(
    "    kept[%d] = %s(%d); /* at: %s */\n" % (place, name, 10 + place, name)
    for place, name in enumerate(NAMES)
) + "    stop_here();\n    return 0;\n}\n"


def tags(source):
    """{line: what its blocks come through, as a regular expression} of a source."""
    found = {}
    for number, line in enumerate(source.splitlines(), 1):
        tag = _TAG.search(line)
        if tag:
            found[number] = tag.group(1)
    return found


class Programs(Case):
    seconds = 60

    def build(self, compiler, name, source, *flags):
        """Compiles a source; returns its path and the program's."""
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(source)
        made = os.path.join(self.directory, "subject")
        done = subprocess.run([compiler, *flags, path, "-o", made, "-g"] + self.libraries,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0:
            raise Failed(done.stdout.decode())
        return path, made

    libraries = []

    def rows(self, path, made):
        """{line: row} of the JSON, of the source; and the lines of the text by line."""
        shown = self.batch(["snapshot start 64", "break stop_here", "run", JSON, STATS, RAW],
                           "--args", made, path)
        self.assertIn("Breakpoint 1", shown["run"])
        rows = {row["traceback"][0]["lineno"]: row for row in shown.json(JSON)["statistics"]
                if row["traceback"][0]["filename"] == path}
        text = {int(line): row for line, row in re.findall(
            r"^#\d+: {}:(\d+): (.*)$".format(re.escape(path)), shown[STATS], re.M)}
        raw = {row["traceback"][0]["lineno"] for row in shown.json(RAW)["statistics"]
               if row["traceback"][0]["filename"] == path}
        return rows, text, raw

    def check(self, source, path, made, least_passed=1.0):
        """Each tagged line has blocks, which came through what its tag says; without rules
        fewer have."""
        rows, text, raw = self.rows(path, made)
        wanted = tags(source)
        self.assertEqual(set(wanted) - set(rows), set())
        for line, name in wanted.items():
            with self.subTest(line=source.splitlines()[line - 1].strip()):
                row = rows[line]
                if name == "-":
                    self.assertNotIn("through", row)
                    self.assertNotIn("(through", text[line])
                    continue
                self.assertEqual(row["through"]["count"], row["count"])
                self.assertEqual(row["through"]["size"], row["size"])
                self.assertRegex(text[line].partition("(through ")[2], name)
        passed = [line for line, name in wanted.items() if name != "-"]
        self.assertGreaterEqual(len([line for line in passed if line not in raw]),
                                least_passed * len(passed))

    def test_c_library(self):
        for flags in (["-O0"], ["-O2", "-D_FORTIFY_SOURCE=2"]):
            with self.subTest(flags):
                path, made = self.build("gcc", "subject.c", LIBC, *flags, "-pthread")
                self.check(LIBC, path, made)

    def test_standard_library_of_cxx(self):
        for compiler, flags in (("g++", ["-O0"]), ("g++", ["-O2"]), ("clang++", ["-O1"])):
            with self.subTest(compiler=compiler, flags=flags):
                path, made = self.build(compiler, "subject.cc", CXX, "-std=c++17", *flags)
                self.check(CXX, path, made, least_passed=0.8)

    def test_libcxx(self):
        self.libraries = ["-l:libc++.so.1"]
        path, made = self.build("g++", "subject.cc", LIBCXX, "-O1")
        self.check(LIBCXX, path, made)

    def test_glib(self):
        self.libraries = ["-l:libglib-2.0.so.0"]
        path, made = self.build("gcc", "subject.c", GLIB, "-O1")
        self.check(GLIB, path, made)

    def test_qt(self):
        self.libraries = ["-l:libQt5Core.so.5"]
        path, made = self.build("g++", "subject.cc", QT, "-O1")
        # `new` itself is at its line anyway.
        self.check_lines(QT, path, made)

    def test_qt_program(self):
        """The labels of a program that shows one, off any screen."""
        self.libraries = ["-l:libQt5Widgets.so.5", "-l:libQt5Core.so.5"]
        path, made = self.build("g++", "widgets.cc", WIDGETS, "-O1")
        line = 1 + WIDGETS[: WIDGETS.index("/* labels */")].count("\n")
        commands = ["snapshot start 64", "break stop_here", "run", JSON, RAW]
        shown = self.batch(commands, "--args", made, env={"QT_QPA_PLATFORM": "offscreen"})
        rows = {(row["traceback"][0]["filename"], row["traceback"][0]["lineno"]): row
                for row in shown.json(JSON)["statistics"]}
        labels = rows[path, line]
        self.assertEqual(labels["count"], 400)
        self.assertEqual((labels["through"]["function"], labels["through"]["count"]),
                         ("QString::fromUtf8_helper(char const*, int)", 200))
        self.assertEqual(labels["size"] - labels["through"]["size"], 200 * 256)
        # QtCore works for others, but for what it keeps for itself.
        def of_core(command):
            return sum(row["size"] for row in shown.json(command)["statistics"]
                       if "libQt5Core" in (row["traceback"][0]["module"] or ""))
        self.assertGreater(of_core(RAW), 50000)
        self.assertLess(of_core(JSON), of_core(RAW) / 50)

    def check_lines(self, source, path, made):
        rows, text, _ = self.rows(path, made)
        for line, name in tags(source).items():
            if name == "-":
                self.assertNotIn("through", rows[line])
                continue
            self.assertIn("through " + name, text[line])
            self.assertGreater(rows[line]["through"]["size"], 0)

    def test_each_debugger_shows_the_same(self):
        for compiler, name, source, flags in (
            ("gcc", "subject.c", LIBC, ["-O0", "-pthread"]),
            ("g++", "subject.cc", CXX, ["-O2", "-std=c++17"]),
        ):
            path, made = self.build(compiler, name, source, *flags)
            commands = ["snapshot start 64", debuggers.stop_at("stop_here"), debuggers.RUN, JSON, STATS]
            shown = [
                each.run(self, commands, made, arguments=[path])
                for each in debuggers.every()
            ]
            for other in shown[1:]:
                self.assertEqual(other.json(JSON), shown[0].json(JSON))
                self.assertEqual(other[STATS], shown[0][STATS])
            self.assertEqual(
                set(tags(source)) - {row["traceback"][0]["lineno"] for row in
                                     shown[0].json(JSON)["statistics"]}, set())

    def test_wrappers(self):
        path, made = self.build("gcc", "subject.c", WRAPPERS, "-O0")
        self.check(WRAPPERS, path, made)

    def test_rust(self):
        path = os.path.join(self.directory, "subject.rs")
        made = os.path.join(self.directory, "subject")
        with open(path, "w", encoding="utf-8") as file:
            file.write(RUST)
        for flags in (["-g"], ["-g", "-O"]):
            with self.subTest(flags):
                subprocess.run(["rustc", *flags, "-o", made, path], check=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                rows, _, _ = self.rows(path, made)
                self.assertEqual(set(tags(RUST)) - set(rows), set())
                for line in tags(RUST):
                    self.assertEqual(rows[line]["through"]["size"], rows[line]["size"])


#: What no row of a real program is in: its wrappers, and libraries that ask on its behalf.
HELPERS = re.compile(r"(x|safe_)\w*alloc$|z(m|c|re)alloc|zstrdup|CRYPTO_\w*alloc|(_|GI)*strn?dup|palloc|AllocSet"
                     r"|MemoryContext\w*Alloc|ngx_\w*alloc$|Py(Mem|Object)_\w*alloc|operator new|std::")


class RealPrograms(Case):
    """Debian's, which have symbols of what they export."""

    seconds = 40

    def functions(self, line, *commands):
        """The functions of the rows at exit: attributed, and as they are on top of stacks."""
        start = ["snapshot start 32", "catch syscall exit_group"] + list(commands) + ["run"]
        shown = self.batch(start + [JSON, RAW], "--args", *line)
        found = []
        for command in (JSON, RAW):
            answer = shown.json(command)
            self.assertGreater(answer["total"]["size"], 10000)
            found.append({row["traceback"][0]["function"] or "" for row in answer["statistics"]})
        return found

    def check(self, line, *commands):
        attributed, raw = self.functions(line, *commands)
        self.assertEqual([name for name in attributed if HELPERS.match(name)], [])
        self.assertNotEqual([name for name in raw if HELPERS.match(name)], [])
        return attributed, raw

    def test_redis(self):
        self.check(["redis-check-rdb", self.rdb()])

    def test_openssl(self):
        attributed, _ = self.check(["openssl", "ciphers"], "snapshot set stop-at-exit exit")
        self.assertIn("OPENSSL_LH_new", attributed)

    def rdb(self):
        """A file of redis's."""
        path = os.path.join(self.directory, "dump.rdb")
        with open(path, "wb") as file:
            file.write(b"REDIS0009\xfa\x09redis-ver\x055.0.0\xfe\x00\xfb\x01\x00\x00\x01k\x01v\xff" + bytes(8))
        return path

    def test_nginx(self):
        config = os.path.join(self.directory, "nginx.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write("pid {0}/pid;\nerror_log {0}/log;\nevents {{}}\nhttp {{ access_log off;\n"
                       "server {{ listen unix:{0}/socket; }} }}\n".format(self.directory))
        path = os.environ["PATH"] + ":/usr/sbin"
        self.check([shutil.which("nginx", path=path), "-t", "-c", config])

    def test_git(self):
        for command in (["init", "-q", "."], ["commit", "-q", "--allow-empty", "-m", "one"]):
            subprocess.run(
                ["git", "-c", "user.name=a", "-c", "user.email=a@example"] + command,
                cwd=self.directory, check=True, env=dict(os.environ, HOME=self.home))
        self.check(["git", "-C", self.directory, "--no-pager", "log"])

    def test_postgres(self):
        """A server by itself, that answers one question; as another user, where this is root's."""
        place = max(glob.glob("/usr/lib/postgresql/*/bin"))
        own = os.path.join(self.directory, "pg")
        os.mkdir(own)
        user = []
        if os.getuid() == 0:
            user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
            shutil.chown(own, "nobody", "nogroup")
            os.chmod(self.directory, 0o755)
        data, question = os.path.join(own, "data"), os.path.join(self.directory, "question")
        with open(question, "w", encoding="utf-8") as file:
            file.write("select count(*) from pg_class;\n")
        subprocess.run(user + [place + "/initdb", "--no-sync", "-A", "trust", "-D", data],
                       cwd=own, check=True, stdout=subprocess.DEVNULL)
        server = " ".join(user + ["{}/postgres --single -D {} template1 <{}".format(place, data, question)])
        attributed, raw = self.check(["sh", "-c", "exec " + server])
        # What contexts ask for is at who made or filled them.
        self.assertIn("AllocSetContextCreateInternal", raw)
        self.assertIn("InitCatCache", attributed)

    def test_stripped_cxx(self):
        """apt, whose own functions are at what the standard library asked for; and a linker that
        exports the containers it is made of."""
        attributed, _ = self.check(["apt-config", "dump"])
        own = [name for name in attributed if name.startswith("apt-config+0x") or "(Configuration&" in name]
        self.assertNotEqual(own, [])
        made = os.path.join(self.directory, "made")
        _, raw = self.check(["ld.lld", "-r", "-o", made + ".o", self.object()])
        self.assertTrue([name for name in raw if name.partition("<")[0].endswith(("std::vector", "basic_string"))])

    def object(self):
        """A file for a linker."""
        source = os.path.join(self.directory, "linked.c")
        with open(source, "w", encoding="utf-8") as file:
            file.write("int linked;\n")
        subprocess.run(["gcc", "-c", "-o", source + ".o", source], check=True)
        return source + ".o"

    def test_python(self):
        self.check(["/usr/bin/python3", "-S", "-c", "import os; x = [str(i) for i in range(20000)];"
                    " os._exit(0)"],
                   "set environment PYTHONMALLOC malloc")
