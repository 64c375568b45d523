/* What blocks keep alive. */
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "exact_retained.h"
#include "graph.h"
#include "order.h"

struct asnap_error *asnap_graph_retain(struct asnap_graph *graph,
                                       const struct asnap_progress *progress)
{
    if (graph->has_dominators)
        return NULL;
    struct asnap_error *error = asnap_graph_check_whole(graph, "what blocks keep alive");
    if (error != NULL)
        return error;
    error = asnap_dominators_init(&graph->dominators, &graph->index, &graph->edges, &graph->reach,
                                  graph->roots.pointers, graph->roots.pointer_count, progress);
    graph->has_dominators = error == NULL;
    return error;
}

void asnap_graph_retained(const struct asnap_graph *graph, uint32_t block, uint64_t *size,
                          uint64_t *count)
{
    *size = graph->dominators.retained_size[block];
    *count = graph->dominators.retained_count[block];
}

static uint64_t retained_key(const void *context, uint32_t item, uint32_t level)
{
    const struct asnap_graph *graph = context;
    return level == 0 ? graph->dominators.retained_size[item] : UINT32_MAX - item;
}

struct asnap_error *asnap_graph_top(const struct asnap_graph *graph, size_t count, uint32_t *blocks)
{
    uint32_t *order = NULL;
    struct asnap_order_keys keys = {retained_key, graph, 2};
    struct asnap_error *error = asnap_order_create(&keys, graph->index.count, &order);
    if (error != NULL)
        return error;
    if (count > graph->index.count)
        count = graph->index.count;
    memcpy(blocks, order, count * sizeof(*blocks));
    free(order);
    return NULL;
}

/* The group of each block: that of its trace. */
static struct asnap_error *groups_of_blocks(const struct asnap_graph *graph,
                                            const struct asnap_trace *traces, size_t trace_count,
                                            const uint32_t *groups, uint32_t **of_blocks)
{
    uint32_t *found = malloc(((size_t)graph->index.count + 1) * sizeof(*found));
    if (found == NULL)
        return asnap_error_no_memory();
    memset(found, 0xff, graph->index.count * sizeof(*found));
    for (size_t i = 0; i < trace_count; i++) {
        uint32_t block = asnap_graph_block_of(graph, &traces[i]);
        if (block != ASNAP_GRAPH_NO_BLOCK)
            found[block] = groups[i];
    }
    *of_blocks = found;
    return NULL;
}

struct asnap_error *asnap_graph_retained_by(const struct asnap_graph *graph,
                                            const struct asnap_trace *traces, size_t trace_count,
                                            const uint32_t *groups, uint32_t group_count,
                                            uint64_t *sizes, uint64_t *counts)
{
    uint32_t *of_blocks;
    struct asnap_error *error = groups_of_blocks(graph, traces, trace_count, groups, &of_blocks);
    if (error != NULL)
        return error;
    error = asnap_dominators_sum(&graph->dominators, graph->index.count, of_blocks, group_count,
                                 sizes, counts);
    free(of_blocks);
    return error;
}

struct asnap_error *asnap_graph_retained_exactly(const struct asnap_graph *graph,
                                                 const struct asnap_trace *traces,
                                                 size_t trace_count, const uint32_t *groups,
                                                 uint32_t group_count,
                                                 const struct asnap_progress *progress,
                                                 uint64_t *sizes, uint64_t *counts)
{
    uint32_t *of_blocks;
    struct asnap_error *error =
        asnap_graph_check_whole(graph, "what all blocks of a line together keep alive");
    if (error == NULL)
        error = groups_of_blocks(graph, traces, trace_count, groups, &of_blocks);
    if (error != NULL)
        return error;
    error = asnap_exact_retained(&graph->index, &graph->edges, &graph->reach, graph->roots.pointers,
                                 graph->roots.pointer_count, of_blocks, group_count, progress,
                                 sizes, counts);
    free(of_blocks);
    return error;
}
