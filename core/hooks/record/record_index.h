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

/* Makes room for one more item, which may move all. False: no memory, and no room. */
bool asnap_index_make_room(struct asnap_table_shard *shard);

static inline bool asnap_index_reserve(struct asnap_table_shard *shard)
{
    return __builtin_expect(shard->count < shard->index_limit, 1) || asnap_index_make_room(shard);
}

/* What record_search.h leaves for the rare cases: adds an item whose home is full; counts an
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

#endif
