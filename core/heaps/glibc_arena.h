/* glibc's struct malloc_state, malloc_par, heap_info and tcache_perthread_struct, as versions 2.28
 * to 2.41 have them on 64-bit machines (malloc/malloc.c, malloc/arena.c). No version is asked for:
 * what is read is told by what must hold of it. */
#ifndef ASNAP_HEAPS_GLIBC_ARENA_H
#define ASNAP_HEAPS_GLIBC_ARENA_H

#include "glibc_hands.h"
#include "heap.h"
#include "heap_memory.h"

/* The bits of a chunk's size. */
enum {
    ASNAP_GLIBC_PREV_INUSE = 1, /* the chunk before is not free, as bins go */
    ASNAP_GLIBC_MMAPPED = 2,
    ASNAP_GLIBC_OTHER_ARENA = 4, /* of a chunk in use: it is not of the main arena */
    ASNAP_GLIBC_BITS = 7,
};

enum {
    ASNAP_GLIBC_CHUNK_MIN = 32,
    ASNAP_GLIBC_FENCE = 16, /* the size of what stands at the end of memory that goes no further */
    ASNAP_GLIBC_FAST_BINS = 10,
    ASNAP_GLIBC_BINS = 127,
};

/* struct malloc_state. */
struct asnap_glibc_state {
    int32_t mutex;
    uint32_t flags;
    int32_t have_fastchunks;
    uint32_t padding;
    uint64_t fast_bins[ASNAP_GLIBC_FAST_BINS];
    uint64_t top;
    uint64_t last_remainder;
    uint64_t bins[2 * ASNAP_GLIBC_BINS];
    uint32_t binmap[4];
    uint64_t next;
    uint64_t next_free;
    uint64_t attached_threads;
    uint64_t system_mem;
    uint64_t max_system_mem;
};

/* In `flags` of the main arena: its memory is not all of brk(2). */
enum { ASNAP_GLIBC_NOT_CONTIGUOUS = 2 };

/* An arena that was found. */
struct asnap_glibc_arena {
    uint64_t address;
    struct asnap_glibc_state state;
    bool is_main;
    bool has_top;        /* the top is in memory that is there; else it was just given back */
    uint64_t heap_bytes; /* of the main arena: 0; of another one, what its heaps are aligned to */
};

/* What is read of struct malloc_par (`mp_`). */
struct asnap_glibc_counts {
    bool is_known;
    uint64_t address;
    uint64_t end;
    uint64_t mapped_count; /* large blocks that are mappings of their own */
    uint64_t mapped_bytes;
    uint64_t brk_start; /* where the main arena's memory begins; 0: it has none by brk(2) */
    uint64_t huge_page; /* 0: heaps of arenas have their ordinary size */
};

/* The main arenas: one for each C library that is loaded (dlmopen(3)). free() the list. */
struct asnap_error *asnap_glibc_main_arenas(struct asnap_heap_memory *memory,
                                            struct asnap_glibc_arena **arenas, size_t *count);

/* The counts of the C library that has this main arena. */
struct asnap_error *asnap_glibc_find_counts(struct asnap_heap_memory *memory,
                                            const struct asnap_glibc_arena *main_arena,
                                            struct asnap_glibc_counts *counts);

/* Whether there is an arena at an address; fills `arena` then, but for `is_main`. */
struct asnap_error *asnap_glibc_read_arena(struct asnap_heap_memory *memory, uint64_t address,
                                           struct asnap_glibc_arena *arena, bool *is_arena);

/* A piece of memory to be walked: chunks follow each other from `start` on. */
struct asnap_glibc_walk {
    struct asnap_heap *heap;
    struct asnap_heap_memory *memory;
    const struct asnap_glibc_arena *arena;
    const struct asnap_glibc_hands *hands;
    uint32_t area;
    bool saw_top;
    bool is_busy;    /* something was in the middle of a change */
    uint64_t looked; /* chunks that were looked at ahead */
    uint32_t lost;   /* how often the chain of chunks was broken */
};

/* Adds the chunks in [start, end), and the segments that they form. */
struct asnap_error *asnap_glibc_walk_memory(struct asnap_glibc_walk *walk, uint64_t start,
                                            uint64_t end);

/* Whether chunks from `address` on, at least one, lead to the arena's top, to where their memory
 * ends, or on for a while. */
struct asnap_error *asnap_glibc_is_chain(struct asnap_glibc_walk *walk, uint64_t address,
                                         uint64_t end, bool *is_chain);

/* Where chunks from `address` on lead: to the top, or to a fence. `last` becomes 0 where they lead
 * to neither. */
struct asnap_error *asnap_glibc_chain_end(struct asnap_glibc_walk *walk, uint64_t address,
                                          uint64_t end, uint64_t *last);

/* Tells the free chunks of caches and fast bins from live ones, when all arenas are walked. */
struct asnap_error *asnap_glibc_mark_free(struct asnap_heap *heap, struct asnap_heap_memory *memory,
                                          const struct asnap_glibc_arena *arenas, size_t count,
                                          const struct asnap_glibc_hands *hands);

/* Adds the blocks that are mappings of their own, and their area. */
struct asnap_error *asnap_glibc_mapped_blocks(struct asnap_heap *heap,
                                              struct asnap_heap_memory *memory,
                                              const struct asnap_glibc_counts *counts,
                                              const struct asnap_glibc_hands *hands);

#endif
