/* A heap of random blocks in a byte array, and what is true of it, found the slow way. */
#ifndef ASNAP_TEST_GRAPH_HEAP_H
#define ASNAP_TEST_GRAPH_HEAP_H

#include "dominators.h"
#include "unit.h"

#define HEAP_BASE UINT64_C(0x7f1234500000)

struct graph_heap {
    struct asnap_memory memory;
    uint8_t *bytes; /* of the heap, from HEAP_BASE on */
    size_t size;
    struct asnap_trace *traces;
    size_t count;
    uint64_t state; /* of the random numbers */
};

void graph_heap_init(struct graph_heap *heap, size_t size, uint64_t seed);
void graph_heap_deinit(struct graph_heap *heap);

/* A random number below `limit`. */
uint64_t graph_heap_random(struct graph_heap *heap, uint64_t limit);

/* Adds a block, `offset` bytes into the heap. */
void graph_heap_add(struct graph_heap *heap, uint64_t offset, uint64_t size);

/* Writes a word, `offset` bytes into the heap. */
void graph_heap_write(struct graph_heap *heap, uint64_t offset, uint64_t word);

/* Fills the heap with blocks of 8 to `largest` bytes that leave gaps, in no order of their
 * traces, and writes `pointers` pointers to random blocks into them, some to the inside. */
void graph_heap_fill(struct graph_heap *heap, size_t largest, size_t pointers);

/* The innermost block that holds an address, by looking at each. */
uint32_t graph_heap_find(const struct asnap_block_index *index, uint64_t address);

#endif
