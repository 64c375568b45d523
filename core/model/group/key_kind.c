#include "key_kind.h"

struct asnap_place asnap_key_place(const struct asnap_store *store, const struct asnap_group *group,
                                   size_t index)
{
    (void)index;
    return asnap_store_place(store, group->frame);
}

int asnap_key_compare_ids(const struct asnap_group_pair *pair)
{
    uint32_t left = pair->groups[0]->id;
    uint32_t right = pair->groups[1]->id;
    return (left > right) - (left < right);
}
