/* Rules of suppressions: their patterns, the lines of files, and which stacks they are for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph_parts.h"
#include "suppression_file.h"
#include "test_model_dump.h"

ASNAP_TEST(suppressions, patterns)
{
    static const struct {
        const char *pattern;
        const char *text;
        bool matches;
    } known[] = {
        {"foo", "foo", true},
        {"foo", "a foo b", true},
        {"foo", "fo", false},
        {"^foo", "foobar", true},
        {"^foo", "a foo", false},
        {"^foo$", "foo", true},
        {"^foo$", "foob", false},
        {"foo$", "a foo", true},
        {"foo$", "a foo ", false},
        {"f*o", "f and so o on", true},
        {"f*o", "fro", true},
        {"f*o", "fr", false},
        {"*foo*", "foo", true},
        {"*", "a", true},
        {"**", "a", true},
        {"", "a", true},
        {"^", "a", true},
        {"$", "a", false},
        {"^$", "a", false},
        {"*$", "a", true},
        {"foo*$", "foo bar", true},
        {"foo*", "foo", true},
        {"foo*bar", "foo", false},
        {"foo*bar$", "foo bar", true},
        {"^*foo", "a foo", true},
        {"a^b", "a^b", true},
        {"a^b", "ab", false},
        {"foo", "", false},
        {"*", "", false},
        {"", "", false},
        {"foo$bar", "foo", true},
        {"foo$bar", "foo$bar", false},
        {"f?o", "foo", false},
        {"[f]oo", "foo", false},
        {"f.o", "foo", false},
        {"FOO", "foo", false},
        /* Each piece is where it is found first: nothing is tried again. */
        {"foo$", "foofoo", false},
        {"^foo*foo$", "foofoofoo", false},
        {"a*b$", "abab", false},
        {"a*b*$", "abab", true},
        {"^a*b", "xab", false},
        {"std::vector<*>::push_back", "std::vector<int>::push_back(int const&)", true},
        {"zoo::Lion::roar(int)$", "zoo::Lion::roar(int)", true},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        bool matches = asnap_suppression_matches(known[i].pattern, known[i].text);
        if (matches != known[i].matches)
            fprintf(stderr, "\"%s\" for \"%s\"\n", known[i].pattern, known[i].text);
        CU_ASSERT_EQUAL(matches, known[i].matches);
    }
}

/* Where trying again would take until the end of time. */
ASNAP_TEST(suppressions, patterns_that_would_take_long)
{
    size_t size = 200000;
    char *pattern = malloc(2 * size + 3);
    char *text = malloc(size + 1);
    CU_ASSERT_FATAL(pattern != NULL && text != NULL);
    memset(text, 'a', size);
    text[size] = '\0';
    for (size_t i = 0; i < size; i++)
        memcpy(pattern + 2 * i, "a*", 2);
    memcpy(pattern + 2 * size, "b", 2);
    CU_ASSERT(!asnap_suppression_matches(pattern, text));
    pattern[2 * size] = '\0';
    CU_ASSERT(asnap_suppression_matches(pattern, text));
    /* One long piece. */
    memset(pattern, 'a', size / 2);
    memcpy(pattern + size / 2, "b$", 3);
    CU_ASSERT(!asnap_suppression_matches(pattern, text));
    free(pattern);
    free(text);
}

/* ---- files ---- */

static void check_rules(const char *text, size_t size, const char *const *wanted)
{
    struct asnap_suppressions *suppressions = NULL;
    const char *path = dump_path("rules");
    dump_write(path, text, size);
    ASNAP_ASSERT_OK(asnap_suppressions_create(false, &suppressions));
    ASNAP_ASSERT_OK(asnap_suppressions_read(suppressions, path));
    uint32_t count = 0;
    while (wanted[count] != NULL)
        count++;
    CU_ASSERT_EQUAL_FATAL(asnap_suppressions_count(suppressions), count);
    for (uint32_t i = 0; i < count; i++) {
        char found[200];
        struct asnap_suppression one = asnap_suppressions_rule(suppressions, i);
        snprintf(found, sizeof(found), "%u %s", one.line, one.rule);
        CU_ASSERT_STRING_EQUAL(found, wanted[i]);
        CU_ASSERT_STRING_EQUAL(one.path, path);
        CU_ASSERT_PTR_NULL(one.what);
    }
    asnap_suppressions_destroy(suppressions);
}

#define RULES(TEXT, ...) check_rules(TEXT, sizeof(TEXT) - 1, (const char *const[]){__VA_ARGS__})

ASNAP_TEST(suppressions, lines_of_files)
{
    RULES("", NULL);
    RULES("\n\n# all of this\n \t\n  # leak:x\n", NULL);
    RULES("leak:foo", "1 foo", NULL);
    RULES("# mine\nleak:foo\n\n  leak:^bar$\t\r\nleak: baz # 1\n", "2 foo", "4 ^bar$", "5  baz # 1",
          NULL);
    RULES("leak:leak:x\nleak:*\n", "1 leak:x", "2 *", NULL);
    RULES("leak:\xff\xfe\n", "1 \xff\xfe", NULL);
}

static void check_refused(const char *text, size_t size, const char *what)
{
    struct asnap_suppressions *suppressions = NULL;
    const char *path = dump_path("rules");
    dump_write(path, text, size);
    ASNAP_ASSERT_OK(asnap_suppressions_create(true, &suppressions));
    struct asnap_error *error = asnap_suppressions_read(suppressions, path);
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    CU_ASSERT_EQUAL(asnap_error_code(error), ASNAP_ERROR_INVALID_ARGUMENT);
    CU_ASSERT_STRING_EQUAL(asnap_error_path(error), path);
    const char *message = asnap_error_message(error);
    CU_ASSERT_EQUAL(strncmp(message, path, strlen(path)), 0);
    CU_ASSERT_PTR_NULL(strchr(message, '\n'));
    CU_ASSERT(strlen(message) < 400);
    if (strstr(message, what) == NULL)
        fprintf(stderr, "%s\n    does not say: %s\n", message, what);
    CU_ASSERT_PTR_NOT_NULL(strstr(message, what));
    asnap_error_destroy(error);
    asnap_suppressions_destroy(suppressions);
}

#define REFUSED(TEXT, WHAT) check_refused(TEXT, sizeof(TEXT) - 1, WHAT)

ASNAP_TEST(suppressions, lines_that_are_no_rules)
{
    REFUSED("leak:foo\nrace:bar\n",
            ":2: \"race:bar\" is no rule for leaks: write leak:PATTERN, or a # before a comment");
    REFUSED("foo", ":1: \"foo\" is no rule for leaks");
    REFUSED("\n\nleak", ":3: \"leak\" is no rule for leaks");
    REFUSED("leak :x", ":1: \"leak :x\" is no rule for leaks");
    REFUSED("Leak:x", ":1: \"Leak:x\" is no rule for leaks");
    REFUSED("leak:x\nleak:\n", ":2: no pattern follows \"leak:\": write leak:* to suppress every");
    REFUSED("leak:   \n", ":1: no pattern follows \"leak:\"");
    REFUSED("leak:a\0b\n", ":1: there is a zero byte: is it a file of suppressions?");
    REFUSED("{\n  <memcheck>\n  Memcheck:Leak\n}\n", ":1: \"{\" is no rule for leaks");
    REFUSED("\x1b[31m\n", ":1: \"\\x1b[31m\" is no rule for leaks");
    char *long_line = malloc(300000);
    CU_ASSERT_PTR_NOT_NULL_FATAL(long_line);
    memset(long_line, 'x', 300000);
    check_refused(long_line, 300000, ":1: \"xxxxxxxxxx");
    free(long_line);
}

ASNAP_TEST(suppressions, files_that_are_too_large)
{
    size_t size = ASNAP_SUPPRESSION_FILE_MAX + 1;
    char *text = malloc(size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    memset(text, '\n', size);
    check_refused(text, size, " has more than 1048576 bytes: is it a file of suppressions?");
    const char *path = dump_path("rules");
    dump_write(path, text, size - 1);
    struct asnap_suppressions *suppressions = NULL;
    ASNAP_ASSERT_OK(asnap_suppressions_create(false, &suppressions));
    ASNAP_ASSERT_OK(asnap_suppressions_read(suppressions, path));
    asnap_suppressions_destroy(suppressions);
    for (size_t i = 0; i < ASNAP_SUPPRESSIONS_MAX + 1; i++)
        memcpy(text + 7 * i, "leak:a\n", 7);
    check_refused(text, 7 * (ASNAP_SUPPRESSIONS_MAX + 1),
                  ":20001: there are more than 20000 rules");
    free(text);
    ASNAP_ASSERT_OK(asnap_suppressions_create(false, &suppressions));
    ASNAP_ASSERT_ERROR(asnap_suppressions_read(suppressions, "/nonexistent/rules"), ASNAP_ERROR_IO);
    ASNAP_ASSERT_ERROR(asnap_suppressions_read(suppressions, "/dev/zero"), ASNAP_ERROR_IO);
    ASNAP_ASSERT_ERROR(asnap_suppressions_read(suppressions, "/"), ASNAP_ERROR_IO);
    asnap_suppressions_destroy(suppressions);
}

/* ---- stacks ---- */

/* A block of `size` bytes and its stack, most recent frame first; a frame without a line is in the
 * module that its file is. */
struct block {
    uint64_t size;
    struct asnap_frame stack[5];
};

/* All but the first block are definite. The second leads to the third. */
static const struct block blocks[] = {
    {16, {{"/src/main.c", "keep", 10, false, 0}}},
    {32, {{"/src/list.c", "make_list", 5, false, 0}, {"/src/main.c", "main", 11, false, 0}}},
    {64, {{"/src/item.c", "make_item", 6, false, 0}, {"/src/main.c", "main", 12, false, 0}}},
    {128, {{"/lib/libzoo.so.1", "zoo_open", 0, false, 0}, {"/src/main.c", "main", 13, false, 0}}},
    {256, {{"/lib/libzoo.so.1", "libzoo.so.1+0x1234", 0, false, ASNAP_NAMED_NONE}}},
    {512, {{"<unknown>", NULL, 0, false, 0}, {"/src/jit.c", "run_code", 3, false, 0}}},
    {1024, {{"/lib/libc.so.6", "setlocale", 0, false, 0}, {"/src/main.c", "main", 14, false, 0}}},
    {2048, {{"/lib/libc.so.6", "strdup", 0, false, 0}, {"/src/main.c", "main", 15, false, 0}}},
};
#define BLOCKS (sizeof(blocks) / sizeof(blocks[0]))

static struct asnap_error *add_block(struct asnap_builder *builder, size_t number)
{
    uint32_t ids[5];
    uint32_t count = 0;
    struct asnap_error *error = NULL;
    struct asnap_trace trace = {.address = 0x10000 + 0x10000 * number, .size = blocks[number].size};
    for (; error == NULL && blocks[number].stack[count].filename != NULL; count++)
        error = asnap_builder_frame(builder, &blocks[number].stack[count], 0x4000 + number,
                                    ASNAP_NO_MAPPING, &ids[count]);
    if (error == NULL)
        error = asnap_builder_traceback(builder, ids, count, count, &trace.traceback_id);
    return error != NULL ? error : asnap_builder_traces(builder, &trace, 1);
}

static struct asnap_error *try_graph(struct asnap_snapshot **snapshot, struct asnap_graph **graph)
{
    struct asnap_builder *builder = NULL;
    struct asnap_error *error = asnap_builder_create(&builder);
    for (size_t i = 0; error == NULL && i < BLOCKS; i++)
        error = add_block(builder, i);
    if (error == NULL)
        error = asnap_builder_finish(builder, 16, snapshot);
    asnap_builder_destroy(builder);
    if (error != NULL)
        return error;
    uint8_t classes[BLOCKS];
    struct asnap_kept_retained retained[BLOCKS];
    struct asnap_kept_leak leaks[BLOCKS];
    struct asnap_kept_pointer pointer = {1, 2};
    struct asnap_graph_parts parts = {.count = BLOCKS, .classes = classes, .retained = retained};
    for (uint32_t i = 0; i < BLOCKS; i++) {
        classes[i] = i == 0   ? ASNAP_REACH_REACHABLE
                     : i == 2 ? ASNAP_REACH_INDIRECT
                              : ASNAP_REACH_DEFINITE;
        retained[i] = (struct asnap_kept_retained){blocks[i].size, 1, ASNAP_KEPT_NONE};
        leaks[i] = (struct asnap_kept_leak){0, i, i, 0, 0};
        parts.sums[classes[i] - ASNAP_REACH_REACHABLE].size += blocks[i].size;
        parts.sums[classes[i] - ASNAP_REACH_REACHABLE].count++;
    }
    retained[1] = (struct asnap_kept_retained){96, 2, ASNAP_KEPT_NONE};
    retained[2].dominator = 1;
    leaks[1] = (struct asnap_kept_leak){64, 1, 1, 1, 0};
    leaks[2].owner = 1;
    parts.leaks = leaks + 1;
    parts.leak_count = BLOCKS - 1;
    parts.pointers = &pointer;
    parts.pointer_count = 1;
    return asnap_graph_restore(*snapshot, &parts, graph);
}

#define LEAKED (1u << ASNAP_REACH_INDIRECT | 1u << ASNAP_REACH_DEFINITE)

/* The graph with these rules applied: the sizes of what is left summed up, and of what the rules
 * hold, the sums by rule one after the other. */
static void check_left(const char *rules, bool builtin, uint64_t left, const char *by_rule)
{
    struct asnap_snapshot *snapshot = NULL;
    struct asnap_snapshot *selected = NULL;
    struct asnap_graph *graph = NULL;
    struct asnap_graph *made = NULL;
    struct asnap_suppressions *suppressions = NULL;
    const char *path = dump_path("rules");
    dump_write(path, rules, strlen(rules));
    ASNAP_ASSERT_OK(try_graph(&snapshot, &graph));
    ASNAP_ASSERT_OK(asnap_suppressions_create(builtin, &suppressions));
    ASNAP_ASSERT_OK(asnap_suppressions_read(suppressions, path));
    ASNAP_ASSERT_OK(asnap_graph_suppress(graph, snapshot, suppressions, LEAKED, NULL, &made));
    ASNAP_ASSERT_OK(asnap_graph_select(made, snapshot, LEAKED, &selected));
    if (asnap_snapshot_size(selected) != left)
        fprintf(stderr, "%s leaves %llu\n", rules,
                (unsigned long long)asnap_snapshot_size(selected));
    CU_ASSERT_EQUAL(asnap_snapshot_size(selected), left);
    char found[200] = "";
    for (uint32_t i = 0; i < asnap_suppressions_count(suppressions); i++) {
        uint64_t size, count;
        asnap_graph_held(made, i, LEAKED, &size, &count);
        struct asnap_suppression rule = asnap_suppressions_rule(suppressions, i);
        if (rule.path != NULL || size != 0)
            snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s%llu",
                     found[0] == '\0' ? "" : " ", (unsigned long long)size);
    }
    CU_ASSERT_STRING_EQUAL(found, by_rule);
    asnap_snapshot_destroy(selected);
    asnap_graph_destroy(made);
    asnap_graph_destroy(graph);
    asnap_snapshot_destroy(snapshot);
    asnap_suppressions_destroy(suppressions);
}

#define ALL (32 + 64 + 128 + 256 + 512 + 1024 + 2048)

ASNAP_TEST(suppressions, functions_sources_and_modules)
{
    check_left("", false, ALL, "");
    check_left("leak:nothing", false, ALL, "0");
    check_left("leak:^zoo_open$", false, ALL - 128, "128");
    check_left("leak:run_c*e", false, ALL - 512, "512");
    check_left("leak:jit.c$", false, ALL - 512, "512");
    check_left("leak:libzoo.so", false, ALL - 128 - 256, "384");
    /* What stands for the name of a function is none. */
    check_left("leak:0x1234", false, ALL, "0");
    check_left("leak:<unknown module>", false, ALL - 512, "512");
    /* What it leads to is no leak either, and not the rule's. */
    check_left("leak:make_list", false, ALL - 32 - 64, "32");
    check_left("leak:make_item", false, ALL - 64, "64");
    check_left("leak:make_item\nleak:make_list", false, ALL - 32 - 64, "64 32");
    /* The newest frame counts, then the first rule; modules come before functions. */
    check_left("leak:main\nleak:zoo_open\nleak:libzoo", false, 512, "3168 0 384");
    check_left("leak:setlocale\nleak:libc.so\nleak:set*", false, ALL - 1024 - 2048, "0 3072 0");
    check_left("leak:*", false, 0, "4064");
    /* Only what is asked for: the reachable block is not. */
    check_left("leak:keep", false, ALL, "0");
}

ASNAP_TEST(suppressions, built_in)
{
    check_left("", true, ALL - 1024, "1024");
    check_left("leak:set*", true, ALL - 1024, "1024");
    check_left("leak:make_item", true, ALL - 64 - 1024, "64 1024");
}

static struct asnap_error *try_all(void *context)
{
    struct asnap_snapshot *snapshot = NULL;
    struct asnap_graph *graph = NULL;
    struct asnap_graph *made = NULL;
    struct asnap_suppressions *suppressions = NULL;
    struct asnap_error *error = try_graph(&snapshot, &graph);
    if (error == NULL)
        error = asnap_suppressions_create(true, &suppressions);
    if (error == NULL)
        error = asnap_suppressions_read(suppressions, context);
    if (error == NULL)
        error = asnap_graph_suppress(graph, snapshot, suppressions, LEAKED, NULL, &made);
    asnap_graph_destroy(made);
    asnap_graph_destroy(graph);
    asnap_snapshot_destroy(snapshot);
    asnap_suppressions_destroy(suppressions);
    return error;
}

ASNAP_TEST(suppressions, every_allocation_may_fail)
{
    char path[512];
    snprintf(path, sizeof(path), "%s", dump_path("rules"));
    static const char rules[] = "leak:make_item\nleak:make_list\n";
    dump_write(path, rules, sizeof(rules) - 1);
    CU_ASSERT(asnap_unit_sweep(try_all, path) > 60);
}
