/* The stacks of threads, of those that run and of those that have ended. */
#ifndef ASNAP_GRAPH_THREAD_STACKS_H
#define ASNAP_GRAPH_THREAD_STACKS_H

#include "claims.h"

struct asnap_found_word {
    uint64_t place;
    uint64_t word;
};

/* What was found out about the stacks. */
struct asnap_thread_stacks {
    struct asnap_claim *elsewhere; /* stack pointers that are in no stack of their thread's: start
                                      and end are that address */
    size_t elsewhere_count;
    struct asnap_found_word *vectors; /* of ended threads: what leads to their vector of
                                         thread-local storage (DTV) */
    size_t vector_count;
    size_t vector_capacity;
    uint32_t unknown_count;   /* threads whose registers are not known */
    uint32_t unmatched_count; /* stacks of which it is not known whether their thread has ended */
};

/* Claims what threads use of their stacks, what is below their stack pointers, and the stacks of
 * ended threads, which the C library keeps for new ones. */
struct asnap_error *asnap_thread_stacks_claim(const struct asnap_graph_facts *facts,
                                              struct asnap_claims *claims,
                                              struct asnap_thread_stacks *stacks);
void asnap_thread_stacks_deinit(struct asnap_thread_stacks *stacks);

#endif
