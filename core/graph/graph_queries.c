/* What points to a block, what it points to, and the ways to it. */
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "graph.h"
#include "paths.h"

void asnap_graph_references(const struct asnap_graph *graph, uint32_t block,
                            struct asnap_reference *references, size_t limit, size_t *count)
{
    asnap_graph_references_from(graph, block, 0, references, limit, count);
}

void asnap_graph_references_from(const struct asnap_graph *graph, uint32_t block, uint64_t first,
                                 struct asnap_reference *references, size_t limit, size_t *count)
{
    const struct asnap_edges *edges = &graph->edges;
    *count = 0;
    for (uint64_t i = edges->first[block] + first; i < edges->first[block + 1] && *count < limit;
         i++) {
        references[(*count)++] = (struct asnap_reference){
            .block = asnap_edge_block(edges->targets[i]),
            .root = UINT32_MAX,
            .inside = !asnap_edge_is_start(edges->targets[i]),
        };
    }
}

bool asnap_graph_has_pointers(const struct asnap_graph *graph)
{
    return !graph->is_partial;
}

struct asnap_error *asnap_graph_check_whole(const struct asnap_graph *graph, const char *what)
{
    if (!graph->is_partial)
        return NULL;
    return asnap_error_create(ASNAP_ERROR_UNSUPPORTED,
                              "a snapshot from a file, or named later, does not have the pointers "
                              "that say %s: ask in the paused process, or in its core",
                              what);
}

struct asnap_error *asnap_graph_make_referrers(struct asnap_graph *graph)
{
    if (graph->has_referrers)
        return NULL;
    struct asnap_error *error = asnap_graph_check_whole(graph, "what points to a block");
    if (error == NULL)
        error = asnap_referrers_init(&graph->referrers, &graph->edges, graph->index.count);
    graph->has_referrers = error == NULL;
    return error;
}

static struct asnap_reference of_root(const struct asnap_root_pointer *pointer)
{
    return (struct asnap_reference){
        .place = pointer->place,
        .block = ASNAP_GRAPH_NO_BLOCK,
        .root = pointer->root,
        .inside = !asnap_edge_is_start(pointer->edge),
    };
}

void asnap_graph_root_references(const struct asnap_graph *graph, uint64_t first,
                                 struct asnap_reference *references, size_t limit, size_t *count)
{
    const struct asnap_roots *roots = &graph->roots;
    *count = 0;
    for (uint64_t i = first; i < roots->pointer_count && *count < limit; i++) {
        references[*count] = of_root(&roots->pointers[i]);
        references[(*count)++].block = asnap_edge_block(roots->pointers[i].edge);
    }
}

/* The first of the pointers in roots that leads to a block, or to a later one. */
static size_t first_pointer(const struct asnap_roots *roots, uint32_t block)
{
    size_t low = 0;
    size_t high = roots->pointer_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (asnap_edge_block(roots->pointers[middle].edge) < block)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Of a block's pointers, the first from place `i` on that leads to `block`. */
static uint32_t next_to(const struct asnap_edges *edges, uint32_t i, uint32_t block)
{
    while (asnap_edge_block(edges->targets[i]) != block)
        i++;
    return i;
}

struct asnap_error *asnap_graph_referrers(struct asnap_graph *graph, uint32_t block,
                                          struct asnap_reference *references, size_t limit,
                                          size_t *root_count, size_t *block_count)
{
    struct asnap_error *error = asnap_graph_make_referrers(graph);
    if (error != NULL)
        return error;
    const struct asnap_roots *roots = &graph->roots;
    size_t first = first_pointer(roots, block);
    size_t end = first_pointer(roots, block + 1);
    size_t written = 0;
    for (size_t i = first; i < end && written < limit; i++)
        references[written++] = of_root(&roots->pointers[i]);
    const struct asnap_referrers *referrers = &graph->referrers;
    const struct asnap_edges *edges = &graph->edges;
    uint32_t last = UINT32_MAX;
    uint32_t place = 0;
    for (uint32_t i = referrers->first[block]; i < referrers->first[block + 1] && written < limit;
         i++) {
        /* A source stands once for each of its pointers, in their order. */
        uint32_t source = referrers->sources[i];
        place = next_to(edges, source == last ? place + 1 : edges->first[source], block);
        last = source;
        references[written++] = (struct asnap_reference){
            .block = source,
            .root = UINT32_MAX,
            .inside = !asnap_edge_is_start(edges->targets[place]),
        };
    }
    *root_count = end - first;
    *block_count = referrers->first[block + 1] - referrers->first[block];
    return NULL;
}

struct asnap_graph_paths {
    const struct asnap_graph *graph;
    struct asnap_paths paths;
    struct asnap_path path;
};

struct asnap_error *asnap_graph_paths_create(struct asnap_graph *graph, uint32_t block,
                                             struct asnap_graph_paths **paths)
{
    struct asnap_error *error = asnap_graph_make_referrers(graph);
    if (error != NULL)
        return error;
    struct asnap_graph_paths *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return asnap_error_no_memory();
    made->graph = graph;
    error =
        asnap_paths_init(&made->paths, graph->index.count, &graph->referrers, graph->roots.pointers,
                         graph->roots.pointer_count, graph->roots.roots, block);
    if (error != NULL) {
        free(made);
        return error;
    }
    *paths = made;
    return NULL;
}

struct asnap_error *asnap_graph_paths_next(struct asnap_graph_paths *paths,
                                           struct asnap_reference *root, const uint32_t **blocks,
                                           size_t *count)
{
    struct asnap_path path = {0};
    struct asnap_error *error = asnap_paths_next(&paths->paths, &path);
    if (error != NULL)
        return error;
    asnap_path_deinit(&paths->path);
    paths->path = path;
    if (path.count != 0)
        *root = of_root(&paths->graph->roots.pointers[path.root]);
    *blocks = path.blocks;
    *count = path.count;
    return NULL;
}

void asnap_graph_paths_destroy(struct asnap_graph_paths *paths)
{
    if (paths == NULL)
        return;
    asnap_path_deinit(&paths->path);
    asnap_paths_deinit(&paths->paths);
    free(paths);
}
