#include "made_graph.h"

#include <stdlib.h>

struct asnap_snapshot *made_graph_snapshot(const struct graph_heap *heap)
{
    struct asnap_builder *builder = NULL;
    struct asnap_snapshot *snapshot = NULL;
    ASNAP_ASSERT_OK(asnap_builder_create(&builder));
    for (size_t i = 0; i < heap->count; i++) {
        const struct asnap_frame frame = {.filename = "/src/a.c", .lineno = 1 + (uint32_t)i % 3};
        struct asnap_trace trace = heap->traces[i];
        uint32_t id;
        ASNAP_ASSERT_OK(asnap_builder_frame(builder, &frame, 0, ASNAP_NO_MAPPING, &id));
        ASNAP_ASSERT_OK(asnap_builder_traceback(builder, &id, 1, 1, &trace.traceback_id));
        ASNAP_ASSERT_OK(asnap_builder_traces(builder, &trace, 1));
    }
    ASNAP_ASSERT_OK(asnap_builder_finish(builder, 16, &snapshot));
    asnap_builder_destroy(builder);
    return snapshot;
}

struct asnap_graph *made_graph(const struct asnap_snapshot *snapshot, struct graph_heap *heap,
                               const struct asnap_root_pointer *given, size_t root_count)
{
    struct asnap_graph *graph = asnap_graph_new();
    struct asnap_word_reader reader = {.memory = &heap->memory};
    struct asnap_root_pointer *roots = calloc(root_count + 1, sizeof(*roots));
    struct asnap_blocks *blocks = NULL;
    size_t skipped;
    CU_ASSERT_FATAL(graph != NULL && roots != NULL);
    ASNAP_ASSERT_OK(asnap_graph_keep_snapshot(graph, snapshot));
    ASNAP_ASSERT_OK(asnap_snapshot_blocks(graph->snapshot, &blocks));
    ASNAP_ASSERT_OK(asnap_block_index_init(&graph->index, blocks->traces, blocks->count, &skipped));
    ASNAP_ASSERT_OK(asnap_edges_init(&graph->edges, &graph->index, &reader));
    uint32_t count = graph->index.count;
    for (size_t i = 0; i < root_count && given != NULL; i++)
        roots[i] = given[i];
    for (size_t i = 0; i < root_count && given == NULL; i++)
        roots[i].edge = (uint32_t)graph_heap_random(heap, count) |
                        (uint32_t)graph_heap_random(heap, 2) << ASNAP_EDGE_KIND_SHIFT;
    ASNAP_ASSERT_OK(
        asnap_reach_init(&graph->reach, &graph->index, &graph->edges, roots, root_count, NULL));
    asnap_graph_sum_up(graph);
    graph->roots.pointers = roots;
    graph->roots.pointer_count = root_count;
    ASNAP_ASSERT_OK(asnap_graph_add_note(graph, "a note with %d%%", 100));
    ASNAP_ASSERT_OK(asnap_graph_retain(graph, NULL));
    return graph;
}
