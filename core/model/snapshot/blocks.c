#include "blocks.h"

#include <stdlib.h>

#include "reserve.h"

struct asnap_blocks *asnap_blocks_create(struct asnap_trace *traces, size_t count)
{
    struct asnap_blocks *blocks = malloc(sizeof(*blocks));
    if (blocks == NULL)
        return NULL;
    atomic_init(&blocks->references, 1);
    blocks->traces = traces;
    blocks->count = count;
    atomic_init(&blocks->by_address, NULL);
    return blocks;
}

struct asnap_blocks *asnap_blocks_share(struct asnap_blocks *blocks)
{
    atomic_fetch_add_explicit(&blocks->references, 1, memory_order_relaxed);
    return blocks;
}

void asnap_blocks_release(struct asnap_blocks *blocks)
{
    if (blocks == NULL ||
        atomic_fetch_sub_explicit(&blocks->references, 1, memory_order_acq_rel) != 1)
        return;
    asnap_address_index_destroy(atomic_load(&blocks->by_address));
    asnap_reserve_give(blocks->traces);
    free(blocks);
}

struct asnap_error *asnap_blocks_by_address(struct asnap_blocks *blocks,
                                            const struct asnap_address_index **index)
{
    struct asnap_address_index *known = atomic_load(&blocks->by_address);
    if (known == NULL) {
        struct asnap_address_index *made;
        struct asnap_error *error =
            asnap_address_index_create(blocks->traces, (uint32_t)blocks->count, &made);
        if (error != NULL)
            return error;
        /* Snapshots that share blocks may be searched by several threads at once. */
        if (atomic_compare_exchange_strong(&blocks->by_address, &known, made))
            known = made;
        else
            asnap_address_index_destroy(made);
    }
    *index = known;
    return NULL;
}
