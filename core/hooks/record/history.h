/* How much was traced over the time: a point each so many hundredths of a second, in the table.
 * They are as many at most as there is room for: once it is used up, every second one goes, and the
 * time between two is twice as long.
 *
 * A point says what was traced when its time came. It is written by the first call after that which
 * is about to change the records, as nothing has changed since: the points of all times that have
 * come meanwhile, of which there are many where the program was idle. */
#ifndef ASNAP_HOOKS_HISTORY_H
#define ASNAP_HOOKS_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "clock.h"
#include "sampler.h"

/* Whether it is kept. It is decided before the first call of the program goes on. */
extern bool asnap_history_is_on;

/* When the next point is to be written, in units of the table; UINT32_MAX: none is. */
extern uint32_t asnap_history_due;

/* Makes room for so many points, 2 to ASNAP_TABLE_POINTS_MAX. False: no memory. */
bool asnap_history_begin(uint64_t capacity);

/* Writes the points whose time has come by `time`, unless another thread does. */
void asnap_history_put(uint32_t time);

/* The records are about to be changed by the calling thread, at this time. */
static inline void asnap_history_note(uint32_t time)
{
    if (__builtin_expect(time >= __atomic_load_n(&asnap_history_due, __ATOMIC_RELAXED), 0))
        asnap_history_put(time);
}

/* The same now. */
static inline void asnap_history_look(void)
{
    if (__builtin_expect(asnap_history_is_on, 0))
        asnap_history_note(asnap_clock_now());
}

/* A block of so many bytes is about to be resized, which can take long and has no record then:
 * it counts on until asnap_history_let_go is given what this gives. */
struct asnap_sample_weight asnap_history_hold(uint64_t size);
void asnap_history_let_go(struct asnap_sample_weight held);

/* The records were dropped: it begins again now; or ends, where nothing is traced from now on. */
void asnap_history_clear(bool traces);

/* In a child (process.h), as asnap_records_mend. */
void asnap_history_mend(const uint32_t *only);

#endif
