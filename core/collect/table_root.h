/* The root of the table, checked. */
#ifndef ASNAP_COLLECT_TABLE_ROOT_H
#define ASNAP_COLLECT_TABLE_ROOT_H

#include "allocsnap.h"
#include "allocsnap_table.h"

/* Copies the root at `address`, and checks that it is one of this version and that
 * its fields can be true. Fails with UNREADABLE, NO_HOOKS (no root there), VERSION,
 * UNSUPPORTED, DAMAGED or INTERRUPTED. */
struct asnap_error *asnap_root_read(const struct asnap_memory *memory, uint64_t address,
                                    struct asnap_table_root *root);

/* Whether the debugger has asked for something that the hooks have not done yet. */
bool asnap_root_pending(const struct asnap_table_root *root);

/* The control words as they will be once the hooks have obeyed: those of the request
 * that waits, else those in force. A frame limit that cannot be is not obeyed. */
struct asnap_table_control asnap_root_asked(const struct asnap_table_root *root);

/* Whether blocks are traced, now or as soon as the hooks obey. */
bool asnap_root_tracing(const struct asnap_table_root *root);

/* Whether the records in the table still count: not where a request that drops them
 * has not been obeyed yet. */
bool asnap_root_current(const struct asnap_table_root *root);

#endif
