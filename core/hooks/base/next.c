#include "next.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdint.h>
#include <string.h>

/* The dynamic linker allocates a little while symbols are looked up. */
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

/* A failure must not be what the program's next dlerror reports. The next success
 * takes it away; dlerror itself would translate it, which is too much this early. */
static void forget_failure(void)
{
    (void)dlsym(RTLD_NEXT, "malloc");
}

static void *find_in(void *library, const char *name)
{
    void *found = dlsym(library, name);
    if (found == NULL)
        forget_failure();
    return found;
}

/* The handle of a library that is loaded already, or NULL. */
static void *open_loaded(const char *name)
{
    void *library = dlopen(name, RTLD_LAZY | RTLD_NOLOAD);
    if (library == NULL)
        forget_failure();
    return library;
}

static void *find_next(const char *name)
{
    return find_in(RTLD_NEXT, name);
}

/* Stores dlsym's answer through a function pointer's bytes, as POSIX has it. */
static void look_up(const char *name, void *place, size_t bytes)
{
    void *found = find_next(name);
    if (found != NULL)
        memcpy(place, &found, bytes);
}

#define LOOK_UP(NAME) look_up(#NAME, &found.NAME, sizeof(found.NAME))

void asnap_next_resolve(void)
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
    LOOK_UP(pvalloc);
    LOOK_UP(malloc_usable_size);
    LOOK_UP(free_sized);
    LOOK_UP(free_aligned_sized);
    asnap_next = found;
}

/* Where a program that is not position-independent takes the address of a function, that is
 * a place of its own which leads to the function: a symbol that it does not define. */
bool asnap_next_is_first(void)
{
    Dl_info hooks;
    Dl_info first;
    void *entry = NULL;
    void *found = find_in(RTLD_DEFAULT, "malloc");
    return found == NULL || dladdr(&asnap_next, &hooks) == 0 ||
           dladdr1(found, &first, &entry, RTLD_DL_SYMENT) == 0 ||
           first.dli_fbase == hooks.dli_fbase ||
           (entry != NULL && ((const ElfW(Sym) *)entry)->st_shndx == SHN_UNDEF);
}

void *asnap_next_find_object(void)
{
    return find_in(RTLD_DEFAULT, "_dl_find_object");
}

const char *asnap_next_single_threaded(const char *unknown)
{
    const char *found = find_in(RTLD_DEFAULT, "__libc_single_threaded");
    return found != NULL ? found : unknown;
}

void *asnap_next_global_operator(const char *name)
{
    return find_next(name);
}

void *asnap_next_module_operator(const char *name, const void *caller)
{
    Dl_info module;
    if (dladdr(caller, &module) == 0)
        return NULL;
    void *library = open_loaded(module.dli_fname);
    if (library == NULL)
        return NULL;
    void *found = find_in(library, name);
    dlclose(library); /* the caller keeps it loaded */
    return found;
}

/* A dl_iterate_phdr callback: one object knows it. */
static int note_loads(struct dl_phdr_info *object, size_t size, void *argument)
{
    unsigned long long *loads = argument;
    (void)size;
    *loads = object->dlpi_adds;
    return 1;
}

unsigned long long asnap_next_loads(void)
{
    unsigned long long loads = 0;
    dl_iterate_phdr(note_loads, &loads);
    return loads;
}

void *asnap_next_operator(const char *name)
{
    static const char *const libraries[] = {"libstdc++.so.6", "libc++.so.1"};
    void *found = asnap_next_global_operator(name);
    for (size_t i = 0; found == NULL && i < sizeof(libraries) / sizeof(libraries[0]); i++) {
        /* The handle stays open: the function must. */
        void *library = open_loaded(libraries[i]);
        if (library != NULL)
            found = find_in(library, name);
    }
    return found;
}
