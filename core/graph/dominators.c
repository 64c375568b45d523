#include "dominators.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "graph_poll.h"
#include "grow.h"

#define STEP "finding what keeps what alive"

/* How many nodes before it comes up what is needed of one is fetched from memory. */
#define AHEAD 8u
/* And of how many of its edges. */
#define FEW_EDGES 4u

/* The way from a node up. While nodes are numbered: of one on the way, its edges from the next on.
 */
struct link {
    union {
        uint32_t ancestor; /* the parent, then one further up: paths are cut down to it */
        uint32_t next;
    };
    union {
        uint32_t least; /* the earliest semidominator on the way up to below the ancestor */
        uint32_t end;
    };
};

/* Nodes are numbered in depth-first order from 1; node 0 stands for all roots. Six numbers for each
 * block are all that there is room for (docs/architecture.md, the graph's memory): arrays change
 * their meaning on the way. */
struct tree {
    const struct asnap_edges *edges;
    const struct asnap_referrers *referrers;
    uint32_t count;   /* blocks */
    uint32_t *block;  /* of each node. In the end: the blocks, each before all that it dominates */
    uint32_t *node;   /* of each block; see UNMET. In the end its immediate dominator */
    uint32_t *parent; /* in the depth-first tree. In the end: its immediate dominator's node */
    struct link *links; /* of each node */
    uint32_t *semi;     /* the semidominator. In the end: how many blocks the block retains */
};

/* Numbers of blocks and nodes are below 2^30. A root points to the block: the bit is there in
 * `node` until the block is met, and in `block` afterwards. */
#define ROOTED (UINT32_C(1) << 31)
/* A block that is not met: below the bit is the only block that it leads to, or SEVERAL, so that a
 * chain of blocks is gone along without looking at its edges. One without edges leads to itself. */
#define UNMET (UINT32_C(1) << 30)
#define SEVERAL (UNMET - 1)

static bool is_met(const struct tree *tree, uint32_t block)
{
    return (tree->node[block] & UNMET) == 0;
}

static void unmeet_all(struct tree *tree)
{
    const struct asnap_edges *edges = tree->edges;
    for (uint32_t block = 0; block < tree->count; block++) {
        uint32_t first = edges->first[block];
        uint32_t count = edges->first[block + 1] - first;
        uint32_t only = count == 0   ? block
                        : count == 1 ? asnap_edge_block(edges->targets[first])
                                     : SEVERAL;
        tree->node[block] = UNMET | only;
    }
}

/* Numbers a block and what it alone leads to, and so on. The block that leads to several, and so is
 * on the way from now on; ASNAP_NO_BLOCK: it ends at one that was met. */
static uint32_t number_chain(struct tree *tree, uint32_t block, uint32_t parent, uint32_t *met)
{
    while (!is_met(tree, block)) {
        uint32_t before = tree->node[block];
        tree->node[block] = ++*met;
        tree->block[*met] = block | (before & ROOTED);
        tree->parent[*met] = parent;
        if ((before & SEVERAL) == SEVERAL)
            return block;
        parent = *met;
        block = before & SEVERAL;
    }
    return ASNAP_NO_BLOCK;
}

/* Fetches what is needed to go along the edge at `at`, before `end`. */
static void fetch_edge(const struct tree *tree, uint64_t at, uint32_t end)
{
    if (at >= end)
        return;
    uint32_t target = asnap_edge_block(tree->edges->targets[at]);
    __builtin_prefetch(&tree->node[target], 1);
    __builtin_prefetch(&tree->edges->first[target]);
}

/* Numbers the blocks from `start` on. A node is left before its last edge is gone along. */
static void number_from(struct tree *tree, uint32_t start, uint32_t *met)
{
    const struct asnap_edges *edges = tree->edges;
    struct link *way = tree->links;
    uint32_t *nodes = tree->semi; /* on the way */
    uint32_t depth = 0;
    uint32_t block = number_chain(tree, start, 0, met);
    for (;;) {
        if (block != ASNAP_NO_BLOCK) {
            struct link *here = &way[depth];
            nodes[depth++] = *met;
            here->next = edges->first[block];
            here->end = edges->first[block + 1];
            for (uint32_t i = 1; i < FEW_EDGES; i++)
                fetch_edge(tree, (uint64_t)here->next + i, here->end);
        }
        if (depth == 0)
            return;
        struct link *last = &way[depth - 1];
        uint32_t parent = nodes[depth - 1];
        fetch_edge(tree, (uint64_t)last->next + FEW_EDGES, last->end);
        uint32_t target = asnap_edge_block(edges->targets[last->next++]);
        depth -= last->next == last->end;
        block = number_chain(tree, target, parent, met);
    }
}

static void number_blocks(struct tree *tree)
{
    uint32_t met = 0;
    for (uint32_t block = 0; block < tree->count; block++) {
        if ((tree->node[block] & (ROOTED | UNMET)) == (ROOTED | UNMET))
            number_from(tree, block, &met);
    }
    /* None are left where the classes fit the edges. */
    for (uint32_t block = 0; block < tree->count; block++) {
        if (is_met(tree, block))
            continue;
        tree->node[block] |= ROOTED;
        number_from(tree, block, &met);
    }
    for (uint32_t node = 0; node <= tree->count; node++)
        tree->links[node].ancestor = tree->parent[node];
}

/* The earliest semidominator on the way from `node` up to what is not linked yet: nodes below
 * `linked`. Cuts the way short for the next time (path halving: Tarjan and van Leeuwen 1984). */
static uint32_t evaluate(struct tree *tree, uint32_t node, uint32_t linked)
{
    struct link *links = tree->links;
    uint32_t best = UINT32_MAX;
    if (node < linked)
        return node;
    while (node >= linked) {
        struct link *here = &links[node];
        uint32_t above = here->ancestor;
        if (above >= linked) {
            const struct link *next = &links[above];
            if (next->least < here->least)
                here->least = next->least;
            above = next->ancestor;
            here->ancestor = above;
        }
        best = here->least < best ? here->least : best;
        node = above;
    }
    return best;
}

/* What is fetched of a node that comes up after so many times AHEAD others: each brings where the
 * next one is. */
enum step { LINK_ABOVE = 1, LINKS, NODES, SOURCES, FIRST };

/* Fetches what finding the semidominator of a node needs. */
static void fetch_step(const struct tree *tree, uint32_t node, enum step step)
{
    const uint32_t *first = tree->referrers->first;
    const uint32_t *sources = tree->referrers->sources;
    uint32_t block = tree->block[node];
    if ((block & ROOTED) != 0)
        return;
    if (step == FIRST) {
        __builtin_prefetch(&first[block]);
        return;
    }
    uint32_t count = first[block + 1] - first[block];
    if (count < 2)
        return;
    if (step == SOURCES) {
        __builtin_prefetch(&sources[first[block]]);
        return;
    }
    for (uint32_t i = 0; i < count && i < FEW_EDGES; i++) {
        const uint32_t *source = &tree->node[sources[first[block] + i]];
        if (step == NODES)
            __builtin_prefetch(source);
        else if (step == LINKS)
            __builtin_prefetch(&tree->links[*source], 1);
        else
            __builtin_prefetch(&tree->links[tree->links[*source].ancestor]);
    }
}

static void fetch_ahead(const struct tree *tree, uint32_t node)
{
    if (node <= FIRST * AHEAD)
        return;
    for (uint32_t step = LINK_ABOVE; step <= FIRST; step++)
        fetch_step(tree, node - step * AHEAD, (enum step)step);
}

/* The semidominator of a node that no root points to. */
static uint32_t semidominator(struct tree *tree, uint32_t node, uint32_t block)
{
    const struct asnap_referrers *referrers = tree->referrers;
    uint32_t end = referrers->first[block + 1];
    uint32_t semi = tree->parent[node];
    /* The parent is one of them. */
    if (end - referrers->first[block] == 1)
        return semi;
    for (uint32_t i = referrers->first[block]; semi != 0 && i < end; i++) {
        uint32_t source = tree->node[referrers->sources[i]];
        uint32_t candidate = evaluate(tree, source, node + 1);
        semi = candidate < semi ? candidate : semi;
    }
    return semi;
}

/* Semidominators, from the last node on. */
static struct asnap_error *find_semidominators(struct tree *tree,
                                               const struct asnap_progress *progress)
{
    for (uint32_t node = tree->count; node >= 1; node--) {
        uint32_t block = tree->block[node] & ~ROOTED;
        bool is_rooted = block != tree->block[node];
        fetch_ahead(tree, node);
        tree->block[node] = block;
        tree->semi[node] = is_rooted ? 0 : semidominator(tree, node, block);
        tree->links[node].least = tree->semi[node];
        if (node % ASNAP_POLL_EVERY == 0) {
            struct asnap_error *error =
                asnap_graph_poll(progress, STEP, tree->count - node, tree->count);
            if (error != NULL)
                return error;
        }
    }
    return NULL;
}

static void find_immediate(struct tree *tree)
{
    uint32_t *immediate = tree->parent;
    for (uint32_t node = 1; node <= tree->count; node++) {
        uint32_t candidate = immediate[node];
        while (candidate > tree->semi[node])
            candidate = immediate[candidate];
        immediate[node] = candidate;
    }
}

/* Fetches the results of the block of a node, which may be none, or of the one that it is below. */
static void fetch_results(const struct tree *tree, uint64_t node, bool above, void *results,
                          size_t size)
{
    if (node == 0 || node > tree->count)
        return;
    uint32_t block = tree->block[node];
    if (above)
        block = tree->node[block];
    else
        __builtin_prefetch(&tree->node[block]);
    if (block == ASNAP_NO_BLOCK)
        return;
    __builtin_prefetch(&tree->semi[block], 1);
    __builtin_prefetch((char *)results + block * size, 1);
}

/* The results, by block. `sizes` are where the links were. */
static void sum_up(struct tree *tree, const struct asnap_block_index *index, uint64_t *sizes)
{
    uint32_t *immediate = tree->node;
    uint32_t *counts = tree->semi;
    for (uint32_t node = 1; node <= tree->count; node++) {
        if (node + AHEAD <= tree->count)
            __builtin_prefetch(&immediate[tree->block[node + AHEAD]], 1);
        uint32_t above = tree->parent[node];
        immediate[tree->block[node]] = above == 0 ? ASNAP_NO_BLOCK : tree->block[above];
    }
    for (uint32_t block = 0; block < tree->count; block++) {
        sizes[block] = asnap_block_size(index, block);
        counts[block] = 1;
    }
    for (uint32_t node = tree->count; node >= 1; node--) {
        fetch_results(tree, (uint64_t)node - 2 * AHEAD, false, sizes, sizeof(*sizes));
        fetch_results(tree, (uint64_t)node - AHEAD, true, sizes, sizeof(*sizes));
        uint32_t block = tree->block[node];
        uint32_t above = immediate[block];
        if (above == ASNAP_NO_BLOCK)
            continue;
        sizes[above] += sizes[block];
        counts[above] += counts[block];
    }
}

/* Lays the blocks out in an order in which each is followed by all that it dominates. Where a
 * block's next one goes, `next`, is its own place and all of its own when none is left. */
static void arrange(struct tree *tree)
{
    const uint32_t *immediate = tree->node;
    const uint32_t *counts = tree->semi;
    uint32_t *next = tree->parent;
    uint32_t next_top = 0;
    for (uint32_t node = 1; node <= tree->count; node++) {
        fetch_results(tree, (uint64_t)node + 2 * AHEAD, false, next, sizeof(*next));
        fetch_results(tree, (uint64_t)node + AHEAD, true, next, sizeof(*next));
        uint32_t block = tree->block[node];
        uint32_t above = immediate[block];
        uint32_t *place = above == ASNAP_NO_BLOCK ? &next_top : &next[above];
        next[block] = *place + 1;
        *place += counts[block];
    }
    for (uint32_t block = 0; block < tree->count; block++) {
        if (block + AHEAD < tree->count)
            __builtin_prefetch(&tree->block[next[block + AHEAD] - counts[block + AHEAD]], 1);
        tree->block[next[block] - counts[block]] = block;
    }
}

static struct asnap_error *find_dominators(struct tree *tree, const struct asnap_block_index *index,
                                           uint64_t *sizes, const struct asnap_progress *progress)
{
    struct asnap_error *error = asnap_graph_poll(progress, STEP, 0, tree->count);
    if (error != NULL)
        return error;
    number_blocks(tree);
    error = find_semidominators(tree, progress);
    if (error != NULL)
        return error;
    find_immediate(tree);
    sum_up(tree, index, sizes);
    arrange(tree);
    return asnap_graph_poll(progress, STEP, tree->count, tree->count);
}

struct asnap_error *
asnap_dominators_init(struct asnap_dominators *dominators, const struct asnap_block_index *index,
                      const struct asnap_edges *edges, const struct asnap_referrers *referrers,
                      const struct asnap_reach *reach, const struct asnap_root_pointer *roots,
                      size_t root_count, const struct asnap_progress *progress)
{
    struct tree tree = {.edges = edges, .referrers = referrers, .count = index->count};
    uint64_t *sizes = asnap_large_array(index->count, sizeof(*sizes));
    tree.block = asnap_large_array(index->count, sizeof(uint32_t));
    tree.node = asnap_large_array(index->count, sizeof(uint32_t));
    tree.parent = asnap_large_array(index->count, sizeof(uint32_t));
    tree.semi = asnap_large_array(index->count, sizeof(uint32_t));
    struct asnap_error *error = NULL;
    if (sizes == NULL || tree.block == NULL || tree.node == NULL || tree.parent == NULL ||
        tree.semi == NULL) {
        error = asnap_error_no_memory();
    } else {
        /* The sizes are summed up when these are not needed any more. */
        tree.links = (struct link *)sizes;
        unmeet_all(&tree);
        for (size_t i = 0; i < root_count; i++)
            tree.node[asnap_edge_block(roots[i].edge)] |= ROOTED;
        for (uint32_t block = 0; block < index->count; block++) {
            if (reach->classes[block] == ASNAP_REACH_DEFINITE)
                tree.node[block] |= ROOTED;
        }
        error = find_dominators(&tree, index, sizes, progress);
    }
    free(tree.parent);
    *dominators = (struct asnap_dominators){.immediate = tree.node,
                                            .retained_size = sizes,
                                            .retained_count = tree.semi,
                                            .order = tree.block};
    if (error != NULL)
        asnap_dominators_deinit(dominators);
    return error;
}

void asnap_dominators_deinit(struct asnap_dominators *dominators)
{
    free(dominators->immediate);
    free(dominators->retained_size);
    free(dominators->retained_count);
    free(dominators->order);
    free(dominators->in_order);
    *dominators = (struct asnap_dominators){0};
}

struct asnap_error *asnap_dominators_sum(const struct asnap_dominators *dominators,
                                         uint32_t block_count, const uint32_t *groups,
                                         uint32_t group_count, uint64_t *sizes, uint64_t *counts)
{
    /* Of each group: the place after what its last block dominates, of those that count. */
    uint32_t *ends = calloc((size_t)group_count + 1, sizeof(*ends));
    if (ends == NULL)
        return asnap_error_no_memory();
    const uint32_t *in_order =
        dominators->in_order != NULL ? dominators->in_order : dominators->retained_count;
    for (uint32_t place = 0; place < block_count; place++) {
        uint32_t block = dominators->order[place];
        uint32_t group = groups[block];
        if (group == ASNAP_NO_BLOCK || place < ends[group])
            continue;
        ends[group] = place + in_order[block];
        sizes[group] += dominators->retained_size[block];
        counts[group] += dominators->retained_count[block];
    }
    free(ends);
    return NULL;
}
