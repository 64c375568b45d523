#include "watched_count.h"

#include "lock.h"
#include "record_index.h"
#include "root.h"
#include "watch.h"

/* What a shard's `watched` is; 0 where it can never have as many records. */
static uint32_t watched_at(uint64_t count, uint64_t share)
{
    uint64_t at = count + share + 1;
    return at < ASNAP_INDEX_RECORDS_MAX ? (uint32_t)at : 0;
}

/* With the locks of all shards. */
static void share_out(void)
{
    uint64_t limit = asnap_watch_limit(ASNAP_TABLE_WATCH_COUNT);
    uint64_t count = 0;
    uint64_t size = 0;
    for (uint32_t i = 0; i < ASNAP_TABLE_SHARDS; i++) {
        count += allocsnap_root.shards[i].count;
        size += allocsnap_root.shards[i].size;
    }
    if (limit != 0 && count > limit) {
        asnap_watch_reach(ASNAP_TABLE_WATCH_COUNT, size, 0);
        limit = asnap_watch_limit(ASNAP_TABLE_WATCH_COUNT);
    }
    uint64_t share = limit > count ? (limit - count) / ASNAP_TABLE_SHARDS : 0;
    for (uint32_t i = 0; i < ASNAP_TABLE_SHARDS; i++) {
        struct asnap_table_shard *shard = &allocsnap_root.shards[i];
        asnap_index_watch(shard, limit != 0 ? watched_at(shard->count, share) : 0);
    }
}

/* A thread that holds the lock of a shard waits for no other one's. */
void asnap_watched_count_look(void)
{
    for (uint32_t i = 0; i < ASNAP_TABLE_SHARDS; i++)
        asnap_lock(&allocsnap_root.shards[i].lock);
    if (asnap_root_sample_period() == 0)
        share_out();
    for (uint32_t i = 0; i < ASNAP_TABLE_SHARDS; i++)
        asnap_unlock(&allocsnap_root.shards[i].lock);
}
