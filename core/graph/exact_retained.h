/* What would become unreachable without all blocks of a group. */
#ifndef ASNAP_GRAPH_EXACT_RETAINED_H
#define ASNAP_GRAPH_EXACT_RETAINED_H

#include "reach.h"

/* For each of the groups that `groups` gives the blocks (numbers below group_count, or
 * ASNAP_NO_BLOCK for none): floods from the roots by any pointer, but through no block of the
 * group, and sets sizes[group] and counts[group] to the bytes and blocks that are not met. Definite
 * blocks count as held by a root, as in dominators.h. Fails with NO_MEMORY, and INTERRUPTED where
 * `progress`, which may be NULL, stops it. */
struct asnap_error *
asnap_exact_retained(const struct asnap_block_index *index, const struct asnap_edges *edges,
                     const struct asnap_reach *reach, const struct asnap_root_pointer *roots,
                     size_t root_count, const uint32_t *groups, uint32_t group_count,
                     const struct asnap_progress *progress, uint64_t *sizes, uint64_t *counts);

#endif
