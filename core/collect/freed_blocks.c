/* The blocks that were freed last: who allocated them, and who freed them. */
#include <inttypes.h>
#include <stdlib.h>

#include "error.h"
#include "grow.h"
#include "raw_read.h"
#include "reserve.h"
#include "table_root.h"

/* Places that are read at once. */
enum { PIECE = 4096 };

struct reading {
    struct asnap_inferior *inferior;
    const struct asnap_table_root *root;
    const struct asnap_table_freed *ring;
    struct asnap_node_places places; /* of the nodes */
    struct asnap_raw *raw;
    bool moving;
    struct asnap_table_freed_block *blocks; /* that are shown, the last one first */
    size_t count;
    size_t capacity;
};

struct asnap_error *asnap_freed_ring(const struct asnap_memory *memory, uint64_t root_address,
                                     struct asnap_table_freed *ring)
{
    struct asnap_error *error =
        asnap_raw_beside(memory, root_address + ASNAP_TABLE_FREED_OFFSET, ring, sizeof(*ring),
                         ASNAP_TABLE_FREED_MAGIC, sizeof(struct asnap_table_freed_block),
                         "what the hooks say of freed blocks");
    if (error != NULL)
        return error;
    if (ring->capacity <= ASNAP_TABLE_FREED_MAX && ring->cleared <= ring->count &&
        (ring->capacity == 0) == (ring->blocks == 0) && ring->count < ASNAP_TABLE_FREED_BUSY)
        return NULL;
    return asnap_error_create(ASNAP_ERROR_DAMAGED,
                              "what the hooks say of freed blocks is damaged: the program has "
                              "overwritten it; restart the program to trace it again");
}

/* Whether a block that was freed can be true. */
static bool is_possible(const struct reading *reading, const struct asnap_table_freed_block *block)
{
    const struct asnap_table_root *root = reading->root;
    uint32_t thread = asnap_table_extent_thread(block->extent);
    return block->check == (uint32_t)block->number && block->stack < root->node_count &&
           (block->freed_stack == ASNAP_TABLE_NONE || block->freed_stack < root->node_count) &&
           asnap_table_key_address(block->key) != 0 &&
           asnap_table_key_domain(block->key) < root->domain_count &&
           (thread == 0 || thread < root->thread_count) &&
           (block->freed_thread == 0 || block->freed_thread < root->thread_count);
}

/* Keeps it where block `number` is there: one can be overwritten, or not written yet. */
static struct asnap_error *keep(struct reading *reading, uint64_t number,
                                const struct asnap_table_freed_block *block)
{
    if (block->number != number)
        return NULL;
    if (!is_possible(reading, block)) {
        reading->raw->bad_records += !reading->moving;
        return NULL;
    }
    struct asnap_table_freed_block *blocks = asnap_grow(
        reading->blocks, &reading->capacity, reading->count + 1, sizeof(*reading->blocks));
    if (blocks == NULL)
        return asnap_error_no_memory();
    reading->blocks = blocks;
    reading->blocks[reading->count++] = *block;
    return NULL;
}

/* Reads those from `number` down to the beginning of a piece, or of the ring; the last that is read
 * goes into `first`. */
static struct asnap_error *read_piece(struct reading *reading, uint64_t number, uint64_t last,
                                      uint64_t *first)
{
    static const size_t SIZE = sizeof(struct asnap_table_freed_block);
    uint64_t place = (number - 1) % reading->ring->capacity;
    uint64_t count = place % PIECE + 1;
    if (count > number - last)
        count = number - last;
    struct asnap_table_freed_block *blocks = calloc(count, SIZE);
    if (blocks == NULL)
        return asnap_error_no_memory();
    struct asnap_error *error =
        asnap_raw_items(reading->inferior, reading->ring->blocks + (place + 1 - count) * SIZE,
                        blocks, count * SIZE, "freed blocks", reading->raw);
    for (uint64_t i = 0; i < count && error == NULL; i++)
        error = keep(reading, number - i, &blocks[count - 1 - i]);
    free(blocks);
    *first = number - count;
    return error;
}

static struct asnap_error *read_blocks(struct reading *reading)
{
    const struct asnap_table_freed *ring = reading->ring;
    uint64_t last = ring->count > ring->capacity ? ring->count - ring->capacity : 0;
    if (last < ring->cleared)
        last = ring->cleared;
    struct asnap_error *error = NULL;
    for (uint64_t number = ring->count; number > last && error == NULL;)
        error = read_piece(reading, number, last, &number);
    return error;
}

static struct asnap_error *make_traces(struct reading *reading)
{
    struct asnap_raw *raw = reading->raw;
    uint32_t not_known = 0;
    struct asnap_error *error = asnap_raw_add_origin(raw, &not_known);
    if (error != NULL)
        return error;
    raw->traces = asnap_reserve_take(2 * reading->count + 1, sizeof(*raw->traces));
    if (raw->traces == NULL)
        return asnap_error_no_memory();
    for (size_t i = 0; i < reading->count; i++) {
        const struct asnap_table_freed_block *block = &reading->blocks[i];
        struct asnap_trace *allocated = &raw->traces[i];
        struct asnap_trace *freed = &raw->traces[reading->count + i];
        allocated->address = asnap_table_key_address(block->key);
        allocated->size = asnap_table_extent_size(block->extent);
        allocated->domain = reading->root->domains[asnap_table_key_domain(block->key)];
        *freed = *allocated;
        allocated->traceback_id = asnap_node_place(&reading->places, block->stack);
        allocated->thread = asnap_table_extent_thread(block->extent);
        allocated->time = block->time;
        freed->traceback_id = block->freed_stack == ASNAP_TABLE_NONE
                                  ? not_known
                                  : asnap_node_place(&reading->places, block->freed_stack);
        freed->thread = block->freed_thread;
        freed->time = block->freed_time;
    }
    raw->trace_count = 2 * reading->count;
    return NULL;
}

struct asnap_error *asnap_freed_read(const struct asnap_memory *memory, uint64_t root_address,
                                     bool moving, const struct asnap_progress *progress,
                                     struct asnap_freed *freed, struct asnap_raw **raw)
{
    struct asnap_table_root root;
    struct asnap_table_freed ring;
    struct asnap_raw *result;
    if (memory == NULL || freed == NULL || raw == NULL)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT, "asnap_freed_read: NULL argument");
    struct asnap_error *error = asnap_freed_ring(memory, root_address, &ring);
    if (error == NULL)
        error = asnap_raw_begin(memory, root_address, &root, &result);
    if (error != NULL)
        return error;
    struct asnap_inferior inferior = asnap_inferior_of(memory, progress);
    struct reading reading = {
        .inferior = &inferior, .root = &root, .ring = &ring, .raw = result, .moving = moving};
    if (asnap_root_current(&root) && ring.capacity != 0) {
        error = asnap_raw_lists(&inferior, &root, moving, &reading.places, result);
        if (error == NULL)
            error = read_blocks(&reading);
        if (error == NULL)
            error = make_traces(&reading);
    }
    asnap_node_places_deinit(&reading.places);
    free(reading.blocks);
    if (error != NULL) {
        asnap_raw_destroy(result);
        return error;
    }
    uint64_t numbers = asnap_root_current(&root) ? ring.count - ring.cleared : 0;
    *freed = (struct asnap_freed){
        .capacity = ring.capacity,
        .count = numbers - (ring.taken_back < numbers ? ring.taken_back : numbers),
        .lost = ring.lost,
        .shown = result->trace_count / 2,
    };
    *raw = result;
    return NULL;
}
