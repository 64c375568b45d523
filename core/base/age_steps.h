/* The ages of blocks in steps, as statistics have them as rows and exports as labels. */
#ifndef ASNAP_BASE_AGE_STEPS_H
#define ASNAP_BASE_AGE_STEPS_H

#include <stdint.h>

/* Step 0 is for blocks of which it is not known. */
struct asnap_age_step {
    uint64_t from; /* seconds */
    uint64_t below;
    const char *label;
};

enum { ASNAP_AGE_STEPS = 8 };
extern const struct asnap_age_step asnap_age_steps[ASNAP_AGE_STEPS];

/* The step of a block of this time, in a snapshot whose newest block is of the other
 * (asnap_snapshot_newest_time). */
uint32_t asnap_age_step(uint32_t newest, uint32_t time);

#endif
