/* The report: a page that shows a snapshot, or the difference of two, in a browser. */
#ifndef ALLOCSNAP_REPORT_H
#define ALLOCSNAP_REPORT_H

#include "allocsnap_render.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the head of the page says beside what the snapshots hold, a line each: "program", "server".
 */
struct asnap_report_fact {
    const char *name;
    const char *value;
    bool old; /* it is of the older snapshot */
};

/* What holds a block that keeps much alive: a way from a root to it. */
struct asnap_report_way {
    const char *root;       /* "global cache (server)" */
    const uint32_t *blocks; /* of the graph, from the root on, the last of them the block */
    size_t block_count;
};

/* Where the page goes, piece by piece. */
struct asnap_report_sink {
    struct asnap_error *(*write)(void *context, const void *bytes, size_t size);
    void *context;
};

struct asnap_report_options {
    const char *page; /* the path of the page without data, which the build makes */
    const struct asnap_report_fact *facts;
    size_t fact_count;
    /* What the debugger calls the threads of the new snapshot, by their place. */
    const char *const *thread_labels;
    size_t thread_label_count;
    bool source_lines; /* the lines around frames, where their files can be read */
    const struct asnap_path_rule *path_rules;
    size_t path_rule_count;
    /* Of the new snapshot, after asnap_graph_retain; NULL: none was computed. */
    const struct asnap_graph *graph;
    const struct asnap_report_way *ways;
    size_t way_count;
};

/* Writes the page of a snapshot, and of what it has more than an older one where `old` is not NULL
 * (docs/report.md says what it holds). Blocks are attributed to frames as by statistics of the
 * snapshots. Fails with NO_MEMORY, IO where the page cannot be read, UNSUPPORTED where a snapshot
 * holds 2^53 bytes or more, which browsers do not count exactly, and with what `sink` returns. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_report_write(const struct asnap_snapshot *snapshot, const struct asnap_snapshot *old,
                   const struct asnap_report_options *options,
                   const struct asnap_report_sink *sink);

#ifdef __cplusplus
}
#endif

#endif
