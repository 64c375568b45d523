/* The built-in skip sets, frames without a name, and the user's own code. */
#include <stdio.h>
#include <string.h>

#include "function_name.h"
#include "test_model_heap.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

enum { PROGRAM, LIBRARY, LIBC };

/* What frames of the stacks below are in. */
static const struct asnap_mapping mappings[] = {
    [PROGRAM] = {0x1000, 0x2000, 0, "/bin/prog", "aa"},
    [LIBRARY] = {0x3000, 0x4000, 0, "/lib/libz.so.1", "bb"},
    [LIBC] = {0x5000, 0x6000, 0, "/lib/x86_64-linux-gnu/libc.so.6", "cc"},
};

struct stack {
    struct {
        struct asnap_frame frame;
        uint32_t mapping;
    } frames[8];
    size_t depth;
    uint32_t total;
};

/* The function that a stack's one block is attributed to. */
static const char *attributed(const struct stack *stack, struct asnap_skip_rules rules)
{
    static char name[256];
    struct asnap_builder *builder = NULL;
    struct asnap_snapshot *snapshot = NULL;
    struct asnap_snapshot *skipped = NULL;
    struct asnap_trace trace = {.address = 0x10000, .size = 1};
    uint32_t ids[8];
    ASNAP_ASSERT_OK(asnap_builder_create(&builder));
    for (size_t i = 0; i < COUNT(mappings); i++)
        ASNAP_ASSERT_OK(asnap_builder_mapping(builder, &mappings[i]));
    for (size_t i = 0; i < stack->depth; i++)
        ASNAP_ASSERT_OK(asnap_builder_frame(builder, &stack->frames[i].frame, 0x1000 + i,
                                            stack->frames[i].mapping, &ids[i]));
    ASNAP_ASSERT_OK(
        asnap_builder_traceback(builder, ids, stack->depth, stack->total, &trace.traceback_id));
    ASNAP_ASSERT_OK(asnap_builder_traces(builder, &trace, 1));
    ASNAP_ASSERT_OK(asnap_builder_finish(builder, 16, &snapshot));
    asnap_builder_destroy(builder);
    ASNAP_ASSERT_OK(asnap_snapshot_skip(snapshot, &rules, &skipped));
    asnap_snapshot_destroy(snapshot);
    struct asnap_statistics *statistics = heap_statistics(skipped, ASNAP_KEY_FUNCTION, false);
    char buffer[ASNAP_LABEL_SIZE];
    snprintf(name, sizeof(name), "%s", asnap_statistics_label(statistics, 0, buffer));
    asnap_statistics_destroy(statistics);
    return name;
}

static const struct asnap_skip_rules every_set = {.sets = ASNAP_SKIP_ALL_SETS};

ASNAP_TEST(model_skip_sets, have_names)
{
    static const char *const names[] = {"libc", "c++",      "rust",    "glib",
                                        "qt",   "wrappers", "nameless"};
    for (size_t i = 0; i < COUNT(names); i++) {
        CU_ASSERT_STRING_EQUAL(asnap_skip_set(i)->name, names[i]);
        CU_ASSERT(strlen(asnap_skip_set(i)->what) > 10);
    }
    CU_ASSERT_PTR_NULL(asnap_skip_set(COUNT(names)));
}

/* Functions of each set, by its number. */
static const struct {
    size_t set;
    const char *filename;
    const char *function;
    uint32_t lineno;
    uint32_t mapping;
} helpers[] = {
    {0, "./string/strdup.c", "__strdup", 42, LIBC},
    {0, "/lib/x86_64-linux-gnu/libc.so.6", "getline", 0, LIBC},
    {0, "/lib/ld-linux-x86-64.so.2", "_dl_allocate_tls", 0, ASNAP_NO_MAPPING},
    {0, "/lib/ld-musl-x86_64.so.1", NULL, 0, ASNAP_NO_MAPPING},
    {0, "/usr/include/x86_64-linux-gnu/bits/stdio2.h", "asprintf", 99, PROGRAM},
    {1, "/bin/prog", "operator new(unsigned long)", 0, PROGRAM},
    {1, "/s/a.h", "pool<int>::operator new[](unsigned long)", 3, PROGRAM},
    {1, "/usr/include/c++/12/v.h", "std::vector<int, std::allocator<int> >::push_back(int&&)", 3,
     PROGRAM},
    {1, "/usr/include/c++/12/v.h", "void std::vector<A>::_M_realloc_insert<A>(A*, A&&)", 3,
     PROGRAM},
    {1, "/usr/include/c++/12/v.h", "std::__1::vector<int>::reserve(unsigned long)", 3, PROGRAM},
    {1, "/usr/include/c++/12/v.h", "std::enable_if<true, int>::type std::f<int, (A)1>(int)", 3,
     PROGRAM},
    {1, "/usr/include/c++/12/v.h",
     "__gnu_cxx::new_allocator<int>::allocate(unsigned long, void const*)", 3, PROGRAM},
    {1, "/lib/libstdc++.so.6", "__cxa_allocate_exception", 0, ASNAP_NO_MAPPING},
    {1, "/usr/include/c++/12/mutex", "std::call_once::{lambda at line 3}", 3, PROGRAM},
    {2, "/rustc/0123/library/alloc/src/vec/mod.rs", "push", 3, PROGRAM},
    {2, "/r/lib/rustlib/src/rust/library/core/src/iter.rs", "next", 3, PROGRAM},
    {2, "/bin/prog", "alloc::raw_vec::RawVec<T,A>::grow_one", 0, PROGRAM},
    {2, "/bin/prog", "<alloc::string::String as core::clone::Clone>::clone", 0, PROGRAM},
    {2, "/bin/prog", "<T as alloc::slice::hack::ConvertVec>::to_vec", 0, PROGRAM},
    {2, "/bin/prog", "hashbrown::raw::RawTable<T,A>::reserve_rehash", 0, PROGRAM},
    {2, "/bin/prog", "__rust_alloc", 0, PROGRAM},
    {3, "/bin/prog", "g_malloc0_n", 0, PROGRAM},
    {3, "/usr/lib/libglib-2.0.so.0", NULL, 0, ASNAP_NO_MAPPING},
    {4, "/q/qlist.h", "QList<int>::append(int const&)", 3, PROGRAM},
    {4, "/usr/lib/libQt5Core.so.5.15.8", "QString::fromUtf8(char const*, int)", 0,
     ASNAP_NO_MAPPING},
    {5, "/s/mem.c", "xmalloc", 3, PROGRAM},
    {5, "/s/mem.cc", "xcalloc(unsigned long, unsigned long)", 3, PROGRAM},
    {5, "/s/mem.c", "xstrdup", 3, PROGRAM},
    {5, "/s/mem.c", "xnrealloc", 3, PROGRAM},
    {5, "/s/mem.c", "xrecallocarray", 3, PROGRAM},
    {5, "/s/mem.c", "xmemdupz", 3, PROGRAM},
    {5, "/s/mem.c", "do_xmallocz", 3, PROGRAM},
    {5, "/s/mem.c", "safe_realloc", 3, PROGRAM},
    {5, "/s/zmalloc.c", "ztrymalloc_usable", 3, PROGRAM},
    {5, "/s/mcxt.c", "MemoryContextAllocZero", 3, PROGRAM},
    {5, "/s/mcxt.c", "palloc0", 3, PROGRAM},
    {5, "/s/ngx_palloc.c", "ngx_palloc_large", 3, PROGRAM},
    {5, "/s/zend_alloc.c", "_emalloc_56", 3, PROGRAM},
    {5, "/lib/libsqlite3.so.0", "sqlite3DbMallocRaw", 0, LIBRARY},
    {5, "/s/obmalloc.c", "_PyMem_RawMalloc", 3, PROGRAM},
};

ASNAP_TEST(model_skip_sets, pass_over_their_functions)
{
    for (size_t i = 0; i < COUNT(helpers); i++) {
        struct stack stack = {
            .frames = {{{helpers[i].filename, helpers[i].function, helpers[i].lineno, false, 0},
                        helpers[i].mapping},
                       {{"/s/a.c", "mine", 7, false, 0}, PROGRAM}},
            .depth = 2,
        };
        struct asnap_skip_rules only = {.sets = UINT32_C(1) << helpers[i].set};
        struct asnap_skip_rules others = {.sets = ~only.sets & 0x3f};
        CU_ASSERT_STRING_EQUAL(attributed(&stack, every_set), "mine");
        CU_ASSERT_STRING_EQUAL(attributed(&stack, only), "mine");
        if (strcmp(attributed(&stack, only), "mine") != 0)
            fprintf(stderr, "%s\n", helpers[i].function);
        /* std:: is of two languages. */
        if (helpers[i].function != NULL && strncmp(helpers[i].function, "std::", 5) != 0)
            CU_ASSERT_STRING_EQUAL(attributed(&stack, others), helpers[i].function);
    }
}

/* Functions that answer for what they ask for. */
static const struct {
    const char *filename;
    const char *function;
    uint32_t lineno;
} owners[] = {
    {"/s/a.c", "strdup", 3},
    {"/s/a.c", "xml_new", 3},
    {"/s/a.c", "my_xmalloc_report", 3},
    {"/s/a.c", "xyz_realloc", 3},
    {"/s/a.c", "xfer_alloc", 3},
    {"/s/a.c", "xml_alloc0", 3},
    {"/s/a.c", "xattr_strdup", 3},
    {"/s/a.c", "xmalloc_report", 3},
    {"/s/a.c", "do_xfer_alloc", 3},
    {"/s/a.c", "safe_queue_alloc", 3},
    {"/s/a.c", "checked_node_alloc", 3},
    {"/s/a.c", "pallocate_page", 3},
    {"/s/a.cc", "shop::open::{lambda at line 3}", 3},
    {"/s/a.cc", "core::open::{lambda at line 3}", 3},
    {"/bin/prog", "core::open::{lambda at line 3}", 0},
    {"/s/a.cc", "std::string shop::name<int>(std::vector<int> const&)", 3},
    {"/s/a.cc", "std::vector<A> make<A>()", 3},
    {"/s/a.cc", "my::vector<std::pair<int, int> >::grow(std::string)", 3},
    {"/s/a.cc", "main::{lambda()#1}::operator()() const", 3},
    {"/s/a.cc", "standard::f()", 3},
    {"/s/a.cc", "core::f(int)", 3},
    {"/s/a.cc", "alloc::pool", 3},
    {"/bin/prog", "alloc::pool(int) const", 0},
    {"/bin/prog", "core::f(int) [clone .cold]", 0},
    {"/s/a.rs", "shop::alloc::f", 3},
    {"/bin/prog", "<shop::S as core::clone::Clone>::clone", 0},
    {"/s/g.c", "g_markup", 3},
    {"/usr/include/boost/x.hpp", "boost::f()", 3},
    /* What the program implements for types of the libraries. */
    {"/s/a.rs", "<shop::Foo as alloc::string::ToString>::to_string", 3},
    {"/s/a.rs", "<alloc::vec::Vec<T> as shop::Mk>::mk", 3},
    {"/s/a.cc", "std::hash<A>::operator()(A const&) const", 3},
};

ASNAP_TEST(model_skip_sets, leave_others_alone)
{
    for (size_t i = 0; i < COUNT(owners); i++) {
        struct stack stack = {
            .frames = {{{owners[i].filename, owners[i].function, owners[i].lineno, false, 0},
                        PROGRAM},
                       {{"/s/a.c", "main", 7, false, 0}, PROGRAM}},
            .depth = 2,
        };
        CU_ASSERT_STRING_EQUAL(attributed(&stack, every_set), owners[i].function);
    }
}

#define NAMELESS(MODULE, NAME) {(MODULE), (NAME), 0, false, ASNAP_NAMED_NONE}, LIBRARY
#define OWN_NAMELESS(NAME) {"/bin/prog", (NAME), 0, false, ASNAP_NAMED_NONE}, PROGRAM
#define LINE(NAME) {"/s/a.c", (NAME), 7, false, 0}, PROGRAM
#define SYMBOL(NAME) {"/lib/libz.so.1", (NAME), 0, false, 0}, LIBRARY
#define OWN_SYMBOL(NAME) {"/bin/prog", (NAME), 0, false, 0}, PROGRAM
#define IN_LIBC(NAME) {"/lib/x86_64-linux-gnu/libc.so.6", (NAME), 0, false, 0}, LIBC

ASNAP_TEST(model_skip_sets, frames_without_a_name)
{
    static const struct {
        struct stack stack;
        const char *expected;
    } cases[] = {
        /* A library without symbols works for a line of the program. */
        {{{{NAMELESS("/lib/libz.so.1", "libz.so.1+0x10")}, {LINE("f")}, {LINE("main")}}, 3, 0},
         "f"},
        {{{{NAMELESS("/lib/libz.so.1", "libz.so.1+0x10")},
           {SYMBOL("deflate")},
           {OWN_NAMELESS("prog+0x1")}},
          3,
          0},
         "deflate"},
        /* A program without symbols stays what it is, with all of libc below. */
        {{{{OWN_NAMELESS("prog+0x1")}, {OWN_NAMELESS("prog+0x2")}, {IN_LIBC("__libc_start_main")}},
          3,
          0},
         "prog+0x1"},
        {{{{IN_LIBC("strdup")},
           {OWN_NAMELESS("prog+0x1")},
           {IN_LIBC("qsort")},
           {OWN_NAMELESS("prog+0x2")}},
          4,
          0},
         "prog+0x1"},
        /* A symbol of its own library is its caller, whoever calls that one. */
        {{{{NAMELESS("/lib/libz.so.1", "libz.so.1+0x10")},
           {SYMBOL("deflate")},
           {NAMELESS("/lib/libz.so.1", "libz.so.1+0x20")},
           {OWN_NAMELESS("prog+0x1")}},
          4,
          0},
         "deflate"},
        {{{{NAMELESS("/lib/libz.so.1", "libz.so.1+0x10")}, {SYMBOL("deflate")}}, 2, 5}, "deflate"},
        /* A library calls it back. */
        {{{{OWN_NAMELESS("prog+0x1")}, {SYMBOL("g_main_loop_run")}, {OWN_NAMELESS("prog+0x2")}},
          3,
          0},
         "prog+0x1"},
        /* Who calls is not known: the stack is cut off. */
        {{{{NAMELESS("/lib/libz.so.1", "libz.so.1+0x10")}, {OWN_SYMBOL("f")}}, 2, 5},
         "libz.so.1+0x10"},
        {{{{NAMELESS("/lib/libz.so.1", "libz.so.1+0x10")}, {OWN_SYMBOL("f")}}, 2, 0}, "f"},
        {{{{NAMELESS("/lib/libz.so.1", "libz.so.1+0x10")}, {LINE("f")}}, 2, 5}, "f"},
        /* A line that a library without symbols calls back. */
        {{{{NAMELESS("/lib/libz.so.1", "libz.so.1+0x1")},
           {LINE("callback")},
           {NAMELESS("/lib/libz.so.1", "libz.so.1+0x2")},
           {LINE("main")}},
          4,
          0},
         "callback"},
        /* A helper between. */
        {{{{NAMELESS("/lib/libz.so.1", "libz.so.1+0x1")}, {LINE("xmalloc")}, {LINE("f")}}, 3, 0},
         "f"},
        {{{{LINE("f")}, {NAMELESS("/lib/libz.so.1", "libz.so.1+0x1")}, {LINE("main")}}, 3, 0}, "f"},
    };
    struct asnap_skip_rules without = {.sets = ~(UINT32_C(1) << 6)};
    for (size_t i = 0; i < COUNT(cases); i++)
        CU_ASSERT_STRING_EQUAL(attributed(&cases[i].stack, every_set), cases[i].expected);
    CU_ASSERT_STRING_EQUAL(attributed(&cases[0].stack, without), "libz.so.1+0x10");
}

ASNAP_TEST(model_skip_sets, where_nothing_is_left)
{
    static const struct stack helpers_only = {
        .frames = {{IN_LIBC("setlocale")}, {IN_LIBC("__libc_start_main")}}, .depth = 2};
    static const struct stack user_above = {
        .frames = {{LINE("f")}, {LINE("main")}, {IN_LIBC("start")}}, .depth = 3};
    const char *const mains[] = {"main", "f"};
    const char *const all[] = {"*"};
    struct asnap_skip_rules rules = {.sets = ASNAP_SKIP_ALL_SETS, .patterns = mains};
    CU_ASSERT_STRING_EQUAL(attributed(&helpers_only, every_set), "setlocale");
    rules.pattern_count = 2;
    CU_ASSERT_STRING_EQUAL(attributed(&user_above, rules), "start");
    rules.patterns = all;
    rules.pattern_count = 1;
    CU_ASSERT_STRING_EQUAL(attributed(&user_above, rules), "f");
}

ASNAP_TEST(model_skip_sets, own_code)
{
    static const struct stack stack = {.frames = {{SYMBOL("inflate")},
                                                  {LINE("xmalloc")},
                                                  {LINE("f")},
                                                  {{"/lib/src/z.c", "z", 4, false, 0}, LIBRARY},
                                                  {OWN_SYMBOL("main")}},
                                       .depth = 5};
    static const struct {
        const char *pattern;
        const char *expected;
    } cases[] = {
        {"/s/*", "f"},        {"a.c", "f"},           {"prog", "f"},
        {"/bin/prog", "f"},   {"z.c", "z"},           {"*/src/*", "z"},
        {"libz*", "inflate"}, {"nothing", "inflate"}, {"", "inflate"},
    };
    const char *const rule[] = {"f"};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct asnap_skip_rules rules = {
            .sets = ASNAP_SKIP_ALL_SETS, .mine = &cases[i].pattern, .mine_count = 1};
        CU_ASSERT_STRING_EQUAL(attributed(&stack, rules), cases[i].expected);
        if (strcmp(cases[i].pattern, "a.c") == 0) {
            rules.patterns = rule;
            rules.pattern_count = 1;
            CU_ASSERT_STRING_EQUAL(attributed(&stack, rules), "xmalloc");
        }
    }
}

/* The name that a program calls, of what the C library has for it. */
ASNAP_TEST(model_skip_sets, names_of_the_library)
{
    static const char *const names[][2] = {
        {"__strdup", "strdup"},
        {"strdup", "strdup"},
        {"_IO_new_fopen", "fopen"},
        {"__GI___realpath", "realpath"},
        {"_IO_vasprintf", "vasprintf"},
        {"__asprintf", "asprintf"},
        {"IO_mine", "IO_mine"},
        {"new_thing", "new_thing"},
        {"_", "_"},
        {"___", "_"},
        {"_IO_", "IO_"},
    };
    for (size_t i = 0; i < COUNT(names); i++)
        CU_ASSERT_STRING_EQUAL(asnap_function_of_library(names[i][0]), names[i][1]);
}
