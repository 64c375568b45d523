/* What of the heap's memory is of use, and what of it takes memory. */
#include <string.h>

#include "heap.h"
#include "raw.h"

struct asnap_heap_sum asnap_heap_rounding(const struct asnap_heap *heap,
                                          const struct asnap_raw *raw)
{
    struct asnap_heap_sum sum = {0};
    for (size_t i = 0; i < raw->trace_count; i++) {
        const struct asnap_trace *trace = &raw->traces[i];
        const struct asnap_chunk *chunk =
            trace->domain == 0 ? asnap_heap_chunk_of(heap, trace->address) : NULL;
        if (chunk == NULL || asnap_chunk_use(chunk) != ASNAP_CHUNK_LIVE ||
            asnap_chunk_size(chunk) < trace->size)
            continue;
        sum.size += asnap_chunk_size(chunk) - trace->size;
        sum.count++;
    }
    return sum;
}

/* The first of the ranges that ends behind an address. */
static size_t first_behind(const struct asnap_address_range *ranges, size_t count, uint64_t address)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ranges[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void asnap_heap_within(const struct asnap_heap *heap, const struct asnap_address_range *ranges,
                       size_t count, uint64_t sizes[ASNAP_CHUNK_USES])
{
    memset(sizes, 0, ASNAP_CHUNK_USES * sizeof(*sizes));
    for (size_t i = 0; i < heap->chunk_count; i++) {
        const struct asnap_chunk *chunk = &heap->chunks[i];
        uint64_t start = chunk->address;
        uint64_t end = start + asnap_chunk_size(chunk);
        for (size_t k = first_behind(ranges, count, start); k < count && ranges[k].start < end;
             k++) {
            uint64_t from = ranges[k].start > start ? ranges[k].start : start;
            uint64_t to = ranges[k].end < end ? ranges[k].end : end;
            sizes[asnap_chunk_use(chunk)] += to - from;
        }
    }
}
