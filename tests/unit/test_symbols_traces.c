/* From raw traces to snapshots. */
#include <stdlib.h>
#include <string.h>

#include "elf_file.h"
#include "error.h"
#include "raw.h"
#include "symbolizer.h"
#include "test_symbols_process.h"
#include "unit.h"

/* No file explains these addresses: each stands for one unknown frame. */
static struct asnap_symbolizer *empty_symbolizer(void)
{
    struct asnap_symbolizer *symbolizer;
    ASNAP_ASSERT_OK(asnap_symbolizer_create(NULL, &symbolizer));
    return symbolizer;
}

/* Raw traces, which a snapshot takes over, and nodes, which stay the caller's. */
static struct asnap_raw raw_of(const struct asnap_trace *traces, size_t trace_count,
                               struct asnap_raw_node *nodes, size_t node_count)
{
    struct asnap_raw raw = {
        .trace_count = trace_count, .nodes = nodes, .node_count = node_count, .frame_limit = 16};
    raw.traces = calloc(trace_count + 1, sizeof(*traces));
    if (raw.traces == NULL)
        CU_FAIL_FATAL("no memory");
    if (trace_count > 0)
        memcpy(raw.traces, traces, trace_count * sizeof(*traces));
    return raw;
}

static struct asnap_statistics *by_traceback(struct asnap_raw *raw,
                                             struct asnap_symbolizer *symbolizer,
                                             struct asnap_snapshot **snapshot)
{
    struct asnap_statistics *statistics;
    ASNAP_ASSERT_OK(asnap_snapshot_create(raw, symbolizer, ASNAP_NAMING_WHOLE, NULL, snapshot));
    ASNAP_ASSERT_OK(asnap_statistics_create(*snapshot, ASNAP_KEY_TRACEBACK, false, &statistics));
    return statistics;
}

ASNAP_TEST(symbols_traces, stacks_of_unknown_frames)
{
    /* Origin 0 leaves nothing out, origin 3 leaves 5 frames out. Node 5 is of no use. */
    struct asnap_raw_node nodes[] = {
        {0, ASNAP_RAW_NONE, 0}, {0x1001, 0, 0}, {0x1002, 1, 0},
        {5, ASNAP_RAW_NONE, 0}, {0x1001, 3, 0}, {0x9999, 0, 0},
    };
    struct asnap_trace traces[] = {
        {0x100, 10, 2, 0, 0, 0},
        {0x200, 20, 4, 0, 0, 0},
        {0x300, 30, 2, 0, 0, 0},
    };
    struct asnap_raw raw = raw_of(traces, 3, nodes, 6);
    struct asnap_symbolizer *symbolizer = empty_symbolizer();
    struct asnap_snapshot *snapshot;
    struct asnap_statistics *statistics = by_traceback(&raw, symbolizer, &snapshot);
    CU_ASSERT_EQUAL(asnap_snapshot_size(snapshot), 60);
    CU_ASSERT_EQUAL(asnap_snapshot_count(snapshot), 3);
    CU_ASSERT_EQUAL(asnap_snapshot_traceback_limit(snapshot), 16);
    CU_ASSERT_EQUAL(asnap_snapshot_note_count(snapshot), 0);
    CU_ASSERT_EQUAL_FATAL(asnap_statistics_count(statistics), 2);
    static const struct asnap_statistic expected[] = {
        {.size = 40, .count = 2, .frame_count = 2, .total_nframe = 2},
        {.size = 20, .count = 1, .frame_count = 1, .total_nframe = 6},
    };
    for (size_t i = 0; i < 2; i++) {
        struct asnap_statistic row = asnap_statistics_row(statistics, i);
        CU_ASSERT_EQUAL(row.size, expected[i].size);
        CU_ASSERT_EQUAL(row.count, expected[i].count);
        CU_ASSERT_EQUAL(row.frame_count, expected[i].frame_count);
        CU_ASSERT_EQUAL(row.total_nframe, expected[i].total_nframe);
    }
    CU_ASSERT_STRING_EQUAL(asnap_statistics_frame(statistics, 0, 1).filename, "<unknown>");
    asnap_statistics_destroy(statistics);
    asnap_snapshot_destroy(snapshot);
    asnap_symbolizer_destroy(symbolizer);
}

__attribute__((noinline)) static uint64_t call_address(void)
{
    uint64_t address = (uint64_t)__builtin_return_address(0);
    __asm__ volatile("" : "+r"(address));
    return address;
}

static inline __attribute__((always_inline)) uint64_t inlined_call(void)
{
    return call_address();
}

__attribute__((noinline)) static uint64_t real_call(void)
{
    uint64_t address = inlined_call();
    __asm__ volatile("" : "+r"(address));
    return address;
}

ASNAP_TEST(symbols_traces, one_address_may_be_two_frames)
{
    struct asnap_raw_node nodes[] = {
        {UINT64_MAX, ASNAP_RAW_NONE, 0}, {1, 0, 0}, {real_call(), 1, 0}, {1, 2, 0}};
    struct asnap_trace traces[] = {{0x100, 10, 3, 0, 0, 0}};
    struct asnap_raw raw = raw_of(traces, 1, nodes, 4);
    struct asnap_symbolizer *symbolizer = own_symbolizer(NULL);
    struct asnap_snapshot *snapshot;
    struct asnap_statistics *statistics = by_traceback(&raw, symbolizer, &snapshot);
    struct asnap_statistic row = asnap_statistics_row(statistics, 0);
    CU_ASSERT_EQUAL_FATAL(row.frame_count, 4);
    CU_ASSERT_EQUAL(row.total_nframe, 65535);
    static const char *const functions[] = {NULL, "inlined_call", "real_call", NULL};
    for (size_t i = 0; i < 4; i++) {
        struct asnap_frame frame = asnap_statistics_frame(statistics, 0, i);
        CU_ASSERT_EQUAL(frame.inlined, i == 1);
        CU_ASSERT_EQUAL_FATAL(frame.function == NULL, functions[i] == NULL);
        if (functions[i] != NULL)
            CU_ASSERT_STRING_EQUAL(frame.function, functions[i]);
    }
    asnap_statistics_destroy(statistics);
    asnap_snapshot_destroy(snapshot);
    asnap_symbolizer_destroy(symbolizer);
}

ASNAP_TEST(symbols_traces, frames_beyond_the_limit_only_count)
{
    /* The same stack of 5 frames, all of which were kept, or 4, or only as many as the
     * limit says; another whose frame within the limit differs. */
    struct asnap_raw_node nodes[] = {
        {0, ASNAP_RAW_NONE, 0}, {0x1005, 0, 0},  {0x1004, 1, 0},         {0x1003, 2, 0},
        {0x1002, 3, 0},         {0x1001, 4, 0},  {1, ASNAP_RAW_NONE, 0}, {0x1004, 6, 0},
        {0x1003, 7, 0},         {0x1002, 8, 0},  {0x1001, 9, 0},         {3, ASNAP_RAW_NONE, 0},
        {0x1002, 11, 0},        {0x1001, 12, 0}, {0x1009, 4, 0},
    };
    struct asnap_trace traces[] = {{0x100, 10, 5, 0, 0, 0},
                                   {0x200, 20, 10, 0, 0, 0},
                                   {0x300, 30, 13, 0, 0, 0},
                                   {0x400, 5, 14, 0, 0, 0}};
    struct asnap_raw raw = raw_of(traces, 4, nodes, 15);
    raw.frame_limit = 2;
    struct asnap_symbolizer *symbolizer = empty_symbolizer();
    struct asnap_snapshot *snapshot;
    struct asnap_statistics *statistics = by_traceback(&raw, symbolizer, &snapshot);
    CU_ASSERT_EQUAL_FATAL(asnap_snapshot_traceback_count(snapshot), 2);
    const struct asnap_traceback *tracebacks = asnap_snapshot_tracebacks(snapshot);
    for (size_t i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(tracebacks[i].frame_count, 2);
        CU_ASSERT_EQUAL(tracebacks[i].total_nframe, 5);
    }
    const uint32_t *ids = asnap_snapshot_frame_ids(snapshot) + tracebacks[0].first;
    CU_ASSERT_EQUAL(asnap_snapshot_frame_address(snapshot, ids[0]), 0x1001);
    CU_ASSERT_EQUAL(asnap_snapshot_frame_address(snapshot, ids[1]), 0x1002);
    CU_ASSERT_EQUAL(asnap_snapshot_frame_count(snapshot), 3);
    asnap_statistics_destroy(statistics);
    asnap_snapshot_destroy(snapshot);
    asnap_symbolizer_destroy(symbolizer);
}

ASNAP_TEST(symbols_traces, frames_that_were_not_counted_stay_unknown)
{
    /* The last stack is nothing but its origin. */
    struct asnap_raw_node nodes[] = {
        {ASNAP_RAW_NOT_COUNTED, ASNAP_RAW_NONE, 0},
        {0x1001, 0, 0},
        {0, ASNAP_RAW_NONE, 0},
        {0x1001, 2, 0},
    };
    struct asnap_trace traces[] = {
        {0x100, 10, 1, 0, 0, 0}, {0x200, 20, 3, 0, 0, 0}, {0x300, 5, 0, 0, 0, 0}};
    static const uint32_t totals[] = {ASNAP_TOTAL_UNKNOWN, 1, ASNAP_TOTAL_UNKNOWN};
    struct asnap_raw raw = raw_of(traces, 3, nodes, 4);
    raw.frame_limit = 1;
    struct asnap_symbolizer *symbolizer = empty_symbolizer();
    struct asnap_snapshot *snapshot;
    ASNAP_ASSERT_OK(asnap_snapshot_create(&raw, symbolizer, ASNAP_NAMING_WHOLE, NULL, &snapshot));
    CU_ASSERT_EQUAL_FATAL(asnap_snapshot_traceback_count(snapshot), 3);
    const struct asnap_traceback *tracebacks = asnap_snapshot_tracebacks(snapshot);
    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(tracebacks[i].frame_count, 1);
        CU_ASSERT_EQUAL(tracebacks[i].total_nframe, totals[i]);
    }
    asnap_snapshot_destroy(snapshot);
    asnap_symbolizer_destroy(symbolizer);
}

ASNAP_TEST(symbols_traces, more_traces_than_a_batch)
{
    const size_t count = 50000;
    struct asnap_raw_node nodes[] = {
        {0, ASNAP_RAW_NONE, 0}, {0x1001, 0, 0}, {0x1002, 1, 0}, {0x1003, 2, 0}};
    struct asnap_trace *traces = calloc(count, sizeof(*traces));
    CU_ASSERT_PTR_NOT_NULL_FATAL(traces);
    for (size_t i = 0; i < count; i++)
        traces[i] = (struct asnap_trace){0x1000 + 16 * i, i, (uint32_t)(1 + i % 3), 0, 0, 0};
    struct asnap_raw raw = raw_of(traces, count, nodes, 4);
    struct asnap_symbolizer *symbolizer = empty_symbolizer();
    struct asnap_snapshot *snapshot;
    struct asnap_statistics *statistics = by_traceback(&raw, symbolizer, &snapshot);
    CU_ASSERT_EQUAL(asnap_snapshot_count(snapshot), count);
    CU_ASSERT_EQUAL(asnap_snapshot_size(snapshot), count * (count - 1) / 2);
    CU_ASSERT_EQUAL(asnap_statistics_count(statistics), 3);
    asnap_statistics_destroy(statistics);
    asnap_snapshot_destroy(snapshot);
    asnap_symbolizer_destroy(symbolizer);
    free(traces);
}

static void expect_note(const struct asnap_snapshot *snapshot, size_t index, const char *start)
{
    const char *note = asnap_snapshot_note(snapshot, index);
    CU_ASSERT_PTR_NOT_NULL_FATAL(note);
    CU_ASSERT_NSTRING_EQUAL(note, start, strlen(start));
    CU_ASSERT_PTR_NULL(strchr(note, '\n'));
}

ASNAP_TEST(symbols_traces, notes_say_what_is_missing)
{
    struct asnap_raw_node nodes[] = {{0, ASNAP_RAW_NONE, 0}, {0x12345, 0, 0}};
    struct asnap_trace trace = {0x100, 10, 1, 0, 0, 0};
    struct asnap_raw raw = raw_of(&trace, 1, nodes, 2);
    snprintf(raw.unseen, sizeof(raw.unseen), "the program has a malloc of its own");
    raw.dropped = 3;
    raw.busy_shards = 1;
    raw.missing_bytes = 10;
    raw.unreadable_bytes = 4096;
    raw.unreadable_nodes = 2;
    ASNAP_ASSERT_OK(asnap_raw_add_note(&raw, "another tool has taken the place of malloc"));
    ASNAP_ASSERT_OK(asnap_raw_add_note(&raw, "and more"));
    struct asnap_region region = {.start = 0x10000, .end = 0x20000, .path = "/nonexistent/lib.so"};
    struct asnap_symbolizer *symbolizer = empty_symbolizer();
    ASNAP_ASSERT_OK(asnap_symbolizer_set_regions(symbolizer, NULL, &region, 1));
    struct asnap_snapshot *snapshot;
    ASNAP_ASSERT_OK(asnap_snapshot_create(&raw, symbolizer, ASNAP_NAMING_WHOLE, NULL, &snapshot));
    CU_ASSERT_EQUAL_FATAL(asnap_snapshot_note_count(snapshot), 9);
    expect_note(snapshot, 0, "10 bytes of the program's memory are missing");
    expect_note(snapshot, 1, "another tool has taken the place of malloc");
    expect_note(snapshot, 2, "and more");
    expect_note(snapshot, 3, "the program has a malloc of its own");
    expect_note(snapshot, 4, "3 blocks were not recorded");
    expect_note(snapshot, 5, "1 part of the table was being changed");
    expect_note(snapshot, 6, "4096 bytes of the records could not be read");
    expect_note(snapshot, 7, "2 entries of the stacks could not be read");
    expect_note(snapshot, 8, "/nonexistent/lib.so: cannot be read");
    for (size_t i = 0; i < raw.note_count; i++)
        free(raw.notes[i]);
    free(raw.notes);
    asnap_snapshot_destroy(snapshot);
    asnap_symbolizer_destroy(symbolizer);
}

ASNAP_TEST(symbols_traces, threads_and_times_are_handed_on)
{
    struct asnap_raw_node nodes[] = {{0, ASNAP_RAW_NONE, 0}, {0x12345, 0, 0}};
    struct asnap_trace given = {0x100, 10, 1, 0, 2, 77};
    struct asnap_raw raw = raw_of(&given, 1, nodes, 2);
    uint32_t threads[] = {0, 4711, 4712};
    raw.threads = threads;
    raw.thread_count = 3;
    raw.start_realtime = 1234567890;
    struct asnap_symbolizer *symbolizer = empty_symbolizer();
    struct asnap_snapshot *snapshot;
    ASNAP_ASSERT_OK(asnap_snapshot_create(&raw, symbolizer, ASNAP_NAMING_WHOLE, NULL, &snapshot));
    asnap_symbolizer_destroy(symbolizer);
    const struct asnap_trace *traces = NULL;
    ASNAP_ASSERT_OK(asnap_snapshot_traces(snapshot, &traces));
    CU_ASSERT(traces[0].thread == 2 && traces[0].time == 77);
    CU_ASSERT_EQUAL(asnap_snapshot_thread(snapshot, 2), 4712);
    CU_ASSERT_EQUAL(asnap_snapshot_start_time(snapshot), 1234567890);
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(symbols_traces, return_addresses_and_mappings_are_kept)
{
    struct asnap_raw_node nodes[] = {{0, ASNAP_RAW_NONE, 0}, {0x12345, 0, 0}, {0x10001, 1, 0},
                                     {0x55, 2, 0},           {0x20000, 3, 0}, {0x30001, 4, 0}};
    struct asnap_trace trace = {0x100, 10, 5, 0, 0, 0};
    struct asnap_raw raw = raw_of(&trace, 1, nodes, 6);
    const struct asnap_region regions[] = {
        {.start = 0x10000, .end = 0x20000, .file_offset = 0x500, .path = "/nonexistent/a"},
        {.start = 0x20000, .end = 0x30000, .path = "/nonexistent/unused"},
        {.start = 0x30000, .end = 0x31000, .path = "/nonexistent/b"},
    };
    struct asnap_symbolizer *symbolizer = empty_symbolizer();
    ASNAP_ASSERT_OK(asnap_symbolizer_set_regions(symbolizer, NULL, regions, 3));
    struct asnap_snapshot *snapshot;
    ASNAP_ASSERT_OK(asnap_snapshot_create(&raw, symbolizer, ASNAP_NAMING_WHOLE, NULL, &snapshot));
    asnap_symbolizer_destroy(symbolizer);
    const uint32_t *ids = asnap_snapshot_frame_ids(snapshot);
    CU_ASSERT_EQUAL_FATAL(asnap_snapshot_frame_id_count(snapshot), 5);
    for (size_t i = 0; i < 5; i++)
        CU_ASSERT_EQUAL(asnap_snapshot_frame_address(snapshot, ids[i]), nodes[5 - i].pc);
    CU_ASSERT_EQUAL_FATAL(asnap_snapshot_mapping_count(snapshot), 2);
    struct asnap_mapping mapping = asnap_snapshot_mapping(snapshot, 0);
    CU_ASSERT(mapping.start == 0x10000 && mapping.end == 0x20000 && mapping.file_offset == 0x500);
    CU_ASSERT_STRING_EQUAL(mapping.path, "/nonexistent/a");
    CU_ASSERT_STRING_EQUAL(mapping.build_id, "");
    CU_ASSERT_STRING_EQUAL(asnap_snapshot_mapping(snapshot, 1).path, "/nonexistent/b");
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(symbols_traces, build_id_of_what_is_mapped)
{
    struct asnap_symbolizer *symbolizer = own_symbolizer(NULL);
    struct asnap_mapping mapping = {0};
    char text[ASNAP_BUILD_ID_TEXT] = "";
    uint64_t address = (uint64_t)(uintptr_t)own_path;
    struct asnap_pc pc = {.address = 1};
    CU_ASSERT_FALSE(asnap_symbolizer_mapping(symbolizer, NULL, pc, text, &mapping));
    pc.address = address + 1;
    CU_ASSERT_FATAL(asnap_symbolizer_mapping(symbolizer, NULL, pc, text, &mapping));
    CU_ASSERT_STRING_EQUAL(mapping.path, own_path());
    CU_ASSERT(mapping.start <= address && address < mapping.end);
    struct asnap_elf *elf;
    ASNAP_ASSERT_OK(asnap_elf_open(own_path(), &elf));
    struct asnap_build_id id = {0};
    asnap_elf_build_id(elf, &id);
    CU_ASSERT_EQUAL_FATAL(strlen(mapping.build_id), 2 * id.size);
    for (size_t i = 0; i < id.size; i++) {
        const char pair[] = {mapping.build_id[2 * i], mapping.build_id[2 * i + 1], '\0'};
        CU_ASSERT_EQUAL(strtoul(pair, NULL, 16), id.bytes[i]);
    }
    CU_ASSERT(id.size > 0);
    asnap_elf_close(elf);
    asnap_symbolizer_destroy(symbolizer);
}

ASNAP_TEST(symbols_traces, nothing_traced)
{
    struct asnap_raw raw = raw_of(NULL, 0, NULL, 0);
    struct asnap_symbolizer *symbolizer = empty_symbolizer();
    struct asnap_snapshot *snapshot;
    ASNAP_ASSERT_OK(asnap_snapshot_create(&raw, symbolizer, ASNAP_NAMING_WHOLE, NULL, &snapshot));
    CU_ASSERT_EQUAL(asnap_snapshot_count(snapshot), 0);
    asnap_snapshot_destroy(snapshot);
    asnap_symbolizer_destroy(symbolizer);
}

static bool stop(void *context, const char *step, uint64_t done, uint64_t total)
{
    (void)step;
    (void)done;
    (void)total;
    ++*(int *)context;
    return false;
}

ASNAP_TEST(symbols_traces, interrupted)
{
    int reports = 0;
    struct asnap_progress progress = {stop, &reports};
    struct asnap_raw_node nodes[] = {{0, ASNAP_RAW_NONE, 0}, {real_call(), 0, 0}};
    struct asnap_trace trace = {0x100, 10, 1, 0, 0, 0};
    struct asnap_raw raw = raw_of(&trace, 1, nodes, 2);
    struct asnap_symbolizer *symbolizer = own_symbolizer(NULL);
    struct asnap_snapshot *snapshot;
    ASNAP_ASSERT_ERROR(
        asnap_snapshot_create(&raw, symbolizer, ASNAP_NAMING_WHOLE, &progress, &snapshot),
        ASNAP_ERROR_INTERRUPTED);
    CU_ASSERT_EQUAL(reports, 1);
    asnap_symbolizer_destroy(symbolizer);
}

/* Destroys what a failed snapshot left. */
static struct asnap_error *take(void *context)
{
    (void)context;
    struct asnap_raw_node nodes[] = {{0, ASNAP_RAW_NONE, 0}, {0x1001, 0, 0}, {0x1002, 1, 0}};
    struct asnap_trace traces[] = {{0x100, 10, 2, 0, 0, 0}, {0x200, 20, 1, 0, 0, 0}};
    struct asnap_symbolizer *symbolizer = NULL;
    struct asnap_snapshot *snapshot = NULL;
    struct asnap_error *error = asnap_symbolizer_create(NULL, &symbolizer);
    struct asnap_raw raw = {0};
    raw.traces = malloc(sizeof(traces));
    if (error == NULL && raw.traces == NULL)
        error = asnap_error_no_memory();
    if (error == NULL) {
        memcpy(raw.traces, traces, sizeof(traces));
        raw.trace_count = 2;
        raw.nodes = nodes;
        raw.node_count = 3;
        raw.frame_limit = 16;
        raw.dropped = 2;
        error = asnap_snapshot_create(&raw, symbolizer, ASNAP_NAMING_WHOLE, NULL, &snapshot);
        CU_ASSERT_PTR_NULL(raw.traces);
    } else {
        free(raw.traces);
    }
    asnap_snapshot_destroy(snapshot);
    asnap_symbolizer_destroy(symbolizer);
    return error;
}

ASNAP_TEST(symbols_traces, every_allocation_fails)
{
    CU_ASSERT(asnap_unit_sweep(take, NULL) > 10);
}
