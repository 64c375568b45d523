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

struct asnap_reach {
    uint8_t *classes; /* of each block: asnap_reach_class */
    /* Of an unreachable block: the definite block that stands for it; its own number where it
     * stands for itself. Of others ASNAP_NO_BLOCK. */
    uint32_t *owners;
    /* Of a definite block: how many are on the cycles that it stands for; 1: it is on none. NULL
     * where no block is unreachable. */
    uint32_t *cycles;
};

/* Finds the classes: reachable from a root by pointers to starts (and places where pointers are
 * ordinary); possible where one of the pointers on every way leads inside a block; else
 * definite where no other unreachable block leads to it, or where it is the first by address of
 * a cycle that none leads to; else indirect. Fails with NO_MEMORY only. */
struct asnap_error *asnap_reach_init(struct asnap_reach *reach,
                                     const struct asnap_block_index *index,
                                     const struct asnap_edges *edges,
                                     const struct asnap_root_pointer *roots, size_t root_count);
void asnap_reach_deinit(struct asnap_reach *reach);

#endif
