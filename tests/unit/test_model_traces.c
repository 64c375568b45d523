#include <string.h>

#include "test_model_heap.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

/* Blocks of two tracebacks: number 0 is /s/a.c:1 from /s/m.c:9, number 1 is /s/b.c:2. */
static struct asnap_error *build(const struct asnap_trace *traces, size_t count,
                                 struct asnap_snapshot **snapshot)
{
    static const struct asnap_frame frames[] = {{"/s/a.c", "f", 1, true, 0},
                                                {"/s/m.c", "main", 9, false, 0},
                                                {"/s/b.c", NULL, 2, false, 0}};
    struct asnap_builder *builder = NULL;
    struct asnap_error *error = asnap_builder_create(&builder);
    uint32_t ids[3], traceback;
    for (size_t i = 0; error == NULL && i < 3; i++)
        error = asnap_builder_frame(builder, &frames[i], 0, ASNAP_NO_MAPPING, &ids[i]);
    if (error == NULL)
        error = asnap_builder_traceback(builder, ids, 2, 5, &traceback);
    if (error == NULL)
        error = asnap_builder_traceback(builder, ids + 2, 1, 0, &traceback);
    if (error == NULL)
        error = asnap_builder_traces(builder, traces, count);
    if (error == NULL)
        error = asnap_builder_finish(builder, 16, snapshot);
    asnap_builder_destroy(builder);
    return error;
}

static struct asnap_snapshot *snapshot_of(const struct asnap_trace *traces, size_t count)
{
    struct asnap_snapshot *snapshot = NULL;
    ASNAP_ASSERT_OK(build(traces, count, &snapshot));
    return snapshot;
}

static bool same(const struct asnap_trace *left, const struct asnap_trace *right)
{
    return left->address == right->address && left->size == right->size &&
           left->traceback_id == right->traceback_id && left->domain == right->domain;
}

/* The size of the block that holds an address; UINT64_MAX: none does. */
static uint64_t size_at(const struct asnap_snapshot *snapshot, uint64_t address)
{
    struct asnap_trace trace = {.size = 1234567};
    bool found = false;
    ASNAP_ASSERT_OK(asnap_snapshot_find(snapshot, address, &found, &trace));
    CU_ASSERT(found || trace.size == 1234567);
    return found ? trace.size : UINT64_MAX;
}

ASNAP_TEST(model_traces, are_lent_as_given)
{
    const struct asnap_trace given[] = {{0x5000, 16, 1, 0, 0, 0},
                                        {0x1000, 0, 0, 3, 0, 0},
                                        {0x3000, 7, 1, 0, 0, 0},
                                        {0x3000, 7, 1, 0, 0, 0}};
    struct asnap_snapshot *snapshot = snapshot_of(given, COUNT(given));
    const struct asnap_trace *traces = NULL;
    ASNAP_ASSERT_OK(asnap_snapshot_traces(snapshot, &traces));
    CU_ASSERT_EQUAL_FATAL(asnap_snapshot_count(snapshot), COUNT(given));
    for (size_t i = 0; i < COUNT(given); i++)
        CU_ASSERT(same(&traces[i], &given[i]));
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(model_traces, tracebacks_name_their_frames)
{
    struct asnap_snapshot *snapshot = snapshot_of(NULL, 0);
    CU_ASSERT_EQUAL_FATAL(asnap_snapshot_traceback_count(snapshot), 2);
    CU_ASSERT_EQUAL_FATAL(asnap_snapshot_frame_id_count(snapshot), 3);
    CU_ASSERT_EQUAL_FATAL(asnap_snapshot_frame_count(snapshot), 3);
    const struct asnap_traceback *tracebacks = asnap_snapshot_tracebacks(snapshot);
    CU_ASSERT_EQUAL(tracebacks[0].frame_count, 2);
    CU_ASSERT_EQUAL(tracebacks[0].total_nframe, 5);
    CU_ASSERT_EQUAL(tracebacks[1].frame_count, 1);
    CU_ASSERT_EQUAL(tracebacks[1].total_nframe, 1);
    const uint32_t *ids = asnap_snapshot_frame_ids(snapshot) + tracebacks[0].first;
    struct asnap_frame newest = asnap_snapshot_frame(snapshot, ids[0]);
    CU_ASSERT_STRING_EQUAL(newest.filename, "/s/a.c");
    CU_ASSERT_STRING_EQUAL(newest.function, "f");
    CU_ASSERT_EQUAL(newest.lineno, 1);
    CU_ASSERT(newest.inlined);
    struct asnap_frame all[3] = {0};
    asnap_snapshot_frames(snapshot, 0, 3, all);
    CU_ASSERT_STRING_EQUAL(all[ids[1]].filename, "/s/m.c");
    CU_ASSERT_EQUAL(all[ids[1]].lineno, 9);
    ids = asnap_snapshot_frame_ids(snapshot) + tracebacks[1].first;
    CU_ASSERT_STRING_EQUAL(all[ids[0]].filename, "/s/b.c");
    CU_ASSERT_PTR_NULL(all[ids[0]].function);
    struct asnap_frame last = {0};
    asnap_snapshot_frames(snapshot, 2, 1, &last);
    CU_ASSERT_STRING_EQUAL(last.filename, all[2].filename);
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(model_traces, find_looks_inside_blocks)
{
    const struct asnap_trace given[] = {{0x3000, 16, 0, 0, 0, 0},
                                        {0x1000, 1, 0, 0, 0, 0},
                                        {0x2000, 0, 1, 0, 0, 0},
                                        {0x3010, 8, 1, 0, 0, 0}};
    struct asnap_snapshot *snapshot = snapshot_of(given, COUNT(given));
    CU_ASSERT_EQUAL(size_at(snapshot, 0xfff), UINT64_MAX);
    CU_ASSERT_EQUAL(size_at(snapshot, 0x1000), 1);
    CU_ASSERT_EQUAL(size_at(snapshot, 0x1001), UINT64_MAX);
    CU_ASSERT_EQUAL(size_at(snapshot, 0x2000), 0);
    CU_ASSERT_EQUAL(size_at(snapshot, 0x2001), UINT64_MAX);
    CU_ASSERT_EQUAL(size_at(snapshot, 0x300f), 16);
    CU_ASSERT_EQUAL(size_at(snapshot, 0x3010), 8);
    CU_ASSERT_EQUAL(size_at(snapshot, 0x3017), 8);
    CU_ASSERT_EQUAL(size_at(snapshot, 0x3018), UINT64_MAX);
    CU_ASSERT_EQUAL(size_at(snapshot, 0), UINT64_MAX);
    CU_ASSERT_EQUAL(size_at(snapshot, UINT64_MAX), UINT64_MAX);
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(model_traces, find_prefers_the_innermost)
{
    const struct asnap_trace given[] = {
        {0x1000, 0x1000, 0, 0, 0, 0}, {0x1100, 0x100, 0, 1, 0, 0}, {0x1180, 0x10, 0, 2, 0, 0},
        {0x1188, 0x10, 0, 3, 0, 0},   {0x1800, 0x20, 0, 4, 0, 0},  {0x1800, 0x20, 0, 5, 0, 0},
    };
    struct asnap_snapshot *snapshot = snapshot_of(given, COUNT(given));
    const struct {
        uint64_t address;
        uint32_t domain;
    } wanted[] = {{0x1000, 0}, {0x1100, 1}, {0x1187, 2}, {0x1188, 3}, {0x118f, 3},
                  {0x1198, 1}, {0x1200, 0}, {0x181f, 4}, {0x1820, 0}, {0x1fff, 0}};
    for (size_t i = 0; i < COUNT(wanted); i++) {
        struct asnap_trace trace = {.domain = 77};
        bool found = false;
        ASNAP_ASSERT_OK(asnap_snapshot_find(snapshot, wanted[i].address, &found, &trace));
        CU_ASSERT(found);
        CU_ASSERT_EQUAL(trace.domain, wanted[i].domain);
    }
    CU_ASSERT_EQUAL(size_at(snapshot, 0x2000), UINT64_MAX);
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(model_traces, find_at_the_end_of_the_address_space)
{
    const struct asnap_trace given[] = {{UINT64_MAX - 3, 4, 0, 0, 0, 0},
                                        {UINT64_MAX - 1, 500, 1, 0, 0, 0}};
    struct asnap_snapshot *snapshot = snapshot_of(given, COUNT(given));
    CU_ASSERT_EQUAL(size_at(snapshot, UINT64_MAX), 4);
    CU_ASSERT_EQUAL(size_at(snapshot, UINT64_MAX - 4), UINT64_MAX);
    CU_ASSERT_EQUAL(size_at(snapshot, 0), UINT64_MAX);
    asnap_snapshot_destroy(snapshot);
}

/* Against a plain search, in a heap of nested and overlapping blocks. */
ASNAP_TEST(model_traces, find_agrees_with_a_plain_search)
{
    struct asnap_trace given[300];
    uint64_t random = 5;
    for (size_t i = 0; i < COUNT(given); i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        given[i] = (struct asnap_trace){
            .address = 0x1000 + (random >> 33) % 2000,
            .size = (random >> 50) % (i % 10 == 0 ? 700 : 12),
            .domain = (uint32_t)i,
        };
    }
    struct asnap_snapshot *snapshot = snapshot_of(given, COUNT(given));
    for (uint64_t address = 0xff0; address < 0x1000 + 2800; address++) {
        const struct asnap_trace *best = NULL;
        for (size_t i = 0; i < COUNT(given); i++) {
            uint64_t size = given[i].size == 0 ? 1 : given[i].size;
            if (address < given[i].address || address - given[i].address >= size)
                continue;
            if (best == NULL || given[i].size < best->size ||
                (given[i].size == best->size && given[i].address > best->address))
                best = &given[i];
        }
        struct asnap_trace trace;
        bool found = false;
        ASNAP_ASSERT_OK(asnap_snapshot_find(snapshot, address, &found, &trace));
        CU_ASSERT_EQUAL_FATAL(found, best != NULL);
        CU_ASSERT(best == NULL || same(&trace, best));
    }
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(model_traces, filtered_snapshots_list_what_they_keep)
{
    const struct asnap_trace given[] = {{0x1000, 1, 0, 0, 0, 0}, {0x2000, 2, 1, 0, 0, 0},
                                        {0x3000, 4, 0, 7, 0, 0}, {0x4000, 8, 0, 0, 0, 0},
                                        {0x5000, 9, 0, 9, 0, 0}, {0x6000, 3, 0, 7, 0, 0},
                                        {0x7000, 5, 1, 7, 0, 0}};
    struct asnap_snapshot *snapshot = snapshot_of(given, COUNT(given));
    const struct asnap_filter filters[] = {
        {.inclusive = true, .filename_pattern = "/s/a.c"},
        {.inclusive = false, .has_domain = true, .domain = 9},
    };
    struct asnap_snapshot *filtered = NULL;
    ASNAP_ASSERT_OK(asnap_snapshot_filter(snapshot, filters, 2, &filtered));
    CU_ASSERT_EQUAL(size_at(snapshot, 0x2001), 2);
    asnap_snapshot_destroy(snapshot);
    const struct asnap_trace *traces = NULL;
    ASNAP_ASSERT_OK(asnap_snapshot_traces(filtered, &traces));
    CU_ASSERT_EQUAL_FATAL(asnap_snapshot_count(filtered), 4);
    CU_ASSERT(same(&traces[0], &given[0]));
    CU_ASSERT(same(&traces[1], &given[2]));
    CU_ASSERT(same(&traces[2], &given[3]));
    CU_ASSERT(same(&traces[3], &given[5]));
    const struct asnap_trace *again = NULL;
    ASNAP_ASSERT_OK(asnap_snapshot_traces(filtered, &again));
    CU_ASSERT_PTR_EQUAL(traces, again);
    CU_ASSERT_EQUAL(size_at(filtered, 0x4007), 8);
    CU_ASSERT_EQUAL(size_at(filtered, 0x2000), UINT64_MAX);
    CU_ASSERT_EQUAL(size_at(filtered, 0x5000), UINT64_MAX);
    struct asnap_filter domain = {.inclusive = true, .has_domain = true, .domain = 7};
    struct asnap_snapshot *twice = NULL;
    ASNAP_ASSERT_OK(asnap_snapshot_filter(filtered, &domain, 1, &twice));
    asnap_snapshot_destroy(filtered);
    ASNAP_ASSERT_OK(asnap_snapshot_traces(twice, &traces));
    CU_ASSERT_EQUAL_FATAL(asnap_snapshot_count(twice), 2);
    CU_ASSERT(same(&traces[0], &given[2]));
    CU_ASSERT(same(&traces[1], &given[5]));
    asnap_snapshot_destroy(twice);
}

static struct asnap_error *list_and_find(void *context)
{
    const struct asnap_filter *filter = context;
    const struct asnap_trace given[] = {{0x1000, 1, 0, 0, 0, 0}, {0x2000, 2, 1, 0, 0, 0}};
    struct asnap_snapshot *snapshot = NULL;
    struct asnap_snapshot *filtered = NULL;
    const struct asnap_trace *traces = NULL;
    struct asnap_trace trace;
    bool found = false;
    struct asnap_error *error = build(given, COUNT(given), &snapshot);
    if (error == NULL)
        error = asnap_snapshot_filter(snapshot, filter, 1, &filtered);
    asnap_snapshot_destroy(snapshot);
    if (error == NULL)
        error = asnap_snapshot_find(filtered, 0x2000, &found, &trace);
    if (error == NULL)
        error = asnap_snapshot_traces(filtered, &traces);
    CU_ASSERT((error == NULL) == (traces != NULL));
    CU_ASSERT(error != NULL || (found && trace.size == 2));
    asnap_snapshot_destroy(filtered);
    return error;
}

ASNAP_TEST(model_traces, survives_every_failed_allocation)
{
    struct asnap_filter filter = {.inclusive = true, .filename_pattern = "/s/b.c"};
    CU_ASSERT(asnap_unit_sweep(list_and_find, &filter) > 25);
}
