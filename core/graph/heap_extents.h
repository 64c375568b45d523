/* What of anonymous memory is glibc's heap: the kernel joins it with other mappings, so that a
 * mapping with a traced block can hold memory of the program's as well. */
#ifndef ASNAP_GRAPH_HEAP_EXTENTS_H
#define ASNAP_GRAPH_HEAP_EXTENTS_H

#include "block_index.h"
#include "claims.h"

/* Claims the large blocks that glibc has mapped for themselves, and the heaps of its arenas
 * (malloc/malloc.c, malloc/arena.c). What looks otherwise is left out. */
struct asnap_error *asnap_heap_extents_claim(const struct asnap_graph_facts *facts,
                                             const struct asnap_block_index *index,
                                             struct asnap_claims *claims);

#endif
