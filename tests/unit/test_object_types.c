/* Which blocks begin with vtables, in a program that is made up word by word. */
#include <string.h>

#include "allocsnap_graph.h"
#include "unit.h"

/* A file's constants, its code and a heap, a page each. */
#define CONSTANTS UINT64_C(0x555555554000)
#define CODE (CONSTANTS + 0x1000)
#define HEAP (CONSTANTS + 0x2000)
#define VTABLE (CONSTANTS + 0x110)
#define OTHER (CONSTANTS + 0x210)

enum { BLOCKS = 10 };

static uint8_t memory_bytes[3 * 4096];

static int read_memory(void *context, uint64_t address, void *buffer, size_t size)
{
    (void)context;
    if (address < CONSTANTS || size > sizeof(memory_bytes) ||
        address - CONSTANTS > sizeof(memory_bytes) - size)
        return ASNAP_READ_FAILED;
    memcpy(buffer, memory_bytes + (address - CONSTANTS), size);
    return ASNAP_READ_OK;
}

static void put(uint64_t address, uint64_t word)
{
    memcpy(memory_bytes + (address - CONSTANTS), &word, sizeof(word));
}

static const struct asnap_region regions[] = {
    {.start = CONSTANTS, .end = CODE, .path = "/p", .flags = ASNAP_REGION_READABLE},
    {.start = CODE,
     .end = HEAP,
     .path = "/p",
     .flags = ASNAP_REGION_READABLE | ASNAP_REGION_EXECUTABLE},
    {.start = HEAP,
     .end = HEAP + 4096,
     .path = NULL,
     .flags = ASNAP_REGION_READABLE | ASNAP_REGION_WRITABLE},
};

/* Sizes of the blocks, and the words that each begins with; the rest is zeros. */
static const struct {
    uint64_t size;
    uint64_t words[3];
    char kind; /* of the vtable that is found: v, o, or - */
} blocks[BLOCKS] = {
    {16, {VTABLE}, 'v'},
    {8, {OTHER}, 'o'},
    {7, {VTABLE}, '-'},                 /* too small for a pointer */
    {8 + 3 * 24, {3, VTABLE}, 'v'},     /* an array */
    {8 + 3 * 24, {4, VTABLE}, 'v'},     /* of another size of objects */
    {8 + 3 * 24, {7, VTABLE}, '-'},     /* its size is no multiple */
    {16 + 2 * 32, {0, 2, OTHER}, 'o'},  /* an array of aligned objects */
    {40, {0, 0, VTABLE}, '-'},          /* a pointer somewhere */
    {40, {VTABLE + 8, 0, 0}, '-'},      /* into a vtable */
    {40, {CODE, HEAP, CONSTANTS}, '-'}, /* other pointers */
};

static struct asnap_error *build(struct asnap_snapshot **snapshot)
{
    struct asnap_builder *builder = NULL;
    struct asnap_trace traces[BLOCKS];
    struct asnap_frame frame = {.filename = "a.cc", .lineno = 1};
    uint32_t frame_id, traceback = 0;
    memset(memory_bytes, 0, sizeof(memory_bytes));
    for (uint64_t vtable = VTABLE; vtable <= OTHER; vtable += OTHER - VTABLE) {
        put(vtable - 8, CONSTANTS + 0x300);
        put(vtable, CODE + 0x10);
    }
    put(CONSTANTS + 0x300, CONSTANTS + 0x400); /* type information: a vtable, a name */
    put(CONSTANTS + 0x308, CONSTANTS + 0x500);
    memcpy(memory_bytes + 0x500, "1C", 2);
    struct asnap_error *error = asnap_builder_create(&builder);
    if (error == NULL)
        error = asnap_builder_frame(builder, &frame, 0, ASNAP_NO_MAPPING, &frame_id);
    if (error == NULL)
        error = asnap_builder_traceback(builder, &frame_id, 1, 1, &traceback);
    for (size_t i = 0; i < BLOCKS; i++) {
        uint64_t address = HEAP + 256 * i;
        for (size_t word = 0; word < 3; word++)
            put(address + 8 * word, blocks[i].words[word]);
        traces[i] = (struct asnap_trace){.address = address,
                                         .size = blocks[i].size,
                                         .traceback_id = traceback,
                                         .time = ASNAP_TIME_UNKNOWN};
    }
    if (error == NULL)
        error = asnap_builder_traces(builder, traces, BLOCKS);
    if (error == NULL)
        error = asnap_builder_finish(builder, 16, snapshot);
    asnap_builder_destroy(builder);
    return error;
}

static const struct asnap_memory memory = {.read = read_memory};
static const struct asnap_graph_facts facts = {
    .memory = &memory, .regions = regions, .region_count = 3};

ASNAP_TEST(object_types, where_vtables_are_found)
{
    static const char *const names[] = {"v", "o"};
    struct asnap_snapshot *snapshot = NULL;
    struct asnap_vtable_list *list = NULL;
    struct asnap_statistics *statistics = NULL;
    size_t count;
    ASNAP_ASSERT_OK(build(&snapshot));
    ASNAP_ASSERT_OK(asnap_vtable_list_create(snapshot, &facts, &list));
    const uint64_t *vtables = asnap_vtable_list_addresses(list, &count);
    CU_ASSERT_EQUAL_FATAL(count, 2);
    CU_ASSERT_EQUAL(vtables[0], VTABLE);
    CU_ASSERT_EQUAL(vtables[1], OTHER);
    ASNAP_ASSERT_OK(asnap_vtable_list_name(list, snapshot, names));
    struct asnap_error *again = asnap_vtable_list_name(list, snapshot, names);
    CU_ASSERT_EQUAL(asnap_error_code(again), ASNAP_ERROR_INVALID_ARGUMENT);
    asnap_error_destroy(again);
    ASNAP_ASSERT_OK(asnap_statistics_create(snapshot, ASNAP_KEY_TYPE, false, &statistics));
    for (size_t name = 0; name < 2; name++) {
        uint64_t size = 0, found = 0;
        for (size_t i = 0; i < BLOCKS; i++) {
            size += blocks[i].kind == names[name][0] ? blocks[i].size : 0;
            found += blocks[i].kind == names[name][0];
        }
        bool seen = false;
        for (size_t i = 0; i < asnap_statistics_count(statistics); i++) {
            char buffer[ASNAP_LABEL_SIZE];
            struct asnap_statistic row = asnap_statistics_row(statistics, i);
            if (strcmp(asnap_statistics_label(statistics, i, buffer), names[name]) != 0)
                continue;
            CU_ASSERT_EQUAL(row.size, size);
            CU_ASSERT_EQUAL(row.count, found);
            seen = true;
        }
        CU_ASSERT(seen);
    }
    asnap_statistics_destroy(statistics);
    asnap_vtable_list_destroy(list);
    asnap_snapshot_destroy(snapshot);
}

static struct asnap_error *list_once(void *context)
{
    struct asnap_vtable_list *list = NULL;
    struct asnap_error *error = asnap_vtable_list_create(context, &facts, &list);
    asnap_vtable_list_destroy(list);
    return error;
}

ASNAP_TEST(object_types, every_allocation_may_fail)
{
    struct asnap_snapshot *snapshot = NULL;
    ASNAP_ASSERT_OK(build(&snapshot));
    CU_ASSERT(asnap_unit_sweep(list_once, snapshot) > 5);
    asnap_snapshot_destroy(snapshot);
}
