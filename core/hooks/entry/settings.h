/* What the environment asks for. */
#ifndef ASNAP_HOOKS_SETTINGS_H
#define ASNAP_HOOKS_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "allocsnap_table.h"

struct asnap_settings {
    uint32_t frame_limit;   /* ALLOCSNAP; 0: do not trace */
    uint64_t max_memory;    /* ALLOCSNAP_MAX_MEMORY, bytes; UINT64_MAX: no limit */
    uint64_t sample_period; /* ALLOCSNAP_SAMPLE, bytes; 0: every block is recorded */
    uint64_t sample_seed;   /* ALLOCSNAP_SAMPLE_SEED, or a random number where it is not given */
    bool has_sample_seed;
    uint64_t limits[ASNAP_TABLE_WATCH_KINDS]; /* ALLOCSNAP_WATCH; 0: none */
    uint64_t freed;  /* ALLOCSNAP_FREED, blocks; 0: those that were freed are not kept */
    bool totals;     /* ALLOCSNAP_TOTALS */
    bool history;    /* ALLOCSNAP_HISTORY */
    uint32_t action; /* ALLOCSNAP_WATCH_ACTION: asnap_table_watch_action, ABORT where not given */
};

/* Reads them, and ALLOCSNAP_CHECK for walk_check.h. Unset or empty gives the default frame
 * limit, no limit of memory, every block, no watch and no check. A bad value is reported on
 * standard error and gives frame limit 0, as does a program that runs with another user's rights.
 * Works before libc has its environment. */
struct asnap_settings asnap_settings_read(void);

#endif
