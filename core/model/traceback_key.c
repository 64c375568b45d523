#include "traceback_key.h"

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

uint64_t asnap_traceback_word(const struct asnap_store *store, const uint32_t *frame_rank,
                              const struct asnap_traceback_packing *packing, uint32_t traceback,
                              uint32_t index)
{
    size_t left = store->tracebacks[traceback].frame_count;
    size_t skipped = (size_t)index * packing->per_word;
    if (skipped >= left)
        return 0;
    left -= skipped;
    const uint32_t *frame_ids = asnap_store_frame_ids(store, traceback);
    uint64_t word = 0;
    for (uint32_t i = 0; i < packing->per_word; i++) {
        word <<= packing->bits;
        /* A rank is never packed as 0, which means that no frame is there. */
        if (left > 0)
            word |= (uint64_t)frame_rank[frame_ids[--left]] + 1;
    }
    return word;
}
