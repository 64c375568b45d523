#include "group.h"

#include <stdlib.h>

void asnap_groups_deinit(struct asnap_groups *groups)
{
    free(groups->rows);
    *groups = (struct asnap_groups){0};
}

struct asnap_error *asnap_group_check(enum asnap_key key, bool cumulative)
{
    if (key != ASNAP_KEY_FILENAME && key != ASNAP_KEY_LINENO && key != ASNAP_KEY_TRACEBACK)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "cannot group by key %d: use filename, lineno or traceback",
                                  (int)key);
    if (cumulative && key == ASNAP_KEY_TRACEBACK)
        return asnap_error_create(
            ASNAP_ERROR_INVALID_ARGUMENT,
            "cannot group by traceback cumulatively: use filename or lineno, or leave out "
            "cumulative");
    return NULL;
}

struct asnap_statistic asnap_group_statistic(const struct asnap_group *group,
                                             const struct asnap_store *store, enum asnap_key key)
{
    struct asnap_statistic row = {
        .size = group->size,
        .count = group->count,
        .frame_count = 1,
        .total_nframe = 1,
        .function_count = group->function_count,
    };
    if (key == ASNAP_KEY_TRACEBACK) {
        row.frame_count = store->tracebacks[group->id].frame_count;
        row.total_nframe = store->tracebacks[group->id].total_nframe;
    }
    return row;
}

struct asnap_frame asnap_group_frame(const struct asnap_group *group,
                                     const struct asnap_store *store, enum asnap_key key,
                                     size_t index)
{
    if (key == ASNAP_KEY_FILENAME)
        return (struct asnap_frame){.filename = asnap_names_get(&store->files, group->id)};
    if (key == ASNAP_KEY_LINENO)
        return asnap_store_frame(store, group->frame);
    return asnap_store_frame(store, asnap_store_frame_ids(store, group->id)[index]);
}
