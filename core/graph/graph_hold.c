/* A graph in which some blocks count as held by a root, whatever leads to them. */
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "graph.h"

/* Whether all blocks that are not reachable are in the graph: filters have left none out before it
 * was written to a file. */
static bool has_all(const struct asnap_graph *graph)
{
    uint64_t counts[ASNAP_REACH_CLASSES] = {0};
    for (uint32_t block = 0; block < graph->index.count; block++)
        counts[graph->reach.classes[block]]++;
    for (uint32_t reach = ASNAP_REACH_POSSIBLE; reach < ASNAP_REACH_CLASSES; reach++) {
        if (counts[reach] != graph->counts[reach])
            return false;
    }
    return true;
}

/* What stands for the roots: each block that is reached keeps its class, and those that are held
 * are reached. With it, pointers between blocks that are not reachable are enough. */
static struct asnap_error *list_roots(const struct asnap_graph *base, const uint32_t *reasons,
                                      struct asnap_root_pointer **roots, size_t *count)
{
    struct asnap_root_pointer *found = calloc((size_t)base->index.count + 1, sizeof(*found));
    if (found == NULL)
        return asnap_error_no_memory();
    *count = 0;
    for (uint32_t block = 0; block < base->index.count; block++) {
        uint8_t reach = base->reach.classes[block];
        bool is_reached = reach <= ASNAP_REACH_REACHABLE || reasons[block] != ASNAP_NO_BLOCK;
        uint32_t kind = is_reached ? ASNAP_EDGE_START : ASNAP_EDGE_INSIDE;
        if (is_reached || reach == ASNAP_REACH_POSSIBLE)
            found[(*count)++].edge = block | kind << ASNAP_EDGE_KIND_SHIFT;
    }
    *roots = found;
    return NULL;
}

/* Finds all classes anew. */
static struct asnap_error *classify(struct asnap_graph *made, const uint32_t *reasons)
{
    struct asnap_root_pointer *roots;
    size_t count;
    struct asnap_error *error = list_roots(made->base, reasons, &roots, &count);
    if (error != NULL)
        return error;
    error = asnap_reach_init(&made->reach, &made->index, &made->edges, roots, count, NULL);
    free(roots);
    for (uint32_t block = 0; error == NULL && block < made->index.count; block++) {
        if (made->base->reach.classes[block] == ASNAP_REACH_UNKNOWN)
            made->reach.classes[block] = ASNAP_REACH_UNKNOWN;
    }
    if (error == NULL)
        asnap_graph_sum_up(made);
    return error;
}

static void *copy(const void *array, size_t count, size_t element_size)
{
    void *made = calloc(count + 1, element_size);
    if (made != NULL && array != NULL)
        memcpy(made, array, count * element_size);
    return made;
}

/* Takes over what the base has of its blocks. */
static struct asnap_error *copy_classes(struct asnap_graph *made)
{
    const struct asnap_graph *base = made->base;
    uint32_t count = base->index.count;
    made->reach.classes = copy(base->reach.classes, count, sizeof(*made->reach.classes));
    made->reach.owners = copy(base->reach.owners, count, sizeof(*made->reach.owners));
    made->reach.leaks = copy(base->reach.leaks, base->reach.leak_count, sizeof(*made->reach.leaks));
    made->reach.leak_count = base->reach.leak_count;
    memcpy(made->sizes, base->sizes, sizeof(made->sizes));
    memcpy(made->counts, base->counts, sizeof(made->counts));
    bool has_room =
        made->reach.classes != NULL && made->reach.owners != NULL && made->reach.leaks != NULL;
    return has_room ? NULL : asnap_error_no_memory();
}

/* Moves a block to a better class. */
static bool improve(struct asnap_graph *graph, uint32_t block, uint8_t reach)
{
    uint8_t *old = &graph->reach.classes[block];
    uint64_t size = asnap_block_size(&graph->index, block);
    if (*old <= reach)
        return false;
    graph->sizes[*old] -= size;
    graph->counts[*old]--;
    graph->sizes[reach] += size;
    graph->counts[reach]++;
    *old = reach;
    return true;
}

/* Floods from the blocks that are held, where the graph has not all that are not reachable: what
 * hangs below others cannot be summed up anew. */
static struct asnap_error *flood(struct asnap_graph *made, const uint32_t *reasons)
{
    const struct asnap_edges *edges = &made->edges;
    /* Each block is put there twice at most: for each class that it is moved to. */
    uint32_t *stack = malloc(((size_t)made->index.count * 2 + 1) * sizeof(*stack));
    size_t depth = 0;
    if (stack == NULL)
        return asnap_error_no_memory();
    for (uint32_t block = 0; block < made->index.count; block++) {
        if (reasons[block] != ASNAP_NO_BLOCK && improve(made, block, ASNAP_REACH_REACHABLE))
            stack[depth++] = block;
    }
    while (depth > 0) {
        uint32_t block = stack[--depth];
        for (uint32_t i = edges->first[block]; i < edges->first[block + 1]; i++) {
            uint32_t target = asnap_edge_block(edges->targets[i]);
            bool is_start = asnap_edge_is_start(edges->targets[i]);
            uint8_t reach = is_start ? made->reach.classes[block] : ASNAP_REACH_POSSIBLE;
            if (improve(made, target, reach))
                stack[depth++] = target;
        }
    }
    free(stack);
    return asnap_graph_add_note(made,
                                "filters had left blocks out before this snapshot was written "
                                "to its file: what only they and suppressed blocks lead to "
                                "is shown as leaked");
}

/* What is held, by reason and class. */
static struct asnap_error *sum_held(struct asnap_graph *made, const uint32_t *reasons,
                                    uint32_t reason_count, bool *any)
{
    uint32_t count = made->index.count;
    made->reasons = copy(reasons, count, sizeof(*reasons));
    made->held = calloc((size_t)reason_count * ASNAP_REACH_CLASSES + 1, sizeof(*made->held));
    if (made->reasons == NULL || made->held == NULL)
        return asnap_error_no_memory();
    for (uint32_t block = 0; block < count; block++) {
        if (reasons[block] == ASNAP_NO_BLOCK)
            continue;
        uint8_t reach = made->base->reach.classes[block];
        struct asnap_graph_sum *sum = &made->held[reasons[block] * ASNAP_REACH_CLASSES + reach];
        sum->size += asnap_block_size(&made->index, block);
        sum->count++;
        *any = *any || reach >= ASNAP_REACH_POSSIBLE;
    }
    return NULL;
}

static struct asnap_error *hold(struct asnap_graph *made, const uint32_t *reasons,
                                uint32_t reason_count)
{
    bool any = false;
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i < made->base->note_count; i++)
        error = asnap_graph_add_note(made, "%s", made->base->notes[i]);
    if (error == NULL)
        error = sum_held(made, reasons, reason_count, &any);
    bool is_partial = any && !has_all(made->base);
    if (error == NULL && any && !is_partial)
        error = classify(made, reasons);
    else if (error == NULL)
        error = copy_classes(made);
    if (error == NULL && is_partial)
        error = flood(made, reasons);
    return error;
}

struct asnap_error *asnap_graph_hold(struct asnap_graph *graph, const uint32_t *reasons,
                                     uint32_t reason_count, struct asnap_graph **made)
{
    if (graph->base != NULL)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "asnap_graph_hold: the graph was made by it");
    for (uint32_t block = 0; block < graph->index.count; block++) {
        if (reasons[block] != ASNAP_GRAPH_NO_BLOCK && reasons[block] >= reason_count)
            return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                      "asnap_graph_hold: block %u has reason %u of %u", block,
                                      reasons[block], reason_count);
    }
    struct asnap_graph *found = asnap_graph_new();
    if (found == NULL)
        return asnap_error_no_memory();
    found->base = asnap_graph_share(graph);
    found->snapshot = graph->snapshot;
    found->index = graph->index;
    found->edges = graph->edges;
    found->is_partial = true;
    struct asnap_error *error = hold(found, reasons, reason_count);
    if (error != NULL) {
        asnap_graph_destroy(found);
        return error;
    }
    *made = found;
    return NULL;
}

void asnap_graph_held(const struct asnap_graph *graph, uint32_t reason, uint32_t classes,
                      uint64_t *size, uint64_t *count)
{
    *size = *count = 0;
    for (uint32_t reach = 0; graph->held != NULL && reach < ASNAP_REACH_CLASSES; reach++) {
        if ((classes >> reach & 1) == 0)
            continue;
        *size += graph->held[reason * ASNAP_REACH_CLASSES + reach].size;
        *count += graph->held[reason * ASNAP_REACH_CLASSES + reach].count;
    }
}

void asnap_graph_released(const struct asnap_graph *graph, uint32_t classes, uint64_t *size,
                          uint64_t *count)
{
    *size = *count = 0;
    for (uint32_t block = 0; graph->base != NULL && block < graph->index.count; block++) {
        bool was = (classes >> graph->base->reach.classes[block] & 1) != 0;
        bool is = (classes >> graph->reach.classes[block] & 1) != 0;
        if (!was || is || graph->reasons[block] != ASNAP_NO_BLOCK)
            continue;
        *size += asnap_block_size(&graph->index, block);
        (*count)++;
    }
}
