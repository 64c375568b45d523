#include "blocks_shown.h"

#include <stdlib.h>

struct asnap_error *asnap_blocks_shown_init(struct asnap_blocks_shown *shown,
                                            const struct asnap_snapshot *snapshot,
                                            const struct asnap_render_options *options)
{
    struct asnap_blocks_shown made = {
        .snapshot = snapshot,
        .other_count = asnap_snapshot_count(snapshot),
        .other_size = asnap_snapshot_size(snapshot),
    };
    made.count = (size_t)made.other_count;
    if (options->limit != 0 && options->limit < made.count)
        made.count = options->limit;
    made.places = calloc(made.count + 1, sizeof(*made.places));
    struct asnap_error *error = made.places == NULL ? asnap_error_no_memory()
                                                    : asnap_snapshot_traces(snapshot, &made.traces);
    if (error == NULL)
        error = options->order == ASNAP_ORDER_AGE
                    ? asnap_snapshot_oldest(snapshot, made.count, made.places)
                    : asnap_snapshot_largest(snapshot, made.count, made.places);
    if (error != NULL) {
        free(made.places);
        return error;
    }
    made.other_count -= made.count;
    for (size_t i = 0; i < made.count; i++)
        made.other_size -= made.traces[made.places[i]].size;
    *shown = made;
    return NULL;
}

void asnap_blocks_shown_deinit(struct asnap_blocks_shown *shown)
{
    free(shown->places);
    *shown = (struct asnap_blocks_shown){0};
}

const struct asnap_traceback *asnap_stack_of(const struct asnap_snapshot *snapshot,
                                             const struct asnap_trace *trace,
                                             const uint32_t **frame_ids)
{
    const struct asnap_traceback *traceback =
        &asnap_snapshot_tracebacks(snapshot)[trace->traceback_id];
    *frame_ids = asnap_snapshot_frame_ids(snapshot) + traceback->first;
    return traceback;
}

const char *asnap_reach_of(const struct asnap_trace *trace,
                           const struct asnap_render_options *options)
{
    if (options->graph == NULL)
        return NULL;
    uint32_t block = asnap_graph_block_of(options->graph, trace);
    if (block == ASNAP_GRAPH_NO_BLOCK)
        return NULL;
    return asnap_reach_class_text(asnap_graph_block(options->graph, block).reach);
}

struct asnap_error *asnap_whereabouts_init(struct asnap_whereabouts *where,
                                           const struct asnap_snapshot *snapshot, uint64_t address,
                                           const struct asnap_render_options *options)
{
    struct asnap_whereabouts made = {.map_known = options->region_count != 0};
    struct asnap_error *error = asnap_snapshot_find(snapshot, address, &made.found, &made.trace);
    for (uint64_t i = 1; i <= ASNAP_NEAR_BYTES && i <= address; i++) {
        if (error != NULL || made.found || made.near)
            break;
        error = asnap_snapshot_find(snapshot, address - i, &made.near, &made.trace);
        made.near = made.near && made.trace.size != 0;
    }
    for (size_t i = 0; i < options->region_count; i++) {
        const struct asnap_region *region = &options->regions[i];
        if (region->start <= address && address < region->end)
            made.region = region;
    }
    if (error == NULL)
        *where = made;
    return error;
}
