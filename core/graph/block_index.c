#include "block_index.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "grow.h"

#define ADDRESS_BITS 48u
#define MIB_BITS 20u
/* MiB of one page of the directory. */
#define PAGE_BITS 8u
#define DIRECTORY_ENTRIES ((size_t)1 << (ADDRESS_BITS - MIB_BITS - PAGE_BITS))
/* Addresses that one word of bits stands for: 64 granules of 16 bytes, as allocators align. */
#define GRANULE_BITS 4u
#define WORD_BITS (GRANULE_BITS + 6u)
#define WORDS ((size_t)1 << (MIB_BITS - WORD_BITS))
/* Below, a MiB's blocks are searched by halves: its bits would take more than they do. */
#define DENSE_MIN 256u
/* Blocks within blocks within blocks: what is nested deeper is found by its inner blocks only. */
#define NESTING_MAX 64u

struct granules {
    uint64_t bits;  /* the granules in which blocks start */
    uint32_t first; /* the first block that starts here or later */
    uint32_t count; /* blocks that start here: more than bits where two share a granule */
};

/* The blocks that start in one MiB: [first, end). */
struct asnap_mib {
    uint64_t number;
    uint32_t first;
    uint32_t end;
    struct granules *words; /* WORDS of them; NULL where blocks are few */
};

/* The number of a MiB among asnap_block_index.mibs plus 1; 0: no block starts there. */
struct asnap_mib_page {
    uint32_t mib[(size_t)1 << PAGE_BITS];
};

/* A block while it is sorted. */
struct sorted {
    uint64_t start;
    uint64_t size;
    uint32_t place;
};

static int by_address(const void *left, const void *right)
{
    const struct sorted *a = left;
    const struct sorted *b = right;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    if (a->size != b->size)
        return a->size > b->size ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

/* One step of a sort by the 16 bits of the address from `shift` on. */
static void distribute(const struct sorted *from, struct sorted *to, size_t count, unsigned shift,
                       uint32_t *starts)
{
    memset(starts, 0, ((size_t)1 << 16) * sizeof(*starts));
    for (size_t i = 0; i < count; i++)
        starts[from[i].start >> shift & 0xffff]++;
    uint32_t sum = 0;
    for (size_t i = 0; i < (size_t)1 << 16; i++) {
        uint32_t here = starts[i];
        starts[i] = sum;
        sum += here;
    }
    for (size_t i = 0; i < count; i++)
        to[starts[from[i].start >> shift & 0xffff]++] = from[i];
}

/* Puts runs of equal addresses in order: the larger block first. */
static void order_equals(struct sorted *sorted, size_t count)
{
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && sorted[end].start == sorted[i].start; end++)
            continue;
        if (end - i > 1)
            qsort(sorted + i, end - i, sizeof(*sorted), by_address);
    }
}

/* Sorts by address; *sorted may change places with the spare array. */
static struct asnap_error *sort(struct sorted **sorted, size_t count)
{
    bool in_order = true;
    for (size_t i = 1; i < count && in_order; i++)
        in_order = (*sorted)[i - 1].start < (*sorted)[i].start;
    if (in_order)
        return NULL;
    struct sorted *spare = malloc(count * sizeof(*spare));
    uint32_t *starts = malloc(((size_t)1 << 16) * sizeof(*starts));
    if (spare != NULL && starts != NULL) {
        for (unsigned shift = 0; shift < ADDRESS_BITS; shift += 16) {
            distribute(*sorted, spare, count, shift, starts);
            struct sorted *swapped = *sorted;
            *sorted = spare;
            spare = swapped;
        }
        order_equals(*sorted, count);
    }
    bool failed = spare == NULL || starts == NULL;
    free(spare);
    free(starts);
    return failed ? asnap_error_no_memory() : NULL;
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

static struct asnap_error *make_words(const struct asnap_block_index *index, struct asnap_mib *mib)
{
    mib->words = calloc(WORDS, sizeof(*mib->words));
    if (mib->words == NULL)
        return asnap_error_no_memory();
    for (uint32_t i = mib->first; i < mib->end; i++) {
        uint64_t offset = index->blocks[i].start & (((uint64_t)1 << MIB_BITS) - 1);
        struct granules *word = &mib->words[offset >> WORD_BITS];
        word->bits |= (uint64_t)1 << (offset >> GRANULE_BITS & 63);
        word->count++;
    }
    uint32_t first = mib->first;
    for (size_t i = 0; i < WORDS; i++) {
        mib->words[i].first = first;
        first += mib->words[i].count;
    }
    return NULL;
}

/* Enters a MiB into the directory. */
static struct asnap_error *enter(struct asnap_block_index *index, uint32_t number)
{
    struct asnap_mib *mib = &index->mibs[number];
    struct asnap_mib_page **page = &index->directory[mib->number >> PAGE_BITS];
    if (*page == NULL)
        *page = calloc(1, sizeof(**page));
    if (*page == NULL)
        return asnap_error_no_memory();
    (*page)->mib[mib->number & (((uint64_t)1 << PAGE_BITS) - 1)] = number + 1;
    return mib->end - mib->first < DENSE_MIN ? NULL : make_words(index, mib);
}

static struct asnap_error *find_mibs(struct asnap_block_index *index)
{
    size_t capacity = 0;
    for (uint32_t i = 0; i < index->count;) {
        uint64_t number = index->blocks[i].start >> MIB_BITS;
        if (index->mib_count == capacity) {
            struct asnap_mib *mibs =
                asnap_grow(index->mibs, &capacity, capacity + 1, sizeof(*mibs));
            if (mibs == NULL)
                return asnap_error_no_memory();
            index->mibs = mibs;
        }
        struct asnap_mib *mib = &index->mibs[index->mib_count];
        *mib = (struct asnap_mib){.number = number, .first = i};
        while (i < index->count && index->blocks[i].start >> MIB_BITS == number)
            i++;
        mib->end = i;
        index->mib_count++;
        struct asnap_error *error = enter(index, index->mib_count - 1);
        if (error != NULL)
            return error;
    }
    return NULL;
}

static struct asnap_error *find_large(struct asnap_block_index *index)
{
    for (int fill = 0; fill < 2; fill++) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < index->count; i++) {
            const struct asnap_graph_block *block = &index->blocks[i];
            if (block->start >> MIB_BITS == (block->end - 1) >> MIB_BITS)
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
    struct sorted *sorted = malloc((count + 1) * sizeof(*sorted));
    if (sorted == NULL)
        return asnap_error_no_memory();
    size_t taken = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t end;
        if (__builtin_add_overflow(traces[i].address, traces[i].size, &end) ||
            end > (uint64_t)1 << ADDRESS_BITS || traces[i].address >> ADDRESS_BITS != 0)
            continue;
        sorted[taken++] = (struct sorted){traces[i].address, traces[i].size, (uint32_t)i};
    }
    *skipped = count - taken;
    struct asnap_error *error = sort(&sorted, taken);
    index->blocks = malloc((taken + 1) * sizeof(*index->blocks));
    index->places = malloc((taken + 1) * sizeof(*index->places));
    if (error == NULL && (index->blocks == NULL || index->places == NULL))
        error = asnap_error_no_memory();
    for (size_t i = 0; error == NULL && i < taken; i++) {
        uint64_t size = sorted[i].size == 0 ? 1 : sorted[i].size;
        index->blocks[i] = (struct asnap_graph_block){sorted[i].start, sorted[i].start + size};
        index->places[i] = sorted[i].place;
        if (index->blocks[i].end > index->highest)
            index->highest = index->blocks[i].end;
    }
    free(sorted);
    index->count = (uint32_t)taken;
    index->lowest = taken == 0 || error != NULL ? 0 : index->blocks[0].start;
    return error;
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
    index->directory = calloc(DIRECTORY_ENTRIES, sizeof(struct asnap_mib_page *));
    struct asnap_error *error = index->directory == NULL ? asnap_error_no_memory() : NULL;
    if (error == NULL)
        error = take_blocks(index, traces, count, skipped);
    if (error == NULL)
        error = find_outer(index);
    if (error == NULL)
        error = find_mibs(index);
    if (error == NULL)
        error = find_large(index);
    if (error != NULL)
        asnap_block_index_deinit(index);
    return error;
}

void asnap_block_index_deinit(struct asnap_block_index *index)
{
    for (uint32_t i = 0; i < index->mib_count; i++)
        free(index->mibs[i].words);
    for (uint32_t i = 0; index->directory != NULL && i < index->mib_count; i++) {
        struct asnap_mib_page **page = &index->directory[index->mibs[i].number >> PAGE_BITS];
        free(*page);
        *page = NULL;
    }
    free(index->directory);
    free(index->mibs);
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

uint32_t asnap_block_index_find(const struct asnap_block_index *index, uint64_t address)
{
    if (address - index->lowest >= index->highest - index->lowest)
        return ASNAP_NO_BLOCK;
    const struct asnap_mib_page *page = index->directory[address >> (MIB_BITS + PAGE_BITS)];
    uint32_t number =
        page == NULL ? 0 : page->mib[address >> MIB_BITS & (((uint64_t)1 << PAGE_BITS) - 1)];
    uint32_t found;
    if (number == 0) {
        found = find_large_at(index, address);
    } else {
        const struct asnap_mib *mib = &index->mibs[number - 1];
        if (mib->words != NULL) {
            uint64_t offset = address & (((uint64_t)1 << MIB_BITS) - 1);
            const struct granules *word = &mib->words[offset >> WORD_BITS];
            uint64_t upto = ~(uint64_t)0 >> (63 - (offset >> GRANULE_BITS & 63));
            if (word->count == (uint32_t)__builtin_popcountll(word->bits)) {
                found = word->first + (uint32_t)__builtin_popcountll(word->bits & upto) - 1;
                if (found != ASNAP_NO_BLOCK && index->blocks[found].start > address)
                    found--;
            } else {
                found = last_before(index->blocks, word->first, word->first + word->count, address);
            }
        } else {
            found = last_before(index->blocks, mib->first, mib->end, address);
        }
    }
    for (unsigned depth = 0; found != ASNAP_NO_BLOCK && depth < NESTING_MAX; depth++) {
        if (address < index->blocks[found].end)
            return found;
        if (index->outer == NULL)
            break;
        found = index->outer[found];
    }
    return ASNAP_NO_BLOCK;
}
