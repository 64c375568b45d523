/* What readers have found of the heaps of a process. */
#include "heap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "grow.h"

/* Bytes of a chunk that are no part of its block: a size, and of a mapping of its own also what
 * would be the end of the block before. */
enum { HEADER = 8, MAPPED_HEADER = 16, CHUNK_TO_BLOCK = 16 };

struct asnap_error *asnap_heap_add_chunk(struct asnap_heap *heap, uint64_t address, uint64_t size,
                                         enum asnap_chunk_use use)
{
    struct asnap_chunk *chunks =
        asnap_grow(heap->chunks, &heap->chunk_capacity, heap->chunk_count + 1, sizeof(*chunks));
    if (chunks == NULL)
        return asnap_error_no_memory();
    heap->chunks = chunks;
    chunks[heap->chunk_count++] =
        (struct asnap_chunk){.address = address, .size_use = (size & ~UINT64_C(15)) | use};
    return NULL;
}

struct asnap_error *asnap_heap_add_segment(struct asnap_heap *heap,
                                           const struct asnap_segment *segment)
{
    struct asnap_segment *segments = asnap_grow(heap->segments, &heap->segment_capacity,
                                                heap->segment_count + 1, sizeof(*segments));
    if (segments == NULL)
        return asnap_error_no_memory();
    heap->segments = segments;
    segments[heap->segment_count++] = *segment;
    return NULL;
}

struct asnap_error *asnap_heap_add_area(struct asnap_heap *heap, const struct asnap_heap_area *area)
{
    size_t *ends =
        asnap_grow(heap->area_ends, &heap->end_capacity, heap->area_count + 1, sizeof(*ends));
    if (ends == NULL)
        return asnap_error_no_memory();
    heap->area_ends = ends;
    struct asnap_heap_area *areas =
        asnap_grow(heap->areas, &heap->area_capacity, heap->area_count + 1, sizeof(*areas));
    if (areas == NULL)
        return asnap_error_no_memory();
    heap->areas = areas;
    ends[heap->area_count] = heap->chunk_count;
    areas[heap->area_count++] = *area;
    return NULL;
}

struct asnap_error *asnap_heap_add_structure(struct asnap_heap *heap, uint64_t start, uint64_t end)
{
    struct asnap_address_range *ranges = asnap_grow(heap->structures, &heap->structure_capacity,
                                                    heap->structure_count + 1, sizeof(*ranges));
    if (ranges == NULL)
        return asnap_error_no_memory();
    heap->structures = ranges;
    size_t place = heap->structure_count++;
    for (; place > 0 && ranges[place - 1].start > start; place--)
        ranges[place] = ranges[place - 1];
    ranges[place] = (struct asnap_address_range){start, end};
    return NULL;
}

struct asnap_error *asnap_heap_add_note(struct asnap_heap *heap, const char *format, ...)
{
    char *note;
    va_list arguments;
    char **notes =
        asnap_grow(heap->notes, &heap->note_capacity, heap->note_count + 1, sizeof(*notes));
    if (notes == NULL)
        return asnap_error_no_memory();
    heap->notes = notes;
    va_start(arguments, format);
    int length = vasprintf(&note, format, arguments);
    va_end(arguments);
    if (length < 0)
        return asnap_error_no_memory();
    notes[heap->note_count++] = note;
    return NULL;
}

static int by_start(const void *left, const void *right)
{
    const struct asnap_segment *a = left;
    const struct asnap_segment *b = right;
    return (a->start > b->start) - (a->start < b->start);
}

void asnap_heap_sort_segments(struct asnap_heap *heap)
{
    if (heap->segment_count > 1)
        qsort(heap->segments, heap->segment_count, sizeof(*heap->segments), by_start);
}

const struct asnap_segment *asnap_heap_segment(const struct asnap_heap *heap, uint64_t address)
{
    size_t low = 0;
    size_t high = heap->segment_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (heap->segments[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 || heap->segments[low - 1].end <= address ? NULL : &heap->segments[low - 1];
}

size_t asnap_heap_place_from(const struct asnap_heap *heap, const struct asnap_segment *segment,
                             uint64_t address)
{
    size_t low = segment->first;
    size_t high = segment->first + segment->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (heap->chunks[middle].address < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct asnap_chunk *asnap_heap_chunk_at(const struct asnap_heap *heap, uint64_t address)
{
    const struct asnap_segment *segment = asnap_heap_segment(heap, address);
    if (segment == NULL)
        return NULL;
    size_t low = asnap_heap_place_from(heap, segment, address);
    bool is_there = low < segment->first + segment->count && heap->chunks[low].address == address;
    return is_there ? &heap->chunks[low] : NULL;
}

struct asnap_chunk *asnap_heap_chunk_of(const struct asnap_heap *heap, uint64_t block)
{
    struct asnap_chunk *chunk = asnap_heap_chunk_at(heap, block - CHUNK_TO_BLOCK);
    for (size_t i = 0; chunk == NULL && i < heap->area_count; i++) {
        size_t low = i == 0 ? 0 : heap->area_ends[i - 1];
        size_t end = heap->area_ends[i];
        size_t high = end;
        if (heap->areas[i].kind != ASNAP_AREA_MAPPED)
            continue;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (heap->chunks[middle].address < block - CHUNK_TO_BLOCK)
                low = middle + 1;
            else
                high = middle;
        }
        if (low < end && heap->chunks[low].address == block - CHUNK_TO_BLOCK)
            chunk = &heap->chunks[low];
    }
    return chunk;
}

void asnap_heap_destroy(struct asnap_heap *heap)
{
    if (heap == NULL)
        return;
    for (size_t i = 0; i < heap->note_count; i++)
        free(heap->notes[i]);
    free(heap->notes);
    free(heap->chunks);
    free(heap->segments);
    free(heap->areas);
    free(heap->area_ends);
    free(heap->structures);
    free(heap);
}

size_t asnap_heap_note_count(const struct asnap_heap *heap)
{
    return heap->note_count;
}

const char *asnap_heap_note(const struct asnap_heap *heap, size_t index)
{
    return heap->notes[index];
}

const char *asnap_chunk_use_text(enum asnap_chunk_use use)
{
    static const char *const texts[ASNAP_CHUNK_USES] = {"live", "free", "cached", "fast",
                                                        "top",  "own",  "lost"};
    return (unsigned)use < ASNAP_CHUNK_USES ? texts[use] : NULL;
}

size_t asnap_heap_area_count(const struct asnap_heap *heap)
{
    return heap->area_count;
}

struct asnap_heap_area asnap_heap_area(const struct asnap_heap *heap, size_t index)
{
    return heap->areas[index];
}

size_t asnap_heap_chunk_count(const struct asnap_heap *heap)
{
    return heap->chunk_count;
}

/* The area of a chunk: areas are few, or come in order. */
static uint32_t area_of(const struct asnap_heap *heap, size_t index)
{
    size_t low = 0;
    size_t high = heap->area_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (heap->area_ends[middle] <= index)
            low = middle + 1;
        else
            high = middle;
    }
    return (uint32_t)low;
}

struct asnap_heap_chunk asnap_heap_chunk(const struct asnap_heap *heap, size_t index)
{
    const struct asnap_chunk *chunk = &heap->chunks[index];
    uint32_t area = area_of(heap, index);
    uint64_t size = asnap_chunk_size(chunk);
    uint64_t header = heap->areas[area].kind == ASNAP_AREA_MAPPED ? MAPPED_HEADER : HEADER;
    return (struct asnap_heap_chunk){
        .address = chunk->address + CHUNK_TO_BLOCK,
        .usable = size > header ? size - header : 0,
        .size = size,
        .use = asnap_chunk_use(chunk),
        .area = area,
    };
}

void asnap_heap_classes(const struct asnap_heap *heap,
                        struct asnap_heap_sum sums[ASNAP_HEAP_CLASSES][ASNAP_CHUNK_USES])
{
    memset(sums, 0, ASNAP_HEAP_CLASSES * sizeof(*sums));
    for (size_t i = 0; i < heap->chunk_count; i++) {
        struct asnap_heap_chunk chunk = asnap_heap_chunk(heap, i);
        int number = chunk.usable == 0 ? 0 : 63 - __builtin_clzll(chunk.usable);
        struct asnap_heap_sum *sum = &sums[number][chunk.use];
        sum->size += chunk.size;
        sum->count++;
    }
}

const struct asnap_address_range *asnap_heap_structures(const struct asnap_heap *heap,
                                                        size_t *count)
{
    *count = heap->structure_count;
    return heap->structures;
}
