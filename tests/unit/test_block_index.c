/* The index of blocks by address, against a look at each. */
#include "graph_heap.h"

/* Many at once are found as one by one. */
static void check_many(const struct asnap_block_index *index, struct graph_heap *heap)
{
    uint64_t addresses[ASNAP_FIND_MANY];
    uint32_t found[ASNAP_FIND_MANY];
    for (size_t round = 0; round < 40; round++) {
        size_t count = graph_heap_random(heap, ASNAP_FIND_MANY + 1);
        for (size_t i = 0; i < count; i++) {
            const struct asnap_graph_block *block =
                &index->blocks[graph_heap_random(heap, index->count)];
            addresses[i] =
                graph_heap_random(heap, 2) == 0
                    ? block->start
                    : index->lowest + graph_heap_random(heap, index->highest - index->lowest);
        }
        uint64_t starts = asnap_block_index_find_many(index, addresses, count, found);
        for (size_t i = 0; i < count; i++) {
            CU_ASSERT_EQUAL(found[i], asnap_block_index_find(index, addresses[i]));
            if ((starts >> i & 1) != 0)
                CU_ASSERT_EQUAL(index->blocks[found[i]].start, addresses[i]);
        }
    }
}

static void check_finds(struct graph_heap *heap)
{
    struct asnap_block_index index;
    size_t skipped;
    ASNAP_ASSERT_OK(asnap_block_index_init(&index, heap->traces, heap->count, &skipped));
    CU_ASSERT_EQUAL(skipped, 0);
    CU_ASSERT_EQUAL(index.count, heap->count);
    for (uint32_t i = 0; i < index.count; i++) {
        const struct asnap_trace *trace = &heap->traces[index.places[i]];
        CU_ASSERT_EQUAL(index.blocks[i].start, trace->address);
        CU_ASSERT_EQUAL(asnap_block_size(&index, i), trace->size);
    }
    for (size_t i = 0; i < 4000; i++) {
        uint64_t address = HEAP_BASE - 64 + graph_heap_random(heap, heap->size + 128);
        CU_ASSERT_EQUAL(asnap_block_index_find(&index, address), graph_heap_find(&index, address));
    }
    check_many(&index, heap);
    asnap_block_index_deinit(&index);
}

ASNAP_TEST(graph_index, sparse_and_dense)
{
    for (uint64_t seed = 0; seed < 30; seed++) {
        struct graph_heap heap;
        graph_heap_init(&heap, (size_t)3 << 20, seed);
        graph_heap_fill(&heap, seed % 3 == 0 ? 4096 : 200000, 0);
        check_finds(&heap);
        graph_heap_deinit(&heap);
    }
    struct graph_heap dense;
    graph_heap_init(&dense, 40000, 1);
    graph_heap_fill(&dense, 64, 0);
    CU_ASSERT(dense.count > 500);
    check_finds(&dense);
    graph_heap_deinit(&dense);
}

/* Whether all starts of the blocks in a MiB are told to be such, or none is. */
static void check_starts(const struct asnap_block_index *index, uint64_t mib, bool all)
{
    for (uint32_t i = 0; i < index->count; i++) {
        uint64_t start = index->blocks[i].start;
        uint64_t inside = start + 8;
        uint32_t found;
        if ((start - HEAP_BASE) >> 20 != mib)
            continue;
        CU_ASSERT_EQUAL(asnap_block_index_find_many(index, &start, 1, &found), all ? 1 : 0);
        CU_ASSERT_EQUAL(found, i);
        CU_ASSERT_EQUAL(asnap_block_index_find_many(index, &inside, 1, &found), 0);
        CU_ASSERT_EQUAL(found, i);
    }
}

/* Where each block of a MiB of many is aligned, its bit alone tells that it starts there. Not where
 * one of them is not aligned, or starts where another does. */
ASNAP_TEST(graph_index, starts_by_their_bits)
{
    struct graph_heap heap;
    struct asnap_block_index index;
    size_t skipped;
    graph_heap_init(&heap, (size_t)3 << 20, 1);
    for (uint64_t at = 0; at < (uint64_t)3 << 20; at += 48)
        graph_heap_add(&heap, at, 32);
    heap.traces[30000].address += 4;
    heap.traces[30000].size -= 4;
    graph_heap_add(&heap, heap.traces[60000].address - HEAP_BASE, 24);
    ASNAP_ASSERT_OK(asnap_block_index_init(&index, heap.traces, heap.count, &skipped));
    check_starts(&index, 0, true);
    check_starts(&index, 1, false);
    CU_ASSERT_NOT_EQUAL(index.outer, NULL);
    asnap_block_index_deinit(&index);
    heap.count--;
    check_finds(&heap);
    graph_heap_deinit(&heap);
}

/* Pools hand out blocks within blocks, also several in one granule. */
ASNAP_TEST(graph_index, nested)
{
    for (uint64_t seed = 0; seed < 30; seed++) {
        struct graph_heap heap;
        graph_heap_init(&heap, 100000, seed);
        graph_heap_add(&heap, 0, 50000);
        graph_heap_add(&heap, 60000, 30000);
        for (uint64_t at = 64; at < 40000; at += 1 + graph_heap_random(&heap, 60))
            graph_heap_add(&heap, at, 1 + graph_heap_random(&heap, 4));
        graph_heap_add(&heap, 60000, 20000);
        graph_heap_add(&heap, 70000, 0);
        graph_heap_add(&heap, 61000, 100);
        check_finds(&heap);
        graph_heap_deinit(&heap);
    }
}

ASNAP_TEST(graph_index, blocks_of_many_mib)
{
    struct graph_heap heap;
    graph_heap_init(&heap, (size_t)16 << 20, 7);
    graph_heap_add(&heap, 0, 100);
    graph_heap_add(&heap, 4096, (uint64_t)5 << 20);
    graph_heap_add(&heap, (uint64_t)7 << 20, 64);
    graph_heap_add(&heap, ((uint64_t)7 << 20) + 64, (uint64_t)8 << 20);
    graph_heap_add(&heap, (uint64_t)9 << 20, (uint64_t)2 << 20);
    check_finds(&heap);
    graph_heap_deinit(&heap);
}

ASNAP_TEST(graph_index, addresses_that_no_program_has)
{
    struct asnap_trace traces[] = {
        {.address = UINT64_MAX - 8, .size = 100},
        {.address = (uint64_t)1 << 48, .size = 8},
        {.address = 0x1000, .size = (uint64_t)1 << 60},
        {.address = 0x2000, .size = 16},
    };
    struct asnap_block_index index;
    size_t skipped;
    ASNAP_ASSERT_OK(asnap_block_index_init(&index, traces, 4, &skipped));
    CU_ASSERT_EQUAL(skipped, 3);
    CU_ASSERT_EQUAL(index.count, 1);
    CU_ASSERT_EQUAL(asnap_block_index_find(&index, 0x2008), 0);
    CU_ASSERT_EQUAL(asnap_block_index_find(&index, 0x1fff), ASNAP_NO_BLOCK);
    CU_ASSERT_EQUAL(asnap_block_index_find(&index, UINT64_MAX), ASNAP_NO_BLOCK);
    asnap_block_index_deinit(&index);
    ASNAP_ASSERT_OK(asnap_block_index_init(&index, NULL, 0, &skipped));
    CU_ASSERT_EQUAL(asnap_block_index_find(&index, 0), ASNAP_NO_BLOCK);
    asnap_block_index_deinit(&index);
}
