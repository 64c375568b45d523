/* The walk with the frame pointer and the stack pointer alone. */
#include "allocsnap_table.h"
#include "signal_frame.h"
#include "unwind_rows.h"
#include "walker.h"

/* A stack may lead down to another one, but not for ever. */
enum { DESCENTS_MAX = 64 };

enum outcome {
    CALLER_FOUND,
    STACK_ENDS,
    ALL_REGISTERS_NEEDED,
    CANNOT_WALK,
};

struct walk {
    struct asnap_walker *walker;
    uint32_t old;   /* the frame of the last walk that may be met next; 0: none */
    uint32_t first; /* new frames: from here to the walker's capacity, oldest first */
    uint32_t descents;
    bool interrupted;          /* the frame to be looked at, by a signal */
    struct asnap_caller state; /* of the frame to be looked at */
};

static inline uint64_t word_at(uint64_t address)
{
    return *(const uint64_t *)(uintptr_t)address;
}

/* Notes where the caller was found, for later comparison. */
static void note_places(struct asnap_walk_frame *frame, uint64_t return_place, uint64_t fp_place)
{
    int64_t return_offset = (int64_t)(return_place - frame->sp);
    int64_t fp_offset = (int64_t)(fp_place - frame->sp);
    frame->return_offset = (int32_t)return_offset;
    frame->fp_offset = (int32_t)fp_offset;
    if (frame->return_offset != return_offset || frame->fp_offset != fp_offset)
        frame->flags |= ASNAP_FRAME_STEPPED;
}

/* The caller of a frame whose row says where it is. */
static enum outcome step_plainly(struct walk *walk, struct asnap_walk_frame *frame,
                                 const struct asnap_row *row)
{
    struct asnap_reach *reach = &walk->walker->reach;
    uint64_t cfa = (row->cfa_from_fp ? frame->fp : frame->sp) +
                   asnap_row_bytes(row->cfa_words, ASNAP_ROW_CFA_HALF);
    uint64_t fp_place = cfa + asnap_row_bytes(row->fp_words, ASNAP_ROW_FP_HALF);
    uint64_t return_place = row->fp_saved ? fp_place : cfa;
    if (row->kind == ASNAP_ROW_INDIRECT) {
        uint64_t place = frame->fp + asnap_row_bytes(row->cfa_words, ASNAP_ROW_CFA_HALF);
        if (!asnap_reach_word(reach, place))
            return STACK_ENDS;
        cfa = word_at(place);
        fp_place = frame->fp + asnap_row_bytes(row->fp_words, ASNAP_ROW_FP_HALF);
        return_place = cfa;
        frame->flags |= ASNAP_FRAME_STEPPED;
    }
    return_place += asnap_row_bytes(row->return_words, ASNAP_ROW_RETURN_HALF);
    if (!row->fp_saved)
        fp_place = return_place;
    if (!asnap_reach_word(reach, return_place) || !asnap_reach_word(reach, fp_place))
        return STACK_ENDS;
    frame->return_word = word_at(return_place);
    frame->fp_word = word_at(fp_place);
    note_places(frame, return_place, fp_place);
    walk->state.pc = asnap_arch_code_address(frame->return_word);
    walk->state.sp = cfa;
    if (row->fp_saved)
        walk->state.fp = frame->fp_word;
    return CALLER_FOUND;
}

/* The state that a signal interrupted. */
static enum outcome step_over_signal(struct walk *walk, struct asnap_walk_frame *frame)
{
    struct asnap_walker *walker = walk->walker;
    struct asnap_registers *registers = &walker->registers[0];
    struct asnap_registers *interrupted = &walker->registers[1];
    const uint64_t needed = UINT64_C(1) << ASNAP_REGISTER_SP | UINT64_C(1) << ASNAP_REGISTER_FP;
    uint64_t pc;
    uint32_t module;
    frame->flags |= ASNAP_FRAME_STEPPED;
    registers->known = needed;
    registers->values[ASNAP_REGISTER_SP] = frame->sp;
    registers->values[ASNAP_REGISTER_FP] = frame->fp;
    bool found =
        asnap_row_rules(frame->pc - 1, walker->avoid, &walker->cfi, &module)
            ? asnap_cfi_apply(&walker->cfi, registers, asnap_walker_read, walker, interrupted, &pc)
            : asnap_signal_registers(frame->sp, asnap_walker_read, walker, interrupted, &pc);
    if (!found || (interrupted->known & needed) != needed)
        return ALL_REGISTERS_NEEDED;
    walk->state.pc = asnap_arch_code_address(pc) + 1;
    walk->state.sp = interrupted->values[ASNAP_REGISTER_SP];
    walk->state.fp = interrupted->values[ASNAP_REGISTER_FP];
    return CALLER_FOUND;
}

/* Goes from a frame, which has the walk's state, to its caller. */
static enum outcome step(struct walk *walk, struct asnap_walk_frame *frame)
{
    struct asnap_walker *walker = walk->walker;
    struct asnap_row row;
    enum asnap_row_search search = asnap_row_find(frame->pc - 1, walker->avoid, &walker->cfi, &row);
    if (search == ASNAP_ROW_FLEETING)
        frame->flags |= ASNAP_FRAME_STEPPED;
    frame->module = row.module;
    enum outcome outcome;
    bool interrupted = walk->interrupted;
    walk->interrupted = row.kind == ASNAP_ROW_SIGNAL;
    switch ((enum asnap_row_kind)row.kind) {
    case ASNAP_ROW_DOUBTFUL:
        if (!interrupted)
            return ALL_REGISTERS_NEEDED;
        outcome = step_plainly(walk, frame, &row);
        break;
    case ASNAP_ROW_REGULAR:
    case ASNAP_ROW_INDIRECT:
        outcome = step_plainly(walk, frame, &row);
        break;
    case ASNAP_ROW_SIGNAL:
        outcome = step_over_signal(walk, frame);
        break;
    case ASNAP_ROW_COMPLEX:
        return ALL_REGISTERS_NEEDED;
    case ASNAP_ROW_END:
    default:
        frame->flags |= search == ASNAP_ROW_FLEETING ? 0 : ASNAP_FRAME_LAST;
        return STACK_ENDS;
    }
    if (outcome == STACK_ENDS) /* what could not be read may be there another time */
        frame->flags |= ASNAP_FRAME_STEPPED;
    else if (walk->state.sp <= frame->sp && ++walk->descents > DESCENTS_MAX)
        outcome = STACK_ENDS;
    return outcome;
}

static bool is_state_of(const struct asnap_caller *state, const struct asnap_walk_frame *frame)
{
    return state->sp == frame->sp && state->pc == frame->pc && state->fp == frame->fp;
}

/* The frame of the last walk that has the walk's state, or 0. */
static uint32_t meet(struct walk *walk)
{
    const struct asnap_walk_frame *frames = walk->walker->frames;
    uint32_t old = walk->old;
    while (old > 0 && frames[old].sp < walk->state.sp)
        old--;
    walk->old = old;
    return old > 0 && is_state_of(&walk->state, &frames[old]) ? old : 0;
}

/* The frame of the last walk, from `from` on down, whose caller is not, or not only, to be
 * known by comparison. */
static inline uint32_t compare(const struct asnap_walk_frame *frames, uint32_t from)
{
    uint32_t end = frames[from].compared_from;
    for (uint32_t i = from; i > end; i--) {
        const struct asnap_walk_frame *frame = &frames[i];
        uint64_t differences =
            (word_at(frame->sp + (uint64_t)frame->return_offset) ^ frame->return_word) |
            (word_at(frame->sp + (uint64_t)frame->fp_offset) ^ frame->fp_word);
        if (__builtin_expect(differences != 0, 0))
            return i;
    }
    return end;
}

/* Whether a frame that cannot be compared still has the caller that it had. */
static enum outcome step_again(struct walk *walk, uint32_t old, bool *same)
{
    struct asnap_walk_frame *frames = walk->walker->frames;
    struct asnap_walk_frame again = {
        .pc = frames[old].pc, .sp = frames[old].sp, .fp = frames[old].fp};
    walk->state = (struct asnap_caller){again.pc, again.sp, again.fp};
    enum outcome outcome = step(walk, &again);
    if (outcome == STACK_ENDS || (outcome == CALLER_FOUND && walk->state.pc == 0))
        *same = old == 1;
    else
        *same = outcome == CALLER_FOUND && old > 1 && is_state_of(&walk->state, &frames[old - 1]);
    return outcome;
}

/* Takes over what still stands of the last walk from `from` on, which was met again. In
 * `kept`, the frame from which all stands, or 0: then the walk goes on at its state. */
static enum outcome follow(struct walk *walk, uint32_t from, uint32_t *kept)
{
    struct asnap_walker *walker = walk->walker;
    uint32_t old = from;
    for (;;) {
        uint32_t end = compare(walker->frames, old);
        bool changed = end != walker->frames[old].compared_from;
        old = end;
        if (changed)
            break;
        if (old == 0 || (walker->frames[old].flags & ASNAP_FRAME_LAST) != 0) {
            *kept = from;
            return STACK_ENDS;
        }
        bool same;
        enum outcome outcome = step_again(walk, old, &same);
        if (outcome == ALL_REGISTERS_NEEDED || outcome == CANNOT_WALK)
            return outcome;
        if (!same)
            break;
        if (--old == 0) {
            *kept = from;
            return STACK_ENDS;
        }
    }
    *kept = 0;
    for (uint32_t i = from; i > old; i--) {
        struct asnap_walk_frame *frame =
            asnap_walker_add(walker, walk->old, &walk->first, &walk->state);
        if (frame == NULL)
            return CANNOT_WALK;
        *frame = walker->frames[i];
        frame->nodes[0] = frame->nodes[1] = ASNAP_TABLE_NONE;
    }
    const struct asnap_walk_frame *changed = &walker->frames[old];
    walk->state = (struct asnap_caller){changed->pc, changed->sp, changed->fp};
    walk->old = old - 1;
    walk->interrupted = false;
    return CALLER_FOUND;
}

/* One frame of the new walk. */
static enum outcome advance(struct walk *walk, uint32_t *kept)
{
    struct asnap_walker *walker = walk->walker;
    if (walk->state.pc == 0)
        return STACK_ENDS;
    uint32_t met = meet(walk);
    if (met != 0)
        return follow(walk, met, kept);
    struct asnap_walk_frame *frame =
        asnap_walker_add(walker, walk->old, &walk->first, &walk->state);
    if (frame == NULL) {
        walker->forgetful = true;
        return asnap_walker_is_full(walker) ? STACK_ENDS : CANNOT_WALK;
    }
    return step(walk, frame);
}

bool asnap_walker_walk(struct asnap_walker *walker, const struct asnap_caller *caller)
{
    uint32_t epoch = __atomic_load_n(&asnap_rows_epoch, __ATOMIC_ACQUIRE);
    if (walker->epoch != epoch || walker->forgetful)
        asnap_walker_forget(walker);
    walker->epoch = epoch;
    walker->forgetful = false;
    struct walk walk = {
        .walker = walker,
        .old = walker->count - 1,
        .first = walker->capacity,
        .state = *caller,
    };
    uint32_t kept = 0;
    enum outcome outcome;
    do
        outcome = advance(&walk, &kept);
    while (outcome == CALLER_FOUND);
    if (outcome == ALL_REGISTERS_NEEDED)
        return asnap_walker_walk_fully(walker, caller);
    if (outcome == CANNOT_WALK) {
        asnap_walker_forget(walker);
        return false;
    }
    asnap_walker_finish(walker, kept, walk.first);
    return true;
}
