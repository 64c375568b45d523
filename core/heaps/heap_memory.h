/* The program's memory, as readers of heaps go through it: forwards, a few bytes at each chunk. */
#ifndef ASNAP_HEAPS_HEAP_MEMORY_H
#define ASNAP_HEAPS_HEAP_MEMORY_H

#include "allocsnap_heaps.h"

/* A piece of the memory that was read, and is kept while headers in it are asked for. */
struct asnap_heap_window {
    uint8_t *bytes;
    size_t room;
    uint64_t start;
    size_t size; /* 0: nothing was read */
};

struct asnap_heap_memory {
    const struct asnap_heap_facts *facts;
    struct asnap_heap_window here;  /* where a walk is */
    struct asnap_heap_window ahead; /* where it looks further */
    uint64_t asked;
};

struct asnap_error *asnap_heap_memory_init(struct asnap_heap_memory *memory,
                                           const struct asnap_heap_facts *facts);
void asnap_heap_memory_deinit(struct asnap_heap_memory *memory);

/* Copies some bytes; `is_there` becomes false where they cannot be read. Fails with INTERRUPTED. */
struct asnap_error *asnap_heap_copy(struct asnap_heap_memory *memory, uint64_t address,
                                    void *buffer, size_t size, bool *is_there);

/* The two words of a chunk's header: the size of a free chunk before it, and its own size with its
 * bits. `window`: one of the memory's. Fails with INTERRUPTED. */
struct asnap_error *asnap_heap_header(struct asnap_heap_memory *memory,
                                      struct asnap_heap_window *window, uint64_t address,
                                      uint64_t words[2], bool *is_there);

/* Asks now and then whether to go on; INTERRUPTED where not. */
struct asnap_error *asnap_heap_ask(struct asnap_heap_memory *memory);

/* The region that holds an address; NULL: none does. */
const struct asnap_region *asnap_heap_region(const struct asnap_heap_facts *facts,
                                             uint64_t address);

/* Where the readable and writable memory around an address ends, and begins; the address itself
 * where it is in none. */
uint64_t asnap_heap_run_end(const struct asnap_heap_facts *facts, uint64_t address);
uint64_t asnap_heap_run_start(const struct asnap_heap_facts *facts, uint64_t address);

static inline bool asnap_heap_is_writable(const struct asnap_region *region)
{
    uint32_t both = ASNAP_REGION_READABLE | ASNAP_REGION_WRITABLE;
    return region != NULL && (region->flags & both) == both;
}

#endif
