#include "referrers.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "grow.h"

/* How many pointers before they come up what is needed of them is fetched from memory. */
#define AHEAD 16u

struct asnap_error *asnap_referrers_init(struct asnap_referrers *referrers,
                                         const struct asnap_edges *edges, uint32_t block_count)
{
    uint32_t *first = asnap_large_array((size_t)block_count + 1, sizeof(*first));
    uint32_t *sources = asnap_large_array(edges->count, sizeof(*sources));
    if (first == NULL || sources == NULL) {
        free(first);
        free(sources);
        return asnap_error_no_memory();
    }
    /* Two places on: then it is where the next source goes, and afterwards where they start. */
    const uint32_t *targets = edges->targets;
    for (size_t i = 0; i < edges->count; i++) {
        if (i + AHEAD < edges->count)
            __builtin_prefetch(&first[asnap_edge_block(targets[i + AHEAD]) + 2], 1);
        first[asnap_edge_block(targets[i]) + 2]++;
    }
    for (uint32_t i = 2; i <= block_count; i++)
        first[i] += first[i - 1];
    for (uint32_t block = 0; block < block_count; block++) {
        for (size_t i = edges->first[block]; i < edges->first[block + 1]; i++) {
            if (i + 2 * AHEAD < edges->count) {
                __builtin_prefetch(&first[asnap_edge_block(targets[i + 2 * AHEAD]) + 1], 1);
                __builtin_prefetch(&sources[first[asnap_edge_block(targets[i + AHEAD]) + 1]], 1);
            }
            sources[first[asnap_edge_block(targets[i]) + 1]++] = block;
        }
    }
    first[block_count] = (uint32_t)edges->count;
    referrers->first = first;
    referrers->sources = sources;
    return NULL;
}

void asnap_referrers_deinit(struct asnap_referrers *referrers)
{
    free(referrers->first);
    free(referrers->sources);
    *referrers = (struct asnap_referrers){0};
}
