/* What a snapshot is made of. */
#ifndef ASNAP_MODEL_SNAPSHOT_H
#define ASNAP_MODEL_SNAPSHOT_H

#include "blocks.h"
#include "store.h"
#include "totals.h"

struct asnap_snapshot {
    struct asnap_store *store;
    struct asnap_blocks *blocks; /* those whose traceback and domain have a total are in
                                    the snapshot */
    struct asnap_blocks **kept;  /* NULL: all are; else the place of those that are, which
                                    holds NULL until they are asked for */
    struct asnap_total *totals;
    size_t total_count;
    uint64_t size;  /* bytes in all totals, at most INT64_MAX */
    uint64_t count; /* blocks in all totals */
    uint32_t traceback_limit;
    uint16_t *skipped; /* by traceback: the most recent frames that skip rules pass over when
                          a block is attributed; NULL: none. Always below its frame_count */
};

/* The place in a traceback of the frame that its blocks are attributed to. */
static inline uint32_t asnap_skipped_frames(const uint16_t *skipped, uint32_t traceback)
{
    return skipped == NULL ? 0 : skipped[traceback];
}

/* The blocks that are in the snapshot; it keeps them. */
struct asnap_error *asnap_snapshot_blocks(const struct asnap_snapshot *snapshot,
                                          struct asnap_blocks **blocks);

/* A snapshot of the same traces, in the same order, whose store has nothing else. */
struct asnap_error *asnap_snapshot_compact(const struct asnap_snapshot *snapshot,
                                           struct asnap_snapshot **compact);

#endif
