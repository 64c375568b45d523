/* The chunk lists of a table: where its records and nodes are. */
#ifndef ASNAP_COLLECT_CHUNKS_H
#define ASNAP_COLLECT_CHUNKS_H

#include "read.h"

/* Extents of chunks, to be read by asnap_read_extents. Zero it to begin with. */
struct asnap_chunks {
    struct asnap_extent *extents;
    size_t count;
    size_t capacity;
    uint64_t lost_items; /* items in chunks whose place is unknown */
};

/* Adds the chunks, whole ones of `chunk_bytes`, that hold `item_count` items,
 * `per_chunk` to a chunk, from the list of chunk addresses at `list`. An extent's tag is
 * `tag << 32 | chunk number`. A list, or a part of it, that cannot be read counts its
 * items as lost. Fails with NO_MEMORY, INTERRUPTED or DAMAGED. */
struct asnap_error *asnap_chunks_add(struct asnap_chunks *chunks, struct asnap_inferior *inferior,
                                     uint64_t list, uint32_t item_count, uint32_t per_chunk,
                                     size_t chunk_bytes, uint32_t tag);

/* How many of `item_count` items the chunk of an extent holds. */
static inline size_t asnap_chunks_items(const struct asnap_extent *extent, uint32_t item_count,
                                        uint32_t per_chunk)
{
    uint32_t before = (uint32_t)extent->tag * per_chunk;
    return item_count - before < per_chunk ? item_count - before : per_chunk;
}

void asnap_chunks_deinit(struct asnap_chunks *chunks);

#endif
