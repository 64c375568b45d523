/* What the blocks of a snapshot sum to. */
#ifndef ASNAP_MODEL_TOTALS_H
#define ASNAP_MODEL_TOTALS_H

#include <stdatomic.h>

#include "allocsnap.h"
#include "intern.h"
#include "weights.h"

/* What the blocks of one traceback and domain sum to. Filters and statistics see
 * nothing else of a block, so they go over these and not over the blocks. */
struct asnap_total {
    uint64_t size;
    uint64_t count; /* never 0 */
    uint32_t traceback;
    uint32_t domain;
};

/* The totals of a snapshot, shared with what is made of it. Reference-counted and immutable. */
struct asnap_total_list {
    _Atomic size_t references;
    struct asnap_total *totals;
    size_t count;
    struct asnap_weight *weights; /* what each stands for; NULL: the traces are no sample */
};

/* Takes `totals` and `weights` over, with one reference; NULL where memory is short, and the caller
 * keeps them. */
struct asnap_total_list *asnap_total_list_create(struct asnap_total *totals, size_t count,
                                                 struct asnap_weight *weights);
struct asnap_total_list *asnap_total_list_share(struct asnap_total_list *list);

/* Gives a reference back; accepts NULL. */
void asnap_total_list_release(struct asnap_total_list *list);

/* Adds what the traces that it was made from stand for in a sample of `period`, before anyone
 * shares it. */
struct asnap_error *asnap_totals_weigh(struct asnap_total_list *list,
                                       const struct asnap_trace *traces, size_t count,
                                       size_t traceback_count, uint64_t period);

/* What one of the totals sums to, for comparing: what it stands for, where that is known, with
 * parts of blocks for blocks. */
struct asnap_sum asnap_total_sum(const struct asnap_total_list *list, size_t place);

/* The same with whole blocks, after summing up. */
struct asnap_sum asnap_total_whole(const struct asnap_total_list *list, struct asnap_sum sum);

/* Sums up traces whose traceback_id is below `traceback_count`. */
struct asnap_error *asnap_totals_create(const struct asnap_trace *traces, size_t count,
                                        size_t traceback_count, struct asnap_total_list **list);

/* ---- the same for traces that come in pieces ---- */

/* Nearly every traceback is of one domain: its first total is found by the
 * traceback's number, and only those of other domains by hash. */
struct asnap_totals {
    struct asnap_total *first; /* by traceback; count 0: none yet */
    size_t traceback_count;
    struct asnap_total *others;
    size_t other_count;
    size_t other_capacity;
    struct asnap_intern index;
};

/* Whatever comes of the three, the caller ends with asnap_totals_deinit. */
struct asnap_error *asnap_totals_init(struct asnap_totals *totals, size_t traceback_count);
struct asnap_error *asnap_totals_add(struct asnap_totals *totals, const struct asnap_trace *traces,
                                     size_t count);
struct asnap_error *asnap_totals_finish(struct asnap_totals *totals,
                                        struct asnap_total_list **list);
void asnap_totals_deinit(struct asnap_totals *totals);

#endif
