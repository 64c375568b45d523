/* The root of the table, which a debugger finds by this name. */
#ifndef ASNAP_HOOKS_ROOT_H
#define ASNAP_HOOKS_ROOT_H

#include "allocsnap_table.h"

/* Part of what every call of the program goes through: made part of its callers, since
 * saving and restoring registers at each step costs as much as the steps do. */
#define ASNAP_HOT inline __attribute__((always_inline))

/* No reader takes it for a table before asnap_root_describe. */
extern struct asnap_table_root allocsnap_root;

/* Writes what readers need to know of the table, the magic last. */
void asnap_root_describe(void);

/* Frames to keep of a stack. */
static inline uint32_t asnap_root_frame_limit(void)
{
    return __atomic_load_n(&allocsnap_root.applied.frame_limit, __ATOMIC_RELAXED);
}

#endif
