#include "traceback_key.h"

uint32_t asnap_traceback_hash(const struct asnap_ranked_store *ranked, uint32_t traceback)
{
    const uint32_t *frame_ids = asnap_store_frame_ids(ranked->store, traceback);
    size_t count = ranked->store->tracebacks[traceback].frame_count;
    uint64_t hash = count;
    for (size_t i = 0; i < count; i++)
        hash = asnap_hash_mix(hash, ranked->frame_rank[frame_ids[i]]);
    return asnap_hash_end(hash);
}

bool asnap_traceback_equal(const struct asnap_ranked_store *left, uint32_t left_traceback,
                           const struct asnap_ranked_store *right, uint32_t right_traceback)
{
    size_t count = left->store->tracebacks[left_traceback].frame_count;
    if (count != right->store->tracebacks[right_traceback].frame_count)
        return false;
    const uint32_t *left_ids = asnap_store_frame_ids(left->store, left_traceback);
    const uint32_t *right_ids = asnap_store_frame_ids(right->store, right_traceback);
    for (size_t i = 0; i < count; i++) {
        if (left->frame_rank[left_ids[i]] != right->frame_rank[right_ids[i]])
            return false;
    }
    return true;
}

struct asnap_traceback_packing asnap_traceback_packing(size_t rank_count)
{
    struct asnap_traceback_packing packing = {.bits = 1};
    while (packing.bits < 32 && (rank_count >> packing.bits) != 0)
        packing.bits++;
    packing.per_word = 64 / packing.bits;
    return packing;
}

uint32_t asnap_traceback_words(const struct asnap_store *store,
                               const struct asnap_traceback_packing *packing)
{
    uint32_t most = 0;
    for (size_t i = 0; i < store->traceback_count; i++) {
        if (store->tracebacks[i].frame_count > most)
            most = store->tracebacks[i].frame_count;
    }
    return (most + packing->per_word - 1) / packing->per_word;
}

uint64_t asnap_traceback_word(const struct asnap_ranked_store *ranked,
                              const struct asnap_traceback_packing *packing, uint32_t traceback,
                              uint32_t index)
{
    size_t left = ranked->store->tracebacks[traceback].frame_count;
    size_t skipped = (size_t)index * packing->per_word;
    if (skipped >= left)
        return 0;
    left -= skipped;
    const uint32_t *frame_ids = asnap_store_frame_ids(ranked->store, traceback);
    uint64_t word = 0;
    for (uint32_t i = 0; i < packing->per_word; i++) {
        word <<= packing->bits;
        /* A rank is never packed as 0, which means that no frame is there. */
        if (left > 0)
            word |= (uint64_t)ranked->frame_rank[frame_ids[--left]] + 1;
    }
    return word;
}
