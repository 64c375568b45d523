/* Blocks out of an allocator's own structures, for programs without hooks. */
#ifndef ALLOCSNAP_HEAPS_H
#define ALLOCSNAP_HEAPS_H

#include "allocsnap_tracing.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a heap is read from, all of one moment: the program must stand still. */
struct asnap_heap_facts {
    const struct asnap_memory *memory;
    const struct asnap_region *regions; /* the memory map, sorted by address */
    size_t region_count;
    const struct asnap_thread *threads; /* those whose thread pointers are known say which blocks
                                           are caches */
    size_t thread_count;
    const struct asnap_register *registers; /* by thread: in the middle of a call some free blocks
                                               are nowhere else */
    size_t register_count;
    const struct asnap_address_range *own; /* memory of the hooks, where they are there; sorted */
    size_t own_count;
    uint64_t main_arena; /* the address of glibc's symbol `main_arena`; 0: not known. It is only
                            taken where what is there looks like it */
    const struct asnap_progress *progress; /* may be NULL */
};

/* The heaps of a process: every chunk of memory that its allocator has, and what it is used for. */
struct asnap_heap;

/* Reads them. What is damaged or in the middle of a change costs its own blocks, and the notes say
 * so. Fails with NO_MEMORY, INTERRUPTED, INVALID_ARGUMENT, and UNSUPPORTED where no allocator is
 * found whose structures are known. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *asnap_heap_read(const struct asnap_heap_facts *facts,
                                                               struct asnap_heap **heap);
ASNAP_API void asnap_heap_destroy(struct asnap_heap *heap);

/* What is missing or uncertain, a line each. */
ASNAP_API size_t asnap_heap_note_count(const struct asnap_heap *heap);
ASNAP_API const char *asnap_heap_note(const struct asnap_heap *heap, size_t index);

/* What a chunk is used for. */
enum asnap_chunk_use {
    ASNAP_CHUNK_LIVE,   /* a block that the program has */
    ASNAP_CHUNK_FREE,   /* in a bin of the arena */
    ASNAP_CHUNK_CACHED, /* free, in the cache of a thread */
    ASNAP_CHUNK_FAST,   /* free, in a fast bin */
    ASNAP_CHUNK_TOP,    /* the end of the arena, from which new chunks are cut */
    ASNAP_CHUNK_OWN,    /* the allocator's own: caches, ends of memory */
    ASNAP_CHUNK_LOST,   /* in the middle of a change, damaged or not to be read */
    ASNAP_CHUNK_USES,
};

/* The word for it, as in JSON: "live". */
ASNAP_API const char *asnap_chunk_use_text(enum asnap_chunk_use use);

/* Chunks of one kind: bytes with their headers. */
struct asnap_heap_sum {
    uint64_t size;
    uint64_t count;
};

enum asnap_heap_area_kind {
    ASNAP_AREA_MAIN,   /* glibc's main arena, in the memory of brk(2) and, where that fails, mmap(2)
                        */
    ASNAP_AREA_ARENA,  /* another arena */
    ASNAP_AREA_MAPPED, /* large blocks, each a mapping of its own */
};

/* An arena, or what stands beside them. */
struct asnap_heap_area {
    uint64_t address; /* of its structure; 0: it has none */
    uint64_t start;   /* of its first memory */
    uint64_t size;    /* bytes of memory that it has from the system */
    uint32_t kind;    /* asnap_heap_area_kind */
    bool is_busy;     /* a thread holds its lock, or is seen to be at work in it */
    struct asnap_heap_sum sums[ASNAP_CHUNK_USES];
};

ASNAP_API size_t asnap_heap_area_count(const struct asnap_heap *heap);
ASNAP_API struct asnap_heap_area asnap_heap_area(const struct asnap_heap *heap, size_t index);

/* Classes of sizes: number n is of blocks from 2^n to less than 2^(n+1) bytes that are usable. */
enum { ASNAP_HEAP_CLASSES = 64 };

/* Sums up the chunks of each class, by use. */
ASNAP_API void asnap_heap_classes(const struct asnap_heap *heap,
                                  struct asnap_heap_sum sums[ASNAP_HEAP_CLASSES][ASNAP_CHUNK_USES]);

/* Of the live chunks that have a record among the raw traces of hooks (the C heap's alone): how
 * many there are, and their bytes beyond those that were asked for. */
ASNAP_API struct asnap_heap_sum asnap_heap_rounding(const struct asnap_heap *heap,
                                                    const struct asnap_raw *raw);

/* Sums up, by use, the bytes of chunks that lie in `ranges`, sorted and apart from each other. */
ASNAP_API void asnap_heap_within(const struct asnap_heap *heap,
                                 const struct asnap_address_range *ranges, size_t count,
                                 uint64_t sizes[ASNAP_CHUNK_USES]);

/* A chunk. `address` and `usable` are of the block that the program has, or would get. */
struct asnap_heap_chunk {
    uint64_t address;
    uint64_t usable; /* bytes that the program may write (malloc_usable_size(3)) */
    uint64_t size;   /* bytes of the chunk, header included */
    uint32_t use;    /* asnap_chunk_use */
    uint32_t area;
};

/* The chunks, by area and there mostly by address. */
ASNAP_API size_t asnap_heap_chunk_count(const struct asnap_heap *heap);
ASNAP_API struct asnap_heap_chunk asnap_heap_chunk(const struct asnap_heap *heap, size_t index);

/* Where the allocator keeps what it knows in the program's data: pointers there lead to free
 * chunks, and are none of the program's. Sorted by address. */
ASNAP_API const struct asnap_address_range *asnap_heap_structures(const struct asnap_heap *heap,
                                                                  size_t *count);

/* The live blocks as raw traces without stacks, notes included. Sizes are usable sizes: what was
 * asked for is not known. Fails with NO_MEMORY. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *asnap_heap_raw(const struct asnap_heap *heap,
                                                              struct asnap_raw **raw);

/* Adds to the raw traces of the hooks those live blocks that they have no record of: from before
 * they traced, or where no record could be made. They have no stack. `heap` is of the same moment,
 * and `facts` what it was read from, with the hooks' memory. `code` is where the hooks and
 * malloc(3) have their code: what threads have at hand that are there is in flight, and left out.
 * The notes say how many of both, and those of the heap are added. Fails with NO_MEMORY or
 * INTERRUPTED, and with UNSUPPORTED for a sample. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_heap_add_earlier(const struct asnap_heap *heap, const struct asnap_heap_facts *facts,
                       const struct asnap_address_range *code, size_t code_count,
                       struct asnap_raw *raw);

#ifdef __cplusplus
}
#endif

#endif
