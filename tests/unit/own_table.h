/* A table of this very process, for tests of its writers. */
#ifndef ASNAP_TEST_OWN_TABLE_H
#define ASNAP_TEST_OWN_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "allocsnap_table.h"

/* Makes allocsnap_root the root of an empty table that traces. */
void own_table_open(void);

/* The same of a sample of this period, after own_table_open. */
enum { OWN_TABLE_SAMPLE = 2 }; /* what the root says of `tracing` */
void own_table_sample(uint64_t period);

/* Watches for these limits, from what is traced now on, in place of those before; NULL: for none.
 */
void own_table_watch(const uint64_t limits[ASNAP_TABLE_WATCH_KINDS]);

/* What the gate does after each call: counts the records where they are to be. Which limits were
 * reached since the last time by the calling thread, a bit for each kind. */
uint32_t own_table_see(void);

/* Whether what the root says of the sample is what its records say: their estimated sums; and which
 * blocks may have records, those that have one and no others, or some more where `exactly` is
 * false. No writer is at work. */
bool own_table_sample_agrees(bool exactly);

#endif
