#include "dominators.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "graph_poll.h"

#define STEP "finding what keeps what alive"

/* Nodes are numbered in depth-first order from 1; node 0 stands for all roots. Six numbers for each
 * block are all that there is room for (docs/architecture.md, the graph's memory): arrays change
 * their meaning on the way. */
struct tree {
    const struct asnap_edges *edges;
    const struct asnap_referrers *referrers;
    uint32_t count;  /* blocks */
    uint32_t *block; /* of each node. In the end: the blocks, each before all that it dominates */
    uint32_t *node;  /* of each block, and ROOTED; 0: not met. In the end its immediate dominator */
    uint32_t *parent;   /* in the depth-first tree. In the end: its immediate dominator's node */
    uint32_t *ancestor; /* the parent, then one further up: paths are cut down to it */
    uint32_t *least;    /* the earliest semidominator on the way up to below the ancestor */
    uint32_t *semi;     /* the semidominator. In the end: how many blocks the block retains */
};

/* A root points to the block: of numbers of blocks and nodes, at most 2^30, no bit. It is there in
 * `node` until the block is met, and in `block` afterwards. */
#define ROOTED (UINT32_C(1) << 31)

static bool is_met(const struct tree *tree, uint32_t block)
{
    return (tree->node[block] & ~ROOTED) != 0;
}

static void meet(struct tree *tree, uint32_t block, uint32_t parent, uint32_t *met)
{
    uint32_t rooted = tree->node[block];
    tree->node[block] = ++*met;
    tree->block[*met] = block | rooted;
    tree->parent[*met] = parent;
}

/* Numbers the blocks from `start` on. Of the nodes on the way there are the numbers, the next of
 * their edges and where these end; a node is left before its last edge is gone along. */
static void number_from(struct tree *tree, uint32_t start, uint32_t *met)
{
    const struct asnap_edges *edges = tree->edges;
    uint32_t *way = tree->least;
    uint32_t *next = tree->semi;
    uint32_t *end = tree->ancestor;
    uint32_t depth = 1;
    if (is_met(tree, start))
        return;
    meet(tree, start, 0, met);
    way[0] = *met;
    next[0] = edges->first[start];
    end[0] = edges->first[start + 1];
    while (depth > 0) {
        uint32_t last = depth - 1;
        if (next[last] == end[last]) {
            depth--;
            continue;
        }
        uint32_t target = asnap_edge_block(edges->targets[next[last]++]);
        if (is_met(tree, target))
            continue;
        meet(tree, target, way[last], met);
        last += next[last] != end[last];
        way[last] = *met;
        next[last] = edges->first[target];
        end[last] = edges->first[target + 1];
        depth = last + 1;
    }
}

static void number_blocks(struct tree *tree)
{
    uint32_t met = 0;
    for (uint32_t block = 0; block < tree->count; block++) {
        if (tree->node[block] == ROOTED)
            number_from(tree, block, &met);
    }
    /* None are left where the classes fit the edges. */
    for (uint32_t block = 0; block < tree->count; block++) {
        if (!is_met(tree, block))
            tree->node[block] = ROOTED;
        number_from(tree, block, &met);
    }
    memcpy(tree->ancestor, tree->parent, ((size_t)tree->count + 1) * sizeof(uint32_t));
}

/* The earliest semidominator on the way from `node` up to what is not linked yet: nodes below
 * `linked`. Cuts the way short for the next time. On the way up each ancestor is turned round to
 * where the way came from, so that no stack is needed. */
static uint32_t evaluate(struct tree *tree, uint32_t node, uint32_t linked)
{
    uint32_t *ancestor = tree->ancestor;
    uint32_t *least = tree->least;
    if (node < linked)
        return node;
    uint32_t before = 0;
    while (ancestor[node] >= linked) {
        uint32_t above = ancestor[node];
        ancestor[node] = before;
        before = node;
        node = above;
    }
    uint32_t top = ancestor[node];
    uint32_t best = least[node];
    while (before != 0) {
        node = before;
        before = ancestor[node];
        ancestor[node] = top;
        if (best < least[node])
            least[node] = best;
        else
            best = least[node];
    }
    return best;
}

/* Semidominators, from the last node on. */
static struct asnap_error *find_semidominators(struct tree *tree,
                                               const struct asnap_progress *progress)
{
    const struct asnap_referrers *referrers = tree->referrers;
    for (uint32_t node = tree->count; node >= 1; node--) {
        uint32_t block = tree->block[node] & ~ROOTED;
        uint32_t semi = block != tree->block[node] ? 0 : tree->parent[node];
        tree->block[node] = block;
        for (size_t i = referrers->first[block]; semi != 0 && i < referrers->first[block + 1];
             i++) {
            uint32_t source = tree->node[referrers->sources[i]];
            uint32_t candidate = evaluate(tree, source, node + 1);
            semi = candidate < semi ? candidate : semi;
        }
        tree->semi[node] = tree->least[node] = semi;
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

/* The results, by block. `sizes` are where `least` and `ancestor` were. */
static void sum_up(struct tree *tree, const struct asnap_block_index *index, uint64_t *sizes)
{
    uint32_t *immediate = tree->node;
    uint32_t *counts = tree->semi;
    for (uint32_t node = 1; node <= tree->count; node++) {
        uint32_t block = tree->block[node];
        uint32_t above = tree->parent[node];
        immediate[block] = above == 0 ? ASNAP_NO_BLOCK : tree->block[above];
    }
    for (uint32_t block = 0; block < tree->count; block++) {
        sizes[block] = asnap_block_size(index, block);
        counts[block] = 1;
    }
    for (uint32_t node = tree->count; node >= 1; node--) {
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
        uint32_t block = tree->block[node];
        uint32_t above = immediate[block];
        uint32_t *place = above == ASNAP_NO_BLOCK ? &next_top : &next[above];
        next[block] = *place + 1;
        *place += counts[block];
    }
    for (uint32_t block = 0; block < tree->count; block++)
        tree->block[next[block] - counts[block]] = block;
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
    size_t room = (size_t)index->count + 1;
    struct tree tree = {.edges = edges, .referrers = referrers, .count = index->count};
    uint64_t *sizes = malloc(room * sizeof(*sizes));
    tree.block = calloc(room, sizeof(uint32_t));
    tree.node = calloc(room, sizeof(uint32_t));
    tree.parent = calloc(room, sizeof(uint32_t));
    tree.semi = malloc(room * sizeof(uint32_t));
    struct asnap_error *error = NULL;
    if (sizes == NULL || tree.block == NULL || tree.node == NULL || tree.parent == NULL ||
        tree.semi == NULL) {
        error = asnap_error_no_memory();
    } else {
        /* The sizes are summed up when these are not needed any more. */
        tree.least = (uint32_t *)sizes;
        tree.ancestor = tree.least + room;
        for (size_t i = 0; i < root_count; i++)
            tree.node[asnap_edge_block(roots[i].edge)] = ROOTED;
        for (uint32_t block = 0; block < index->count; block++) {
            if (reach->classes[block] == ASNAP_REACH_DEFINITE)
                tree.node[block] = ROOTED;
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
