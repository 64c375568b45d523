/* Ranges of numbers, found by a number within them. */
#ifndef ASNAP_SYMBOLS_RANGE_INDEX_H
#define ASNAP_SYMBOLS_RANGE_INDEX_H

#include "allocsnap.h"

struct asnap_range {
    uint64_t start;
    uint64_t end; /* first number after the range */
    uint64_t value;
};

/* All zero is an empty index. */
struct asnap_range_index {
    struct asnap_range *ranges;
    size_t count;
    size_t capacity;
};

/* Adds [start, end); an empty range is left out. */
struct asnap_error *asnap_range_index_add(struct asnap_range_index *index, uint64_t start,
                                          uint64_t end, uint64_t value);

/* Makes what was added so far findable: parts ranges that overlap, so that each number is in
 * one at most, with the value of the range to be preferred. Fails with NO_MEMORY only. */
struct asnap_error *asnap_range_index_sort(struct asnap_range_index *index);

/* The range that holds `place`, or NULL. Of several that were added, its value is that of the one
 * with the greatest start, then the smallest end, then the smallest value. */
const struct asnap_range *asnap_range_index_find(const struct asnap_range_index *index,
                                                 uint64_t place);

void asnap_range_index_deinit(struct asnap_range_index *index);

#endif
