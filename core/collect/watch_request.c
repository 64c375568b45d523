/* What the hooks watch for, what was reached, and asking them to. */
#include <inttypes.h>
#include <string.h>

#include "error.h"
#include "read.h"
#include "request.h"
#include "table_root.h"

static struct asnap_error *read_watch(const struct asnap_memory *memory, uint64_t root_address,
                                      struct asnap_table_root *root,
                                      struct asnap_table_watch *watch)
{
    struct asnap_error *error = asnap_root_read(memory, root_address, root);
    if (error != NULL)
        return error;
    error = asnap_read(memory, root_address + ASNAP_TABLE_WATCH_OFFSET, watch, sizeof(*watch),
                       "what the hooks watch for");
    if (error != NULL && asnap_error_code(error) == ASNAP_ERROR_UNREADABLE) {
        asnap_error_destroy(error);
        memset(watch, 0, sizeof(*watch));
    } else if (error != NULL) {
        return error;
    }
    if (memcmp(watch->magic, ASNAP_TABLE_WATCH_MAGIC, sizeof(watch->magic)) != 0 ||
        watch->bytes != sizeof(*watch)) {
        return asnap_error_create(ASNAP_ERROR_VERSION,
                                  "the hooks in this process (version %s) do not watch the heap: "
                                  "use the hooks and the library of one allocsnap release",
                                  root->hooks_version);
    }
    return NULL;
}

static struct asnap_watch_limits limits_of(const uint64_t limits[ASNAP_TABLE_WATCH_KINDS])
{
    return (struct asnap_watch_limits){
        .size = limits[ASNAP_TABLE_WATCH_SIZE],
        .block = limits[ASNAP_TABLE_WATCH_BLOCK],
        .count = limits[ASNAP_TABLE_WATCH_COUNT],
        .failed = limits[ASNAP_TABLE_WATCH_FAILED] != 0,
    };
}

_Static_assert(ASNAP_WATCH_SIZE == (int)ASNAP_TABLE_WATCH_SIZE &&
                   ASNAP_WATCH_BLOCK == (int)ASNAP_TABLE_WATCH_BLOCK &&
                   ASNAP_WATCH_COUNT == (int)ASNAP_TABLE_WATCH_COUNT &&
                   ASNAP_WATCH_FAILED == (int)ASNAP_TABLE_WATCH_FAILED &&
                   ASNAP_WATCH_KINDS == (int)ASNAP_TABLE_WATCH_KINDS,
               "the same kinds");

struct asnap_error *asnap_watch_read(const struct asnap_memory *memory, uint64_t root_address,
                                     struct asnap_watch *watch)
{
    struct asnap_table_root root;
    struct asnap_table_watch table;
    if (memory == NULL || watch == NULL)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT, "asnap_watch_read: NULL argument");
    struct asnap_error *error = read_watch(memory, root_address, &root, &table);
    if (error != NULL)
        return error;
    bool waits = asnap_root_pending(&root) && table.number != table.obeyed;
    *watch = (struct asnap_watch){
        .limits = limits_of(waits ? table.asked : table.armed),
        .is_pending = waits,
        .of_sample = root.applied.sample_period != 0,
        .action = waits ? table.asked_action : table.action,
    };
    for (int kind = 0; kind < ASNAP_TABLE_WATCH_KINDS; kind++) {
        const struct asnap_table_reached *reached = &table.reached[kind];
        watch->reached[kind] = (struct asnap_reached){
            .times = reached->times,
            .limit = reached->limit,
            .size = reached->size,
            .count = reached->count,
            .request = reached->request,
            .thread = reached->thread,
        };
    }
    return NULL;
}

struct asnap_error *asnap_watch_prepare(const struct asnap_memory *memory, uint64_t root_address,
                                        const struct asnap_watch_limits *limits,
                                        struct asnap_write writes[ASNAP_WATCH_WRITES])
{
    struct asnap_table_root root;
    struct asnap_table_watch table;
    if (memory == NULL || limits == NULL || writes == NULL) {
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "asnap_watch_prepare: NULL argument");
    }
    struct asnap_error *error = read_watch(memory, root_address, &root, &table);
    if (error != NULL)
        return error;
    struct {
        uint64_t asked[ASNAP_TABLE_WATCH_KINDS];
        uint32_t action;
        uint32_t number;
    } words = {
        .asked = {limits->size, limits->block, limits->count, limits->failed},
        .action = ASNAP_TABLE_WATCH_CALL,
        .number = asnap_request_raised(table.number, table.obeyed),
    };
    _Static_assert(offsetof(struct asnap_table_watch, asked) + sizeof(words) ==
                       offsetof(struct asnap_table_watch, reached),
                   "what a debugger writes");
    _Static_assert(sizeof(words) <= sizeof(writes[0].bytes), "in one piece");
    writes[0].address =
        root_address + ASNAP_TABLE_WATCH_OFFSET + offsetof(struct asnap_table_watch, asked);
    writes[0].size = sizeof(words);
    memcpy(writes[0].bytes, &words, sizeof(words));
    const struct asnap_table_control control = asnap_root_asked(&root);
    asnap_request_write(&root, root_address, &control, writes + 1);
    return NULL;
}
