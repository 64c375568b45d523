/* What a graph knows of the blocks of a snapshot, as flat arrays by place among its traces: what a
 * dump file keeps of it. core/graph makes them and takes them back. */
#ifndef ASNAP_MODEL_GRAPH_PARTS_H
#define ASNAP_MODEL_GRAPH_PARTS_H

#include "allocsnap_graph.h"
#include "error.h"

/* The classes that blocks have: those from ASNAP_REACH_REACHABLE on, in that order. */
#define ASNAP_KEPT_CLASSES 4u

/* The number of a block that is none of the snapshot's. */
#define ASNAP_KEPT_NONE UINT32_MAX

/* All blocks of the heap that are of a class, also those that were filtered out. */
struct asnap_kept_sum {
    uint64_t size;
    uint64_t count;
};

/* A definite or indirect block. */
struct asnap_kept_leak {
    uint64_t indirect_size; /* of a definite one, as in asnap_graph_block_info; else 0 */
    uint32_t place;
    uint32_t owner; /* the place of the definite block that stands for it, or NONE */
    uint32_t indirect_count;
    uint32_t cycle_count;
};

/* A pointer between two blocks that are not reachable. */
struct asnap_kept_pointer {
    uint32_t from;
    uint32_t to; /* the place, and ASNAP_KEPT_INSIDE where it leads to the inside */
};
#define ASNAP_KEPT_INSIDE (UINT32_C(1) << 31)

/* What a block keeps alive. */
struct asnap_kept_retained {
    uint64_t size;
    uint32_t count;
    uint32_t dominator; /* the nearest block of the snapshot that keeps it alive, or NONE */
};

struct asnap_graph_parts {
    size_t count; /* traces */
    struct asnap_kept_sum sums[ASNAP_KEPT_CLASSES];
    uint8_t *classes;                     /* of each trace; UNKNOWN: the graph has it not */
    struct asnap_kept_retained *retained; /* of each trace */
    struct asnap_kept_leak *leaks;        /* by place, each once */
    size_t leak_count;
    struct asnap_kept_pointer *pointers; /* by `from`, and then as they lie in the block */
    size_t pointer_count;
    const char **notes; /* the graph's, or the caller's */
    size_t note_count;
};

/* Makes them of a graph for which asnap_graph_retain was called, and of its snapshot or one made
 * from that by filters. They borrow the notes. Fails with NO_MEMORY only. */
struct asnap_error *asnap_graph_parts_init(struct asnap_graph_parts *parts,
                                           const struct asnap_graph *graph,
                                           const struct asnap_snapshot *snapshot);
void asnap_graph_parts_deinit(struct asnap_graph_parts *parts);

/* Makes the graph of a snapshot again. All of `parts` but the counts is checked, and nothing of it
 * is kept: DAMAGED says what contradicts what. Fails with NO_MEMORY and INVALID_ARGUMENT, too. */
struct asnap_error *asnap_graph_restore(const struct asnap_snapshot *snapshot,
                                        const struct asnap_graph_parts *parts,
                                        struct asnap_graph **graph);

#endif
