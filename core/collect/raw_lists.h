/* Reading the lists of threads and of modules. */
#ifndef ASNAP_COLLECT_RAW_LISTS_H
#define ASNAP_COLLECT_RAW_LISTS_H

#include "allocsnap_table.h"
#include "raw.h"
#include "read.h"

/* Fills the threads of `raw`; those that cannot be read are 0. Fails with NO_MEMORY,
 * INTERRUPTED or DAMAGED. */
struct asnap_error *asnap_threads_read(struct asnap_inferior *inferior,
                                       const struct asnap_table_root *root, struct asnap_raw *raw);

/* Fills the modules of `raw`, each checked; those that cannot be read are all zero. Fails
 * with NO_MEMORY, INTERRUPTED or DAMAGED. */
struct asnap_error *asnap_modules_read(struct asnap_inferior *inferior,
                                       const struct asnap_table_root *root, struct asnap_raw *raw);

#endif
