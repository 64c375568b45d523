/* Start-up, and obedience to what a debugger writes into the root. */
#ifndef ASNAP_HOOKS_CONTROL_H
#define ASNAP_HOOKS_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#include "root.h"

/* Makes the hooks ready where they are not, and obeys a new request. */
void asnap_control_apply(void);

/* Whether calls are to be traced. Each allocation function asks first, so that the
 * first of them makes the hooks ready and every one obeys. */
static inline bool asnap_control_tracing(void)
{
    uint32_t asked = __atomic_load_n(&allocsnap_root.control.sequence, __ATOMIC_RELAXED);
    uint32_t done = __atomic_load_n(&allocsnap_root.applied.sequence, __ATOMIC_ACQUIRE);
    if (__builtin_expect(asked != done, 0))
        asnap_control_apply();
    return __atomic_load_n(&allocsnap_root.applied.tracing, __ATOMIC_RELAXED) != 0;
}

/* For changes of the root other than counting: requests, domains, and keeping both still
 * across a fork. Only between asnap_trace_enter and asnap_trace_leave. */
void asnap_control_lock(void);
void asnap_control_unlock(void);

#endif
