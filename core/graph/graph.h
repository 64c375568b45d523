/* What the public graph is made of. */
#ifndef ASNAP_GRAPH_GRAPH_H
#define ASNAP_GRAPH_GRAPH_H

#include "dominators.h"
#include "referrers.h"
#include "roots.h"
#include "snapshot.h"

struct asnap_graph {
    struct asnap_snapshot *snapshot; /* whose traces `index` refers to */
    struct asnap_block_index index;
    struct asnap_edges edges;
    struct asnap_roots roots; /* its pointers sorted by block */
    struct asnap_reach reach;
    uint64_t *indirect_size; /* of definite blocks; NULL where there are none */
    uint32_t *indirect_count;
    uint64_t sizes[ASNAP_REACH_CLASSES];
    uint64_t counts[ASNAP_REACH_CLASSES];
    struct asnap_referrers referrers; /* where has_referrers */
    bool has_referrers;
    struct asnap_dominators dominators; /* where has_dominators */
    bool has_dominators;
    /* It is from a file: the edges are those between blocks that are not reachable, and the roots
     * are not known. */
    bool is_partial;
    char **notes;
    size_t note_count;
    size_t note_capacity;
};

/* The trace of a block. */
static inline const struct asnap_trace *asnap_graph_trace(const struct asnap_graph *graph,
                                                          uint32_t block)
{
    return &graph->index.traces[graph->index.places[block]];
}

/* Sets `snapshot`: a view that lives as long as the graph. */
struct asnap_error *asnap_graph_keep_snapshot(struct asnap_graph *graph,
                                              const struct asnap_snapshot *snapshot);

/* Fails where the graph is partial. `what` is asked for, as in "what points to a block". */
struct asnap_error *asnap_graph_check_whole(const struct asnap_graph *graph, const char *what);

/* Adds a note in a printf-style format. */
struct asnap_error *asnap_graph_add_note(struct asnap_graph *graph, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Says what was missing. `whole`: no blocks are known to be. */
struct asnap_error *asnap_graph_add_notes(struct asnap_graph *graph,
                                          const struct asnap_graph_facts *facts, bool whole,
                                          size_t skipped);

#endif
