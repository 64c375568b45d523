/* By file and line of the frame (tracemalloc: key_type 'lineno'). */
#include "keys.h"

static uint32_t location_of(const struct asnap_store *store, uint32_t frame)
{
    return store->frames[frame].location;
}

static size_t location_count(const struct asnap_store *store)
{
    return store->location_count;
}

static const struct asnap_frame_grouping grouping = {
    .id = location_of, .id_count = location_count, .keeps_frame = true};

static int compare(const struct asnap_group_pair *pair)
{
    uint32_t left = pair->ranks->locations[0][pair->groups[0]->id];
    uint32_t right = pair->ranks->locations[1][pair->groups[1]->id];
    return (left > right) - (left < right);
}

static struct asnap_frame frame(const struct asnap_store *store, const struct asnap_group *group,
                                size_t index)
{
    (void)index;
    return asnap_store_frame(store, group->frame);
}

const struct asnap_key_kind asnap_key_lineno = {
    .description = {.name = "lineno",
                    .noun = "line",
                    .means = "a source line",
                    .label = ASNAP_LABEL_PLACE,
                    .has_cumulative = true},
    .by_frame = &grouping,
    .compare = compare,
    .needs_ranks = true,
    .frame = frame,
    .place = asnap_key_place,
};
