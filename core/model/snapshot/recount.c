/* Snapshots of sums, whose traces are no blocks. */
#include <stdlib.h>

#include "error.h"
#include "snapshot.h"

struct asnap_error *asnap_snapshot_recount(struct asnap_snapshot *snapshot, const uint64_t *counts)
{
    struct asnap_blocks *blocks;
    struct asnap_error *error = asnap_snapshot_blocks(snapshot, &blocks);
    if (error != NULL)
        return error;
    struct asnap_total_list *list = snapshot->totals;
    size_t *place = calloc(snapshot->store->traceback_count + 1, sizeof(*place));
    if (place == NULL)
        return asnap_error_no_memory();
    for (size_t i = 0; i < list->count; i++) {
        place[list->totals[i].traceback] = i;
        list->totals[i].count = 0;
    }
    snapshot->count = 0;
    for (size_t i = 0; i < blocks->count && error == NULL; i++) {
        if (counts[i] > (uint64_t)INT64_MAX - snapshot->count)
            error = asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                       "asnap_snapshot_recount: more than %lld blocks",
                                       (long long)INT64_MAX);
        else
            snapshot->count += counts[i];
        list->totals[place[blocks->traces[i].traceback_id]].count += counts[i];
    }
    free(place);
    return error;
}

size_t asnap_snapshot_stack_count(const struct asnap_snapshot *snapshot)
{
    return snapshot->totals->count;
}

struct asnap_stack_sum asnap_snapshot_stack(const struct asnap_snapshot *snapshot, size_t place)
{
    const struct asnap_total *total = &snapshot->totals->totals[place];
    return (struct asnap_stack_sum){
        .traceback_id = total->traceback,
        .domain = total->domain,
        .size = total->size,
        .count = total->count,
    };
}
