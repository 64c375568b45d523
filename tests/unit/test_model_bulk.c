/* What copies many at once gives the same as what gives one. */
#include "test_model_heap.h"

#define ROWS 3

static const struct heap_blocks blocks[] = {
    {.size = 100, .count = 1, .stack = {{"/b.c", "f", 5, true, 0}, {"/m.c", "main", 1, false, 0}}},
    {.size = 10, .count = 2, .stack = {{"/a.c", "g", 3, false, 0}, {"/m.c", "main", 1, false, 0}}},
    {.size = 7, .count = 1, .stack = {{"/l.so", NULL, 0, false, 0}}},
};

static bool same_frame(const struct asnap_frame *left, const struct asnap_frame *right)
{
    return left->filename == right->filename && left->function == right->function &&
           left->lineno == right->lineno && left->inlined == right->inlined;
}

ASNAP_TEST(model_bulk, statistics)
{
    struct asnap_statistics *statistics =
        heap_statistics(heap_snapshot(blocks, ROWS), ASNAP_KEY_TRACEBACK, false);
    struct asnap_statistic rows[ROWS];
    CU_ASSERT_EQUAL_FATAL(asnap_statistics_count(statistics), ROWS);
    asnap_statistics_rows(statistics, 0, 1, rows);
    asnap_statistics_rows(statistics, 1, ROWS - 1, rows + 1);
    for (size_t i = 0; i < ROWS; i++) {
        struct asnap_statistic row = asnap_statistics_row(statistics, i);
        struct asnap_frame frames[2];
        CU_ASSERT_EQUAL(rows[i].size, row.size);
        CU_ASSERT_EQUAL(rows[i].count, row.count);
        CU_ASSERT_EQUAL(rows[i].total_nframe, row.total_nframe);
        CU_ASSERT_EQUAL(rows[i].function_count, row.function_count);
        CU_ASSERT_EQUAL_FATAL(rows[i].frame_count, i < 2 ? 2 : 1);
        asnap_statistics_frames(statistics, i, frames);
        for (size_t j = 0; j < rows[i].frame_count; j++) {
            struct asnap_frame frame = asnap_statistics_frame(statistics, i, j);
            CU_ASSERT(same_frame(&frames[j], &frame));
        }
    }
    CU_ASSERT_EQUAL(rows[0].size, 100);
    CU_ASSERT_EQUAL(rows[2].size, 7);
    asnap_statistics_destroy(statistics);
}

ASNAP_TEST(model_bulk, diff)
{
    struct asnap_snapshot *new_snapshot = heap_snapshot(blocks, ROWS);
    struct asnap_snapshot *old_snapshot = heap_snapshot(blocks + 1, 1);
    struct asnap_diff *diff = NULL;
    ASNAP_ASSERT_OK(
        asnap_diff_create(new_snapshot, old_snapshot, ASNAP_KEY_TRACEBACK, false, &diff));
    asnap_snapshot_destroy(new_snapshot);
    asnap_snapshot_destroy(old_snapshot);
    struct asnap_statistic_diff rows[ROWS];
    CU_ASSERT_EQUAL_FATAL(asnap_diff_count(diff), ROWS);
    asnap_diff_rows(diff, 0, ROWS, rows);
    for (size_t i = 0; i < ROWS; i++) {
        struct asnap_statistic_diff row = asnap_diff_row(diff, i);
        struct asnap_frame frames[2];
        CU_ASSERT_EQUAL(rows[i].size, row.size);
        CU_ASSERT_EQUAL(rows[i].size_diff, row.size_diff);
        CU_ASSERT_EQUAL(rows[i].count_diff, row.count_diff);
        CU_ASSERT_EQUAL_FATAL(rows[i].frame_count, row.frame_count);
        asnap_diff_frames(diff, i, frames);
        for (size_t j = 0; j < rows[i].frame_count; j++) {
            struct asnap_frame frame = asnap_diff_frame(diff, i, j);
            CU_ASSERT(same_frame(&frames[j], &frame));
        }
    }
    CU_ASSERT_EQUAL(rows[0].size_diff, 100);
    CU_ASSERT_EQUAL(rows[2].size_diff, 0);
    asnap_diff_destroy(diff);
}

ASNAP_TEST(model_bulk, tracebacks)
{
    struct asnap_builder *builder = NULL;
    ASNAP_ASSERT_OK(asnap_builder_create(&builder));
    struct asnap_frame frames[] = {{.filename = "/a.c", .lineno = 1},
                                   {.filename = "/a.c", .lineno = 2}};
    uint32_t ids[2];
    for (size_t i = 0; i < 2; i++)
        ASNAP_ASSERT_OK(asnap_builder_frame(builder, &frames[i], 0, ASNAP_NO_MAPPING, &ids[i]));
    const uint32_t frame_ids[] = {ids[0], ids[0], ids[1], ids[0]};
    const uint32_t frame_counts[] = {1, 2, 1};
    const uint32_t total_nframes[] = {1, 7, 0};
    uint32_t tracebacks[3];
    ASNAP_ASSERT_OK(
        asnap_builder_tracebacks(builder, frame_ids, frame_counts, total_nframes, 3, tracebacks));
    uint32_t again = 0;
    ASNAP_ASSERT_OK(asnap_builder_traceback(builder, frame_ids + 1, 2, 7, &again));
    CU_ASSERT_EQUAL(again, tracebacks[1]);
    CU_ASSERT_EQUAL(tracebacks[0], tracebacks[2]);
    CU_ASSERT_NOT_EQUAL(tracebacks[0], tracebacks[1]);
    const uint32_t never_added[] = {ids[0], 99};
    ASNAP_ASSERT_ERROR(
        asnap_builder_tracebacks(builder, never_added, frame_counts, total_nframes, 2, tracebacks),
        ASNAP_ERROR_INVALID_ARGUMENT);
    asnap_builder_destroy(builder);
}
