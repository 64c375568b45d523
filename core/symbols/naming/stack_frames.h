/* From the tree of stacks to tracebacks: each a list of its own, which takes more room. */
#ifndef ASNAP_SYMBOLS_STACK_FRAMES_H
#define ASNAP_SYMBOLS_STACK_FRAMES_H

#include "raw.h"

/* In place of the place of its pc: no traceback has the node. */
#define ASNAP_NODE_UNUSED UINT32_MAX

/* What each node's return address stands for. */
struct asnap_stack_frames {
    const struct asnap_raw *raw;
    struct asnap_builder *builder;
    const struct asnap_progress *progress; /* may be NULL */
    const uint32_t *node_pc;   /* of each node: the place of its pc, or ASNAP_NODE_UNUSED */
    const size_t *first_frame; /* of each pc: the place in frame_ids; one more at the end */
    const uint32_t *frame_ids; /* the builder's numbers */
};

/* Adds the traceback of each stack that a trace has: its frames within the frame limit, most
 * recent first. Puts the number of the traceback into the trace. `frames_cut` becomes the number of
 * frames that tracebacks are cut to, where all frames of a tree that branches far from its root
 * would take out of proportion more room than the tree; else 0. Fails with NO_MEMORY and
 * INTERRUPTED. */
struct asnap_error *asnap_stack_frames_convert(const struct asnap_stack_frames *stacks,
                                               uint32_t *frames_cut);

#endif
