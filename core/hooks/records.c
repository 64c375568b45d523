#include "records.h"

#include <stddef.h>

#include "clock.h"
#include "linear_hash.h"
#include "lock.h"
#include "pages.h"
#include "root.h"
#include "thread_numbers.h"
#include "traced.h"

enum {
    FIRST_CHUNK_CAPACITY = 340, /* with the segments' addresses just below a page */
    SEGMENT_BUCKETS = 1024,
    SPLIT_AT_ONCE = 16, /* neighbours lie in one line, and so do most of their records */
    SEGMENT_BYTES = SEGMENT_BUCKETS * sizeof(uint32_t),
    CHUNK_BYTES = sizeof(struct asnap_table_chunk),
};

/* A store that a reader may see at any instruction, after all stores before it. */
#define PUBLISH(PLACE, VALUE) __atomic_store_n(&(PLACE), (VALUE), __ATOMIC_RELEASE)

static struct asnap_table_shard *shard_of(uint64_t key)
{
    return &allocsnap_root.shards[asnap_table_shard_of(asnap_table_key_address(key))];
}

static uint64_t *chunks_of(const struct asnap_table_shard *shard)
{
    return (uint64_t *)(uintptr_t)shard->chunks;
}

static uint64_t *segments_of(const struct asnap_table_shard *shard)
{
    return (uint64_t *)(uintptr_t)shard->segments;
}

static struct asnap_table_chunk *chunk_of(const struct asnap_table_shard *shard, uint32_t index)
{
    uint64_t chunk = chunks_of(shard)[index / ASNAP_TABLE_CHUNK_RECORDS];
    return (struct asnap_table_chunk *)(uintptr_t)chunk;
}

static struct asnap_table_record *record_at(const struct asnap_table_shard *shard, uint32_t index)
{
    return &chunk_of(shard, index)->records[index % ASNAP_TABLE_CHUNK_RECORDS];
}

static uint32_t *time_at(const struct asnap_table_shard *shard, uint32_t index)
{
    return &chunk_of(shard, index)->times[index % ASNAP_TABLE_CHUNK_RECORDS];
}

static uint32_t *bucket_at(const struct asnap_table_shard *shard, uint32_t bucket)
{
    uint64_t segment = segments_of(shard)[bucket / SEGMENT_BUCKETS];
    return (uint32_t *)(uintptr_t)segment + bucket % SEGMENT_BUCKETS;
}

static uint32_t *bucket_of(const struct asnap_table_shard *shard, uint64_t key)
{
    uint32_t hash = asnap_table_bucket_of(asnap_table_key_address(key));
    return bucket_at(shard, asnap_linear_bucket(hash, shard->bucket_count, shard->bucket_mask));
}

/* ---- growth ---- */

/* The addresses of chunks lie before those of segments. There are 2.5 records for a
 * bucket, so half as many segments are enough. */
static size_t lists_bytes(uint32_t chunk_capacity)
{
    return (chunk_capacity + chunk_capacity / 2) * sizeof(uint64_t);
}

/* A shard's first memory, when its first record comes. */
static bool open_shard(struct asnap_table_shard *shard)
{
    uint64_t *lists = asnap_pages_map(lists_bytes(FIRST_CHUNK_CAPACITY));
    void *segment = asnap_pages_map(SEGMENT_BYTES);
    if (lists == NULL || segment == NULL) {
        asnap_pages_unmap(lists, lists_bytes(FIRST_CHUNK_CAPACITY));
        asnap_pages_unmap(segment, SEGMENT_BYTES);
        return false;
    }
    shard->free_head = 0;
    shard->bucket_count = SEGMENT_BUCKETS;
    shard->bucket_mask = SEGMENT_BUCKETS - 1;
    shard->chunk_capacity = FIRST_CHUNK_CAPACITY;
    shard->segments = (uint64_t)(uintptr_t)(lists + FIRST_CHUNK_CAPACITY);
    segments_of(shard)[0] = (uint64_t)(uintptr_t)segment;
    PUBLISH(shard->chunks, (uint64_t)(uintptr_t)lists);
    return true;
}

/* The lists move by publishing a finished copy. */
static bool grow_lists(struct asnap_table_shard *shard)
{
    uint64_t *old = chunks_of(shard);
    const uint64_t *old_segments = segments_of(shard);
    uint32_t old_capacity = shard->chunk_capacity;
    uint64_t *lists = asnap_pages_map(lists_bytes(2 * old_capacity));
    if (lists == NULL)
        return false;
    for (uint32_t i = 0; i < shard->chunk_count; i++)
        lists[i] = old[i];
    shard->segments = (uint64_t)(uintptr_t)(lists + 2 * old_capacity);
    for (uint32_t i = 0; i < old_capacity / 2; i++)
        segments_of(shard)[i] = old_segments[i];
    PUBLISH(shard->chunks, (uint64_t)(uintptr_t)lists);
    shard->chunk_capacity = 2 * old_capacity;
    asnap_pages_unmap(old, lists_bytes(old_capacity));
    return true;
}

static bool add_chunk(struct asnap_table_shard *shard)
{
    if (shard->used > UINT32_MAX - 2 * ASNAP_TABLE_CHUNK_RECORDS)
        return false;
    if (shard->chunk_count == shard->chunk_capacity && !grow_lists(shard))
        return false;
    void *chunk = asnap_pages_map(CHUNK_BYTES);
    if (chunk == NULL)
        return false;
    PUBLISH(chunks_of(shard)[shard->chunk_count], (uint64_t)(uintptr_t)chunk);
    PUBLISH(shard->chunk_count, shard->chunk_count + 1);
    return true;
}

/* Makes room for a record that is not live. */
static bool have_place(struct asnap_table_shard *shard)
{
    if (shard->chunks == 0 && !open_shard(shard))
        return false;
    return shard->free_head != 0 || shard->used < shard->chunk_count * ASNAP_TABLE_CHUNK_RECORDS ||
           add_chunk(shard);
}

/* A record that is not live, after have_place. */
static uint32_t take_place(struct asnap_table_shard *shard)
{
    uint32_t index = shard->free_head - 1;
    if (shard->free_head != 0) {
        shard->free_head = record_at(shard, index)->next;
        return index;
    }
    index = shard->used;
    PUBLISH(shard->used, index + 1);
    return index;
}

static void add_bucket(struct asnap_table_shard *shard)
{
    uint32_t added = shard->bucket_count;
    shard->bucket_count = added + 1;
    shard->bucket_mask = asnap_linear_mask(added + 1, shard->bucket_mask);
    uint32_t *link = bucket_at(shard, asnap_linear_split(added, shard->bucket_mask));
    uint32_t *moved = bucket_at(shard, added);
    while (*link != 0) {
        struct asnap_table_record *record = record_at(shard, *link - 1);
        if (bucket_of(shard, record->key) == moved) {
            uint32_t item = *link;
            *link = record->next;
            record->next = *moved;
            *moved = item;
        } else {
            link = &record->next;
        }
    }
}

/* Without memory the lists just stay long. */
static void grow_buckets(struct asnap_table_shard *shard)
{
    uint32_t segment = shard->bucket_count / SEGMENT_BUCKETS;
    if (segment >= shard->chunk_capacity / 2)
        return;
    if (shard->bucket_count % SEGMENT_BUCKETS == 0) {
        void *pages = asnap_pages_map(SEGMENT_BYTES);
        if (pages == NULL)
            return;
        segments_of(shard)[segment] = (uint64_t)(uintptr_t)pages;
    }
    for (int i = 0; i < SPLIT_AT_ONCE; i++)
        add_bucket(shard);
}

/* ---- records ---- */

/* The record with this key, now no more live but first of the free ones; NULL: none. */
static struct asnap_table_record *withdraw(struct asnap_table_shard *shard, uint64_t key)
{
    if (shard->chunks == 0)
        return NULL;
    uint32_t *link = bucket_of(shard, key);
    while (*link != 0) {
        uint32_t item = *link;
        struct asnap_table_record *record = record_at(shard, item - 1);
        if (record->key != key) {
            link = &record->next;
            continue;
        }
        PUBLISH(record->key, 0);
        *link = record->next;
        record->next = shard->free_head;
        shard->free_head = item;
        shard->count--;
        shard->size -= asnap_table_extent_size(record->extent);
        return record;
    }
    return NULL;
}

static void publish(struct asnap_table_shard *shard, uint64_t key,
                    const struct asnap_removed *block)
{
    uint32_t index = take_place(shard);
    struct asnap_table_record *record = record_at(shard, index);
    uint32_t *bucket = bucket_of(shard, key);
    record->extent = block->size | (uint64_t)block->thread << ASNAP_TABLE_SIZE_BITS;
    record->stack = block->stack;
    *time_at(shard, index) = block->time;
    record->next = *bucket;
    *bucket = index + 1;
    PUBLISH(record->key, key);
    shard->count++;
    shard->size += block->size;
    if (2 * shard->count > 5 * (uint64_t)shard->bucket_count)
        grow_buckets(shard);
}

/* `thread` is the calling thread's number. */
static bool record(uint64_t key, uint32_t thread, const struct asnap_removed *block)
{
    struct asnap_table_shard *shard = shard_of(key);
    asnap_lock(&shard->lock);
    const struct asnap_table_record *replaced = withdraw(shard, key);
    if (__builtin_expect(replaced != NULL, 0))
        asnap_traced_give(thread, asnap_table_extent_size(replaced->extent));
    /* With the lock held: whoever turns tracing off clears the shard afterwards. */
    bool done = true;
    if (__atomic_load_n(&allocsnap_root.applied.tracing, __ATOMIC_RELAXED) != 0) {
        /* Once the peak may have risen for it, nothing must fail any more. */
        done = have_place(shard);
        if (done) {
            asnap_traced_take(thread, block->size);
            publish(shard, key, block);
        }
    }
    asnap_unlock(&shard->lock);
    return done;
}

bool asnap_records_insert(uint64_t key, uint64_t size, uint32_t stack)
{
    struct asnap_removed block = {
        .size = size,
        .stack = stack,
        .thread = asnap_thread_number(),
        .time = asnap_clock_now(),
    };
    return record(key, block.thread, &block);
}

bool asnap_records_put_back(uint64_t key, const struct asnap_removed *removed)
{
    return record(key, asnap_thread_number(), removed);
}

bool asnap_records_remove(uint64_t key, struct asnap_removed *removed)
{
    struct asnap_table_shard *shard = shard_of(key);
    asnap_lock(&shard->lock);
    const struct asnap_table_record *record = withdraw(shard, key);
    bool found = record != NULL;
    uint64_t size = found ? asnap_table_extent_size(record->extent) : 0;
    if (found && removed != NULL) {
        removed->size = size;
        removed->stack = record->stack;
        removed->thread = asnap_table_extent_thread(record->extent);
        removed->time = *time_at(shard, shard->free_head - 1);
    }
    asnap_unlock(&shard->lock);
    if (found)
        asnap_traced_give(asnap_thread_number(), size);
    return found;
}

/* ---- all records ---- */

/* The reader must not meet freed memory: first no records are left to read, then no
 * chunks, and only then do the chunks go. Returns the bytes that were traced. */
static uint64_t clear_shard(struct asnap_table_shard *shard)
{
    uint64_t *lists = chunks_of(shard);
    const uint64_t *segments = segments_of(shard);
    uint32_t chunk_count = shard->chunk_count;
    uint32_t bucket_count = shard->bucket_count;
    uint64_t size = shard->size;
    PUBLISH(shard->used, 0);
    PUBLISH(shard->chunk_count, 0);
    PUBLISH(shard->chunks, 0);
    shard->count = 0;
    shard->size = 0;
    shard->segments = 0;
    for (uint32_t i = 0; i < chunk_count; i++)
        asnap_pages_unmap((void *)(uintptr_t)lists[i], CHUNK_BYTES);
    for (uint32_t i = 0; i < bucket_count; i += SEGMENT_BUCKETS)
        asnap_pages_unmap((void *)(uintptr_t)segments[i / SEGMENT_BUCKETS], SEGMENT_BYTES);
    asnap_pages_unmap(lists, lists_bytes(shard->chunk_capacity));
    return size;
}

void asnap_records_clear(void)
{
    for (uint32_t i = 0; i < ASNAP_TABLE_SHARDS; i++) {
        struct asnap_table_shard *shard = &allocsnap_root.shards[i];
        uint64_t size = 0;
        asnap_lock(&shard->lock);
        if (shard->chunks != 0)
            size = clear_shard(shard);
        asnap_unlock(&shard->lock);
        if (size != 0)
            asnap_traced_give(asnap_thread_number(), size);
    }
    asnap_traced_reset_peak();
}

void asnap_records_lock(void)
{
    for (uint32_t i = 0; i < ASNAP_TABLE_SHARDS; i++)
        asnap_lock(&allocsnap_root.shards[i].lock);
}

void asnap_records_unlock(void)
{
    for (uint32_t i = 0; i < ASNAP_TABLE_SHARDS; i++)
        asnap_unlock(&allocsnap_root.shards[i].lock);
}
