/* Linear hashing: a hash table that grows by one bucket at a time.
 *
 * There are `count` buckets, and `mask` is the next power of two, less one. A hash is
 * masked; where there is no such bucket yet, its items are still in the bucket with one
 * bit less, which is split when the table grows by it. So growth moves the items of one
 * bucket only, whatever the size of the table.
 *
 * Buckets live in segments, which never move. Lists hold item numbers plus 1; 0 ends
 * them, so that fresh memory is a segment of empty buckets. */
#ifndef ASNAP_HOOKS_LINEAR_HASH_H
#define ASNAP_HOOKS_LINEAR_HASH_H

#include <stdint.h>

static inline uint32_t asnap_linear_bucket(uint32_t hash, uint32_t count, uint32_t mask)
{
    uint32_t bucket = hash & mask;
    return bucket < count ? bucket : bucket & mask >> 1;
}

/* The bucket whose items the new bucket `count` shares. */
static inline uint32_t asnap_linear_split(uint32_t count, uint32_t mask)
{
    return count & mask >> 1;
}

/* The mask of a table that has grown to `count` buckets from one bucket less. */
static inline uint32_t asnap_linear_mask(uint32_t count, uint32_t mask)
{
    return count - 1 > mask ? mask << 1 | 1 : mask;
}

#endif
