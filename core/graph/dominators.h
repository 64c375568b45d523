/* What would become unreachable without a block: the dominator tree over the blocks, with all
 * roots as one node above them. */
#ifndef ASNAP_GRAPH_DOMINATORS_H
#define ASNAP_GRAPH_DOMINATORS_H

#include "reach.h"
#include "referrers.h"

struct asnap_dominators {
    /* Of each block: the one that all ways to it lead through last; ASNAP_NO_BLOCK: none. */
    uint32_t *immediate;
    uint64_t *retained_size;  /* bytes of the block and of all that it dominates */
    uint32_t *retained_count; /* those blocks */
    uint32_t *order;          /* the blocks, each followed by all that it dominates, side by side */
    /* Of each block: how many of `order` it and what it dominates are; NULL: as many as
     * retained_count says. They are fewer where some of these blocks are in no file. */
    uint32_t *in_order;
};

/* Computes them (Georgiadis 2005: SEMI-NCA). Any pointer holds a block, also one to its inside.
 * Unreachable blocks hang below the definite ones, which count as held by a root. Fails with
 * NO_MEMORY, and INTERRUPTED where `progress`, which may be NULL, stops it. */
struct asnap_error *
asnap_dominators_init(struct asnap_dominators *dominators, const struct asnap_block_index *index,
                      const struct asnap_edges *edges, const struct asnap_referrers *referrers,
                      const struct asnap_reach *reach, const struct asnap_root_pointer *roots,
                      size_t root_count, const struct asnap_progress *progress);
void asnap_dominators_deinit(struct asnap_dominators *dominators);

/* For each of the groups that `groups` gives the blocks (numbers below group_count, or
 * ASNAP_NO_BLOCK for none): the sum over its blocks that no other block of the group
 * dominates, added to sizes[group] and counts[group]. Fails with NO_MEMORY only. */
struct asnap_error *asnap_dominators_sum(const struct asnap_dominators *dominators,
                                         uint32_t block_count, const uint32_t *groups,
                                         uint32_t group_count, uint64_t *sizes, uint64_t *counts);

#endif
