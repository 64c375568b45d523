/* The walk with the frame pointer and the stack pointer alone. */
#include "allocsnap_table.h"
#include "root.h"
#include "signal_frame.h"
#include "unwind_rows.h"
#include "walk_compare.h"
#include "walker.h"
#include "wild_call.h"

/* A stack may lead down to another one, but not for ever. */
enum { DESCENTS_MAX = 64 };

/* So few frames before those of a path are as soon compared without one. */
enum { UNLAID_FRAMES = 4 };

enum outcome {
    CALLER_FOUND, /* the walk's state is the caller's */
    STACK_ENDS,
    ALL_MET, /* the frame that was met, and all older ones, are as they were */
    ALL_REGISTERS_NEEDED,
    NO_MEMORY,
};

struct walk {
    struct asnap_walker *walker;
    struct asnap_reach elsewhere; /* what can be read of stacks it has come to, now */
    uint32_t met;                 /* with ALL_MET */
    uint32_t descents;
    bool interrupted;          /* the frame to be looked at, by a signal */
    struct asnap_caller state; /* of the frame to be looked at */
};

/* The walk may come to another stack than that it began on, which is not known to be in use: its
 * memory is asked about each time, and what is read there is remembered as nothing to compare. */
static void leave_stack(struct walk *walk)
{
    walk->walker->reading = &walk->elsewhere;
}

static bool has_left(const struct walk *walk)
{
    return walk->walker->reading == &walk->elsewhere;
}

/* Notes where the caller was found, for the next time. */
static void note_places(struct asnap_step *step, uint64_t return_place, uint64_t fp_place,
                        uint64_t caller_sp)
{
    int64_t return_offset = (int64_t)(return_place - step->sp);
    int64_t fp_offset = (int64_t)(fp_place - step->sp);
    int64_t caller_offset = (int64_t)(caller_sp - step->sp);
    step->offsets[ASNAP_WORD_PC] = (int32_t)return_offset;
    step->offsets[ASNAP_WORD_FP] = (int32_t)fp_offset;
    step->caller_offset = (int32_t)caller_offset;
    if (step->offsets[ASNAP_WORD_PC] != return_offset ||
        step->offsets[ASNAP_WORD_FP] != fp_offset || step->caller_offset != caller_offset)
        step->flags |= ASNAP_FRAME_STEPPED;
}

/* The caller of a frame whose row says where it is. */
static enum outcome step_plainly(struct walk *walk, struct asnap_step *step,
                                 const struct asnap_row *row)
{
    uint64_t fp = step->words[ASNAP_WORD_FP];
    uint64_t cfa =
        (row->cfa_from_fp ? fp : step->sp) + asnap_row_bytes(row->cfa_words, ASNAP_ROW_CFA_HALF);
    uint64_t fp_place = cfa + asnap_row_bytes(row->fp_words, ASNAP_ROW_FP_HALF);
    uint64_t return_place = row->fp_saved ? fp_place : cfa;
    if (row->cfa_from_fp) {
        step->flags |= ASNAP_FRAME_FP_USED;
        if (cfa - step->sp > ASNAP_WALK_FRAME_BYTES_MAX)
            leave_stack(walk);
    }
    if (row->kind == ASNAP_ROW_INDIRECT) {
        uint64_t place = fp + asnap_row_bytes(row->cfa_words, ASNAP_ROW_CFA_HALF);
        if (!asnap_reach_word(walk->walker->reading, place))
            return STACK_ENDS;
        cfa = asnap_walk_word(place);
        if (cfa - step->sp > ASNAP_WALK_FRAME_BYTES_MAX)
            leave_stack(walk);
        fp_place = fp + asnap_row_bytes(row->fp_words, ASNAP_ROW_FP_HALF);
        return_place = cfa;
        step->flags |= ASNAP_FRAME_STEPPED;
    }
    return_place += asnap_row_bytes(row->return_words, ASNAP_ROW_RETURN_HALF);
    struct asnap_reach *reach = walk->walker->reading;
    if (!asnap_reach_word(reach, return_place))
        return STACK_ENDS;
    if (row->fp_saved) {
        if (!asnap_reach_word(reach, fp_place))
            return STACK_ENDS;
        step->flags |= ASNAP_FRAME_FP_SAVED;
        walk->state.fp = asnap_walk_word(fp_place);
    } else {
        fp_place = return_place;
    }
    note_places(step, return_place, fp_place, cfa);
    walk->state.pc = asnap_arch_code_address(asnap_walk_word(return_place));
    walk->state.sp = cfa;
    return CALLER_FOUND;
}

/* The state that a signal interrupted. */
static enum outcome step_over_signal(struct walk *walk, struct asnap_step *step)
{
    struct asnap_walker *walker = walk->walker;
    struct asnap_registers *registers = &walker->registers[0];
    struct asnap_registers *interrupted = &walker->registers[1];
    const uint64_t needed = UINT64_C(1) << ASNAP_REGISTER_SP | UINT64_C(1) << ASNAP_REGISTER_FP;
    uint64_t pc;
    uint32_t module;
    step->flags |= ASNAP_FRAME_STEPPED;
    registers->known = needed;
    registers->values[ASNAP_REGISTER_SP] = step->sp;
    registers->values[ASNAP_REGISTER_FP] = step->words[ASNAP_WORD_FP];
    bool found =
        asnap_row_rules(step->words[ASNAP_WORD_PC] - 1, walker->avoid, &walker->cfi, &module)
            ? asnap_cfi_apply(&walker->cfi, registers, asnap_walker_read, walker, interrupted, &pc)
            : asnap_signal_registers(step->sp, asnap_walker_read, walker, interrupted, &pc);
    if (!found || (interrupted->known & needed) != needed)
        return ALL_REGISTERS_NEEDED;
    leave_stack(walk);
    walk->state.pc = asnap_arch_code_address(pc) + 1;
    walk->state.sp = interrupted->values[ASNAP_REGISTER_SP];
    walk->state.fp = interrupted->values[ASNAP_REGISTER_FP];
    return CALLER_FOUND;
}

/* From where a signal has interrupted a call that led to no code. */
static enum outcome step_from_wild_call(struct walk *walk, struct asnap_step *step)
{
    struct asnap_walker *walker = walk->walker;
    struct asnap_registers *caller = &walker->registers[0];
    uint64_t pc;
    step->flags |= ASNAP_FRAME_STEPPED;
    if (!asnap_wild_call_caller(step->words[ASNAP_WORD_PC] - 1, &walker->registers[1],
                                asnap_walker_read, walker, caller, &pc))
        return STACK_ENDS;
    step->flags |= ASNAP_FRAME_BY_CALL;
    walk->state.pc = pc;
    walk->state.sp = caller->values[ASNAP_REGISTER_SP];
    walk->state.fp = caller->values[ASNAP_REGISTER_FP];
    return CALLER_FOUND;
}

/* Adds the frame that has the walk's state, and goes to its caller. */
static enum outcome step(struct walk *walk)
{
    struct asnap_walker *walker = walk->walker;
    struct asnap_step *step = asnap_walker_add(walker, &walk->state);
    if (step == NULL)
        return NO_MEMORY;
    if (walker->pending_count > ASNAP_WALK_DEPTH_MAX) {
        walker->forgetful = true;
        return STACK_ENDS;
    }
    struct asnap_row row;
    enum asnap_row_search search =
        asnap_row_find(walk->state.pc - 1, walker->avoid, &walker->cfi, &row);
    if (search == ASNAP_ROW_FLEETING)
        step->flags |= ASNAP_FRAME_STEPPED;
    step->module = row.module;
    enum outcome outcome;
    bool interrupted = walk->interrupted;
    walk->interrupted = row.kind == ASNAP_ROW_SIGNAL;
    switch ((enum asnap_row_kind)row.kind) {
    case ASNAP_ROW_DOUBTFUL:
        if (!interrupted)
            return ALL_REGISTERS_NEEDED;
        step->flags |= ASNAP_FRAME_STEPPED;
        outcome = step_plainly(walk, step, &row);
        break;
    case ASNAP_ROW_REGULAR:
    case ASNAP_ROW_INDIRECT:
        outcome = step_plainly(walk, step, &row);
        break;
    case ASNAP_ROW_SIGNAL:
        outcome = step_over_signal(walk, step);
        break;
    case ASNAP_ROW_COMPLEX:
        return ALL_REGISTERS_NEEDED;
    case ASNAP_ROW_END:
    default:
        if (interrupted) {
            outcome = step_from_wild_call(walk, step);
            break;
        }
        step->flags |= search == ASNAP_ROW_FLEETING ? 0 : ASNAP_FRAME_LAST;
        return STACK_ENDS;
    }
    if (outcome == STACK_ENDS || has_left(walk)) /* it may be otherwise another time */
        step->flags |= ASNAP_FRAME_STEPPED;
    if (outcome == CALLER_FOUND && walk->state.sp <= step->sp && ++walk->descents > DESCENTS_MAX)
        outcome = STACK_ENDS;
    return outcome;
}

static inline uint64_t caller_word(const struct asnap_step *step, int kind)
{
    return asnap_walk_word(step->sp + (uint64_t)step->offsets[kind]);
}

/* Whether the stack still leads from a frame to its caller; the frame can be compared. */
static inline bool leads_on(const struct asnap_walk_frame *frame,
                            const struct asnap_walk_frame *caller)
{
    const struct asnap_step *step = &frame->step;
    uint32_t count = frame->comparisons - caller->comparisons;
    return count == 0 ||
           (asnap_arch_code_address(caller_word(step, ASNAP_WORD_PC)) ==
                caller->step.words[ASNAP_WORD_PC] &&
            (count == 1 || caller_word(step, ASNAP_WORD_FP) == caller->step.words[ASNAP_WORD_FP]));
}

static inline bool can_be_compared(const struct asnap_walker *walker, uint32_t number)
{
    return (walker->frames[number].step.flags & ASNAP_FRAME_COMPARED) != 0;
}

/* Compares the stack from a frame on with what is remembered. Returns the first frame whose
 * caller is another now; 0: there is none. */
static ASNAP_HOT uint32_t compare(struct asnap_walker *walker, uint32_t first)
{
    struct asnap_path *path = asnap_walker_path(walker, first);
    const struct asnap_walk_frame *frames = walker->frames;
    const struct asnap_walk_frame *frame = &frames[first];
    uint32_t number = first;
    while (!asnap_path_has(path, number, frame->depth)) {
        const struct asnap_walk_frame *caller = &frames[frame->caller];
        if (!leads_on(frame, caller))
            return number;
        number = frame->caller;
        frame = caller;
    }
    uint32_t before = asnap_walk_compare_words(path->comparisons, frame->comparisons);
    if (__builtin_expect(before == UINT32_MAX, 1)) {
        if (frames[first].depth - frame->depth > UNLAID_FRAMES)
            asnap_walker_lay_path(walker, path, first);
        return 0;
    }
    while (frames[frames[number].caller].comparisons > before)
        number = frames[number].caller;
    return number;
}

/* Adds a frame that was met again and can be compared, and goes to its caller, whichever
 * that is now: it is found where it was. */
static enum outcome take_over(struct walk *walk, uint32_t number)
{
    struct asnap_walker *walker = walk->walker;
    struct asnap_step *step = asnap_walker_add(walker, &walk->state);
    if (step == NULL)
        return NO_MEMORY;
    const struct asnap_walk_frame *frame = &walker->frames[number];
    uint64_t fp = walk->state.fp;
    *step = frame->step;
    step->words[ASNAP_WORD_FP] = fp;
    step->flags = (uint16_t)(step->flags & ~(ASNAP_FRAME_FP_MATTERS | ASNAP_FRAME_COMPARED));
    if ((step->flags & ASNAP_FRAME_LAST) != 0)
        return STACK_ENDS;
    walk->state.pc = asnap_arch_code_address(caller_word(step, ASNAP_WORD_PC));
    walk->state.sp = step->sp + (uint64_t)step->caller_offset;
    walk->interrupted = false;
    if ((step->flags & ASNAP_FRAME_FP_SAVED) != 0)
        walk->state.fp = caller_word(step, ASNAP_WORD_FP);
    return CALLER_FOUND;
}

/* One frame of those that were met again, on a stack that cannot be compared as a whole.
 * `*number` becomes the next of them; 0: what comes next is not known to be one. */
static enum outcome follow_one(struct walk *walk, uint32_t *number)
{
    struct asnap_walker *walker = walk->walker;
    const struct asnap_walk_frame *frame = &walker->frames[*number];
    uint32_t caller = frame->caller;
    bool stepped = (frame->step.flags & ASNAP_FRAME_STEPPED) != 0;
    enum outcome outcome = stepped ? step(walk) : take_over(walk, *number);
    bool ends = outcome == STACK_ENDS || (outcome == CALLER_FOUND && walk->state.pc == 0);
    if (ends)
        return caller == 0 ? ALL_MET : outcome;
    bool same = caller != 0 && !has_left(walk) &&
                asnap_walk_is_in_state(&walker->frames[caller], &walk->state);
    *number = same ? caller : 0;
    return outcome;
}

/* Goes on from a frame that was met again, as far as what is remembered holds. */
static enum outcome follow(struct walk *walk, uint32_t number)
{
    struct asnap_walker *walker = walk->walker;
    uint32_t waiting = walker->pending_count;
    uint32_t met = number;
    enum outcome outcome;
    do {
        if (!can_be_compared(walker, number)) {
            outcome = follow_one(walk, &number);
            continue;
        }
        uint32_t changed = compare(walker, number);
        outcome = changed == 0 ? ALL_MET : take_over(walk, number);
        while (outcome == CALLER_FOUND && number != changed) {
            number = walker->frames[number].caller;
            outcome = take_over(walk, number);
        }
        number = 0;
    } while (outcome == CALLER_FOUND && number != 0);
    if (outcome == ALL_MET) {
        walker->pending_count = waiting;
        walk->met = met;
    }
    return outcome;
}

/* A frame in this state, or 0. */
static ASNAP_HOT uint32_t guess(const struct asnap_walker *walker, const struct asnap_caller *state)
{
    uint32_t number = walker->pending_count == 0 ? walker->successors[walker->leaf] : 0;
    if (number != 0 && asnap_walk_is_in_state(&walker->frames[number], state))
        return number;
    number = *asnap_walker_recent(walker, state->pc, state->sp);
    return number != 0 && asnap_walk_is_in_state(&walker->frames[number], state) ? number : 0;
}

static enum outcome advance(struct walk *walk)
{
    if (walk->state.pc == 0)
        return STACK_ENDS;
    uint32_t number = has_left(walk) ? 0 : guess(walk->walker, &walk->state);
    return number != 0 ? follow(walk, number) : step(walk);
}

/* Forgets what does not hold, or would be too much. */
static ASNAP_HOT void begin(struct asnap_walker *walker)
{
    uint32_t epoch = __atomic_load_n(&asnap_rows_epoch, __ATOMIC_ACQUIRE);
    if (__builtin_expect(walker->epoch != epoch || asnap_walker_is_full(walker), 0))
        asnap_walker_forget(walker);
    walker->epoch = epoch;
    walker->pending_count = 0;
    walker->suffix_count = 0;
}

/* Instead of a walk, where one frame is wanted. Such a frame is as if its stack pointer
 * were 0. */
__attribute__((noinline)) static bool stop_at(struct asnap_walker *walker,
                                              const struct asnap_caller *caller)
{
    const struct asnap_caller state = {.pc = caller->pc};
    /* Nothing of the stack is read, but it is to be known which one it is. */
    asnap_reach_word(&walker->reach, (uint64_t)(uintptr_t)&state);
    uint32_t number = *asnap_walker_recent(walker, state.pc, state.sp);
    if (number != 0 && asnap_walk_is_in_state(&walker->frames[number], &state)) {
        walker->leaf = number;
        return true;
    }
    struct asnap_loaded_module module;
    struct asnap_step *step = asnap_walker_add(walker, &state);
    if (step == NULL)
        return false;
    if (asnap_modules_find(state.pc - 1, walker->avoid, &module) == ASNAP_MODULE_FOUND)
        step->module = module.number & UINT16_MAX;
    step->flags = ASNAP_FRAME_LAST;
    return asnap_walker_settle(walker, 0);
}

/* From the first frame on, that was met again and is not as it was, or is new. */
__attribute__((noinline)) static bool walk_through(struct asnap_walker *walker,
                                                   const struct asnap_caller *caller)
{
    struct walk walk = {.walker = walker, .state = *caller};
    enum outcome outcome;
    do
        outcome = advance(&walk);
    while (outcome == CALLER_FOUND);
    walker->reading = &walker->reach;
    if (outcome == ALL_REGISTERS_NEEDED)
        return asnap_walker_walk_fully(walker, caller);
    return outcome != NO_MEMORY && asnap_walker_settle(walker, outcome == ALL_MET ? walk.met : 0);
}

bool asnap_walker_walk(struct asnap_walker *walker, const struct asnap_caller *caller,
                       uint32_t limit)
{
    begin(walker);
    asnap_reach_begin(&walker->reach, caller->sp);
    walker->limit = limit;
    if (limit == 1)
        return stop_at(walker, caller);
    /* Most stacks are as they were. */
    if (asnap_walker_is_short(walker) && asnap_walker_walk_shortly(walker, caller))
        return true;
    uint32_t number = guess(walker, caller);
    if (number != 0 && can_be_compared(walker, number) && compare(walker, number) == 0)
        return asnap_walker_settle(walker, number);
    walker->missed++;
    return walk_through(walker, caller);
}
