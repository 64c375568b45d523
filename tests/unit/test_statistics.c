#include <string.h>

#include "test_model_heap.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

/* Asserts the rows, in order, and destroys the snapshot. */
static void expect_rows(struct asnap_snapshot *snapshot, enum asnap_key key, bool cumulative,
                        const char *const *rows, size_t count)
{
    struct asnap_statistics *statistics = heap_statistics(snapshot, key, cumulative);
    CU_ASSERT_EQUAL_FATAL(asnap_statistics_count(statistics), count);
    CU_ASSERT_EQUAL(asnap_statistics_key(statistics), key);
    CU_ASSERT_EQUAL(asnap_statistics_cumulative(statistics), cumulative);
    for (size_t i = 0; i < count; i++)
        CU_ASSERT_STRING_EQUAL(heap_row(statistics, i), rows[i]);
    asnap_statistics_destroy(statistics);
}

#define EXPECT(BLOCKS, KEY, CUMULATIVE, ...)                                                       \
    do {                                                                                           \
        static const char *const expected[] = {__VA_ARGS__};                                       \
        expect_rows(heap_snapshot((BLOCKS), COUNT(BLOCKS)), (KEY), (CUMULATIVE), expected,         \
                    COUNT(expected));                                                              \
    } while (0)

/* dup() asks for memory from two lines of main, by way of a helper or not. */
static const struct heap_blocks small_heap[] = {
    {.size = 100,
     .count = 2,
     .stack = {{"/s/dup.c", "dup", 7, false, 0}, {"/s/m.c", "main", 3, false, 0}}},
    {.size = 50,
     .count = 1,
     .stack = {{"/s/dup.c", "dup", 7, false, 0},
               {"/s/dup.c", "help", 20, false, 0},
               {"/s/m.c", "main", 4, false, 0}}},
    {.size = 30, .count = 3, .stack = {{"/s/m.c", "main", 9, false, 0}}},
};

ASNAP_TEST(statistics, by_line)
{
    EXPECT(small_heap, ASNAP_KEY_LINENO, false, "250 3 /s/dup.c:7 dup", "90 3 /s/m.c:9 main");
}

ASNAP_TEST(statistics, by_file_has_line_0_and_no_function)
{
    EXPECT(small_heap, ASNAP_KEY_FILENAME, false, "250 3 /s/dup.c:0", "90 3 /s/m.c:0");
}

ASNAP_TEST(statistics, by_traceback)
{
    EXPECT(small_heap, ASNAP_KEY_TRACEBACK, false, "200 2 /s/dup.c:7 dup /s/m.c:3 main",
           "90 3 /s/m.c:9 main", "50 1 /s/dup.c:7 dup /s/dup.c:20 help /s/m.c:4 main");
}

ASNAP_TEST(statistics, cumulative_by_line)
{
    EXPECT(small_heap, ASNAP_KEY_LINENO, true, "250 3 /s/dup.c:7 dup", "200 2 /s/m.c:3 main",
           "90 3 /s/m.c:9 main", "50 1 /s/m.c:4 main", "50 1 /s/dup.c:20 help");
}

/* As tracemalloc: once for each frame, so the stack with two frames in dup.c
 * counts twice there. */
ASNAP_TEST(statistics, cumulative_by_file)
{
    EXPECT(small_heap, ASNAP_KEY_FILENAME, true, "340 6 /s/m.c:0", "300 4 /s/dup.c:0");
}

ASNAP_TEST(statistics, cumulative_counts_each_recursive_frame)
{
    static const struct heap_blocks heap[] = {
        {.size = 10,
         .count = 1,
         .stack = {{"/r.c", "walk", 5, false, 0},
                   {"/r.c", "walk", 5, false, 0},
                   {"/r.c", "walk", 5, false, 0},
                   {"/r.c", "main", 9, false, 0}}},
    };
    EXPECT(heap, ASNAP_KEY_LINENO, true, "30 3 /r.c:5 walk", "10 1 /r.c:9 main");
    EXPECT(heap, ASNAP_KEY_LINENO, false, "10 1 /r.c:5 walk");
    EXPECT(heap, ASNAP_KEY_FILENAME, true, "40 4 /r.c:0");
}

ASNAP_TEST(statistics, cumulative_by_traceback_is_refused)
{
    struct asnap_snapshot *snapshot = heap_snapshot(small_heap, COUNT(small_heap));
    struct asnap_statistics *statistics = NULL;
    ASNAP_ASSERT_ERROR(asnap_statistics_create(snapshot, ASNAP_KEY_TRACEBACK, true, &statistics),
                       ASNAP_ERROR_INVALID_ARGUMENT);
    ASNAP_ASSERT_ERROR(asnap_statistics_create(snapshot, (enum asnap_key)99, false, &statistics),
                       ASNAP_ERROR_INVALID_ARGUMENT);
    CU_ASSERT_PTR_NULL(statistics);
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(statistics, cumulative_sum_too_large_is_refused)
{
    static const struct heap_blocks heap[] = {
        {.size = (uint64_t)INT64_MAX / 2 + 1,
         .count = 1,
         .stack = {{"/r.c", "a", 1, false, 0}, {"/r.c", "b", 2, false, 0}}},
    };
    struct asnap_snapshot *snapshot = heap_snapshot(heap, COUNT(heap));
    struct asnap_statistics *statistics = NULL;
    ASNAP_ASSERT_ERROR(asnap_statistics_create(snapshot, ASNAP_KEY_FILENAME, true, &statistics),
                       ASNAP_ERROR_INVALID_ARGUMENT);
    ASNAP_ASSERT_OK(asnap_statistics_create(snapshot, ASNAP_KEY_LINENO, true, &statistics));
    CU_ASSERT_STRING_EQUAL(heap_row(statistics, 0), "4611686018427387904 1 /r.c:2 b");
    asnap_statistics_destroy(statistics);
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(statistics, orders_by_size_count_place_descending)
{
    static const struct heap_blocks heap[] = {
        {.size = 8, .count = 1, .stack = {{"/a.c", NULL, 10, false, 0}}},
        {.size = 8, .count = 1, .stack = {{"/a.c", NULL, 9, false, 0}}},
        {.size = 4, .count = 2, .stack = {{"/A.c", NULL, 1, false, 0}}},
        {.size = 8, .count = 1, .stack = {{"/a.c", NULL, 4294967295, false, 0}}},
        {.size = 8, .count = 1, .stack = {{"/\xc3\xa9.c", NULL, 1, false, 0}}},
        {.size = 9, .count = 1, .stack = {{"/0.c", NULL, 1, false, 0}}},
    };
    EXPECT(heap, ASNAP_KEY_LINENO, false, "9 1 /0.c:1", "8 2 /A.c:1", "8 1 /\xc3\xa9.c:1",
           "8 1 /a.c:4294967295", "8 1 /a.c:10", "8 1 /a.c:9");
}

ASNAP_TEST(statistics, orders_tracebacks_oldest_frame_first)
{
    static const struct heap_blocks heap[] = {
        {.size = 8,
         .count = 1,
         .stack = {{"/z.c", NULL, 9, false, 0}, {"/m.c", NULL, 1, false, 0}}},
        {.size = 8, .count = 1, .stack = {{"/m.c", NULL, 1, false, 0}}},
        {.size = 8,
         .count = 1,
         .stack = {{"/a.c", NULL, 1, false, 0}, {"/m.c", NULL, 2, false, 0}}},
        {.size = 8,
         .count = 1,
         .stack = {{"/a.c", NULL, 1, false, 0},
                   {"/z.c", NULL, 9, false, 0},
                   {"/m.c", NULL, 1, false, 0}}},
    };
    EXPECT(heap, ASNAP_KEY_TRACEBACK, false, "8 1 /a.c:1 /m.c:2", "8 1 /a.c:1 /z.c:9 /m.c:1",
           "8 1 /z.c:9 /m.c:1", "8 1 /m.c:1");
}

ASNAP_TEST(statistics, sums_over_domains)
{
    static const struct heap_blocks heap[] = {
        {.size = 8, .count = 2, .domain = 0, .stack = {{"/a.c", "f", 1, false, 0}}},
        {.size = 5, .count = 1, .domain = 7, .stack = {{"/a.c", "f", 1, false, 0}}},
        {.size = 3, .count = 1, .domain = UINT32_MAX, .stack = {{"/a.c", "f", 1, false, 0}}},
        {.size = 1, .count = 1, .domain = 7, .stack = {{"/a.c", "f", 1, false, 0}}},
    };
    EXPECT(heap, ASNAP_KEY_LINENO, false, "25 5 /a.c:1 f");
    EXPECT(heap, ASNAP_KEY_TRACEBACK, false, "25 5 /a.c:1 f");
}

ASNAP_TEST(statistics, blocks_of_size_0_are_rows)
{
    static const struct heap_blocks heap[] = {
        {.size = 0, .count = 3, .stack = {{"/a.c", "f", 1, false, 0}}},
        {.size = 0, .count = 1, .stack = {{"/b.c", "f", 1, false, 0}}},
    };
    EXPECT(heap, ASNAP_KEY_LINENO, false, "0 3 /a.c:1 f", "0 1 /b.c:1 f");
}

ASNAP_TEST(statistics, a_stack_without_frames_is_unknown)
{
    static const struct heap_blocks heap[] = {
        {.size = 4, .count = 2, .total_nframe = 6},
        {.size = 3, .count = 2},
    };
    EXPECT(heap, ASNAP_KEY_LINENO, false, "14 4 <unknown>:0");
    struct asnap_statistics *statistics =
        heap_statistics(heap_snapshot(heap, COUNT(heap)), ASNAP_KEY_TRACEBACK, false);
    CU_ASSERT_EQUAL_FATAL(asnap_statistics_count(statistics), 1);
    struct asnap_statistic row = asnap_statistics_row(statistics, 0);
    CU_ASSERT_EQUAL(row.frame_count, 1);
    CU_ASSERT_EQUAL(row.total_nframe, 6);
    CU_ASSERT_EQUAL(row.function_count, 0);
    asnap_statistics_destroy(statistics);
}

/* A module without line information: its functions are all there is to tell its
 * places apart. With line information, the line is the place. */
ASNAP_TEST(statistics, functions_are_places_only_without_lines)
{
    static const struct heap_blocks heap[] = {
        {.size = 4,
         .count = 1,
         .stack = {{"/l.so", "g", 0, false, 0}, {"/m.c", "main", 1, false, 0}}},
        {.size = 4,
         .count = 1,
         .stack = {{"/l.so", "f", 0, false, 0}, {"/m.c", "main", 1, false, 0}}},
        {.size = 4,
         .count = 1,
         .stack = {{"/l.so", NULL, 0, false, 0}, {"/m.c", "main", 1, false, 0}}},
        {.size = 2,
         .count = 1,
         .stack = {{"/x.c", "g", 5, false, 0}, {"/m.c", "main", 1, false, 0}}},
        {.size = 1,
         .count = 1,
         .stack = {{"/x.c", "f", 5, false, 0}, {"/m.c", "main", 1, false, 0}}},
    };
    EXPECT(heap, ASNAP_KEY_LINENO, false, "4 1 /l.so:0 g", "4 1 /l.so:0 f", "4 1 /l.so:0",
           "3 2 /x.c:5 g");
    EXPECT(heap, ASNAP_KEY_TRACEBACK, false, "4 1 /l.so:0 g /m.c:1 main",
           "4 1 /l.so:0 f /m.c:1 main", "4 1 /l.so:0 /m.c:1 main", "3 2 /x.c:5 g /m.c:1 main");
    EXPECT(heap, ASNAP_KEY_FILENAME, false, "12 3 /l.so:0", "3 2 /x.c:0");
}

ASNAP_TEST(statistics, the_function_that_holds_most_is_shown)
{
    static const struct heap_blocks most_bytes[] = {
        {.size = 1, .count = 9, .stack = {{"/t.h", "a<int>", 5, true, 0}}},
        {.size = 6, .count = 1, .stack = {{"/t.h", "a<char>", 5, true, 0}}},
        {.size = 6, .count = 1, .stack = {{"/t.h", "a<char>", 5, false, 0}}},
        {.size = 99, .count = 1, .stack = {{"/t.h", NULL, 5, false, 0}}},
    };
    EXPECT(most_bytes, ASNAP_KEY_LINENO, false, "120 12 /t.h:5 a<char>");
    static const struct heap_blocks most_blocks[] = {
        {.size = 4, .count = 1, .stack = {{"/t.h", "a", 5, false, 0}}},
        {.size = 2, .count = 2, .stack = {{"/t.h", "b", 5, true, 0}}},
    };
    EXPECT(most_blocks, ASNAP_KEY_LINENO, false, "8 3 /t.h:5 b (inlined)");
    static const struct heap_blocks smallest_name[] = {
        {.size = 4, .count = 1, .stack = {{"/t.h", "b", 5, false, 0}}},
        {.size = 4, .count = 1, .stack = {{"/t.h", "a", 5, false, 0}}},
        {.size = 4, .count = 1, .stack = {{"/t.h", "c", 5, false, 0}}},
    };
    EXPECT(smallest_name, ASNAP_KEY_LINENO, false, "12 3 /t.h:5 a");
    EXPECT(smallest_name, ASNAP_KEY_TRACEBACK, false, "12 3 /t.h:5 a");
}

ASNAP_TEST(statistics, the_largest_member_stands_for_a_traceback)
{
    static const struct heap_blocks heap[] = {
        {.size = 5, .count = 1, .stack = {{"/t.h", "a", 5, false, 0}, {"/m.c", "x", 1, false, 0}}},
        {.size = 6,
         .count = 1,
         .total_nframe = 9,
         .stack = {{"/t.h", "b", 5, true, 0}, {"/m.c", "x", 1, false, 0}}},
        {.size = 3, .count = 1, .stack = {{"/t.h", "a", 5, false, 0}, {"/m.c", "y", 1, false, 0}}},
    };
    EXPECT(heap, ASNAP_KEY_TRACEBACK, false, "14 3 /t.h:5 b (inlined) /m.c:1 x");
    struct asnap_statistics *statistics =
        heap_statistics(heap_snapshot(heap, COUNT(heap)), ASNAP_KEY_TRACEBACK, false);
    struct asnap_statistic row = asnap_statistics_row(statistics, 0);
    CU_ASSERT_EQUAL(row.total_nframe, 9);
    CU_ASSERT_EQUAL(row.function_count, 2);
    asnap_statistics_destroy(statistics);
}

/* Of equal members the one with the fewest frames does; an unknown number comes last. */
ASNAP_TEST(statistics, counted_frames_come_before_unknown_ones)
{
    static const struct heap_blocks heap[] = {
        {.size = 5,
         .count = 1,
         .total_nframe = ASNAP_TOTAL_UNKNOWN,
         .stack = {{"/t.h", "a", 5, false, 0}}},
        {.size = 5, .count = 1, .total_nframe = 9, .stack = {{"/t.h", "a", 5, false, 0}}},
        {.size = 6,
         .count = 1,
         .total_nframe = ASNAP_TOTAL_UNKNOWN,
         .stack = {{"/t.h", "a", 6, false, 0}}},
        {.size = 1, .count = 1, .total_nframe = 2, .stack = {{"/t.h", "a", 6, false, 0}}},
    };
    static const uint32_t totals[] = {9, ASNAP_TOTAL_UNKNOWN};
    struct asnap_statistics *statistics =
        heap_statistics(heap_snapshot(heap, COUNT(heap)), ASNAP_KEY_TRACEBACK, false);
    CU_ASSERT_EQUAL_FATAL(asnap_statistics_count(statistics), 2);
    for (size_t i = 0; i < 2; i++)
        CU_ASSERT_EQUAL(asnap_statistics_row(statistics, i).total_nframe, totals[i]);
    asnap_statistics_destroy(statistics);
}

/* Live process and core give the blocks in another order; the rows may not tell. */
ASNAP_TEST(statistics, do_not_depend_on_the_order_of_blocks)
{
    struct heap_blocks heap[] = {
        {.size = 4, .count = 1, .stack = {{"/t.h", "b", 5, true, 0}, {"/m.c", "x", 1, false, 0}}},
        {.size = 4, .count = 1, .stack = {{"/t.h", "b", 5, false, 0}, {"/m.c", "x", 1, false, 0}}},
        {.size = 4, .count = 1, .stack = {{"/t.h", "a", 5, true, 0}, {"/m.c", "x", 1, false, 0}}},
        {.size = 4, .count = 1, .stack = {{"/t.h", "a", 5, true, 0}, {"/m.c", "w", 1, false, 0}}},
    };
    for (size_t turn = 0; turn < COUNT(heap); turn++) {
        EXPECT(heap, ASNAP_KEY_TRACEBACK, false, "16 4 /t.h:5 a (inlined) /m.c:1 w");
        EXPECT(heap, ASNAP_KEY_LINENO, false, "16 4 /t.h:5 a (inlined)");
        struct heap_blocks first = heap[0];
        memmove(heap, heap + 1, sizeof(heap) - sizeof(heap[0]));
        heap[COUNT(heap) - 1] = first;
    }
}

ASNAP_TEST(statistics, count_the_functions_of_a_group)
{
    static const struct heap_blocks heap[] = {
        {.size = 9, .count = 1, .stack = {{"/t.h", "a", 5, false, 0}, {"/t.h", "m", 7, false, 0}}},
        {.size = 9, .count = 1, .stack = {{"/t.h", "b", 5, false, 0}, {"/t.h", "m", 7, false, 0}}},
        {.size = 9, .count = 1, .stack = {{"/t.h", NULL, 5, false, 0}}},
        {.size = 1, .count = 1, .stack = {{"/t.h", "a", 6, false, 0}}},
        {.size = 1, .count = 1, .stack = {{"/t.h", "b", 6, false, 0}}},
        {.size = 1, .count = 1, .stack = {{"/t.h", "c", 6, true, 0}}},
    };
    static const struct {
        enum asnap_key key;
        bool cumulative;
        uint32_t functions;
    } modes[] = {
        {ASNAP_KEY_FILENAME, false, 3},
        {ASNAP_KEY_FILENAME, true, 4},
        {ASNAP_KEY_LINENO, false, 2},
        {ASNAP_KEY_TRACEBACK, false, 2},
    };
    for (size_t i = 0; i < COUNT(modes); i++) {
        struct asnap_statistics *statistics =
            heap_statistics(heap_snapshot(heap, COUNT(heap)), modes[i].key, modes[i].cumulative);
        CU_ASSERT_EQUAL(asnap_statistics_row(statistics, 0).function_count, modes[i].functions);
        asnap_statistics_destroy(statistics);
    }
}

ASNAP_TEST(statistics, totals_count_each_block_once)
{
    struct asnap_statistics *statistics =
        heap_statistics(heap_snapshot(small_heap, COUNT(small_heap)), ASNAP_KEY_FILENAME, true);
    CU_ASSERT_EQUAL(asnap_statistics_total_size(statistics), 340);
    CU_ASSERT_EQUAL(asnap_statistics_total_count(statistics), 6);
    asnap_statistics_destroy(statistics);
}

ASNAP_TEST(statistics, of_an_empty_snapshot)
{
    for (int key = ASNAP_KEY_FILENAME; key <= ASNAP_KEY_TRACEBACK; key++) {
        struct asnap_statistics *statistics =
            heap_statistics(heap_snapshot(NULL, 0), (enum asnap_key)key, false);
        CU_ASSERT_EQUAL(asnap_statistics_count(statistics), 0);
        CU_ASSERT_EQUAL(asnap_statistics_total_size(statistics), 0);
        CU_ASSERT_EQUAL(asnap_statistics_total_count(statistics), 0);
        asnap_statistics_destroy(statistics);
    }
}

/* More rows than are sorted by insertion, with runs of equals at every level. */
ASNAP_TEST(statistics, order_of_many_rows)
{
    struct asnap_builder *builder = NULL;
    ASNAP_ASSERT_OK(asnap_builder_create(&builder));
    for (uint32_t i = 0; i < 600; i++) {
        struct asnap_frame frame = {.filename = "/a.c", .lineno = (i * 7) % 600 + 1};
        struct asnap_trace trace = {.size = i % 3 * 300};
        uint32_t id;
        ASNAP_ASSERT_OK(asnap_builder_frame(builder, &frame, 0, ASNAP_NO_MAPPING, &id));
        ASNAP_ASSERT_OK(asnap_builder_traceback(builder, &id, 1, 0, &trace.traceback_id));
        ASNAP_ASSERT_OK(asnap_builder_traces(builder, &trace, 1));
    }
    struct asnap_snapshot *snapshot = NULL;
    ASNAP_ASSERT_OK(asnap_builder_finish(builder, 1, &snapshot));
    asnap_builder_destroy(builder);
    for (int key = ASNAP_KEY_LINENO; key <= ASNAP_KEY_TRACEBACK; key++) {
        struct asnap_statistics *statistics = NULL;
        ASNAP_ASSERT_OK(asnap_statistics_create(snapshot, (enum asnap_key)key, false, &statistics));
        CU_ASSERT_EQUAL_FATAL(asnap_statistics_count(statistics), 600);
        for (size_t i = 1; i < 600; i++) {
            uint64_t before = asnap_statistics_row(statistics, i - 1).size;
            uint64_t size = asnap_statistics_row(statistics, i).size;
            CU_ASSERT_FATAL(before > size || (before == size &&
                                              asnap_statistics_frame(statistics, i - 1, 0).lineno >
                                                  asnap_statistics_frame(statistics, i, 0).lineno));
        }
        asnap_statistics_destroy(statistics);
    }
    asnap_snapshot_destroy(snapshot);
}

struct sweep {
    const struct asnap_snapshot *snapshot;
    enum asnap_key key;
};

static struct asnap_error *make_statistics(void *context)
{
    const struct sweep *sweep = context;
    struct asnap_statistics *statistics = NULL;
    struct asnap_error *error =
        asnap_statistics_create(sweep->snapshot, sweep->key, false, &statistics);
    CU_ASSERT((error == NULL) == (statistics != NULL));
    asnap_statistics_destroy(statistics);
    return error;
}

ASNAP_TEST(statistics, survive_every_failed_allocation)
{
    struct asnap_snapshot *snapshot = heap_snapshot(small_heap, COUNT(small_heap));
    struct sweep sweep = {snapshot, ASNAP_KEY_FILENAME};
    CU_ASSERT(asnap_unit_sweep(make_statistics, &sweep) > 5);
    sweep.key = ASNAP_KEY_LINENO;
    CU_ASSERT(asnap_unit_sweep(make_statistics, &sweep) > 5);
    sweep.key = ASNAP_KEY_TRACEBACK;
    CU_ASSERT(asnap_unit_sweep(make_statistics, &sweep) > 5);
    asnap_snapshot_destroy(snapshot);
}
