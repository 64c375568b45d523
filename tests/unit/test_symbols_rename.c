/* Snapshots whose frames are named after they were taken. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "raw.h"
#include "test_model_dump.h"
#include "test_model_heap.h"
#include "test_symbols_process.h"

__attribute__((noinline)) static uint64_t address_of_call(void)
{
    uint64_t address = (uint64_t)__builtin_return_address(0);
    __asm__ volatile("" : "+r"(address));
    return address;
}

static inline __attribute__((always_inline)) uint64_t inlined_into_outer(void)
{
    return address_of_call();
}

__attribute__((noinline)) static uint64_t outer(void)
{
    uint64_t address = inlined_into_outer();
    __asm__ volatile("" : "+r"(address));
    return address;
}

static bool stop_at_once(void *context, const char *step, uint64_t done, uint64_t total)
{
    (void)step;
    (void)done;
    (void)total;
    ++*(size_t *)context;
    return false;
}

/* A snapshot of two blocks: one asked for in a function with another inlined into it, and
 * one nowhere. */
static struct asnap_error *take(struct asnap_symbolizer *symbolizer,
                                enum asnap_naming_extent extent,
                                const struct asnap_progress *progress,
                                struct asnap_snapshot **snapshot)
{
    struct asnap_raw_node nodes[] = {{2, ASNAP_RAW_NONE, 0}, {outer(), 0, 0}, {1, 0, 0}};
    const struct asnap_trace traces[] = {{0x100, 10, 1, 0, 0, 0}, {0x200, 3, 2, 0, 0, 0}};
    struct asnap_raw raw = {
        .trace_count = 2, .nodes = nodes, .node_count = 3, .frame_limit = 16, .dropped = 1};
    raw.traces = malloc(sizeof(traces));
    CU_ASSERT_PTR_NOT_NULL_FATAL(raw.traces);
    memcpy(raw.traces, traces, sizeof(traces));
    return asnap_snapshot_create(&raw, symbolizer, extent, progress, snapshot);
}

static struct asnap_snapshot *taken(enum asnap_naming_extent extent,
                                    const struct asnap_progress *progress)
{
    struct asnap_symbolizer *symbolizer = own_symbolizer(NULL);
    struct asnap_snapshot *snapshot = NULL;
    ASNAP_ASSERT_OK(take(symbolizer, extent, progress, &snapshot));
    asnap_symbolizer_destroy(symbolizer);
    return snapshot;
}

/* What a frame of the larger block has its name from; most recent first. */
static unsigned named_by(const struct asnap_snapshot *snapshot, uint32_t place)
{
    const struct asnap_trace *traces = NULL;
    ASNAP_ASSERT_OK(asnap_snapshot_traces(snapshot, &traces));
    uint64_t first = asnap_snapshot_tracebacks(snapshot)[traces[0].traceback_id].first;
    return asnap_snapshot_frame(snapshot, asnap_snapshot_frame_ids(snapshot)[first + place])
        .named_by;
}

static void check_same(struct asnap_snapshot *named)
{
    struct asnap_snapshot *whole = taken(ASNAP_NAMING_WHOLE, NULL);
    CU_ASSERT_EQUAL(named_by(named, 0), ASNAP_NAMED_INLINE);
    CU_ASSERT_EQUAL(named_by(named, 1), ASNAP_NAMED_LINE);
    CU_ASSERT_EQUAL_FATAL(asnap_snapshot_note_count(named), asnap_snapshot_note_count(whole));
    CU_ASSERT_STRING_EQUAL(asnap_snapshot_note(named, 0), asnap_snapshot_note(whole, 0));
    struct asnap_statistics *expected = heap_statistics(whole, ASNAP_KEY_TRACEBACK, false);
    struct asnap_statistics *rows = heap_statistics(named, ASNAP_KEY_TRACEBACK, false);
    CU_ASSERT_EQUAL_FATAL(asnap_statistics_count(rows), 2);
    char row[1024];
    for (size_t i = 0; i < 2; i++) {
        snprintf(row, sizeof(row), "%s", heap_row(rows, i));
        CU_ASSERT_STRING_EQUAL(row, heap_row(expected, i));
        CU_ASSERT_EQUAL(asnap_statistics_row(rows, i).total_nframe,
                        asnap_statistics_row(expected, i).total_nframe);
    }
    asnap_statistics_destroy(rows);
    asnap_statistics_destroy(expected);
}

/* Names a snapshot by its own mappings, with a symbolizer that has been told of none;
 * destroys it. */
static struct asnap_snapshot *symbolized(struct asnap_snapshot *snapshot)
{
    struct asnap_symbolizer *symbolizer = NULL;
    struct asnap_snapshot *named = NULL;
    ASNAP_ASSERT_OK(asnap_symbolizer_create(NULL, &symbolizer));
    ASNAP_ASSERT_OK(asnap_snapshot_symbolize(snapshot, symbolizer, NULL, &named));
    asnap_symbolizer_destroy(symbolizer);
    asnap_snapshot_destroy(snapshot);
    return named;
}

ASNAP_TEST(symbols_rename, a_snapshot_without_names)
{
    struct asnap_snapshot *bare = taken(ASNAP_NAMING_NOTHING, NULL);
    char address[32];
    snprintf(address, sizeof(address), "0x%llx", (unsigned long long)outer());
    CU_ASSERT_EQUAL(named_by(bare, 0), ASNAP_NAMED_ADDRESS);
    struct asnap_statistics *rows = NULL;
    ASNAP_ASSERT_OK(asnap_statistics_create(bare, ASNAP_KEY_TRACEBACK, false, &rows));
    struct asnap_frame frame = asnap_statistics_frame(rows, 0, 0);
    CU_ASSERT_STRING_EQUAL(frame.function, address);
    CU_ASSERT_STRING_EQUAL(frame.filename, own_path());
    CU_ASSERT_EQUAL(frame.lineno, 0);
    CU_ASSERT_STRING_EQUAL(asnap_statistics_frame(rows, 1, 0).filename, "<unknown>");
    asnap_statistics_destroy(rows);
    check_same(symbolized(bare));
}

ASNAP_TEST(symbols_rename, a_dump_without_names)
{
    struct asnap_snapshot *bare = taken(ASNAP_NAMING_NOTHING, NULL);
    const char *path = dump_path("bare");
    ASNAP_ASSERT_OK(asnap_snapshot_dump(bare, path, NULL, 0));
    asnap_snapshot_destroy(bare);
    ASNAP_ASSERT_OK(asnap_snapshot_load(path, &bare));
    CU_ASSERT_EQUAL(named_by(bare, 0), ASNAP_NAMED_ADDRESS);
    check_same(symbolized(bare));
}

ASNAP_TEST(symbols_rename, a_snapshot_whose_naming_was_stopped)
{
    size_t reports = 0;
    struct asnap_progress progress = {stop_at_once, &reports};
    struct asnap_snapshot *bare = taken(ASNAP_NAMING_UNTIL_STOPPED, &progress);
    CU_ASSERT_EQUAL(reports, 1);
    CU_ASSERT_EQUAL(named_by(bare, 0), ASNAP_NAMED_ADDRESS);
    check_same(symbolized(bare));
}

ASNAP_TEST(symbols_rename, stopping_it_changes_nothing)
{
    size_t reports = 0;
    struct asnap_progress progress = {stop_at_once, &reports};
    struct asnap_snapshot *bare = taken(ASNAP_NAMING_NOTHING, NULL);
    struct asnap_symbolizer *symbolizer = NULL;
    struct asnap_snapshot *named = NULL;
    ASNAP_ASSERT_OK(asnap_symbolizer_create(NULL, &symbolizer));
    ASNAP_ASSERT_ERROR(asnap_snapshot_symbolize(bare, symbolizer, &progress, &named),
                       ASNAP_ERROR_INTERRUPTED);
    CU_ASSERT_PTR_NULL(named);
    asnap_symbolizer_destroy(symbolizer);
    check_same(symbolized(bare));
}

ASNAP_TEST(symbols_rename, a_named_snapshot_stays_as_it_is)
{
    check_same(symbolized(taken(ASNAP_NAMING_WHOLE, NULL)));
}

ASNAP_TEST(symbols_rename, another_build_names_nothing)
{
    struct asnap_builder *builder = NULL;
    ASNAP_ASSERT_OK(asnap_builder_create(&builder));
    struct asnap_mapping mapping = {
        .start = 0x1000, .end = 0x100000, .path = own_path(), .build_id = "0123456789abcdef"};
    ASNAP_ASSERT_OK(asnap_builder_mapping(builder, &mapping));
    struct asnap_frame frame = {
        .filename = own_path(), .function = "0x2000", .named_by = ASNAP_NAMED_ADDRESS};
    uint32_t frame_id = 0;
    struct asnap_trace trace = {.address = 0x10, .size = 8};
    ASNAP_ASSERT_OK(asnap_builder_frame(builder, &frame, 0x2000, 0, &frame_id));
    ASNAP_ASSERT_OK(asnap_builder_traceback(builder, &frame_id, 1, 0, &trace.traceback_id));
    ASNAP_ASSERT_OK(asnap_builder_traces(builder, &trace, 1));
    struct asnap_snapshot *other = NULL;
    ASNAP_ASSERT_OK(asnap_builder_finish(builder, 16, &other));
    asnap_builder_destroy(builder);
    struct asnap_snapshot *named = symbolized(other);
    CU_ASSERT_EQUAL(named_by(named, 0), ASNAP_NAMED_ADDRESS);
    CU_ASSERT_EQUAL_FATAL(asnap_snapshot_note_count(named), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(asnap_snapshot_note(named, 0), "its build ID differs"));
    asnap_snapshot_destroy(named);
}

ASNAP_TEST(symbols_rename, a_stack_that_was_not_counted_stays_so)
{
    struct asnap_builder *builder = NULL;
    ASNAP_ASSERT_OK(asnap_builder_create(&builder));
    struct asnap_frame frame = {.filename = "/a.c", .lineno = 1};
    uint32_t frame_id = 0;
    struct asnap_trace trace = {.address = 0x10, .size = 8};
    ASNAP_ASSERT_OK(asnap_builder_frame(builder, &frame, 0, ASNAP_NO_MAPPING, &frame_id));
    ASNAP_ASSERT_OK(
        asnap_builder_traceback(builder, &frame_id, 1, ASNAP_TOTAL_UNKNOWN, &trace.traceback_id));
    ASNAP_ASSERT_OK(asnap_builder_traces(builder, &trace, 1));
    struct asnap_snapshot *counted = NULL;
    ASNAP_ASSERT_OK(asnap_builder_finish(builder, 1, &counted));
    asnap_builder_destroy(builder);
    struct asnap_snapshot *named = symbolized(counted);
    CU_ASSERT_EQUAL(asnap_snapshot_tracebacks(named)[0].total_nframe, ASNAP_TOTAL_UNKNOWN);
    asnap_snapshot_destroy(named);
}

ASNAP_TEST(symbols_rename, a_second_take_looks_up_nothing)
{
    size_t reports = 0;
    struct asnap_progress progress = {stop_at_once, &reports};
    struct asnap_symbolizer *symbolizer = own_symbolizer(NULL);
    struct asnap_snapshot *snapshot = NULL;
    ASNAP_ASSERT_OK(take(symbolizer, ASNAP_NAMING_WHOLE, NULL, &snapshot));
    asnap_snapshot_destroy(snapshot);
    /* Each look-up reports itself. */
    ASNAP_ASSERT_OK(take(symbolizer, ASNAP_NAMING_WHOLE, &progress, &snapshot));
    CU_ASSERT_EQUAL(reports, 0);
    CU_ASSERT_EQUAL(named_by(snapshot, 0), ASNAP_NAMED_INLINE);
    asnap_snapshot_destroy(snapshot);
    asnap_symbolizer_destroy(symbolizer);
}

struct sweep {
    struct asnap_snapshot *bare;
};

static struct asnap_error *try_symbolize(void *context)
{
    struct sweep *sweep = context;
    struct asnap_symbolizer *symbolizer = NULL;
    struct asnap_snapshot *named = NULL;
    struct asnap_error *error = asnap_symbolizer_create(NULL, &symbolizer);
    if (error == NULL)
        error = asnap_snapshot_symbolize(sweep->bare, symbolizer, NULL, &named);
    asnap_snapshot_destroy(named);
    asnap_symbolizer_destroy(symbolizer);
    return error;
}

ASNAP_TEST(symbols_rename, survives_every_failed_allocation)
{
    struct sweep sweep = {taken(ASNAP_NAMING_NOTHING, NULL)};
    CU_ASSERT(asnap_unit_sweep(try_symbolize, &sweep) > 30);
    asnap_snapshot_destroy(sweep.bare);
}
