#include "next.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "preceding.h"

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

#define EARLY                                                                                      \
    .malloc = early_malloc, .calloc = early_calloc, .realloc = early_realloc, .free = early_free,  \
    .posix_memalign = early_posix_memalign, .aligned_alloc = early_memalign,                       \
    .memalign = early_memalign, .valloc = early_valloc, .pvalloc = early_valloc,                   \
    .malloc_usable_size = asnap_next_early_size

struct asnap_next asnap_next = {EARLY};
struct asnap_next asnap_under = {EARLY};

/* Whether the function that tells sizes is of the allocator that malloc is of. */
static bool tells_sizes;

size_t asnap_next_block_bytes(void *block, size_t most)
{
    if (!tells_sizes)
        return asnap_readable_bytes((uint64_t)(uintptr_t)block, most);
    size_t bytes = asnap_under.malloc_usable_size(block);
    return bytes < most ? bytes : most;
}

/* musl has no pvalloc; who asks the linker for one finds the hooks'. */
static void *whole_pages(size_t size)
{
    enum { PAGE = 4096 };
    size_t most = SIZE_MAX - (PAGE - 1);
    return asnap_under.memalign(PAGE, size > most ? size : (size + PAGE - 1) / PAGE * PAGE);
}

/* ---- calls that a definition before the hooks' passes on ---- */

/* The first call is enough: the next ones go on at once. */
#define PASSED(RESULT, NAME, FUNCTION, PARAMETERS, ARGUMENTS)                                      \
    static RESULT passed_##NAME PARAMETERS                                                         \
    {                                                                                              \
        asnap_preceding_passed(FUNCTION);                                                          \
        __atomic_store_n(&asnap_next.NAME, asnap_under.NAME, __ATOMIC_RELAXED);                    \
        return asnap_under.NAME ARGUMENTS;                                                         \
    }

PASSED(void *, malloc, ASNAP_TABLE_MALLOC, (size_t size), (size))
PASSED(void *, calloc, ASNAP_TABLE_CALLOC, (size_t count, size_t size), (count, size))
PASSED(void *, realloc, ASNAP_TABLE_REALLOC, (void *block, size_t size), (block, size))
PASSED(int, posix_memalign, ASNAP_TABLE_POSIX_MEMALIGN,
       (void **block, size_t alignment, size_t size), (block, alignment, size))
PASSED(void *, aligned_alloc, ASNAP_TABLE_ALIGNED_ALLOC, (size_t alignment, size_t size),
       (alignment, size))
PASSED(void *, memalign, ASNAP_TABLE_MEMALIGN, (size_t alignment, size_t size), (alignment, size))
PASSED(void *, valloc, ASNAP_TABLE_VALLOC, (size_t size), (size))
PASSED(void *, pvalloc, ASNAP_TABLE_PVALLOC, (size_t size), (size))
PASSED(void, free, ASNAP_TABLE_FREE, (void *block), (block))
PASSED(void, free_sized, ASNAP_TABLE_FREE_SIZED, (void *block, size_t size), (block, size))
PASSED(void, free_aligned_sized, ASNAP_TABLE_FREE_ALIGNED_SIZED,
       (void *block, size_t alignment, size_t size), (block, alignment, size))

/* ---- finding them ---- */

/* Stores an address through a function pointer's bytes, as POSIX has it. */
static void set(void *place, void *function)
{
    if (function != NULL)
        memcpy(place, &function, sizeof(function));
}

static void look_before(struct asnap_libraries *libraries, const char *name, void *place)
{
    uint64_t bytes;
    set(place, asnap_symbol_before(libraries, name, &bytes));
}

#define LOOK_UP(NAME, FUNCTION)                                                                    \
    do {                                                                                           \
        set(&asnap_under.NAME, asnap_symbol_next(libraries, #NAME));                               \
        next.NAME = asnap_under.NAME;                                                              \
        if (asnap_preceding_find(libraries, #NAME, FUNCTION) && asnap_under.NAME != NULL)          \
            next.NAME = passed_##NAME;                                                             \
    } while (0)

void asnap_next_resolve(struct asnap_libraries *libraries)
{
    struct asnap_next next = {0};
    LOOK_UP(malloc, ASNAP_TABLE_MALLOC);
    LOOK_UP(calloc, ASNAP_TABLE_CALLOC);
    LOOK_UP(realloc, ASNAP_TABLE_REALLOC);
    asnap_preceding_find(libraries, "reallocarray", ASNAP_TABLE_REALLOCARRAY);
    LOOK_UP(posix_memalign, ASNAP_TABLE_POSIX_MEMALIGN);
    LOOK_UP(aligned_alloc, ASNAP_TABLE_ALIGNED_ALLOC);
    LOOK_UP(memalign, ASNAP_TABLE_MEMALIGN);
    LOOK_UP(valloc, ASNAP_TABLE_VALLOC);
    asnap_under.pvalloc = whole_pages;
    LOOK_UP(pvalloc, ASNAP_TABLE_PVALLOC);
    LOOK_UP(free, ASNAP_TABLE_FREE);
    LOOK_UP(free_sized, ASNAP_TABLE_FREE_SIZED);
    LOOK_UP(free_aligned_sized, ASNAP_TABLE_FREE_ALIGNED_SIZED);
    set(&asnap_under.malloc_usable_size, asnap_symbol_next(libraries, "malloc_usable_size"));
    next.malloc_usable_size = asnap_under.malloc_usable_size;
    if (!libraries->is_late) {
        look_before(libraries, "realloc", &next.realloc_before);
        look_before(libraries, "free", &next.free_before);
    }
    tells_sizes = asnap_linker_same_file(libraries, (uint64_t)(uintptr_t)asnap_under.malloc,
                                         (uint64_t)(uintptr_t)asnap_under.malloc_usable_size);
    asnap_next = next;
}
