/* The places of a ring in the table, without a lock: each writer takes the next number, and with it
 * a place. */
#ifndef ASNAP_HOOKS_RING_H
#define ASNAP_HOOKS_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "allocsnap_table.h"
#include "process.h"

/* Whether the calling thread has the place of `number` for itself; `place` is where its number
 * stands. A thread that was held up for a whole round may be there still, or come late. What
 * another process was writing when this one was forked off is not finished by anybody. */
static inline bool asnap_ring_claim(uint64_t *place, uint64_t number)
{
    const uint64_t busy = ASNAP_TABLE_FREED_BUSY | asnap_process.number;
    uint64_t was = __atomic_load_n(place, __ATOMIC_RELAXED);
    do {
        if (was == busy || ((was & ASNAP_TABLE_FREED_BUSY) == 0 && was > number))
            return false;
    } while (
        !__atomic_compare_exchange_n(place, &was, busy, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
    return true;
}

/* Before anything else is stored: a reader of a process that goes on may copy the place
 * meanwhile. */
static inline void asnap_ring_open(uint32_t *check, uint64_t number)
{
    __atomic_store_n(check, ~(uint32_t)number, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_RELEASE);
}

static inline void asnap_ring_publish(uint64_t *place, uint32_t *check, uint64_t number)
{
    __atomic_store_n(check, (uint32_t)number, __ATOMIC_RELEASE);
    __atomic_store_n(place, number, __ATOMIC_RELEASE);
}

/* There is to be nothing at the place of `number` any more. */
static inline void asnap_ring_take_back(uint64_t *place, uint64_t number)
{
    __atomic_compare_exchange_n(place, &number, 0, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}

#endif
