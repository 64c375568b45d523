#include "reach.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "graph_poll.h"
#include "grow.h"

#define STEP "following pointers"

/* Of the blocks that were met so many are under way: what they lead to is fetched from memory
 * while others are looked at, a quarter of the way for each step. */
#define UNDER_WAY 16u
/* Of so many edges of a block what they lead to is fetched. */
#define FEW_EDGES 4u

/* A search over the blocks, without recursion: a chain of blocks can be as long as the heap. */
struct search {
    const struct asnap_edges *edges;
    struct asnap_reach *reach;
    const struct asnap_progress *progress;
    uint32_t block_count;
    /* Of each block: its edge where it has one, SEVERAL where it has more, one to itself where it
     * has none. Most have one at most, and no other place of memory is needed to go on from these.
     */
    uint32_t *only;
    uint32_t *stack;
    uint32_t depth;
    uint32_t way[UNDER_WAY]; /* a ring */
    uint32_t under_way;      /* how many are in it */
};

#define SEVERAL UINT32_MAX

static struct asnap_error *search_init(struct search *search)
{
    const struct asnap_edges *edges = search->edges;
    search->only = asnap_large_array(search->block_count, sizeof(*search->only));
    search->stack = asnap_large_array(search->block_count, sizeof(*search->stack));
    if (search->only == NULL || search->stack == NULL)
        return asnap_error_no_memory();
    for (uint32_t block = 0; block < search->block_count; block++) {
        uint32_t first = edges->first[block];
        uint32_t count = edges->first[block + 1] - first;
        search->only[block] = count == 0 ? block : count == 1 ? edges->targets[first] : SEVERAL;
    }
    return NULL;
}

static void take(struct search *search, uint32_t block, enum asnap_reach_class found)
{
    if (search->reach->classes[block] != ASNAP_REACH_UNKNOWN)
        return;
    search->reach->classes[block] = (uint8_t)found;
    search->stack[search->depth++] = block;
}

static void fetch_class(const struct search *search, uint32_t edge)
{
    __builtin_prefetch(&search->reach->classes[asnap_edge_block(edge)], 1);
}

/* Fetches what is needed of a block that has come some quarters of its way: they bring what it
 * leads to, where its edges are, these, and the classes of what they lead to. */
static void fetch(const struct search *search, uint32_t block, unsigned quarters)
{
    const struct asnap_edges *edges = search->edges;
    if (block == ASNAP_NO_BLOCK)
        return;
    if (quarters == 0) {
        __builtin_prefetch(&search->only[block]);
    } else if (search->only[block] != SEVERAL) {
        if (quarters == 1)
            fetch_class(search, search->only[block]);
    } else if (quarters == 1) {
        __builtin_prefetch(&edges->first[block]);
    } else if (quarters == 2) {
        __builtin_prefetch(&edges->targets[edges->first[block]]);
    } else {
        uint32_t first = edges->first[block];
        uint32_t count = edges->first[block + 1] - first;
        for (uint32_t i = 0; i < count && i < FEW_EDGES; i++)
            fetch_class(search, edges->targets[first + i]);
    }
}

/* Sends the next block of the stack on its way; the one that arrives. */
static uint32_t next_block(struct search *search, uint32_t turn)
{
    uint32_t *here = &search->way[turn % UNDER_WAY];
    uint32_t arrived = *here;
    search->under_way -= arrived != ASNAP_NO_BLOCK;
    *here = ASNAP_NO_BLOCK;
    if (search->depth > 0) {
        *here = search->stack[--search->depth];
        search->under_way++;
    }
    for (unsigned quarters = 0; quarters < 4; quarters++)
        fetch(search, search->way[(turn - quarters * UNDER_WAY / 4) % UNDER_WAY], quarters);
    return arrived;
}

/* What a block leads to is found, by its start alone or by any pointer. */
static void go_on(struct search *search, uint32_t block, enum asnap_reach_class found,
                  bool starts_only)
{
    const struct asnap_edges *edges = search->edges;
    bool is_one = search->only[block] != SEVERAL;
    const uint32_t *edge = is_one ? &search->only[block] : &edges->targets[edges->first[block]];
    uint32_t count = is_one ? 1 : edges->first[block + 1] - edges->first[block];
    for (uint32_t i = 0; i < count; i++) {
        if (!starts_only || asnap_edge_is_start(edge[i]))
            take(search, asnap_edge_block(edge[i]), found);
    }
}

/* All that the blocks on the stack lead to. */
static struct asnap_error *flood(struct search *search, enum asnap_reach_class found,
                                 bool starts_only)
{
    memset(search->way, 0xff, sizeof(search->way));
    search->under_way = 0;
    for (uint32_t turn = 0; search->under_way > 0 || search->depth > 0; turn++) {
        uint32_t block = next_block(search, turn);
        if (turn % ASNAP_POLL_EVERY == 0) {
            struct asnap_error *error =
                asnap_graph_poll(search->progress, STEP, turn, search->block_count);
            if (error != NULL)
                return error;
        }
        if (block == ASNAP_NO_BLOCK)
            continue;
        go_on(search, block, found, starts_only);
        /* A chain that is left alone goes no quarters of a way. */
        for (; search->under_way == 0 && search->depth == 1 && (turn + 1) % ASNAP_POLL_EVERY != 0;
             turn++)
            go_on(search, search->stack[--search->depth], found, starts_only);
    }
    return NULL;
}

static struct asnap_error *find_reachable(struct search *search,
                                          const struct asnap_root_pointer *roots, size_t root_count)
{
    const struct asnap_edges *edges = search->edges;
    for (size_t i = 0; i < root_count; i++) {
        if (asnap_edge_is_start(roots[i].edge))
            take(search, asnap_edge_block(roots[i].edge), ASNAP_REACH_REACHABLE);
    }
    struct asnap_error *error = flood(search, ASNAP_REACH_REACHABLE, true);
    if (error != NULL)
        return error;
    for (size_t i = 0; i < root_count; i++)
        take(search, asnap_edge_block(roots[i].edge), ASNAP_REACH_POSSIBLE);
    for (uint32_t block = 0; block < search->block_count; block++) {
        if (search->reach->classes[block] != ASNAP_REACH_REACHABLE)
            continue;
        for (uint32_t i = edges->first[block]; i < edges->first[block + 1]; i++) {
            /* Others are reachable already. */
            if (!asnap_edge_is_start(edges->targets[i]))
                take(search, asnap_edge_block(edges->targets[i]), ASNAP_REACH_POSSIBLE);
        }
    }
    return flood(search, ASNAP_REACH_POSSIBLE, false);
}

/* Strongly connected components of the unreachable blocks (Tarjan 1972, in Pearce's form of 2016,
 * which needs little memory), iteratively. */
struct components {
    const struct asnap_edges *edges;
    struct asnap_reach *reach;
    const struct asnap_progress *progress;
    uint32_t block_count;
    /* Of each block: the earliest that it leads back to, counted from 1 as they are met; 0: not
     * met; CLOSED and its component once that is known. */
    uint32_t *index;
    uint32_t *next; /* of each block on the way: the next of its edges */
    /* The blocks on the way from the left, LEADS_BACK in some; from the right those that were left
     * and are in no component yet. */
    uint32_t *stack;
    uint32_t depth;
    uint32_t open; /* where these begin */
    uint32_t met;
};

#define CLOSED (UINT32_C(1) << 31)
#define LEADS_BACK (UINT32_C(1) << 31)

static bool is_unreachable(const struct asnap_reach *reach, uint32_t block)
{
    return reach->classes[block] >= ASNAP_REACH_INDIRECT;
}

static uint32_t component_of(const struct components *components, uint32_t block)
{
    return components->index[block] & ~CLOSED;
}

static void enter(struct components *components, uint32_t block)
{
    components->index[block] = ++components->met;
    components->next[block] = components->edges->first[block];
    components->stack[components->depth++] = block;
}

/* The last block on the way leads to one that leads back to another. */
static void note_back(struct components *components, uint32_t target)
{
    uint32_t *last = &components->stack[components->depth - 1];
    uint32_t *index = &components->index[*last & ~LEADS_BACK];
    if (components->index[target] >= *index)
        return;
    *index = components->index[target];
    *last |= LEADS_BACK;
}

/* The last block on the way is through: where it leads back to nothing earlier, it and what is
 * open since are a component, named by its first block. */
static void leave(struct components *components)
{
    uint32_t last = components->stack[--components->depth];
    uint32_t block = last & ~LEADS_BACK;
    if ((last & LEADS_BACK) != 0) {
        components->stack[--components->open] = block;
    } else {
        uint32_t end = components->open;
        uint32_t first = block;
        for (; end < components->block_count &&
               components->index[components->stack[end]] >= components->index[block];
             end++)
            first = components->stack[end] < first ? components->stack[end] : first;
        for (; components->open < end; components->open++)
            components->index[components->stack[components->open]] = CLOSED | first;
        components->index[block] = CLOSED | first;
    }
    if (components->depth > 0)
        note_back(components, block);
}

static struct asnap_error *search_from(struct components *components, uint32_t start)
{
    const struct asnap_edges *edges = components->edges;
    enter(components, start);
    while (components->depth > 0) {
        uint32_t block = components->stack[components->depth - 1] & ~LEADS_BACK;
        if (components->next[block] == edges->first[block + 1]) {
            leave(components);
            continue;
        }
        uint32_t target = asnap_edge_block(edges->targets[components->next[block]++]);
        if (!is_unreachable(components->reach, target))
            continue;
        if (components->index[target] != 0) {
            note_back(components, target);
            continue;
        }
        enter(components, target);
        struct asnap_error *error = components->met % ASNAP_POLL_EVERY == 0
                                        ? asnap_graph_poll(components->progress, STEP,
                                                           components->met, components->block_count)
                                        : NULL;
        if (error != NULL)
            return error;
    }
    return NULL;
}

/* Where another component leads to a component, that one's first block is indirect too. */
static void find_definite(const struct components *components)
{
    const struct asnap_edges *edges = components->edges;
    struct asnap_reach *reach = components->reach;
    for (uint32_t i = 0; i < components->block_count; i++) {
        if (is_unreachable(reach, i))
            reach->classes[i] =
                component_of(components, i) == i ? ASNAP_REACH_DEFINITE : ASNAP_REACH_INDIRECT;
    }
    for (uint32_t block = 0; block < components->block_count; block++) {
        if (!is_unreachable(reach, block))
            continue;
        uint32_t own = component_of(components, block);
        for (uint32_t i = edges->first[block]; i < edges->first[block + 1]; i++) {
            uint32_t target = asnap_edge_block(edges->targets[i]);
            if (is_unreachable(reach, target) && component_of(components, target) != own)
                reach->classes[component_of(components, target)] = ASNAP_REACH_INDIRECT;
        }
    }
}

/* Each definite block, in order of address, stands for what no earlier one leads to. */
static void find_owners(const struct components *components)
{
    const struct asnap_edges *edges = components->edges;
    struct asnap_reach *reach = components->reach;
    uint32_t *stack = components->stack;
    memset(reach->owners, 0xff, components->block_count * sizeof(*reach->owners));
    for (uint32_t definite = 0; definite < components->block_count; definite++) {
        if (reach->classes[definite] != ASNAP_REACH_DEFINITE)
            continue;
        uint32_t depth = 0;
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

/* What each definite block stands for. Its stack and then its components are not needed any more,
 * and counted in. */
static struct asnap_error *sum_up(struct components *components,
                                  const struct asnap_block_index *index)
{
    struct asnap_reach *reach = components->reach;
    uint32_t block_count = components->block_count;
    uint32_t *cycles = components->stack;
    memset(cycles, 0, block_count * sizeof(*cycles));
    for (uint32_t block = 0; block < block_count; block++) {
        if (is_unreachable(reach, block))
            cycles[component_of(components, block)]++;
    }
    uint32_t *counts = components->index;
    size_t standing = 0;
    memset(counts, 0, block_count * sizeof(*counts));
    for (uint32_t block = 0; block < block_count; block++) {
        if (reach->classes[block] == ASNAP_REACH_INDIRECT)
            standing += counts[reach->owners[block]]++ == 0;
    }
    reach->leaks = malloc((standing + 1) * sizeof(*reach->leaks));
    if (reach->leaks == NULL)
        return asnap_error_no_memory();
    for (uint32_t block = 0; block < block_count; block++) {
        if (counts[block] == 0)
            continue;
        reach->leaks[reach->leak_count] = (struct asnap_leak){0, counts[block], cycles[block]};
        reach->owners[block] = reach->leak_count++;
    }
    for (uint32_t block = 0; block < block_count; block++) {
        if (reach->classes[block] == ASNAP_REACH_INDIRECT)
            reach->leaks[reach->owners[reach->owners[block]]].indirect_size +=
                asnap_block_size(index, block);
    }
    return NULL;
}

/* Tells definite from indirect blocks. `stack` and `room` have room for all blocks. */
static struct asnap_error *find_unreachable(const struct asnap_block_index *index,
                                            const struct asnap_edges *edges,
                                            struct asnap_reach *reach, uint32_t *stack,
                                            uint32_t *room, const struct asnap_progress *progress)
{
    bool any = false;
    for (uint32_t i = 0; i < index->count; i++) {
        if (reach->classes[i] == ASNAP_REACH_UNKNOWN) {
            reach->classes[i] = ASNAP_REACH_INDIRECT;
            room[i] = 0;
            any = true;
        }
    }
    if (!any)
        return NULL;
    struct components components = {.edges = edges,
                                    .reach = reach,
                                    .progress = progress,
                                    .block_count = index->count,
                                    .stack = stack,
                                    .open = index->count};
    components.index = room;
    components.next = reach->owners = asnap_large_array(index->count, sizeof(uint32_t));
    struct asnap_error *error = NULL;
    if (components.next == NULL)
        error = asnap_error_no_memory();
    for (uint32_t i = 0; error == NULL && i < index->count; i++) {
        if (is_unreachable(reach, i) && components.index[i] == 0)
            error = search_from(&components, i);
    }
    if (error == NULL) {
        find_definite(&components);
        find_owners(&components);
        error = sum_up(&components, index);
    }
    return error;
}

struct asnap_error *asnap_reach_init(struct asnap_reach *reach,
                                     const struct asnap_block_index *index,
                                     const struct asnap_edges *edges,
                                     const struct asnap_root_pointer *roots, size_t root_count,
                                     const struct asnap_progress *progress)
{
    *reach = (struct asnap_reach){0};
    struct search search = {
        .edges = edges, .reach = reach, .progress = progress, .block_count = index->count};
    reach->classes = asnap_large_array(index->count, sizeof(*reach->classes));
    struct asnap_error *error =
        reach->classes == NULL ? asnap_error_no_memory() : search_init(&search);
    if (error == NULL)
        error = find_reachable(&search, roots, root_count);
    if (error == NULL)
        error = find_unreachable(index, edges, reach, search.stack, search.only, progress);
    free(search.only);
    free(search.stack);
    if (error != NULL)
        asnap_reach_deinit(reach);
    return error;
}

void asnap_reach_deinit(struct asnap_reach *reach)
{
    free(reach->classes);
    free(reach->owners);
    free(reach->leaks);
    *reach = (struct asnap_reach){0};
}
