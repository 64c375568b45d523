/* What the names of a snapshot are from, summed up. */
#include <string.h>

#include "unit.h"

static const struct asnap_frame frames[] = {
    {.filename = "/s/a.c", .function = "f", .lineno = 1},
    {.filename = "/s/a.h", .function = "g", .lineno = 2, .inlined = true},
    {.filename = "/lib/x.so", .function = "x"},
    {.filename = "/lib/x.so"},
    {.filename = "/lib/x.so", .function = "0x9000", .named_by = ASNAP_NAMED_ADDRESS},
    {.filename = "/s/j.c", .function = "j", .lineno = 5, .named_by = ASNAP_NAMED_DEBUGGER},
};
#define FRAMES (sizeof(frames) / sizeof(frames[0]))

static const struct {
    uint32_t mapping;
    uint64_t size;
} places[FRAMES] = {{0, 100}, {0, 50}, {1, 30}, {1, 7}, {2, 8}, {UINT32_MAX, 9}};

static struct asnap_error *add_block(struct asnap_builder *builder, size_t i)
{
    uint32_t frame_id;
    struct asnap_trace trace = {.address = 0x100 * i, .size = places[i].size};
    struct asnap_error *error =
        asnap_builder_frame(builder, &frames[i], 0x9000, places[i].mapping, &frame_id);
    if (error == NULL)
        error = asnap_builder_traceback(builder, &frame_id, 1, 0, &trace.traceback_id);
    return error != NULL ? error : asnap_builder_traces(builder, &trace, 1);
}

static struct asnap_error *build(struct asnap_snapshot **snapshot)
{
    /* Two pieces of one file. */
    static const struct asnap_mapping mappings[] = {
        {.start = 0x1000, .end = 0xa000, .path = "/bin/p", .build_id = "01"},
        {.start = 0x8000, .end = 0xa000, .path = "/lib/x.so", .build_id = "02"},
        {.start = 0x8800, .end = 0xb000, .path = "/lib/x.so", .build_id = "02"},
    };
    struct asnap_builder *builder = NULL;
    struct asnap_error *error = asnap_builder_create(&builder);
    for (size_t i = 0; i < 3 && error == NULL; i++)
        error = asnap_builder_mapping(builder, &mappings[i]);
    for (size_t i = 0; i < FRAMES && error == NULL; i++)
        error = add_block(builder, i);
    if (error == NULL)
        error = asnap_builder_finish(builder, 16, snapshot);
    asnap_builder_destroy(builder);
    return error;
}

static struct asnap_error *summarize(struct asnap_naming_summary **summary)
{
    struct asnap_snapshot *snapshot = NULL;
    struct asnap_error *error = build(&snapshot);
    if (error == NULL)
        error = asnap_naming_summary_create(snapshot, summary);
    asnap_snapshot_destroy(snapshot);
    return error;
}

ASNAP_TEST(model_naming, parts_by_file_and_origin)
{
    static const struct asnap_naming_part expected[] = {
        {"/bin/p", ASNAP_NAMED_LINE, true, 100, 1},
        {"/bin/p", ASNAP_NAMED_INLINE, true, 50, 1},
        {"/lib/x.so", ASNAP_NAMED_SYMBOL, false, 30, 1},
        {NULL, ASNAP_NAMED_DEBUGGER, true, 9, 1},
        {"/lib/x.so", ASNAP_NAMED_ADDRESS, false, 8, 1},
        {"/lib/x.so", ASNAP_NAMED_NONE, false, 7, 1},
    };
    struct asnap_naming_summary *summary = NULL;
    ASNAP_ASSERT_OK(summarize(&summary));
    CU_ASSERT_EQUAL_FATAL(asnap_naming_summary_count(summary), 6);
    for (size_t i = 0; i < 6; i++) {
        struct asnap_naming_part part = asnap_naming_summary_part(summary, i);
        CU_ASSERT_EQUAL_FATAL(part.path == NULL, expected[i].path == NULL);
        if (part.path != NULL)
            CU_ASSERT_STRING_EQUAL(part.path, expected[i].path);
        CU_ASSERT_EQUAL(part.named_by, expected[i].named_by);
        CU_ASSERT_EQUAL(part.has_line, expected[i].has_line);
        CU_ASSERT_EQUAL(part.size, expected[i].size);
        CU_ASSERT_EQUAL(part.count, expected[i].count);
    }
    asnap_naming_summary_destroy(summary);
}

ASNAP_TEST(model_naming, goes_by_the_frame_that_a_block_is_attributed_to)
{
    static const char *const rules[] = {"f"};
    struct asnap_builder *builder = NULL;
    ASNAP_ASSERT_OK(asnap_builder_create(&builder));
    uint32_t stack[2];
    struct asnap_trace trace = {.size = 4};
    ASNAP_ASSERT_OK(asnap_builder_frame(builder, &frames[0], 0, ASNAP_NO_MAPPING, &stack[0]));
    ASNAP_ASSERT_OK(asnap_builder_frame(builder, &frames[2], 0, ASNAP_NO_MAPPING, &stack[1]));
    ASNAP_ASSERT_OK(asnap_builder_traceback(builder, stack, 2, 0, &trace.traceback_id));
    ASNAP_ASSERT_OK(asnap_builder_traces(builder, &trace, 1));
    struct asnap_snapshot *snapshot = NULL;
    struct asnap_snapshot *skipped = NULL;
    struct asnap_naming_summary *summary = NULL;
    ASNAP_ASSERT_OK(asnap_builder_finish(builder, 16, &snapshot));
    ASNAP_ASSERT_OK(asnap_snapshot_skip(
        snapshot, &(struct asnap_skip_rules){.patterns = rules, .pattern_count = 1}, &skipped));
    ASNAP_ASSERT_OK(asnap_naming_summary_create(skipped, &summary));
    CU_ASSERT_EQUAL_FATAL(asnap_naming_summary_count(summary), 1);
    CU_ASSERT_EQUAL(asnap_naming_summary_part(summary, 0).named_by, ASNAP_NAMED_SYMBOL);
    asnap_naming_summary_destroy(summary);
    asnap_snapshot_destroy(skipped);
    asnap_snapshot_destroy(snapshot);
    asnap_builder_destroy(builder);
}

ASNAP_TEST(model_naming, words_and_bare_addresses)
{
    CU_ASSERT_PTR_NULL(asnap_named_by_text(ASNAP_NAMED_UNTOLD));
    CU_ASSERT_PTR_NULL(asnap_named_by_text(ASNAP_NAMED_KINDS));
    CU_ASSERT_STRING_EQUAL(asnap_named_by_text(ASNAP_NAMED_LINE), "line table");
    struct asnap_snapshot *snapshot = NULL;
    ASNAP_ASSERT_OK(build(&snapshot));
    CU_ASSERT_EQUAL(asnap_snapshot_unnamed_count(snapshot), 1);
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(model_naming, a_name_from_nowhere_is_refused)
{
    struct asnap_builder *builder = NULL;
    struct asnap_frame frame = {.filename = "/a", .named_by = ASNAP_NAMED_KINDS};
    uint32_t frame_id;
    ASNAP_ASSERT_OK(asnap_builder_create(&builder));
    ASNAP_ASSERT_ERROR(asnap_builder_frame(builder, &frame, 0, ASNAP_NO_MAPPING, &frame_id),
                       ASNAP_ERROR_INVALID_ARGUMENT);
    asnap_builder_destroy(builder);
}

static struct asnap_error *try_summarize(void *context)
{
    (void)context;
    struct asnap_naming_summary *summary = NULL;
    struct asnap_error *error = summarize(&summary);
    asnap_naming_summary_destroy(summary);
    return error;
}

ASNAP_TEST(model_naming, survives_every_failed_allocation)
{
    CU_ASSERT(asnap_unit_sweep(try_summarize, NULL) > 5);
}
