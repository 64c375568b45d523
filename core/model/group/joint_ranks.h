/* Two stores ranked together: files, locations and frames that are equal in both
 * get one rank, in tracemalloc's order. */
#ifndef ASNAP_MODEL_JOINT_RANKS_H
#define ASNAP_MODEL_JOINT_RANKS_H

#include "store.h"

struct asnap_joint_ranks {
    uint32_t *files[2]; /* of each store, by file */
    uint32_t *locations[2];
    uint32_t *frames[2];
    size_t location_count; /* distinct ones */
};

struct asnap_error *asnap_joint_ranks_init(struct asnap_joint_ranks *ranks,
                                           const struct asnap_store *const stores[2]);
void asnap_joint_ranks_deinit(struct asnap_joint_ranks *ranks);

#endif
