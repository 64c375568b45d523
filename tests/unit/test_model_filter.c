#include <string.h>

#include "test_model_heap.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

static const struct heap_blocks heap[] = {
    {.size = 1,
     .count = 1,
     .stack = {{"/s/a.c", "f", 1, false, 0}, {"/s/m.c", "main", 9, false, 0}}},
    {.size = 2,
     .count = 1,
     .stack = {{"/s/a.c", "f", 2, false, 0}, {"/s/m.c", "main", 9, false, 0}}},
    {.size = 4, .count = 2, .domain = 7, .stack = {{"/s/a.c", "f", 1, false, 0}}},
    {.size = 16,
     .count = 1,
     .stack = {{"/lib/x.so", "x", 0, false, 0}, {"/s/a.c", "g", 5, false, 0}}},
    {.size = 32, .count = 1, .stack = {{"/p/mod.py", "p", 3, false, 0}}},
};

/* The bytes that filters keep; the sizes of the heap tell the blocks apart. */
static uint64_t kept(const struct asnap_filter *filters, size_t count)
{
    struct asnap_snapshot *snapshot = heap_snapshot(heap, COUNT(heap));
    struct asnap_snapshot *filtered = NULL;
    ASNAP_ASSERT_OK(asnap_snapshot_filter(snapshot, filters, count, &filtered));
    CU_ASSERT_EQUAL(asnap_snapshot_size(snapshot), 59);
    asnap_snapshot_destroy(snapshot);
    uint64_t size = asnap_snapshot_size(filtered);
    asnap_snapshot_destroy(filtered);
    return size;
}

#define KEPT(...)                                                                                  \
    kept((const struct asnap_filter[]){__VA_ARGS__},                                               \
         sizeof((const struct asnap_filter[]){__VA_ARGS__}) / sizeof(struct asnap_filter))

ASNAP_TEST(model_filter, none_keeps_all)
{
    CU_ASSERT_EQUAL(kept(NULL, 0), 59);
}

ASNAP_TEST(model_filter, by_file)
{
    CU_ASSERT_EQUAL(KEPT({.inclusive = true, .filename_pattern = "/s/a.c"}), 11);
    CU_ASSERT_EQUAL(KEPT({.inclusive = false, .filename_pattern = "/s/a.c"}), 48);
    CU_ASSERT_EQUAL(KEPT({.inclusive = true, .filename_pattern = "*"}), 59);
    CU_ASSERT_EQUAL(KEPT({.inclusive = true}), 59);
    CU_ASSERT_EQUAL(KEPT({.inclusive = false}), 0);
    CU_ASSERT_EQUAL(KEPT({.inclusive = true, .filename_pattern = "a.c"}), 0);
    CU_ASSERT_EQUAL(KEPT({.inclusive = true, .filename_pattern = "*.s?"}), 16);
    CU_ASSERT_EQUAL(KEPT({.inclusive = true, .filename_pattern = "/p/mod.pyc"}), 32);
}

ASNAP_TEST(model_filter, by_line)
{
    CU_ASSERT_EQUAL(KEPT({.inclusive = true, .has_lineno = true, .lineno = 1}), 9);
    CU_ASSERT_EQUAL(KEPT({.inclusive = true, .has_lineno = true, .lineno = 0}), 16);
    CU_ASSERT_EQUAL(KEPT({.inclusive = false, .has_lineno = true, .lineno = 0}), 43);
    CU_ASSERT_EQUAL(
        KEPT({.inclusive = true, .filename_pattern = "/lib/*", .has_lineno = true, .lineno = 1}),
        0);
}

ASNAP_TEST(model_filter, by_all_frames)
{
    CU_ASSERT_EQUAL(KEPT({.inclusive = true, .filename_pattern = "*/m.c"}), 0);
    CU_ASSERT_EQUAL(KEPT({.inclusive = true, .filename_pattern = "*/m.c", .all_frames = true}), 3);
    CU_ASSERT_EQUAL(KEPT({.inclusive = false, .filename_pattern = "*/a.c", .all_frames = true}),
                    32);
}

ASNAP_TEST(model_filter, by_domain)
{
    CU_ASSERT_EQUAL(KEPT({.inclusive = true, .has_domain = true, .domain = 7}), 8);
    CU_ASSERT_EQUAL(KEPT({.inclusive = false, .has_domain = true, .domain = 7}), 51);
    CU_ASSERT_EQUAL(KEPT({.inclusive = true, .has_domain = true, .domain = 0}), 51);
    CU_ASSERT_EQUAL(KEPT({.inclusive = true, .has_domain = true, .domain = 3}), 0);
    CU_ASSERT_EQUAL(
        KEPT({.inclusive = false, .filename_pattern = "*a.c", .has_domain = true, .domain = 0}),
        56);
}

ASNAP_TEST(model_filter, several)
{
    CU_ASSERT_EQUAL(KEPT({.inclusive = true, .filename_pattern = "/lib/*"},
                         {.inclusive = true, .filename_pattern = "/p/*"}),
                    48);
    CU_ASSERT_EQUAL(KEPT({.inclusive = true, .filename_pattern = "/s/*"},
                         {.inclusive = false, .has_lineno = true, .lineno = 2}),
                    9);
    CU_ASSERT_EQUAL(KEPT({.inclusive = false, .has_lineno = true, .lineno = 2},
                         {.inclusive = false, .has_domain = true, .domain = 7}),
                    49);
}

ASNAP_TEST(model_filter, result_stands_alone)
{
    struct asnap_snapshot *snapshot = NULL;
    ASNAP_ASSERT_OK(heap_try(heap, COUNT(heap), "incomplete", &snapshot));
    struct asnap_filter filter = {.inclusive = true, .filename_pattern = "/s/*"};
    struct asnap_snapshot *filtered = NULL;
    ASNAP_ASSERT_OK(asnap_snapshot_filter(snapshot, &filter, 1, &filtered));
    asnap_snapshot_destroy(snapshot);
    CU_ASSERT_EQUAL(asnap_snapshot_count(filtered), 4);
    CU_ASSERT_EQUAL(asnap_snapshot_traceback_limit(filtered), 16);
    CU_ASSERT_EQUAL_FATAL(asnap_snapshot_note_count(filtered), 1);
    CU_ASSERT_STRING_EQUAL(asnap_snapshot_note(filtered, 0), "incomplete");
    struct asnap_snapshot *again = NULL;
    filter.has_lineno = true;
    filter.lineno = 2;
    ASNAP_ASSERT_OK(asnap_snapshot_filter(filtered, &filter, 1, &again));
    asnap_snapshot_destroy(filtered);
    struct asnap_statistics *statistics = heap_statistics(again, ASNAP_KEY_TRACEBACK, false);
    CU_ASSERT_EQUAL_FATAL(asnap_statistics_count(statistics), 1);
    CU_ASSERT_STRING_EQUAL(heap_row(statistics, 0), "2 1 /s/a.c:2 f /s/m.c:9 main");
    CU_ASSERT_EQUAL(asnap_statistics_total_size(statistics), 2);
    asnap_statistics_destroy(statistics);
}

static struct asnap_error *make_filtered(void *context)
{
    const struct asnap_filter filters[] = {
        {.inclusive = true, .filename_pattern = "/s/[a-z].c"},
        {.inclusive = false, .has_lineno = true, .lineno = 2},
    };
    struct asnap_snapshot *filtered = NULL;
    struct asnap_error *error = asnap_snapshot_filter(context, filters, 2, &filtered);
    CU_ASSERT((error == NULL) == (filtered != NULL));
    asnap_snapshot_destroy(filtered);
    return error;
}

ASNAP_TEST(model_filter, survives_every_failed_allocation)
{
    struct asnap_snapshot *snapshot = heap_snapshot(heap, COUNT(heap));
    CU_ASSERT(asnap_unit_sweep(make_filtered, snapshot) > 7);
    asnap_snapshot_destroy(snapshot);
}
