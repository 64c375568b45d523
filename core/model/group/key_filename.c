/* By file of the frame (tracemalloc: key_type 'filename'). */
#include "keys.h"

static uint32_t file_of(const struct asnap_store *store, uint32_t frame)
{
    return store->locations[store->frames[frame].location].file;
}

static size_t file_count(const struct asnap_store *store)
{
    return store->files.count;
}

static const struct asnap_frame_grouping grouping = {.id = file_of, .id_count = file_count};

static int compare(const struct asnap_group_pair *pair)
{
    uint32_t left = pair->ranks->files[0][pair->groups[0]->id];
    uint32_t right = pair->ranks->files[1][pair->groups[1]->id];
    return (left > right) - (left < right);
}

static struct asnap_frame frame(const struct asnap_store *store, const struct asnap_group *group,
                                size_t index)
{
    (void)index;
    return (struct asnap_frame){.filename = asnap_names_get(&store->files, group->id)};
}

const struct asnap_key_kind asnap_key_filename = {
    .description = {.name = "filename",
                    .noun = "file",
                    .means = "a source file",
                    .label = ASNAP_LABEL_PLACE,
                    .has_cumulative = true},
    .by_frame = &grouping,
    .compare = compare,
    .needs_ranks = true,
    .frame = frame,
};
