#include "records.h"

#include <stddef.h>

#include "clock.h"
#include "freed.h"
#include "history.h"
#include "lock.h"
#include "pages.h"
#include "record_index.h"
#include "root.h"
#include "sample_filter.h"
#include "sampled.h"
#include "thread_numbers.h"
#include "traced.h"

enum {
    FIRST_CHUNK_CAPACITY = 512,
    CHUNK_BYTES = ASNAP_TABLE_CHUNK_RECORDS * sizeof(struct asnap_table_record),
};

_Static_assert(ASNAP_INDEX_RECORDS_MAX / ASNAP_TABLE_CHUNK_RECORDS <= ASNAP_TABLE_SHARD_CHUNKS,
               "readers believe no shard that has more");

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

/* ---- growth ---- */

static size_t list_bytes(uint32_t chunk_capacity)
{
    return chunk_capacity * sizeof(uint64_t);
}

/* A shard's first memory, when its first record comes. */
static __attribute__((noinline)) bool open_shard(struct asnap_table_shard *shard)
{
    uint64_t *list = asnap_pages_map(list_bytes(FIRST_CHUNK_CAPACITY));
    if (list == NULL || !asnap_index_open(shard)) {
        asnap_pages_unmap(list, list_bytes(FIRST_CHUNK_CAPACITY));
        return false;
    }
    shard->free_head = 0;
    shard->chunk_capacity = FIRST_CHUNK_CAPACITY;
    PUBLISH(shard->chunks, (uint64_t)(uintptr_t)list);
    return true;
}

/* The list moves by publishing a finished copy. */
static bool grow_list(struct asnap_table_shard *shard)
{
    uint64_t *old = chunks_of(shard);
    uint32_t old_capacity = shard->chunk_capacity;
    uint64_t *list = asnap_pages_map(list_bytes(2 * old_capacity));
    if (list == NULL)
        return false;
    for (uint32_t i = 0; i < shard->chunk_count; i++)
        list[i] = old[i];
    PUBLISH(shard->chunks, (uint64_t)(uintptr_t)list);
    shard->chunk_capacity = 2 * old_capacity;
    asnap_pages_unmap(old, list_bytes(old_capacity));
    return true;
}

static __attribute__((noinline)) bool add_chunk(struct asnap_table_shard *shard)
{
    if (shard->used > ASNAP_INDEX_RECORDS_MAX - ASNAP_TABLE_CHUNK_RECORDS)
        return false;
    if (shard->chunk_count == shard->chunk_capacity && !grow_list(shard))
        return false;
    /* A heap that has filled a chunk of this shard is likely to fill others. */
    void *chunk = shard->chunk_count == 0 ? asnap_pages_map(CHUNK_BYTES)
                                          : asnap_pages_map_at_once(CHUNK_BYTES);
    if (chunk == NULL)
        return false;
    PUBLISH(chunks_of(shard)[shard->chunk_count], (uint64_t)(uintptr_t)chunk);
    PUBLISH(shard->chunk_count, shard->chunk_count + 1);
    return true;
}

/* Makes room for a record that is not live. */
static ASNAP_HOT bool have_place(struct asnap_table_shard *shard)
{
    if (!asnap_index_reserve(shard))
        return false;
    return shard->free_head != 0 || shard->used < shard->chunk_count * ASNAP_TABLE_CHUNK_RECORDS ||
           add_chunk(shard);
}

/* A record that is not live, after have_place. */
static ASNAP_HOT uint32_t take_place(struct asnap_table_shard *shard)
{
    uint32_t index = shard->free_head - 1;
    if (shard->free_head != 0) {
        shard->free_head = asnap_index_record(shard, index)->stack;
        return index;
    }
    index = shard->used;
    PUBLISH(shard->used, index + 1);
    return index;
}

/* ---- records ---- */

/* Withdraws the record that was found; `removed` may be NULL. Returns its size. */
static ASNAP_HOT uint64_t withdraw(struct asnap_table_shard *shard,
                                   struct asnap_index_search *search, struct asnap_removed *removed)
{
    struct asnap_table_record *record = asnap_index_record(shard, search->record);
    uint64_t size = asnap_table_extent_size(record->extent);
    if (removed != NULL) {
        removed->size = size;
        removed->stack = record->stack;
        removed->thread = asnap_table_extent_thread(record->extent);
        removed->time = record->time;
    }
    PUBLISH(record->key, 0);
    asnap_index_remove(shard, search);
    record->stack = shard->free_head;
    shard->free_head = search->record + 1;
    shard->count--;
    shard->size -= size;
    return size;
}

static ASNAP_HOT void publish(struct asnap_table_shard *shard,
                              const struct asnap_index_search *search, uint64_t key,
                              struct asnap_removed block)
{
    uint32_t index = take_place(shard);
    struct asnap_table_record *record = asnap_index_record(shard, index);
    record->extent = block.size | (uint64_t)block.thread << ASNAP_TABLE_SIZE_BITS;
    record->stack = block.stack;
    record->time = block.time;
    PUBLISH(record->key, key);
    asnap_index_add(shard, search, index);
    shard->count++;
    shard->size += block.size;
}

/* A block of `size` bytes is about to be recorded, or no more. */
static ASNAP_HOT void count_in(uint64_t key, uint32_t thread, uint64_t size, bool is_sampled)
{
    if (is_sampled) {
        asnap_filter_add(key);
        asnap_sampled_add(size);
    } else {
        asnap_traced_take(thread, size);
    }
}

static ASNAP_HOT void count_out(uint64_t key, uint32_t thread, uint64_t size, bool is_sampled)
{
    if (is_sampled) {
        asnap_filter_remove(key);
        asnap_sampled_subtract(size);
    } else {
        asnap_traced_give(thread, size);
    }
}

/* `thread` is the calling thread's number, `mode` what the root must say of `tracing`; `awaited`,
 * where it is not NULL, must hold the key. */
static ASNAP_HOT enum asnap_inserted record(uint64_t key, uint32_t thread,
                                            struct asnap_removed block, uint32_t mode,
                                            const uint64_t *awaited)
{
    const bool is_sampled = mode != ASNAP_TABLE_TRACING_ALL;
    struct asnap_table_shard *shard = shard_of(key);
    struct asnap_index_search search;
    asnap_lock(&shard->lock);
    /* With the lock held: whoever turns tracing off clears the shard afterwards. */
    bool tracing = __atomic_load_n(&allocsnap_root.applied.tracing, __ATOMIC_RELAXED) == mode;
    /* Likewise: whoever changes it looks for a record afterwards. */
    if (awaited != NULL)
        tracing = tracing && __atomic_load_n(awaited, __ATOMIC_ACQUIRE) == key;
    /* Once the peak may have risen for it, nothing must fail any more. */
    bool open = __builtin_expect(tracing, 1) &&
                (__builtin_expect(shard->chunks != 0, 1) || open_shard(shard));
    bool room = open && have_place(shard);
    bool replaces = false;
    if (open && __builtin_expect(asnap_index_find(shard, key, &search), 0)) {
        count_out(key, thread, withdraw(shard, &search, NULL), is_sampled);
        room = replaces = true;
    }
    bool fits = block.size < ASNAP_TABLE_SHARD_SIZE_LIMIT - shard->size;
    if (__builtin_expect(room && fits, 1)) {
        count_in(key, thread, block.size, is_sampled);
        publish(shard, &search, key, block);
    }
    asnap_unlock(&shard->lock);
    if (__builtin_expect(room && fits, 1) || !tracing)
        return replaces ? ASNAP_REPLACED : ASNAP_INSERTED;
    return room ? ASNAP_NO_SUM : ASNAP_NO_MEMORY;
}

void asnap_records_prefetch(uint64_t key)
{
    asnap_index_prefetch(shard_of(key), key);
}

static ASNAP_HOT enum asnap_inserted insert(uint64_t key, uint64_t size, uint32_t stack,
                                            uint32_t mode)
{
    uint32_t thread = asnap_thread_number();
    struct asnap_removed block = {
        .size = size,
        .stack = stack,
        .thread = thread,
        .time = asnap_clock_now(),
    };
    asnap_history_note(block.time);
    return record(key, thread, block, mode, NULL);
}

enum asnap_inserted asnap_records_insert(uint64_t key, uint64_t size, uint32_t stack)
{
    return insert(key, size, stack, ASNAP_TABLE_TRACING_ALL);
}

enum asnap_inserted asnap_records_insert_sampled(uint64_t key, uint64_t size, uint32_t stack,
                                                 uint32_t mode)
{
    return insert(key, size, stack, mode);
}

enum asnap_inserted asnap_records_put_back(uint64_t key, const struct asnap_removed *removed,
                                           uint32_t mode)
{
    return record(key, asnap_thread_number(), *removed, mode, NULL);
}

enum asnap_inserted asnap_records_insert_awaited(uint64_t key, const struct asnap_removed *block,
                                                 uint32_t mode, const uint64_t *awaited)
{
    return record(key, asnap_thread_number(), *block, mode, awaited);
}

static ASNAP_HOT bool remove_record(uint64_t key, struct asnap_removed *removed, bool is_sampled)
{
    struct asnap_table_shard *shard = shard_of(key);
    struct asnap_index_search search;
    asnap_lock(&shard->lock);
    bool found = shard->chunks != 0 && asnap_index_find(shard, key, &search);
    /* With the lock held: after a fork in between, no thread's sum would have these bytes. */
    if (found)
        count_out(key, asnap_thread_number(), withdraw(shard, &search, removed), is_sampled);
    asnap_unlock(&shard->lock);
    return found;
}

bool asnap_records_remove(uint64_t key, struct asnap_removed *removed)
{
    return remove_record(key, removed, false);
}

bool asnap_records_remove_sampled(uint64_t key, struct asnap_removed *removed)
{
    return remove_record(key, removed, true);
}

/* ---- all records ---- */

/* The blocks of a shard count no more. */
static void count_out_shard(const struct asnap_table_shard *shard)
{
    for (uint32_t i = 0; i < shard->used; i++) {
        const struct asnap_table_record *one = asnap_index_record(shard, i);
        if (one->key == 0)
            continue;
        asnap_filter_remove(one->key);
        asnap_sampled_subtract(asnap_table_extent_size(one->extent));
    }
}

/* The reader must not meet freed memory: first no records are left to read, then no
 * chunks, and only then do the chunks go. Returns the bytes that were traced. */
static uint64_t clear_shard(struct asnap_table_shard *shard)
{
    uint64_t *list = chunks_of(shard);
    uint32_t chunk_count = shard->chunk_count;
    uint64_t size = shard->size;
    PUBLISH(shard->used, 0);
    PUBLISH(shard->chunk_count, 0);
    PUBLISH(shard->chunks, 0);
    shard->count = 0;
    shard->size = 0;
    asnap_index_close(shard);
    for (uint32_t i = 0; i < chunk_count; i++)
        asnap_pages_unmap((void *)(uintptr_t)list[i], CHUNK_BYTES);
    asnap_pages_unmap(list, list_bytes(shard->chunk_capacity));
    return size;
}

void asnap_records_clear(void)
{
    bool is_sampled = asnap_root_sample_period() != 0;
    for (uint32_t i = 0; i < ASNAP_TABLE_SHARDS; i++) {
        struct asnap_table_shard *shard = &allocsnap_root.shards[i];
        uint64_t size = 0;
        asnap_lock(&shard->lock);
        if (shard->chunks != 0 && is_sampled)
            count_out_shard(shard);
        if (shard->chunks != 0)
            size = clear_shard(shard);
        if (size != 0 && !is_sampled)
            asnap_traced_give(asnap_thread_number(), size);
        asnap_unlock(&shard->lock);
    }
    asnap_records_reset_peak();
}

void asnap_records_reset_peak(void)
{
    if (asnap_root_sample_period() != 0)
        asnap_sampled_reset_peak();
    else
        asnap_traced_reset_peak();
}

/* ---- in a child ---- */

/* What the records say: how many are live, their sizes, and the list of the others. */
static void count_records(struct asnap_table_shard *shard)
{
    shard->count = 0;
    shard->size = 0;
    shard->free_head = 0;
    for (uint32_t i = shard->used; i > 0; i--) {
        struct asnap_table_record *record = asnap_index_record(shard, i - 1);
        if (record->key != 0) {
            shard->count++;
            shard->size += asnap_table_extent_size(record->extent);
        } else {
            record->stack = shard->free_head;
            shard->free_head = i;
        }
    }
}

/* Records are published last and withdrawn first, so they are right at every moment, and all else
 * follows from them. Memory that was about to be used or given back is lost. Its lock stays held.
 */
static void mend_shard(struct asnap_table_shard *shard)
{
    bool open = shard->chunks != 0;
    if (open) {
        count_records(shard);
        open = asnap_index_mend(shard);
    }
    if (!open) {
        asnap_freed_doubt();
        __atomic_fetch_add(&allocsnap_root.dropped, shard->count, __ATOMIC_RELAXED);
        PUBLISH(shard->used, 0);
        PUBLISH(shard->chunk_count, 0);
        PUBLISH(shard->chunks, 0);
        shard->count = 0;
        shard->size = 0;
        shard->index = 0;
        shard->line_count = 0;
    }
}

/* Where one lock is mended alone, what its holder has counted stays in doubt until all are. */
static void mend_sample(const uint32_t *only, bool has_mended)
{
    static bool is_doubtful;
    is_doubtful = is_doubtful || has_mended;
    asnap_traced_mend(only, allocsnap_root.peak_bytes);
    if (only != NULL || !is_doubtful)
        return;
    asnap_sampled_begin_again();
    for (uint32_t i = 0; i < ASNAP_TABLE_SHARDS; i++) {
        const struct asnap_table_shard *shard = &allocsnap_root.shards[i];
        for (uint32_t j = 0; j < shard->used; j++) {
            const struct asnap_table_record *one = asnap_index_record(shard, j);
            if (one->key != 0)
                asnap_sampled_add(asnap_table_extent_size(one->extent));
        }
    }
    is_doubtful = false;
}

void asnap_records_mend(const uint32_t *only)
{
    bool is_sampled = asnap_root_sample_period() != 0;
    bool has_mended = false;
    uint64_t size = 0;
    for (uint32_t i = 0; i < ASNAP_TABLE_SHARDS; i++) {
        struct asnap_table_shard *shard = &allocsnap_root.shards[i];
        if (asnap_lock_is_orphan(&shard->lock, only)) {
            mend_shard(shard);
            if (is_sampled)
                asnap_filter_renew(shard, i);
            PUBLISH(shard->lock, 0);
            has_mended = true;
        }
        size += shard->size;
    }
    if (is_sampled)
        mend_sample(only, has_mended);
    else
        asnap_traced_mend(only, size);
}
