/* The walk with all registers, for the few stacks on which some function keeps what is
 * needed in another register than the frame pointer, and for those that a walk may leave
 * without seeing it. Nothing is remembered of it, nor of which memory could be read: what
 * lies beside a stack may be unmapped at any time. */
#include <string.h>

#include "signal_frame.h"
#include "unwind_rows.h"
#include "walker.h"
#include "wild_call.h"

/* The hooks' own frames between here and the caller, at most. */
enum { OWN_FRAMES_MAX = 32 };

/* So often a stack may lead down: damaged ones lead in circles. */
enum { FULL_DESCENTS_MAX = 64 };

struct full_walk {
    struct asnap_walker *walker;
    struct asnap_registers *registers; /* of the frame that is looked at */
    struct asnap_registers *caller;
    uint64_t pc; /* as in a frame: after the call, or after where it was interrupted */
    uint32_t module;
    uint32_t descents;
    bool interrupted; /* the frame that is looked at, by a signal */
    bool by_call;     /* the frame before has led to it as ASNAP_FRAME_BY_CALL */
};

/* Finds the caller's registers. `*interrupted` becomes whether a signal came there. */
static bool find_caller(struct full_walk *walk, uint64_t *word, bool *interrupted)
{
    struct asnap_walker *walker = walk->walker;
    struct asnap_row row = {.kind = ASNAP_ROW_END};
    if (asnap_row_rules(walk->pc - 1, walker->avoid, &walker->cfi, &walk->module)) {
        *interrupted = walker->cfi.signal_frame;
        return asnap_cfi_apply(&walker->cfi, walk->registers, asnap_walker_read, walker,
                               walk->caller, word);
    }
    asnap_row_find(walk->pc - 1, walker->avoid, &walker->cfi, &row);
    *interrupted = row.kind == ASNAP_ROW_SIGNAL;
    if (*interrupted)
        return asnap_signal_registers(walk->registers->values[ASNAP_REGISTER_SP], asnap_walker_read,
                                      walker, walk->caller, word);
    walk->by_call =
        walk->interrupted && asnap_wild_call_caller(walk->pc - 1, walk->registers,
                                                    asnap_walker_read, walker, walk->caller, word);
    return walk->by_call;
}

/* One frame up. False: there is no caller, or nothing is known of it. */
static bool climb(struct full_walk *walk)
{
    uint64_t sp = walk->registers->values[ASNAP_REGISTER_SP];
    uint64_t word;
    bool interrupted;
    walk->by_call = false;
    if (!find_caller(walk, &word, &interrupted))
        return false;
    struct asnap_registers *registers = walk->registers;
    walk->registers = walk->caller;
    walk->caller = registers;
    word = asnap_arch_code_address(word);
    if ((word == 0 && !interrupted) || (walk->registers->known >> ASNAP_REGISTER_SP & 1) == 0)
        return false;
    if (walk->registers->values[ASNAP_REGISTER_SP] <= sp && ++walk->descents > FULL_DESCENTS_MAX)
        return false;
    walk->pc = interrupted ? word + 1 : word;
    walk->interrupted = interrupted;
    return true;
}

/* From the function that runs to the frame of `caller`. */
static bool leave_hooks(struct full_walk *walk, const struct asnap_caller *caller)
{
    for (int i = 0; i < OWN_FRAMES_MAX; i++) {
        if (walk->registers->values[ASNAP_REGISTER_SP] == caller->sp)
            return walk->pc == caller->pc;
        if (!climb(walk))
            return false;
    }
    return false;
}

static bool walk_from_here(struct asnap_walker *walker, const struct asnap_caller *caller)
{
    struct full_walk walk = {
        .walker = walker,
        .registers = &walker->registers[0],
        .caller = &walker->registers[1],
    };
    asnap_walker_forget(walker);
    walker->forgetful = true;
    walk.registers->known = ASNAP_REGISTERS_CAPTURED;
    walk.pc = asnap_arch_capture(walk.registers->values);
    bool more = leave_hooks(&walk, caller);
    struct asnap_caller state = *caller;
    while (walker->pending_count < ASNAP_WALK_DEPTH_MAX) {
        struct asnap_step *step = asnap_walker_add(walker, &state);
        if (step == NULL)
            return false;
        bool climbed = more && climb(&walk);
        step->flags = ASNAP_FRAME_STEPPED;
        step->module = more ? (uint16_t)walk.module : 0;
        if (!climbed)
            break;
        if (walk.by_call)
            step->flags |= ASNAP_FRAME_BY_CALL;
        state.pc = walk.pc;
        state.sp = walk.registers->values[ASNAP_REGISTER_SP];
        state.fp = walk.registers->values[ASNAP_REGISTER_FP];
    }
    return asnap_walker_settle(walker, 0);
}

bool asnap_walker_walk_fully(struct asnap_walker *walker, const struct asnap_caller *caller)
{
    struct asnap_reach reach = {.next_other = 0};
    walker->reading = &reach;
    bool walked = walk_from_here(walker, caller);
    walker->reading = &walker->reach;
    return walked;
}
