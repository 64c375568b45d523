/* What threads hold in their registers that stand in the C library: in the middle of a call of
 * malloc(3) or free(3) some of the heap is nowhere else. */
#ifndef ASNAP_HEAPS_GLIBC_HANDS_H
#define ASNAP_HEAPS_GLIBC_HANDS_H

#include "heap_memory.h"

enum {
    ASNAP_GLIBC_HAND_REGISTERS = 40,
    /* Where a function's caller keeps what it needs again: a few words at the stack's end. */
    ASNAP_GLIBC_HAND_WORDS = ASNAP_GLIBC_HAND_REGISTERS + 8,
};

/* The words of one thread. */
struct asnap_glibc_hand {
    uint64_t words[ASNAP_GLIBC_HAND_WORDS];
    size_t count;
    size_t register_count; /* so many of them are registers, the first ones */
};

/* Two addresses of which a thread holds one or both, and the distance of which it holds. */
struct asnap_glibc_span {
    uint64_t start;
    uint64_t end;
    bool is_whole; /* it holds both */
};

struct asnap_glibc_hands {
    struct asnap_glibc_hand *hands;
    size_t count;
    size_t capacity;
    struct asnap_glibc_span *spans; /* by start */
    size_t span_count;
    size_t span_capacity;
};

/* Lists the threads that stand in the file that has `data`, an address of the C library's data.
 * Fails with NO_MEMORY or INTERRUPTED; then `hands` is to be freed, too. */
struct asnap_error *asnap_glibc_hands_add(struct asnap_glibc_hands *hands,
                                          struct asnap_heap_memory *memory, uint64_t data);

/* When all are added. */
void asnap_glibc_hands_sort(struct asnap_glibc_hands *hands);
void asnap_glibc_hands_deinit(struct asnap_glibc_hands *hands);

/* The spans that begin at an address, of which there are *count. */
const struct asnap_glibc_span *asnap_glibc_hands_spans(const struct asnap_glibc_hands *hands,
                                                       uint64_t start, size_t *count);

bool asnap_glibc_hand_has(const struct asnap_glibc_hand *hand, uint64_t word);

#endif
