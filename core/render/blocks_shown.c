#include "blocks_shown.h"

#include <stdlib.h>

struct asnap_error *asnap_blocks_shown_init(struct asnap_blocks_shown *shown,
                                            const struct asnap_snapshot *snapshot, size_t limit)
{
    struct asnap_blocks_shown made = {
        .snapshot = snapshot,
        .other_count = asnap_snapshot_count(snapshot),
        .other_size = asnap_snapshot_size(snapshot),
    };
    made.count = (size_t)made.other_count;
    if (limit != 0 && limit < made.count)
        made.count = limit;
    made.places = calloc(made.count + 1, sizeof(*made.places));
    struct asnap_error *error = made.places == NULL ? asnap_error_no_memory()
                                                    : asnap_snapshot_traces(snapshot, &made.traces);
    if (error == NULL)
        error = asnap_snapshot_largest(snapshot, made.count, made.places);
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
