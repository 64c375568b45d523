/* What a reader of an allocator's structures fills, and what it reads with. A reader is one entry
 * of the table in heap_read.c, and files of its own. */
#ifndef ASNAP_HEAPS_HEAP_H
#define ASNAP_HEAPS_HEAP_H

#include "allocsnap_heaps.h"

/* A chunk: `size` is a multiple of 16, and its lowest bits hold the asnap_chunk_use. */
struct asnap_chunk {
    uint64_t address; /* of its header */
    uint64_t size_use;
};

static inline uint64_t asnap_chunk_size(const struct asnap_chunk *chunk)
{
    return chunk->size_use & ~UINT64_C(15);
}

static inline enum asnap_chunk_use asnap_chunk_use(const struct asnap_chunk *chunk)
{
    return (enum asnap_chunk_use)(chunk->size_use & 15);
}

static inline void asnap_chunk_set_use(struct asnap_chunk *chunk, enum asnap_chunk_use use)
{
    chunk->size_use = (chunk->size_use & ~UINT64_C(15)) | use;
}

/* Memory without a gap, and its chunks. */
struct asnap_segment {
    uint64_t start;
    uint64_t end;
    size_t first; /* of its chunks, which rise */
    size_t count;
    uint32_t area;
};

struct asnap_heap {
    struct asnap_chunk *chunks;
    size_t chunk_count;
    size_t chunk_capacity;
    struct asnap_segment *segments;
    size_t segment_count;
    size_t segment_capacity;
    struct asnap_heap_area *areas;
    size_t *area_ends; /* of each area: the place after its last chunk */
    size_t area_count;
    size_t area_capacity;
    size_t end_capacity;
    struct asnap_address_range *structures;
    size_t structure_count;
    size_t structure_capacity;
    char **notes;
    size_t note_count;
    size_t note_capacity;
};

/* Each fails with NO_MEMORY only. */
struct asnap_error *asnap_heap_add_chunk(struct asnap_heap *heap, uint64_t address, uint64_t size,
                                         enum asnap_chunk_use use);
struct asnap_error *asnap_heap_add_segment(struct asnap_heap *heap,
                                           const struct asnap_segment *segment);
struct asnap_error *asnap_heap_add_area(struct asnap_heap *heap,
                                        const struct asnap_heap_area *area);
struct asnap_error *asnap_heap_add_structure(struct asnap_heap *heap, uint64_t start, uint64_t end);
struct asnap_error *asnap_heap_add_note(struct asnap_heap *heap, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The segment that holds an address, once they are in order; NULL: none does. */
const struct asnap_segment *asnap_heap_segment(const struct asnap_heap *heap, uint64_t address);
void asnap_heap_sort_segments(struct asnap_heap *heap);

/* The place of the first chunk of a segment that does not begin before an address; that behind the
 * last: none does. */
size_t asnap_heap_place_from(const struct asnap_heap *heap, const struct asnap_segment *segment,
                             uint64_t address);

/* The chunk that begins at an address, of those in segments; NULL: none does. */
struct asnap_chunk *asnap_heap_chunk_at(const struct asnap_heap *heap, uint64_t address);

/* The chunk of a block at an address, when all is read; NULL: none is. */
struct asnap_chunk *asnap_heap_chunk_of(const struct asnap_heap *heap, uint64_t block);

/* Reads the heaps of one allocator. `is_found` becomes whether it is in the program. */
struct asnap_heap_reader {
    const char *name;
    struct asnap_error *(*read)(const struct asnap_heap_facts *facts, struct asnap_heap *heap,
                                bool *is_found);
};

extern const struct asnap_heap_reader asnap_glibc_reader;

#endif
