/* Reading the records of live blocks, each checked. */
#include "raw_read.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "chunks.h"
#include "error.h"
#include "grow.h"
#include "nodes.h"
#include "raw_lists.h"
#include "reserve.h"
#include "table_root.h"
#include "unseen.h"

#define RESTART "the program has overwritten it; restart the program to trace it again"

/* What was read of a shard, to be held against what it says itself. */
struct tally {
    uint64_t count;
    uint64_t size;
    bool whole;
};

/* Where the size of the process's memory is not known, the table's counts are trusted as far as
 * this many traces; room for more is made as they are read. */
#define BELIEVED_TRACES (UINT64_C(1) << 22)

struct reading {
    struct asnap_inferior *inferior;
    const struct asnap_table_root *root;
    const struct asnap_node_places *places; /* of the nodes */
    struct asnap_raw *raw;
    size_t capacity; /* of raw->traces */
    bool moving;     /* the program goes on meanwhile */
    struct tally tallies[ASNAP_TABLE_SHARDS];
};

static struct asnap_error *reserve(struct reading *reading, size_t more)
{
    struct asnap_raw *raw = reading->raw;
    if (reading->capacity - raw->trace_count >= more)
        return NULL;
    size_t capacity = raw->trace_count + reading->capacity + more;
    struct asnap_trace *traces = raw->traces == NULL
                                     ? asnap_reserve_take(capacity, sizeof(*traces))
                                     : reallocarray(raw->traces, capacity, sizeof(*traces));
    if (traces == NULL)
        return asnap_error_no_memory();
    raw->traces = traces;
    reading->capacity = capacity;
    return NULL;
}

/* One that the program has overwritten costs its own block. */
static void leave_out(struct reading *reading, uint32_t shard, uint64_t address)
{
    struct asnap_raw *raw = reading->raw;
    if (reading->moving)
        return;
    if (raw->bad_records++ == 0)
        raw->bad_record = address;
    reading->tallies[shard].whole = false;
}

/* Whether a record that is live can be true. */
static inline bool is_possible(const struct asnap_table_root *root, uint32_t shard,
                               const struct asnap_table_record *record)
{
    return asnap_table_shard_of(asnap_table_key_address(record->key)) == shard &&
           record->stack < root->node_count &&
           asnap_table_key_domain(record->key) < root->domain_count &&
           (asnap_table_extent_thread(record->extent) == 0 ||
            asnap_table_extent_thread(record->extent) < root->thread_count);
}

static struct asnap_error *visit(void *context, const struct asnap_extent *extent,
                                 const uint8_t *bytes, const bool *readable)
{
    struct reading *reading = context;
    const struct asnap_table_root *root = reading->root;
    const struct asnap_table_record *records = (const void *)bytes;
    uint32_t shard = (uint32_t)(extent->tag >> 32);
    struct tally *tally = &reading->tallies[shard];
    size_t count = asnap_chunks_items(extent, root->shards[shard].used, ASNAP_TABLE_CHUNK_RECORDS);
    struct asnap_error *error = reserve(reading, count);
    if (error != NULL)
        return error;
    struct asnap_trace *first = reading->raw->traces + reading->raw->trace_count;
    struct asnap_trace *trace = first;
    for (size_t i = 0; i < count; i++) {
        const struct asnap_table_record *record = &records[i];
        if (!asnap_extent_readable(readable, extent, i * sizeof(*records), sizeof(*records))) {
            reading->raw->unreadable_bytes += sizeof(*records);
            tally->whole = false;
            continue;
        }
        if (record->key == 0)
            continue;
        uint64_t bytes_here = asnap_table_extent_size(record->extent);
        if (!is_possible(root, shard, record) ||
            bytes_here >= ASNAP_TABLE_SHARD_SIZE_LIMIT - tally->size) {
            leave_out(reading, shard, extent->address + i * sizeof(*records));
            continue;
        }
        trace->address = asnap_table_key_address(record->key);
        trace->size = bytes_here;
        trace->traceback_id = asnap_node_place(reading->places, record->stack);
        trace->domain = root->domains[asnap_table_key_domain(record->key)];
        trace->thread = asnap_table_extent_thread(record->extent);
        trace->time = record->time;
        tally->size += bytes_here;
        trace++;
    }
    reading->raw->trace_count += (size_t)(trace - first);
    tally->count += (size_t)(trace - first);
    return NULL;
}

/* Room for all traces at once, as long as there can be as many as the table says: that has
 * not been checked yet. */
static struct asnap_error *reserve_all(struct reading *reading)
{
    uint64_t left = reading->inferior->left;
    uint64_t most =
        left == ASNAP_LEFT_UNKNOWN ? BELIEVED_TRACES : left / sizeof(struct asnap_table_record);
    uint64_t count = 0;
    for (uint32_t i = 0; i < ASNAP_TABLE_SHARDS; i++)
        count += reading->root->shards[i].used;
    return reserve(reading, (size_t)(count < most ? count : most));
}

static struct asnap_error *list_shard(struct reading *reading, uint32_t number,
                                      struct asnap_chunks *chunks)
{
    const struct asnap_table_shard *shard = &reading->root->shards[number];
    uint64_t places = (uint64_t)shard->chunk_count * ASNAP_TABLE_CHUNK_RECORDS;
    bool busy = shard->lock != 0;
    uint64_t lost = chunks->lost_items;
    if (shard->used > places || shard->chunk_count > ASNAP_TABLE_SHARD_CHUNKS ||
        (shard->used != 0 && shard->chunks == 0) || (!busy && shard->count > shard->used)) {
        return asnap_error_create(ASNAP_ERROR_DAMAGED,
                                  "the table is damaged (shard %" PRIu32 "): " RESTART, number);
    }
    reading->raw->busy_shards += busy;
    struct asnap_error *error = asnap_chunks_add(
        chunks, reading->inferior, shard->chunks, shard->used, ASNAP_TABLE_CHUNK_RECORDS,
        ASNAP_TABLE_CHUNK_RECORDS * sizeof(struct asnap_table_record), number);
    reading->tallies[number].whole = !busy && chunks->lost_items == lost;
    return error;
}

/* A shard at rest, read as a whole, must hold what it says it holds. One that does not was
 * not at rest where the program goes on; else the program has overwritten it. */
static void check_tallies(const struct reading *reading)
{
    struct asnap_raw *raw = reading->raw;
    for (uint32_t i = 0; i < ASNAP_TABLE_SHARDS; i++) {
        const struct asnap_table_shard *shard = &reading->root->shards[i];
        const struct tally *tally = &reading->tallies[i];
        if (!tally->whole || (tally->count == shard->count && tally->size == shard->size))
            continue;
        if (reading->moving)
            raw->busy_shards++;
        else if (raw->bad_shards++ == 0)
            raw->bad_shard = i;
    }
}

static struct asnap_error *read_records(struct reading *reading)
{
    struct asnap_chunks chunks = {0};
    struct asnap_error *error = NULL;
    for (uint32_t i = 0; i < ASNAP_TABLE_SHARDS && error == NULL; i++)
        error = list_shard(reading, i, &chunks);
    reading->raw->unreadable_bytes = chunks.lost_items * sizeof(struct asnap_table_record);
    if (error == NULL)
        error = reserve_all(reading);
    if (error == NULL)
        error = asnap_read_extents(reading->inferior, chunks.extents, chunks.count,
                                   "reading records", visit, reading);
    if (error == NULL)
        check_tallies(reading);
    asnap_chunks_deinit(&chunks);
    return error;
}

_Static_assert(ASNAP_RAW_SHARDS == ASNAP_TABLE_SHARDS, "parts of a table");
_Static_assert(sizeof(((struct asnap_raw_domain *)0)->name) == ASNAP_TABLE_DOMAIN_NAME_BYTES,
               "names of domains");

static struct asnap_error *copy_domains(const struct asnap_table_root *root, struct asnap_raw *raw)
{
    raw->domains = calloc(root->domain_count, sizeof(*raw->domains));
    if (raw->domains == NULL)
        return asnap_error_no_memory();
    for (uint32_t i = 0; i < root->domain_count; i++) {
        struct asnap_raw_domain *domain = &raw->domains[raw->domain_count];
        domain->domain = root->domains[i];
        memcpy(domain->name, root->domain_names[i], sizeof(domain->name) - 1);
        raw->domain_count += domain->name[0] != '\0';
    }
    return NULL;
}

static struct asnap_error *check_tracing(const struct asnap_table_root *root)
{
    if (asnap_root_tracing(root))
        return NULL;
    return asnap_error_create(ASNAP_ERROR_NOT_TRACING,
                              "the hooks are in this process but are not tracing: `snapshot start` "
                              "traces from now on");
}

struct asnap_error *asnap_raw_add_origin(struct asnap_raw *raw, uint32_t *place)
{
    struct asnap_raw_node *nodes = reallocarray(raw->nodes, raw->node_count + 1, sizeof(*nodes));
    if (nodes == NULL)
        return asnap_error_no_memory();
    raw->nodes = nodes;
    *place = (uint32_t)raw->node_count;
    nodes[raw->node_count++] =
        (struct asnap_raw_node){.pc = ASNAP_RAW_NOT_COUNTED, .parent = ASNAP_RAW_NONE};
    return NULL;
}

struct asnap_error *asnap_raw_lists(struct asnap_inferior *inferior,
                                    const struct asnap_table_root *root, bool moving,
                                    struct asnap_node_places *places, struct asnap_raw *raw)
{
    struct asnap_error *error = asnap_threads_read(inferior, root, raw);
    if (error == NULL)
        error = asnap_modules_read(inferior, root, raw);
    if (error == NULL)
        error = asnap_nodes_read(inferior, root, moving, places, raw);
    return error;
}

static struct asnap_error *read_all(struct asnap_inferior *inferior,
                                    const struct asnap_table_root *root, bool moving,
                                    struct asnap_raw *raw)
{
    struct asnap_node_places places = {0};
    struct asnap_error *error = asnap_raw_lists(inferior, root, moving, &places, raw);
    if (error == NULL) {
        struct reading reading = {
            .inferior = inferior, .root = root, .places = &places, .raw = raw, .moving = moving};
        error = read_records(&reading);
    }
    asnap_node_places_deinit(&places);
    return error;
}

struct asnap_error *asnap_raw_begin(const struct asnap_memory *memory, uint64_t root_address,
                                    struct asnap_table_root *root, struct asnap_raw **raw)
{
    struct asnap_error *error = asnap_root_read(memory, root_address, root);
    if (error == NULL)
        error = check_tracing(root);
    if (error != NULL)
        return error;
    struct asnap_raw *begun = calloc(1, sizeof(*begun));
    if (begun == NULL)
        return asnap_error_no_memory();
    begun->frame_limit = asnap_root_asked(root).frame_limit;
    begun->sample_period = asnap_root_asked(root).sample_period;
    begun->start_realtime = root->start_realtime;
    error = copy_domains(root, begun);
    if (error != NULL)
        asnap_raw_destroy(begun);
    else
        *raw = begun;
    return error;
}

struct asnap_error *asnap_raw_read(const struct asnap_memory *memory, uint64_t root_address,
                                   bool moving, const struct asnap_progress *progress,
                                   struct asnap_raw **raw)
{
    struct asnap_table_root root;
    struct asnap_raw *result;
    if (memory == NULL || raw == NULL)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT, "asnap_raw_read: NULL argument");
    struct asnap_error *error = asnap_raw_begin(memory, root_address, &root, &result);
    if (error != NULL)
        return error;
    result->dropped = root.dropped;
    result->refused = root.refused;
    asnap_unseen_describe(&root, result->unseen);
    struct asnap_inferior inferior = asnap_inferior_of(memory, progress);
    if (asnap_root_current(&root))
        error = read_all(&inferior, &root, moving, result);
    if (error != NULL) {
        asnap_raw_destroy(result);
        return error;
    }
    *raw = result;
    return NULL;
}

void asnap_raw_set_missing(struct asnap_raw *raw, uint64_t bytes)
{
    raw->missing_bytes = bytes;
}

struct asnap_error *asnap_raw_add_note(struct asnap_raw *raw, const char *note)
{
    if (raw == NULL || note == NULL)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "asnap_raw_add_note: NULL argument");
    char *copy = strdup(note);
    char **notes = copy == NULL ? NULL
                                : asnap_grow(raw->notes, &raw->note_capacity, raw->note_count + 1,
                                             sizeof(*raw->notes));
    if (notes == NULL) {
        free(copy);
        return asnap_error_no_memory();
    }
    raw->notes = notes;
    raw->notes[raw->note_count++] = copy;
    return NULL;
}

size_t asnap_raw_trace_count(const struct asnap_raw *raw)
{
    return raw->trace_count;
}

void asnap_raw_destroy(struct asnap_raw *raw)
{
    if (raw == NULL)
        return;
    asnap_reserve_give(raw->traces);
    free(raw->counts);
    free(raw->nodes);
    free(raw->domains);
    free(raw->threads);
    for (size_t i = 0; i < raw->module_count; i++)
        free(raw->modules[i].path);
    free(raw->modules);
    for (size_t i = 0; i < raw->note_count; i++)
        free(raw->notes[i]);
    free(raw->notes);
    free(raw);
}
