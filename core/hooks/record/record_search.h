/* Looking for a record in the index of its shard (record_index.h): what every call of the
 * hooks does, and so is made part of its callers. */
#ifndef ASNAP_HOOKS_RECORD_SEARCH_H
#define ASNAP_HOOKS_RECORD_SEARCH_H

#include "record_index.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

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
