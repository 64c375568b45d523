/* How much is read for a graph, counted: what a table says must not make it endless. */
#include <stdlib.h>
#include <string.h>

#include "edges.h"
#include "holes.h"
#include "inferior_map.h"
#include "unit.h"

#define HEAP UINT64_C(0x555500000000)
#define HEAP_BYTES ((uint64_t)1 << 20)
#define LIBRARY (HEAP + HEAP_BYTES + ((uint64_t)512 << 20))
#define STACK UINT64_C(0x7ffffffde000)
#define PAGE ((uint64_t)4096)

static size_t reads;

static const struct asnap_region regions[] = {
    {HEAP, HEAP + HEAP_BYTES, 0, "[heap]", ASNAP_REGION_READABLE | ASNAP_REGION_WRITABLE},
    {LIBRARY, LIBRARY + PAGE, 0, "/l.so", ASNAP_REGION_READABLE},
    {STACK, STACK + PAGE, 0, "[stack]", ASNAP_REGION_READABLE | ASNAP_REGION_WRITABLE},
};
/* Zeros in the regions, and nothing elsewhere. */
static int read_memory(void *context, uint64_t address, void *buffer, size_t size)
{
    (void)context;
    reads++;
    for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++) {
        if (address >= regions[i].start && address < regions[i].end &&
            size <= regions[i].end - address) {
            memset(buffer, 0, size);
            return ASNAP_READ_OK;
        }
    }
    return ASNAP_READ_FAILED;
}

static const struct asnap_memory memory = {.read = read_memory};

/* Reads a block of a size that the heap has no room for; how many bytes could not be read. */
static uint64_t unread_of(uint64_t size, size_t region_count)
{
    const struct asnap_trace traces[] = {{.address = HEAP + 64, .size = 64},
                                         {.address = HEAP + 256, .size = size}};
    const struct asnap_graph_facts facts = {
        .memory = &memory, .regions = regions, .region_count = region_count};
    struct asnap_word_reader reader = {.memory = &memory, .heuristics = true};
    struct asnap_block_index index;
    struct asnap_edges edges;
    struct asnap_hole *holes = NULL;
    size_t skipped;
    ASNAP_ASSERT_OK(asnap_block_index_init(&index, traces, 2, &skipped));
    CU_ASSERT_EQUAL_FATAL(skipped, 0);
    ASNAP_ASSERT_OK(asnap_holes_find(&facts, &holes, &reader.hole_count));
    reader.holes = holes;
    reads = 0;
    ASNAP_ASSERT_OK(asnap_edges_init(&edges, &index, &reader));
    uint64_t unread = edges.unread_bytes;
    asnap_edges_deinit(&edges);
    asnap_block_index_deinit(&index);
    free(holes);
    return unread;
}

ASNAP_TEST(graph_work, a_block_of_85_tib)
{
    const uint64_t size = (uint64_t)85 << 40;
    /* What is there of it is read, and where little is between two mappings it is tried page by
     * page; elsewhere nothing is. */
    fprintf(stderr, "%llx %llx\n", (unsigned long long)unread_of(size, 2),
            (unsigned long long)(size - (HEAP_BYTES - 256) - PAGE));
    CU_ASSERT_EQUAL(unread_of(size, 2), size - (HEAP_BYTES - 256) - PAGE);
    CU_ASSERT(reads < (LIBRARY - HEAP) / PAGE + 1024);
    CU_ASSERT_EQUAL(unread_of(size, 1), size - (HEAP_BYTES - 256));
    CU_ASSERT(reads < 1024);
}

/* Not even single words are looked at where nothing was ever written. */
ASNAP_TEST(graph_work, words_that_were_never_touched)
{
    static const struct asnap_address_range untouched[] = {{HEAP + PAGE, HEAP + 2 * PAGE},
                                                           {HEAP + 4 * PAGE, HEAP + 8 * PAGE}};
    static const struct {
        uint64_t address;
        size_t size;
        size_t reads;
    } places[] = {
        {HEAP, 8, 1},
        {HEAP + PAGE - 8, 16, 1}, /* into it */
        {HEAP + PAGE, 16, 0},
        {HEAP + 2 * PAGE - 8, 8, 0},
        {HEAP + 2 * PAGE - 8, 16, 1}, /* out of it */
        {HEAP + 3 * PAGE, 8, 1},
        {HEAP + 6 * PAGE, PAGE, 0},
        {HEAP + 8 * PAGE, 8, 1},
    };
    const struct asnap_graph_facts facts = {
        .memory = &memory, .untouched = untouched, .untouched_count = 2};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        uint8_t bytes[PAGE];
        bool read = false;
        memset(bytes, 0xff, sizeof(bytes));
        reads = 0;
        ASNAP_ASSERT_OK(
            asnap_inferior_copy(&facts, places[i].address, bytes, places[i].size, &read));
        CU_ASSERT(read);
        CU_ASSERT_EQUAL(reads, places[i].reads);
        CU_ASSERT_EQUAL(bytes[0], 0);
        CU_ASSERT_EQUAL(bytes[places[i].size - 1], 0);
    }
}

ASNAP_TEST(graph_work, where_holes_are)
{
    const struct asnap_address_range untouched = {HEAP + PAGE, HEAP + 2 * PAGE};
    const struct asnap_graph_facts facts = {.memory = &memory,
                                            .regions = regions,
                                            .region_count = 3,
                                            .untouched = &untouched,
                                            .untouched_count = 1};
    const struct asnap_hole expected[] = {
        {0, HEAP, false},
        {HEAP + PAGE, HEAP + 2 * PAGE, true},
        {LIBRARY + PAGE, STACK, false},
        {STACK + PAGE, UINT64_MAX & ~(uint64_t)7, false},
    };
    struct asnap_hole *holes = NULL;
    size_t count = 0;
    ASNAP_ASSERT_OK(asnap_holes_find(&facts, &holes, &count));
    CU_ASSERT_EQUAL_FATAL(count, 4);
    for (size_t i = 0; i < count; i++) {
        CU_ASSERT_EQUAL(holes[i].start, expected[i].start);
        CU_ASSERT_EQUAL(holes[i].end, expected[i].end);
        CU_ASSERT_EQUAL(holes[i].is_zero, expected[i].is_zero);
    }
    free(holes);
    const struct asnap_graph_facts nothing = {.memory = &memory};
    ASNAP_ASSERT_OK(asnap_holes_find(&nothing, &holes, &count));
    CU_ASSERT_EQUAL(count, 0); /* where no map is known, nothing is known to be missing */
    free(holes);
}
