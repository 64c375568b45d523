/* The allocator underneath: the functions that the program would call without the
 * hooks. Until they are known, a small arena serves. */
#ifndef ASNAP_HOOKS_NEXT_H
#define ASNAP_HOOKS_NEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "linker.h"

struct asnap_next {
    void *(*malloc)(size_t size);
    void *(*calloc)(size_t count, size_t size);
    void *(*realloc)(void *block, size_t size);
    void (*free)(void *block);
    int (*posix_memalign)(void **block, size_t alignment, size_t size);
    void *(*aligned_alloc)(size_t alignment, size_t size);
    void *(*memalign)(size_t alignment, size_t size);
    void *(*valloc)(size_t size);
    void *(*pvalloc)(size_t size);
    size_t (*malloc_usable_size)(void *block);
    /* C23: NULL where the allocator has none */
    void (*free_sized)(void *block, size_t size);
    void (*free_aligned_sized)(void *block, size_t alignment, size_t size);
    /* Where another allocator comes before the hooks, and so has the program's calls: its
     * functions, for those of the family that it lacks and the hooks have; else NULL */
    void *(*realloc_before)(void *block, size_t size);
    void (*free_before)(void *block);
};

/* What a hook of the same name goes on to, and only that: where a definition before the hooks' has
 * the program's calls, it is noted that this one comes here all the same (preceding.h). */
extern struct asnap_next asnap_next;

/* The same without that note, for whatever else the hooks do with its blocks. */
extern struct asnap_next asnap_under;

/* Finds the functions; until then asnap_next serves from the arena. */
void asnap_next_resolve(struct asnap_libraries *libraries);

/* The size of a block of next.malloc, or more; at most `most` bytes, which can be read. Where its
 * allocator does not tell the sizes of its blocks, it is what can be read there. */
size_t asnap_next_block_bytes(void *block, size_t most);

/* Whether a block comes from the arena, which takes nothing back. */
bool asnap_next_is_early(const void *block);

/* The size that was asked for, of a block from the arena. */
size_t asnap_next_early_size(void *block);

#endif
