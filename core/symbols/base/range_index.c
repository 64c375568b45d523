#include "range_index.h"

#include <stdlib.h>

#include "error.h"

struct asnap_error *asnap_range_index_add(struct asnap_range_index *index, uint64_t start,
                                          uint64_t end, uint64_t value)
{
    if (start >= end)
        return NULL;
    if (index->count == index->capacity) {
        size_t capacity = index->capacity == 0 ? 16 : index->capacity * 2;
        struct asnap_range *ranges = reallocarray(index->ranges, capacity, sizeof(*ranges));
        if (ranges == NULL)
            return asnap_error_no_memory();
        index->ranges = ranges;
        index->capacity = capacity;
    }
    index->ranges[index->count++] =
        (struct asnap_range){.start = start, .end = end, .value = value};
    return NULL;
}

/* By start; of equal starts the range to be preferred comes last. */
static int compare_ranges(const void *left, const void *right)
{
    const struct asnap_range *a = left;
    const struct asnap_range *b = right;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    if (a->end != b->end)
        return a->end > b->end ? -1 : 1;
    if (a->value != b->value)
        return a->value > b->value ? -1 : 1;
    return 0;
}

void asnap_range_index_sort(struct asnap_range_index *index)
{
    if (index->count == 0)
        return;
    qsort(index->ranges, index->count, sizeof(*index->ranges), compare_ranges);
    uint64_t reach = 0;
    for (size_t i = 0; i < index->count; i++) {
        if (index->ranges[i].end > reach)
            reach = index->ranges[i].end;
        index->ranges[i].reach = reach;
    }
}

const struct asnap_range *asnap_range_index_find(const struct asnap_range_index *index,
                                                 uint64_t place)
{
    size_t low = 0;
    size_t high = index->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (index->ranges[middle].start <= place)
            low = middle + 1;
        else
            high = middle;
    }
    while (low > 0 && index->ranges[low - 1].reach > place) {
        if (index->ranges[low - 1].end > place)
            return &index->ranges[low - 1];
        low--;
    }
    return NULL;
}

void asnap_range_index_deinit(struct asnap_range_index *index)
{
    free(index->ranges);
    *index = (struct asnap_range_index){0};
}
