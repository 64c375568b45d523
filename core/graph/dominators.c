#include "dominators.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"

/* Nodes are numbered in depth-first order from 1; node 0 stands for all roots. */
struct tree {
    const struct asnap_edges *edges;
    uint32_t count;   /* blocks */
    uint32_t *block;  /* of each node */
    uint32_t *node;   /* of each block; 0: not met. A stack while semidominators are sought */
    uint32_t *parent; /* in the depth-first tree; then the ancestor that paths are cut down to */
    uint32_t *label;  /* the node with the earliest semidominator on the way to it */
    uint32_t *semi;
    uint32_t *idom;
    uint8_t *rooted; /* a bit for each block: a root points to it */
};

static bool is_rooted(const struct tree *tree, uint32_t block)
{
    return (tree->rooted[block / 8] >> (block % 8) & 1) != 0;
}

static void set_rooted(struct tree *tree, uint32_t block)
{
    tree->rooted[block / 8] |= (uint8_t)(1u << (block % 8));
}

/* Numbers the blocks from `start` on; `next` holds the next edge of each block on the way, and
 * `label` the way itself. */
static void number_from(struct tree *tree, uint32_t start, uint32_t *met)
{
    const struct asnap_edges *edges = tree->edges;
    uint32_t *way = tree->label;
    uint32_t *next = tree->semi;
    uint32_t depth = 0;
    if (tree->node[start] != 0)
        return;
    tree->node[start] = ++*met;
    tree->block[*met] = start;
    tree->parent[*met] = 0;
    next[start] = edges->first[start];
    way[depth++] = start;
    while (depth > 0) {
        uint32_t block = way[depth - 1];
        if (next[block] == edges->first[block + 1]) {
            depth--;
            continue;
        }
        uint32_t target = asnap_edge_block(edges->targets[next[block]++]);
        if (tree->node[target] != 0)
            continue;
        tree->node[target] = ++*met;
        tree->block[*met] = target;
        tree->parent[*met] = tree->node[block];
        next[target] = edges->first[target];
        way[depth++] = target;
    }
}

static void number_blocks(struct tree *tree)
{
    uint32_t met = 0;
    for (uint32_t block = 0; block < tree->count; block++) {
        if (is_rooted(tree, block))
            number_from(tree, block, &met);
    }
    /* None are left where the classes fit the edges. */
    for (uint32_t block = 0; block < tree->count; block++) {
        if (tree->node[block] == 0)
            set_rooted(tree, block);
        number_from(tree, block, &met);
    }
}

/* The label of the earliest semidominator on the way from `node` up to what is not linked yet:
 * nodes below `linked`. Cuts the way short for the next time. */
static uint32_t evaluate(struct tree *tree, uint32_t node, uint32_t linked)
{
    uint32_t *stack = tree->node;
    uint32_t depth = 0;
    if (tree->parent[node] < linked)
        return tree->label[node];
    do {
        stack[depth++] = node;
        node = tree->parent[node];
    } while (tree->parent[node] >= linked);
    uint32_t above = node;
    uint32_t best = tree->label[above];
    while (depth > 0) {
        node = stack[--depth];
        tree->parent[node] = tree->parent[above];
        if (tree->semi[best] < tree->semi[tree->label[node]])
            tree->label[node] = best;
        else
            best = tree->label[node];
        above = node;
    }
    return tree->label[node];
}

/* Semidominators, from the last node on. `sources` holds nodes, not blocks. */
static struct asnap_error *find_semidominators(struct tree *tree, const uint32_t *first,
                                               const uint32_t *sources,
                                               const struct asnap_progress *progress)
{
    for (uint32_t node = tree->count; node >= 1; node--) {
        uint32_t semi = is_rooted(tree, tree->block[node]) ? 0 : tree->parent[node];
        for (uint32_t i = first[node]; semi != 0 && i < first[node + 1]; i++) {
            uint32_t candidate = tree->semi[evaluate(tree, sources[i], node + 1)];
            semi = candidate < semi ? candidate : semi;
        }
        tree->semi[node] = semi;
        if (node % 65536 == 0 && progress != NULL &&
            !progress->report(progress->context, "finding what keeps what alive",
                              tree->count - node, tree->count))
            return asnap_error_interrupted("finding what keeps what alive");
    }
    return NULL;
}

static void find_immediate(struct tree *tree)
{
    for (uint32_t node = 1; node <= tree->count; node++) {
        uint32_t candidate = tree->idom[node];
        while (candidate > tree->semi[node])
            candidate = tree->idom[candidate];
        tree->idom[node] = candidate;
    }
}

/* What points to each node, as nodes, in the order in which it is asked for. */
static struct asnap_error *find_sources(const struct tree *tree, uint32_t **first,
                                        uint32_t **sources)
{
    const struct asnap_edges *edges = tree->edges;
    *first = calloc((size_t)tree->count + 3, sizeof(**first));
    *sources = malloc((edges->count + 1) * sizeof(**sources));
    if (*first == NULL || *sources == NULL)
        return asnap_error_no_memory();
    /* Two places on: there the next source goes, and in the end they start one place on. */
    uint32_t *next = *first + 1;
    for (size_t i = 0; i < edges->count; i++)
        next[tree->node[asnap_edge_block(edges->targets[i])] + 1]++;
    for (uint32_t node = 1; node <= tree->count + 1; node++)
        next[node] += next[node - 1];
    for (uint32_t source = 1; source <= tree->count; source++) {
        uint32_t block = tree->block[source];
        for (uint32_t i = edges->first[block]; i < edges->first[block + 1]; i++)
            (*sources)[next[tree->node[asnap_edge_block(edges->targets[i])]]++] = source;
    }
    return NULL;
}

static struct asnap_error *find_dominators(struct tree *tree, const struct asnap_progress *progress)
{
    number_blocks(tree);
    uint32_t *first = NULL;
    uint32_t *sources = NULL;
    struct asnap_error *error = find_sources(tree, &first, &sources);
    if (error == NULL) {
        for (uint32_t node = 0; node <= tree->count; node++) {
            tree->label[node] = tree->semi[node] = node;
            tree->idom[node] = tree->parent[node];
        }
        error = find_semidominators(tree, first, sources, progress);
    }
    if (error == NULL)
        find_immediate(tree);
    free(first);
    free(sources);
    return error;
}

/* The results, by block. */
static struct asnap_error *sum_up(const struct tree *tree, const struct asnap_block_index *index,
                                  struct asnap_dominators *dominators)
{
    size_t room = (size_t)tree->count + 1;
    dominators->immediate = malloc(room * sizeof(*dominators->immediate));
    dominators->retained_size = malloc(room * sizeof(*dominators->retained_size));
    dominators->retained_count = malloc(room * sizeof(*dominators->retained_count));
    dominators->order = malloc(room * sizeof(*dominators->order));
    if (dominators->immediate == NULL || dominators->retained_size == NULL ||
        dominators->retained_count == NULL || dominators->order == NULL)
        return asnap_error_no_memory();
    for (uint32_t node = 1; node <= tree->count; node++) {
        uint32_t block = tree->block[node];
        dominators->order[node - 1] = block;
        dominators->immediate[block] =
            tree->idom[node] == 0 ? ASNAP_NO_BLOCK : tree->block[tree->idom[node]];
        dominators->retained_size[block] = asnap_block_size(index, block);
        dominators->retained_count[block] = 1;
    }
    for (uint32_t i = tree->count; i > 0; i--) {
        uint32_t block = dominators->order[i - 1];
        uint32_t above = dominators->immediate[block];
        if (above == ASNAP_NO_BLOCK)
            continue;
        dominators->retained_size[above] += dominators->retained_size[block];
        dominators->retained_count[above] += dominators->retained_count[block];
    }
    return NULL;
}

static struct asnap_error *make_tree(struct tree *tree)
{
    size_t room = (size_t)tree->count + 1;
    uint32_t **arrays[] = {&tree->block, &tree->node, &tree->parent,
                           &tree->label, &tree->semi, &tree->idom};
    bool failed = false;
    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
        *arrays[i] = calloc(room, sizeof(uint32_t));
        failed |= *arrays[i] == NULL;
    }
    tree->rooted = calloc(room / 8 + 1, 1);
    return failed || tree->rooted == NULL ? asnap_error_no_memory() : NULL;
}

/* What is only needed until the tree is known. */
static void free_work(struct tree *tree)
{
    free(tree->node);
    free(tree->parent);
    free(tree->label);
    free(tree->semi);
    free(tree->rooted);
    tree->node = tree->parent = tree->label = tree->semi = NULL;
    tree->rooted = NULL;
}

struct asnap_error *asnap_dominators_init(struct asnap_dominators *dominators,
                                          const struct asnap_block_index *index,
                                          const struct asnap_edges *edges,
                                          const struct asnap_reach *reach,
                                          const struct asnap_root_pointer *roots, size_t root_count,
                                          const struct asnap_progress *progress)
{
    *dominators = (struct asnap_dominators){0};
    struct tree tree = {.edges = edges, .count = index->count};
    struct asnap_error *error = make_tree(&tree);
    for (size_t i = 0; error == NULL && i < root_count; i++)
        set_rooted(&tree, asnap_edge_block(roots[i].edge));
    for (uint32_t block = 0; error == NULL && block < index->count; block++) {
        if (reach->classes[block] == ASNAP_REACH_DEFINITE)
            set_rooted(&tree, block);
    }
    if (error == NULL)
        error = find_dominators(&tree, progress);
    free_work(&tree);
    if (error == NULL)
        error = sum_up(&tree, index, dominators);
    free(tree.block);
    free(tree.idom);
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
    *dominators = (struct asnap_dominators){0};
}

/* The dominator tree from the top down: of each block its first child and next sibling. */
struct children {
    uint32_t *first;
    uint32_t *next;
    uint32_t *way;
    uint32_t *open; /* of each group: its blocks on the way */
};

static struct asnap_error *make_children(struct children *children,
                                         const struct asnap_dominators *dominators,
                                         uint32_t block_count, uint32_t group_count)
{
    size_t room = (size_t)block_count + 1;
    children->first = malloc(room * sizeof(uint32_t));
    children->next = malloc(room * sizeof(uint32_t));
    children->way = malloc(room * sizeof(uint32_t));
    children->open = calloc((size_t)group_count + 1, sizeof(uint32_t));
    if (children->first == NULL || children->next == NULL || children->way == NULL ||
        children->open == NULL)
        return asnap_error_no_memory();
    memset(children->first, 0xff, room * sizeof(uint32_t));
    for (uint32_t block = 0; block < block_count; block++) {
        uint32_t above = dominators->immediate[block];
        if (above == ASNAP_NO_BLOCK)
            continue;
        children->next[block] = children->first[above];
        children->first[above] = block;
    }
    return NULL;
}

/* One tree, from a block that nothing dominates. */
static void sum_from(struct children *children, const struct asnap_dominators *dominators,
                     uint32_t top, const uint32_t *groups, uint64_t *sizes, uint64_t *counts)
{
    uint32_t depth = 0;
    uint32_t block = top;
    while (block != ASNAP_NO_BLOCK || depth > 0) {
        if (block == ASNAP_NO_BLOCK) {
            uint32_t left = children->way[--depth];
            if (groups[left] != ASNAP_NO_BLOCK)
                children->open[groups[left]]--;
            block = left == top ? ASNAP_NO_BLOCK : children->next[left];
            continue;
        }
        uint32_t group = groups[block];
        if (group != ASNAP_NO_BLOCK && children->open[group]++ == 0) {
            sizes[group] += dominators->retained_size[block];
            counts[group] += dominators->retained_count[block];
        }
        children->way[depth++] = block;
        block = children->first[block];
    }
}

struct asnap_error *asnap_dominators_sum(const struct asnap_dominators *dominators,
                                         uint32_t block_count, const uint32_t *groups,
                                         uint32_t group_count, uint64_t *sizes, uint64_t *counts)
{
    struct children children = {0};
    struct asnap_error *error = make_children(&children, dominators, block_count, group_count);
    for (uint32_t block = 0; error == NULL && block < block_count; block++) {
        if (dominators->immediate[block] == ASNAP_NO_BLOCK)
            sum_from(&children, dominators, block, groups, sizes, counts);
    }
    free(children.first);
    free(children.next);
    free(children.way);
    free(children.open);
    return error;
}
