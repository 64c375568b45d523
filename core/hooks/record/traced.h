/* How much is traced, the most that was, and the moment when it passes a limit: exact, without a
 * counter that all threads write.
 *
 * The root's peak_bytes is the most that was traced. What is traced now is less by the
 * slack, which is spread over lanes: with each lane lies how much may still be allocated
 * by the threads of that lane before the peak can be passed. At every moment
 *
 *     peak_bytes = what is traced + the slack of all lanes + the reserve + what is held back.
 *
 * An allocation takes its bytes from its lane, a release gives them to its lane. Only
 * where a lane has too little are the others looked at, under a lock, and only where all
 * together have too little does the peak rise by what is missing. For this to be right
 * all lanes must be empty at one moment: a lane counts what it is given, so that two looks
 * at all lanes which find nothing, and nothing given between them, prove it.
 *
 * Where the watch has a limit below the peak, the difference is held back from the lanes: so the
 * allocation that passes the limit is one for which all lanes together have too little. */
#ifndef ASNAP_HOOKS_TRACED_H
#define ASNAP_HOOKS_TRACED_H

#include <stdbool.h>
#include <stdint.h>

#include "lock.h"

enum { ASNAP_TRACED_LANES = 64, ASNAP_TRACED_SLACK_BITS = 48 };

/* As many bytes apart as processors fetch at once. */
struct asnap_traced_lane {
    uint64_t word; /* bits 0-47 slack; bits 48-63 how often it was given some */
} __attribute__((aligned(128)));

extern struct asnap_traced_lane asnap_traced_lanes[ASNAP_TRACED_LANES];

#define ASNAP_TRACED_GIVEN_ONCE (UINT64_C(1) << ASNAP_TRACED_SLACK_BITS)
#define ASNAP_TRACED_SLACK (ASNAP_TRACED_GIVEN_ONCE - 1)
/* What is given at once to a lane is less than this, and a lane with more than
 * ASNAP_TRACED_FULL is emptied into the reserve. */
#define ASNAP_TRACED_LARGE (UINT64_C(1) << 40)
#define ASNAP_TRACED_FULL (UINT64_C(1) << 47)

void asnap_traced_take_slowly(uint64_t *lane, uint64_t bytes);

/* The watch has another limit. */
void asnap_traced_renew_limit(void);
void asnap_traced_give_reserve(uint64_t bytes);
void asnap_traced_spill(uint64_t *lane);

static inline uint64_t *asnap_traced_lane(uint32_t thread)
{
    return &asnap_traced_lanes[thread % ASNAP_TRACED_LANES].word;
}

/* A block of `bytes` is about to be recorded by the thread with this number. */
static inline void asnap_traced_take(uint32_t thread, uint64_t bytes)
{
    uint64_t *lane = asnap_traced_lane(thread);
    uint64_t word = __atomic_load_n(lane, __ATOMIC_RELAXED);
    if (asnap_is_alone() && (word & ASNAP_TRACED_SLACK) >= bytes) {
        __atomic_store_n(lane, word - bytes, __ATOMIC_RELAXED);
        return;
    }
    while ((word & ASNAP_TRACED_SLACK) >= bytes) {
        if (__atomic_compare_exchange_n(lane, &word, word - bytes, true, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED))
            return;
    }
    asnap_traced_take_slowly(lane, bytes);
}

/* Blocks of `bytes` in all are recorded no more. */
static inline void asnap_traced_give(uint32_t thread, uint64_t bytes)
{
    uint64_t *lane = asnap_traced_lane(thread);
    if (bytes >= ASNAP_TRACED_LARGE) {
        asnap_traced_give_reserve(bytes);
        return;
    }
    uint64_t before;
    if (asnap_is_alone()) {
        before = __atomic_load_n(lane, __ATOMIC_RELAXED);
        __atomic_store_n(lane, before + ASNAP_TRACED_GIVEN_ONCE + bytes, __ATOMIC_RELAXED);
    } else {
        before = __atomic_fetch_add(lane, ASNAP_TRACED_GIVEN_ONCE + bytes, __ATOMIC_RELEASE);
    }
    if ((before & ASNAP_TRACED_SLACK) >= ASNAP_TRACED_FULL)
        asnap_traced_spill(lane);
}

/* The peak becomes what is traced now. */
void asnap_traced_reset_peak(void);

/* In a child (process.h), after the shards: `size` is the sum of theirs. */
void asnap_traced_mend(const uint32_t *only, uint64_t size);

#endif
