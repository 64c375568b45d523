/* What a report has beside the snapshots (allocsnap_export.h, ASNAP_EXPORT_REPORT). */
#ifndef ALLOCSNAP_REPORT_H
#define ALLOCSNAP_REPORT_H

#include "allocsnap_graph.h"
#include "allocsnap_render.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the head of the page says beside what the snapshots hold, a line each: "source", "process
 * 1234". */
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
    /* Of the same blocks as the graph of the export, after asnap_graph_retain: what keeps most
     * alive; NULL: it is not told. */
    const struct asnap_graph *retained;
    const struct asnap_report_way *ways;
    size_t way_count;
};

#ifdef __cplusplus
}
#endif

#endif
