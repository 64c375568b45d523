/* The root of the table, which a debugger finds by this name. */
#ifndef ASNAP_HOOKS_ROOT_H
#define ASNAP_HOOKS_ROOT_H

#include "allocsnap_table.h"

/* Part of what every call of the program goes through: made part of its callers, since
 * saving and restoring registers at each step costs as much as the steps do. */
#define ASNAP_HOT inline __attribute__((always_inline))

/* No reader takes it for a table before asnap_root_describe. A debugger finds it as
 * `allocsnap_table`: hooks of table version 2 export theirs by this name here and use the
 * first that the linker finds by it, which must not be that of others. */
extern struct asnap_table_root allocsnap_root;

/* It lies here, with the watch and all the others behind it. */
struct asnap_root_and_watch {
    struct asnap_table_root root;
    char reserved[ASNAP_TABLE_WATCH_OFFSET - sizeof(struct asnap_table_root)];
    struct asnap_table_watch watch;
    struct asnap_table_freed freed;
    struct asnap_table_errors errors;
    struct asnap_table_totals totals;
    struct asnap_table_history history;
};

_Static_assert(offsetof(struct asnap_root_and_watch, watch) == ASNAP_TABLE_WATCH_OFFSET,
               "where a debugger looks for the watch");
_Static_assert(offsetof(struct asnap_root_and_watch, freed) == ASNAP_TABLE_FREED_OFFSET,
               "where a debugger looks for freed blocks");
_Static_assert(offsetof(struct asnap_root_and_watch, errors) == ASNAP_TABLE_ERRORS_OFFSET,
               "where a debugger looks for errors");
_Static_assert(offsetof(struct asnap_root_and_watch, totals) == ASNAP_TABLE_TOTALS_OFFSET,
               "where a debugger looks for totals");
_Static_assert(offsetof(struct asnap_root_and_watch, history) == ASNAP_TABLE_HISTORY_OFFSET,
               "where a debugger looks for the history");

extern struct asnap_root_and_watch asnap_root_and_watch;

/* Writes what readers need to know of the table, the magic last. */
void asnap_root_describe(void);

/* Another copy of the hooks comes first, so that the program calls that one: leads readers to
 * its root. This copy passes on what it is called for, and is never asked for anything else. */
void asnap_root_step_aside(uint64_t other_root);

/* For changes of the root other than counting: requests and domains. Only while no handler of this
 * thread can come here. */
void asnap_root_lock(void);
void asnap_root_unlock(void);

/* In a child (process.h), as asnap_records_mend. */
void asnap_root_mend(const uint32_t *only);

/* The sample's period, in bytes; 0: every block is recorded. It is that of the records which are in
 * the table, and only becomes another one while there are none and tracing is off. */
static inline uint64_t asnap_root_sample_period(void)
{
    return __atomic_load_n(&allocsnap_root.applied.sample_period, __ATOMIC_RELAXED);
}

/* Frames to keep of a stack. */
static inline uint32_t asnap_root_frame_limit(void)
{
    return __atomic_load_n(&allocsnap_root.applied.frame_limit, __ATOMIC_RELAXED);
}

#endif
