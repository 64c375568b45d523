/* The allocator underneath: the functions that the program would call without the
 * hooks. Until they are known, a small arena serves. */
#ifndef ASNAP_HOOKS_NEXT_H
#define ASNAP_HOOKS_NEXT_H

#include <stdbool.h>
#include <stddef.h>

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
};

extern struct asnap_next asnap_next;

/* Finds the functions; until then asnap_next serves from the arena. */
void asnap_next_resolve(void);

/* Where libc says that the process has one thread only; `unknown` where it does not. */
const char *asnap_next_single_threaded(const char *unknown);

/* Whether the program's calls of malloc come to the hooks; they do not where another
 * definition precedes theirs, such as one in the program itself. After asnap_next_resolve. */
bool asnap_next_is_first(void);

/* glibc's _dl_find_object, or NULL. */
void *asnap_next_find_object(void);

/* Whether a block comes from the arena, which takes nothing back. */
bool asnap_next_is_early(const void *block);

/* The size that was asked for, of a block from the arena. */
size_t asnap_next_early_size(void *block);

/* The next definition of a C++ operator with this mangled name, in the global scope.
 * NULL: there is none. */
void *asnap_next_global_operator(const char *name);

/* The same, also where the C++ library is loaded out of the global scope's sight. */
void *asnap_next_operator(const char *name);

/* The operator that the module with `caller` has within itself: a C++ library linked
 * into it. NULL: it has none. */
void *asnap_next_module_operator(const char *name, const void *caller);

/* How many libraries have been loaded so far. */
unsigned long long asnap_next_loads(void);

#endif
