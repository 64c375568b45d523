/* Which blocks are shown, and what the others sum to. */
#ifndef ASNAP_RENDER_BLOCKS_SHOWN_H
#define ASNAP_RENDER_BLOCKS_SHOWN_H

#include "error.h"

struct asnap_blocks_shown {
    const struct asnap_snapshot *snapshot;
    const struct asnap_trace *traces; /* of the snapshot */
    uint32_t *places;                 /* of those that are shown, in their order */
    size_t count;
    uint64_t other_count;
    uint64_t other_size;
};

struct asnap_error *asnap_blocks_shown_init(struct asnap_blocks_shown *shown,
                                            const struct asnap_snapshot *snapshot, size_t limit);
void asnap_blocks_shown_deinit(struct asnap_blocks_shown *shown);

/* The stack of a trace of a snapshot, and the numbers of its frames, most recent
 * first. */
const struct asnap_traceback *asnap_stack_of(const struct asnap_snapshot *snapshot,
                                             const struct asnap_trace *trace,
                                             const uint32_t **frame_ids);

#endif
