/* Calls that go past the hooks, in words. */
#ifndef ASNAP_COLLECT_UNSEEN_H
#define ASNAP_COLLECT_UNSEEN_H

#include "allocsnap_table.h"
#include "allocsnap_tracing.h"

/* Says which calls the hooks do not see, and in which direction the numbers err for that; ""
 * where they see all that they know of. */
void asnap_unseen_describe(const struct asnap_table_root *root, char text[ASNAP_UNSEEN_BYTES]);

#endif
