/* The classes of blocks, one after the other. */
#ifndef ASNAP_EXPORT_BLOCK_REACH_H
#define ASNAP_EXPORT_BLOCK_REACH_H

#include "allocsnap_export.h"

/* The class of a block; UNKNOWN where there is no graph, or the block is not in it. `next`, 0 to
 * begin with, is the one in the graph that is tried first: most come in the same order there. */
enum asnap_reach_class asnap_block_reach(const struct asnap_graph *graph,
                                         const struct asnap_trace *trace, uint32_t *next);

#endif
