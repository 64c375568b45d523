#include "chunks.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "grow.h"

/* A piece of a chunk list, small enough that a made-up count costs nothing. */
enum { LIST_PIECE = 512 };

static struct asnap_error *add(struct asnap_chunks *chunks, const struct asnap_extent *extent)
{
    struct asnap_extent *extents =
        asnap_grow(chunks->extents, &chunks->capacity, chunks->count + 1, sizeof(*extents));
    if (extents == NULL)
        return asnap_error_no_memory();
    chunks->extents = extents;
    chunks->extents[chunks->count++] = *extent;
    return NULL;
}

static struct asnap_error *check_address(uint64_t address)
{
    if (address != 0 && address % 8 == 0 && address < UINT64_C(1) << 57)
        return NULL;
    return asnap_error_create(ASNAP_ERROR_DAMAGED,
                              "the table is damaged (a chunk at 0x%" PRIx64
                              "): the program has overwritten it; restart the program to trace "
                              "it again",
                              address);
}

/* Reads a piece of a list; `is_there` is false where that cannot be done. */
static struct asnap_error *read_list(struct asnap_inferior *inferior, uint64_t place,
                                     uint64_t *addresses, uint32_t count, bool *is_there)
{
    const struct asnap_memory *memory = inferior->memory;
    struct asnap_error *error = asnap_inferior_ask(inferior, "", 0, 0);
    if (error != NULL)
        return error;
    int result = memory->read(memory->context, place, addresses, count * sizeof(*addresses));
    if (result == ASNAP_READ_INTERRUPTED)
        return asnap_error_interrupted("reading memory");
    *is_there = result == ASNAP_READ_OK;
    return *is_there ? asnap_inferior_take(inferior, count * sizeof(*addresses)) : NULL;
}

struct asnap_error *asnap_chunks_add(struct asnap_chunks *chunks, struct asnap_inferior *inferior,
                                     uint64_t list, uint32_t item_count, uint32_t per_chunk,
                                     size_t chunk_bytes, uint32_t tag)
{
    uint64_t addresses[LIST_PIECE];
    struct asnap_error *error = NULL;
    uint32_t chunk_count = item_count / per_chunk + (item_count % per_chunk != 0);
    uint64_t left = item_count;
    for (uint32_t chunk = 0; chunk < chunk_count && error == NULL; chunk++) {
        uint32_t within = chunk % LIST_PIECE;
        uint64_t items = left < per_chunk ? left : per_chunk;
        bool is_there = true;
        if (within == 0) {
            uint32_t piece = chunk_count - chunk < LIST_PIECE ? chunk_count - chunk : LIST_PIECE;
            error =
                read_list(inferior, list + chunk * sizeof(*addresses), addresses, piece, &is_there);
        }
        if (error != NULL)
            return error;
        if (!is_there) {
            chunks->lost_items += left;
            return NULL;
        }
        struct asnap_extent extent = {
            .address = addresses[within],
            .size = chunk_bytes,
            .tag = (uint64_t)tag << 32 | chunk,
        };
        left -= items;
        error = check_address(extent.address);
        if (error == NULL)
            error = add(chunks, &extent);
    }
    return error;
}

void asnap_chunks_deinit(struct asnap_chunks *chunks)
{
    free(chunks->extents);
    memset(chunks, 0, sizeof(*chunks));
}
