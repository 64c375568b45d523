/* How much memory the graph takes, for heaps of any shape, also ones made to take much: by the
 * blocks and pointers that are really there. */
#include <stdlib.h>
#include <string.h>

#include "dominators.h"
#include "graph_heap.h"

/* docs/architecture.md: what a block and a pointer between blocks may take, what a block takes
 * beside while the dominators are sought, and afterwards. */
enum { BLOCK_MOST = 40, EDGE_MOST = 8, DOMINATORS_MOST = 24, DOMINATORS_KEPT = 20 };
/* Once: the window over the memory, the directory of MiB, and what lists of few take. */
#define FEW ((int64_t)65536)
#define ONCE ((int64_t)ASNAP_WINDOW_BYTES + FEW)

/* A heap that is as large as it likes, since its memory is made when it is read. */
struct made_heap {
    struct asnap_memory memory;
    struct asnap_trace *traces;
    uint32_t count;
    uint64_t size; /* of each block */
    uint64_t (*word)(const struct made_heap *heap, uint32_t block, uint64_t at);
    uint32_t pointers;
    size_t largest_read;
};

#define STRIDE(HEAP) (((HEAP)->size + 31) / 16 * 16)

static uint64_t address_of(const struct made_heap *heap, uint64_t block)
{
    return HEAP_BASE + block * STRIDE(heap);
}

static int read_made(void *context, uint64_t address, void *buffer, size_t size)
{
    struct made_heap *heap = context;
    uint64_t offset = address - HEAP_BASE;
    if (size > heap->largest_read)
        heap->largest_read = size;
    if (offset % 8 != 0 || size % 8 != 0 || offset + size > heap->count * STRIDE(heap))
        return ASNAP_READ_FAILED;
    for (size_t at = 0; at < size; at += 8) {
        uint64_t inside = (offset + at) % STRIDE(heap);
        uint32_t block = (uint32_t)((offset + at) / STRIDE(heap));
        uint64_t word = inside < heap->size ? heap->word(heap, block, inside) : 0;
        memcpy((char *)buffer + at, &word, sizeof(word));
    }
    return ASNAP_READ_OK;
}

/* Traces in no order. */
static void made_init(struct made_heap *heap, uint32_t count, uint64_t size,
                      uint64_t (*word)(const struct made_heap *heap, uint32_t block, uint64_t at))
{
    *heap = (struct made_heap){.count = count, .size = size, .word = word};
    heap->memory = (struct asnap_memory){read_made, heap, count * STRIDE(heap)};
    heap->traces = malloc(count * sizeof(*heap->traces));
    CU_ASSERT_PTR_NOT_NULL_FATAL(heap->traces);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t block = (i * UINT64_C(7919)) % count;
        heap->traces[i] = (struct asnap_trace){.address = address_of(heap, block), .size = size};
    }
}

/* What was found out of a heap whose roots point to its first block, or to none. */
struct found {
    struct asnap_block_index index;
    struct asnap_edges edges;
    struct asnap_reach reach;
    struct asnap_referrers referrers;
    struct asnap_dominators dominators;
    int64_t graph_most; /* bytes that were there at once */
    int64_t dominators_most;
    int64_t dominators_kept;
};

static void find(struct found *found, const struct made_heap *heap, size_t root_count)
{
    const struct asnap_word_reader reader = {.memory = &heap->memory, .heuristics = true};
    const struct asnap_root_pointer root = {.edge = 0};
    size_t skipped;
    int64_t before = asnap_unit_live();
    asnap_unit_most();
    ASNAP_ASSERT_OK(asnap_block_index_init(&found->index, heap->traces, heap->count, &skipped));
    CU_ASSERT_EQUAL_FATAL(skipped, 0);
    ASNAP_ASSERT_OK(asnap_edges_init(&found->edges, &found->index, &reader));
    ASNAP_ASSERT_OK(
        asnap_reach_init(&found->reach, &found->index, &found->edges, &root, root_count, NULL));
    ASNAP_ASSERT_OK(asnap_referrers_init(&found->referrers, &found->edges, found->index.count));
    found->graph_most = asnap_unit_most() - before;
    int64_t with_graph = asnap_unit_live();
    ASNAP_ASSERT_OK(asnap_dominators_init(&found->dominators, &found->index, &found->edges,
                                          &found->referrers, &found->reach, &root, root_count,
                                          NULL));
    found->dominators_most = asnap_unit_most() - with_graph;
    found->dominators_kept = asnap_unit_live() - with_graph;
}

static void drop(struct found *found)
{
    asnap_dominators_deinit(&found->dominators);
    asnap_referrers_deinit(&found->referrers);
    asnap_reach_deinit(&found->reach);
    asnap_edges_deinit(&found->edges);
    asnap_block_index_deinit(&found->index);
}

static void check_memory(const struct found *found)
{
    int64_t blocks = found->index.count;
    int64_t edges = (int64_t)found->edges.count;
    CU_ASSERT(found->graph_most <= BLOCK_MOST * blocks + EDGE_MOST * edges + ONCE);
    CU_ASSERT(found->dominators_most <= DOMINATORS_MOST * blocks + FEW);
    CU_ASSERT(found->dominators_kept <= DOMINATORS_KEPT * blocks + FEW);
}

/* ---- heaps of many blocks ---- */

/* The first words of a block lead to the blocks after it. */
static uint64_t to_next_ones(const struct made_heap *heap, uint32_t block, uint64_t at)
{
    return at / 8 < heap->pointers ? address_of(heap, (block + 1 + at / 8) % heap->count) : 1;
}

/* Blocks of few sizes, so that MiB have many of them, some, and few: `sizes` leave the least room.
 */
ASNAP_TEST(graph_memory, of_each_block_and_pointer)
{
    static const uint64_t sizes[] = {32, 128, 240, 488, 1000, 1950, 4000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (uint32_t pointers = 0; pointers <= 4; pointers = pointers * 4 + (pointers == 0)) {
            struct made_heap heap;
            struct found found;
            uint32_t count = sizes[i] < 500 ? 200000 : 50000;
            made_init(&heap, count, sizes[i], to_next_ones);
            heap.pointers = pointers;
            for (size_t roots = 0; roots < 2; roots++) {
                find(&found, &heap, roots);
                CU_ASSERT_EQUAL(found.edges.count, (size_t)count * pointers);
                check_memory(&found);
                drop(&found);
            }
            free(heap.traces);
        }
    }
}

/* Pairs of blocks that nothing leads to, the most that there can be to be told of leaks. */
static uint64_t pairs(const struct made_heap *heap, uint32_t block, uint64_t at)
{
    return at == 0 && block % 2 == 0 ? address_of(heap, block + 1) : 0;
}

ASNAP_TEST(graph_memory, of_leaks)
{
    struct made_heap heap;
    struct found found;
    made_init(&heap, 200000, 48, pairs);
    find(&found, &heap, 0);
    CU_ASSERT_EQUAL(found.reach.leak_count, 100000);
    check_memory(&found);
    drop(&found);
    free(heap.traces);
}

/* ---- hostile ones ---- */

/* A chain that would be too long for anything that calls itself. */
ASNAP_TEST(graph_memory, a_long_chain)
{
    const uint32_t count = 10000000;
    struct made_heap heap;
    struct found found;
    made_init(&heap, count, 16, to_next_ones);
    heap.pointers = 1;
    for (size_t roots = 0; roots < 2; roots++) {
        find(&found, &heap, roots);
        check_memory(&found);
        CU_ASSERT_EQUAL(found.dominators.retained_count[0], count);
        CU_ASSERT_EQUAL(found.dominators.retained_count[count - 1], 1);
        CU_ASSERT_EQUAL(found.reach.classes[count - 1],
                        roots == 0 ? ASNAP_REACH_INDIRECT : ASNAP_REACH_REACHABLE);
        drop(&found);
    }
    free(heap.traces);
}

static uint64_t anywhere(const struct made_heap *heap, uint32_t block, uint64_t at)
{
    uint64_t mixed = (block * heap->size + at) * UINT64_C(0x9e3779b97f4a7c15);
    return HEAP_BASE + (mixed >> 20) % (heap->count * STRIDE(heap));
}

ASNAP_TEST(graph_memory, pointers_everywhere)
{
    struct made_heap heap;
    struct found found;
    made_init(&heap, 20000, 1024, anywhere);
    find(&found, &heap, 1);
    CU_ASSERT(found.edges.count > 20000 * 100);
    check_memory(&found);
    drop(&found);
    free(heap.traces);
}

/* One block has as many words as there are blocks, each of which points back to it. */
static uint64_t one_and_all(const struct made_heap *heap, uint32_t block, uint64_t at)
{
    return block == 0 ? address_of(heap, at / 8 % heap->count) : address_of(heap, 0);
}

ASNAP_TEST(graph_memory, one_block_points_at_all)
{
    struct made_heap heap;
    struct found found;
    made_init(&heap, 3000, 3000 * 8, one_and_all);
    for (size_t roots = 0; roots < 2; roots++) {
        find(&found, &heap, roots);
        check_memory(&found);
        CU_ASSERT_EQUAL(found.edges.count, (size_t)3000 * 3000);
        CU_ASSERT_EQUAL(found.dominators.retained_count[0], 3000);
        CU_ASSERT_EQUAL(found.dominators.retained_count[1], 1);
        drop(&found);
    }
    free(heap.traces);
}

/* Each block is alone in its part of the directory. */
ASNAP_TEST(graph_memory, blocks_far_apart)
{
    const uint32_t count = 100000;
    struct asnap_trace *traces = calloc(count, sizeof(*traces));
    struct asnap_block_index index;
    size_t skipped;
    for (uint32_t i = 0; i < count; i++)
        traces[i] = (struct asnap_trace){.address = ((uint64_t)i + 1) << 30, .size = 8};
    int64_t before = asnap_unit_live();
    asnap_unit_most();
    ASNAP_ASSERT_OK(asnap_block_index_init(&index, traces, count, &skipped));
    CU_ASSERT(asnap_unit_most() - before <= 400 * (int64_t)count + ONCE);
    CU_ASSERT_EQUAL(asnap_block_index_find(&index, ((uint64_t)count << 30) + 7), count - 1);
    CU_ASSERT_EQUAL(asnap_block_index_find(&index, ((uint64_t)count << 30) + 8), ASNAP_NO_BLOCK);
    asnap_block_index_deinit(&index);
    free(traces);
}

/* A core that is larger than memory is read piece by piece, and nothing of it is kept. */
ASNAP_TEST(graph_memory, large_blocks_are_read_in_pieces)
{
    struct made_heap heap;
    struct found found;
    made_init(&heap, 8, (uint64_t)32 << 20, to_next_ones);
    heap.pointers = 1;
    find(&found, &heap, 1);
    CU_ASSERT_EQUAL(heap.largest_read, ASNAP_WINDOW_BYTES);
    CU_ASSERT(found.graph_most <= ONCE);
    CU_ASSERT_EQUAL(found.dominators.retained_size[0], (uint64_t)8 * 32 << 20);
    drop(&found);
    free(heap.traces);
}
