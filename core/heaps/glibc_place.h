/* Where a walk through an arena's memory is. */
#ifndef ASNAP_HEAPS_GLIBC_PLACE_H
#define ASNAP_HEAPS_GLIBC_PLACE_H

#include "glibc_arena.h"

struct asnap_glibc_place {
    struct asnap_glibc_walk *walk;
    uint64_t start; /* of the segment */
    uint64_t at;
    uint64_t end;
    uint64_t words[2];   /* the header of the chunk here */
    uint64_t last_words; /* the size and bits of the chunk before, 0: they are not known */
    size_t first;        /* of the segment's chunks */
    unsigned breaks;
    bool was_fence; /* the last chunk is a fence */
};

/* Whether a chunk at `address` can have this size. */
static inline bool asnap_glibc_is_size(const struct asnap_glibc_walk *walk, uint64_t address,
                                       uint64_t end, uint64_t word)
{
    uint64_t size = word & ~(uint64_t)ASNAP_GLIBC_BITS;
    bool has_bits = (word & ASNAP_GLIBC_MMAPPED) == 0 &&
                    (!walk->arena->is_main || (word & ASNAP_GLIBC_OTHER_ARENA) == 0);
    return has_bits && size >= ASNAP_GLIBC_CHUNK_MIN && size % 16 == 0 && size <= end - address;
}

static inline bool asnap_glibc_is_fence(uint64_t word)
{
    uint64_t size = word & ~(uint64_t)ASNAP_GLIBC_BITS;
    return size == ASNAP_GLIBC_FENCE && (word & ASNAP_GLIBC_MMAPPED) == 0;
}

/* The last chunk of the segment; NULL: it has none. */
static inline struct asnap_chunk *asnap_glibc_last_chunk(const struct asnap_glibc_place *place)
{
    struct asnap_heap *heap = place->walk->heap;
    return heap->chunk_count > place->first ? &heap->chunks[heap->chunk_count - 1] : NULL;
}

/* Says what the header here tells of the chunk before. */
void asnap_glibc_settle(struct asnap_glibc_place *place);

/* Where the chunk here ends, whose header was not written yet; 0: its header counts. */
struct asnap_error *asnap_glibc_unwritten_end(const struct asnap_glibc_place *place, uint64_t *end);

/* Chunks of an arena that are looked at beside the walk. */
#define ASNAP_GLIBC_LOOKED_MOST ((uint64_t)1 << 26)

#endif
