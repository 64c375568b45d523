/* Whether what a file says of a graph can be so. */
#ifndef ASNAP_GRAPH_PARTS_CHECK_H
#define ASNAP_GRAPH_PARTS_CHECK_H

#include "graph_parts.h"

/* Checks all that is kept of the graph of these traces, parts->count of them. `order` has room for
 * as many places: it gets them each after the one that dominates it. DAMAGED says what contradicts
 * what; else NO_MEMORY only. */
struct asnap_error *asnap_graph_parts_check(const struct asnap_graph_parts *parts,
                                            const struct asnap_trace *traces, uint32_t *order);

#endif
