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

/* Ranges that lie apart, made of ranges that are sorted and may overlap. */
struct parting {
    struct asnap_range *parts;
    size_t part_count;
    const struct asnap_range **open; /* those that began before `place`, in order */
    size_t open_count;
    uint64_t place; /* what comes before it is done */
};

/* Goes on to `until`: what lies before it belongs to the open range that came last. */
static void go_on(struct parting *parting, uint64_t until)
{
    while (parting->place < until && parting->open_count > 0) {
        const struct asnap_range *last = parting->open[parting->open_count - 1];
        if (last->end <= parting->place) {
            parting->open_count--;
            continue;
        }
        uint64_t end = last->end < until ? last->end : until;
        parting->parts[parting->part_count++] =
            (struct asnap_range){.start = parting->place, .end = end, .value = last->value};
        parting->place = end;
    }
    parting->place = until;
}

static bool overlap(const struct asnap_range_index *index)
{
    for (size_t i = 1; i < index->count; i++) {
        if (index->ranges[i].start < index->ranges[i - 1].end)
            return true;
    }
    return false;
}

struct asnap_error *asnap_range_index_sort(struct asnap_range_index *index)
{
    if (index->count == 0)
        return NULL;
    qsort(index->ranges, index->count, sizeof(*index->ranges), compare_ranges);
    if (!overlap(index))
        return NULL;
    const size_t sorted = index->count;
    /* A range ends one part, and parts another: there are twice as many at most. */
    struct parting parting = {
        .parts = reallocarray(NULL, sorted, 2 * sizeof(*parting.parts)),
        .open = reallocarray(NULL, sorted, sizeof(void *)),
        .place = index->ranges[0].start,
    };
    if (parting.parts == NULL || parting.open == NULL) {
        free(parting.parts);
        free(parting.open);
        return asnap_error_no_memory();
    }
    for (size_t i = 0; i < sorted; i++) {
        go_on(&parting, index->ranges[i].start);
        parting.open[parting.open_count++] = &index->ranges[i];
    }
    go_on(&parting, UINT64_MAX);
    free(parting.open);
    free(index->ranges);
    index->ranges = parting.parts;
    index->count = parting.part_count;
    index->capacity = 2 * sorted;
    return NULL;
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
    return low > 0 && index->ranges[low - 1].end > place ? &index->ranges[low - 1] : NULL;
}

void asnap_range_index_deinit(struct asnap_range_index *index)
{
    free(index->ranges);
    *index = (struct asnap_range_index){0};
}
