#include "block_index.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "grow.h"
#include "mib_list.h"

/* Addresses that one word of bits stands for: 64 granules of 16 bytes, as allocators align. */
#define GRANULE_BITS 4u
#define GRANULE (1u << GRANULE_BITS)
#define WORD_BITS (GRANULE_BITS + 6u)
#define WORDS ((size_t)1 << (ASNAP_MIB_BITS - WORD_BITS))
/* From so many blocks in a MiB on they have bits, and less than 6 bytes of them each. */
#define DENSE_MIN 2048u
/* From so many on, steps: at most 4 bytes each. Fewer are searched by halves. */
#define STEPS_MIN 512u
/* Blocks within blocks within blocks: what is nested deeper is found by its inner blocks only. */
#define NESTING_MAX 64u
/* How far ahead what is needed is fetched. */
#define AHEAD 16u

/* Of one KiB of memory. */
struct asnap_granules {
    uint64_t bits;  /* the granules in which blocks start */
    uint32_t first; /* the first block that starts here or later */
} __attribute__((packed, aligned(4)));

static uint64_t offset_in_mib(uint64_t address)
{
    return address & (((uint64_t)1 << ASNAP_MIB_BITS) - 1);
}

/* Notes which blocks begin in another one. */
static struct asnap_error *find_outer(struct asnap_block_index *index)
{
    const struct asnap_graph_block *blocks = index->blocks;
    uint64_t reached = 0;
    bool nested = false;
    for (uint32_t i = 0; i < index->count && !nested; i++) {
        nested = blocks[i].start < reached;
        reached = blocks[i].end > reached ? blocks[i].end : reached;
    }
    if (!nested)
        return NULL;
    index->outer = malloc(index->count * sizeof(*index->outer));
    if (index->outer == NULL)
        return asnap_error_no_memory();
    for (uint32_t i = 0; i < index->count; i++) {
        uint32_t outer = i == 0 ? ASNAP_NO_BLOCK : i - 1;
        while (outer != ASNAP_NO_BLOCK && blocks[outer].end <= blocks[i].start)
            outer = index->outer[outer];
        index->outer[i] = outer;
    }
    return NULL;
}

/* Fills `granules`, one more than the words, for what comes after them. */
static void make_granules(const struct asnap_block_index *index, struct asnap_mib *mib,
                          struct asnap_granules *granules)
{
    uint32_t block = mib->first;
    mib->granules = granules;
    mib->is_even = true;
    for (size_t i = 0; i <= WORDS; i++) {
        granules[i].first = block;
        for (; block < mib->end && offset_in_mib(index->blocks[block].start) >> WORD_BITS == i;
             block++) {
            uint64_t start = index->blocks[block].start;
            uint64_t bit = (uint64_t)1 << (start >> GRANULE_BITS & 63);
            if (start % GRANULE != 0 || (granules[i].bits & bit) != 0)
                mib->is_even = false;
            granules[i].bits |= bit;
        }
    }
}

/* Of each KiB the first block that starts there or later, counted from the MiB's first. */
static struct asnap_error *make_steps(const struct asnap_block_index *index, struct asnap_mib *mib)
{
    mib->steps = malloc((WORDS + 1) * sizeof(*mib->steps));
    if (mib->steps == NULL)
        return asnap_error_no_memory();
    uint32_t block = mib->first;
    for (size_t i = 0; i <= WORDS; i++) {
        mib->steps[i] = (uint16_t)(block - mib->first);
        while (block < mib->end && offset_in_mib(index->blocks[block].start) >> WORD_BITS == i)
            block++;
    }
    return NULL;
}

static bool is_dense(const struct asnap_mib *mib)
{
    return mib->end - mib->first >= DENSE_MIN;
}

static struct asnap_error *find_in_mibs(struct asnap_block_index *index)
{
    struct asnap_error *error = NULL;
    size_t dense = 0;
    for (uint32_t i = 0; i < index->mibs.count; i++)
        dense += is_dense(&index->mibs.mibs[i]);
    index->granules = asnap_large_array(dense * (WORDS + 1), sizeof(*index->granules));
    if (index->granules == NULL)
        return asnap_error_no_memory();
    struct asnap_granules *next = index->granules;
    for (uint32_t i = 0; error == NULL && i < index->mibs.count; i++) {
        struct asnap_mib *mib = &index->mibs.mibs[i];
        if (is_dense(mib)) {
            make_granules(index, mib, next);
            next += WORDS + 1;
        } else if (mib->end - mib->first >= STEPS_MIN) {
            error = make_steps(index, mib);
        }
    }
    return error;
}

static struct asnap_error *find_large(struct asnap_block_index *index)
{
    for (int fill = 0; fill < 2; fill++) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < index->count; i++) {
            const struct asnap_graph_block *block = &index->blocks[i];
            if (block->start >> ASNAP_MIB_BITS == (block->end - 1) >> ASNAP_MIB_BITS)
                continue;
            if (fill)
                index->large[count] = i;
            count++;
        }
        if (fill || count == 0)
            break;
        index->large = malloc(count * sizeof(*index->large));
        if (index->large == NULL)
            return asnap_error_no_memory();
        index->large_count = count;
    }
    return NULL;
}

static struct asnap_error *take_blocks(struct asnap_block_index *index,
                                       const struct asnap_trace *traces, size_t count,
                                       size_t *skipped)
{
    struct asnap_error *error =
        asnap_mib_list_init(&index->mibs, traces, count, &index->places, &index->count);
    if (error != NULL)
        return error;
    *skipped = count - index->count;
    index->blocks = asnap_large_array(index->count, sizeof(*index->blocks));
    if (index->blocks == NULL)
        return asnap_error_no_memory();
    for (uint32_t i = 0; i < index->count; i++) {
        if (i + AHEAD < index->count)
            __builtin_prefetch(&traces[index->places[i + AHEAD]]);
        const struct asnap_trace *trace = &traces[index->places[i]];
        uint64_t end = trace->address + (trace->size == 0 ? 1 : trace->size);
        index->blocks[i] = (struct asnap_graph_block){trace->address, end};
        if (end > index->highest)
            index->highest = end;
    }
    index->lowest = index->count == 0 ? 0 : index->blocks[0].start;
    return NULL;
}

struct asnap_error *asnap_block_index_init(struct asnap_block_index *index,
                                           const struct asnap_trace *traces, size_t count,
                                           size_t *skipped)
{
    if (count >= (size_t)1 << 30)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "%zu blocks are too many for a graph of references: filter the "
                                  "snapshot first",
                                  count);
    *index = (struct asnap_block_index){.traces = traces};
    struct asnap_error *error = take_blocks(index, traces, count, skipped);
    if (error == NULL)
        error = find_outer(index);
    if (error == NULL)
        error = find_in_mibs(index);
    if (error == NULL)
        error = find_large(index);
    if (error != NULL)
        asnap_block_index_deinit(index);
    return error;
}

void asnap_block_index_deinit(struct asnap_block_index *index)
{
    for (uint32_t i = 0; i < index->mibs.count && index->mibs.mibs != NULL; i++)
        free(index->mibs.mibs[i].steps);
    free(index->granules);
    asnap_mib_list_deinit(&index->mibs);
    free(index->large);
    free(index->outer);
    free(index->places);
    free(index->blocks);
    *index = (struct asnap_block_index){0};
}

/* The last of the blocks [first, end) that starts at or before an address; first - 1: none. */
static uint32_t last_before(const struct asnap_graph_block *blocks, uint32_t first, uint32_t end,
                            uint64_t address)
{
    while (first < end) {
        uint32_t middle = first + (end - first) / 2;
        if (blocks[middle].start <= address)
            first = middle + 1;
        else
            end = middle;
    }
    return first - 1;
}

/* Of an address in a MiB in which no block starts. */
static uint32_t find_large_at(const struct asnap_block_index *index, uint64_t address)
{
    uint32_t first = 0;
    uint32_t end = index->large_count;
    while (first < end) {
        uint32_t middle = first + (end - first) / 2;
        if (index->blocks[index->large[middle]].start <= address)
            first = middle + 1;
        else
            end = middle;
    }
    return first == 0 ? ASNAP_NO_BLOCK : index->large[first - 1];
}

/* How many bits are set: without a call, which the compiler makes where it does not know that the
 * processor has an instruction. */
static inline uint32_t count_bits(uint64_t bits)
{
    bits -= bits >> 1 & UINT64_C(0x5555555555555555);
    bits = (bits & UINT64_C(0x3333333333333333)) + (bits >> 2 & UINT64_C(0x3333333333333333));
    bits = (bits + (bits >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (uint32_t)(bits * UINT64_C(0x0101010101010101) >> 56);
}

/* The last block that starts at or before an address in a MiB with granules. */
static uint32_t find_in_granules(const struct asnap_block_index *index, const struct asnap_mib *mib,
                                 const struct asnap_granules *here, uint64_t address)
{
    uint64_t upto = ~(uint64_t)0 >> (63 - (address >> GRANULE_BITS & 63));
    uint32_t first = here->first;
    /* Where two blocks share a granule, there are more of them than bits. */
    if (!mib->is_even && here[1].first - first != count_bits(here->bits))
        return last_before(index->blocks, first, here[1].first, address);
    return first + count_bits(here->bits & upto) - 1;
}

/* The last block that starts at or before an address in a MiB, or the one after it. */
static uint32_t find_in_mib(const struct asnap_block_index *index, const struct asnap_mib *mib,
                            uint64_t address)
{
    size_t word = offset_in_mib(address) >> WORD_BITS;
    if (mib->granules != NULL)
        return find_in_granules(index, mib, &mib->granules[word], address);
    if (mib->steps != NULL)
        return last_before(index->blocks, mib->first + mib->steps[word],
                           mib->first + mib->steps[word + 1], address);
    return last_before(index->blocks, mib->first, mib->end, address);
}

/* The block that holds an address, from the last that starts at or before it, or the one after. */
static uint32_t holder(const struct asnap_block_index *index, uint32_t found, uint64_t address)
{
    if (found != ASNAP_NO_BLOCK && index->blocks[found].start > address)
        found--;
    for (unsigned depth = 0; found != ASNAP_NO_BLOCK && depth < NESTING_MAX; depth++) {
        if (address < index->blocks[found].end)
            return found;
        if (index->outer == NULL)
            break;
        found = index->outer[found];
    }
    return ASNAP_NO_BLOCK;
}

uint32_t asnap_block_index_find(const struct asnap_block_index *index, uint64_t address)
{
    if (address - index->lowest >= index->highest - index->lowest)
        return ASNAP_NO_BLOCK;
    uint32_t number = asnap_mib_at(&index->mibs, address);
    uint32_t found = number == 0 ? find_large_at(index, address)
                                 : find_in_mib(index, &index->mibs.mibs[number - 1], address);
    return holder(index, found, address);
}

/* Whether a block is known to start at an address, whatever it looks like itself. */
static bool is_start(const struct asnap_mib *mib, uint64_t address)
{
    const struct asnap_granules *here = &mib->granules[offset_in_mib(address) >> WORD_BITS];
    return mib->is_even && address % GRANULE == 0 &&
           (here->bits >> (address >> GRANULE_BITS & 63) & 1) != 0;
}

uint64_t asnap_block_index_find_many(const struct asnap_block_index *index,
                                     const uint64_t *addresses, size_t count, uint32_t *found)
{
    const struct asnap_mib *mibs[ASNAP_FIND_MANY];
    uint64_t starts = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t number = asnap_mib_at(&index->mibs, addresses[i]);
        mibs[i] = number == 0 ? NULL : &index->mibs.mibs[number - 1];
        if (mibs[i] != NULL && mibs[i]->granules != NULL)
            __builtin_prefetch(&mibs[i]->granules[offset_in_mib(addresses[i]) >> WORD_BITS]);
    }
    for (size_t i = 0; i < count; i++) {
        found[i] = mibs[i] == NULL ? find_large_at(index, addresses[i])
                                   : find_in_mib(index, mibs[i], addresses[i]);
        if (mibs[i] != NULL && mibs[i]->granules != NULL && is_start(mibs[i], addresses[i]))
            starts |= (uint64_t)1 << i;
        else if (found[i] != ASNAP_NO_BLOCK)
            __builtin_prefetch(&index->blocks[found[i]]);
    }
    for (size_t i = 0; i < count; i++) {
        if ((starts >> i & 1) == 0)
            found[i] = holder(index, found[i], addresses[i]);
    }
    return starts;
}
