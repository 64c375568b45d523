/* CPython's own allocator of small blocks (Objects/obmalloc.c, "pymalloc"): arenas, which are
 * mappings of its own, made of pools, which have blocks of one size each. What is said here holds
 * from 3.8 to 3.14. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "grow.h"
#include "py_tables.h"
#include "raw.h"
#include "reserve.h"

/* struct arena_object, of which there is an array from malloc. */
enum { ADDRESS = 0, NEXT_POOL = 8, FREE_POOLS = 16, ALL_POOLS = 20, NEXT_ARENA = 32, OBJECT = 48 };

/* struct pool_header, at the start of a pool. */
enum {
    COUNT = 0, /* of blocks in use; 0: the pool is free */
    FREE_BLOCK = 8,
    ARENA = 32,       /* its place in the array */
    CLASS = 36,       /* blocks of 16 bytes more than 16 times this */
    NEXT_OFFSET = 40, /* of the first block that was never used */
    LAST_OFFSET = 44, /* the greatest that one can have */
    POOL_HEAD = 48,
};

enum {
    STEP = 16,
    CLASSES = 32,
    SMALL_POOL = 4096, /* in arenas of 256 KiB: until 3.9 */
    LARGE_POOL = 16384,
    POOLS = 64, /* of an arena; one fewer where it begins in the middle of one */
    PAGE = 4096,
    LOOKED_AT = 16, /* that the array has at least */
    BLOCKS_MOST = LARGE_POOL / STEP,
    PART_LARGEST = 8 << 20, /* of a file's writable memory that is looked through */
};
#define ARENAS_MOST ((uint64_t)1 << 22)

static const char step[] = "reading Python's arenas";

struct asnap_cpython_arenas {
    struct asnap_cpython_arena *arenas;
    size_t count;
    size_t capacity;
    struct asnap_cpython_class classes[CLASSES];
    struct asnap_trace *blocks;
    size_t block_count;
    size_t block_capacity;
    uint64_t bad_pools; /* whose lists are not what they must be */
    uint64_t unreadable_pools;
};

struct finding {
    const struct asnap_py_memory *py;
    uint64_t array;
    uint32_t pool_size;
};

/* ---- the array of arenas ---- */

static bool leads_into(uint64_t array, uint64_t address)
{
    return address == 0 || (address >= array && (address - array) / OBJECT < ARENAS_MOST &&
                            (address - array) % OBJECT == 0);
}

static uint64_t arena_size(uint32_t pool_size)
{
    return (uint64_t)pool_size * POOLS;
}

/* Whether this is an element of an array; one that has no arena is one, too. An arena without free
 * pools is in no list, and has a link of before the array was moved. */
static bool can_be_arena(const struct asnap_py_memory *py, uint64_t array, const uint8_t *object)
{
    uint64_t address = asnap_py_u64(object + ADDRESS);
    uint64_t next_pool = asnap_py_u64(object + NEXT_POOL);
    uint32_t all = asnap_py_u32(object + ALL_POOLS);
    uint32_t unused = asnap_py_u32(object + FREE_POOLS);
    bool is_listed = address == 0 || unused != 0;
    if (is_listed && !leads_into(array, asnap_py_u64(object + NEXT_ARENA)))
        return false;
    if (address == 0)
        return true;
    const struct asnap_region *region = asnap_py_region(py, address);
    return address % PAGE == 0 && region != NULL && (region->flags & ASNAP_REGION_WRITABLE) != 0 &&
           (all == POOLS || all == POOLS - 1) && unused <= all && next_pool >= address &&
           next_pool - address <= arena_size(LARGE_POOL) && next_pool % SMALL_POOL == 0;
}

/* The size of the pools, by the head of one; 0: it is none of this arena. */
static uint32_t size_by_head(const uint8_t *head, uint64_t place)
{
    uint32_t number = asnap_py_u32(head + CLASS);
    uint32_t last = asnap_py_u32(head + LAST_OFFSET);
    if (asnap_py_u32(head + ARENA) != place || number >= CLASSES || last > LARGE_POOL)
        return 0;
    uint32_t size = last + (number + 1) * STEP;
    return size == SMALL_POOL || size == LARGE_POOL ? size : 0;
}

/* Where pools of a size begin in an arena. */
static uint64_t first_pool(uint64_t arena, uint32_t pool_size)
{
    return (arena + pool_size - 1) / pool_size * pool_size;
}

/* Looks at the first pools of an arena for one that says that it is of this arena. */
static struct asnap_error *size_of_pools(const struct asnap_py_memory *py, const uint8_t *object,
                                         uint64_t place, uint32_t *pool_size)
{
    static const uint32_t sizes[] = {LARGE_POOL, SMALL_POOL};
    struct asnap_error *error = NULL;
    *pool_size = 0;
    for (size_t i = 0; i < 2 && error == NULL && *pool_size == 0; i++) {
        uint8_t head[POOL_HEAD];
        bool is_read = false;
        uint64_t pool = first_pool(asnap_py_u64(object + ADDRESS), sizes[i]);
        if (pool >= asnap_py_u64(object + NEXT_POOL))
            continue;
        error = asnap_py_read(py, pool, head, sizeof(head), &is_read);
        if (error == NULL && is_read && size_by_head(head, place) == sizes[i])
            *pool_size = sizes[i];
    }
    return error;
}

/* Whether a word leads to the array. */
static struct asnap_error *check_array(struct finding *finding, uint64_t array, bool *found)
{
    uint8_t objects[LOOKED_AT * OBJECT];
    const struct asnap_py_memory *py = finding->py;
    const struct asnap_region *region = asnap_py_region(py, array);
    bool is_read = false;
    struct asnap_error *error = NULL;
    if (array % 16 != 0 || region == NULL || (region->flags & ASNAP_REGION_WRITABLE) == 0 ||
        region->end - array < sizeof(objects))
        return NULL;
    error = asnap_py_read(py, array, objects, OBJECT, &is_read);
    if (error != NULL || !is_read || !can_be_arena(py, array, objects))
        return error;
    error = asnap_py_read(py, array, objects, sizeof(objects), &is_read);
    if (error != NULL || !is_read)
        return error;
    for (size_t i = 0; i < LOOKED_AT; i++) {
        if (!can_be_arena(py, array, objects + i * OBJECT))
            return NULL;
    }
    for (size_t i = 0; i < LOOKED_AT && error == NULL && !*found; i++) {
        if (asnap_py_u64(objects + i * OBJECT + ADDRESS) == 0)
            continue;
        error = size_of_pools(py, objects + i * OBJECT, i, &finding->pool_size);
        *found = error == NULL && finding->pool_size != 0;
    }
    if (*found)
        finding->array = array;
    return error;
}

static struct asnap_error *look_for_array(void *context, uint64_t start, uint64_t end, bool *found)
{
    struct finding *finding = context;
    bool is_read = false;
    if (end - start > PART_LARGEST)
        return NULL;
    uint8_t *part = malloc((size_t)(end - start) + 1);
    if (part == NULL)
        return asnap_error_no_memory();
    struct asnap_error *error =
        asnap_py_read(finding->py, start, part, (size_t)(end - start), &is_read);
    for (size_t at = 0; is_read && error == NULL && !*found && at + 8 <= end - start; at += 8) {
        error = check_array(finding, asnap_py_u64(part + at), found);
        if (error == NULL && at % 65536 == 0)
            error = asnap_py_ask(finding->py, step, at, end - start);
    }
    free(part);
    return error;
}

/* ---- pools ---- */

static struct asnap_error *add_block(struct asnap_cpython_arenas *made, uint64_t address,
                                     uint32_t size)
{
    if (made->block_count == made->block_capacity) {
        struct asnap_trace *blocks =
            asnap_grow(made->blocks, &made->block_capacity, made->block_count + 1, sizeof(*blocks));
        if (blocks == NULL)
            return asnap_error_no_memory();
        made->blocks = blocks;
    }
    made->blocks[made->block_count++] =
        (struct asnap_trace){.address = address, .size = size, .time = ASNAP_TIME_UNKNOWN};
    return NULL;
}

/* Marks the blocks of a pool that are free, of `used` that were ever handed out; returns how many.
 * Every block is followed once. */
static uint32_t mark_free(const uint8_t *pool, uint64_t address, uint32_t size, uint32_t used,
                          bool *is_free)
{
    uint32_t count = 0;
    uint64_t block = asnap_py_u64(pool + FREE_BLOCK);
    while (block != 0) {
        uint64_t offset = block - address - POOL_HEAD;
        if (offset % size != 0 || offset / size >= used || is_free[offset / size])
            break;
        is_free[offset / size] = true;
        count++;
        block = asnap_py_u64(pool + POOL_HEAD + offset);
    }
    return count;
}

/* A pool with blocks in use. */
static struct asnap_error *take_pool(struct asnap_cpython_arenas *made, const uint8_t *pool,
                                     uint64_t address, uint32_t pool_size,
                                     struct asnap_cpython_arena *arena)
{
    bool is_free[BLOCKS_MOST] = {false};
    uint32_t number = asnap_py_u32(pool + CLASS);
    uint32_t size = (number + 1) * STEP;
    uint32_t most = (pool_size - POOL_HEAD) / size;
    uint32_t next = asnap_py_u32(pool + NEXT_OFFSET);
    uint32_t used = next < POOL_HEAD ? 0 : (next - POOL_HEAD) / size;
    used = used < most ? used : most;
    uint32_t live = used - mark_free(pool, address, size, used, is_free);
    made->bad_pools += live != asnap_py_u32(pool + COUNT);
    struct asnap_cpython_class *class = &made->classes[number];
    class->pools++;
    class->blocks += live;
    class->free_blocks += most - live;
    arena->used_pools++;
    arena->blocks += live;
    arena->size_in_use += (uint64_t)live * size;
    arena->size_free += (uint64_t)(most - live) * size;
    struct asnap_error *error = NULL;
    for (uint32_t i = 0; i < used && error == NULL; i++) {
        if (!is_free[i])
            error = add_block(made, address + POOL_HEAD + (uint64_t)i * size, size);
    }
    return error;
}

static struct asnap_error *add_arena(struct asnap_cpython_arenas *made,
                                     const struct asnap_cpython_arena *arena)
{
    struct asnap_cpython_arena *arenas =
        asnap_grow(made->arenas, &made->capacity, made->count + 1, sizeof(*arenas));
    if (arenas == NULL)
        return asnap_error_no_memory();
    made->arenas = arenas;
    arenas[made->count++] = *arena;
    return NULL;
}

static struct asnap_error *take_arena(const struct finding *finding,
                                      struct asnap_cpython_arenas *made, const uint8_t *object,
                                      uint64_t place, uint8_t *pool)
{
    uint32_t pool_size = finding->pool_size;
    struct asnap_cpython_arena arena = {
        .address = asnap_py_u64(object + ADDRESS),
        .size = arena_size(pool_size),
        .pool_size = pool_size,
        .pools = asnap_py_u32(object + ALL_POOLS),
    };
    uint64_t end = asnap_py_u64(object + NEXT_POOL);
    uint64_t last = arena.address + arena.size;
    end = end < last ? end : last;
    struct asnap_error *error = NULL;
    for (uint64_t at = first_pool(arena.address, pool_size);
         error == NULL && at < end && end - at >= pool_size; at += pool_size) {
        bool is_read;
        error = asnap_py_read(finding->py, at, pool, pool_size, &is_read);
        if (error != NULL)
            break;
        if (!is_read)
            made->unreadable_pools++;
        else if (asnap_py_u32(pool + COUNT) == 0)
            continue;
        else if (size_by_head(pool, place) != pool_size)
            made->bad_pools++;
        else
            error = take_pool(made, pool, at, pool_size, &arena);
    }
    return error == NULL ? add_arena(made, &arena) : error;
}

static struct asnap_error *take_all(const struct finding *finding,
                                    struct asnap_cpython_arenas *made)
{
    uint8_t object[OBJECT];
    uint8_t *pool = malloc(LARGE_POOL);
    struct asnap_error *error = pool == NULL ? asnap_error_no_memory() : NULL;
    for (uint64_t i = 0; error == NULL && i < ARENAS_MOST; i++) {
        bool is_read;
        error = asnap_py_read(finding->py, finding->array + i * OBJECT, object, OBJECT, &is_read);
        if (error != NULL || !is_read || !can_be_arena(finding->py, finding->array, object))
            break;
        if (asnap_py_u64(object + ADDRESS) != 0)
            error = take_arena(finding, made, object, i, pool);
        if (error == NULL && i % 64 == 0)
            error = asnap_py_ask(finding->py, step, i, 0);
    }
    free(pool);
    return error;
}

/* ---- what others ask for ---- */

struct asnap_error *asnap_cpython_arenas_read(const struct asnap_memory *memory, const char *path,
                                              const struct asnap_region *regions,
                                              size_t region_count,
                                              const struct asnap_progress *progress,
                                              struct asnap_cpython_arenas **arenas)
{
    if (memory == NULL || path == NULL || arenas == NULL || (regions == NULL && region_count != 0))
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "asnap_cpython_arenas_read: NULL argument");
    struct asnap_py_memory py = asnap_py_memory_of(memory, regions, region_count, progress);
    struct finding finding = {.py = &py};
    bool found = false;
    struct asnap_cpython_arenas *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return asnap_error_no_memory();
    struct asnap_error *error = asnap_py_each_part(&py, path, look_for_array, &finding, &found);
    if (error == NULL && found)
        error = take_all(&finding, made);
    if (error != NULL) {
        asnap_cpython_arenas_destroy(made);
        return error;
    }
    *arenas = made;
    return NULL;
}

void asnap_cpython_arenas_destroy(struct asnap_cpython_arenas *arenas)
{
    if (arenas == NULL)
        return;
    free(arenas->arenas);
    free(arenas->blocks);
    free(arenas);
}

const struct asnap_cpython_arena *
asnap_cpython_arenas_list(const struct asnap_cpython_arenas *arenas, size_t *count)
{
    *count = arenas->count;
    return arenas->arenas;
}

const struct asnap_cpython_class *
asnap_cpython_arenas_classes(const struct asnap_cpython_arenas *arenas, size_t *count)
{
    *count = CLASSES;
    return arenas->classes;
}

uint64_t asnap_cpython_arenas_damaged(const struct asnap_cpython_arenas *arenas)
{
    return arenas->bad_pools + arenas->unreadable_pools;
}

struct asnap_error *asnap_cpython_arenas_add(const struct asnap_cpython_arenas *arenas,
                                             struct asnap_raw *raw)
{
    size_t count = raw->trace_count + arenas->block_count;
    if (arenas->block_count == 0)
        return NULL;
    struct asnap_trace *traces = asnap_reserve_take(count + 1, sizeof(*traces));
    if (traces == NULL)
        return asnap_error_no_memory();
    if (raw->trace_count != 0)
        memcpy(traces, raw->traces, raw->trace_count * sizeof(*traces));
    memcpy(traces + raw->trace_count, arenas->blocks, arenas->block_count * sizeof(*traces));
    asnap_reserve_give(raw->traces);
    raw->traces = traces;
    raw->trace_count = count;
    return NULL;
}
