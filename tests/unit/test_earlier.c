/* Blocks that hooks have no record of, added to theirs, in memory that is made byte by byte. */
#include <stdlib.h>
#include <string.h>

#include "made_heap.h"
#include "raw.h"
#include "unit.h"

static struct made_heap made;
static uint64_t chunks[5];
static const struct asnap_address_range code = {MADE_CODE, MADE_CODE + 0x100};

/* Five chunks of 48 bytes in use, and a large block. */
static struct asnap_heap *made_blocks(void)
{
    struct asnap_heap *heap = NULL;
    made_heap_init(&made, false);
    struct made_place place = made_brk(&made);
    (void)made_cache(&place, true);
    for (size_t i = 0; i < 5; i++)
        chunks[i] = made_chunk(&place, 48, false);
    made_top(&place, MADE_BRK + MADE_BRK_PAGES * MADE_PAGE);
    made_mapped(&made, MADE_MAPPED, MADE_PAGE);
    ASNAP_ASSERT_OK(asnap_heap_read(&made.facts, &heap));
    return heap;
}

/* Records of the first chunk, and of a part of the second. */
static struct asnap_raw *recorded(void)
{
    struct asnap_raw *raw = calloc(1, sizeof(*raw));
    raw->traces = calloc(2, sizeof(*raw->traces));
    raw->nodes = calloc(1, sizeof(*raw->nodes));
    raw->node_count = 1;
    raw->traces[0] = (struct asnap_trace){.address = chunks[0] + 16, .size = 33};
    raw->traces[1] = (struct asnap_trace){.address = chunks[1] + 16, .size = 8, .domain = 1};
    raw->trace_count = 2;
    return raw;
}

static bool has_trace(const struct asnap_raw *raw, uint64_t address, uint64_t size)
{
    size_t found = 0;
    for (size_t i = 2; i < raw->trace_count; i++) {
        const struct asnap_trace *trace = &raw->traces[i];
        found += trace->address == address && trace->size == size && trace->domain == 0 &&
                 trace->time == ASNAP_TIME_UNKNOWN && trace->traceback_id == 1;
    }
    return found == 1;
}

ASNAP_TEST(earlier, each_block_once)
{
    struct asnap_heap *heap = made_blocks();
    struct asnap_raw *raw = recorded();
    ASNAP_ASSERT_OK(asnap_heap_add_earlier(heap, &made.facts, &code, 1, raw));
    CU_ASSERT_EQUAL_FATAL(raw->trace_count, 2 + 5);
    for (size_t i = 1; i < 5; i++)
        CU_ASSERT(has_trace(raw, chunks[i] + 16, 40));
    CU_ASSERT(has_trace(raw, MADE_MAPPED + 16, MADE_PAGE - 16));
    CU_ASSERT_EQUAL_FATAL(raw->note_count, 1);
    CU_ASSERT_STRING_EQUAL(raw->notes[0],
                           "5 blocks from before tracing, or without a record: 4240 bytes, from "
                           "glibc's own structures, without stacks; sizes are usable sizes");
    CU_ASSERT_EQUAL(raw->node_count, 2);
    /* What was added is known from then on. */
    ASNAP_ASSERT_OK(asnap_heap_add_earlier(heap, &made.facts, &code, 1, raw));
    CU_ASSERT_EQUAL(raw->trace_count, 2 + 5);
    CU_ASSERT_EQUAL(raw->note_count, 1);
    asnap_raw_destroy(raw);
    asnap_heap_destroy(heap);
}

/* A thread in malloc has a block in a register, a header, and where a chunk ends. */
static void check_held(uint64_t counter, size_t left_out)
{
    struct asnap_heap *heap = made_blocks();
    struct asnap_raw *raw = recorded();
    const uint64_t words[] = {chunks[1] + 16, chunks[4]};
    made_hold(&made, counter, words, 2);
    ASNAP_ASSERT_OK(asnap_heap_add_earlier(heap, &made.facts, &code, 1, raw));
    CU_ASSERT_EQUAL(raw->trace_count, 2 + 5 - left_out);
    CU_ASSERT_EQUAL(has_trace(raw, chunks[1] + 16, 40), left_out == 0);
    CU_ASSERT(has_trace(raw, chunks[2] + 16, 40));
    CU_ASSERT_EQUAL(has_trace(raw, chunks[3] + 16, 40), left_out == 0);
    CU_ASSERT_EQUAL(has_trace(raw, chunks[4] + 16, 40), left_out == 0);
    CU_ASSERT_EQUAL_FATAL(raw->note_count, left_out == 0 ? 1 : 2);
    if (left_out != 0)
        CU_ASSERT_STRING_EQUAL(raw->notes[1],
                               "3 blocks are left out that are without a record: threads in the "
                               "middle of malloc or free have the addresses at hand");
    asnap_raw_destroy(raw);
    asnap_heap_destroy(heap);
}

ASNAP_TEST(earlier, what_is_in_flight)
{
    check_held(MADE_CODE + 8, 3);
    check_held(MADE_CODE + 0x100, 0);
}

ASNAP_TEST(earlier, not_to_a_sample)
{
    struct asnap_heap *heap = made_blocks();
    struct asnap_raw *raw = recorded();
    raw->sample_period = 1000;
    ASNAP_ASSERT_ERROR(asnap_heap_add_earlier(heap, &made.facts, &code, 1, raw),
                       ASNAP_ERROR_UNSUPPORTED);
    CU_ASSERT_EQUAL(raw->trace_count, 2);
    asnap_raw_destroy(raw);
    asnap_heap_destroy(heap);
}

struct sweep {
    struct asnap_heap *heap;
    struct asnap_raw *raw;
};

/* Adds them, and takes them out again. */
static struct asnap_error *add_once(void *context)
{
    struct sweep *sweep = context;
    struct asnap_raw *raw = sweep->raw;
    struct asnap_error *error = asnap_heap_add_earlier(sweep->heap, &made.facts, &code, 1, raw);
    raw->trace_count = 2;
    raw->node_count = 1;
    while (raw->note_count > 0)
        free(raw->notes[--raw->note_count]);
    free(raw->notes);
    raw->notes = NULL;
    raw->note_capacity = 0;
    return error;
}

ASNAP_TEST(earlier, every_allocation_may_fail)
{
    struct asnap_heap *heap = made_blocks();
    const uint64_t words[] = {chunks[1] + 16, chunks[4]};
    made_hold(&made, MADE_CODE, words, 2);
    struct sweep sweep = {heap, recorded()};
    CU_ASSERT(asnap_unit_sweep(add_once, &sweep) > 3);
    asnap_raw_destroy(sweep.raw);
    asnap_heap_destroy(heap);
}
