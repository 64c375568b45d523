/* Graphs that are made of parts which a file keeps, and parts that contradict each other. */
#include <stdio.h>
#include <string.h>

#include "known_graph.h"

ASNAP_TEST(graph_parts, known_blocks)
{
    struct known known;
    struct asnap_graph *graph = NULL;
    ASNAP_ASSERT_OK(known_init(&known));
    ASNAP_ASSERT_OK(asnap_graph_restore(known.snapshot, &known.parts, &graph));
    const struct asnap_trace *traces = NULL;
    ASNAP_ASSERT_OK(asnap_snapshot_traces(known.snapshot, &traces));
    uint32_t blocks[KNOWN];
    for (uint32_t i = 0; i < KNOWN; i++)
        blocks[i] = asnap_graph_block_of(graph, &traces[i]);
    CU_ASSERT_EQUAL(blocks[8], ASNAP_GRAPH_NO_BLOCK);
    struct asnap_graph_block_info info = asnap_graph_block(graph, blocks[4]);
    CU_ASSERT(info.reach == ASNAP_REACH_DEFINITE && info.owner == blocks[4]);
    CU_ASSERT(info.indirect_size == 208 && info.indirect_count == 2 && info.cycle_count == 2);
    info = asnap_graph_block(graph, blocks[6]);
    CU_ASSERT(info.reach == ASNAP_REACH_INDIRECT && info.owner == blocks[4]);
    info = asnap_graph_block(graph, blocks[7]);
    CU_ASSERT(info.indirect_count == 0 && info.cycle_count == 0);
    uint64_t size, count;
    asnap_graph_retained(graph, blocks[4], &size, &count);
    CU_ASSERT(size == 288 && count == 3);
    asnap_graph_sum(graph, ASNAP_REACH_INDIRECT, &size, &count);
    CU_ASSERT(size == 208 && count == 2);
    uint32_t top[2];
    asnap_graph_top(graph, 2, top);
    CU_ASSERT(top[0] == blocks[4] && top[1] == blocks[5]);
    struct asnap_reference references[3];
    size_t found;
    asnap_graph_references(graph, blocks[5], references, 3, &found);
    CU_ASSERT(found == 2 && references[0].block == blocks[6] && references[1].block == blocks[4]);
    asnap_graph_references(graph, blocks[2], references, 3, &found);
    CU_ASSERT(found == 1 && references[0].block == blocks[3] && references[0].inside);
    CU_ASSERT_STRING_EQUAL(asnap_graph_note(graph, 0), known.notes[0]);
    size_t roots, holders;
    ASNAP_ASSERT_ERROR(asnap_graph_referrers(graph, blocks[5], references, 3, &roots, &holders),
                       ASNAP_ERROR_UNSUPPORTED);
    struct asnap_graph_paths *paths = NULL;
    ASNAP_ASSERT_ERROR(asnap_graph_paths_create(graph, blocks[0], &paths), ASNAP_ERROR_UNSUPPORTED);
    uint32_t groups[KNOWN] = {0};
    uint64_t sizes[1], counts[1];
    ASNAP_ASSERT_ERROR(
        asnap_graph_retained_exactly(graph, traces, KNOWN, groups, 1, NULL, sizes, counts),
        ASNAP_ERROR_UNSUPPORTED);
    asnap_graph_destroy(graph);
    known_deinit(&known);
}

/* Restores the parts of `known`, which must fail and say `what`. */
static void check_refused(struct known *known, const char *what)
{
    struct asnap_graph *graph = NULL;
    struct asnap_error *error = asnap_graph_restore(known->snapshot, &known->parts, &graph);
    CU_ASSERT_PTR_NULL(graph);
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    CU_ASSERT_EQUAL(asnap_error_code(error), ASNAP_ERROR_DAMAGED);
    if (strstr(asnap_error_message(error), what) == NULL)
        fprintf(stderr, "%s\n    does not say: %s\n", asnap_error_message(error), what);
    CU_ASSERT_PTR_NOT_NULL(strstr(asnap_error_message(error), what));
    asnap_error_destroy(error);
    known_deinit(known);
}

#define REFUSED(CHANGE, WHAT)                                                                      \
    do {                                                                                           \
        struct known known;                                                                        \
        ASNAP_ASSERT_OK(known_init(&known));                                                       \
        CHANGE;                                                                                    \
        check_refused(&known, WHAT);                                                               \
    } while (false)

ASNAP_TEST(graph_parts, classes_that_contradict)
{
    REFUSED(known.classes[1] = 5, "block 1: its class is 5, not a number from 0 to 4");
    REFUSED(known.classes[1] = 255, "block 1: its class is 255");
    REFUSED(known.classes[8] = ASNAP_REACH_REACHABLE,
            "block 8 has a class, but lies at an address that no program has");
    REFUSED(known.classes[2] = ASNAP_REACH_REACHABLE,
            "reachable blocks: 48 bytes in 2 of the heap, but 96 bytes in 3 of the file");
    REFUSED(known.parts.sums[1].count = 1, "possible blocks: 112 bytes in 1 of the heap");
    REFUSED(known.parts.sums[3].size = 207, "definite blocks: 207 bytes in 2 of the heap");
    REFUSED(known.parts.sums[0].size = INT64_MAX, "sum up to 2^63 bytes or 2^30 blocks, or more");
    REFUSED(known.parts.sums[3].size = UINT64_MAX, "sum up to 2^63 bytes or 2^30 blocks, or more");
    REFUSED(known.parts.sums[0].count = UINT64_MAX, "sum up to 2^63 bytes or 2^30 blocks");
    REFUSED(known.parts.sums[0].count = 1u << 30, "sum up to 2^63 bytes or 2^30 blocks");
}

ASNAP_TEST(graph_parts, leaks_that_contradict)
{
    REFUSED(known.parts.leak_count = 3,
            "4 blocks are definite or indirect, but 3 are listed as such");
    REFUSED(known.leaks[1].place = 4, "leaked block 1: block 4 of 9 blocks is not after the one");
    REFUSED(known.leaks[3].place = KNOWN, "leaked block 3: block 9 of 9 blocks");
    REFUSED(known.leaks[0].place = 3, "leaked block 0: block 3 of 9 blocks");
    REFUSED(known.leaks[3].place = UINT32_MAX, "leaked block 3: block 4294967295 of 9 blocks");
    REFUSED(known.leaks[0].owner = 7, "leaked block 4: block 7 stands for it");
    REFUSED(known.leaks[0].owner = UINT32_MAX, "leaked block 4: block 4294967295 stands for it");
    REFUSED(known.leaks[1].owner = 6, "leaked block 5: block 6 stands for it");
    REFUSED(known.leaks[1].owner = KNOWN, "leaked block 5: block 9 stands for it");
    REFUSED(known.leaks[1].indirect_size = 1, "leaked block 5 is indirect, but has blocks");
    REFUSED(known.leaks[1].indirect_count = 1, "leaked block 5 is indirect, but has blocks");
    REFUSED(known.leaks[2].cycle_count = 2, "leaked block 6 is indirect, but has blocks");
    REFUSED(known.leaks[0].cycle_count = 1, "leaked block 4 stands for a cycle of 1 blocks");
    REFUSED(known.leaks[0].cycle_count = 4, "a cycle of 4 blocks, but leads to 2");
    REFUSED(known.leaks[0].cycle_count = UINT32_MAX, "a cycle of 4294967295 blocks");
    REFUSED(known.leaks[0].indirect_size = 209,
            "what leaked blocks lead to sums up to more than the 208 bytes in 2 indirect blocks");
    REFUSED(known.leaks[3].indirect_size = UINT64_MAX, "sums up to more than the 208 bytes");
    REFUSED(known.leaks[3].indirect_count = 1, "sums up to more than the 208 bytes in 2");
    REFUSED(known.leaks[0].indirect_size = 207,
            "leaked block 4 leads to 207 bytes in 2 blocks, but stands for 208 bytes in 2");
    REFUSED((known.leaks[0].indirect_count = 1),
            "leaked block 4 leads to 208 bytes in 1 blocks, but stands for 208 bytes in 2");
}

ASNAP_TEST(graph_parts, pointers_that_contradict)
{
    REFUSED(known.pointers[3].from = KNOWN, "pointer 3 is from block 9 to block 4 of 9 blocks");
    REFUSED(known.pointers[1].to = KNOWN, "pointer 1 is from block 4 to block 9 of 9 blocks");
    REFUSED(known.pointers[1].to = UINT32_MAX, "to block 2147483647 of 9 blocks");
    REFUSED(known.pointers[2].from = 2, "pointer 2 is from block 2, and the one before it from");
    REFUSED(known.pointers[0].from = 0, "pointer 0 is from block 0 of class 1 to block 3");
    REFUSED(known.pointers[3].to = 1, "pointer 3 is from block 5 of class 3 to block 1 of class 1");
    REFUSED(known.pointers[0].to = 5, "pointer 0 is from block 2 of class 2 to block 5 of class 3");
    REFUSED(known.pointers[3].to = 8, "pointer 3 is from block 5 of class 3 to block 8 of class 0");
}

ASNAP_TEST(graph_parts, dominators_that_contradict)
{
    REFUSED(known.retained[1].dominator = KNOWN, "block 1: block 9 of 9 blocks keeps it alive");
    REFUSED(known.retained[1].dominator = 8, "block 1: block 8 of 9 blocks keeps it alive");
    REFUSED(known.retained[0].dominator = 0, "1 blocks keep each other alive in a circle");
    REFUSED((known.retained[1] = (struct asnap_kept_retained){32, 1, 1}), "in a circle");
    REFUSED((known.retained[4].dominator = 6, known.retained[5].dominator = 4),
            "3 blocks keep each other alive in a circle");
    REFUSED(known.retained[8].size = 1, "block 8 has no class, but keeps blocks alive");
    REFUSED(known.retained[8].count = 1, "block 8 has no class, but keeps blocks alive");
    REFUSED(known.retained[8].dominator = 0, "block 8 has no class");
    REFUSED(known.retained[7].size = 127, "block 7 has 128 bytes, but keeps 127 alive in 1");
    REFUSED(known.retained[7].size = UINT64_MAX, "block 7 has 128 bytes, but keeps 1844");
    REFUSED(known.retained[7].count = 0, "block 7 has 128 bytes, but keeps 128 alive in 0");
    REFUSED(known.retained[5].size = 207, "block 5 keeps 207 bytes alive in 2 blocks, less than");
    REFUSED(known.retained[5].count = 1, "block 5 keeps 208 bytes alive in 1 blocks, less than");
    REFUSED(known.retained[7].size = 129, "keep more alive than the 576 bytes in 8 blocks");
    REFUSED(known.retained[7].count = UINT32_MAX, "keep more alive than the 576 bytes in 8");
}
