/* Blocks that count as held by a root, on random heaps: as if a root pointed to them. */
#include <stdlib.h>
#include <string.h>

#include "graph_parts.h"
#include "made_graph.h"

#define REASONS 3u
#define NOT_REACHABLE                                                                              \
    (1u << ASNAP_REACH_POSSIBLE | 1u << ASNAP_REACH_INDIRECT | 1u << ASNAP_REACH_DEFINITE)

/* The graph with a pointer from a root to each block that has a reason. */
static struct asnap_graph *with_roots(const struct asnap_graph *graph,
                                      const struct asnap_snapshot *snapshot,
                                      struct graph_heap *heap, const uint32_t *reasons)
{
    size_t count = graph->roots.pointer_count;
    struct asnap_root_pointer *roots = calloc(count + graph->index.count, sizeof(*roots));
    CU_ASSERT_PTR_NOT_NULL_FATAL(roots);
    memcpy(roots, graph->roots.pointers, count * sizeof(*roots));
    for (uint32_t block = 0; block < graph->index.count; block++) {
        if (reasons[block] != ASNAP_GRAPH_NO_BLOCK)
            roots[count++].edge = block;
    }
    struct asnap_graph *made = made_graph(snapshot, heap, roots, count);
    free(roots);
    return made;
}

static void check_same(const struct asnap_graph *held, const struct asnap_graph *wanted)
{
    for (uint32_t block = 0; block < wanted->index.count; block++) {
        struct asnap_graph_block_info a = asnap_graph_block(held, block);
        struct asnap_graph_block_info b = asnap_graph_block(wanted, block);
        CU_ASSERT(a.reach == b.reach && a.owner == b.owner && a.indirect_size == b.indirect_size &&
                  a.indirect_count == b.indirect_count && a.cycle_count == b.cycle_count);
    }
    CU_ASSERT_EQUAL(memcmp(held->sizes, wanted->sizes, sizeof(held->sizes)), 0);
    CU_ASSERT_EQUAL(memcmp(held->counts, wanted->counts, sizeof(held->counts)), 0);
}

/* What is held, what it leads to, and what is left, of the classes that were not reachable. */
static void check_sums(const struct asnap_graph *held, const struct asnap_graph *graph,
                       const uint32_t *reasons)
{
    uint64_t size, count, left = 0, blocks = 0;
    for (uint32_t reason = 0; reason < REASONS; reason++) {
        uint64_t wanted = 0, found = 0;
        for (uint32_t block = 0; block < graph->index.count; block++) {
            bool counts =
                reasons[block] == reason && graph->reach.classes[block] != ASNAP_REACH_REACHABLE;
            wanted += counts ? asnap_block_size(&graph->index, block) : 0;
            found += counts;
        }
        asnap_graph_held(held, reason, NOT_REACHABLE, &size, &count);
        CU_ASSERT(size == wanted && count == found);
        left += size;
        blocks += count;
    }
    asnap_graph_released(held, NOT_REACHABLE, &size, &count);
    left += size;
    blocks += count;
    uint64_t before = 0, blocks_before = 0;
    for (uint32_t reach = ASNAP_REACH_POSSIBLE; reach < ASNAP_REACH_CLASSES; reach++) {
        left += held->sizes[reach];
        blocks += held->counts[reach];
        before += graph->sizes[reach];
        blocks_before += graph->counts[reach];
    }
    CU_ASSERT(left == before && blocks == blocks_before);
}

/* None of what is held is chosen. */
static void check_selected(const struct asnap_graph *held, const struct asnap_snapshot *snapshot,
                           const uint32_t *reasons)
{
    struct asnap_snapshot *selected = NULL;
    size_t wanted = 0;
    for (uint32_t block = 0; block < held->index.count; block++)
        wanted += reasons[block] == ASNAP_GRAPH_NO_BLOCK;
    ASNAP_ASSERT_OK(asnap_graph_select(held, snapshot, UINT32_MAX, &selected));
    CU_ASSERT_EQUAL(asnap_snapshot_count(selected), wanted);
    asnap_snapshot_destroy(selected);
}

/* The graph as it comes out of a file. */
static struct asnap_graph *restored(const struct asnap_graph *graph,
                                    const struct asnap_snapshot *snapshot)
{
    struct asnap_graph_parts parts;
    struct asnap_graph *made = NULL;
    ASNAP_ASSERT_OK(asnap_graph_parts_init(&parts, graph, snapshot));
    ASNAP_ASSERT_OK(asnap_graph_restore(snapshot, &parts, &made));
    asnap_graph_parts_deinit(&parts);
    return made;
}

ASNAP_TEST(graph_hold, as_if_roots_pointed_there)
{
    size_t changed = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct graph_heap heap;
        graph_heap_init(&heap, 4000 + 40 * seed, seed);
        graph_heap_fill(&heap, 200, 20 + seed % 120);
        struct asnap_snapshot *snapshot = made_graph_snapshot(&heap);
        struct asnap_graph *graph = made_graph(snapshot, &heap, NULL, seed % 9);
        uint32_t *reasons = calloc(graph->index.count, sizeof(*reasons));
        for (uint32_t block = 0; block < graph->index.count; block++) {
            uint64_t reason = graph_heap_random(&heap, 4 * (1 + seed % 10));
            reasons[block] = reason < REASONS ? (uint32_t)reason : ASNAP_GRAPH_NO_BLOCK;
        }
        struct asnap_graph *wanted = with_roots(graph, snapshot, &heap, reasons);
        struct asnap_graph *bases[] = {graph, restored(graph, snapshot)};
        for (size_t i = 0; i < 2; i++) {
            struct asnap_graph *held = NULL;
            ASNAP_ASSERT_OK(asnap_graph_hold(bases[i], reasons, REASONS, &held));
            check_same(held, wanted);
            check_sums(held, bases[i], reasons);
            check_selected(held, snapshot, reasons);
            CU_ASSERT_STRING_EQUAL(asnap_graph_note(held, 0), asnap_graph_note(bases[i], 0));
            CU_ASSERT_EQUAL(asnap_graph_note_count(held), 1);
            CU_ASSERT(!asnap_graph_has_pointers(held));
            changed += memcmp(held->counts, bases[i]->counts, sizeof(held->counts)) != 0;
            /* What it borrows lives on. */
            asnap_graph_destroy(bases[i]);
            check_same(held, wanted);
            asnap_graph_destroy(held);
        }
        asnap_graph_destroy(wanted);
        asnap_snapshot_destroy(snapshot);
        graph_heap_deinit(&heap);
        free(reasons);
    }
    CU_ASSERT(changed > 100);
}

/* Of a part of the blocks, those that are held lead at least to what they lead to within it. */
ASNAP_TEST(graph_hold, a_part_of_the_blocks)
{
    size_t noted = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct graph_heap heap;
        graph_heap_init(&heap, 8000, seed);
        graph_heap_fill(&heap, 200, 60);
        struct asnap_snapshot *snapshot = made_graph_snapshot(&heap);
        struct asnap_graph *graph = made_graph(snapshot, &heap, NULL, 3);
        struct asnap_graph_parts parts;
        struct asnap_graph *part = NULL;
        struct asnap_graph *held = NULL;
        struct asnap_snapshot *definite = NULL;
        ASNAP_ASSERT_OK(asnap_graph_select(
            graph, snapshot, 1u << ASNAP_REACH_DEFINITE | 1u << ASNAP_REACH_POSSIBLE, &definite));
        ASNAP_ASSERT_OK(asnap_graph_parts_init(&parts, graph, definite));
        ASNAP_ASSERT_OK(asnap_graph_restore(definite, &parts, &part));
        asnap_graph_parts_deinit(&parts);
        uint32_t *reasons = calloc(part->index.count + 1, sizeof(*reasons));
        for (uint32_t block = 0; block < part->index.count; block++)
            reasons[block] = graph_heap_random(&heap, 4) == 0 ? 0 : ASNAP_GRAPH_NO_BLOCK;
        ASNAP_ASSERT_OK(asnap_graph_hold(part, reasons, 1, &held));
        for (uint32_t block = 0; block < part->index.count; block++) {
            struct asnap_graph_block_info before = asnap_graph_block(part, block);
            struct asnap_graph_block_info after = asnap_graph_block(held, block);
            CU_ASSERT(after.reach <= before.reach);
            CU_ASSERT(reasons[block] == ASNAP_GRAPH_NO_BLOCK ||
                      after.reach == ASNAP_REACH_REACHABLE);
            /* Nothing leads to a definite block. */
            if (before.reach == ASNAP_REACH_DEFINITE && reasons[block] == ASNAP_GRAPH_NO_BLOCK)
                CU_ASSERT(after.reach == ASNAP_REACH_DEFINITE &&
                          after.indirect_size == before.indirect_size);
        }
        noted += asnap_graph_note_count(held) == 2;
        asnap_graph_destroy(held);
        asnap_graph_destroy(part);
        asnap_graph_destroy(graph);
        asnap_snapshot_destroy(definite);
        asnap_snapshot_destroy(snapshot);
        graph_heap_deinit(&heap);
        free(reasons);
    }
    CU_ASSERT(noted > 50);
}

ASNAP_TEST(graph_hold, what_is_no_reason)
{
    struct graph_heap heap;
    graph_heap_init(&heap, 4000, 1);
    graph_heap_fill(&heap, 200, 20);
    struct asnap_snapshot *snapshot = made_graph_snapshot(&heap);
    struct asnap_graph *graph = made_graph(snapshot, &heap, NULL, 1);
    struct asnap_graph *held = NULL;
    struct asnap_graph *again = NULL;
    uint32_t *reasons = calloc(graph->index.count, sizeof(*reasons));
    reasons[0] = 1;
    ASNAP_ASSERT_ERROR(asnap_graph_hold(graph, reasons, 1, &held), ASNAP_ERROR_INVALID_ARGUMENT);
    reasons[0] = 0;
    ASNAP_ASSERT_OK(asnap_graph_hold(graph, reasons, 1, &held));
    ASNAP_ASSERT_ERROR(asnap_graph_hold(held, reasons, 1, &again), ASNAP_ERROR_INVALID_ARGUMENT);
    asnap_graph_destroy(held);
    asnap_graph_destroy(graph);
    asnap_snapshot_destroy(snapshot);
    graph_heap_deinit(&heap);
    free(reasons);
}

struct swept {
    struct asnap_graph *graph;
    const uint32_t *reasons;
};

static struct asnap_error *try_hold(void *context)
{
    const struct swept *swept = context;
    struct asnap_graph *held = NULL;
    struct asnap_error *error = asnap_graph_hold(swept->graph, swept->reasons, 1, &held);
    asnap_graph_destroy(held);
    return error;
}

ASNAP_TEST(graph_hold, every_allocation_may_fail)
{
    struct graph_heap heap;
    graph_heap_init(&heap, 4000, 3);
    graph_heap_fill(&heap, 200, 40);
    struct asnap_snapshot *snapshot = made_graph_snapshot(&heap);
    struct asnap_graph *graph = made_graph(snapshot, &heap, NULL, 1);
    uint32_t *reasons = calloc(graph->index.count, sizeof(*reasons));
    struct swept swept = {graph, reasons};
    memset(reasons, 0xff, graph->index.count * sizeof(*reasons));
    CU_ASSERT(asnap_unit_sweep(try_hold, &swept) > 5);
    for (uint32_t block = 0; block < graph->index.count; block += 3)
        reasons[block] = 0;
    CU_ASSERT(asnap_unit_sweep(try_hold, &swept) > 10);
    asnap_graph_destroy(graph);
    asnap_snapshot_destroy(snapshot);
    graph_heap_deinit(&heap);
    free(reasons);
}
