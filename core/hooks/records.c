#include "records.h"

#include <stddef.h>

#include "lock.h"
#include "pages.h"
#include "root.h"

enum {
    FIRST_CHUNK_CAPACITY = 512,
    FIRST_BUCKETS = 1024,
    RECORDS_PER_BUCKET = 2,
    CHUNK_BYTES = ASNAP_TABLE_CHUNK_RECORDS * sizeof(struct asnap_table_record),
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

static uint32_t *buckets_of(const struct asnap_table_shard *shard)
{
    return (uint32_t *)(uintptr_t)shard->buckets;
}

static struct asnap_table_record *record_at(const struct asnap_table_shard *shard, uint32_t index)
{
    uint64_t chunk = chunks_of(shard)[index / ASNAP_TABLE_CHUNK_RECORDS];
    return (struct asnap_table_record *)(uintptr_t)chunk + index % ASNAP_TABLE_CHUNK_RECORDS;
}

static uint32_t *bucket_head(const struct asnap_table_shard *shard, uint64_t key)
{
    uint32_t bucket = asnap_table_bucket_of(asnap_table_key_address(key));
    return &buckets_of(shard)[bucket & shard->bucket_mask];
}

static uint32_t *map_buckets(uint32_t count)
{
    uint32_t *buckets = asnap_pages_map(count * sizeof(*buckets));
    for (uint32_t i = 0; buckets != NULL && i < count; i++)
        buckets[i] = ASNAP_TABLE_NONE;
    return buckets;
}

/* A shard's first memory, when its first record comes. */
static bool open_shard(struct asnap_table_shard *shard)
{
    size_t list_bytes = FIRST_CHUNK_CAPACITY * sizeof(uint64_t);
    void *list = asnap_pages_map(list_bytes);
    uint32_t *buckets = map_buckets(FIRST_BUCKETS);
    if (list == NULL || buckets == NULL) {
        asnap_pages_unmap(list, list_bytes);
        asnap_pages_unmap(buckets, FIRST_BUCKETS * sizeof(*buckets));
        return false;
    }
    shard->free_head = ASNAP_TABLE_NONE;
    shard->bucket_mask = FIRST_BUCKETS - 1;
    shard->buckets = (uint64_t)(uintptr_t)buckets;
    shard->chunk_capacity = FIRST_CHUNK_CAPACITY;
    PUBLISH(shard->chunks, (uint64_t)(uintptr_t)list);
    return true;
}

/* The list of chunks moves by publishing a finished copy. */
static bool grow_chunk_list(struct asnap_table_shard *shard)
{
    uint64_t *old = chunks_of(shard);
    size_t old_bytes = shard->chunk_capacity * sizeof(*old);
    uint64_t *list = asnap_pages_map(2 * old_bytes);
    if (list == NULL)
        return false;
    for (uint32_t i = 0; i < shard->chunk_count; i++)
        list[i] = old[i];
    PUBLISH(shard->chunks, (uint64_t)(uintptr_t)list);
    shard->chunk_capacity *= 2;
    asnap_pages_unmap(old, old_bytes);
    return true;
}

static bool add_chunk(struct asnap_table_shard *shard)
{
    if (shard->used > ASNAP_TABLE_NONE - ASNAP_TABLE_CHUNK_RECORDS)
        return false;
    if (shard->chunk_count == shard->chunk_capacity && !grow_chunk_list(shard))
        return false;
    void *chunk = asnap_pages_map(CHUNK_BYTES);
    if (chunk == NULL)
        return false;
    PUBLISH(chunks_of(shard)[shard->chunk_count], (uint64_t)(uintptr_t)chunk);
    PUBLISH(shard->chunk_count, shard->chunk_count + 1);
    return true;
}

/* A place for a record that is not live, or ASNAP_TABLE_NONE. */
static uint32_t take_place(struct asnap_table_shard *shard)
{
    if (shard->chunks == 0 && !open_shard(shard))
        return ASNAP_TABLE_NONE;
    uint32_t index = shard->free_head;
    if (index != ASNAP_TABLE_NONE) {
        shard->free_head = record_at(shard, index)->next;
        return index;
    }
    if (shard->used == shard->chunk_count * ASNAP_TABLE_CHUNK_RECORDS && !add_chunk(shard))
        return ASNAP_TABLE_NONE;
    index = shard->used;
    PUBLISH(shard->used, index + 1);
    return index;
}

/* Without memory the lists just stay long. */
static void grow_buckets(struct asnap_table_shard *shard)
{
    uint32_t old_count = shard->bucket_mask + 1;
    uint32_t *buckets = map_buckets(old_count * 2);
    if (buckets == NULL)
        return;
    uint32_t *old = buckets_of(shard);
    shard->buckets = (uint64_t)(uintptr_t)buckets;
    shard->bucket_mask = old_count * 2 - 1;
    for (uint32_t index = 0; index < shard->used; index++) {
        struct asnap_table_record *record = record_at(shard, index);
        if (record->key == 0)
            continue;
        uint32_t *head = bucket_head(shard, record->key);
        record->next = *head;
        *head = index;
    }
    asnap_pages_unmap(old, old_count * sizeof(*old));
}

static void count_in(struct asnap_table_shard *shard, uint64_t size)
{
    shard->count++;
    shard->size += size;
    uint64_t now = __atomic_add_fetch(&allocsnap_root.traced_bytes, size, __ATOMIC_RELAXED);
    uint64_t peak = __atomic_load_n(&allocsnap_root.peak_bytes, __ATOMIC_RELAXED);
    while (now > peak && !__atomic_compare_exchange_n(&allocsnap_root.peak_bytes, &peak, now, true,
                                                      __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        continue;
}

static void count_out(struct asnap_table_shard *shard, uint64_t size)
{
    shard->count--;
    shard->size -= size;
    __atomic_sub_fetch(&allocsnap_root.traced_bytes, size, __ATOMIC_RELAXED);
}

static bool withdraw(struct asnap_table_shard *shard, uint64_t key, struct asnap_removed *removed)
{
    if (shard->chunks == 0)
        return false;
    uint32_t *link = bucket_head(shard, key);
    while (*link != ASNAP_TABLE_NONE) {
        uint32_t index = *link;
        struct asnap_table_record *record = record_at(shard, index);
        if (record->key == key) {
            removed->size = record->size;
            removed->stack = record->stack;
            PUBLISH(record->key, 0);
            *link = record->next;
            record->next = shard->free_head;
            shard->free_head = index;
            count_out(shard, removed->size);
            return true;
        }
        link = &record->next;
    }
    return false;
}

static bool publish(struct asnap_table_shard *shard, uint64_t key, uint64_t size, uint32_t stack)
{
    uint32_t index = take_place(shard);
    if (index == ASNAP_TABLE_NONE)
        return false;
    struct asnap_table_record *record = record_at(shard, index);
    uint32_t *head = bucket_head(shard, key);
    record->size = size;
    record->stack = stack;
    record->next = *head;
    *head = index;
    PUBLISH(record->key, key);
    count_in(shard, size);
    if (shard->count > (uint64_t)RECORDS_PER_BUCKET * (shard->bucket_mask + 1) &&
        shard->bucket_mask < UINT32_MAX / 4)
        grow_buckets(shard);
    return true;
}

bool asnap_records_insert(uint64_t key, uint64_t size, uint32_t stack)
{
    struct asnap_table_shard *shard = shard_of(key);
    struct asnap_removed replaced;
    asnap_lock(&shard->lock);
    withdraw(shard, key, &replaced);
    /* With the lock held: whoever turns tracing off clears the shard afterwards. */
    bool done = __atomic_load_n(&allocsnap_root.applied.tracing, __ATOMIC_RELAXED) == 0 ||
                publish(shard, key, size, stack);
    asnap_unlock(&shard->lock);
    return done;
}

bool asnap_records_remove(uint64_t key, struct asnap_removed *removed)
{
    struct asnap_table_shard *shard = shard_of(key);
    asnap_lock(&shard->lock);
    bool found = withdraw(shard, key, removed);
    asnap_unlock(&shard->lock);
    return found;
}

/* The reader must not meet freed memory: first no records are left to read, then no
 * chunks, and only then do the chunks go. */
static void clear_shard(struct asnap_table_shard *shard)
{
    uint64_t *list = chunks_of(shard);
    uint32_t chunk_count = shard->chunk_count;
    PUBLISH(shard->used, 0);
    PUBLISH(shard->chunk_count, 0);
    PUBLISH(shard->chunks, 0);
    __atomic_sub_fetch(&allocsnap_root.traced_bytes, shard->size, __ATOMIC_RELAXED);
    shard->count = 0;
    shard->size = 0;
    for (uint32_t i = 0; i < chunk_count; i++)
        asnap_pages_unmap((void *)(uintptr_t)list[i], CHUNK_BYTES);
    asnap_pages_unmap(list, shard->chunk_capacity * sizeof(*list));
    asnap_pages_unmap(buckets_of(shard), (shard->bucket_mask + 1) * sizeof(uint32_t));
    shard->chunk_capacity = 0;
    shard->buckets = 0;
}

void asnap_records_clear(void)
{
    for (uint32_t i = 0; i < ASNAP_TABLE_SHARDS; i++) {
        struct asnap_table_shard *shard = &allocsnap_root.shards[i];
        asnap_lock(&shard->lock);
        if (shard->chunks != 0)
            clear_shard(shard);
        asnap_unlock(&shard->lock);
    }
    asnap_records_reset_peak();
}

void asnap_records_reset_peak(void)
{
    uint64_t now = __atomic_load_n(&allocsnap_root.traced_bytes, __ATOMIC_RELAXED);
    __atomic_store_n(&allocsnap_root.peak_bytes, now, __ATOMIC_RELAXED);
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
