/* By whole stack (tracemalloc: key_type 'traceback'). */
#include "keys.h"

static struct asnap_frame frame(const struct asnap_store *store, const struct asnap_group *group,
                                size_t index)
{
    return asnap_store_frame(store, asnap_store_frame_ids(store, group->id)[index]);
}

static struct asnap_place place(const struct asnap_store *store, const struct asnap_group *group,
                                size_t index)
{
    return asnap_store_place(store, asnap_store_frame_ids(store, group->id)[index]);
}

const struct asnap_key_kind asnap_key_traceback = {
    .description = {.name = "traceback",
                    .noun = "traceback",
                    .means = "a whole stack",
                    .label = ASNAP_LABEL_PLACE,
                    .has_cumulative = false},
    .needs_ranks = true,
    .frame = frame,
    .place = place,
};
