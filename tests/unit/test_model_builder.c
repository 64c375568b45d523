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
    ASNAP_ASSERT_OK(asnap_builder_frame(builder, &frame, &id));
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
    ASNAP_ASSERT_ERROR(asnap_builder_frame(builder, &nameless, &id), ASNAP_ERROR_INVALID_ARGUMENT);
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
    ASNAP_ASSERT_ERROR(asnap_builder_traceback(builder, frames, 65536, 0, &id),
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
    ASNAP_ASSERT_ERROR(asnap_builder_frame(builder, &frame, &id), ASNAP_ERROR_INVALID_ARGUMENT);
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
        {.size = 8, .count = 2, .stack = {{"/a.c", "f", 1, true}, {"/b.c", "main", 2, false}}},
        {.size = 8, .count = 1, .domain = 5, .stack = {{"/a.c", "f", 1, true}}},
        {.size = 8, .count = 40, .domain = 6, .stack = {{"/a.c", "f", 1, true}}},
    };
    CU_ASSERT(asnap_unit_sweep(make_snapshot, blocks) > 20);
}
