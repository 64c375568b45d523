/* Memory that a search for pointers passes over. */
#ifndef ASNAP_GRAPH_HOLES_H
#define ASNAP_GRAPH_HOLES_H

#include "allocsnap_graph.h"
#include "word_window.h"

/* Lists what was never written to, and where nothing is mapped for a GiB or more: a block that
 * seems to be there has a wrong size. `holes` is to be freed. Fails with NO_MEMORY only. */
struct asnap_error *asnap_holes_find(const struct asnap_graph_facts *facts,
                                     struct asnap_hole **holes, size_t *count);

#endif
