#include "test_model_heap.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static struct asnap_error *add_blocks(struct asnap_builder *builder,
                                      const struct heap_blocks *blocks)
{
    uint32_t frame_ids[5];
    size_t depth = 0;
    for (; depth < 5 && blocks->stack[depth].filename != NULL; depth++) {
        struct asnap_error *error = asnap_builder_frame(builder, &blocks->stack[depth], 0,
                                                        ASNAP_NO_MAPPING, &frame_ids[depth]);
        if (error != NULL)
            return error;
    }
    struct asnap_trace trace = {.address = 0x1000, .size = blocks->size, .domain = blocks->domain};
    struct asnap_error *error = asnap_builder_traceback(builder, frame_ids, depth,
                                                        blocks->total_nframe, &trace.traceback_id);
    for (size_t i = 0; error == NULL && i < blocks->count; i++)
        error = asnap_builder_traces(builder, &trace, 1);
    return error;
}

struct asnap_error *heap_try(const struct heap_blocks *blocks, size_t count, const char *note,
                             struct asnap_snapshot **snapshot)
{
    struct asnap_builder *builder = NULL;
    struct asnap_error *error = asnap_builder_create(&builder);
    for (size_t i = 0; error == NULL && i < count; i++)
        error = add_blocks(builder, &blocks[i]);
    if (error == NULL && note != NULL)
        error = asnap_builder_note(builder, note);
    if (error == NULL)
        error = asnap_builder_finish(builder, 16, snapshot);
    asnap_builder_destroy(builder);
    return error;
}

struct asnap_snapshot *heap_snapshot(const struct heap_blocks *blocks, size_t count)
{
    struct asnap_snapshot *snapshot = NULL;
    ASNAP_ASSERT_OK(heap_try(blocks, count, NULL, &snapshot));
    return snapshot;
}

struct asnap_statistics *heap_statistics(struct asnap_snapshot *snapshot, enum asnap_key key,
                                         bool cumulative)
{
    struct asnap_statistics *statistics = NULL;
    ASNAP_ASSERT_OK(asnap_statistics_create(snapshot, key, cumulative, &statistics));
    asnap_snapshot_destroy(snapshot);
    return statistics;
}

const char *heap_row(const struct asnap_statistics *statistics, size_t index)
{
    static char text[1024];
    struct asnap_statistic row = asnap_statistics_row(statistics, index);
    int length = snprintf(text, sizeof(text), "%" PRIu64 " %" PRIu64, row.size, row.count);
    for (size_t i = 0; i < row.frame_count; i++) {
        struct asnap_frame frame = asnap_statistics_frame(statistics, index, i);
        length += snprintf(text + length, sizeof(text) - (size_t)length, " %s:%" PRIu32 "%s%s%s",
                           frame.filename, frame.lineno, frame.function != NULL ? " " : "",
                           frame.function != NULL ? frame.function : "",
                           frame.inlined ? " (inlined)" : "");
    }
    return text;
}
