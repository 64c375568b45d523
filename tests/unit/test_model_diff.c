#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "test_model_heap.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

/* A row as text: "SIZE DIFF COUNT DIFF FILE:LINE[ FUNCTION] ...". */
static const char *diff_row(const struct asnap_diff *diff, size_t index)
{
    static char text[1024];
    struct asnap_statistic_diff row = asnap_diff_row(diff, index);
    int length = snprintf(text, sizeof(text), "%" PRIu64 " %+" PRId64 " %" PRIu64 " %+" PRId64,
                          row.size, row.size_diff, row.count, row.count_diff);
    for (size_t i = 0; i < row.frame_count; i++) {
        struct asnap_frame frame = asnap_diff_frame(diff, index, i);
        length += snprintf(text + length, sizeof(text) - (size_t)length, " %s:%" PRIu32 "%s%s",
                           frame.filename, frame.lineno, frame.function != NULL ? " " : "",
                           frame.function != NULL ? frame.function : "");
    }
    return text;
}

/* Compares two heaps whose snapshots are gone before a row is read. */
static struct asnap_diff *compare(const struct heap_blocks *new_blocks, size_t new_count,
                                  const struct heap_blocks *old_blocks, size_t old_count,
                                  enum asnap_key key, bool cumulative)
{
    struct asnap_snapshot *new_snapshot = heap_snapshot(new_blocks, new_count);
    struct asnap_snapshot *old_snapshot = heap_snapshot(old_blocks, old_count);
    struct asnap_diff *diff = NULL;
    ASNAP_ASSERT_OK(asnap_diff_create(new_snapshot, old_snapshot, key, cumulative, &diff));
    asnap_snapshot_destroy(new_snapshot);
    asnap_snapshot_destroy(old_snapshot);
    return diff;
}

static void expect_rows(struct asnap_diff *diff, const char *const *rows, size_t count)
{
    CU_ASSERT_EQUAL_FATAL(asnap_diff_count(diff), count);
    for (size_t i = 0; i < count; i++)
        CU_ASSERT_STRING_EQUAL(diff_row(diff, i), rows[i]);
    asnap_diff_destroy(diff);
}

#define EXPECT(DIFF, ...)                                                                          \
    do {                                                                                           \
        static const char *const expected[] = {__VA_ARGS__};                                       \
        expect_rows((DIFF), expected, COUNT(expected));                                            \
    } while (0)

static const struct heap_blocks before[] = {
    {.size = 100,
     .count = 1,
     .stack = {{"/b.c", "gone", 5, false, 0}, {"/m.c", "main", 1, false, 0}}},
    {.size = 10,
     .count = 2,
     .stack = {{"/a.c", "keep", 3, false, 0}, {"/m.c", "main", 1, false, 0}}},
    {.size = 7, .count = 1, .stack = {{"/l.so", "f", 0, false, 0}, {"/m.c", "main", 1, false, 0}}},
};

static const struct heap_blocks after[] = {
    {.size = 7, .count = 1, .stack = {{"/l.so", "f", 0, false, 0}, {"/m.c", "main", 1, false, 0}}},
    {.size = 1, .count = 1, .stack = {{"/l.so", "g", 0, false, 0}, {"/m.c", "main", 1, false, 0}}},
    {.size = 10,
     .count = 5,
     .stack = {{"/a.c", "keep", 3, false, 0}, {"/m.c", "main", 1, false, 0}}},
    {.size = 4,
     .count = 1,
     .stack = {{"/a.c", "keep", 3, false, 0}, {"/m.c", "main", 2, false, 0}}},
};

#define DIFF(KEY, CUMULATIVE)                                                                      \
    compare(after, COUNT(after), before, COUNT(before), (KEY), (CUMULATIVE))

ASNAP_TEST(model_diff, by_line)
{
    EXPECT(DIFF(ASNAP_KEY_LINENO, false), "0 -100 0 -1 /b.c:5 gone", "54 +34 6 +4 /a.c:3 keep",
           "1 +1 1 +1 /l.so:0 g", "7 +0 1 +0 /l.so:0 f");
}

ASNAP_TEST(model_diff, by_file)
{
    EXPECT(DIFF(ASNAP_KEY_FILENAME, false), "0 -100 0 -1 /b.c:0", "54 +34 6 +4 /a.c:0",
           "8 +1 2 +1 /l.so:0");
}

ASNAP_TEST(model_diff, by_traceback)
{
    EXPECT(DIFF(ASNAP_KEY_TRACEBACK, false), "0 -100 0 -1 /b.c:5 gone /m.c:1 main",
           "50 +30 5 +3 /a.c:3 keep /m.c:1 main", "4 +4 1 +1 /a.c:3 keep /m.c:2 main",
           "1 +1 1 +1 /l.so:0 g /m.c:1 main", "7 +0 1 +0 /l.so:0 f /m.c:1 main");
}

ASNAP_TEST(model_diff, cumulative)
{
    EXPECT(DIFF(ASNAP_KEY_LINENO, true), "0 -100 0 -1 /b.c:5 gone", "58 -69 7 +3 /m.c:1 main",
           "54 +34 6 +4 /a.c:3 keep", "4 +4 1 +1 /m.c:2 main", "1 +1 1 +1 /l.so:0 g",
           "7 +0 1 +0 /l.so:0 f");
}

ASNAP_TEST(model_diff, total)
{
    struct asnap_diff *diff = DIFF(ASNAP_KEY_FILENAME, true);
    struct asnap_statistic_diff total = asnap_diff_total(diff);
    CU_ASSERT_EQUAL(total.size, 62);
    CU_ASSERT_EQUAL(total.size_diff, 62 - 127);
    CU_ASSERT_EQUAL(total.count, 8);
    CU_ASSERT_EQUAL(total.count_diff, 4);
    CU_ASSERT_EQUAL(asnap_diff_key(diff), ASNAP_KEY_FILENAME);
    CU_ASSERT_TRUE(asnap_diff_cumulative(diff));
    asnap_diff_destroy(diff);
}

ASNAP_TEST(model_diff, ties_go_by_size_count_and_place)
{
    static const struct heap_blocks old_heap[] = {
        {.size = 10, .count = 1, .stack = {{"/a.c", NULL, 1, false, 0}}},
        {.size = 5, .count = 2, .stack = {{"/b.c", NULL, 1, false, 0}}},
        {.size = 10, .count = 1, .stack = {{"/c.c", NULL, 1, false, 0}}},
        {.size = 4, .count = 5, .stack = {{"/e.c", NULL, 1, false, 0}}},
    };
    static const struct heap_blocks new_heap[] = {
        {.size = 20, .count = 1, .stack = {{"/c.c", NULL, 1, false, 0}}},
        {.size = 20, .count = 1, .stack = {{"/d.c", NULL, 1, false, 0}}},
        {.size = 10, .count = 1, .stack = {{"/e.c", NULL, 1, false, 0}}},
        {.size = 5, .count = 2, .stack = {{"/f.c", NULL, 1, false, 0}}},
    };
    EXPECT(compare(new_heap, COUNT(new_heap), old_heap, COUNT(old_heap), ASNAP_KEY_LINENO, false),
           "20 +20 1 +1 /d.c:1", "20 +10 1 +0 /c.c:1", "10 -10 1 -4 /e.c:1", "10 +10 2 +2 /f.c:1",
           "0 -10 0 -2 /b.c:1", "0 -10 0 -1 /a.c:1");
}

ASNAP_TEST(model_diff, shows_the_functions_of_the_new_snapshot)
{
    static const struct heap_blocks old_heap[] = {
        {.size = 9, .count = 1, .stack = {{"/a.h", "old_name", 1, false, 0}}},
        {.size = 8, .count = 1, .stack = {{"/b.h", "one", 1, false, 0}}},
        {.size = 9, .count = 1, .stack = {{"/b.h", "two", 1, false, 0}}},
    };
    static const struct heap_blocks new_heap[] = {
        {.size = 9, .count = 1, .stack = {{"/a.h", "new_name", 1, false, 0}}},
    };
    for (int key = ASNAP_KEY_LINENO; key <= ASNAP_KEY_TRACEBACK; key++) {
        struct asnap_diff *diff = compare(new_heap, COUNT(new_heap), old_heap, COUNT(old_heap),
                                          (enum asnap_key)key, false);
        CU_ASSERT_EQUAL(asnap_diff_row(diff, 0).function_count, 2);
        CU_ASSERT_EQUAL(asnap_diff_row(diff, 1).function_count, 1);
        EXPECT(diff, "0 -17 0 -2 /b.h:1 two", "9 +0 1 +0 /a.h:1 new_name");
    }
}

ASNAP_TEST(model_diff, shows_the_whole_stacks_of_the_new_snapshot)
{
    const struct heap_blocks counted = {
        .size = 9, .count = 1, .total_nframe = 4, .stack = {{"/a.c", "f", 1, false, 0}}};
    struct heap_blocks unknown = counted;
    unknown.total_nframe = ASNAP_TOTAL_UNKNOWN;
    struct asnap_diff *diff = compare(&unknown, 1, &counted, 1, ASNAP_KEY_TRACEBACK, false);
    CU_ASSERT_EQUAL(asnap_diff_row(diff, 0).total_nframe, ASNAP_TOTAL_UNKNOWN);
    EXPECT(diff, "9 +0 1 +0 /a.c:1 f");
    diff = compare(&counted, 1, &unknown, 1, ASNAP_KEY_TRACEBACK, false);
    CU_ASSERT_EQUAL(asnap_diff_row(diff, 0).total_nframe, 4);
    EXPECT(diff, "9 +0 1 +0 /a.c:1 f");
    diff = compare(&unknown, 1, &counted, 1, ASNAP_KEY_LINENO, false);
    CU_ASSERT_EQUAL(asnap_diff_row(diff, 0).total_nframe, 1);
    EXPECT(diff, "9 +0 1 +0 /a.c:1 f");
}

ASNAP_TEST(model_diff, of_a_snapshot_and_a_part_of_it)
{
    struct asnap_snapshot *whole = NULL;
    struct asnap_snapshot *part = NULL;
    struct asnap_diff *diff = NULL;
    struct asnap_filter filter = {.inclusive = true, .filename_pattern = "/a.c"};
    ASNAP_ASSERT_OK(heap_try(after, COUNT(after), "incomplete", &whole));
    ASNAP_ASSERT_OK(asnap_snapshot_filter(whole, &filter, 1, &part));
    ASNAP_ASSERT_OK(asnap_diff_create(part, whole, ASNAP_KEY_TRACEBACK, false, &diff));
    asnap_snapshot_destroy(whole);
    asnap_snapshot_destroy(part);
    CU_ASSERT_EQUAL_FATAL(asnap_diff_note_count(diff), 1);
    CU_ASSERT_STRING_EQUAL(asnap_diff_note(diff, 0), "incomplete");
    EXPECT(diff, "0 -7 0 -1 /l.so:0 f /m.c:1 main", "0 -1 0 -1 /l.so:0 g /m.c:1 main",
           "50 +0 5 +0 /a.c:3 keep /m.c:1 main", "4 +0 1 +0 /a.c:3 keep /m.c:2 main");
}

ASNAP_TEST(model_diff, notes_say_which_snapshot)
{
    struct asnap_snapshot *snapshots[2] = {NULL, NULL};
    struct asnap_diff *diff = NULL;
    ASNAP_ASSERT_OK(heap_try(NULL, 0, "3 blocks dropped", &snapshots[0]));
    ASNAP_ASSERT_OK(heap_try(NULL, 0, "truncated", &snapshots[1]));
    ASNAP_ASSERT_OK(asnap_diff_create(snapshots[0], snapshots[1], ASNAP_KEY_LINENO, false, &diff));
    CU_ASSERT_EQUAL(asnap_diff_count(diff), 0);
    CU_ASSERT_EQUAL_FATAL(asnap_diff_note_count(diff), 2);
    CU_ASSERT_STRING_EQUAL(asnap_diff_note(diff, 0), "new snapshot: 3 blocks dropped");
    CU_ASSERT_STRING_EQUAL(asnap_diff_note(diff, 1), "old snapshot: truncated");
    asnap_diff_destroy(diff);
    asnap_snapshot_destroy(snapshots[0]);
    asnap_snapshot_destroy(snapshots[1]);
}

ASNAP_TEST(model_diff, refuses_what_statistics_refuse)
{
    static const struct heap_blocks large[] = {
        {.size = INT64_MAX,
         .count = 1,
         .stack = {{"/r.c", "a", 1, false, 0}, {"/r.c", "b", 2, false, 0}}},
    };
    struct asnap_snapshot *snapshot = heap_snapshot(large, COUNT(large));
    struct asnap_snapshot *empty = heap_snapshot(NULL, 0);
    struct asnap_diff *diff = NULL;
    ASNAP_ASSERT_ERROR(asnap_diff_create(empty, empty, ASNAP_KEY_TRACEBACK, true, &diff),
                       ASNAP_ERROR_INVALID_ARGUMENT);
    ASNAP_ASSERT_ERROR(asnap_diff_create(empty, snapshot, ASNAP_KEY_FILENAME, true, &diff),
                       ASNAP_ERROR_INVALID_ARGUMENT);
    CU_ASSERT_PTR_NULL(diff);
    ASNAP_ASSERT_OK(asnap_diff_create(empty, snapshot, ASNAP_KEY_FILENAME, false, &diff));
    CU_ASSERT_EQUAL(asnap_diff_row(diff, 0).size_diff, -INT64_MAX);
    asnap_diff_destroy(diff);
    asnap_snapshot_destroy(snapshot);
    asnap_snapshot_destroy(empty);
    asnap_diff_destroy(NULL);
}

struct sweep {
    struct asnap_snapshot *snapshots[2];
    enum asnap_key key;
};

static struct asnap_error *make_diff(void *context)
{
    const struct sweep *sweep = context;
    struct asnap_diff *diff = NULL;
    struct asnap_error *error =
        asnap_diff_create(sweep->snapshots[0], sweep->snapshots[1], sweep->key, false, &diff);
    CU_ASSERT((error == NULL) == (diff != NULL));
    asnap_diff_destroy(diff);
    return error;
}

ASNAP_TEST(model_diff, survives_every_failed_allocation)
{
    struct sweep sweep = {.key = ASNAP_KEY_FILENAME};
    ASNAP_ASSERT_OK(heap_try(after, COUNT(after), "one", &sweep.snapshots[0]));
    ASNAP_ASSERT_OK(heap_try(before, COUNT(before), "two", &sweep.snapshots[1]));
    for (; sweep.key <= ASNAP_KEY_TRACEBACK; sweep.key++)
        CU_ASSERT(asnap_unit_sweep(make_diff, &sweep) > 15);
    asnap_snapshot_destroy(sweep.snapshots[0]);
    asnap_snapshot_destroy(sweep.snapshots[1]);
}
