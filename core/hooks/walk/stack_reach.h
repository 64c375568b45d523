/* Which memory of a thread's stacks can be read. A walk that goes astray must not end the
 * program, so each page is asked for once, when a walk first comes to it. */
#ifndef ASNAP_HOOKS_STACK_REACH_H
#define ASNAP_HOOKS_STACK_REACH_H

#include <stdbool.h>
#include <stdint.h>

/* Pages known to be readable: [low, high). */
struct asnap_reach_range {
    uint64_t low;
    uint64_t high;
};

enum { ASNAP_REACH_OTHERS = 7 };

/* What is known of a thread: the stack it is on, and others it was on lately (alternate
 * signal stacks, coroutines). Zero it to begin with. */
struct asnap_reach {
    struct asnap_reach_range current;
    struct asnap_reach_range others[ASNAP_REACH_OTHERS];
    uint32_t next_other; /* the place to be overwritten next */
};

/* Asks the kernel about pages; makes the range with `address` the current one. */
bool asnap_reach_extend(struct asnap_reach *reach, uint64_t address);

static inline bool asnap_reach_knows(const struct asnap_reach *reach, uint64_t address)
{
    return address - reach->current.low < reach->current.high - reach->current.low;
}

/* A walk begins at `address`: what was known of that stack holds, since it is in use. Other
 * stacks may be unmapped by now, and are asked about anew when the walk comes to them. */
void asnap_reach_begin(struct asnap_reach *reach, uint64_t address);

/* Whether the aligned word at `address` can be read. */
static inline bool asnap_reach_word(struct asnap_reach *reach, uint64_t address)
{
    if ((address & 7) != 0)
        return false;
    return asnap_reach_knows(reach, address) || asnap_reach_extend(reach, address);
}

#endif
