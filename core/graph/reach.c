#include "reach.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"

/* A search over the blocks, without recursion: a chain of blocks can be as long as the heap. */
struct search {
    const struct asnap_edges *edges;
    struct asnap_reach *reach;
    uint32_t *stack;
    uint32_t depth;
};

static void take(struct search *search, uint32_t block, enum asnap_reach_class found)
{
    if (search->reach->classes[block] != ASNAP_REACH_UNKNOWN)
        return;
    search->reach->classes[block] = (uint8_t)found;
    search->stack[search->depth++] = block;
}

/* All that the blocks on the stack lead to, by starts alone or by any pointer. */
static void flood(struct search *search, enum asnap_reach_class found, bool starts_only)
{
    const struct asnap_edges *edges = search->edges;
    while (search->depth > 0) {
        uint32_t block = search->stack[--search->depth];
        for (uint32_t i = edges->first[block]; i < edges->first[block + 1]; i++) {
            if (!starts_only || asnap_edge_is_start(edges->targets[i]))
                take(search, asnap_edge_block(edges->targets[i]), found);
        }
    }
}

static void find_reachable(struct search *search, uint32_t block_count,
                           const struct asnap_root_pointer *roots, size_t root_count)
{
    const struct asnap_edges *edges = search->edges;
    for (size_t i = 0; i < root_count; i++) {
        if (asnap_edge_is_start(roots[i].edge))
            take(search, asnap_edge_block(roots[i].edge), ASNAP_REACH_REACHABLE);
    }
    flood(search, ASNAP_REACH_REACHABLE, true);
    for (size_t i = 0; i < root_count; i++)
        take(search, asnap_edge_block(roots[i].edge), ASNAP_REACH_POSSIBLE);
    for (uint32_t block = 0; block < block_count; block++) {
        if (search->reach->classes[block] != ASNAP_REACH_REACHABLE)
            continue;
        for (uint32_t i = edges->first[block]; i < edges->first[block + 1]; i++)
            take(search, asnap_edge_block(edges->targets[i]), ASNAP_REACH_POSSIBLE);
    }
    flood(search, ASNAP_REACH_POSSIBLE, false);
}

/* Strongly connected components of the unreachable blocks (Tarjan 1972), iteratively. */
struct components {
    const struct asnap_edges *edges;
    struct asnap_reach *reach;
    uint32_t *order; /* of each block: when it was met, from 1; 0: not yet */
    uint32_t *low;   /* the earliest that it leads back to; afterwards its component */
    uint32_t *path;  /* the blocks on the way */
    uint32_t *next;  /* of each block on the way: the next of its edges */
    uint32_t *open;  /* met, and in no component yet */
    uint32_t path_depth;
    uint32_t open_count;
    uint32_t met;
};

/* Blocks whose component is known: no order is as large. */
#define CLOSED UINT32_MAX

static bool is_unreachable(const struct asnap_reach *reach, uint32_t block)
{
    return reach->classes[block] >= ASNAP_REACH_INDIRECT;
}

static void enter(struct components *components, uint32_t block)
{
    components->order[block] = components->low[block] = ++components->met;
    components->path[components->path_depth++] = block;
    components->next[block] = components->edges->first[block];
    components->open[components->open_count++] = block;
}

/* The block is through: where it leads back to nothing earlier, it and what is open after it
 * are a component, named by its first block. */
static void leave(struct components *components, uint32_t block)
{
    components->path_depth--;
    /* The first on the way leads back to nothing earlier. */
    if (components->path_depth > 0 && components->low[block] != components->order[block]) {
        uint32_t before = components->path[components->path_depth - 1];
        if (components->low[block] < components->low[before])
            components->low[before] = components->low[block];
        return;
    }
    uint32_t end = components->open_count;
    uint32_t first = UINT32_MAX;
    do {
        uint32_t member = components->open[--components->open_count];
        first = member < first ? member : first;
    } while (components->open[components->open_count] != block);
    for (uint32_t i = components->open_count; i < end; i++) {
        components->low[components->open[i]] = first;
        components->order[components->open[i]] = CLOSED;
    }
}

static void search_from(struct components *components, uint32_t start)
{
    const struct asnap_edges *edges = components->edges;
    enter(components, start);
    while (components->path_depth > 0) {
        uint32_t block = components->path[components->path_depth - 1];
        if (components->next[block] == edges->first[block + 1]) {
            leave(components, block);
            continue;
        }
        uint32_t target = asnap_edge_block(edges->targets[components->next[block]++]);
        if (!is_unreachable(components->reach, target))
            continue;
        if (components->order[target] == 0)
            enter(components, target);
        else if (components->order[target] != CLOSED &&
                 components->order[target] < components->low[block])
            components->low[block] = components->order[target];
    }
}

/* Where another component leads to a component, that one's first block is indirect too. */
static void find_definite(struct components *components, uint32_t block_count)
{
    const struct asnap_edges *edges = components->edges;
    struct asnap_reach *reach = components->reach;
    const uint32_t *component = components->low;
    for (uint32_t i = 0; i < block_count; i++) {
        if (is_unreachable(reach, i))
            reach->classes[i] = component[i] == i ? ASNAP_REACH_DEFINITE : ASNAP_REACH_INDIRECT;
    }
    for (uint32_t block = 0; block < block_count; block++) {
        if (!is_unreachable(reach, block))
            continue;
        for (uint32_t i = edges->first[block]; i < edges->first[block + 1]; i++) {
            uint32_t target = asnap_edge_block(edges->targets[i]);
            if (is_unreachable(reach, target) && component[target] != component[block])
                reach->classes[component[target]] = ASNAP_REACH_INDIRECT;
        }
    }
}

/* Each definite block, in order of address, stands for what no earlier one leads to. */
static void find_owners(struct components *components, uint32_t block_count)
{
    const struct asnap_edges *edges = components->edges;
    struct asnap_reach *reach = components->reach;
    uint32_t *stack = components->path;
    for (uint32_t definite = 0; definite < block_count; definite++) {
        if (reach->classes[definite] != ASNAP_REACH_DEFINITE)
            continue;
        uint32_t depth = 0;
        reach->owners[definite] = definite;
        stack[depth++] = definite;
        while (depth > 0) {
            uint32_t block = stack[--depth];
            for (uint32_t i = edges->first[block]; i < edges->first[block + 1]; i++) {
                uint32_t target = asnap_edge_block(edges->targets[i]);
                if (reach->classes[target] != ASNAP_REACH_INDIRECT ||
                    reach->owners[target] != ASNAP_NO_BLOCK)
                    continue;
                reach->owners[target] = definite;
                stack[depth++] = target;
            }
        }
    }
}

/* Hands over how many blocks each component has, in place of what was the next edge. */
static void count_cycles(struct components *components, uint32_t block_count)
{
    uint32_t *counts = components->next;
    memset(counts, 0, block_count * sizeof(*counts));
    for (uint32_t block = 0; block < block_count; block++) {
        if (is_unreachable(components->reach, block))
            counts[components->low[block]]++;
    }
    components->reach->cycles = counts;
    components->next = NULL;
}

/* Tells definite from indirect blocks. `path` has room for all blocks. */
static struct asnap_error *find_unreachable(const struct asnap_edges *edges,
                                            struct asnap_reach *reach, uint32_t *path,
                                            uint32_t block_count)
{
    bool any = false;
    for (uint32_t i = 0; i < block_count; i++) {
        if (reach->classes[i] == ASNAP_REACH_UNKNOWN) {
            reach->classes[i] = ASNAP_REACH_INDIRECT;
            any = true;
        }
    }
    if (!any)
        return NULL;
    struct components components = {.edges = edges, .reach = reach, .path = path};
    components.order = calloc(block_count, sizeof(uint32_t));
    components.low = malloc(block_count * sizeof(uint32_t));
    components.next = malloc(block_count * sizeof(uint32_t));
    components.open = malloc(block_count * sizeof(uint32_t));
    struct asnap_error *error = NULL;
    if (components.order == NULL || components.low == NULL || components.next == NULL ||
        components.open == NULL) {
        error = asnap_error_no_memory();
    } else {
        for (uint32_t i = 0; i < block_count; i++) {
            if (is_unreachable(reach, i) && components.order[i] == 0)
                search_from(&components, i);
        }
        find_definite(&components, block_count);
        find_owners(&components, block_count);
        count_cycles(&components, block_count);
    }
    free(components.order);
    free(components.low);
    free(components.next);
    free(components.open);
    return error;
}

struct asnap_error *asnap_reach_init(struct asnap_reach *reach,
                                     const struct asnap_block_index *index,
                                     const struct asnap_edges *edges,
                                     const struct asnap_root_pointer *roots, size_t root_count)
{
    *reach = (struct asnap_reach){0};
    size_t room = (size_t)index->count + 1;
    struct search search = {.edges = edges, .reach = reach};
    reach->classes = calloc(room, sizeof(*reach->classes));
    reach->owners = malloc(room * sizeof(*reach->owners));
    search.stack = malloc(room * sizeof(*search.stack));
    struct asnap_error *error = NULL;
    if (reach->classes == NULL || reach->owners == NULL || search.stack == NULL) {
        error = asnap_error_no_memory();
    } else {
        memset(reach->owners, 0xff, room * sizeof(*reach->owners));
        find_reachable(&search, index->count, roots, root_count);
        error = find_unreachable(edges, reach, search.stack, index->count);
    }
    free(search.stack);
    if (error != NULL)
        asnap_reach_deinit(reach);
    return error;
}

void asnap_reach_deinit(struct asnap_reach *reach)
{
    free(reach->classes);
    free(reach->owners);
    free(reach->cycles);
    *reach = (struct asnap_reach){0};
}
