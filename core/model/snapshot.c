#include "snapshot.h"

#include <stdlib.h>

void asnap_snapshot_destroy(struct asnap_snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    asnap_store_release(snapshot->store);
    asnap_blocks_release(snapshot->blocks);
    if (snapshot->kept != NULL)
        asnap_blocks_release(*snapshot->kept);
    free(snapshot->kept);
    free(snapshot->totals);
    free(snapshot->skipped);
    free(snapshot);
}

uint64_t asnap_snapshot_size(const struct asnap_snapshot *snapshot)
{
    return snapshot->size;
}

uint64_t asnap_snapshot_count(const struct asnap_snapshot *snapshot)
{
    return snapshot->count;
}

uint32_t asnap_snapshot_traceback_limit(const struct asnap_snapshot *snapshot)
{
    return snapshot->traceback_limit;
}

size_t asnap_snapshot_note_count(const struct asnap_snapshot *snapshot)
{
    return snapshot->store->note_count;
}

const char *asnap_snapshot_note(const struct asnap_snapshot *snapshot, size_t index)
{
    return snapshot->store->notes[index];
}
