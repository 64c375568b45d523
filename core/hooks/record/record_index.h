/* Where the record of a block is, for one shard: a hash table of record numbers, in lines
 * of one cache line each.
 *
 * A block's home is a line that the blocks of its 512 bytes of memory share, those at
 * multiples of 16: allocators hand out neighbouring addresses, and so meet the same lines
 * again. Each item has a tag
 * beside the number of its record, so that records of other blocks are hardly ever looked
 * at. Where a line is full, an item goes to one of the next, and each line that it passes
 * over counts it: a search ends at the first line that nothing has passed.
 *
 * Readers of the table need no index. All functions are called with the shard's lock held. */
#ifndef ASNAP_HOOKS_RECORD_INDEX_H
#define ASNAP_HOOKS_RECORD_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "allocsnap_table.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum {
    ASNAP_INDEX_LINE_ITEMS = 15,
    /* Records that a shard can have: their numbers, plus 1, have that many bits. */
    ASNAP_INDEX_NUMBER_BITS = 24,
    ASNAP_INDEX_RECORDS_MAX = (1 << ASNAP_INDEX_NUMBER_BITS) - 1,
};

struct asnap_index_line {
    uint32_t passed;                        /* items of lines before this one in lines after it */
    uint32_t items[ASNAP_INDEX_LINE_ITEMS]; /* 0: none; else tag and number of the record plus 1 */
} __attribute__((aligned(64)));

/* What a search has found. */
struct asnap_index_search {
    uint32_t home; /* the line where it began */
    uint32_t tag;  /* as in an item */
    uint32_t line; /* where the item is */
    uint32_t item;
    uint32_t record; /* its number */
};

/* The shard's first lines. False: no memory. */
bool asnap_index_open(struct asnap_table_shard *shard);
void asnap_index_close(struct asnap_table_shard *shard);

/* Makes lines anew for the records that are live, shard->count. What the shard says of its lines is
 * not looked at, and they stay mapped. False: no memory, and there are none. */
bool asnap_index_mend(struct asnap_table_shard *shard);

/* With so many records or more, asnap_watch_count is called before another is added; 0: never. */
void asnap_index_watch(struct asnap_table_shard *shard, uint32_t watched);

/* Makes room for one more item, which may move all. False: no memory, and no room. */
bool asnap_index_make_room(struct asnap_table_shard *shard);

static inline bool asnap_index_reserve(struct asnap_table_shard *shard)
{
    return __builtin_expect(shard->count < shard->index_limit, 1) || asnap_index_make_room(shard);
}

/* The rare cases of the functions below: adds an item whose home is full; counts an
 * item no more that was removed from another line than its home. */
void asnap_index_add_beyond(struct asnap_table_shard *shard,
                            const struct asnap_index_search *search, uint32_t item);
void asnap_index_uncount(struct asnap_table_shard *shard, const struct asnap_index_search *search);

/* The record of a shard. */
static inline struct asnap_table_record *asnap_index_record(const struct asnap_table_shard *shard,
                                                            uint32_t record)
{
    const uint64_t *chunks = (const uint64_t *)(uintptr_t)shard->chunks;
    uint64_t chunk = chunks[record / ASNAP_TABLE_CHUNK_RECORDS];
    return (struct asnap_table_record *)(uintptr_t)chunk + record % ASNAP_TABLE_CHUNK_RECORDS;
}

/* What every call of the hooks does, and so is made part of its callers. */

/* Where a key's item is looked for. */
struct asnap_index_home {
    uint32_t line;
    uint32_t tag; /* in the upper bits, as in an item */
};

static inline struct asnap_index_line *asnap_index_lines(const struct asnap_table_shard *shard)
{
    return (struct asnap_index_line *)(uintptr_t)shard->index;
}

static inline uint32_t asnap_index_next_line(uint32_t line, uint32_t line_count)
{
    return line + 1 == line_count ? 0 : line + 1;
}

/* The multiplier differs from that of the shards, so that the blocks of one shard spread
 * over all lines. Blocks of allocators lie at multiples of 16 in domain 0; others may be
 * numbers that follow each other, from 1 on in each domain. */
static inline struct asnap_index_home asnap_index_home_of(uint64_t key, uint32_t line_count)
{
    uint64_t hash = ((key >> 9) + (key << 60)) * UINT64_C(0xd6e8feb86659fd93);
    uint32_t tag = (uint32_t)(key >> 4 & 31) << 3 | (uint32_t)(hash >> 29 & 7);
    return (struct asnap_index_home){
        .line = (uint32_t)((hash >> 32) * line_count >> 32),
        .tag = tag << ASNAP_INDEX_NUMBER_BITS,
    };
}

/* The items of a line that are equal to `wanted` under `mask`: bits 1 to 15. */
static inline uint32_t asnap_index_look(const struct asnap_index_line *line, uint32_t mask,
                                        uint32_t wanted)
{
#if defined(__SSE2__)
    const __m128i *words = (const __m128i *)line;
    __m128i masks = _mm_set1_epi32((int)mask);
    __m128i all = _mm_set1_epi32((int)wanted);
    __m128i low =
        _mm_packs_epi32(_mm_cmpeq_epi32(_mm_and_si128(_mm_load_si128(words), masks), all),
                        _mm_cmpeq_epi32(_mm_and_si128(_mm_load_si128(words + 1), masks), all));
    __m128i high =
        _mm_packs_epi32(_mm_cmpeq_epi32(_mm_and_si128(_mm_load_si128(words + 2), masks), all),
                        _mm_cmpeq_epi32(_mm_and_si128(_mm_load_si128(words + 3), masks), all));
    return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(low, high)) & ~1u;
#else
    uint32_t bits = 0;
    for (uint32_t i = 0; i < ASNAP_INDEX_LINE_ITEMS; i++)
        bits |= (uint32_t)((line->items[i] & mask) == wanted) << (i + 1);
    return bits;
#endif
}

static inline uint32_t asnap_index_empty(const struct asnap_index_line *line)
{
    return asnap_index_look(line, UINT32_MAX, 0);
}

/* Looks for the record with this key. False: there is none. */
static inline bool asnap_index_find(const struct asnap_table_shard *shard, uint64_t key,
                                    struct asnap_index_search *search)
{
    struct asnap_index_home home = asnap_index_home_of(key, shard->line_count);
    search->home = home.line;
    search->tag = home.tag;
    search->line = home.line;
    for (;;) {
        const struct asnap_index_line *line = &asnap_index_lines(shard)[search->line];
        uint32_t tagged = asnap_index_look(line, ~(uint32_t)ASNAP_INDEX_RECORDS_MAX, home.tag);
        for (; tagged != 0; tagged &= tagged - 1) {
            search->item = (uint32_t)__builtin_ctz(tagged) - 1;
            search->record = (line->items[search->item] & ASNAP_INDEX_RECORDS_MAX) - 1;
            if (search->record != UINT32_MAX &&
                asnap_index_record(shard, search->record)->key == key)
                return true;
        }
        if (__builtin_expect(line->passed == 0, 1))
            return false;
        search->line = asnap_index_next_line(search->line, shard->line_count);
    }
}

/* Adds an item that was not found, or has been removed since; there is room. */
static inline void asnap_index_add(struct asnap_table_shard *shard,
                                   const struct asnap_index_search *search, uint32_t record)
{
    struct asnap_index_line *home = &asnap_index_lines(shard)[search->home];
    uint32_t empty = asnap_index_empty(home);
    uint32_t item = search->tag | (record + 1);
    if (__builtin_expect(empty != 0, 1))
        home->items[__builtin_ctz(empty) - 1] = item;
    else
        asnap_index_add_beyond(shard, search, item);
}

/* Removes the item that was found. */
static inline void asnap_index_remove(struct asnap_table_shard *shard,
                                      const struct asnap_index_search *search)
{
    asnap_index_lines(shard)[search->line].items[search->item] = 0;
    if (__builtin_expect(search->line != search->home, 0))
        asnap_index_uncount(shard, search);
}

/* Brings the home of a key near, for what is done with it soon. Needs no lock. */
static inline void asnap_index_prefetch(const struct asnap_table_shard *shard, uint64_t key)
{
    uint64_t index = __atomic_load_n(&shard->index, __ATOMIC_RELAXED);
    uint32_t line_count = __atomic_load_n(&shard->line_count, __ATOMIC_RELAXED);
    uint64_t line = asnap_index_home_of(key, line_count).line;
    __builtin_prefetch((const void *)(uintptr_t)(index + line * sizeof(struct asnap_index_line)),
                       1);
}

#endif
