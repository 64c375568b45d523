/* What the hooks say of themselves. */
#include <string.h>

#include "error.h"
#include "raw_read.h"
#include "table_root.h"
#include "unseen.h"

/* What the hooks have been asked for and have not done yet, as asnap_request flags. */
static uint32_t requests(const struct asnap_table_root *root)
{
    const struct asnap_table_control asked = asnap_root_asked(root);
    const struct asnap_table_control *obeyed = &root->applied;
    bool restart = (asked.clear != obeyed->clear && asked.frame_limit != obeyed->frame_limit) ||
                   asked.sample_period != obeyed->sample_period;
    uint32_t flags = 0;
    if (asked.tracing != 0 && (obeyed->tracing == 0 || restart))
        flags |= ASNAP_REQUEST_START;
    else if (asked.tracing != (obeyed->tracing != 0))
        flags |= ASNAP_REQUEST_STOP;
    else if (asked.tracing != 0 && asked.clear != obeyed->clear)
        flags |= ASNAP_REQUEST_CLEAR;
    if (asked.tracing != 0 && asked.reset_peak != obeyed->reset_peak)
        flags |= ASNAP_REQUEST_RESET_PEAK;
    return flags;
}

/* Whether tracing was on when the program started, and no start, stop or clear was asked for
 * since: the first request is that with which the hooks begin. */
static bool since_start(const struct asnap_table_root *root)
{
    const struct asnap_table_control *applied = &root->applied;
    return applied->tracing != 0 && applied->sequence == 1 + applied->reset_peak;
}

/* What is traced, where it is a sample: as the hooks estimate it. */
static void estimate(const struct asnap_table_root *root, struct asnap_status *status)
{
    const uint64_t one = UINT64_C(1) << ASNAP_TABLE_ESTIMATE_BITS;
    status->traced_size = root->estimated_size < INT64_MAX ? root->estimated_size : INT64_MAX;
    status->traced_count = root->estimated_count / one + root->estimated_count % one * 2 / one;
}

struct asnap_error *asnap_status_read(const struct asnap_memory *memory, uint64_t root_address,
                                      struct asnap_status *status)
{
    struct asnap_table_root root;
    if (memory == NULL || status == NULL)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT, "asnap_status_read: NULL argument");
    struct asnap_error *error = asnap_root_read(memory, root_address, &root);
    if (error != NULL)
        return error;
    struct asnap_status now = {
        .table_version = root.version,
        .tracing = asnap_root_tracing(&root),
        .request_pending = asnap_root_pending(&root),
        .requests = requests(&root),
        .frame_limit = asnap_root_asked(&root).frame_limit,
        .sample_period = asnap_root_asked(&root).sample_period,
        .tracker_size = root.tracker_bytes + sizeof(root),
        .dropped = root.dropped,
        .refused = root.refused,
    };
    struct asnap_table_freed ring;
    error = asnap_freed_ring(memory, root_address, &ring);
    if (error != NULL)
        return error;
    now.freed_capacity = ring.capacity;
    asnap_unseen_describe(&root, now.unseen);
    now.is_whole = since_start(&root) && now.sample_period == 0 && root.dropped == 0 &&
                   root.refused == 0 && now.unseen[0] == '\0';
    memcpy(now.hooks_version, root.hooks_version, sizeof(now.hooks_version));
    for (uint32_t i = 0; i < ASNAP_TABLE_SHARDS; i++) {
        now.busy_shards += root.shards[i].lock != 0;
        if (!now.tracing || !asnap_root_current(&root))
            continue;
        now.traced_size += root.shards[i].size;
        now.traced_count += root.shards[i].count;
        now.sampled_count += root.shards[i].count;
        if ((now.requests & ASNAP_REQUEST_RESET_PEAK) == 0)
            now.peak_size = root.peak_bytes;
    }
    if (now.sampled_count != 0 && now.sample_period != 0)
        estimate(&root, &now);
    if (now.sample_period == 0)
        now.sampled_count = 0;
    /* A pause can fall between a block's record and the peak. */
    if (now.peak_size < now.traced_size)
        now.peak_size = now.traced_size;
    *status = now;
    return NULL;
}
