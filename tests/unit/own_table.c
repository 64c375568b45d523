#include "own_table.h"

#include <string.h>

#include "clock.h"
#include "record_index.h"
#include "records.h"
#include "root.h"
#include "sample_filter.h"
#include "sampler.h"
#include "stacks.h"
#include "traced.h"
#include "unit.h"
#include "watch.h"
#include "watched_count.h"

static __thread uint32_t left;

static bool leave(uint32_t kind)
{
    left |= UINT32_C(1) << kind;
    return true;
}

void own_table_watch(const uint64_t limits[ASNAP_TABLE_WATCH_KINDS])
{
    struct asnap_table_watch *watch = &asnap_root_and_watch.watch;
    asnap_watch_leave = leave;
    for (int kind = 0; kind < ASNAP_TABLE_WATCH_KINDS; kind++)
        watch->asked[kind] = limits != NULL ? limits[kind] : 0;
    watch->number++;
    asnap_watch_obey();
    asnap_traced_renew_limit();
    asnap_watched_count_look();
    own_table_see();
}

uint32_t own_table_see(void)
{
    const uint32_t look = UINT32_C(1) << ASNAP_TABLE_WATCH_KINDS;
    if ((left & look) != 0)
        asnap_watched_count_look();
    uint32_t reached = left & ~look;
    left = 0;
    return reached;
}

void own_table_open(void)
{
    asnap_root_describe();
    own_table_watch(NULL);
    allocsnap_root.control = (struct asnap_table_control){.tracing = 1, .frame_limit = 16};
    /* What another test has left is of the kind that the root says still. */
    asnap_records_clear();
    allocsnap_root.applied = allocsnap_root.control;
    CU_ASSERT_FATAL(asnap_stacks_init());
    asnap_clock_start(NULL);
    asnap_records_clear();
}

void own_table_sample(uint64_t period)
{
    asnap_records_clear();
    allocsnap_root.applied.tracing = OWN_TABLE_SAMPLE;
    allocsnap_root.applied.sample_period = period;
    allocsnap_root.control = allocsnap_root.applied;
    asnap_records_clear();
}

bool own_table_sample_agrees(bool exactly)
{
    static uint64_t words[sizeof(asnap_filter_words) / sizeof(asnap_filter_words[0])];
    struct asnap_sample_weight sum = {0};
    bool good = true;
    memset(words, 0, sizeof(words));
    for (uint32_t i = 0; i < ASNAP_TABLE_SHARDS; i++) {
        const struct asnap_table_shard *shard = &allocsnap_root.shards[i];
        for (uint32_t j = 0; j < shard->used; j++) {
            const struct asnap_table_record *record = asnap_index_record(shard, j);
            if (record->key == 0)
                continue;
            struct asnap_sample_weight weight = asnap_sample_weight(
                asnap_table_extent_size(record->extent), allocsnap_root.applied.sample_period);
            sum.size += weight.size;
            sum.count += weight.count;
            uint32_t place = asnap_filter_place(asnap_table_key_address(record->key));
            good = good && asnap_filter_has(record->key) && place >> ASNAP_FILTER_SHARD_BITS == i;
            words[place / ASNAP_FILTER_WORD_BITS] |= UINT64_C(1) << place % ASNAP_FILTER_WORD_BITS;
        }
    }
    if (exactly)
        good = good && memcmp(words, asnap_filter_words, sizeof(words)) == 0;
    return good && sum.size == allocsnap_root.estimated_size &&
           sum.count == allocsnap_root.estimated_count;
}
