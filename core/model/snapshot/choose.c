#include <stdlib.h>

#include "error.h"
#include "reserve.h"
#include "snapshot.h"

/* Makes the snapshot of blocks that it takes over, also on failure. */
static struct asnap_error *make(const struct asnap_snapshot *snapshot, struct asnap_trace *traces,
                                size_t count, struct asnap_snapshot **made)
{
    struct asnap_snapshot *result = calloc(1, sizeof(*result));
    struct asnap_blocks *blocks = result == NULL ? NULL : asnap_blocks_create(traces, count);
    if (blocks == NULL) {
        asnap_reserve_give(traces);
        free(result);
        return asnap_error_no_memory();
    }
    result->blocks = blocks;
    result->origin =
        asnap_blocks_share(snapshot->origin != NULL ? snapshot->origin : snapshot->blocks);
    result->store = asnap_store_share(snapshot->store);
    result->attribution = asnap_attribution_share(snapshot->attribution);
    result->traceback_limit = snapshot->traceback_limit;
    struct asnap_error *error =
        asnap_totals_create(traces, count, snapshot->store->traceback_count, &result->totals);
    if (error == NULL)
        error = asnap_snapshot_weigh(result);
    if (error != NULL) {
        asnap_snapshot_destroy(result);
        return error;
    }
    for (size_t i = 0; i < count; i++)
        result->size += traces[i].size;
    result->count = count;
    *made = result;
    return NULL;
}

struct asnap_error *asnap_snapshot_choose(const struct asnap_snapshot *snapshot,
                                          const uint8_t *chosen, struct asnap_snapshot **made)
{
    struct asnap_blocks *blocks;
    struct asnap_error *error = asnap_snapshot_blocks(snapshot, &blocks);
    if (error != NULL)
        return error;
    size_t count = 0;
    for (size_t i = 0; i < blocks->count; i++)
        count += chosen[i] != 0;
    struct asnap_trace *traces = malloc((count + 1) * sizeof(*traces));
    if (traces == NULL)
        return asnap_error_no_memory();
    count = 0;
    for (size_t i = 0; i < blocks->count; i++)
        if (chosen[i] != 0)
            traces[count++] = blocks->traces[i];
    return make(snapshot, traces, count, made);
}

struct asnap_error *asnap_snapshot_slice(const struct asnap_snapshot *snapshot, size_t first,
                                         size_t count, struct asnap_snapshot **slice)
{
    struct asnap_blocks *blocks;
    if (snapshot == NULL || slice == NULL)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "asnap_snapshot_slice: NULL argument");
    struct asnap_error *error = asnap_snapshot_blocks(snapshot, &blocks);
    if (error != NULL)
        return error;
    if (first > blocks->count || count > blocks->count - first)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "asnap_snapshot_slice: the snapshot has %zu traces",
                                  blocks->count);
    struct asnap_trace *traces = malloc((count + 1) * sizeof(*traces));
    if (traces == NULL)
        return asnap_error_no_memory();
    for (size_t i = 0; i < count; i++)
        traces[i] = blocks->traces[first + i];
    return make(snapshot, traces, count, slice);
}
