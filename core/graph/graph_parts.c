/* What is kept of a graph in a file. */
#include "graph_parts.h"

#include <stdlib.h>
#include <string.h>

#include "graph.h"

/* The blocks of the graph that are in a snapshot. */
struct members {
    const struct asnap_graph *graph;
    size_t count;
    uint32_t *blocks; /* by place among the snapshot's traces; NO_BLOCK: the graph has it not */
    uint32_t *places; /* by block; NONE: it is not in the snapshot */
};

/* Of equal traces at one address, the first stands for all where some may have been left out. */
static struct asnap_error *find_members(struct members *members, const struct asnap_blocks *blocks)
{
    const struct asnap_graph *graph = members->graph;
    members->count = blocks->count;
    members->blocks = malloc((blocks->count + 1) * sizeof(*members->blocks));
    members->places = malloc(((size_t)graph->index.count + 1) * sizeof(*members->places));
    if (members->blocks == NULL || members->places == NULL)
        return asnap_error_no_memory();
    memset(members->blocks, 0xff, blocks->count * sizeof(*members->blocks));
    memset(members->places, 0xff, graph->index.count * sizeof(*members->places));
    bool is_whole = blocks->traces == graph->index.traces;
    for (uint32_t block = 0; is_whole && block < graph->index.count; block++) {
        members->places[block] = graph->index.places[block];
        members->blocks[members->places[block]] = block;
    }
    for (size_t i = 0; !is_whole && i < blocks->count; i++) {
        uint32_t block = asnap_graph_block_of(graph, &blocks->traces[i]);
        if (block == ASNAP_GRAPH_NO_BLOCK || members->places[block] != ASNAP_KEPT_NONE)
            continue;
        members->places[block] = (uint32_t)i;
        members->blocks[i] = block;
    }
    return NULL;
}

static uint32_t place_of(const struct members *members, uint32_t block)
{
    return block == ASNAP_NO_BLOCK ? ASNAP_KEPT_NONE : members->places[block];
}

/* Of each block the nearest that dominates it and is in the snapshot. */
static struct asnap_error *find_dominators(const struct members *members, uint32_t **nearest)
{
    const struct asnap_dominators *dominators = &members->graph->dominators;
    uint32_t count = members->graph->index.count;
    uint32_t *found = malloc(((size_t)count + 1) * sizeof(*found));
    if (found == NULL)
        return asnap_error_no_memory();
    for (uint32_t i = 0; i < count; i++) {
        uint32_t block = dominators->order[i];
        uint32_t above = dominators->immediate[block];
        bool is_left_out = above != ASNAP_NO_BLOCK && members->places[above] == ASNAP_KEPT_NONE;
        found[block] = is_left_out ? found[above] : above;
    }
    *nearest = found;
    return NULL;
}

static struct asnap_error *keep_blocks(struct asnap_graph_parts *parts,
                                       const struct members *members)
{
    const struct asnap_graph *graph = members->graph;
    uint32_t *nearest;
    struct asnap_error *error = find_dominators(members, &nearest);
    if (error != NULL)
        return error;
    parts->classes = calloc(parts->count + 1, sizeof(*parts->classes));
    parts->retained = calloc(parts->count + 1, sizeof(*parts->retained));
    if (parts->classes == NULL || parts->retained == NULL) {
        free(nearest);
        return asnap_error_no_memory();
    }
    for (size_t i = 0; i < parts->count; i++) {
        uint32_t block = members->blocks[i];
        parts->retained[i].dominator = ASNAP_KEPT_NONE;
        if (block == ASNAP_NO_BLOCK)
            continue;
        parts->classes[i] = graph->reach.classes[block];
        parts->retained[i] = (struct asnap_kept_retained){
            .size = graph->dominators.retained_size[block],
            .count = graph->dominators.retained_count[block],
            .dominator = place_of(members, nearest[block]),
        };
    }
    free(nearest);
    return NULL;
}

static struct asnap_error *keep_leaks(struct asnap_graph_parts *parts,
                                      const struct members *members)
{
    const struct asnap_graph *graph = members->graph;
    size_t count = 0;
    for (size_t i = 0; i < parts->count; i++)
        count += parts->classes[i] >= ASNAP_REACH_INDIRECT;
    parts->leaks = calloc(count + 1, sizeof(*parts->leaks));
    if (parts->leaks == NULL)
        return asnap_error_no_memory();
    for (size_t i = 0; i < parts->count; i++) {
        if (parts->classes[i] < ASNAP_REACH_INDIRECT)
            continue;
        struct asnap_graph_block_info info = asnap_graph_block(graph, members->blocks[i]);
        parts->leaks[parts->leak_count++] = (struct asnap_kept_leak){
            .indirect_size = info.indirect_size,
            .place = (uint32_t)i,
            .owner = place_of(members, info.owner),
            .indirect_count = (uint32_t)info.indirect_count,
            .cycle_count = (uint32_t)info.cycle_count,
        };
    }
    return NULL;
}

static bool is_out_of_reach(const struct asnap_graph_parts *parts, uint32_t place)
{
    return place != ASNAP_KEPT_NONE && parts->classes[place] >= ASNAP_REACH_POSSIBLE;
}

/* Counts the pointers between blocks that are not reachable, and writes them where there is room.
 */
static void take_pointers(struct asnap_graph_parts *parts, const struct members *members)
{
    const struct asnap_edges *edges = &members->graph->edges;
    parts->pointer_count = 0;
    for (uint32_t place = 0; place < parts->count; place++) {
        if (!is_out_of_reach(parts, place))
            continue;
        uint32_t block = members->blocks[place];
        for (uint32_t i = edges->first[block]; i < edges->first[block + 1]; i++) {
            uint32_t to = members->places[asnap_edge_block(edges->targets[i])];
            if (!is_out_of_reach(parts, to))
                continue;
            if (parts->pointers != NULL)
                parts->pointers[parts->pointer_count] = (struct asnap_kept_pointer){
                    place, to | (asnap_edge_is_start(edges->targets[i]) ? 0 : ASNAP_KEPT_INSIDE)};
            parts->pointer_count++;
        }
    }
}

static struct asnap_error *keep_pointers(struct asnap_graph_parts *parts,
                                         const struct members *members)
{
    take_pointers(parts, members);
    parts->pointers = calloc(parts->pointer_count + 1, sizeof(*parts->pointers));
    if (parts->pointers == NULL)
        return asnap_error_no_memory();
    take_pointers(parts, members);
    return NULL;
}

static struct asnap_error *keep_notes(struct asnap_graph_parts *parts,
                                      const struct asnap_graph *graph)
{
    parts->notes = calloc(graph->note_count + 1, sizeof(*parts->notes));
    if (parts->notes == NULL)
        return asnap_error_no_memory();
    for (; parts->note_count < graph->note_count; parts->note_count++)
        parts->notes[parts->note_count] = graph->notes[parts->note_count];
    return NULL;
}

static struct asnap_error *fill(struct asnap_graph_parts *parts, const struct members *members)
{
    const struct asnap_graph *graph = members->graph;
    parts->count = members->count;
    for (uint32_t i = 0; i < ASNAP_KEPT_CLASSES; i++)
        parts->sums[i] = (struct asnap_kept_sum){graph->sizes[ASNAP_REACH_REACHABLE + i],
                                                 graph->counts[ASNAP_REACH_REACHABLE + i]};
    struct asnap_error *error = keep_blocks(parts, members);
    if (error == NULL)
        error = keep_leaks(parts, members);
    if (error == NULL)
        error = keep_pointers(parts, members);
    if (error == NULL)
        error = keep_notes(parts, graph);
    return error;
}

struct asnap_error *asnap_graph_parts_init(struct asnap_graph_parts *parts,
                                           const struct asnap_graph *graph,
                                           const struct asnap_snapshot *snapshot)
{
    struct asnap_blocks *blocks;
    struct members members = {.graph = graph};
    *parts = (struct asnap_graph_parts){0};
    struct asnap_error *error = asnap_snapshot_blocks(snapshot, &blocks);
    if (error == NULL)
        error = find_members(&members, blocks);
    if (error == NULL)
        error = fill(parts, &members);
    free(members.blocks);
    free(members.places);
    if (error != NULL)
        asnap_graph_parts_deinit(parts);
    return error;
}

void asnap_graph_parts_deinit(struct asnap_graph_parts *parts)
{
    free(parts->classes);
    free(parts->retained);
    free(parts->leaks);
    free(parts->pointers);
    free(parts->notes);
    *parts = (struct asnap_graph_parts){0};
}
