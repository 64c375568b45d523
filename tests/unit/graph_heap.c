#include "graph_heap.h"

#include <stdlib.h>
#include <string.h>

static int read_heap(void *context, uint64_t address, void *buffer, size_t size)
{
    const struct graph_heap *heap = context;
    uint64_t offset = address - HEAP_BASE;
    if (address < HEAP_BASE || offset > heap->size || size > heap->size - offset)
        return ASNAP_READ_FAILED;
    memcpy(buffer, heap->bytes + offset, size);
    return ASNAP_READ_OK;
}

void graph_heap_init(struct graph_heap *heap, size_t size, uint64_t seed)
{
    *heap = (struct graph_heap){.size = size, .state = seed * 2 + 1};
    heap->memory = (struct asnap_memory){read_heap, heap, size};
    heap->bytes = calloc(size, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(heap->bytes);
}

void graph_heap_deinit(struct graph_heap *heap)
{
    free(heap->bytes);
    free(heap->traces);
}

uint64_t graph_heap_random(struct graph_heap *heap, uint64_t limit)
{
    heap->state = heap->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (heap->state >> 33) % limit;
}

void graph_heap_add(struct graph_heap *heap, uint64_t offset, uint64_t size)
{
    heap->traces = realloc(heap->traces, (heap->count + 1) * sizeof(*heap->traces));
    CU_ASSERT_PTR_NOT_NULL_FATAL(heap->traces);
    heap->traces[heap->count++] = (struct asnap_trace){.address = HEAP_BASE + offset, .size = size};
}

void graph_heap_write(struct graph_heap *heap, uint64_t offset, uint64_t word)
{
    CU_ASSERT_FATAL(offset + sizeof(word) <= heap->size);
    memcpy(heap->bytes + offset, &word, sizeof(word));
}

void graph_heap_fill(struct graph_heap *heap, size_t largest, size_t pointers)
{
    uint64_t offset = 0;
    for (;;) {
        uint64_t size = 8 + graph_heap_random(heap, largest - 7);
        if (offset + size > heap->size)
            break;
        graph_heap_add(heap, offset, size);
        offset = (offset + size + 15) / 16 * 16 + 16 * graph_heap_random(heap, 3);
    }
    for (size_t i = heap->count; i > 1; i--) {
        size_t other = graph_heap_random(heap, i);
        struct asnap_trace swapped = heap->traces[i - 1];
        heap->traces[i - 1] = heap->traces[other];
        heap->traces[other] = swapped;
    }
    for (size_t i = 0; i < pointers && heap->count > 0; i++) {
        const struct asnap_trace *from = &heap->traces[graph_heap_random(heap, heap->count)];
        const struct asnap_trace *to = &heap->traces[graph_heap_random(heap, heap->count)];
        uint64_t at = from->address - HEAP_BASE + 8 * graph_heap_random(heap, from->size / 8);
        bool inside = graph_heap_random(heap, 4) == 0;
        graph_heap_write(heap, at, to->address + (inside ? graph_heap_random(heap, to->size) : 0));
    }
}

uint32_t graph_heap_find(const struct asnap_block_index *index, uint64_t address)
{
    uint32_t found = ASNAP_NO_BLOCK;
    for (uint32_t i = 0; i < index->count; i++) {
        if (index->blocks[i].start <= address && address < index->blocks[i].end)
            found = i;
    }
    return found;
}
