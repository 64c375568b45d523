/* Reading the records of live blocks, each checked. */
#include "raw.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "chunks.h"
#include "error.h"
#include "grow.h"
#include "nodes.h"
#include "raw_lists.h"
#include "table_root.h"

#define RESTART "the program has overwritten it; restart the program to trace it again"

/* What was read of a shard, to be held against what it says itself. */
struct tally {
    uint64_t count;
    uint64_t size;
    bool whole;
};

struct reading {
    const struct asnap_table_root *root;
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
    struct asnap_trace *traces = reallocarray(raw->traces, capacity, sizeof(*traces));
    if (traces == NULL)
        return asnap_error_no_memory();
    raw->traces = traces;
    reading->capacity = capacity;
    return NULL;
}

static struct asnap_error *bad_record(uint32_t shard, uint64_t address)
{
    return asnap_error_create(ASNAP_ERROR_DAMAGED,
                              "the table is damaged (the record at 0x%" PRIx64 " of shard %" PRIu32
                              "): " RESTART,
                              address, shard);
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
    uint64_t size = 0;
    for (size_t i = 0; i < count; i++) {
        const struct asnap_table_record *record = &records[i];
        if (!asnap_extent_readable(readable, extent, i * sizeof(*records), sizeof(*records))) {
            reading->raw->unreadable_bytes += sizeof(*records);
            tally->whole = false;
            continue;
        }
        if (record->key == 0)
            continue;
        if (!is_possible(root, shard, record)) {
            if (!reading->moving)
                return bad_record(shard, extent->address + i * sizeof(*records));
            continue;
        }
        trace->address = asnap_table_key_address(record->key);
        trace->size = asnap_table_extent_size(record->extent);
        trace->traceback_id = record->stack;
        trace->domain = root->domains[asnap_table_key_domain(record->key)];
        trace->thread = asnap_table_extent_thread(record->extent);
        trace->time = record->time;
        size += trace->size;
        trace++;
    }
    reading->raw->trace_count += (size_t)(trace - first);
    tally->count += (size_t)(trace - first);
    tally->size += size;
    return NULL;
}

/* Room for all traces at once, as long as the table's own word for their number is
 * not absurd: it has not been checked yet. */
static struct asnap_error *reserve_all(struct reading *reading)
{
    const uint64_t most = UINT64_C(1) << 26;
    uint64_t count = 0;
    for (uint32_t i = 0; i < ASNAP_TABLE_SHARDS; i++)
        count += reading->root->shards[i].used;
    return reserve(reading, (size_t)(count < most ? count : most));
}

static struct asnap_error *list_shard(const struct asnap_memory *memory, struct reading *reading,
                                      uint32_t number, struct asnap_chunks *chunks)
{
    const struct asnap_table_shard *shard = &reading->root->shards[number];
    uint64_t places = (uint64_t)shard->chunk_count * ASNAP_TABLE_CHUNK_RECORDS;
    bool busy = shard->lock != 0;
    uint64_t lost = chunks->lost_items;
    if (shard->used > places || (shard->used != 0 && shard->chunks == 0) ||
        (!busy && shard->count > shard->used)) {
        return asnap_error_create(ASNAP_ERROR_DAMAGED,
                                  "the table is damaged (shard %" PRIu32 "): " RESTART, number);
    }
    reading->raw->busy_shards += busy;
    struct asnap_error *error =
        asnap_chunks_add(chunks, memory, shard->chunks, shard->used, ASNAP_TABLE_CHUNK_RECORDS,
                         ASNAP_TABLE_CHUNK_RECORDS * sizeof(struct asnap_table_record), number);
    reading->tallies[number].whole = !busy && chunks->lost_items == lost;
    return error;
}

/* A shard at rest, read as a whole, must hold what it says it holds; where the
 * program goes on, one that does not was not at rest. */
static struct asnap_error *check_tallies(const struct reading *reading)
{
    for (uint32_t i = 0; i < ASNAP_TABLE_SHARDS; i++) {
        const struct asnap_table_shard *shard = &reading->root->shards[i];
        const struct tally *tally = &reading->tallies[i];
        if (!tally->whole || (tally->count == shard->count && tally->size == shard->size))
            continue;
        if (reading->moving) {
            reading->raw->busy_shards++;
        } else {
            return asnap_error_create(ASNAP_ERROR_DAMAGED,
                                      "the table is damaged (shard %" PRIu32 " says %" PRIu64
                                      " blocks of %" PRIu64 " bytes and holds %" PRIu64
                                      " of %" PRIu64 "): " RESTART,
                                      i, shard->count, shard->size, tally->count, tally->size);
        }
    }
    return NULL;
}

static struct asnap_error *read_records(const struct asnap_memory *memory,
                                        const struct asnap_table_root *root,
                                        const struct asnap_progress *progress, bool moving,
                                        struct asnap_raw *raw)
{
    struct reading reading = {.root = root, .raw = raw, .moving = moving};
    struct asnap_chunks chunks = {0};
    struct asnap_error *error = NULL;
    for (uint32_t i = 0; i < ASNAP_TABLE_SHARDS && error == NULL; i++)
        error = list_shard(memory, &reading, i, &chunks);
    raw->unreadable_bytes = chunks.lost_items * sizeof(struct asnap_table_record);
    if (error == NULL)
        error = reserve_all(&reading);
    if (error == NULL)
        error = asnap_read_extents(memory, chunks.extents, chunks.count, "reading records",
                                   progress, visit, &reading);
    if (error == NULL)
        error = check_tallies(&reading);
    asnap_chunks_deinit(&chunks);
    return error;
}

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

struct asnap_error *asnap_raw_read(const struct asnap_memory *memory, uint64_t root_address,
                                   bool moving, const struct asnap_progress *progress,
                                   struct asnap_raw **raw)
{
    struct asnap_table_root root;
    if (memory == NULL || raw == NULL)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT, "asnap_raw_read: NULL argument");
    struct asnap_error *error = asnap_root_read(memory, root_address, &root);
    if (error == NULL)
        error = check_tracing(&root);
    if (error != NULL)
        return error;
    struct asnap_raw *result = calloc(1, sizeof(*result));
    if (result == NULL)
        return asnap_error_no_memory();
    result->frame_limit = asnap_root_asked(&root).frame_limit;
    result->dropped = root.dropped;
    result->start_realtime = root.start_realtime;
    result->own_malloc = (root.flags & ASNAP_TABLE_OWN_MALLOC) != 0;
    error = copy_domains(&root, result);
    if (error == NULL && asnap_root_current(&root)) {
        error = asnap_threads_read(memory, &root, progress, result);
        if (error == NULL)
            error = asnap_modules_read(memory, &root, progress, result);
        if (error == NULL)
            error = asnap_nodes_read(memory, &root, progress, moving, result);
        if (error == NULL)
            error = read_records(memory, &root, progress, moving, result);
    }
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
    free(raw->traces);
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
