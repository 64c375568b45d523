/* The walk where stacks vary: a program that comes to its allocations by many ways has more stacks
 * than can be remembered frame by frame, though mostly their older frames are the same.
 *
 * The rows say how to get from the most recent frame to its callers, until one is met that lies on
 * the path that was laid last. The words of the path tell that it and all older ones are as they
 * were. So only the frames before it, the suffix, are to be followed down the tree of stacks.
 *
 * Nothing is remembered of such a walk but the node that it came to, under the suffix and the node
 * below it. Both mean the same for ever, whatever is loaded or unloaded: a place in the tree has
 * the number of its module. */
#include <stddef.h>

#include "allocsnap_table.h"
#include "pages.h"
#include "unwind_rows.h"
#include "walk_compare.h"
#include "walker.h"

/* Stacks are remembered as long as that helps: many windows of walks must miss before walks are
 * short, and not for long at first, since what comes again is not learned meanwhile. */
enum {
    WINDOW = 64,
    MISSED_MANY = 16,
    VARIED_WINDOWS = 4,
    SHORT_WINDOWS = 16,
    SHORT_WINDOWS_MOST = 512,
};

void asnap_walker_begin_window(struct asnap_walker *walker)
{
    bool missed_many = walker->missed >= MISSED_MANY;
    walker->missed = 0;
    walker->window = WINDOW;
    walker->junction++; /* it may be among more recent frames by now */
    if (walker->short_windows != 0) {
        walker->short_windows = missed_many ? 0 : walker->short_windows - 1;
    } else if (!missed_many) {
        walker->varied_windows = 0;
        walker->short_period = 0;
    } else if (++walker->varied_windows == VARIED_WINDOWS) {
        walker->varied_windows = 0;
        walker->short_period = walker->short_period == 0 ? SHORT_WINDOWS : 2 * walker->short_period;
        if (walker->short_period > SHORT_WINDOWS_MOST)
            walker->short_period = SHORT_WINDOWS_MOST;
        walker->short_windows = walker->short_period;
    }
}

/* One frame to its caller, where that is plain. */
static inline bool step_on(const struct asnap_reach *reach, struct asnap_caller *state,
                           uint64_t *place)
{
    struct asnap_row row;
    if (asnap_table_node_pc(state->pc) != state->pc || !asnap_row_is_known(state->pc - 1, &row) ||
        row.kind != ASNAP_ROW_REGULAR)
        return false;
    uint64_t cfa = (row.cfa_from_fp ? state->fp : state->sp) +
                   asnap_row_bytes(row.cfa_words, ASNAP_ROW_CFA_HALF);
    uint64_t fp_place = cfa + asnap_row_bytes(row.fp_words, ASNAP_ROW_FP_HALF);
    uint64_t return_place =
        (row.fp_saved ? fp_place : cfa) + asnap_row_bytes(row.return_words, ASNAP_ROW_RETURN_HALF);
    if (cfa - state->sp - 1 >= ASNAP_WALK_FRAME_BYTES_MAX || ((return_place | fp_place) & 7) != 0 ||
        !asnap_reach_knows(reach, return_place))
        return false;
    if (row.fp_saved) {
        if (!asnap_reach_knows(reach, fp_place))
            return false;
        state->fp = asnap_walk_word(fp_place);
    }
    *place = state->pc | (uint64_t)row.module << ASNAP_TABLE_PC_BITS;
    state->pc = asnap_arch_code_address(asnap_walk_word(return_place));
    state->sp = cfa;
    return true;
}

/* Follows callers until the stack pointer is no more below that of `frame`. False: some frame is
 * not plain, or they are too many. */
static inline bool follow_to(struct asnap_walker *walker, const struct asnap_walk_frame *frame,
                             struct asnap_caller *state)
{
    /* With as many frames as the limit, nothing below them need be kept. */
    uint32_t most = walker->limit <= ASNAP_SUFFIX_FRAMES ? walker->limit - 1 : ASNAP_SUFFIX_FRAMES;
    while (state->sp < frame->step.sp) {
        if (walker->suffix_count == most ||
            !step_on(&walker->reach, state, &walker->suffix[walker->suffix_count]))
            return false;
        walker->suffix_count++;
    }
    return true;
}

/* Where the last short walk met the path, this one is likely to do so; and the fewer places there
 * are where it may end, the better does the processor foresee them. */
static const struct asnap_walk_frame *find_junction(struct asnap_walker *walker,
                                                    const struct asnap_path *path,
                                                    const struct asnap_caller *caller)
{
    struct asnap_caller state = *caller;
    uint32_t depth = walker->junction < path->depth ? walker->junction : path->depth;
    for (; depth > 0; depth--) {
        const struct asnap_walk_frame *frame = &walker->frames[path->frames[depth]];
        if (!follow_to(walker, frame, &state))
            return NULL;
        if (asnap_walk_is_in_state(frame, &state)) {
            walker->junction = depth;
            return frame;
        }
    }
    return NULL;
}

__attribute__((noinline)) static bool make_suffixes(struct asnap_walker *walker)
{
    walker->suffixes = asnap_pages_map_to_spare(ASNAP_SUFFIXES * sizeof(*walker->suffixes));
    return walker->suffixes != NULL;
}

bool asnap_walker_walk_shortly(struct asnap_walker *walker, const struct asnap_caller *caller)
{
    if (walker->suffixes == NULL && !make_suffixes(walker))
        return false;
    const struct asnap_path *path = asnap_walker_path(walker, walker->leaf);
    const struct asnap_walk_frame *frame = find_junction(walker, path, caller);
    if (frame == NULL || walker->suffix_count == 0 ||
        (frame->step.flags & ASNAP_FRAME_COMPARED) == 0 ||
        asnap_walk_compare_words(path->comparisons, frame->comparisons) != UINT32_MAX) {
        walker->suffix_count = 0;
        walker->junction = ASNAP_WALK_DEPTH_MAX;
        return false;
    }
    for (uint32_t i = walker->suffix_count; i < ASNAP_SUFFIX_FRAMES; i++)
        walker->suffix[i] = 0;
    walker->junction_path = path;
    return true;
}
