/* Which blocks a sample may have records of: a bit for each of 2^18 places that addresses fall
 * into, so that a block without a record is mostly told by one look at 32 KiB of memory, without a
 * lock. A block that has a record is always told: its bit is set before the record is published,
 * and stays while there is any record at its place.
 *
 * The blocks of a MiB share 512 bytes, those of a page 32, so that a program meets the same lines
 * of its processor's cache again. The places of a shard's blocks are its own, and only changed with
 * its lock held. */
#ifndef ASNAP_HOOKS_SAMPLE_FILTER_H
#define ASNAP_HOOKS_SAMPLE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "allocsnap_table.h"

enum {
    ASNAP_FILTER_SHARD_BITS = 12, /* places of one shard: 2^12 */
    ASNAP_FILTER_SHARD_PLACES = 1 << ASNAP_FILTER_SHARD_BITS,
    ASNAP_FILTER_PLACES = ASNAP_TABLE_SHARDS << ASNAP_FILTER_SHARD_BITS,
    ASNAP_FILTER_WORD_BITS = 64,
};

extern uint64_t asnap_filter_words[ASNAP_FILTER_PLACES / ASNAP_FILTER_WORD_BITS];

/* The upper bits are the shard, as in asnap_table_shard_of. The others are the address in its
 * 64 KiB, changed by the MiB and by what of this is left, for blocks that lie at the same
 * distances. */
static inline uint32_t asnap_filter_place(uint64_t address)
{
    uint64_t hash = (address >> 20) * UINT64_C(0x9e3779b97f4a7c15);
    uint64_t place = (address >> 4) ^ (address >> 8) ^ (hash >> 40);
    return (uint32_t)(hash >> 58) << ASNAP_FILTER_SHARD_BITS |
           ((uint32_t)place & (ASNAP_FILTER_SHARD_PLACES - 1));
}

/* Whether there may be a record with this key. */
static inline bool asnap_filter_has(uint64_t key)
{
    uint32_t place = asnap_filter_place(asnap_table_key_address(key));
    uint64_t word =
        __atomic_load_n(&asnap_filter_words[place / ASNAP_FILTER_WORD_BITS], __ATOMIC_RELAXED);
    return (word >> place % ASNAP_FILTER_WORD_BITS & 1) != 0;
}

/* All with the lock of the key's shard held. */
void asnap_filter_add(uint64_t key);
void asnap_filter_remove(uint64_t key);

/* Makes it anew for the live records of a shard; none of them is missed meanwhile. */
void asnap_filter_renew(const struct asnap_table_shard *shard, uint32_t number);

#endif
