/* What was ever allocated, by stack. */
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "grow.h"
#include "raw_read.h"
#include "reserve.h"
#include "table_root.h"

#define CHUNK_BYTES (ASNAP_TABLE_CHUNK_NODES * sizeof(struct asnap_table_total))

struct reading {
    struct asnap_inferior *inferior;
    const struct asnap_table_root *root;
    struct asnap_node_places places; /* of the nodes */
    struct asnap_raw *raw;
    enum asnap_totals_kind kind;
    struct asnap_table_total *chunk;
    uint64_t size; /* of all until now */
    struct asnap_trace *traces;
    size_t trace_capacity;
    size_t count_capacity;
};

/* `totals` is all zero where the hooks keep none, or are of a release that cannot. */
static struct asnap_error *read_told(const struct asnap_memory *memory, uint64_t root_address,
                                     struct asnap_table_totals *totals)
{
    return asnap_raw_beside(memory, root_address + ASNAP_TABLE_TOTALS_OFFSET, totals,
                            sizeof(*totals), ASNAP_TABLE_TOTALS_MAGIC,
                            sizeof(struct asnap_table_total), "what the hooks say of totals");
}

static struct asnap_error *keep(struct reading *reading, uint32_t node, struct asnap_sum sum)
{
    struct asnap_raw *raw = reading->raw;
    if (sum.count == 0)
        return NULL;
    if (sum.count > INT64_MAX || sum.size > (uint64_t)INT64_MAX - reading->size)
        return asnap_error_create(ASNAP_ERROR_DAMAGED,
                                  "what the hooks say of totals is damaged: the program has "
                                  "overwritten it; restart the program to trace it again");
    struct asnap_trace *traces = asnap_grow(reading->traces, &reading->trace_capacity,
                                            raw->trace_count + 1, sizeof(*traces));
    if (traces != NULL)
        reading->traces = traces;
    uint64_t *counts =
        asnap_grow(raw->counts, &reading->count_capacity, raw->trace_count + 1, sizeof(*counts));
    if (counts != NULL)
        raw->counts = counts;
    if (traces == NULL || counts == NULL)
        return asnap_error_no_memory();
    reading->size += sum.size;
    counts[raw->trace_count] = sum.count;
    traces[raw->trace_count++] = (struct asnap_trace){
        .address = (uint64_t)node + 1,
        .size = sum.size,
        .traceback_id = asnap_node_place(&reading->places, node),
        .time = ASNAP_TIME_UNKNOWN,
    };
    return NULL;
}

static struct asnap_error *read_chunk(struct reading *reading, uint32_t number, uint64_t address)
{
    uint32_t first = number * ASNAP_TABLE_CHUNK_NODES;
    uint32_t count = reading->root->node_count - first;
    if (count > ASNAP_TABLE_CHUNK_NODES)
        count = ASNAP_TABLE_CHUNK_NODES;
    size_t bytes = count * sizeof(*reading->chunk);
    struct asnap_error *error =
        asnap_raw_items(reading->inferior, address, reading->chunk, bytes, "totals", reading->raw);
    for (uint32_t i = 0; i < count && error == NULL; i++) {
        const struct asnap_table_total *total = &reading->chunk[i];
        struct asnap_sum sum = {total->size, total->count};
        if (reading->kind == ASNAP_TOTALS_TEMPORARY)
            sum = (struct asnap_sum){total->temporary_size, total->temporary_count};
        error = keep(reading, first + i, sum);
    }
    return error;
}

static struct asnap_error *read_chunks(struct reading *reading, uint64_t list)
{
    uint32_t count =
        (reading->root->node_count + ASNAP_TABLE_CHUNK_NODES - 1) / ASNAP_TABLE_CHUNK_NODES;
    struct asnap_error *error = NULL;
    reading->chunk = malloc(CHUNK_BYTES);
    if (reading->chunk == NULL)
        return asnap_error_no_memory();
    for (uint32_t i = 0; i < count && error == NULL; i++) {
        uint64_t address;
        error = asnap_read(reading->inferior->memory, list + i * sizeof(address), &address,
                           sizeof(address), "where totals are");
        if (error == NULL && address != 0)
            error = read_chunk(reading, i, address);
    }
    free(reading->chunk);
    return error;
}

/* The traces where a snapshot takes them from. */
static struct asnap_error *hand_over(struct reading *reading)
{
    struct asnap_raw *raw = reading->raw;
    raw->traces = asnap_reserve_take(raw->trace_count + 1, sizeof(*raw->traces));
    if (raw->traces == NULL)
        return asnap_error_no_memory();
    if (raw->trace_count != 0)
        memcpy(raw->traces, reading->traces, raw->trace_count * sizeof(*raw->traces));
    return NULL;
}

struct asnap_error *asnap_totals_read(const struct asnap_memory *memory, uint64_t root_address,
                                      bool moving, const struct asnap_progress *progress,
                                      enum asnap_totals_kind kind, struct asnap_totals_told *told,
                                      struct asnap_raw **raw)
{
    struct asnap_table_root root;
    struct asnap_table_totals totals;
    struct asnap_raw *result;
    if (memory == NULL || told == NULL || raw == NULL || kind > ASNAP_TOTALS_TEMPORARY)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "asnap_totals_read: NULL argument, or no such kind");
    struct asnap_error *error = read_told(memory, root_address, &totals);
    if (error == NULL)
        error = asnap_raw_begin(memory, root_address, &root, &result);
    if (error != NULL)
        return error;
    struct asnap_inferior inferior = asnap_inferior_of(memory, progress);
    struct reading reading = {.inferior = &inferior, .root = &root, .raw = result, .kind = kind};
    if (asnap_root_current(&root) && totals.chunks != 0) {
        error = asnap_raw_lists(&inferior, &root, moving, &reading.places, result);
        if (error == NULL)
            error = read_chunks(&reading, totals.chunks);
        if (error == NULL)
            error = hand_over(&reading);
    }
    asnap_node_places_deinit(&reading.places);
    free(reading.traces);
    if (error != NULL) {
        result->trace_count = result->traces == NULL ? 0 : result->trace_count;
        asnap_raw_destroy(result);
        return error;
    }
    *told = (struct asnap_totals_told){
        .is_kept = totals.chunks != 0,
        .of_sample = root.applied.sample_period != 0,
        .lost = totals.lost,
    };
    *raw = result;
    return NULL;
}
