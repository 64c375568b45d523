/* What a filter has kept, without what it has not. */
#include <stdlib.h>

#include "snapshot.h"

#define AT_ONCE ((size_t)256) /* traces */

struct compacting {
    const struct asnap_snapshot *snapshot;
    struct asnap_builder *builder;
    uint32_t *frames;     /* by frame: its new number, or ASNAP_NONE */
    uint32_t *tracebacks; /* by traceback, likewise */
    uint32_t *stack;      /* the traceback being added */
};

static struct asnap_error *add_traceback(struct compacting *compacting, uint32_t traceback)
{
    const struct asnap_store *store = compacting->snapshot->store;
    const struct asnap_traceback *old = &store->tracebacks[traceback];
    const uint32_t *frame_ids = asnap_store_frame_ids(store, traceback);
    for (uint32_t i = 0; i < old->frame_count; i++) {
        uint32_t *frame = &compacting->frames[frame_ids[i]];
        if (*frame == ASNAP_NONE) {
            struct asnap_frame named = asnap_store_frame(store, frame_ids[i]);
            const struct asnap_stored_frame *stored = &store->frames[frame_ids[i]];
            struct asnap_error *error = asnap_builder_frame(
                compacting->builder, &named, stored->address, stored->mapping, frame);
            if (error == NULL)
                error = asnap_builder_offset(compacting->builder, *frame, stored->offset);
            if (error != NULL)
                return error;
        }
        compacting->stack[i] = *frame;
    }
    return asnap_builder_traceback(compacting->builder, compacting->stack, old->frame_count,
                                   old->total_nframe, &compacting->tracebacks[traceback]);
}

static struct asnap_error *add_traces(struct compacting *compacting)
{
    const struct asnap_trace *traces;
    struct asnap_error *error = asnap_snapshot_traces(compacting->snapshot, &traces);
    size_t total = compacting->snapshot->count;
    struct asnap_trace batch[AT_ONCE];
    for (size_t first = 0, count; error == NULL && first < total; first += count) {
        count = total - first < AT_ONCE ? total - first : AT_ONCE;
        for (size_t i = 0; error == NULL && i < count; i++) {
            uint32_t traceback = traces[first + i].traceback_id;
            if (compacting->tracebacks[traceback] == ASNAP_NONE)
                error = add_traceback(compacting, traceback);
            batch[i] = traces[first + i];
            batch[i].traceback_id = compacting->tracebacks[traceback];
        }
        if (error == NULL)
            error = asnap_builder_traces(compacting->builder, batch, count);
    }
    return error;
}

/* What frames and traces name. */
static struct asnap_error *add_places(struct compacting *compacting)
{
    const struct asnap_snapshot *snapshot = compacting->snapshot;
    const struct asnap_store *store = snapshot->store;
    struct asnap_error *error =
        asnap_builder_threads(compacting->builder, store->threads, store->thread_count);
    if (error == NULL)
        error = asnap_builder_start_time(compacting->builder, store->start_time);
    if (error == NULL)
        error = asnap_builder_sample_period(compacting->builder, store->sample_period);
    for (size_t i = 0; error == NULL && i < store->mapping_count; i++) {
        struct asnap_mapping mapping = asnap_snapshot_mapping(snapshot, i);
        error = asnap_builder_mapping(compacting->builder, &mapping);
    }
    return error;
}

static struct asnap_error *add_lists(struct compacting *compacting)
{
    const struct asnap_snapshot *snapshot = compacting->snapshot;
    const struct asnap_store *store = snapshot->store;
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i < store->note_count; i++)
        error = asnap_builder_note(compacting->builder, store->notes[i]);
    for (size_t i = 0; error == NULL && i < store->domain_count; i++)
        error = asnap_builder_domain_name(compacting->builder, store->domains[i].number,
                                          store->domains[i].name);
    for (size_t i = 0; error == NULL && i < store->attribute_count; i++)
        error = asnap_builder_attribute(compacting->builder, store->attributes[i].name,
                                        store->attributes[i].value);
    return error;
}

struct asnap_error *asnap_snapshot_compact(const struct asnap_snapshot *snapshot,
                                           struct asnap_snapshot **compact)
{
    struct compacting compacting = {
        .snapshot = snapshot,
        .frames = asnap_intern_none(snapshot->store->frame_count),
        .tracebacks = asnap_intern_none(snapshot->store->traceback_count),
        .stack = reallocarray(NULL, UINT16_MAX, sizeof(*compacting.stack)),
    };
    struct asnap_error *error = NULL;
    if (compacting.frames == NULL || compacting.tracebacks == NULL || compacting.stack == NULL)
        error = asnap_error_no_memory();
    if (error == NULL)
        error = asnap_builder_create(&compacting.builder);
    if (error == NULL)
        error = add_places(&compacting);
    if (error == NULL)
        error = add_traces(&compacting);
    if (error == NULL)
        error = add_lists(&compacting);
    if (error == NULL)
        error = asnap_builder_finish(compacting.builder, snapshot->traceback_limit, compact);
    asnap_builder_destroy(compacting.builder);
    free(compacting.frames);
    free(compacting.tracebacks);
    free(compacting.stack);
    return error;
}
