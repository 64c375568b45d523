/* The times of records. */
#ifndef ASNAP_HOOKS_CLOCK_H
#define ASNAP_HOOKS_CLOCK_H

#include <stdint.h>

/* Time 0 is now; the root's start_realtime says when that is. */
void asnap_clock_start(void);

/* The time in units of the table (ASNAP_TABLE_TIMES_PER_SECOND). Takes no lock. */
uint32_t asnap_clock_now(void);

#endif
