/* A graph out of what a file has kept of it: without the pointers of reachable blocks, and without
 * roots. */
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "graph.h"
#include "parts_check.h"

/* The blocks by address, and what number each trace has among them. */
static struct asnap_error *number_blocks(struct asnap_graph *graph,
                                         const struct asnap_graph_parts *parts, uint32_t **numbers)
{
    struct asnap_blocks *blocks;
    size_t skipped;
    struct asnap_error *error = asnap_snapshot_blocks(graph->snapshot, &blocks);
    if (error == NULL)
        error = asnap_block_index_init(&graph->index, blocks->traces, blocks->count, &skipped);
    if (error != NULL)
        return error;
    uint32_t *found = malloc((blocks->count + 1) * sizeof(*found));
    if (found == NULL)
        return asnap_error_no_memory();
    memset(found, 0xff, blocks->count * sizeof(*found));
    for (uint32_t block = 0; block < graph->index.count; block++)
        found[graph->index.places[block]] = block;
    for (size_t i = 0; i < blocks->count; i++) {
        if (found[i] == ASNAP_NO_BLOCK && parts->classes[i] != ASNAP_REACH_UNKNOWN) {
            free(found);
            return asnap_error_create(ASNAP_ERROR_DAMAGED,
                                      "block %zu has a class, but lies at an address that no "
                                      "program has",
                                      i);
        }
    }
    *numbers = found;
    return NULL;
}

static struct asnap_error *restore_classes(struct asnap_graph *graph,
                                           const struct asnap_graph_parts *parts,
                                           const uint32_t *numbers)
{
    size_t room = (size_t)graph->index.count + 1;
    graph->reach.classes = calloc(room, sizeof(*graph->reach.classes));
    graph->reach.owners = malloc(room * sizeof(*graph->reach.owners));
    graph->reach.leaks = calloc(parts->leak_count + 1, sizeof(*graph->reach.leaks));
    if (graph->reach.classes == NULL || graph->reach.owners == NULL || graph->reach.leaks == NULL)
        return asnap_error_no_memory();
    memset(graph->reach.owners, 0xff, room * sizeof(*graph->reach.owners));
    for (uint32_t block = 0; block < graph->index.count; block++)
        graph->reach.classes[block] = parts->classes[graph->index.places[block]];
    for (size_t i = 0; i < parts->leak_count; i++) {
        const struct asnap_kept_leak *leak = &parts->leaks[i];
        uint32_t block = numbers[leak->place];
        if (graph->reach.classes[block] != ASNAP_REACH_DEFINITE) {
            graph->reach.owners[block] =
                leak->owner == ASNAP_KEPT_NONE ? ASNAP_NO_BLOCK : numbers[leak->owner];
        } else if (leak->indirect_count != 0) {
            graph->reach.owners[block] = graph->reach.leak_count;
            graph->reach.leaks[graph->reach.leak_count++] =
                (struct asnap_leak){leak->indirect_size, leak->indirect_count, leak->cycle_count};
        }
    }
    for (uint32_t i = 0; i < ASNAP_KEPT_CLASSES; i++) {
        graph->sizes[ASNAP_REACH_REACHABLE + i] = parts->sums[i].size;
        graph->counts[ASNAP_REACH_REACHABLE + i] = parts->sums[i].count;
    }
    return NULL;
}

/* Those between blocks that are not reachable, of each block in their order. */
static struct asnap_error *restore_edges(struct asnap_graph *graph,
                                         const struct asnap_graph_parts *parts,
                                         const uint32_t *numbers)
{
    struct asnap_edges *edges = &graph->edges;
    edges->first = calloc((size_t)graph->index.count + 2, sizeof(*edges->first));
    edges->targets = malloc((parts->pointer_count + 1) * sizeof(*edges->targets));
    if (edges->first == NULL || edges->targets == NULL)
        return asnap_error_no_memory();
    edges->count = parts->pointer_count;
    /* Two places on: then it is where the next target goes, and afterwards where they start. */
    for (size_t i = 0; i < parts->pointer_count; i++)
        edges->first[numbers[parts->pointers[i].from] + 2]++;
    for (uint32_t block = 2; block <= graph->index.count; block++)
        edges->first[block] += edges->first[block - 1];
    for (size_t i = 0; i < parts->pointer_count; i++) {
        const struct asnap_kept_pointer *pointer = &parts->pointers[i];
        uint32_t kind = ASNAP_EDGE_START;
        if ((pointer->to & ASNAP_KEPT_INSIDE) != 0)
            kind = ASNAP_EDGE_INSIDE;
        uint32_t to = numbers[pointer->to & ~ASNAP_KEPT_INSIDE];
        edges->targets[edges->first[numbers[pointer->from] + 1]++] =
            to | kind << ASNAP_EDGE_KIND_SHIFT;
    }
    edges->first[graph->index.count] = (uint32_t)parts->pointer_count;
    return NULL;
}

/* Puts what each block dominates behind it. `parents_first`: the blocks, each after the one that
 * dominates it. */
static struct asnap_error *put_in_order(struct asnap_dominators *dominators,
                                        const uint32_t *parents_first, uint32_t count)
{
    uint32_t *next = calloc((size_t)count + 1, sizeof(*next)); /* where what it dominates goes */
    uint32_t next_root = 0;
    if (next == NULL)
        return asnap_error_no_memory();
    for (uint32_t i = count; i-- > 0;) {
        uint32_t block = parents_first[i];
        dominators->in_order[block]++;
        if (dominators->immediate[block] != ASNAP_NO_BLOCK)
            dominators->in_order[dominators->immediate[block]] += dominators->in_order[block];
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t block = parents_first[i];
        uint32_t above = dominators->immediate[block];
        uint32_t *place = above == ASNAP_NO_BLOCK ? &next_root : &next[above];
        dominators->order[*place] = block;
        next[block] = *place + 1;
        *place += dominators->in_order[block];
    }
    free(next);
    return NULL;
}

/* `order`: the places of the traces, each after the one that dominates it; becomes their numbers.
 */
static struct asnap_error *restore_dominators(struct asnap_graph *graph,
                                              const struct asnap_graph_parts *parts,
                                              const uint32_t *numbers, uint32_t *order)
{
    struct asnap_dominators *dominators = &graph->dominators;
    size_t room = (size_t)graph->index.count + 1;
    dominators->immediate = malloc(room * sizeof(*dominators->immediate));
    dominators->retained_size = malloc(room * sizeof(*dominators->retained_size));
    dominators->retained_count = malloc(room * sizeof(*dominators->retained_count));
    dominators->order = malloc(room * sizeof(*dominators->order));
    dominators->in_order = calloc(room, sizeof(*dominators->in_order));
    if (dominators->immediate == NULL || dominators->retained_size == NULL ||
        dominators->retained_count == NULL || dominators->order == NULL ||
        dominators->in_order == NULL)
        return asnap_error_no_memory();
    graph->has_dominators = true;
    for (uint32_t block = 0; block < graph->index.count; block++) {
        const struct asnap_kept_retained *one = &parts->retained[graph->index.places[block]];
        dominators->immediate[block] =
            one->dominator == ASNAP_KEPT_NONE ? ASNAP_NO_BLOCK : numbers[one->dominator];
        dominators->retained_size[block] = one->size;
        dominators->retained_count[block] = one->count;
    }
    uint32_t next = 0;
    for (size_t i = 0; i < parts->count; i++) {
        if (numbers[order[i]] != ASNAP_NO_BLOCK)
            order[next++] = numbers[order[i]];
    }
    return put_in_order(dominators, order, next);
}

static struct asnap_error *fill(struct asnap_graph *graph, const struct asnap_graph_parts *parts,
                                const uint32_t *numbers, uint32_t *order)
{
    struct asnap_error *error = restore_classes(graph, parts, numbers);
    if (error == NULL)
        error = restore_edges(graph, parts, numbers);
    if (error == NULL)
        error = restore_dominators(graph, parts, numbers, order);
    for (size_t i = 0; error == NULL && i < parts->note_count; i++)
        error = asnap_graph_add_note(graph, "%s", parts->notes[i]);
    return error;
}

static struct asnap_error *restore(struct asnap_graph *graph, const struct asnap_graph_parts *parts)
{
    uint32_t *numbers = NULL;
    uint32_t *order = calloc(parts->count + 1, sizeof(*order));
    if (order == NULL)
        return asnap_error_no_memory();
    struct asnap_error *error = number_blocks(graph, parts, &numbers);
    if (error == NULL)
        error = asnap_graph_parts_check(parts, graph->index.traces, order);
    if (error == NULL)
        error = fill(graph, parts, numbers, order);
    free(numbers);
    free(order);
    return error;
}

struct asnap_error *asnap_graph_restore(const struct asnap_snapshot *snapshot,
                                        const struct asnap_graph_parts *parts,
                                        struct asnap_graph **graph)
{
    struct asnap_graph *made = asnap_graph_new();
    if (made == NULL)
        return asnap_error_no_memory();
    made->is_partial = true;
    struct asnap_error *error = asnap_graph_keep_snapshot(made, snapshot);
    if (error == NULL)
        error = restore(made, parts);
    if (error != NULL) {
        asnap_graph_destroy(made);
        return error;
    }
    *graph = made;
    return NULL;
}

/* Copies names that the blocks of a snapshot go by; `store`: as for asnap_types_create. */
static struct asnap_error *copy_types(const struct asnap_snapshot *from,
                                      const struct asnap_types *types,
                                      const struct asnap_store *store, struct asnap_types **to)
{
    struct asnap_typed *typed = NULL;
    struct asnap_blocks *blocks;
    size_t count = 0;
    if (types == NULL || *to != NULL)
        return NULL;
    struct asnap_error *error = asnap_snapshot_blocks(from, &blocks);
    if (error == NULL)
        error = asnap_types_list(types, blocks->traces, blocks->count, &typed, &count);
    uint64_t *addresses = calloc(count + 1, sizeof(*addresses));
    uint32_t *numbers = calloc(count + 1, sizeof(*numbers));
    if (error == NULL && (addresses == NULL || numbers == NULL))
        error = asnap_error_no_memory();
    for (size_t i = 0; error == NULL && i < count; i++) {
        addresses[i] = typed[i].address;
        numbers[i] = typed[i].number;
    }
    if (error == NULL)
        error = asnap_types_create(store, addresses, numbers, count,
                                   (const char *const *)types->names, types->name_count, to);
    free(typed);
    free(addresses);
    free(numbers);
    return error;
}

struct asnap_error *asnap_graph_rename(struct asnap_graph *graph,
                                       const struct asnap_snapshot *snapshot,
                                       const struct asnap_snapshot *named,
                                       const struct asnap_progress *progress,
                                       struct asnap_graph **made)
{
    struct asnap_graph_parts parts;
    if (snapshot->count != named->count)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "asnap_graph_rename: the snapshots have different blocks");
    struct asnap_error *error = asnap_graph_retain(graph, progress);
    if (error == NULL)
        error = copy_types(snapshot, snapshot->store->types, named->store, &named->store->types);
    if (error == NULL)
        error = copy_types(snapshot, snapshot->store->owners, NULL, &named->store->owners);
    if (error == NULL)
        error = asnap_graph_parts_init(&parts, graph, snapshot);
    if (error != NULL)
        return error;
    error = asnap_graph_restore(named, &parts, made);
    asnap_graph_parts_deinit(&parts);
    return error;
}
