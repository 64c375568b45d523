#include "exact_retained.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"

#define STEP "finding what lines keep alive"

struct flood {
    const struct asnap_block_index *index;
    const struct asnap_edges *edges;
    const uint32_t *groups;
    uint32_t without; /* the group whose blocks are not entered */
    uint8_t *met;     /* by block */
    uint32_t *stack;  /* no block is on it twice */
    uint32_t depth;
    uint64_t size; /* of what was met */
    uint32_t count;
};

static void meet(struct flood *flood, uint32_t block)
{
    if (flood->met[block] != 0 || flood->groups[block] == flood->without)
        return;
    flood->met[block] = 1;
    flood->size += asnap_block_size(flood->index, block);
    flood->count++;
    flood->stack[flood->depth++] = block;
}

/* False: `progress` has stopped it. */
static bool go_on(struct flood *flood, uint32_t group_count, const struct asnap_progress *progress)
{
    const struct asnap_edges *edges = flood->edges;
    for (uint32_t done = 0; flood->depth > 0; done++) {
        if (done % 65536 == 0 && progress != NULL &&
            !progress->report(progress->context, STEP, flood->without, group_count))
            return false;
        uint32_t block = flood->stack[--flood->depth];
        for (uint32_t i = edges->first[block]; i < edges->first[block + 1]; i++)
            meet(flood, asnap_edge_block(edges->targets[i]));
    }
    return true;
}

struct asnap_error *
asnap_exact_retained(const struct asnap_block_index *index, const struct asnap_edges *edges,
                     const struct asnap_reach *reach, const struct asnap_root_pointer *roots,
                     size_t root_count, const uint32_t *groups, uint32_t group_count,
                     const struct asnap_progress *progress, uint64_t *sizes, uint64_t *counts)
{
    uint32_t block_count = index->count;
    struct flood flood = {.index = index, .edges = edges, .groups = groups};
    struct asnap_error *error = NULL;
    uint64_t total = 0;
    flood.met = malloc((size_t)block_count + 1);
    flood.stack = malloc(((size_t)block_count + 1) * sizeof(*flood.stack));
    if (flood.met == NULL || flood.stack == NULL)
        error = asnap_error_no_memory();
    for (uint32_t block = 0; block < block_count; block++)
        total += asnap_block_size(index, block);
    for (uint32_t group = 0; error == NULL && group < group_count; group++) {
        memset(flood.met, 0, block_count);
        flood.without = group;
        flood.size = 0;
        flood.count = flood.depth = 0;
        for (size_t i = 0; i < root_count; i++)
            meet(&flood, asnap_edge_block(roots[i].edge));
        for (uint32_t block = 0; block < block_count; block++) {
            if (reach->classes[block] == ASNAP_REACH_DEFINITE)
                meet(&flood, block);
        }
        if (!go_on(&flood, group_count, progress))
            error = asnap_error_interrupted(STEP);
        sizes[group] = total - flood.size;
        counts[group] = block_count - flood.count;
    }
    free(flood.met);
    free(flood.stack);
    return error;
}
