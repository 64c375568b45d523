/* Ranges of numbers, found by a number within them. */
#ifndef ASNAP_SYMBOLS_RANGE_INDEX_H
#define ASNAP_SYMBOLS_RANGE_INDEX_H

#include "allocsnap.h"

struct asnap_range {
    uint64_t start;
    uint64_t end;   /* first number after the range */
    uint64_t reach; /* largest end up to here, once sorted */
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

/* Makes what was added so far findable. */
void asnap_range_index_sort(struct asnap_range_index *index);

/* The range that holds `place`, or NULL. Of several, the one with the greatest
 * start, then the smallest end, then the smallest value. */
const struct asnap_range *asnap_range_index_find(const struct asnap_range_index *index,
                                                 uint64_t place);

void asnap_range_index_deinit(struct asnap_range_index *index);

#endif
