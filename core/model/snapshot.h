/* What a snapshot is made of. */
#ifndef ASNAP_MODEL_SNAPSHOT_H
#define ASNAP_MODEL_SNAPSHOT_H

#include "blocks.h"
#include "store.h"

struct asnap_snapshot {
    struct asnap_store *store;
    struct asnap_blocks *blocks; /* those whose traceback and domain have a total are in
                                    the snapshot */
    struct asnap_total *totals;
    size_t total_count;
    uint64_t size;  /* bytes in all totals, at most INT64_MAX */
    uint64_t count; /* blocks in all totals */
    uint32_t traceback_limit;
};

#endif
