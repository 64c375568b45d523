/* core/graph on random heaps, against the same found the slow way. */
#include <stdlib.h>
#include <string.h>

#include "dominators.h"
#include "exact_retained.h"
#include "graph_heap.h"
#include "paths.h"

/* A heap's graph, with some of its blocks pointed to by roots. */
struct made {
    struct asnap_block_index index;
    struct asnap_edges edges;
    struct asnap_reach reach;
    struct asnap_root_pointer *roots;
    size_t root_count;
};

static void make(struct made *made, struct graph_heap *heap, size_t root_count)
{
    size_t skipped;
    struct asnap_word_reader reader = {.memory = &heap->memory, .heuristics = true};
    ASNAP_ASSERT_OK(asnap_block_index_init(&made->index, heap->traces, heap->count, &skipped));
    ASNAP_ASSERT_OK(asnap_edges_init(&made->edges, &made->index, &reader));
    made->roots = calloc(root_count + 1, sizeof(*made->roots));
    made->root_count = root_count;
    for (size_t i = 0; i < root_count; i++) {
        const struct asnap_trace *trace = &heap->traces[graph_heap_random(heap, heap->count)];
        uint64_t inside =
            graph_heap_random(heap, 3) == 0 ? graph_heap_random(heap, trace->size) : 0;
        CU_ASSERT(asnap_edges_word(&made->edges, &made->index, &reader, trace->address + inside,
                                   &made->roots[i].edge));
    }
    ASNAP_ASSERT_OK(asnap_reach_init(&made->reach, &made->index, &made->edges, made->roots,
                                     made->root_count, NULL));
}

static void unmake(struct made *made)
{
    asnap_reach_deinit(&made->reach);
    asnap_edges_deinit(&made->edges);
    asnap_block_index_deinit(&made->index);
    free(made->roots);
}

static void check_edges(const struct made *made, const struct graph_heap *heap)
{
    const struct asnap_edges *edges = &made->edges;
    size_t seen = 0;
    for (uint32_t i = 0; i < made->index.count; i++) {
        const struct asnap_graph_block *block = &made->index.blocks[i];
        CU_ASSERT_EQUAL(edges->first[i], seen);
        for (uint64_t at = (block->start + 7) / 8 * 8; at + 8 <= block->end; at += 8) {
            uint64_t word;
            memcpy(&word, heap->bytes + (at - HEAP_BASE), sizeof(word));
            uint32_t target = graph_heap_find(&made->index, word);
            if (target == ASNAP_NO_BLOCK)
                continue;
            CU_ASSERT_FATAL(seen < edges->count);
            CU_ASSERT_EQUAL(asnap_edge_block(edges->targets[seen]), target);
            if (word == made->index.blocks[target].start)
                CU_ASSERT(asnap_edge_is_start(edges->targets[seen]));
            seen++;
        }
    }
    CU_ASSERT_EQUAL(seen, edges->count);
}

/* Whether each block can be reached; without one block, and by starts alone. */
static void slow_flood(const struct made *made, uint32_t without, bool starts_only, bool *reached)
{
    memset(reached, 0, made->index.count);
    for (size_t i = 0; i < made->root_count; i++) {
        uint32_t block = asnap_edge_block(made->roots[i].edge);
        if (block != without && (!starts_only || asnap_edge_is_start(made->roots[i].edge)))
            reached[block] = true;
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t block = 0; block < made->index.count; block++) {
            if (!reached[block])
                continue;
            for (uint32_t i = made->edges.first[block]; i < made->edges.first[block + 1]; i++) {
                uint32_t target = asnap_edge_block(made->edges.targets[i]);
                if (reached[target] || target == without ||
                    (starts_only && !asnap_edge_is_start(made->edges.targets[i])))
                    continue;
                reached[target] = changed = true;
            }
        }
    }
}

/* All that one block leads to, itself included. */
static void slow_below(const struct made *made, uint32_t start, bool *below)
{
    struct made one = *made;
    struct asnap_root_pointer root = {.edge = start};
    one.roots = &root;
    one.root_count = 1;
    slow_flood(&one, ASNAP_NO_BLOCK, false, below);
}

/* What a definite block stands for. */
static void check_leak(const struct made *made, uint32_t definite, const bool *below)
{
    size_t count = made->index.count;
    const struct asnap_leak *leak = asnap_reach_leak(&made->reach, definite);
    uint32_t cycle = 0, indirect = 0;
    uint64_t size = 0;
    for (uint32_t i = 0; i < count; i++) {
        cycle += below[definite * count + i] && below[i * count + definite];
        if (i == definite || asnap_reach_owner(&made->reach, i) != definite)
            continue;
        indirect++;
        size += asnap_block_size(&made->index, i);
    }
    CU_ASSERT_EQUAL(leak == NULL ? 1 : leak->cycle_count, cycle);
    CU_ASSERT_EQUAL(leak == NULL ? 0 : leak->indirect_count, indirect);
    CU_ASSERT_EQUAL(leak == NULL ? 0 : leak->indirect_size, size);
}

static void check_classes(const struct made *made)
{
    uint32_t count = made->index.count;
    bool *by_start = calloc(count, 1);
    bool *by_any = calloc(count, 1);
    bool *below = calloc((size_t)count * count, 1);
    slow_flood(made, ASNAP_NO_BLOCK, true, by_start);
    slow_flood(made, ASNAP_NO_BLOCK, false, by_any);
    for (uint32_t i = 0; i < count; i++)
        slow_below(made, i, below + (size_t)i * count);
    for (uint32_t i = 0; i < count; i++) {
        bool led_to = false; /* by another that it does not lead back to, or by an earlier one */
        for (uint32_t j = 0; j < count; j++) {
            if (j != i && !by_any[j] && below[(size_t)j * count + i] &&
                (!below[(size_t)i * count + j] || j < i))
                led_to = true;
        }
        uint8_t expected = by_start[i] ? ASNAP_REACH_REACHABLE
                           : by_any[i] ? ASNAP_REACH_POSSIBLE
                           : led_to    ? ASNAP_REACH_INDIRECT
                                       : ASNAP_REACH_DEFINITE;
        CU_ASSERT_EQUAL(made->reach.classes[i], expected);
        uint32_t owner = asnap_reach_owner(&made->reach, i);
        if (by_any[i]) {
            CU_ASSERT_EQUAL(owner, ASNAP_NO_BLOCK);
        } else {
            CU_ASSERT_FATAL(owner < count);
            CU_ASSERT_EQUAL(made->reach.classes[owner], ASNAP_REACH_DEFINITE);
            CU_ASSERT(below[(size_t)owner * count + i]);
            for (uint32_t j = 0; j < owner; j++)
                CU_ASSERT(!(made->reach.classes[j] == ASNAP_REACH_DEFINITE &&
                            below[(size_t)j * count + i]));
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        if (made->reach.classes[i] == ASNAP_REACH_DEFINITE)
            check_leak(made, i, below);
    }
    free(by_start);
    free(by_any);
    free(below);
}

/* The blocks of each group are taken away together: what is lost is what they retain. `all` has the
 * definite blocks among its roots. */
static void check_exact(const struct made *made, const struct made *all, const uint32_t *groups,
                        uint32_t group_count)
{
    uint32_t count = made->index.count;
    uint64_t sizes[4], counts[4];
    bool *reached = calloc(count, 1);
    CU_ASSERT_FATAL(group_count <= 4);
    ASNAP_ASSERT_OK(asnap_exact_retained(&made->index, &made->edges, &made->reach, made->roots,
                                         made->root_count, groups, group_count, NULL, sizes,
                                         counts));
    for (uint32_t group = 0; group < group_count; group++) {
        for (size_t i = 0; i < all->root_count; i++)
            reached[asnap_edge_block(all->roots[i].edge)] = true;
        for (bool changed = true; changed;) {
            changed = false;
            for (size_t i = 0; i < made->edges.count; i++) {
                uint32_t target = asnap_edge_block(made->edges.targets[i]);
                uint32_t source = 0;
                while (made->edges.first[source + 1] <= i)
                    source++;
                if (reached[source] && groups[source] != group && !reached[target])
                    reached[target] = changed = true;
            }
        }
        uint64_t size = 0, blocks = 0;
        for (uint32_t i = 0; i < count; i++) {
            bool lost = !reached[i] || groups[i] == group;
            size += lost ? asnap_block_size(&made->index, i) : 0;
            blocks += lost;
        }
        CU_ASSERT_EQUAL(sizes[group], size);
        CU_ASSERT_EQUAL(counts[group], blocks);
        memset(reached, 0, count);
    }
    free(reached);
}

/* Each block is taken away in turn: what is lost is what it retains. */
static void check_dominators(struct made *made, struct graph_heap *heap)
{
    uint32_t count = made->index.count;
    struct asnap_referrers referrers;
    struct asnap_dominators dominators;
    ASNAP_ASSERT_OK(asnap_referrers_init(&referrers, &made->edges, count));
    ASNAP_ASSERT_OK(asnap_dominators_init(&dominators, &made->index, &made->edges, &referrers,
                                          &made->reach, made->roots, made->root_count, NULL));
    asnap_referrers_deinit(&referrers);
    /* Definite blocks count as held. */
    struct made all = *made;
    all.roots = calloc(made->root_count + count, sizeof(*all.roots));
    memcpy(all.roots, made->roots, made->root_count * sizeof(*all.roots));
    for (uint32_t i = 0; i < count; i++) {
        if (made->reach.classes[i] == ASNAP_REACH_DEFINITE)
            all.roots[all.root_count++].edge = i;
    }
    bool *reached = calloc(count, 1);
    bool *lost = calloc((size_t)count * count, 1);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t size = 0;
        uint32_t blocks = 0;
        slow_flood(&all, i, false, reached);
        for (uint32_t j = 0; j < count; j++) {
            lost[(size_t)i * count + j] = !reached[j];
            size += reached[j] ? 0 : asnap_block_size(&made->index, j);
            blocks += !reached[j];
        }
        CU_ASSERT_EQUAL(dominators.retained_size[i], size);
        CU_ASSERT_EQUAL(dominators.retained_count[i], blocks);
    }
    uint32_t *groups = calloc(count, sizeof(*groups));
    uint64_t sizes[4] = {0}, counts[4] = {0}, expected_sizes[4] = {0}, expected_counts[4] = {0};
    for (uint32_t i = 0; i < count; i++) {
        uint64_t group = graph_heap_random(heap, 5);
        groups[i] = group == 4 ? ASNAP_NO_BLOCK : (uint32_t)group;
    }
    for (uint32_t i = 0; i < count; i++) {
        bool inner = false;
        for (uint32_t j = 0; j < count; j++)
            inner |= j != i && groups[j] == groups[i] && lost[(size_t)j * count + i];
        if (groups[i] != ASNAP_NO_BLOCK && !inner) {
            expected_sizes[groups[i]] += dominators.retained_size[i];
            expected_counts[groups[i]] += dominators.retained_count[i];
        }
    }
    ASNAP_ASSERT_OK(asnap_dominators_sum(&dominators, count, groups, 4, sizes, counts));
    CU_ASSERT_EQUAL(memcmp(sizes, expected_sizes, sizeof(sizes)), 0);
    CU_ASSERT_EQUAL(memcmp(counts, expected_counts, sizeof(counts)), 0);
    check_exact(made, &all, groups, 4);
    free(groups);
    free(lost);
    free(reached);
    free(all.roots);
    asnap_dominators_deinit(&dominators);
}

static void check_referrers(const struct made *made)
{
    struct asnap_referrers referrers;
    ASNAP_ASSERT_OK(asnap_referrers_init(&referrers, &made->edges, made->index.count));
    size_t count = 0;
    for (uint32_t target = 0; target < made->index.count; target++) {
        uint32_t at = referrers.first[target];
        for (uint32_t block = 0; block < made->index.count; block++) {
            for (uint32_t i = made->edges.first[block]; i < made->edges.first[block + 1]; i++) {
                if (asnap_edge_block(made->edges.targets[i]) != target)
                    continue;
                CU_ASSERT_FATAL(at < referrers.first[target + 1]);
                CU_ASSERT_EQUAL(referrers.sources[at++], block);
                count++;
            }
        }
        CU_ASSERT_EQUAL(at, referrers.first[target + 1]);
    }
    CU_ASSERT_EQUAL(count, made->edges.count);
    asnap_referrers_deinit(&referrers);
}

/* How many pointers each block is from a root, by looking at all again and again. */
static void slow_distances(const struct made *made, uint32_t *distances)
{
    memset(distances, 0xff, made->index.count * sizeof(*distances));
    for (size_t i = 0; i < made->root_count; i++)
        distances[asnap_edge_block(made->roots[i].edge)] = 1;
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t block = 0; block < made->index.count; block++) {
            for (uint32_t i = made->edges.first[block]; i < made->edges.first[block + 1]; i++) {
                uint32_t target = asnap_edge_block(made->edges.targets[i]);
                if (distances[block] == UINT32_MAX || distances[target] <= distances[block] + 1)
                    continue;
                distances[target] = distances[block] + 1;
                changed = true;
            }
        }
    }
}

static bool leads_to(const struct made *made, uint32_t block, uint32_t target)
{
    for (uint32_t i = made->edges.first[block]; i < made->edges.first[block + 1]; i++) {
        if (asnap_edge_block(made->edges.targets[i]) == target)
            return true;
    }
    return false;
}

/* Every path is one, the first is the shortest, later ones are no shorter and share nothing. */
static void check_paths_to(const struct made *made, const struct asnap_referrers *referrers,
                           uint32_t target, uint32_t distance)
{
    struct asnap_paths paths;
    struct asnap_path path = {0};
    bool *used_roots = calloc(made->root_count + 1, 1);
    bool *used_blocks = calloc(made->index.count, 1);
    size_t last = 0;
    ASNAP_ASSERT_OK(asnap_paths_init(&paths, made->index.count, referrers, made->roots,
                                     made->root_count, NULL, target));
    for (size_t found = 0;; found++) {
        ASNAP_ASSERT_OK(asnap_paths_next(&paths, &path));
        if (found == 0)
            CU_ASSERT_EQUAL(path.count, distance == UINT32_MAX ? 0 : distance);
        if (path.count == 0)
            break;
        CU_ASSERT(path.count >= last);
        last = path.count;
        CU_ASSERT_FATAL(path.root < made->root_count);
        CU_ASSERT(!used_roots[path.root]);
        used_roots[path.root] = true;
        CU_ASSERT_EQUAL(asnap_edge_block(made->roots[path.root].edge), path.blocks[0]);
        CU_ASSERT_EQUAL(path.blocks[path.count - 1], target);
        for (size_t i = 0; i + 1 < path.count; i++) {
            CU_ASSERT(!used_blocks[path.blocks[i]]);
            used_blocks[path.blocks[i]] = true;
            CU_ASSERT(leads_to(made, path.blocks[i], path.blocks[i + 1]));
        }
        asnap_path_deinit(&path);
    }
    asnap_paths_deinit(&paths);
    free(used_roots);
    free(used_blocks);
}

static void check_paths(struct made *made)
{
    struct asnap_referrers referrers;
    uint32_t *distances = calloc(made->index.count + 1, sizeof(*distances));
    ASNAP_ASSERT_OK(asnap_referrers_init(&referrers, &made->edges, made->index.count));
    asnap_root_pointers_sort(made->roots, made->root_count, NULL);
    slow_distances(made, distances);
    for (uint32_t target = 0; target < made->index.count; target++)
        check_paths_to(made, &referrers, target, distances[target]);
    asnap_referrers_deinit(&referrers);
    free(distances);
}

ASNAP_TEST(graph, random_heaps)
{
    for (uint64_t seed = 0; seed < 2000; seed++) {
        struct graph_heap heap;
        struct made made;
        graph_heap_init(&heap, 1000 + 20 * (seed % 100), seed);
        graph_heap_fill(&heap, 80, seed % 7 * 10);
        make(&made, &heap, seed % 5);
        check_edges(&made, &heap);
        check_classes(&made);
        check_referrers(&made);
        check_dominators(&made, &heap);
        check_paths(&made);
        unmake(&made);
        graph_heap_deinit(&heap);
    }
}

/* Blocks 0 and 1 lead to block 2, and old values below a stack pointer to the first of them. */
ASNAP_TEST(graph, paths_begin_where_values_are_in_use)
{
    static const struct asnap_root roots[] = {
        {0x1000, 0x1008, ASNAP_ROOT_RED_ZONE, 0}, {0x2000, 0x2008, ASNAP_ROOT_STACK, 0},
        {0x3000, 0x3008, ASNAP_ROOT_FILE, 0},     {0, 1, ASNAP_ROOT_REGISTER, 0},
        {0x4000, 0x4008, ASNAP_ROOT_GAP, 0},      {0x5000, 0x5008, ASNAP_ROOT_TLS, 0},
    };
    const uint32_t inside = (uint32_t)ASNAP_EDGE_INSIDE << ASNAP_EDGE_KIND_SHIFT;
    struct asnap_root_pointer pointers[] = {
        {0x1000, 0, 0}, {0x1000, 1, 0},          {0x4000, 1, 4}, {0, 1, 3},
        {0x2000, 1, 1}, {0x3000, 1 | inside, 2}, {0x3000, 1, 2}, {0x5000, 1, 5},
    };
    static const uint32_t sorted[] = {0, 2, 2, 5, 3, 1, 0, 4}; /* which roots they are from */
    uint32_t first[] = {0, 1, 2, 2};
    uint32_t targets[] = {2, 2};
    const struct asnap_edges edges = {.first = first, .targets = targets, .count = 2};
    struct asnap_referrers referrers;
    struct asnap_paths paths;
    struct asnap_path path;
    size_t count = sizeof(pointers) / sizeof(pointers[0]);
    asnap_root_pointers_sort(pointers, count, roots);
    for (size_t i = 0; i < count; i++)
        CU_ASSERT_EQUAL(pointers[i].root, sorted[i]);
    CU_ASSERT_EQUAL(pointers[1].edge, 1);
    ASNAP_ASSERT_OK(asnap_referrers_init(&referrers, &edges, 3));
    ASNAP_ASSERT_OK(asnap_paths_init(&paths, 3, &referrers, pointers, count, roots, 2));
    for (uint32_t block = 2; block-- > 0;) {
        ASNAP_ASSERT_OK(asnap_paths_next(&paths, &path));
        CU_ASSERT_EQUAL_FATAL(path.count, 2);
        CU_ASSERT_EQUAL(path.blocks[0], block);
        CU_ASSERT_EQUAL(pointers[path.root].root, block == 1 ? 2 : 0);
        asnap_path_deinit(&path);
    }
    asnap_paths_deinit(&paths);
    asnap_referrers_deinit(&referrers);
}
