/* Graphs of random heaps. */
#ifndef ASNAP_TEST_MADE_GRAPH_H
#define ASNAP_TEST_MADE_GRAPH_H

#include "graph.h"
#include "graph_heap.h"

/* A snapshot of a heap, with a line for every third block. */
struct asnap_snapshot *made_graph_snapshot(const struct graph_heap *heap);

/* The graph of a snapshot of `heap`, to some of whose blocks roots point: those given, or NULL for
 * any. It has a note. */
struct asnap_graph *made_graph(const struct asnap_snapshot *snapshot, struct graph_heap *heap,
                               const struct asnap_root_pointer *given, size_t root_count);

#endif
