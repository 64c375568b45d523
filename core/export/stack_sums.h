/* What blocks of equal stacks sum to, in one snapshot or in two, where stacks are equal whose
 * frames have the same labels. */
#ifndef ASNAP_EXPORT_STACK_SUMS_H
#define ASNAP_EXPORT_STACK_SUMS_H

#include "allocsnap_export.h"
#include "export_strings.h"

enum { ASNAP_NEW_SUMS, ASNAP_OLD_SUMS, ASNAP_SUMS };

struct asnap_summed_stack {
    size_t first; /* place of its oldest frame among the labels */
    uint32_t label_count;
    uint64_t sizes[ASNAP_SUMS]; /* of samples what the blocks stand for, rounded */
    uint64_t counts[ASNAP_SUMS];
};

struct asnap_stack_sums {
    struct asnap_summed_stack *stacks; /* in the order in which they were met */
    size_t count;
    size_t capacity;
    uint32_t *labels; /* of each, the oldest frame first */
    size_t label_count;
    size_t label_capacity;
    struct asnap_intern index;
};

/* Adds those of a snapshot, of each kind of sums once; all zero is a table without stacks. `labels`
 * are of its frames, and `cut` is the label that stands for older frames beyond the limit. Where
 * `by_traceback` is not NULL, it is set to the place of each traceback's stack, ASNAP_NONE where it
 * has no block, to be freed. Fails with NO_MEMORY only. */
struct asnap_error *asnap_stack_sums_add(struct asnap_stack_sums *sums,
                                         const struct asnap_snapshot *snapshot,
                                         const uint32_t *labels, uint32_t cut, int which,
                                         uint32_t **by_traceback);
void asnap_stack_sums_deinit(struct asnap_stack_sums *sums);

#endif
