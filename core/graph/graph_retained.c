/* What blocks keep alive. */
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "exact_retained.h"
#include "graph.h"

struct asnap_error *asnap_graph_retain(struct asnap_graph *graph,
                                       const struct asnap_progress *progress)
{
    if (graph->has_dominators)
        return NULL;
    struct asnap_error *error = asnap_graph_check_whole(graph, "what blocks keep alive");
    if (error == NULL)
        error = asnap_graph_make_referrers(graph);
    if (error == NULL) {
        error = asnap_dominators_init(&graph->dominators, &graph->index, &graph->edges,
                                      &graph->referrers, &graph->reach, graph->roots.pointers,
                                      graph->roots.pointer_count, progress);
        graph->has_dominators = error == NULL;
    }
    return error;
}

void asnap_graph_retained(const struct asnap_graph *graph, uint32_t block, uint64_t *size,
                          uint64_t *count)
{
    *size = graph->dominators.retained_size[block];
    *count = graph->dominators.retained_count[block];
}

/* Whether a block comes after another in the list of those that retain most. */
static bool is_after(const struct asnap_graph *graph, uint32_t block, uint32_t other)
{
    const uint64_t *sizes = graph->dominators.retained_size;
    return sizes[block] != sizes[other] ? sizes[block] < sizes[other] : block > other;
}

/* Lets the first of `count` blocks sink in a heap whose first is the last in the list. */
static void sink(const struct asnap_graph *graph, uint32_t *blocks, size_t count)
{
    uint32_t sinking = blocks[0];
    size_t at = 0;
    for (size_t below; (below = 2 * at + 1) < count; at = below) {
        if (below + 1 < count && is_after(graph, blocks[below + 1], blocks[below]))
            below++;
        if (!is_after(graph, blocks[below], sinking))
            break;
        blocks[at] = blocks[below];
    }
    blocks[at] = sinking;
}

static void rise(const struct asnap_graph *graph, uint32_t *blocks, size_t at)
{
    uint32_t rising = blocks[at];
    for (; at > 0 && is_after(graph, rising, blocks[(at - 1) / 2]); at = (at - 1) / 2)
        blocks[at] = blocks[(at - 1) / 2];
    blocks[at] = rising;
}

void asnap_graph_top(const struct asnap_graph *graph, size_t count, uint32_t *blocks)
{
    if (count > graph->index.count)
        count = graph->index.count;
    for (uint32_t block = 0; count > 0 && block < graph->index.count; block++) {
        if (block < count) {
            blocks[block] = block;
            rise(graph, blocks, block);
        } else if (is_after(graph, blocks[0], block)) {
            blocks[0] = block;
            sink(graph, blocks, count);
        }
    }
    for (; count > 1; count--) {
        uint32_t last = blocks[0];
        blocks[0] = blocks[count - 1];
        sink(graph, blocks, count - 1);
        blocks[count - 1] = last;
    }
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
