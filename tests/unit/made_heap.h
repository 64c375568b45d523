/* The memory of a program with glibc's malloc, made byte by byte: arenas, chunks and lists as
 * malloc/malloc.c of glibc lays them. */
#ifndef ASNAP_TEST_MADE_HEAP_H
#define ASNAP_TEST_MADE_HEAP_H

#include "allocsnap.h"

#define MADE_LIBC UINT64_C(0x7f5500100000)
#define MADE_BRK UINT64_C(0x555500000000)
#define MADE_OTHER UINT64_C(0x7f4400000000) /* the second arena's first heap; 64 MiB aligned */
#define MADE_NEXT UINT64_C(0x7f4404000000)  /* and its second */
#define MADE_MAPPED UINT64_C(0x7f5400000000)
#define MADE_STORAGE UINT64_C(0x7f5500000000) /* below the first thread's pointer */
#define MADE_PAGE UINT64_C(4096)

enum {
    MADE_LIBC_PAGES = 1,
    MADE_BRK_PAGES = 2,
    MADE_OTHER_PAGES = 2,
    MADE_NEXT_PAGES = 1,
    MADE_MAPPED_PAGES = 4,
    MADE_STORAGE_PAGES = 1,
    MADE_PAGES = MADE_LIBC_PAGES + MADE_BRK_PAGES + MADE_OTHER_PAGES + MADE_NEXT_PAGES +
                 MADE_MAPPED_PAGES + MADE_STORAGE_PAGES,
    MADE_REGIONS = 7,
    MADE_REGISTERS = 8,
};

/* Where things are. */
#define MADE_COUNTS (MADE_LIBC + 0x100) /* mp_ */
#define MADE_ARENA (MADE_LIBC + 0x400)  /* main_arena */
#define MADE_OTHER_ARENA (MADE_OTHER + 48)
#define MADE_CODE (MADE_LIBC + 0x10100) /* of the C library */
#define MADE_THREAD_POINTER (MADE_STORAGE + MADE_PAGE)

/* Of struct malloc_state. */
enum {
    MADE_FLAGS = 4,
    MADE_FAST = 16,
    MADE_TOP = 96,
    MADE_BINS = 112,
    MADE_NEXT_ARENA = 2160,
    MADE_ATTACHED = 2176,
    MADE_SYSTEM = 2184,
    MADE_SYSTEM_MOST = 2192,
    MADE_STATE_BYTES = 2200,
};

struct made_heap {
    uint8_t bytes[MADE_PAGES * 4096];
    uint32_t unreadable; /* a bit for each page */
    bool is_old;         /* as in glibc 2.28: narrow counts of caches, links as they are, no
                            words for huge pages */
    struct asnap_region regions[MADE_REGIONS];
    struct asnap_thread thread;
    struct asnap_register registers[MADE_REGISTERS];
    struct asnap_memory memory;
    struct asnap_heap_facts facts;
};

/* Where chunks are added, one after the other. */
struct made_place {
    struct made_heap *heap;
    uint64_t at;
    uint64_t arena;
    uint64_t last; /* the chunk before; 0: none */
    bool last_is_free;
};

/* The regions, and nothing in them. */
void made_heap_init_regions(struct made_heap *heap);

/* An empty main arena, and `mp_`. */
void made_heap_init(struct made_heap *heap, bool is_old);

uint64_t made_word(struct made_heap *heap, uint64_t address);
void made_write(struct made_heap *heap, uint64_t address, uint64_t word);
void made_write_half(struct made_heap *heap, uint64_t address, uint32_t half);

/* Begins with the memory of brk(2), of the main arena. */
struct made_place made_brk(struct made_heap *heap);

/* Adds the second arena, with one heap, and begins behind its state. */
struct made_place made_other(struct made_heap *heap);

/* Adds a chunk of `size` bytes that is in use, or free in no bin; returns its address. */
uint64_t made_chunk(struct made_place *place, uint64_t size, bool is_free);

/* Ends an arena's memory with the top, at `end`. */
void made_top(struct made_place *place, uint64_t end);

/* A chunk for a thread's cache, in use; the first thread has it if `is_named`. */
uint64_t made_cache(struct made_place *place, bool is_named);

/* Puts a chunk at the front of a list: of its fast bin, or of its bin of a cache. */
void made_add_fast(struct made_place *place, uint64_t chunk);
void made_add_cached(struct made_heap *heap, uint64_t cache, uint64_t chunk);

/* Has a bin begin with a chunk, which is all that is in it: bin 0 is the unsorted one. */
void made_link(struct made_heap *heap, uint64_t arena, uint64_t bin, uint64_t chunk);

/* The first thread stands at `counter`, and has these words in registers. */
void made_hold(struct made_heap *heap, uint64_t counter, const uint64_t *words, size_t count);

/* A block that is a mapping of its own. */
void made_mapped(struct made_heap *heap, uint64_t start, uint64_t size);

#endif
