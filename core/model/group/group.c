#include "group.h"

#include <stdlib.h>

void asnap_groups_deinit(struct asnap_groups *groups)
{
    free(groups->rows);
    *groups = (struct asnap_groups){0};
}
