/* How much is traced, and the most that was, where it is a sample: as the records let one estimate
 * it. Records are few, so that all threads write the same counters. */
#ifndef ASNAP_HOOKS_SAMPLED_H
#define ASNAP_HOOKS_SAMPLED_H

#include <stdint.h>

/* A block of `size` bytes is about to be recorded; it is recorded no more. */
void asnap_sampled_add(uint64_t size);
void asnap_sampled_subtract(uint64_t size);

/* The peak becomes what is traced now. */
void asnap_sampled_reset_peak(void);

/* In a child (process.h): nothing counts, and all is added again. The peak stays. */
void asnap_sampled_begin_again(void);

#endif
