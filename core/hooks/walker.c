#include "walker.h"

#include <string.h>

#include "allocsnap_table.h"
#include "loaded_modules.h"
#include "pages.h"

/* What is remembered: so many frames, or those of so many walks of the last one's depth. */
enum { FIRST_CAPACITY = 256, SMALL_CAPACITY = 64, FRAMES_KEPT = 2048, WALKS_KEPT = 4 };

static size_t arrays_bytes(uint32_t capacity)
{
    return capacity * (sizeof(struct asnap_walk_frame) + sizeof(struct asnap_step) +
                       2 * sizeof(struct asnap_comparison) + 3 * sizeof(uint32_t));
}

/* Lays the arrays out in new memory. */
static bool map_arrays(struct asnap_walker *walker, uint32_t capacity)
{
    char *memory = asnap_pages_map(arrays_bytes(capacity));
    if (memory == NULL)
        return false;
    walker->frames = (struct asnap_walk_frame *)memory;
    memory += capacity * sizeof(*walker->frames);
    walker->pending = (struct asnap_step *)memory;
    memory += capacity * sizeof(*walker->pending);
    walker->comparisons = (struct asnap_comparison *)memory;
    memory += 2 * capacity * sizeof(*walker->comparisons);
    walker->path = (uint32_t *)memory;
    walker->recent = walker->path + capacity;
    walker->buckets = walker->recent + capacity;
    walker->capacity = capacity;
    return true;
}

struct asnap_walker *asnap_walker_create(unsigned avoid)
{
    struct asnap_walker *walker = asnap_pages_map(sizeof(*walker));
    if (walker == NULL)
        return NULL;
    bool is_small = (avoid & ASNAP_AVOID_WAITING) != 0;
    if (!map_arrays(walker, is_small ? SMALL_CAPACITY : FIRST_CAPACITY)) {
        asnap_pages_unmap(walker, sizeof(*walker));
        return NULL;
    }
    walker->avoid = avoid;
    asnap_walker_forget(walker);
    return walker;
}

void asnap_walker_destroy(struct asnap_walker *walker)
{
    if (walker == NULL)
        return;
    asnap_pages_unmap(walker->frames, arrays_bytes(walker->capacity));
    asnap_pages_unmap(walker, sizeof(*walker));
}

bool asnap_walker_is_full(const struct asnap_walker *walker)
{
    return walker->forgetful ||
           (walker->count > FRAMES_KEPT && walker->count / WALKS_KEPT > walker->depth);
}

void asnap_walker_forget(struct asnap_walker *walker)
{
    walker->forgetful = false;
    walker->count = 1;
    walker->depth = 0;
    walker->pending_count = 0;
    walker->origin_node = ASNAP_TABLE_NONE;
    memset(&walker->frames[0], 0, sizeof(walker->frames[0]));
    walker->frames[0].step.flags = ASNAP_FRAME_COMPARED;
    memset(walker->recent, 0, walker->capacity * sizeof(uint32_t));
    memset(walker->buckets, 0, walker->capacity * sizeof(uint32_t));
}

void asnap_walker_renew(struct asnap_walker *walker)
{
    asnap_walker_forget(walker);
    memset(&walker->reach, 0, sizeof(walker->reach));
}

static uint32_t *bucket_of(const struct asnap_walker *walker, const struct asnap_step *step,
                           uint32_t caller)
{
    uint64_t mixed = (step->words[ASNAP_WORD_PC] ^ step->sp << 20 ^ (uint64_t)caller << 44) *
                     UINT64_C(0x9e3779b97f4a7c15);
    return &walker->buckets[mixed >> 40 & (walker->capacity - 1)];
}

static void list_frame(struct asnap_walker *walker, uint32_t number)
{
    struct asnap_walk_frame *frame = &walker->frames[number];
    uint32_t *bucket = bucket_of(walker, &frame->step, frame->caller);
    frame->next = *bucket;
    *bucket = number;
}

static bool grow(struct asnap_walker *walker)
{
    struct asnap_walker old = *walker;
    if (old.capacity >= 2 * ASNAP_WALK_DEPTH_MAX || !map_arrays(walker, old.capacity * 2))
        return false;
    memcpy(walker->frames, old.frames, old.count * sizeof(*old.frames));
    memcpy(walker->pending, old.pending, old.pending_count * sizeof(*old.pending));
    walker->depth = 0;
    for (uint32_t i = 1; i < walker->count; i++)
        list_frame(walker, i);
    asnap_pages_unmap(old.frames, arrays_bytes(old.capacity));
    return true;
}

struct asnap_step *asnap_walker_add(struct asnap_walker *walker, const struct asnap_caller *state)
{
    if (walker->pending_count == walker->capacity && !grow(walker))
        return NULL;
    struct asnap_step *step = &walker->pending[walker->pending_count++];
    *step = (struct asnap_step){
        .words = {state->pc, state->fp},
        .sp = state->sp,
    };
    return step;
}

/* The remembered frame in this state with this caller, or 0. */
static uint32_t find(const struct asnap_walker *walker, const struct asnap_step *step,
                     uint32_t caller)
{
    uint32_t number = *bucket_of(walker, step, caller);
    while (number != 0) {
        const struct asnap_walk_frame *frame = &walker->frames[number];
        if (frame->caller == caller && frame->step.sp == step->sp &&
            frame->step.words[ASNAP_WORD_PC] == step->words[ASNAP_WORD_PC] &&
            ((frame->step.flags & ASNAP_FRAME_FP_MATTERS) == 0 ||
             frame->step.words[ASNAP_WORD_FP] == step->words[ASNAP_WORD_FP]))
            return number;
        number = frame->next;
    }
    return 0;
}

static uint32_t remember(struct asnap_walker *walker, const struct asnap_step *step,
                         uint32_t caller_number)
{
    uint32_t number = walker->count++;
    struct asnap_walk_frame *frame = &walker->frames[number];
    const struct asnap_walk_frame *caller = &walker->frames[caller_number];
    bool caller_uses_fp = (caller->step.flags & ASNAP_FRAME_FP_MATTERS) != 0;
    bool saved = (step->flags & ASNAP_FRAME_FP_SAVED) != 0;
    frame->step = *step;
    if ((step->flags & (ASNAP_FRAME_FP_USED | ASNAP_FRAME_STEPPED)) != 0 ||
        (!saved && caller_uses_fp))
        frame->step.flags |= ASNAP_FRAME_FP_MATTERS;
    if ((step->flags & ASNAP_FRAME_STEPPED) == 0)
        frame->step.flags |= caller->step.flags & ASNAP_FRAME_COMPARED;
    frame->caller = caller_number;
    frame->comparisons = caller->comparisons;
    if ((step->flags & (ASNAP_FRAME_LAST | ASNAP_FRAME_STEPPED)) == 0)
        frame->comparisons += saved && caller_uses_fp ? 2 : 1;
    frame->depth = caller->depth + 1;
    frame->nodes[0] = frame->nodes[1] = ASNAP_TABLE_NONE;
    list_frame(walker, number);
    return number;
}

/* Where a frame's words of its caller are, and what they are. Return addresses may have an
 * authentication code on the stack, which is right if the address is. */
static void lay_comparisons(struct asnap_walker *walker, const struct asnap_walk_frame *frame)
{
    const struct asnap_step *step = &frame->step;
    const struct asnap_step *caller = &walker->frames[frame->caller].step;
    uint32_t at = walker->frames[frame->caller].comparisons;
    for (int kind = ASNAP_WORD_PC; at < frame->comparisons; at++, kind++) {
        struct asnap_comparison *comparison = &walker->comparisons[at];
        comparison->place = step->sp + (uint64_t)step->offsets[kind];
        comparison->word = caller->words[kind];
        uint64_t found;
        memcpy(&found, (const void *)(uintptr_t)comparison->place, sizeof(found));
        if (kind == ASNAP_WORD_PC && asnap_arch_code_address(found) == comparison->word)
            comparison->word = found;
    }
}

/* Frames never change: where the path has one already, it has all older ones. */
void asnap_walker_lay_path(struct asnap_walker *walker, uint32_t number)
{
    uint32_t depth = walker->frames[number].depth;
    uint32_t laid = walker->depth;
    walker->depth = depth;
    for (; depth > 0 && (depth > laid || walker->path[depth] != number); depth--) {
        const struct asnap_walk_frame *frame = &walker->frames[number];
        walker->path[depth] = number;
        lay_comparisons(walker, frame);
        number = frame->caller;
    }
}

bool asnap_walker_settle(struct asnap_walker *walker, uint32_t frame)
{
    uint32_t depth = walker->frames[frame].depth;
    while (depth + walker->pending_count >= walker->capacity ||
           walker->count + walker->pending_count > walker->capacity)
        if (!grow(walker))
            return false;
    while (walker->pending_count > 0) {
        const struct asnap_step *step = &walker->pending[--walker->pending_count];
        uint32_t found = find(walker, step, frame);
        frame = found != 0 ? found : remember(walker, step, frame);
        *asnap_walker_recent(walker, step->words[ASNAP_WORD_PC], step->sp) = frame;
    }
    asnap_walker_lay_path(walker, frame);
    return true;
}

bool asnap_walker_read(void *context, uint64_t address, uint64_t *word)
{
    struct asnap_walker *walker = context;
    if (!asnap_reach_word(&walker->reach, address))
        return false;
    memcpy(word, (const void *)(uintptr_t)address, sizeof(*word));
    return true;
}
