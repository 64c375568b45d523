#include "walker.h"

#include <string.h>

#include "allocsnap_table.h"
#include "loaded_modules.h"
#include "lock.h"
#include "pages.h"

/* What is remembered: so many frames, or those of so many walks of the last one's depth. */
enum { FIRST_CAPACITY = 256, SMALL_CAPACITY = 64, FRAMES_KEPT = 2048, WALKS_KEPT = 4 };

/* Stacks of that depth or more have one path for all. */
enum { FIRST_PATHS = 64, SHARED_PATH = 1024 };

uint32_t asnap_walker_lock;

/* A handler's walker is no other thread's, and what it interrupted may hold the lock. */
static void begin_exchange(const struct asnap_walker *walker)
{
    if ((walker->avoid & ASNAP_AVOID_WAITING) == 0)
        asnap_lock(&asnap_walker_lock);
}

static void end_exchange(const struct asnap_walker *walker)
{
    if ((walker->avoid & ASNAP_AVOID_WAITING) == 0)
        asnap_unlock(&asnap_walker_lock);
}

static size_t frames_bytes(uint32_t capacity)
{
    return capacity *
           (sizeof(struct asnap_walk_frame) + sizeof(struct asnap_step) + 3 * sizeof(uint32_t));
}

static bool map_frames(struct asnap_walker *walker, uint32_t capacity)
{
    char *memory = asnap_pages_map(frames_bytes(capacity));
    if (memory == NULL)
        return false;
    begin_exchange(walker);
    walker->frames = (struct asnap_walk_frame *)memory;
    walker->pending = (struct asnap_step *)(walker->frames + capacity);
    walker->recent = (uint32_t *)(walker->pending + capacity);
    walker->buckets = walker->recent + capacity;
    walker->successors = walker->buckets + capacity;
    walker->capacity = capacity;
    end_exchange(walker);
    return true;
}

/* A frame has two comparisons at most. */
static size_t path_bytes(uint32_t capacity)
{
    return capacity * (sizeof(uint32_t) + 2 * sizeof(struct asnap_comparison));
}

/* Empty paths, for stacks of less than so many frames. */
static bool map_paths(struct asnap_walker *walker, uint32_t capacity)
{
    uint32_t count = capacity <= SHARED_PATH ? ASNAP_PATHS : 1;
    char *memory = asnap_pages_map(count * path_bytes(capacity));
    if (memory == NULL)
        return false;
    begin_exchange(walker);
    walker->path_count = count;
    walker->path_capacity = capacity;
    for (uint32_t i = 0; i < count; i++) {
        walker->paths[i].depth = 0;
        walker->paths[i].frames = (uint32_t *)memory;
        walker->paths[i].comparisons =
            (struct asnap_comparison *)(walker->paths[i].frames + capacity);
        memory += path_bytes(capacity);
    }
    end_exchange(walker);
    return true;
}

static void unmap_paths(void *memory, uint32_t count, uint32_t capacity)
{
    asnap_pages_unmap(memory, count * path_bytes(capacity));
}

static bool grow_paths(struct asnap_walker *walker, uint32_t depth)
{
    void *old = walker->paths[0].frames;
    uint32_t old_count = walker->path_count;
    uint32_t old_capacity = walker->path_capacity;
    uint32_t capacity = old_capacity;
    while (capacity <= depth)
        capacity *= 2;
    if (!map_paths(walker, capacity))
        return false;
    unmap_paths(old, old_count, old_capacity);
    return true;
}

struct asnap_walker *asnap_walker_create(unsigned avoid)
{
    struct asnap_walker *walker = asnap_pages_map(sizeof(*walker));
    if (walker == NULL)
        return NULL;
    walker->avoid = avoid;
    bool is_small = (avoid & ASNAP_AVOID_WAITING) != 0;
    if (!map_frames(walker, is_small ? SMALL_CAPACITY : FIRST_CAPACITY) ||
        !map_paths(walker, FIRST_PATHS)) {
        asnap_walker_destroy(walker);
        return NULL;
    }
    walker->reading = &walker->reach;
    asnap_walker_forget(walker);
    return walker;
}

void asnap_walker_destroy(struct asnap_walker *walker)
{
    if (walker == NULL)
        return;
    asnap_pages_unmap(walker->frames, frames_bytes(walker->capacity));
    unmap_paths(walker->paths[0].frames, walker->path_count, walker->path_capacity);
    asnap_pages_unmap(walker->suffixes, ASNAP_SUFFIXES * sizeof(*walker->suffixes));
    asnap_pages_unmap(walker, sizeof(*walker));
}

bool asnap_walker_is_full(const struct asnap_walker *walker)
{
    return walker->forgetful ||
           (walker->count > FRAMES_KEPT && walker->count / WALKS_KEPT > asnap_walker_depth(walker));
}

void asnap_walker_forget(struct asnap_walker *walker)
{
    walker->forgetful = false;
    walker->count = 1;
    walker->pending_count = 0;
    walker->suffix_count = 0;
    for (uint32_t i = 0; i < walker->path_count; i++)
        walker->paths[i].depth = 0;
    walker->origin_node = ASNAP_TABLE_NONE;
    memset(&walker->frames[0], 0, sizeof(walker->frames[0]));
    walker->frames[0].step.flags = ASNAP_FRAME_COMPARED;
    memset(walker->recent, 0, walker->capacity * sizeof(uint32_t));
    memset(walker->buckets, 0, walker->capacity * sizeof(uint32_t));
    memset(walker->successors, 0, walker->capacity * sizeof(uint32_t));
    walker->leaf = 0;
}

void asnap_walker_renew(struct asnap_walker *walker)
{
    asnap_walker_forget(walker);
    memset(&walker->reach, 0, sizeof(walker->reach));
    walker->window = 0;
    walker->missed = 0;
    walker->varied_windows = 0;
    walker->short_windows = 0;
    walker->short_period = 0;
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
    if (old.capacity >= 2 * ASNAP_WALK_DEPTH_MAX || !map_frames(walker, old.capacity * 2))
        return false;
    memcpy(walker->frames, old.frames, old.count * sizeof(*old.frames));
    memcpy(walker->pending, old.pending, old.pending_count * sizeof(*old.pending));
    memcpy(walker->successors, old.successors, old.count * sizeof(*old.successors));
    for (uint32_t i = 1; i < walker->count; i++)
        list_frame(walker, i);
    asnap_pages_unmap(old.frames, frames_bytes(old.capacity));
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

/* The remembered frame in this state with this caller, or 0. One that must be stepped from does
 * not do for one that need not. */
static uint32_t find(const struct asnap_walker *walker, const struct asnap_step *step,
                     uint32_t caller)
{
    uint32_t number = *bucket_of(walker, step, caller);
    while (number != 0) {
        const struct asnap_walk_frame *frame = &walker->frames[number];
        if (frame->caller == caller && frame->step.sp == step->sp &&
            (frame->step.flags & ~step->flags & ASNAP_FRAME_STEPPED) == 0 &&
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

/* Return addresses may have an authentication code on the stack, which is right if the
 * address is. */
static uint64_t as_stored(uint64_t place, uint64_t address)
{
    if (ASNAP_ARCH_SIGNS_ADDRESSES) {
        uint64_t found = *(const uint64_t *)(uintptr_t)place;
        if (asnap_arch_code_address(found) == address)
            return found;
    }
    return address;
}

/* Where a frame's words of its caller are, and what they are. */
static void lay_comparisons(const struct asnap_walk_frame *frame,
                            const struct asnap_walk_frame *caller,
                            struct asnap_comparison *comparisons)
{
    const struct asnap_step *step = &frame->step;
    uint32_t count = frame->comparisons - caller->comparisons;
    struct asnap_comparison *at = comparisons + caller->comparisons;
    if (count == 0)
        return;
    at->place = step->sp + (uint64_t)step->offsets[ASNAP_WORD_PC];
    at->word = as_stored(at->place, caller->step.words[ASNAP_WORD_PC]);
    if (count == 1)
        return;
    at[1].place = step->sp + (uint64_t)step->offsets[ASNAP_WORD_FP];
    at[1].word = caller->step.words[ASNAP_WORD_FP];
}

void asnap_walker_lay_path(struct asnap_walker *walker, struct asnap_path *path, uint32_t number)
{
    const struct asnap_walk_frame *frame = &walker->frames[number];
    uint32_t all = frame->depth;
    for (uint32_t depth = all; depth > 0 && !asnap_path_has(path, number, depth); depth--) {
        const struct asnap_walk_frame *caller = &walker->frames[frame->caller];
        path->frames[depth] = number;
        lay_comparisons(frame, caller, path->comparisons);
        number = frame->caller;
        frame = caller;
    }
    path->depth = all;
}

struct asnap_walked asnap_walker_frame(struct asnap_walker *walker, uint32_t depth)
{
    const struct asnap_path *path = walker->junction_path;
    if (walker->suffix_count == 0) {
        path = asnap_walker_path(walker, walker->leaf);
        asnap_walker_lay_path(walker, asnap_walker_path(walker, walker->leaf), walker->leaf);
    } else if (depth > walker->junction) {
        uint32_t place = walker->junction + walker->suffix_count - depth;
        return (struct asnap_walked){.pc = asnap_table_node_pc(walker->suffix[place])};
    }
    const struct asnap_step *step = &walker->frames[path->frames[depth]].step;
    return (struct asnap_walked){.pc = step->words[ASNAP_WORD_PC], .flags = step->flags};
}

static bool settle(struct asnap_walker *walker, uint32_t *frame)
{
    uint32_t depth = walker->frames[*frame].depth + walker->pending_count;
    while (walker->count + walker->pending_count > walker->capacity)
        if (!grow(walker))
            return false;
    if (depth >= walker->path_capacity && !grow_paths(walker, depth))
        return false;
    while (walker->pending_count > 0) {
        const struct asnap_step *step = &walker->pending[--walker->pending_count];
        uint32_t found = find(walker, step, *frame);
        *frame = found != 0 ? found : remember(walker, step, *frame);
        if ((step->flags & ASNAP_FRAME_STEPPED) == 0)
            *asnap_walker_recent(walker, step->words[ASNAP_WORD_PC], step->sp) = *frame;
    }
    return true;
}

bool asnap_walker_settle(struct asnap_walker *walker, uint32_t frame)
{
    if (walker->pending_count != 0 && !settle(walker, &frame))
        return false;
    walker->successors[walker->leaf] = frame;
    walker->leaf = frame;
    return true;
}

bool asnap_walker_read(void *context, uint64_t address, uint64_t *word)
{
    struct asnap_walker *walker = context;
    if (!asnap_reach_word(walker->reading, address))
        return false;
    memcpy(word, (const void *)(uintptr_t)address, sizeof(*word));
    return true;
}
