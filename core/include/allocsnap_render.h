/* Snapshots and rows as text and JSON. */
#ifndef ALLOCSNAP_RENDER_H
#define ALLOCSNAP_RENDER_H

#include "allocsnap_statistics.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Writes a size as tracemalloc does ("10239 B", "10.0 KiB", "100 KiB", with a
 * sign where `sign`). Always terminates; `buffer_size` of 32 is always enough. */
ASNAP_API void asnap_format_size(int64_t size, bool sign, char *buffer, size_t buffer_size);

/* Which traces come first. */
enum asnap_trace_order {
    ASNAP_ORDER_SIZE, /* asnap_snapshot_largest */
    ASNAP_ORDER_AGE,  /* asnap_snapshot_oldest */
};

/* Where sources are that were built somewhere else: what begins with the directory `from`
 * begins with `to` (gdb's substitute-path). */
struct asnap_path_rule {
    const char *from;
    const char *to;
};

/* What is put around pieces of text for people, so that whoever prints it can colour and cut them:
 * one of the first strings before a piece, by what it is, and `end` after it. No piece is within
 * another. */
struct asnap_render_marks {
    const char *file; /* a path without its line */
    const char *function;
    const char *name; /* of a type */
    const char *address;
    const char *size;
    const char *note;   /* what matters less: frames that are not shown */
    const char *source; /* a line of a file */
    const char *end;
};

struct asnap_render_options {
    size_t limit;      /* rows shown; 0: all */
    bool source_lines; /* show the source line where its file can be read */
    /* What the total was before filters took traces away, to be shown beside it; NULL:
     * not filtered. Size and count, and their differences where rows have them. */
    const struct asnap_statistic_diff *unfiltered;
    /* The inferior's memory map, sorted by address, to say where an address is that is
     * in no block; region_count 0: unknown. */
    const struct asnap_region *regions;
    size_t region_count;
    /* A sentence without its end on what is at the address ("it is in section .bss of server:
     * cache+8"), for where it is in no block and something is mapped there; NULL: not known. */
    const char *place;
    enum asnap_trace_order order; /* of traces */
    /* What the debugger calls the threads, by their place among the snapshot's; NULL where
     * it knows none. */
    const char *const *thread_labels;
    size_t thread_label_count;
    /* For the source lines; the first that fits counts. */
    const struct asnap_path_rule *path_rules;
    size_t path_rule_count;
    bool short_names; /* in text: functions without template arguments and parameters */
    bool short_paths; /* in text: the shortest ends that tell the files shown apart */
    /* Of traces and who: what tells the classes of the blocks; NULL: no graph was computed. */
    const struct asnap_graph *graph;
    const struct asnap_render_marks *marks; /* NULL: none */
    /* Of freed blocks: the newest time that is known besides theirs (asnap_snapshot_newest_time),
     * from which what is "ago" counts back; 0: none. */
    uint32_t newest;
};

/* How rows are written. */
enum asnap_format {
    ASNAP_FORMAT_TEXT, /* for people; ends with a newline */
    ASNAP_FORMAT_JSON, /* one JSON object on one line (docs/commands.md has its fields) */
};

/* Each of these writes one kind of result; free the text with asnap_string_destroy. They fail with
 * NO_MEMORY, and with INVALID_ARGUMENT where there is no such format. */

ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_render_statistics(const struct asnap_statistics *statistics, enum asnap_format format,
                        const struct asnap_render_options *options, char **text);

/* Differences: sizes and counts with their change beside them. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_render_diff(const struct asnap_diff *diff, enum asnap_format format,
                  const struct asnap_render_options *options, char **text);

/* Blocks one by one in the order of the options, each with the frame that it is attributed
 * to; as JSON with all its frames. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_render_traces(const struct asnap_snapshot *snapshot, enum asnap_format format,
                    const struct asnap_render_options *options, char **text);

/* The block that holds `address` (asnap_snapshot_find) with its whole stack, or that
 * there is none, and what is there then: the end of a block a few bytes before, or
 * what is mapped. `options->limit` is not looked at. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_render_who(const struct asnap_snapshot *snapshot, uint64_t address, enum asnap_format format,
                 const struct asnap_render_options *options, char **text);

/* The blocks at `address` that were freed, the last one first, of a snapshot of asnap_freed_read's
 * traces: where each was freed, and where it was allocated. As JSON a list. At most
 * `options->limit` of them, where that is not 0. "" or "[]" where there are none. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_render_lives(const struct asnap_snapshot *snapshot, uint64_t address,
                   enum asnap_format format, const struct asnap_render_options *options,
                   char **text);

struct asnap_errors;

/* Calls that were to free what is no live traced block, of a snapshot of asnap_errors_read's traces
 * and what it says of them: where each was, and where the block was freed before and allocated, as
 * far as that is known. At most `options->limit` of them, where that is not 0. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_render_errors(const struct asnap_snapshot *snapshot, const struct asnap_errors *errors,
                    enum asnap_format format, const struct asnap_render_options *options,
                    char **text);

#ifdef __cplusplus
}
#endif

#endif
