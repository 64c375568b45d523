/* By age of the block, in steps: how long before the newest block of the snapshot it was asked
 * for. A snapshot does not say when it was taken: a core is read at any time later. */
#include "keys.h"

struct step {
    uint64_t from; /* seconds */
    uint64_t below;
    const char *label;
};

static const struct step steps[] = {
    {0, 0, "unknown age"},           {0, 1, "< 1 s"},
    {1, 10, "1 s to < 10 s"},        {10, 60, "10 s to < 1 min"},
    {60, 600, "1 min to < 10 min"},  {600, 3600, "10 min to < 1 h"},
    {3600, 86400, "1 h to < 1 day"}, {86400, UINT64_MAX, "1 day or more"},
};

#define STEPS (sizeof(steps) / sizeof(steps[0]))

static uint32_t step_of(const void *context, const struct asnap_trace *trace)
{
    const uint32_t *newest = context;
    if (trace->time == ASNAP_TIME_UNKNOWN)
        return 0;
    uint32_t seconds = (*newest - trace->time) / ASNAP_TIMES_PER_SECOND;
    uint32_t step = 1;
    while (seconds >= steps[step].below)
        step++;
    return step;
}

static struct asnap_error *group(const struct asnap_snapshot *snapshot, struct asnap_groups *groups)
{
    uint32_t newest = asnap_snapshot_newest_time(snapshot);
    return asnap_group_by_block(snapshot, step_of, &newest, STEPS, groups);
}

static const char *label(const struct asnap_store *store, const struct asnap_group *group,
                         char buffer[ASNAP_LABEL_SIZE])
{
    (void)store;
    (void)buffer;
    return steps[group->id].label;
}

static struct asnap_bounds bounds(const struct asnap_group *group)
{
    return (struct asnap_bounds){.from = steps[group->id].from, .below = steps[group->id].below};
}

const struct asnap_key_kind asnap_key_age = {
    .description = {"age", "age", ASNAP_LABEL_RANGE, false},
    .by_block = group,
    .compare = asnap_key_compare_ids,
    .label = label,
    .bounds = bounds,
};
