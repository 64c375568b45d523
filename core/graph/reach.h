/* Which blocks the program can still get at: memcheck's four classes, over the edges. */
#ifndef ASNAP_GRAPH_REACH_H
#define ASNAP_GRAPH_REACH_H

#include "edges.h"

/* A pointer to a block that lies in no block. */
struct asnap_root_pointer {
    uint64_t place; /* its address; of a register, its number in its thread */
    uint32_t edge;  /* as in asnap_edges.targets */
    uint32_t root;  /* which of the roots holds it: the caller's number */
};

/* What a definite block stands for. */
struct asnap_leak {
    uint64_t indirect_size;  /* bytes in the blocks that only it leads to, or it first */
    uint32_t indirect_count; /* those blocks */
    uint32_t cycle_count; /* the blocks of the cycles that it is on, itself among them; 1: none */
};

struct asnap_reach {
    uint8_t *classes; /* of each block: asnap_reach_class */
    /* Of an indirect block: the definite one that stands for it; of a definite one: which of the
     * leaks it is, ASNAP_NO_BLOCK where it leads to no other. NULL where all can be reached. */
    uint32_t *owners;
    struct asnap_leak *leaks;
    uint32_t leak_count;
};

/* Of an unreachable block: the definite block that stands for it; its own number where it stands
 * for itself. Of others ASNAP_NO_BLOCK. */
static inline uint32_t asnap_reach_owner(const struct asnap_reach *reach, uint32_t block)
{
    if (reach->classes[block] == ASNAP_REACH_DEFINITE)
        return block;
    return reach->classes[block] == ASNAP_REACH_INDIRECT ? reach->owners[block] : ASNAP_NO_BLOCK;
}

/* What a definite block stands for; NULL: for itself alone. */
static inline const struct asnap_leak *asnap_reach_leak(const struct asnap_reach *reach,
                                                        uint32_t block)
{
    uint32_t leak = reach->owners[block];
    return leak == ASNAP_NO_BLOCK ? NULL : &reach->leaks[leak];
}

/* Finds the classes: reachable from a root by pointers to starts (and places where pointers are
 * ordinary); possible where one of the pointers on every way leads inside a block; else
 * definite where no other unreachable block leads to it, or where it is the first by address of
 * a cycle that none leads to; else indirect. Fails with NO_MEMORY, and INTERRUPTED where
 * `progress`, which may be NULL, stops it. */
struct asnap_error *asnap_reach_init(struct asnap_reach *reach,
                                     const struct asnap_block_index *index,
                                     const struct asnap_edges *edges,
                                     const struct asnap_root_pointer *roots, size_t root_count,
                                     const struct asnap_progress *progress);
void asnap_reach_deinit(struct asnap_reach *reach);

#endif
