#include "group.h"

#include <stdlib.h>

void asnap_groups_deinit(struct asnap_groups *groups)
{
    free(groups->rows);
    free(groups->weights);
    *groups = (struct asnap_groups){0};
}

bool asnap_group_add_weight(struct asnap_groups *groups, struct asnap_group *group,
                            const struct asnap_weight *weight)
{
    struct asnap_weight *sum = &groups->weights[group->place];
    if (!asnap_weight_add(sum, weight))
        return false;
    group->size = sum->size;
    group->count = asnap_weight_count(sum);
    return true;
}

struct asnap_estimate asnap_group_estimate(const struct asnap_groups *groups,
                                           const struct asnap_group *group)
{
    return groups->weights == NULL ? asnap_sum_estimate(group->size, group->count)
                                   : asnap_weight_estimate(&groups->weights[group->place]);
}
