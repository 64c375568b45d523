#include <stdlib.h>
#include <string.h>

#include "test_model_heap.h"

static struct asnap_builder *new_builder(void)
{
    struct asnap_builder *builder = NULL;
    ASNAP_ASSERT_OK(asnap_builder_create(&builder));
    return builder;
}

static uint32_t add_frame(struct asnap_builder *builder, struct asnap_frame frame)
{
    uint32_t id = UINT32_MAX;
    ASNAP_ASSERT_OK(asnap_builder_frame(builder, &frame, 0, ASNAP_NO_MAPPING, &id));
    return id;
}

ASNAP_TEST(model_builder, equal_frames_have_one_number)
{
    struct asnap_builder *builder = new_builder();
    struct asnap_frame frame = {.filename = "/src/a.c", .function = "f", .lineno = 3};
    uint32_t first = add_frame(builder, frame);
    char copy[] = "/src/a.c";
    frame.filename = copy;
    CU_ASSERT_EQUAL(add_frame(builder, frame), first);
    memset(copy, 'x', 4);
    frame.filename = "/src/a.c";
    CU_ASSERT_EQUAL(add_frame(builder, frame), first);
    frame.inlined = true;
    CU_ASSERT_NOT_EQUAL(add_frame(builder, frame), first);
    frame.inlined = false;
    frame.function = NULL;
    CU_ASSERT_NOT_EQUAL(add_frame(builder, frame), first);
    frame.function = "g";
    CU_ASSERT_NOT_EQUAL(add_frame(builder, frame), first);
    frame.function = "f";
    frame.lineno = 4;
    CU_ASSERT_NOT_EQUAL(add_frame(builder, frame), first);
    asnap_builder_destroy(builder);
}

ASNAP_TEST(model_builder, equal_tracebacks_have_one_number)
{
    struct asnap_builder *builder = new_builder();
    uint32_t frames[2] = {
        add_frame(builder, (struct asnap_frame){.filename = "/a.c", .lineno = 1}),
        add_frame(builder, (struct asnap_frame){.filename = "/b.c", .lineno = 2}),
    };
    uint32_t first, other;
    ASNAP_ASSERT_OK(asnap_builder_traceback(builder, frames, 2, 0, &first));
    ASNAP_ASSERT_OK(asnap_builder_traceback(builder, frames, 2, 2, &other));
    CU_ASSERT_EQUAL(other, first);
    ASNAP_ASSERT_OK(asnap_builder_traceback(builder, frames, 2, 3, &other));
    CU_ASSERT_NOT_EQUAL(other, first);
    uint32_t unknown, again;
    ASNAP_ASSERT_OK(asnap_builder_traceback(builder, frames, 2, ASNAP_TOTAL_UNKNOWN, &unknown));
    CU_ASSERT_NOT_EQUAL(unknown, first);
    CU_ASSERT_NOT_EQUAL(unknown, other);
    ASNAP_ASSERT_OK(asnap_builder_traceback(builder, frames, 2, ASNAP_TOTAL_UNKNOWN, &again));
    CU_ASSERT_EQUAL(again, unknown);
    ASNAP_ASSERT_OK(asnap_builder_traceback(builder, frames, 1, 0, &other));
    CU_ASSERT_NOT_EQUAL(other, first);
    uint32_t swapped[2] = {frames[1], frames[0]};
    ASNAP_ASSERT_OK(asnap_builder_traceback(builder, swapped, 2, 0, &other));
    CU_ASSERT_NOT_EQUAL(other, first);
    asnap_builder_destroy(builder);
}

ASNAP_TEST(model_builder, refuses_what_was_never_added)
{
    struct asnap_builder *builder = new_builder();
    uint32_t id = 77;
    struct asnap_frame nameless = {.lineno = 1};
    ASNAP_ASSERT_ERROR(asnap_builder_frame(builder, &nameless, 0, ASNAP_NO_MAPPING, &id),
                       ASNAP_ERROR_INVALID_ARGUMENT);
    uint32_t frame = 0;
    ASNAP_ASSERT_ERROR(asnap_builder_traceback(builder, &frame, 1, 0, &id),
                       ASNAP_ERROR_INVALID_ARGUMENT);
    struct asnap_trace trace = {.size = 1};
    ASNAP_ASSERT_ERROR(asnap_builder_traces(builder, &trace, 1), ASNAP_ERROR_INVALID_ARGUMENT);
    CU_ASSERT_EQUAL(id, 77);
    asnap_builder_destroy(builder);
}

ASNAP_TEST(model_builder, checks_the_frames_of_the_whole_stack)
{
    struct asnap_builder *builder = new_builder();
    uint32_t id = 77;
    uint32_t frames[65536];
    frames[0] = add_frame(builder, (struct asnap_frame){.filename = "/a.c", .lineno = 1});
    for (size_t i = 1; i < 65536; i++)
        frames[i] = frames[0];
    ASNAP_ASSERT_ERROR(asnap_builder_traceback(builder, frames, 2, 1, &id),
                       ASNAP_ERROR_INVALID_ARGUMENT);
    ASNAP_ASSERT_ERROR(asnap_builder_traceback(builder, frames, 1, 65536, &id),
                       ASNAP_ERROR_INVALID_ARGUMENT);
    ASNAP_ASSERT_ERROR(asnap_builder_traceback(builder, frames, 1, ASNAP_TOTAL_UNKNOWN - 1, &id),
                       ASNAP_ERROR_INVALID_ARGUMENT);
    ASNAP_ASSERT_ERROR(asnap_builder_traceback(builder, frames, 65536, 0, &id),
                       ASNAP_ERROR_INVALID_ARGUMENT);
    ASNAP_ASSERT_ERROR(asnap_builder_traceback(builder, frames, 65536, ASNAP_TOTAL_UNKNOWN, &id),
                       ASNAP_ERROR_INVALID_ARGUMENT);
    CU_ASSERT_EQUAL(id, 77);
    ASNAP_ASSERT_OK(asnap_builder_traceback(builder, frames, 65535, 65535, &id));
    asnap_builder_destroy(builder);
}

ASNAP_TEST(model_builder, refuses_more_bytes_than_can_be_summed)
{
    struct asnap_builder *builder = new_builder();
    struct asnap_trace traces[2] = {{.size = INT64_MAX}, {.size = 0}};
    ASNAP_ASSERT_OK(asnap_builder_traceback(builder, NULL, 0, 0, &traces[0].traceback_id));
    ASNAP_ASSERT_OK(asnap_builder_traces(builder, traces, 2));
    traces[1].size = 1;
    ASNAP_ASSERT_ERROR(asnap_builder_traces(builder, traces + 1, 1), ASNAP_ERROR_INVALID_ARGUMENT);
    traces[1].size = UINT64_MAX;
    ASNAP_ASSERT_ERROR(asnap_builder_traces(builder, traces + 1, 1), ASNAP_ERROR_INVALID_ARGUMENT);
    struct asnap_snapshot *snapshot = NULL;
    ASNAP_ASSERT_OK(asnap_builder_finish(builder, 1, &snapshot));
    CU_ASSERT_EQUAL(asnap_snapshot_size(snapshot), INT64_MAX);
    CU_ASSERT_EQUAL(asnap_snapshot_count(snapshot), 2);
    asnap_snapshot_destroy(snapshot);
    asnap_builder_destroy(builder);
}

ASNAP_TEST(model_builder, can_only_be_destroyed_once_finished)
{
    struct asnap_builder *builder = new_builder();
    struct asnap_snapshot *snapshot = NULL;
    ASNAP_ASSERT_OK(asnap_builder_finish(builder, 16, &snapshot));
    struct asnap_frame frame = {.filename = "/a.c", .lineno = 1};
    uint32_t id;
    ASNAP_ASSERT_ERROR(asnap_builder_frame(builder, &frame, 0, ASNAP_NO_MAPPING, &id),
                       ASNAP_ERROR_INVALID_ARGUMENT);
    ASNAP_ASSERT_ERROR(asnap_builder_traceback(builder, NULL, 0, 0, &id),
                       ASNAP_ERROR_INVALID_ARGUMENT);
    ASNAP_ASSERT_ERROR(asnap_builder_traces(builder, NULL, 0), ASNAP_ERROR_INVALID_ARGUMENT);
    ASNAP_ASSERT_ERROR(asnap_builder_note(builder, "n"), ASNAP_ERROR_INVALID_ARGUMENT);
    struct asnap_snapshot *second = NULL;
    ASNAP_ASSERT_ERROR(asnap_builder_finish(builder, 16, &second), ASNAP_ERROR_INVALID_ARGUMENT);
    CU_ASSERT_PTR_NULL(second);
    asnap_builder_destroy(builder);
    CU_ASSERT_EQUAL(asnap_snapshot_count(snapshot), 0);
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(model_builder, snapshot_tells_its_limit_and_notes)
{
    struct asnap_builder *builder = new_builder();
    char note[] = "3 blocks were dropped";
    ASNAP_ASSERT_OK(asnap_builder_note(builder, note));
    note[0] = 'X';
    ASNAP_ASSERT_OK(asnap_builder_note(builder, "second"));
    struct asnap_snapshot *snapshot = NULL;
    ASNAP_ASSERT_OK(asnap_builder_finish(builder, 65535, &snapshot));
    asnap_builder_destroy(builder);
    CU_ASSERT_EQUAL(asnap_snapshot_traceback_limit(snapshot), 65535);
    CU_ASSERT_EQUAL_FATAL(asnap_snapshot_note_count(snapshot), 2);
    CU_ASSERT_STRING_EQUAL(asnap_snapshot_note(snapshot, 0), "3 blocks were dropped");
    CU_ASSERT_STRING_EQUAL(asnap_snapshot_note(snapshot, 1), "second");
    struct asnap_statistics *statistics = heap_statistics(snapshot, ASNAP_KEY_LINENO, false);
    CU_ASSERT_EQUAL_FATAL(asnap_statistics_note_count(statistics), 2);
    CU_ASSERT_STRING_EQUAL(asnap_statistics_note(statistics, 1), "second");
    asnap_statistics_destroy(statistics);
}

ASNAP_TEST(model_builder, destroy_accepts_null)
{
    asnap_builder_destroy(NULL);
    asnap_snapshot_destroy(NULL);
    asnap_statistics_destroy(NULL);
    asnap_string_destroy(NULL);
    CU_PASS("no crash");
}

static struct asnap_error *make_snapshot(void *context)
{
    const struct heap_blocks *blocks = context;
    struct asnap_snapshot *snapshot = NULL;
    struct asnap_error *error = heap_try(blocks, 3, "a note", &snapshot);
    CU_ASSERT((error == NULL) == (snapshot != NULL));
    asnap_snapshot_destroy(snapshot);
    return error;
}

ASNAP_TEST(model_builder, survives_every_failed_allocation)
{
    struct heap_blocks blocks[3] = {
        {.size = 8,
         .count = 2,
         .stack = {{"/a.c", "f", 1, true, 0}, {"/b.c", "main", 2, false, 0}}},
        {.size = 8, .count = 1, .domain = 5, .stack = {{"/a.c", "f", 1, true, 0}}},
        {.size = 8, .count = 40, .domain = 6, .stack = {{"/a.c", "f", 1, true, 0}}},
    };
    CU_ASSERT(asnap_unit_sweep(make_snapshot, blocks) > 20);
}

ASNAP_TEST(model_builder, frames_at_other_addresses_make_no_other_group)
{
    struct asnap_builder *builder = new_builder();
    struct asnap_frame frame = {.filename = "/a.c", .function = "f", .lineno = 3};
    uint32_t ids[3], again;
    ids[0] = add_frame(builder, frame);
    ASNAP_ASSERT_OK(asnap_builder_frame(builder, &frame, 0x401005, ASNAP_NO_MAPPING, &ids[1]));
    ASNAP_ASSERT_OK(asnap_builder_frame(builder, &frame, 0x401000, ASNAP_NO_MAPPING, &ids[2]));
    ASNAP_ASSERT_OK(asnap_builder_frame(builder, &frame, 0x401005, ASNAP_NO_MAPPING, &again));
    CU_ASSERT_EQUAL(again, ids[1]);
    CU_ASSERT(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
    for (size_t i = 0; i < 3; i++) {
        struct asnap_trace trace = {.address = i, .size = 1};
        ASNAP_ASSERT_OK(asnap_builder_traceback(builder, &ids[i], 1, 0, &trace.traceback_id));
        ASNAP_ASSERT_OK(asnap_builder_traces(builder, &trace, 1));
    }
    struct asnap_snapshot *snapshot = NULL;
    ASNAP_ASSERT_OK(asnap_builder_finish(builder, 16, &snapshot));
    asnap_builder_destroy(builder);
    CU_ASSERT_EQUAL(asnap_snapshot_traceback_count(snapshot), 3);
    CU_ASSERT_EQUAL(asnap_snapshot_frame_address(snapshot, ids[0]), 0);
    CU_ASSERT_EQUAL(asnap_snapshot_frame_address(snapshot, ids[1]), 0x401005);
    CU_ASSERT_EQUAL(asnap_snapshot_frame_address(snapshot, ids[2]), 0x401000);
    for (enum asnap_key key = ASNAP_KEY_FILENAME; key <= ASNAP_KEY_TRACEBACK; key++) {
        struct asnap_statistics *statistics = NULL;
        ASNAP_ASSERT_OK(asnap_statistics_create(snapshot, key, false, &statistics));
        CU_ASSERT_EQUAL_FATAL(asnap_statistics_count(statistics), 1);
        CU_ASSERT_EQUAL(asnap_statistics_row(statistics, 0).size, 3);
        CU_ASSERT_EQUAL(asnap_statistics_row(statistics, 0).function_count, 1);
        asnap_statistics_destroy(statistics);
    }
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(model_builder, keeps_attributes_and_what_was_mapped)
{
    struct asnap_builder *builder = new_builder();
    ASNAP_ASSERT_OK(asnap_builder_attribute(builder, "process", "old"));
    ASNAP_ASSERT_OK(asnap_builder_attribute(builder, "host", ""));
    ASNAP_ASSERT_OK(asnap_builder_attribute(builder, "process", "server (17)"));
    struct asnap_mapping mapping = {0x1000, 0x3000, 0x500, "/bin/server", "c0ffee"};
    ASNAP_ASSERT_OK(asnap_builder_mapping(builder, &mapping));
    mapping = (struct asnap_mapping){0x5000, 0x6000, 0, "/bin/server", NULL};
    ASNAP_ASSERT_OK(asnap_builder_mapping(builder, &mapping));
    mapping.end = mapping.start;
    ASNAP_ASSERT_ERROR(asnap_builder_mapping(builder, &mapping), ASNAP_ERROR_INVALID_ARGUMENT);
    mapping = (struct asnap_mapping){0x5000, 0x6000, 0, NULL, NULL};
    ASNAP_ASSERT_ERROR(asnap_builder_mapping(builder, &mapping), ASNAP_ERROR_INVALID_ARGUMENT);
    struct asnap_snapshot *snapshot = NULL;
    ASNAP_ASSERT_OK(asnap_builder_finish(builder, 16, &snapshot));
    ASNAP_ASSERT_ERROR(asnap_builder_attribute(builder, "a", "b"), ASNAP_ERROR_INVALID_ARGUMENT);
    ASNAP_ASSERT_ERROR(asnap_builder_domain_name(builder, 1, "b"), ASNAP_ERROR_INVALID_ARGUMENT);
    ASNAP_ASSERT_ERROR(asnap_builder_mapping(builder, &mapping), ASNAP_ERROR_INVALID_ARGUMENT);
    asnap_builder_destroy(builder);
    CU_ASSERT_EQUAL_FATAL(asnap_snapshot_attribute_count(snapshot), 2);
    CU_ASSERT_STRING_EQUAL(asnap_snapshot_attribute(snapshot, 0).name, "host");
    CU_ASSERT_STRING_EQUAL(asnap_snapshot_attribute(snapshot, 0).value, "");
    CU_ASSERT_STRING_EQUAL(asnap_snapshot_attribute(snapshot, 1).name, "process");
    CU_ASSERT_STRING_EQUAL(asnap_snapshot_attribute(snapshot, 1).value, "server (17)");
    CU_ASSERT_EQUAL_FATAL(asnap_snapshot_mapping_count(snapshot), 2);
    mapping = asnap_snapshot_mapping(snapshot, 0);
    CU_ASSERT(mapping.start == 0x1000 && mapping.end == 0x3000 && mapping.file_offset == 0x500);
    CU_ASSERT_STRING_EQUAL(mapping.path, "/bin/server");
    CU_ASSERT_STRING_EQUAL(mapping.build_id, "c0ffee");
    mapping = asnap_snapshot_mapping(snapshot, 1);
    CU_ASSERT_STRING_EQUAL(mapping.path, "/bin/server");
    CU_ASSERT_STRING_EQUAL(mapping.build_id, "");
    asnap_snapshot_destroy(snapshot);
}

static struct asnap_error *keep_lists(void *context)
{
    const struct asnap_mapping *mapping = context;
    struct asnap_builder *builder = NULL;
    struct asnap_snapshot *snapshot = NULL;
    struct asnap_error *error = asnap_builder_create(&builder);
    if (error == NULL)
        error = asnap_builder_attribute(builder, "process", "server");
    if (error == NULL)
        error = asnap_builder_attribute(builder, "process", "client");
    if (error == NULL)
        error = asnap_builder_domain_name(builder, 2, "pool");
    if (error == NULL)
        error = asnap_builder_domain_name(builder, 2, "arena");
    if (error == NULL)
        error = asnap_builder_mapping(builder, mapping);
    if (error == NULL)
        error = asnap_builder_finish(builder, 16, &snapshot);
    asnap_builder_destroy(builder);
    asnap_snapshot_destroy(snapshot);
    return error;
}

ASNAP_TEST(model_builder, lists_survive_every_failed_allocation)
{
    struct asnap_mapping mapping = {0x1000, 0x3000, 0x500, "/bin/server", "c0ffee"};
    CU_ASSERT(asnap_unit_sweep(keep_lists, &mapping) > 15);
}
