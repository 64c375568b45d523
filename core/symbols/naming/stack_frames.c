#include "stack_frames.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"

#define TOTAL_NFRAME_MAX UINT32_C(65535)
#define NOT_CONVERTED UINT32_MAX
#define SEEN (UINT32_MAX - 1)

/* The frames that tracebacks together may have, at least, and for each node. Stacks of real
 * programs branch everywhere: they have a few frames for each node. */
#define FRAMES_ALWAYS (UINT64_C(1) << 24)
#define FRAMES_FOR_NODE 64

/* How often the user is asked whether to go on, in steps. */
#define ASK_STEPS (UINT64_C(1) << 20)

struct conversion {
    const struct asnap_stack_frames *from;
    uint32_t *totals;    /* by node: the frames of the whole stack from it on, each node beyond
                            the limit being one; or ASNAP_TOTAL_UNKNOWN */
    uint32_t *lengths;   /* by node: the frames that are here from it on, at most the most */
    uint32_t *traceback; /* by node that is the leaf of a trace: its number */
    uint32_t *stack;     /* the traceback being made */
    uint32_t most;       /* frames in a traceback */
    uint64_t steps;
};

static bool is_origin(const struct asnap_raw_node *node)
{
    return node->parent == ASNAP_RAW_NONE;
}

static uint32_t at_most(uint64_t frames)
{
    return frames > TOTAL_NFRAME_MAX ? TOTAL_NFRAME_MAX : (uint32_t)frames;
}

/* Counts steps of work. */
static struct asnap_error *step(struct conversion *conversion, uint64_t steps)
{
    const struct asnap_progress *progress = conversion->from->progress;
    uint64_t before = conversion->steps / ASK_STEPS;
    conversion->steps += steps;
    if (progress == NULL || conversion->steps / ASK_STEPS == before ||
        progress->report(progress->context, "", 0, 0))
        return NULL;
    return asnap_error_interrupted("putting stacks together");
}

/* The frames that a node stands for. */
static size_t frames_of(const struct conversion *conversion, uint32_t node)
{
    const size_t *first = &conversion->from->first_frame[conversion->from->node_pc[node]];
    return first[1] - first[0];
}

/* Adds up the frames of each stack from its end on: parents come first. The longest is
 * `longest`. */
static struct asnap_error *measure(struct conversion *conversion, uint32_t *longest)
{
    const struct asnap_raw *raw = conversion->from->raw;
    *longest = 0;
    for (size_t i = 0; i < raw->node_count; i++) {
        const struct asnap_raw_node *node = &raw->nodes[i];
        struct asnap_error *error = i % 4096 == 0 ? step(conversion, 4096) : NULL;
        if (error != NULL)
            return error;
        if (is_origin(node)) {
            conversion->totals[i] =
                node->pc == ASNAP_RAW_NOT_COUNTED ? ASNAP_TOTAL_UNKNOWN : at_most(node->pc);
            continue;
        }
        uint32_t total = conversion->totals[node->parent];
        conversion->totals[i] = total == ASNAP_TOTAL_UNKNOWN ? total : at_most((uint64_t)total + 1);
        bool is_used = conversion->from->node_pc[i] != ASNAP_NODE_UNUSED;
        uint64_t length = conversion->lengths[node->parent];
        length += is_used ? frames_of(conversion, (uint32_t)i) : 0;
        conversion->lengths[i] = at_most(length);
        if (conversion->lengths[i] > *longest)
            *longest = conversion->lengths[i];
    }
    return NULL;
}

/* How many frames the traceback of a leaf has within the limit, each node counted; `steps`
 * becomes how many nodes. */
static uint64_t frames_within(const struct conversion *conversion, uint32_t leaf, uint32_t *steps)
{
    const struct asnap_raw *raw = conversion->from->raw;
    uint64_t frames = 0;
    uint32_t depth = 0;
    for (uint32_t at = leaf; !is_origin(&raw->nodes[at]) && depth < raw->frame_limit;
         at = raw->nodes[at].parent, depth++)
        frames += frames_of(conversion, at);
    *steps = depth;
    return at_most(frames);
}

/* Sums up the frames of all tracebacks, until they are more than `most`. Of each leaf it takes all
 * that is here, or, where `exactly`, what is within the limit. */
static struct asnap_error *sum_up(struct conversion *conversion, bool exactly, uint64_t most,
                                  uint64_t *leaves, uint64_t *frames)
{
    const struct asnap_raw *raw = conversion->from->raw;
    const uint32_t seen = exactly ? NOT_CONVERTED : SEEN;
    struct asnap_error *error = NULL;
    *frames = 0;
    *leaves = 0;
    for (size_t i = 0; i < raw->trace_count && error == NULL; i++) {
        uint32_t leaf = raw->traces[i].traceback_id;
        uint32_t steps = 1;
        if (conversion->traceback[leaf] != seen && *frames <= most) {
            *frames +=
                exactly ? frames_within(conversion, leaf, &steps) : conversion->lengths[leaf];
            *leaves += 1;
        } else if (conversion->traceback[leaf] != seen) {
            *leaves += 1;
        }
        conversion->traceback[leaf] = seen;
        error = step(conversion, steps);
    }
    return error;
}

/* Finds out whether tracebacks must be cut, and to what. */
static struct asnap_error *choose_most(struct conversion *conversion, uint32_t *frames_cut)
{
    const struct asnap_raw *raw = conversion->from->raw;
    uint64_t most = FRAMES_ALWAYS + FRAMES_FOR_NODE * (uint64_t)raw->node_count;
    uint64_t frames;
    uint64_t leaves;
    uint32_t longest;
    struct asnap_error *error = measure(conversion, &longest);
    conversion->most = TOTAL_NFRAME_MAX;
    *frames_cut = 0;
    if (error != NULL || raw->node_count * (uint64_t)longest <= most)
        return error;
    error = sum_up(conversion, false, most, &leaves, &frames);
    bool is_seen = error == NULL;
    if (error == NULL && frames > most)
        error = sum_up(conversion, true, most, &leaves, &frames);
    else if (is_seen)
        for (size_t i = 0; i < raw->node_count; i++)
            conversion->traceback[i] = NOT_CONVERTED;
    if (error != NULL || frames <= most)
        return error;
    conversion->most = at_most(most / leaves);
    *frames_cut = conversion->most;
    return NULL;
}

/* Makes the traceback of a leaf. Older frames count like those that the hooks left out, so that
 * it does not matter how many they kept. */
static struct asnap_error *convert(struct conversion *conversion, uint32_t leaf)
{
    const struct asnap_stack_frames *from = conversion->from;
    const struct asnap_raw_node *nodes = from->raw->nodes;
    uint64_t known = 0;
    size_t kept = 0;
    uint32_t depth = 0;
    uint32_t at = leaf;
    for (; !is_origin(&nodes[at]) && depth < from->raw->frame_limit && kept < conversion->most;
         at = nodes[at].parent, depth++) {
        size_t count = frames_of(conversion, at);
        known += count;
        if (count > conversion->most - kept)
            count = conversion->most - kept;
        memcpy(conversion->stack + kept, from->frame_ids + from->first_frame[from->node_pc[at]],
               count * sizeof(*conversion->stack));
        kept += count;
    }
    uint32_t rest = conversion->totals[at];
    uint32_t total = rest == ASNAP_TOTAL_UNKNOWN ? rest : at_most(known + rest);
    struct asnap_error *error = step(conversion, depth);
    if (error != NULL)
        return error;
    return asnap_builder_traceback(from->builder, conversion->stack, kept, total,
                                   &conversion->traceback[leaf]);
}

static struct asnap_error *convert_all(struct conversion *conversion, uint32_t *frames_cut)
{
    const struct asnap_raw *raw = conversion->from->raw;
    struct asnap_error *error = choose_most(conversion, frames_cut);
    for (size_t i = 0; i < raw->trace_count && error == NULL; i++) {
        uint32_t leaf = raw->traces[i].traceback_id;
        if (conversion->traceback[leaf] == NOT_CONVERTED)
            error = convert(conversion, leaf);
        raw->traces[i].traceback_id = conversion->traceback[leaf];
        if (error == NULL && i % 4096 == 0)
            error = step(conversion, 4096);
    }
    return error;
}

struct asnap_error *asnap_stack_frames_convert(const struct asnap_stack_frames *stacks,
                                               uint32_t *frames_cut)
{
    size_t count = stacks->raw->node_count;
    struct conversion conversion = {
        .from = stacks,
        .totals = calloc(count + 1, sizeof(*conversion.totals)),
        .lengths = calloc(count + 1, sizeof(*conversion.lengths)),
        .traceback = malloc((count + 1) * sizeof(*conversion.traceback)),
        .stack = calloc(TOTAL_NFRAME_MAX, sizeof(*conversion.stack)),
    };
    struct asnap_error *error = NULL;
    if (conversion.totals == NULL || conversion.lengths == NULL || conversion.traceback == NULL ||
        conversion.stack == NULL)
        error = asnap_error_no_memory();
    for (size_t i = 0; i < count && error == NULL; i++)
        conversion.traceback[i] = NOT_CONVERTED;
    if (error == NULL)
        error = convert_all(&conversion, frames_cut);
    free(conversion.totals);
    free(conversion.lengths);
    free(conversion.traceback);
    free(conversion.stack);
    return error;
}
