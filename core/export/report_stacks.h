/* The frames of a report, by what is shown of them, and its stacks as a tree of them. */
#ifndef ASNAP_EXPORT_REPORT_STACKS_H
#define ASNAP_EXPORT_REPORT_STACKS_H

#include "report_names.h"

struct asnap_report_frame {
    uint32_t function; /* strings of the report */
    uint32_t file;
    uint32_t lineno;
    uint32_t module;
    uint32_t flags; /* ASNAP_REPORT_INLINED, and asnap_named_by from bit 8 on */
};

#define ASNAP_REPORT_INLINED 1u

/* A frame of a stack below another; node 0 is above all stacks. */
struct asnap_report_node {
    uint32_t parent;
    uint32_t frame;
};

struct asnap_report_stack {
    uint32_t node;       /* of its most recent frame */
    uint32_t attributed; /* of the frame that its blocks are attributed to */
    uint32_t is_cut;     /* 1: the frames before the oldest one were not recorded */
};

struct asnap_report_stacks {
    struct asnap_report_names *names;
    struct asnap_report_frame *frames;
    size_t frame_count;
    size_t frame_capacity;
    struct asnap_intern frame_table;
    struct asnap_report_node *nodes;
    size_t node_count;
    size_t node_capacity;
    uint32_t *node_slots;   /* a hash table of nodes by what is in them; 0: free, as no node is 0 */
    size_t node_slot_count; /* a power of two, or 0 */
    struct asnap_report_stack *stacks;
    size_t stack_count;
    size_t stack_capacity;
    struct asnap_intern stack_table;
};

struct asnap_error *asnap_report_stacks_init(struct asnap_report_stacks *stacks,
                                             struct asnap_report_names *names);
void asnap_report_stacks_deinit(struct asnap_report_stacks *stacks);

/* The number of a frame. */
struct asnap_error *asnap_report_frame(struct asnap_report_stacks *stacks,
                                       const struct asnap_frame *frame, const char *module,
                                       uint32_t *number);

/* What the frames and tracebacks of one snapshot are in the report; ASNAP_NONE: not asked for
 * yet. */
struct asnap_report_numbering {
    const struct asnap_snapshot *snapshot;
    uint32_t *frames;
    uint32_t *stacks;
};

struct asnap_error *asnap_report_numbering_init(struct asnap_report_numbering *numbering,
                                                const struct asnap_snapshot *snapshot);
void asnap_report_numbering_deinit(struct asnap_report_numbering *numbering);

/* The number of the stack that a traceback is. */
struct asnap_error *asnap_report_stack(struct asnap_report_stacks *stacks,
                                       struct asnap_report_numbering *numbering, uint32_t traceback,
                                       uint32_t *number);

void asnap_report_stacks_write(const struct asnap_report_stacks *stacks,
                               struct asnap_report_output *output);

#endif
