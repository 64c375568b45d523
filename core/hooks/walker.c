#include "walker.h"

#include <string.h>

#include "allocsnap_table.h"
#include "pages.h"

enum { WALKER_BYTES = 32768 };

struct asnap_walker *asnap_walker_create(unsigned avoid)
{
    struct asnap_walker *walker = asnap_pages_map(WALKER_BYTES);
    if (walker == NULL)
        return NULL;
    walker->bytes = WALKER_BYTES;
    walker->frames = walker->first_frames;
    walker->capacity =
        (uint32_t)((WALKER_BYTES - sizeof(*walker)) / sizeof(walker->first_frames[0]));
    walker->avoid = avoid;
    walker->reading = &walker->reach;
    asnap_walker_forget(walker);
    return walker;
}

static void drop_frames(struct asnap_walker *walker)
{
    if (walker->frames != walker->first_frames)
        asnap_pages_unmap(walker->frames, walker->capacity * sizeof(*walker->frames));
}

void asnap_walker_destroy(struct asnap_walker *walker)
{
    if (walker == NULL)
        return;
    drop_frames(walker);
    asnap_pages_unmap(walker, walker->bytes);
}

void asnap_walker_forget(struct asnap_walker *walker)
{
    walker->count = 1;
    walker->origin_node = ASNAP_TABLE_NONE;
    memset(&walker->frames[0], 0, sizeof(walker->frames[0]));
}

bool asnap_walker_is_full(const struct asnap_walker *walker)
{
    return walker->capacity > ASNAP_WALK_FRAMES_MAX / 2;
}

static bool grow(struct asnap_walker *walker, uint32_t kept, uint32_t *first)
{
    if (asnap_walker_is_full(walker))
        return false;
    uint32_t capacity = walker->capacity * 2;
    struct asnap_walk_frame *frames = asnap_pages_map(capacity * sizeof(*frames));
    if (frames == NULL)
        return false;
    uint32_t new_count = walker->capacity - *first;
    memcpy(frames, walker->frames, (kept + 1) * sizeof(*frames));
    memcpy(frames + capacity - new_count, walker->frames + *first, new_count * sizeof(*frames));
    drop_frames(walker);
    walker->frames = frames;
    walker->capacity = capacity;
    *first = capacity - new_count;
    return true;
}

struct asnap_walk_frame *asnap_walker_add(struct asnap_walker *walker, uint32_t kept,
                                          uint32_t *first, const struct asnap_caller *state)
{
    if (*first <= kept + 1 && !grow(walker, kept, first))
        return NULL;
    struct asnap_walk_frame *frame = &walker->frames[--*first];
    *frame = (struct asnap_walk_frame){
        .pc = state->pc,
        .sp = state->sp,
        .fp = state->fp,
        .nodes = {ASNAP_TABLE_NONE, ASNAP_TABLE_NONE},
    };
    return frame;
}

void asnap_walker_finish(struct asnap_walker *walker, uint32_t kept, uint32_t first)
{
    struct asnap_walk_frame *frames = walker->frames;
    uint32_t count = walker->capacity - first;
    memmove(frames + kept + 1, frames + first, count * sizeof(*frames));
    walker->count = kept + 1 + count;
    for (uint32_t i = kept + 1; i < walker->count; i++)
        frames[i].compared_from = frames[i].flags != 0 ? i : frames[i - 1].compared_from;
}

bool asnap_walker_read(void *context, uint64_t address, uint64_t *word)
{
    struct asnap_walker *walker = context;
    if (!asnap_reach_word(walker->reading, address))
        return false;
    memcpy(word, (const void *)(uintptr_t)address, sizeof(*word));
    return true;
}
