/* Snapshots as files of other programs: viewers of profiles, of heaps, of tables. */
#ifndef ALLOCSNAP_EXPORT_H
#define ALLOCSNAP_EXPORT_H

#include "allocsnap_report.h"

#ifdef __cplusplus
extern "C" {
#endif

enum asnap_export_format {
    ASNAP_EXPORT_FOLDED,       /* a line for each stack */
    ASNAP_EXPORT_HEAPSNAPSHOT, /* V8's: blocks and the pointers between them */
    ASNAP_EXPORT_TRACEMALLOC,  /* asnap_snapshot_dump_tracemalloc */
    ASNAP_EXPORT_PPROF,        /* sums by stack, compressed */
    ASNAP_EXPORT_CSV,          /* a row for blocks that are alike */
    ASNAP_EXPORT_SQLITE,       /* a database */
    ASNAP_EXPORT_SPEEDSCOPE,   /* stacks and their weights, in JSON */
    ASNAP_EXPORT_REPORT,       /* a page for browsers */
    ASNAP_EXPORT_FIREFOX,      /* Firefox Profiler's processed profile, with native allocations */
};

struct asnap_export_description {
    const char *name;    /* what a user types: "folded" */
    const char *endings; /* of the names of files that are meant to be such, between commas; "" */
    const char *what;    /* it is, and what reads it, for help */
    bool needs_graph;    /* it has all blocks of a graph, and no filtered snapshot */
    bool compares;       /* it can say what two snapshots differ in */
    bool needs_page;     /* it is made of a page (asnap_report_options) */
    bool has_totals;     /* it can be of what was ever allocated (asnap_export_values) */
};

/* NULL: there is no such format. The formats are the numbers from 0 up to that. */
ASNAP_API const struct asnap_export_description *
asnap_export_describe(enum asnap_export_format format);

/* What a snapshot is of. */
enum asnap_export_values {
    ASNAP_EXPORT_LIVE = 0,
    ASNAP_EXPORT_ALLOCATED = 1, /* sums of asnap_totals_read */
    ASNAP_EXPORT_TEMPORARY = 2,
};

struct asnap_export_options {
    /* An older snapshot to compare with, where the format can; NULL: none. */
    const struct asnap_snapshot *old_snapshot;
    /* Of the blocks, or of those that they were filtered from; NULL: not known. */
    const struct asnap_graph *graph;
    /* What the graph's roots are called (asnap_graph_roots), NULL for one or all: by their kind. */
    const char *const *root_names;
    size_t root_name_count;
    bool by_count; /* of FOLDED the numbers are blocks, and not bytes; of SPEEDSCOPE the profile
                      that is shown first, and of FIREFOX the thread */
    const struct asnap_report_options *report; /* of REPORT; else not looked at */
    enum asnap_export_values
        values; /* of the snapshot: not LIVE only where the format has_totals */
    const struct asnap_progress *progress; /* may be NULL */
};

/* Writes a snapshot to a file (docs/export.md), as a whole or not at all, as asnap_snapshot_dump
 * does. Names are printable in it, and UTF-8, whatever their bytes are. `options` may be NULL.
 * Fails with IO, NO_MEMORY, INTERRUPTED, INVALID_ARGUMENT where there is no such format, a graph or
 * a page is missing or the format cannot compare, and UNSUPPORTED: what the format has no place
 * for, such as of REPORT 2^53 bytes or more, which browsers do not count exactly. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_export(const struct asnap_snapshot *snapshot, enum asnap_export_format format,
             const struct asnap_export_options *options, const char *path);

#ifdef __cplusplus
}
#endif

#endif
