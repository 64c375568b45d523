/* Attributing blocks past allocator wrappers. */
#include <stdio.h>
#include <string.h>

#include "test_model_heap.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

static const struct heap_blocks heap[] = {
    {.size = 1,
     .count = 1,
     .stack = {{"/s/mem.c", "xmalloc", 7, false, 0}, {"/s/a.c", "f", 1, false, 0}}},
    {.size = 2,
     .count = 1,
     .stack = {{"/s/a.c", "f", 1, false, 0}, {"/s/m.c", "main", 9, false, 0}}},
    {.size = 4,
     .count = 1,
     .stack = {{"/lib/c++.so", "operator new(unsigned long)", 0, false, 0},
               {"/s/pool.h", "pool<int>::operator new(unsigned long)", 12, false, 0},
               {"/usr/include/c++/12/alloc.h",
                "std::__new_allocator<int>::allocate(unsigned long, void const*)", 137, true, 0},
               {"/s/b.cc", "g()", 3, false, 0}}},
    {.size = 8, .count = 1, .stack = {{"/s/mem.c", "xmalloc", 7, false, 0}}},
};

static struct asnap_snapshot *skip(const char *const *patterns, size_t count, bool standard)
{
    struct asnap_snapshot *snapshot = heap_snapshot(heap, COUNT(heap));
    struct asnap_snapshot *attributed = NULL;
    struct asnap_skip_rules rules = {
        .patterns = patterns, .pattern_count = count, .sets = standard ? ASNAP_SKIP_ALL_SETS : 0};
    ASNAP_ASSERT_OK(asnap_snapshot_skip(snapshot, &rules, &attributed));
    CU_ASSERT_EQUAL(asnap_snapshot_size(attributed), asnap_snapshot_size(snapshot));
    CU_ASSERT_EQUAL(asnap_snapshot_count(attributed), 4);
    asnap_snapshot_destroy(snapshot);
    return attributed;
}

/* Whether the rows by line are these; ends with NULL. */
static void expect_rows(struct asnap_snapshot *snapshot, const char *const *rows)
{
    struct asnap_statistics *statistics = heap_statistics(snapshot, ASNAP_KEY_LINENO, false);
    size_t count = 0;
    for (; rows[count] != NULL; count++)
        if (count < asnap_statistics_count(statistics))
            CU_ASSERT_STRING_EQUAL(heap_row(statistics, count), rows[count]);
    CU_ASSERT_EQUAL(asnap_statistics_count(statistics), count);
    asnap_statistics_destroy(statistics);
}

#define ROWS(...) ((const char *const[]){__VA_ARGS__, NULL})

ASNAP_TEST(model_skip, no_rules)
{
    expect_rows(skip(NULL, 0, false),
                ROWS("9 2 /s/mem.c:7 xmalloc", "4 1 /lib/c++.so:0 operator new(unsigned long)",
                     "2 1 /s/a.c:1 f"));
}

ASNAP_TEST(model_skip, by_function)
{
    const char *const rules[] = {"xmalloc"};
    expect_rows(skip(rules, 1, false),
                ROWS("8 1 /s/mem.c:7 xmalloc", "4 1 /lib/c++.so:0 operator new(unsigned long)",
                     "3 2 /s/a.c:1 f"));
}

ASNAP_TEST(model_skip, by_file)
{
    const char *const rules[] = {"/s/mem.[ch]", "/lib/*", "mem.c"};
    expect_rows(skip(rules, 3, false),
                ROWS("8 1 /s/mem.c:7 xmalloc",
                     "4 1 /s/pool.h:12 pool<int>::operator new(unsigned long)", "3 2 /s/a.c:1 f"));
}

ASNAP_TEST(model_skip, standard_allocators)
{
    expect_rows(skip(NULL, 0, true),
                ROWS("8 1 /s/mem.c:7 xmalloc", "4 1 /s/b.cc:3 g()", "3 2 /s/a.c:1 f"));
}

ASNAP_TEST(model_skip, leaves_tracebacks_and_cumulative_alone)
{
    const char *const rules[] = {"*"};
    struct asnap_snapshot *plain = heap_snapshot(heap, COUNT(heap));
    struct asnap_snapshot *attributed = skip(rules, 1, true);
    const struct {
        enum asnap_key key;
        bool cumulative;
    } ways[] = {{ASNAP_KEY_TRACEBACK, false}, {ASNAP_KEY_LINENO, true}, {ASNAP_KEY_LINENO, false}};
    for (size_t way = 0; way < COUNT(ways); way++) {
        struct asnap_statistics *one = NULL;
        struct asnap_statistics *other = NULL;
        ASNAP_ASSERT_OK(asnap_statistics_create(plain, ways[way].key, ways[way].cumulative, &one));
        ASNAP_ASSERT_OK(
            asnap_statistics_create(attributed, ways[way].key, ways[way].cumulative, &other));
        CU_ASSERT_EQUAL_FATAL(asnap_statistics_count(one), asnap_statistics_count(other));
        for (size_t i = 0; i < asnap_statistics_count(one); i++) {
            char row[512];
            snprintf(row, sizeof(row), "%s", heap_row(one, i));
            CU_ASSERT_STRING_EQUAL(row, heap_row(other, i));
        }
        asnap_statistics_destroy(one);
        asnap_statistics_destroy(other);
    }
    asnap_snapshot_destroy(plain);
    asnap_snapshot_destroy(attributed);
}

ASNAP_TEST(model_skip, filters_look_at_the_attributed_frame)
{
    const char *const rules[] = {"xmalloc"};
    const struct asnap_filter filter = {.inclusive = true, .filename_pattern = "/s/a.c"};
    struct asnap_snapshot *attributed = skip(rules, 1, false);
    struct asnap_snapshot *filtered = NULL;
    ASNAP_ASSERT_OK(asnap_snapshot_filter(attributed, &filter, 1, &filtered));
    asnap_snapshot_destroy(attributed);
    CU_ASSERT_EQUAL(asnap_snapshot_size(filtered), 3);
    expect_rows(filtered, ROWS("3 2 /s/a.c:1 f"));
}

static struct asnap_error *skip_once(void *context)
{
    const char *const patterns[] = {"xmalloc", "/lib/*"};
    const char *const mine[] = {"a.c"};
    const struct asnap_skip_rules rules = {patterns, 2, mine, 1, ASNAP_SKIP_ALL_SETS};
    struct asnap_snapshot *attributed;
    struct asnap_error *error = asnap_snapshot_skip(context, &rules, &attributed);
    if (error == NULL)
        asnap_snapshot_destroy(attributed);
    return error;
}

static struct asnap_error *has_once(void *context)
{
    bool has = false;
    struct asnap_error *error = asnap_snapshot_has_own(context, "a.c", &has);
    CU_ASSERT_EQUAL(has, error == NULL);
    return error;
}

ASNAP_TEST(model_skip, knows_patterns_that_are_for_nothing)
{
    static const struct {
        const char *pattern;
        bool has;
    } cases[] = {{"a.c", true}, {"/s/a.c", true}, {"*.cc", true}, {"s/a.c", false}, {"c", false}};
    struct asnap_snapshot *snapshot = heap_snapshot(heap, COUNT(heap));
    for (size_t i = 0; i < COUNT(cases); i++) {
        bool has = !cases[i].has;
        ASNAP_ASSERT_OK(asnap_snapshot_has_own(snapshot, cases[i].pattern, &has));
        CU_ASSERT_EQUAL(has, cases[i].has);
    }
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(model_skip, survives_every_failing_allocation)
{
    struct asnap_snapshot *snapshot = heap_snapshot(heap, COUNT(heap));
    CU_ASSERT(asnap_unit_sweep(skip_once, snapshot) >= 8);
    CU_ASSERT(asnap_unit_sweep(has_once, snapshot) >= 6);
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(model_skip, lists_blocks_at_their_frames)
{
    const char *const rules[] = {"xmalloc"};
    struct asnap_snapshot *snapshot = skip(rules, 1, true);
    struct asnap_render_options options = {0};
    char *text = NULL;
    ASNAP_ASSERT_OK(asnap_render_traces(snapshot, ASNAP_FORMAT_TEXT, &options, &text));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, ": size=8 B, at /s/mem.c:7 in xmalloc\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, ": size=4 B, at /s/b.cc:3 in g()\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, ": size=1 B, at /s/a.c:1 in f\n"));
    asnap_string_destroy(text);
    asnap_snapshot_destroy(snapshot);
}
