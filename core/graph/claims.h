/* What is known of the program's memory, piece by piece: the hooks' own, stacks, data of files,
 * parts of the heap. */
#ifndef ASNAP_GRAPH_CLAIMS_H
#define ASNAP_GRAPH_CLAIMS_H

#include "allocsnap_graph.h"

/* Where claims overlap, the first of these counts. */
enum asnap_claim_kind {
    ASNAP_CLAIM_OWN,      /* the hooks' */
    ASNAP_CLAIM_STACK,    /* of a thread, what it uses */
    ASNAP_CLAIM_RED_ZONE, /* likewise, what a function may use below the stack pointer */
    ASNAP_CLAIM_DEAD,     /* of a thread's stack, what is below its stack pointer; stacks of threads
                             that  have ended */
    ASNAP_CLAIM_FILE,     /* data of a program or library, also what begins as zeros */
    ASNAP_CLAIM_HEAP,     /* the C library's heap: blocks and what lies between them */
    ASNAP_CLAIM_KINDS,
};

struct asnap_claim {
    uint64_t start;
    uint64_t end;
    uint32_t kind;
    uint32_t thread; /* of a STACK or RED_ZONE */
};

struct asnap_claims {
    struct asnap_claim *claims;
    size_t count;
    size_t capacity;
};

/* Adds [start, end), where that is not empty. */
struct asnap_error *asnap_claims_add(struct asnap_claims *claims, uint64_t start, uint64_t end,
                                     enum asnap_claim_kind kind, uint32_t thread);

/* Sorts them, and cuts those that others come before, so that none overlap. */
struct asnap_error *asnap_claims_settle(struct asnap_claims *claims);

/* Once settled: the first that ends after `address`; count where none does. */
size_t asnap_claims_after(const struct asnap_claims *claims, uint64_t address);

void asnap_claims_deinit(struct asnap_claims *claims);

#endif
