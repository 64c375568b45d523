/* By age of the block, in steps: how long before the newest block of the snapshot it was asked
 * for. A snapshot does not say when it was taken: a core is read at any time later. */
#include "age_steps.h"
#include "keys.h"

static uint32_t step_of(const void *context, const struct asnap_trace *trace)
{
    const uint32_t *newest = context;
    return asnap_age_step(*newest, trace->time);
}

static struct asnap_error *group(const struct asnap_snapshot *snapshot, struct asnap_groups *groups)
{
    uint32_t newest = asnap_snapshot_newest_time(snapshot);
    return asnap_group_by_block(snapshot, step_of, &newest, ASNAP_AGE_STEPS, groups);
}

static const char *label(const struct asnap_store *store, const struct asnap_group *group,
                         char buffer[ASNAP_LABEL_SIZE])
{
    (void)store;
    (void)buffer;
    return asnap_age_steps[group->id].label;
}

static struct asnap_bounds bounds(const struct asnap_group *group)
{
    const struct asnap_age_step *step = &asnap_age_steps[group->id];
    return (struct asnap_bounds){.from = step->from, .below = step->below};
}

const struct asnap_key_kind asnap_key_age = {
    .description = {.name = "age",
                    .noun = "age",
                    .means = "what was asked for so long before the newest block",
                    .label = ASNAP_LABEL_RANGE,
                    .has_cumulative = false},
    .by_block = group,
    .compare = asnap_key_compare_ids,
    .label = label,
    .bounds = bounds,
};
