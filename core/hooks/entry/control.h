/* Start-up, and obedience to what a debugger writes into the root. */
#ifndef ASNAP_HOOKS_CONTROL_H
#define ASNAP_HOOKS_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#include "process.h"
#include "root.h"

/* Makes the hooks ready where they are not, mends the table in a child (process.h), and obeys a new
 * request. */
void asnap_control_apply(void);

/* Whether there is something to do before a call is traced or not: asnap_control_apply. */
static inline bool asnap_control_is_asked(void)
{
    uint32_t asked = __atomic_load_n(&allocsnap_root.control.sequence, __ATOMIC_RELAXED);
    uint32_t done = __atomic_load_n(&asnap_process.obeyed, __ATOMIC_ACQUIRE);
    return __builtin_expect(asked != done, 0);
}

/* What asnap_control_mode says, once that was done. */
static inline uint32_t asnap_control_mode_now(void)
{
    return __atomic_load_n(&allocsnap_root.applied.tracing, __ATOMIC_RELAXED);
}

/* Which calls are to be traced: 0, none; ASNAP_TABLE_TRACING_ALL; else those that the sample of
 * this number takes. Each allocation function asks first, so that the first of them makes the hooks
 * ready, the first in a child mends the table, and every one obeys. */
static inline uint32_t asnap_control_mode(void)
{
    if (asnap_control_is_asked())
        asnap_control_apply();
    return asnap_control_mode_now();
}

/* Obeys, for a debugger to call: where the program's calls are led past the hooks again
 * (redirect.h), none of them does. */
void allocsnap_obey(void);

#endif
