/* What a snapshot is made of. */
#ifndef ASNAP_MODEL_SNAPSHOT_H
#define ASNAP_MODEL_SNAPSHOT_H

#include "attribution.h"
#include "blocks.h"
#include "store.h"
#include "totals.h"

struct asnap_snapshot {
    struct asnap_store *store;
    struct asnap_blocks *blocks; /* those whose traceback and domain have a total are in
                                    the snapshot */
    struct asnap_blocks *origin; /* those that `blocks` were chosen from; NULL: they were not */
    struct asnap_blocks **kept;  /* NULL: all are; else the place of those that are, which
                                    holds NULL until they are asked for */
    struct asnap_total_list *totals;
    uint64_t size;              /* bytes in all totals, at most INT64_MAX */
    uint64_t count;             /* blocks in all totals */
    struct asnap_weight weight; /* of all totals, where the traces are a sample */
    uint32_t traceback_limit;
    struct asnap_attribution *attribution; /* NULL: to the most recent frames */
};

/* A snapshot of the same blocks, names and attribution, which it shares, with totals of its
 * own (the reference is handed over, also on failure): those blocks are in it that have
 * one. NULL where memory is short. */
struct asnap_snapshot *asnap_snapshot_view(const struct asnap_snapshot *snapshot,
                                           struct asnap_total_list *totals);

/* Weighs all blocks of a snapshot that has its totals, where they are a sample. */
struct asnap_error *asnap_snapshot_weigh(struct asnap_snapshot *snapshot);

/* What all of its blocks sum to, or stand for. */
struct asnap_sum asnap_snapshot_sum(const struct asnap_snapshot *snapshot);

/* A snapshot of the blocks for which `chosen` is not 0, by their place among those of `snapshot`.
 * It shares all but the blocks. */
struct asnap_error *asnap_snapshot_choose(const struct asnap_snapshot *snapshot,
                                          const uint8_t *chosen, struct asnap_snapshot **made);

/* The blocks that are in the snapshot; it keeps them. */
struct asnap_error *asnap_snapshot_blocks(const struct asnap_snapshot *snapshot,
                                          struct asnap_blocks **blocks);

/* A snapshot of the same traces, in the same order, whose store has nothing else. */
struct asnap_error *asnap_snapshot_compact(const struct asnap_snapshot *snapshot,
                                           struct asnap_snapshot **compact);

#endif
