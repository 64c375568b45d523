/* Which thread asked for a block, and when; and which file a frame was in. */
#include <string.h>

#include "test_model_heap.h"

#define START UINT64_C(1715954590123456789)

static struct asnap_builder *new_builder(uint32_t *traceback)
{
    struct asnap_builder *builder = NULL;
    const struct asnap_frame frame = {"/s/a.c", "f", 1, false, 0};
    uint32_t id;
    ASNAP_ASSERT_OK(asnap_builder_create(&builder));
    ASNAP_ASSERT_OK(asnap_builder_frame(builder, &frame, 0, ASNAP_NO_MAPPING, &id));
    ASNAP_ASSERT_OK(asnap_builder_traceback(builder, &id, 1, 0, traceback));
    return builder;
}

static struct asnap_snapshot *finish(struct asnap_builder *builder)
{
    struct asnap_snapshot *snapshot = NULL;
    ASNAP_ASSERT_OK(asnap_builder_finish(builder, 16, &snapshot));
    asnap_builder_destroy(builder);
    return snapshot;
}

/* Blocks of a heap with times; the first field tells the place by age. */
static const struct {
    uint32_t place;
    struct asnap_trace trace;
} aged[] = {
    {3, {0x5000, 8, 0, 0, 1, 500}},
    {0, {0x9000, 1, 0, 0, 2, 0}},
    {2, {0x3000, 8, 0, 0, 1, 500}},
    {1, {0x4000, 9, 0, 0, 0, 500}},
    {5, {0x1000, 5, 0, 0, 1, ASNAP_TIME_UNKNOWN}},
    {4, {0x2000, 6, 0, 0, 2, ASNAP_TIME_UNKNOWN}},
};
#define AGED (sizeof(aged) / sizeof(aged[0]))

static struct asnap_snapshot *aged_snapshot(uint64_t start)
{
    static const uint32_t threads[] = {0, 4711, 4712};
    uint32_t traceback;
    struct asnap_builder *builder = new_builder(&traceback);
    CU_ASSERT_EQUAL_FATAL(traceback, 0);
    ASNAP_ASSERT_OK(asnap_builder_threads(builder, threads, 3));
    ASNAP_ASSERT_OK(asnap_builder_start_time(builder, start));
    for (size_t i = 0; i < AGED; i++)
        ASNAP_ASSERT_OK(asnap_builder_traces(builder, &aged[i].trace, 1));
    return finish(builder);
}

ASNAP_TEST(model_origins, are_kept_as_given)
{
    struct asnap_snapshot *snapshot = aged_snapshot(START);
    const struct asnap_trace *traces = NULL;
    ASNAP_ASSERT_OK(asnap_snapshot_traces(snapshot, &traces));
    for (size_t i = 0; i < AGED; i++)
        CU_ASSERT(traces[i].thread == aged[i].trace.thread && traces[i].time == aged[i].trace.time);
    CU_ASSERT_EQUAL(asnap_snapshot_start_time(snapshot), START);
    CU_ASSERT_EQUAL_FATAL(asnap_snapshot_thread_count(snapshot), 3);
    CU_ASSERT_EQUAL(asnap_snapshot_thread(snapshot, 0), 0);
    CU_ASSERT_EQUAL(asnap_snapshot_thread(snapshot, 2), 4712);
    CU_ASSERT_EQUAL(asnap_snapshot_thread(snapshot, 3), 0);
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(model_origins, times_count_only_from_a_start)
{
    struct asnap_snapshot *snapshot = aged_snapshot(0);
    const struct asnap_trace *traces = NULL;
    ASNAP_ASSERT_OK(asnap_snapshot_traces(snapshot, &traces));
    for (size_t i = 0; i < AGED; i++)
        CU_ASSERT_EQUAL(traces[i].time, ASNAP_TIME_UNKNOWN);
    CU_ASSERT_EQUAL(asnap_snapshot_start_time(snapshot), 0);
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(model_origins, oldest_come_first)
{
    struct asnap_snapshot *snapshot = aged_snapshot(START);
    uint32_t places[AGED];
    ASNAP_ASSERT_OK(asnap_snapshot_oldest(snapshot, AGED, places));
    for (uint32_t i = 0; i < AGED; i++)
        CU_ASSERT_EQUAL(aged[places[i]].place, i);
    places[2] = 77;
    ASNAP_ASSERT_OK(asnap_snapshot_oldest(snapshot, 2, places));
    CU_ASSERT(aged[places[1]].place == 1 && places[2] == 77);
    const struct asnap_filter filter = {.inclusive = true, .filename_pattern = "/s/a.c"};
    struct asnap_snapshot *filtered = NULL;
    ASNAP_ASSERT_OK(asnap_snapshot_filter(snapshot, &filter, 1, &filtered));
    asnap_snapshot_destroy(snapshot);
    ASNAP_ASSERT_OK(asnap_snapshot_oldest(filtered, AGED, places));
    for (uint32_t i = 0; i < AGED; i++)
        CU_ASSERT_EQUAL(aged[places[i]].place, i);
    CU_ASSERT_EQUAL(asnap_snapshot_thread(filtered, 1), 4711);
    asnap_snapshot_destroy(filtered);
}

ASNAP_TEST(model_origins, builder_refuses_unknown_threads)
{
    static const uint32_t threads[] = {0, 4711, 4712};
    uint32_t traceback;
    struct asnap_builder *builder = new_builder(&traceback);
    struct asnap_trace trace = {.traceback_id = traceback, .thread = 1};
    ASNAP_ASSERT_ERROR(asnap_builder_traces(builder, &trace, 1), ASNAP_ERROR_INVALID_ARGUMENT);
    ASNAP_ASSERT_ERROR(asnap_builder_threads(builder, threads + 1, 2),
                       ASNAP_ERROR_INVALID_ARGUMENT);
    ASNAP_ASSERT_OK(asnap_builder_threads(builder, threads, 2));
    ASNAP_ASSERT_ERROR(asnap_builder_threads(builder, threads, 3), ASNAP_ERROR_INVALID_ARGUMENT);
    ASNAP_ASSERT_OK(asnap_builder_traces(builder, &trace, 1));
    trace.thread = 2;
    ASNAP_ASSERT_ERROR(asnap_builder_traces(builder, &trace, 1), ASNAP_ERROR_INVALID_ARGUMENT);
    struct asnap_snapshot *snapshot = NULL;
    ASNAP_ASSERT_OK(asnap_builder_finish(builder, 16, &snapshot));
    ASNAP_ASSERT_ERROR(asnap_builder_threads(builder, threads, 3), ASNAP_ERROR_INVALID_ARGUMENT);
    ASNAP_ASSERT_ERROR(asnap_builder_start_time(builder, 1), ASNAP_ERROR_INVALID_ARGUMENT);
    asnap_builder_destroy(builder);
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(model_origins, one_address_in_two_mappings_is_two_frames)
{
    static const struct asnap_mapping mappings[] = {
        {0x1000, 0x3000, 0, "/lib/new.so", "c0"},
        {0x1000, 0x2000, ASNAP_WHOLE_FILE, "/lib/gone.so", "ed"},
    };
    const struct asnap_frame frame = {.filename = "<unknown>"};
    struct asnap_builder *builder = NULL;
    uint32_t ids[3], again;
    ASNAP_ASSERT_OK(asnap_builder_create(&builder));
    ASNAP_ASSERT_ERROR(asnap_builder_frame(builder, &frame, 0x1234, 0, &ids[0]),
                       ASNAP_ERROR_INVALID_ARGUMENT);
    for (size_t i = 0; i < 2; i++)
        ASNAP_ASSERT_OK(asnap_builder_mapping(builder, &mappings[i]));
    ASNAP_ASSERT_OK(asnap_builder_frame(builder, &frame, 0x1234, ASNAP_NO_MAPPING, &ids[0]));
    ASNAP_ASSERT_OK(asnap_builder_frame(builder, &frame, 0x1234, 1, &ids[1]));
    ASNAP_ASSERT_OK(asnap_builder_frame(builder, &frame, 0x1234, 0, &ids[2]));
    ASNAP_ASSERT_OK(asnap_builder_frame(builder, &frame, 0x1234, 1, &again));
    CU_ASSERT(again == ids[1] && ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
    struct asnap_snapshot *snapshot = finish(builder);
    CU_ASSERT_EQUAL(asnap_snapshot_frame_mapping(snapshot, ids[0]), UINT32_MAX);
    CU_ASSERT_EQUAL(asnap_snapshot_frame_mapping(snapshot, ids[1]), 1);
    CU_ASSERT_EQUAL(asnap_snapshot_frame_mapping(snapshot, ids[2]), 0);
    CU_ASSERT_EQUAL(asnap_snapshot_frame_address(snapshot, ids[1]), 0x1234);
    CU_ASSERT_EQUAL(asnap_snapshot_mapping(snapshot, 1).file_offset, ASNAP_WHOLE_FILE);
    asnap_snapshot_destroy(snapshot);
}
