/* The edges the other way round: what points to a block. */
#ifndef ASNAP_GRAPH_REFERRERS_H
#define ASNAP_GRAPH_REFERRERS_H

#include "edges.h"

struct asnap_referrers {
    uint32_t *first;   /* to block i point sources[first[i]] up to sources[first[i + 1]] */
    uint32_t *sources; /* block numbers, ascending; one that points twice is there twice */
};

/* Fails with NO_MEMORY only. */
struct asnap_error *asnap_referrers_init(struct asnap_referrers *referrers,
                                         const struct asnap_edges *edges, uint32_t block_count);
void asnap_referrers_deinit(struct asnap_referrers *referrers);

#endif
