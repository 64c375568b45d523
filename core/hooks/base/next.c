#include "next.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

/* For what is allocated while symbols are looked up: an indirect function that says which
 * definition is the right one may do so. */
enum { ARENA_BYTES = 16384, ARENA_ALIGNMENT = 16 };

static struct {
    _Alignas(ARENA_ALIGNMENT) char bytes[ARENA_BYTES];
    size_t used;
} arena;

bool asnap_next_is_early(const void *block)
{
    uintptr_t offset = (uintptr_t)block - (uintptr_t)arena.bytes;
    return offset < ARENA_BYTES;
}

/* Each block is preceded by its size. */
static void *early_memalign(size_t alignment, size_t size)
{
    if (alignment < ARENA_ALIGNMENT)
        alignment = ARENA_ALIGNMENT;
    if ((alignment & (alignment - 1)) != 0 || alignment > ARENA_BYTES || size > ARENA_BYTES) {
        errno = ENOMEM;
        return NULL;
    }
    size_t room = size + alignment + ARENA_ALIGNMENT;
    size_t used = __atomic_fetch_add(&arena.used, room, __ATOMIC_RELAXED);
    if (used > ARENA_BYTES || room > ARENA_BYTES - used) {
        errno = ENOMEM;
        return NULL;
    }
    uintptr_t start = (uintptr_t)arena.bytes + used + sizeof(size_t);
    char *block = (char *)((start + alignment - 1) & ~(uintptr_t)(alignment - 1));
    memcpy(block - sizeof(size_t), &size, sizeof(size_t));
    return block;
}

size_t asnap_next_early_size(void *block)
{
    size_t size = 0;
    if (block != NULL)
        memcpy(&size, (char *)block - sizeof(size_t), sizeof(size));
    return size;
}

static void *early_malloc(size_t size)
{
    return early_memalign(ARENA_ALIGNMENT, size);
}

static void *early_calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return early_malloc(bytes);
}

static void *early_realloc(void *block, size_t size)
{
    void *larger = early_malloc(size);
    size_t old_size = asnap_next_early_size(block);
    if (larger != NULL && block != NULL)
        memcpy(larger, block, old_size < size ? old_size : size);
    return larger;
}

static void early_free(void *block)
{
    (void)block;
}

static int early_posix_memalign(void **block, size_t alignment, size_t size)
{
    void *aligned = early_memalign(alignment, size);
    if (aligned == NULL)
        return ENOMEM;
    *block = aligned;
    return 0;
}

static void *early_valloc(size_t size)
{
    return early_memalign(4096, size);
}

struct asnap_next asnap_next = {
    .malloc = early_malloc,
    .calloc = early_calloc,
    .realloc = early_realloc,
    .free = early_free,
    .posix_memalign = early_posix_memalign,
    .aligned_alloc = early_memalign,
    .memalign = early_memalign,
    .valloc = early_valloc,
    .pvalloc = early_valloc,
    .malloc_usable_size = asnap_next_early_size,
};

/* Whether the function that tells sizes is of the allocator that malloc is of. */
static bool tells_sizes;

size_t asnap_next_block_bytes(void *block, size_t most)
{
    if (!tells_sizes)
        return asnap_readable_bytes((uint64_t)(uintptr_t)block, most);
    size_t bytes = asnap_next.malloc_usable_size(block);
    return bytes < most ? bytes : most;
}

/* Stores an address through a function pointer's bytes, as POSIX has it. */
static void look_up(struct asnap_libraries *libraries, const char *name, void *place, size_t bytes)
{
    void *found = asnap_symbol_next(libraries, name);
    if (found != NULL)
        memcpy(place, &found, bytes);
}

/* The same of a definition that comes before the hooks' own. */
static void look_before(struct asnap_libraries *libraries, const char *name, void *place,
                        size_t bytes)
{
    void *found = asnap_symbol_before(libraries, name);
    if (found != NULL)
        memcpy(place, &found, bytes);
}

/* musl has no pvalloc; who asks the linker for one finds the hooks'. */
static void *whole_pages(size_t size)
{
    enum { PAGE = 4096 };
    size_t most = SIZE_MAX - (PAGE - 1);
    return asnap_next.memalign(PAGE, size > most ? size : (size + PAGE - 1) / PAGE * PAGE);
}

#define LOOK_UP(NAME) look_up(libraries, #NAME, &found.NAME, sizeof(found.NAME))

void asnap_next_resolve(struct asnap_libraries *libraries)
{
    struct asnap_next found = asnap_next;
    LOOK_UP(malloc);
    LOOK_UP(calloc);
    LOOK_UP(realloc);
    LOOK_UP(free);
    LOOK_UP(posix_memalign);
    LOOK_UP(aligned_alloc);
    LOOK_UP(memalign);
    LOOK_UP(valloc);
    found.pvalloc = whole_pages;
    LOOK_UP(pvalloc);
    LOOK_UP(malloc_usable_size);
    LOOK_UP(free_sized);
    LOOK_UP(free_aligned_sized);
    look_before(libraries, "realloc", &found.realloc_before, sizeof(found.realloc_before));
    look_before(libraries, "free", &found.free_before, sizeof(found.free_before));
    tells_sizes = asnap_linker_same_file(libraries, (uint64_t)(uintptr_t)found.malloc,
                                         (uint64_t)(uintptr_t)found.malloc_usable_size);
    asnap_next = found;
}
