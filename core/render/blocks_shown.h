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
                                            const struct asnap_snapshot *snapshot,
                                            const struct asnap_render_options *options);
void asnap_blocks_shown_deinit(struct asnap_blocks_shown *shown);

/* The stack of a trace of a snapshot, and the numbers of its frames, most recent
 * first. */
const struct asnap_traceback *asnap_stack_of(const struct asnap_snapshot *snapshot,
                                             const struct asnap_trace *trace,
                                             const uint32_t **frame_ids);

/* The word for the class of a block; NULL: it is not known. */
const char *asnap_reach_of(const struct asnap_trace *trace,
                           const struct asnap_render_options *options);

/* What is to be said of an address. */
struct asnap_whereabouts {
    bool found; /* in a block: `trace` */
    bool near;  /* in none, and `trace` ends fewer than ASNAP_NEAR_BYTES before it */
    struct asnap_trace trace;
    bool map_known;
    const struct asnap_region *region; /* that it is in; NULL: in none */
};

/* An overrun: the next block of the C library's heap begins after its own header. */
#define ASNAP_NEAR_BYTES 8

/* Fails with NO_MEMORY only. */
struct asnap_error *asnap_whereabouts_init(struct asnap_whereabouts *where,
                                           const struct asnap_snapshot *snapshot, uint64_t address,
                                           const struct asnap_render_options *options);

#endif
