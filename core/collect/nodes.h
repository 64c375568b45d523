/* Reading the tree of stacks. */
#ifndef ASNAP_COLLECT_NODES_H
#define ASNAP_COLLECT_NODES_H

#include "allocsnap_table.h"
#include "raw.h"

/* Fills the nodes of `raw`, each checked; its modules are there. Nodes that cannot be
 * read become origins and are counted. Where the program goes on (`moving`), a module that
 * is newer than the root's copy is none. Fails with NO_MEMORY, INTERRUPTED or DAMAGED. */
struct asnap_error *asnap_nodes_read(const struct asnap_memory *memory,
                                     const struct asnap_table_root *root,
                                     const struct asnap_progress *progress, bool moving,
                                     struct asnap_raw *raw);

#endif
