/* What owns blocks, on random heaps, against the same found the slow way. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "block_types.h"
#include "graph.h"
#include "graph_heap.h"
#include "paths.h"
#include "store.h"
#include "test_model_heap.h"

enum { BLOCKS_MOST = 400, ROOTS = 8, CLASSES = 2 };

struct owned {
    struct graph_heap heap;
    struct asnap_snapshot *snapshot;
    struct asnap_graph *graph;
    struct asnap_root kinds[ASNAP_ROOT_KINDS];
};

static struct asnap_snapshot *snapshot_of(const struct graph_heap *heap)
{
    static const struct asnap_frame frame = {"a.c", "f", 1, false, 0};
    struct asnap_builder *builder = NULL;
    struct asnap_snapshot *snapshot = NULL;
    uint32_t id;
    ASNAP_ASSERT_OK(asnap_builder_create(&builder));
    ASNAP_ASSERT_OK(asnap_builder_frame(builder, &frame, 1, ASNAP_NO_MAPPING, &id));
    ASNAP_ASSERT_OK(asnap_builder_traceback(builder, &id, 1, 0, &id));
    ASNAP_ASSERT_OK(asnap_builder_traces(builder, heap->traces, heap->count));
    ASNAP_ASSERT_OK(asnap_builder_finish(builder, 16, &snapshot));
    asnap_builder_destroy(builder);
    return snapshot;
}

/* Every fifth block is an object of one of two classes. */
static void add_classes(struct owned *owned)
{
    static const char *const names[CLASSES] = {"c0", "c1"};
    uint64_t addresses[BLOCKS_MOST];
    uint32_t numbers[BLOCKS_MOST];
    size_t count = 0;
    for (uint32_t i = 0; i < owned->graph->index.count; i += 5) {
        addresses[count] = owned->graph->index.blocks[i].start;
        numbers[count++] = i / 5 % CLASSES;
    }
    ASNAP_ASSERT_OK(asnap_types_create(owned->snapshot->store, addresses, numbers, count, names,
                                       CLASSES, &owned->snapshot->store->types));
}

static void owned_init(struct owned *owned, uint64_t seed, bool with_classes)
{
    size_t skipped;
    graph_heap_init(&owned->heap, 16384, seed);
    graph_heap_fill(&owned->heap, 120, 60 + seed % 200);
    CU_ASSERT_FATAL(owned->heap.count <= BLOCKS_MOST);
    owned->snapshot = snapshot_of(&owned->heap);
    struct asnap_graph *graph = owned->graph = calloc(1, sizeof(*graph));
    struct asnap_word_reader reader = {.memory = &owned->heap.memory, .heuristics = true};
    ASNAP_ASSERT_OK(
        asnap_block_index_init(&graph->index, owned->heap.traces, owned->heap.count, &skipped));
    ASNAP_ASSERT_OK(asnap_edges_init(&graph->edges, &graph->index, &reader));
    for (uint32_t kind = 0; kind < ASNAP_ROOT_KINDS; kind++)
        owned->kinds[kind] = (struct asnap_root){.kind = kind};
    graph->roots.roots = owned->kinds;
    graph->roots.pointers = calloc(ROOTS, sizeof(*graph->roots.pointers));
    graph->roots.pointer_count = ROOTS;
    for (size_t i = 0; i < ROOTS; i++)
        graph->roots.pointers[i] = (struct asnap_root_pointer){
            .place = 8 * i,
            .edge = (uint32_t)graph_heap_random(&owned->heap, graph->index.count),
            .root = (uint32_t)graph_heap_random(&owned->heap, ASNAP_ROOT_KINDS),
        };
    asnap_root_pointers_sort(graph->roots.pointers, ROOTS, owned->kinds);
    if (with_classes)
        add_classes(owned);
}

static void owned_deinit(struct owned *owned)
{
    asnap_edges_deinit(&owned->graph->edges);
    asnap_block_index_deinit(&owned->graph->index);
    free(owned->graph->roots.pointers);
    free(owned->graph);
    asnap_snapshot_destroy(owned->snapshot);
    graph_heap_deinit(&owned->heap);
}

/* The order of kinds of roots in the documentation. */
static uint64_t kind_rank(uint32_t kind)
{
    static const uint32_t order[] = {ASNAP_ROOT_FILE,  ASNAP_ROOT_TLS,      ASNAP_ROOT_MAPPING,
                                     ASNAP_ROOT_STACK, ASNAP_ROOT_REGISTER, ASNAP_ROOT_RED_ZONE,
                                     ASNAP_ROOT_GAP};
    uint64_t rank = 0;
    while (order[rank] != kind)
        rank++;
    return rank;
}

/* How far each block is from a root: 8 times the pointers, and the best rank of such a root, behind
 * all others where that is a stack or worse; and which owners a way so short can give it: a bit for
 * each root by its place / 8, and each class. */
static void slow_owners(const struct owned *owned, uint64_t *ways, uint32_t *owners)
{
    const struct asnap_graph *graph = owned->graph;
    memset(ways, 0xff, BLOCKS_MOST * sizeof(*ways));
    memset(owners, 0, BLOCKS_MOST * sizeof(*owners));
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < ROOTS + graph->edges.count; i++) {
            uint32_t from = 0, to;
            uint64_t way;
            if (i < ROOTS) {
                to = asnap_edge_block(graph->roots.pointers[i].edge);
                way = kind_rank(graph->roots.pointers[i].root);
                way += way > 2 ? way << 32 : 0;
            } else {
                while (graph->edges.first[from + 1] <= i - ROOTS)
                    from++;
                to = asnap_edge_block(graph->edges.targets[i - ROOTS]);
                way = ways[from] == UINT64_MAX ? UINT64_MAX : ways[from] + 8;
            }
            uint32_t given = i < ROOTS ? 1u << graph->roots.pointers[i].place / 8 : owners[from];
            if (owned->snapshot->store->types != NULL && to % 5 == 0)
                given = 1u << (ROOTS + to / 5 % CLASSES);
            if (way > ways[to] || way == UINT64_MAX)
                continue;
            uint32_t now = way < ways[to] ? given : owners[to] | given;
            changed = changed || way < ways[to] || now != owners[to];
            ways[to] = way;
            owners[to] = now;
        }
    }
}

static struct asnap_error *name(const struct owned *owned)
{
    static const char *const texts[ROOTS] = {"r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7"};
    const char *names[ROOTS];
    struct asnap_owner_list *list = NULL;
    size_t count;
    struct asnap_error *error = asnap_owner_list_create(owned->graph, owned->snapshot, NULL, &list);
    if (error != NULL)
        return error;
    const struct asnap_reference *roots = asnap_owner_list_roots(list, &count);
    for (size_t i = 0; i < count; i++) {
        names[i] = texts[roots[i].place / 8];
        CU_ASSERT(i == 0 || roots[i].root > roots[i - 1].root ||
                  (roots[i].root == roots[i - 1].root && roots[i].place > roots[i - 1].place));
    }
    error = asnap_owner_list_name(list, owned->snapshot, names);
    asnap_owner_list_destroy(list);
    return error;
}

static void check(struct owned *owned)
{
    static uint64_t ways[BLOCKS_MOST];
    static uint32_t owners[BLOCKS_MOST];
    slow_owners(owned, ways, owners);
    ASNAP_ASSERT_OK(name(owned));
    ASNAP_ASSERT_ERROR(name(owned), ASNAP_ERROR_INVALID_ARGUMENT);
    const struct asnap_types *found = owned->snapshot->store->owners;
    for (uint32_t block = 0; block < owned->graph->index.count; block++) {
        uint32_t number = asnap_types_of(found, asnap_graph_trace(owned->graph, block));
        CU_ASSERT_EQUAL(number == ASNAP_NONE, owners[block] == 0);
        if (number == ASNAP_NONE)
            continue;
        const char *text = found->names[number];
        unsigned bit = (unsigned)(text[1] - '0') + (text[0] == 'c' ? (unsigned)ROOTS : 0);
        CU_ASSERT((owners[block] >> bit & 1) != 0);
    }
}

ASNAP_TEST(owners, random_heaps)
{
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct owned owned;
        owned_init(&owned, seed, seed % 2 == 0);
        check(&owned);
        owned_deinit(&owned);
    }
}

ASNAP_TEST(owners, rows)
{
    struct owned owned;
    struct asnap_statistics *statistics = NULL;
    owned_init(&owned, 8, true);
    ASNAP_ASSERT_ERROR(asnap_statistics_create(owned.snapshot, ASNAP_KEY_OWNER, false, &statistics),
                       ASNAP_ERROR_UNSUPPORTED);
    ASNAP_ASSERT_OK(name(&owned));
    ASNAP_ASSERT_OK(asnap_statistics_create(owned.snapshot, ASNAP_KEY_OWNER, false, &statistics));
    uint64_t size = 0, count = 0;
    bool saw_rest = false;
    for (size_t i = 0; i < asnap_statistics_count(statistics); i++) {
        char buffer[ASNAP_LABEL_SIZE];
        struct asnap_statistic row = asnap_statistics_row(statistics, i);
        size += row.size;
        count += row.count;
        saw_rest =
            saw_rest || strcmp(asnap_statistics_label(statistics, i, buffer), "<unreachable>") == 0;
    }
    CU_ASSERT_EQUAL(size, asnap_statistics_total_size(statistics));
    CU_ASSERT_EQUAL(count, owned.heap.count);
    CU_ASSERT(saw_rest);
    asnap_statistics_destroy(statistics);
    owned_deinit(&owned);
}

static struct asnap_error *name_once(void *context)
{
    struct owned *owned = context;
    struct asnap_error *error = name(owned);
    asnap_types_destroy(owned->snapshot->store->owners);
    owned->snapshot->store->owners = NULL;
    return error;
}

ASNAP_TEST(owners, every_allocation_may_fail)
{
    struct owned owned;
    owned_init(&owned, 6, true);
    CU_ASSERT(asnap_unit_sweep(name_once, &owned) > 8);
    owned_deinit(&owned);
}
