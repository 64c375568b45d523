/* Python's arenas, in a program that is made up: what is read, and what damage makes of it. */
#include <stdlib.h>
#include <string.h>

#include "allocsnap_cpython.h"
#include "raw.h"
#include "unit.h"

enum { POOL = 16384, ARENA_BYTES = 64 * POOL, DATA_BYTES = 4096, HEAP_BYTES = 4096 };

#define DATA UINT64_C(0x900000)
#define HEAP UINT64_C(0x1200000)
#define ARENA UINT64_C(0x7f0000100000)

static uint8_t data[DATA_BYTES];
static uint8_t heap[HEAP_BYTES];
static uint8_t arena[ARENA_BYTES];

static const struct asnap_region regions[] = {
    {.start = DATA,
     .end = DATA + DATA_BYTES,
     .flags = ASNAP_REGION_READABLE | ASNAP_REGION_WRITABLE,
     .path = "/usr/bin/python3"},
    {.start = HEAP,
     .end = HEAP + HEAP_BYTES,
     .flags = ASNAP_REGION_READABLE | ASNAP_REGION_WRITABLE,
     .path = "[heap]"},
    {.start = ARENA,
     .end = ARENA + ARENA_BYTES,
     .flags = ASNAP_REGION_READABLE | ASNAP_REGION_WRITABLE,
     .path = ""},
};

static int read_made(void *context, uint64_t address, void *buffer, size_t size)
{
    static uint8_t *const pieces[] = {data, heap, arena};
    (void)context;
    for (size_t i = 0; i < 3; i++) {
        const struct asnap_region *region = &regions[i];
        if (address >= region->start && address < region->end && size <= region->end - address) {
            memcpy(buffer, pieces[i] + (address - region->start), size);
            return ASNAP_READ_OK;
        }
    }
    return ASNAP_READ_FAILED;
}

static const struct asnap_memory memory = {.read = read_made};

static void put64(uint8_t *to, uint64_t value)
{
    memcpy(to, &value, sizeof(value));
}

static void put32(uint8_t *to, uint32_t value)
{
    memcpy(to, &value, sizeof(value));
}

/* A pool of 64 bytes a block: ten were handed out, and those at places 2 and 5 are free. */
static void make_pool(uint64_t number)
{
    uint8_t *pool = arena + number * POOL;
    uint64_t first = ARENA + number * POOL + 48;
    put32(pool, 8);
    put64(pool + 8, first + UINT64_C(2) * 64);
    put64(pool + 48 + 2 * 64, first + UINT64_C(5) * 64);
    put64(pool + 48 + 5 * 64, 0);
    put32(pool + 32, 1); /* the second element of the array */
    put32(pool + 36, 3);
    put32(pool + 40, 48 + 10 * 64);
    put32(pool + 44, POOL - 64);
}

/* The first element of the array has no arena; of the second one, two pools were in use, and the
 * second of these has no block. */
static void make(void)
{
    memset(data, 0, sizeof(data));
    memset(heap, 0, sizeof(heap));
    memset(arena, 0, sizeof(arena));
    put64(data + 800, HEAP + 64);
    uint8_t *object = heap + 64 + 48;
    put64(object, ARENA);
    put64(object + 8, ARENA + 2 * (uint64_t)POOL);
    put32(object + 16, 63);
    put32(object + 20, 64);
    make_pool(0);
}

static struct asnap_error *read_all(struct asnap_cpython_arenas **arenas)
{
    return asnap_cpython_arenas_read(&memory, "/usr/bin/python3", regions, 3, NULL, arenas);
}

static void check(uint64_t blocks, uint64_t damaged)
{
    size_t count;
    struct asnap_cpython_arenas *arenas;
    ASNAP_ASSERT_OK(read_all(&arenas));
    const struct asnap_cpython_arena *list = asnap_cpython_arenas_list(arenas, &count);
    CU_ASSERT_FATAL(count == 1);
    CU_ASSERT_EQUAL(list[0].blocks, blocks);
    CU_ASSERT_EQUAL(list[0].size_in_use, blocks * 64);
    CU_ASSERT_EQUAL(asnap_cpython_arenas_damaged(arenas), damaged);
    asnap_cpython_arenas_destroy(arenas);
}

ASNAP_TEST(cpython_arenas, blocks_are_those_in_no_list)
{
    size_t count;
    struct asnap_cpython_arenas *arenas;
    struct asnap_raw raw = {0};
    make();
    ASNAP_ASSERT_OK(read_all(&arenas));
    const struct asnap_cpython_arena *list = asnap_cpython_arenas_list(arenas, &count);
    CU_ASSERT_FATAL(count == 1);
    CU_ASSERT_EQUAL(list[0].address, ARENA);
    CU_ASSERT_EQUAL(list[0].size, ARENA_BYTES);
    CU_ASSERT_EQUAL(list[0].used_pools, 1);
    CU_ASSERT_EQUAL(list[0].pools, 64);
    CU_ASSERT_EQUAL(list[0].size_free, (255 - 8) * 64);
    const struct asnap_cpython_class *classes = asnap_cpython_arenas_classes(arenas, &count);
    CU_ASSERT_EQUAL(classes[3].blocks, 8);
    CU_ASSERT_EQUAL(classes[3].free_blocks, 255 - 8);
    ASNAP_ASSERT_OK(asnap_cpython_arenas_add(arenas, &raw));
    static const uint64_t places[] = {0, 1, 3, 4, 6, 7, 8, 9};
    CU_ASSERT_FATAL(raw.trace_count == 8);
    for (size_t i = 0; i < 8; i++) {
        CU_ASSERT_EQUAL(raw.traces[i].address, ARENA + 48 + places[i] * 64);
        CU_ASSERT_EQUAL(raw.traces[i].size, 64);
    }
    free(raw.traces);
    asnap_cpython_arenas_destroy(arenas);
}

ASNAP_TEST(cpython_arenas, says_what_contradicts_itself)
{
    make();
    check(8, 0);
    /* A list that leads into itself. */
    put64(arena + 48 + 5 * 64, ARENA + 48 + 2 * 64);
    check(8, 0);
    /* One that leads out of the pool, between two blocks, and to what was never handed out. */
    put64(arena + 48 + 2 * 64, HEAP);
    check(9, 1);
    put64(arena + 48 + 2 * 64, ARENA + 50);
    check(9, 1);
    put64(arena + 48 + 2 * 64, ARENA + 48 + 11 * 64);
    check(9, 1);
    /* Offsets that are beyond the pool. */
    make();
    put32(arena + 40, UINT32_MAX);
    check(253, 1);
}

ASNAP_TEST(cpython_arenas, finds_none_where_nothing_looks_like_one)
{
    size_t count;
    struct asnap_cpython_arenas *arenas;
    make();
    put32(arena + 32, 7); /* of another arena */
    ASNAP_ASSERT_OK(read_all(&arenas));
    (void)asnap_cpython_arenas_list(arenas, &count);
    CU_ASSERT_EQUAL(count, 0);
    asnap_cpython_arenas_destroy(arenas);
    ASNAP_ASSERT_ERROR(asnap_cpython_arenas_read(&memory, NULL, regions, 3, NULL, &arenas),
                       ASNAP_ERROR_INVALID_ARGUMENT);
}

static struct asnap_error *read_once(void *context)
{
    struct asnap_raw raw = {0};
    struct asnap_cpython_arenas *arenas;
    (void)context;
    struct asnap_error *error = read_all(&arenas);
    if (error != NULL)
        return error;
    error = asnap_cpython_arenas_add(arenas, &raw);
    free(raw.traces);
    asnap_cpython_arenas_destroy(arenas);
    return error;
}

ASNAP_TEST(cpython_arenas, survives_lack_of_memory)
{
    make();
    CU_ASSERT(asnap_unit_sweep(read_once, NULL) > 3);
}
