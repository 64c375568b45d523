/* How the program gets to a block: from a pointer in a root, through other blocks. */
#ifndef ASNAP_GRAPH_PATHS_H
#define ASNAP_GRAPH_PATHS_H

#include "reach.h"
#include "referrers.h"

/* A search for paths to one block. */
struct asnap_paths {
    const struct asnap_referrers *referrers;
    const struct asnap_root_pointer *roots; /* sorted by block (asnap_root_pointers_sort) */
    size_t root_count;
    const struct asnap_root *kinds; /* what they are in; NULL: all are alike */
    uint32_t target;
    uint32_t *queue; /* blocks that lead to the target, nearest first */
    uint32_t
        *next; /* of each block: the one after it on its shortest way; ASNAP_NO_BLOCK: not met */
    uint8_t *taken;    /* a bit for each block: it is on a path that was found */
    size_t roots_used; /* of the pointers that lead straight to the target */
};

/* A path: a pointer in a root to the first block, and the blocks from there to the target. */
struct asnap_path {
    size_t root; /* which of the root pointers */
    uint32_t *blocks;
    size_t count;
};

/* How likely what is in a root of a kind is used still, best first: 0 and up. */
unsigned asnap_root_rank(uint32_t kind);

/* Sorts pointers by the block that they lead to; of one block's, those from `roots` of a better
 * rank first, then those to its start, then by root and place. `roots` are those that pointers
 * name; NULL: all are alike. */
void asnap_root_pointers_sort(struct asnap_root_pointer *pointers, size_t count,
                              const struct asnap_root *roots);

struct asnap_error *asnap_paths_init(struct asnap_paths *paths, uint32_t block_count,
                                     const struct asnap_referrers *referrers,
                                     const struct asnap_root_pointer *roots, size_t root_count,
                                     const struct asnap_root *kinds, uint32_t target);
void asnap_paths_deinit(struct asnap_paths *paths);

/* The next path, the shortest first: it shares no block but the target with those before, and no
 * pointer in a root. path->count is 0 where there is none. Fails with NO_MEMORY only. */
struct asnap_error *asnap_paths_next(struct asnap_paths *paths, struct asnap_path *path);
void asnap_path_deinit(struct asnap_path *path);

#endif
