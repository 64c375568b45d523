/* Calls that were to free what is no live traced block. */
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "raw_read.h"
#include "reserve.h"
#include "table_root.h"

struct reading {
    struct asnap_inferior *inferior;
    const struct asnap_table_root *root;
    const struct asnap_table_errors *told;
    struct asnap_node_places places; /* of the nodes */
    struct asnap_raw *raw;
    bool moving;
    struct asnap_table_error *errors; /* that are shown */
    size_t count;
};

static bool is_sound(const struct asnap_table_errors *told)
{
    for (int kind = 0; kind < ASNAP_TABLE_ERROR_KINDS; kind++)
        if (told->rings[kind].cleared > told->rings[kind].count ||
            told->rings[kind].count >= ASNAP_TABLE_FREED_BUSY)
            return false;
    return told->capacity <= ASNAP_TABLE_ERRORS_MAX && (told->capacity == 0) == (told->errors == 0);
}

/* `told` is all zero where the hooks keep none, or are of a release that cannot. */
static struct asnap_error *read_rings(const struct asnap_memory *memory, uint64_t root_address,
                                      struct asnap_table_errors *told)
{
    struct asnap_error *error = asnap_raw_beside(
        memory, root_address + ASNAP_TABLE_ERRORS_OFFSET, told, sizeof(*told),
        ASNAP_TABLE_ERRORS_MAGIC, sizeof(struct asnap_table_error), "what the hooks say of errors");
    if (error != NULL)
        return error;
    if (is_sound(told))
        return NULL;
    return asnap_error_create(ASNAP_ERROR_DAMAGED,
                              "what the hooks say of wrong calls of free is damaged: the program "
                              "has overwritten it; restart the program to trace it again");
}

static bool is_stack(const struct reading *reading, uint32_t stack)
{
    return stack == ASNAP_TABLE_NONE || stack < reading->root->node_count;
}

static bool is_thread(const struct reading *reading, uint32_t thread)
{
    return thread == 0 || thread < reading->root->thread_count;
}

/* Whether an error can be true. */
static bool is_possible(const struct reading *reading, const struct asnap_table_error *one)
{
    return one->check == (uint32_t)one->number && is_stack(reading, one->stack) &&
           is_stack(reading, one->freed_stack) && is_stack(reading, one->again_stack) &&
           asnap_table_key_address(one->key) != 0 &&
           asnap_table_key_domain(one->key) < reading->root->domain_count &&
           is_thread(reading, asnap_table_extent_thread(one->extent)) &&
           is_thread(reading, one->freed_thread) && is_thread(reading, one->again_thread);
}

/* Adds those of a kind, the last one first; `all` is the places of that kind. */
static uint64_t keep_kind(struct reading *reading, const struct asnap_table_error_ring *ring,
                          const struct asnap_table_error *all)
{
    const uint64_t capacity = reading->told->capacity;
    const size_t before = reading->count;
    uint64_t last = ring->count > capacity ? ring->count - capacity : 0;
    if (last < ring->cleared)
        last = ring->cleared;
    for (uint64_t number = ring->count; number > last; number--) {
        const struct asnap_table_error *one = &all[(number - 1) % capacity];
        if (one->number != number)
            continue;
        if (is_possible(reading, one))
            reading->errors[reading->count++] = *one;
        else
            reading->raw->bad_records += !reading->moving;
    }
    return reading->count - before;
}

static uint64_t counted(const struct asnap_table_error_ring *ring)
{
    uint64_t numbers = ring->count - ring->cleared;
    return numbers - (ring->taken_back < numbers ? ring->taken_back : numbers);
}

static struct asnap_error *read_places(struct reading *reading, struct asnap_errors *errors)
{
    static const size_t SIZE = sizeof(struct asnap_table_error);
    const struct asnap_table_errors *told = reading->told;
    const uint64_t count = ASNAP_TABLE_ERROR_KINDS * told->capacity;
    struct asnap_table_error *all = calloc(2 * count, SIZE);
    if (all == NULL)
        return asnap_error_no_memory();
    reading->errors = all + count;
    struct asnap_error *error = asnap_raw_items(reading->inferior, told->errors, all, count * SIZE,
                                                "wrong calls of free", reading->raw);
    if (error == NULL) {
        errors->twice_shown = keep_kind(reading, &told->rings[ASNAP_TABLE_ERROR_TWICE], all);
        errors->unknown_shown =
            keep_kind(reading, &told->rings[ASNAP_TABLE_ERROR_UNKNOWN], all + told->capacity);
    }
    memmove(all, reading->errors, reading->count * SIZE);
    reading->errors = all;
    return error;
}

/* When the last block was freed; 0 where it is not known. */
static struct asnap_error *read_newest(const struct asnap_memory *memory, uint64_t root_address,
                                       uint32_t *newest)
{
    struct asnap_table_freed ring;
    struct asnap_table_freed_block last = {0};
    struct asnap_error *error = asnap_freed_ring(memory, root_address, &ring);
    *newest = 0;
    if (error != NULL || ring.capacity == 0 || ring.count == ring.cleared)
        return error;
    uint64_t place = (ring.count - 1) % ring.capacity;
    error = asnap_read(memory, ring.blocks + place * sizeof(last), &last, sizeof(last),
                       "the last freed block");
    if (error != NULL && asnap_error_code(error) != ASNAP_ERROR_UNREADABLE)
        return error;
    asnap_error_destroy(error);
    if (last.number == ring.count && last.check == (uint32_t)last.number)
        *newest = last.freed_time;
    return NULL;
}

static uint32_t place_of(const struct reading *reading, uint32_t stack, uint32_t not_known)
{
    return stack == ASNAP_TABLE_NONE ? not_known : asnap_node_place(&reading->places, stack);
}

static struct asnap_error *make_traces(struct reading *reading, size_t twice)
{
    struct asnap_raw *raw = reading->raw;
    uint32_t not_known;
    struct asnap_error *error = asnap_raw_add_origin(raw, &not_known);
    if (error != NULL)
        return error;
    raw->traces = asnap_reserve_take(3 * reading->count + 1, sizeof(*raw->traces));
    if (raw->traces == NULL)
        return asnap_error_no_memory();
    for (size_t i = 0; i < reading->count; i++) {
        const struct asnap_table_error *one = &reading->errors[i];
        struct asnap_trace *again = &raw->traces[i];
        struct asnap_trace *freed = again + reading->count;
        struct asnap_trace *allocated = freed + reading->count;
        again->address = asnap_table_key_address(one->key);
        again->size = asnap_table_extent_size(one->extent);
        again->domain = reading->root->domains[asnap_table_key_domain(one->key)];
        again->traceback_id = place_of(reading, one->again_stack, not_known);
        *freed = *allocated = *again;
        again->thread = one->again_thread;
        again->time = one->again_time;
        freed->traceback_id = place_of(reading, one->freed_stack, not_known);
        freed->thread = one->freed_thread;
        freed->time = i < twice ? one->freed_time : ASNAP_TIME_UNKNOWN;
        allocated->traceback_id = place_of(reading, one->stack, not_known);
        allocated->thread = asnap_table_extent_thread(one->extent);
        allocated->time = i < twice ? one->time : ASNAP_TIME_UNKNOWN;
    }
    raw->trace_count = 3 * reading->count;
    return NULL;
}

struct asnap_error *asnap_errors_read(const struct asnap_memory *memory, uint64_t root_address,
                                      bool moving, const struct asnap_progress *progress,
                                      struct asnap_errors *errors, struct asnap_raw **raw)
{
    struct asnap_table_root root;
    struct asnap_table_errors told;
    struct asnap_raw *result;
    if (memory == NULL || errors == NULL || raw == NULL)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT, "asnap_errors_read: NULL argument");
    struct asnap_error *error = read_rings(memory, root_address, &told);
    if (error == NULL)
        error = asnap_raw_begin(memory, root_address, &root, &result);
    if (error != NULL)
        return error;
    struct asnap_inferior inferior = asnap_inferior_of(memory, progress);
    struct reading reading = {
        .inferior = &inferior, .root = &root, .told = &told, .raw = result, .moving = moving};
    struct asnap_errors said = {.is_kept = told.capacity != 0};
    if (asnap_root_current(&root) && said.is_kept) {
        said.twice_count = counted(&told.rings[ASNAP_TABLE_ERROR_TWICE]);
        said.unknown_count = counted(&told.rings[ASNAP_TABLE_ERROR_UNKNOWN]);
        error = asnap_raw_lists(&inferior, &root, moving, &reading.places, result);
        if (error == NULL)
            error = read_places(&reading, &said);
        if (error == NULL)
            error = make_traces(&reading, said.twice_shown);
        if (error == NULL)
            error = read_newest(memory, root_address, &said.newest);
    }
    asnap_node_places_deinit(&reading.places);
    free(reading.errors);
    if (error != NULL) {
        asnap_raw_destroy(result);
        return error;
    }
    *errors = said;
    *raw = result;
    return NULL;
}
