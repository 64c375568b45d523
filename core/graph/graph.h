/* What the public graph is made of. */
#ifndef ASNAP_GRAPH_GRAPH_H
#define ASNAP_GRAPH_GRAPH_H

#include "dominators.h"
#include "roots.h"
#include "snapshot.h"

/* Bytes and blocks. */
struct asnap_graph_sum {
    uint64_t size;
    uint64_t count;
};

struct asnap_graph {
    _Atomic size_t references;
    struct asnap_graph *base; /* NULL, or the graph that it was made of by asnap_graph_hold, whose
                                 snapshot, index and edges it borrows */
    uint32_t *reasons;        /* of each block, why it counts as held, or NO_BLOCK; NULL: of none */
    struct asnap_graph_sum *held;    /* by reason and class in `base`: what is held */
    struct asnap_snapshot *snapshot; /* whose traces `index` refers to */
    struct asnap_block_index index;
    struct asnap_edges edges;
    struct asnap_roots roots; /* its pointers sorted by block */
    struct asnap_reach reach;
    uint64_t sizes[ASNAP_REACH_CLASSES];
    uint64_t counts[ASNAP_REACH_CLASSES];
    struct asnap_referrers referrers; /* where has_referrers */
    bool has_referrers;
    struct asnap_dominators dominators; /* where has_dominators */
    bool has_dominators;
    /* The edges are at least those between blocks that are not reachable, and the roots are not
     * known: it is from a file, or made by asnap_graph_hold. */
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

/* Makes `referrers`, the first time. Fails with NO_MEMORY only. */
struct asnap_error *asnap_graph_make_referrers(struct asnap_graph *graph);

/* An empty graph with one reference; NULL where memory is short. */
struct asnap_graph *asnap_graph_new(void);
struct asnap_graph *asnap_graph_share(struct asnap_graph *graph);

/* Sums up the classes. */
void asnap_graph_sum_up(struct asnap_graph *graph);

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
