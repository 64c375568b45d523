#include "sample_filter.h"

#include "record_index.h"
#include "root.h"

uint64_t asnap_filter_words[ASNAP_FILTER_PLACES / ASNAP_FILTER_WORD_BITS];

/* How many records fall into each place; one that has met MANY is not counted down any more. */
enum { MANY = UINT8_MAX };

static uint8_t counts[ASNAP_FILTER_PLACES];

static void set_bit(uint32_t place, bool is_set)
{
    uint64_t *word = &asnap_filter_words[place / ASNAP_FILTER_WORD_BITS];
    uint64_t bit = UINT64_C(1) << place % ASNAP_FILTER_WORD_BITS;
    __atomic_store_n(word, is_set ? *word | bit : *word & ~bit, __ATOMIC_RELAXED);
}

void asnap_filter_add(uint64_t key)
{
    uint32_t place = asnap_filter_place(asnap_table_key_address(key));
    if (counts[place] == 0)
        set_bit(place, true);
    if (counts[place] != MANY)
        counts[place]++;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

void asnap_filter_remove(uint64_t key)
{
    uint32_t place = asnap_filter_place(asnap_table_key_address(key));
    if (counts[place] == 0 || counts[place] == MANY)
        return;
    counts[place]--;
    if (counts[place] == 0)
        set_bit(place, false);
}

void asnap_filter_renew(const struct asnap_table_shard *shard, uint32_t number)
{
    uint32_t first = number << ASNAP_FILTER_SHARD_BITS;
    for (uint32_t i = 0; i < ASNAP_FILTER_SHARD_PLACES; i++)
        counts[first + i] = 0;
    for (uint32_t i = 0; i < shard->used; i++) {
        uint64_t key = asnap_index_record(shard, i)->key;
        if (key != 0)
            asnap_filter_add(key);
    }
    for (uint32_t i = 0; i < ASNAP_FILTER_SHARD_PLACES; i++)
        if (counts[first + i] == 0)
            set_bit(first + i, false);
}
