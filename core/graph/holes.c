#include "holes.h"

#include <stdlib.h>

#include "error.h"

#define LEAST_UNMAPPED ((uint64_t)1 << 30)

static int compare(const void *left, const void *right)
{
    const struct asnap_hole *a = left;
    const struct asnap_hole *b = right;
    return (a->start > b->start) - (a->start < b->start);
}

struct asnap_error *asnap_holes_find(const struct asnap_graph_facts *facts,
                                     struct asnap_hole **holes, size_t *count)
{
    size_t room = facts->region_count + 1 + facts->untouched_count;
    struct asnap_hole *found = malloc(room * sizeof(*found));
    if (found == NULL)
        return asnap_error_no_memory();
    size_t used = 0;
    uint64_t end = 0;
    for (size_t i = 0; i < facts->region_count; i++) {
        const struct asnap_region *region = &facts->regions[i];
        if (region->start > end && region->start - end >= LEAST_UNMAPPED)
            found[used++] = (struct asnap_hole){end, region->start, false};
        if (region->end > end)
            end = region->end;
    }
    if (facts->region_count != 0 && UINT64_MAX - end >= LEAST_UNMAPPED)
        found[used++] = (struct asnap_hole){end, UINT64_MAX & ~(uint64_t)7, false};
    for (size_t i = 0; i < facts->untouched_count; i++) {
        const struct asnap_address_range *range = &facts->untouched[i];
        found[used++] = (struct asnap_hole){range->start, range->end, true};
    }
    qsort(found, used, sizeof(*found), compare);
    *holes = found;
    *count = used;
    return NULL;
}
