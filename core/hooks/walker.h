/* Walking a thread's stack, and what is remembered of its last walk.
 *
 * Consecutive calls of a thread share their outer frames. A new walk looks frames up until
 * it comes to one that the last walk met in the same state (the same return address, stack
 * pointer and frame pointer). From there on the caller of a frame follows from two words of
 * the stack; while those words are what they were, frame by frame, the walk would find what
 * it found, so comparing them is enough. */
#ifndef ASNAP_HOOKS_WALKER_H
#define ASNAP_HOOKS_WALKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfi.h"
#include "stack_reach.h"

/* The state of a function that has called an allocation function. */
struct asnap_caller {
    uint64_t pc; /* the return address */
    uint64_t sp; /* the stack pointer after the return */
    uint64_t fp; /* the frame pointer then */
};

/* The state of the caller of the function that this is used in. */
#define ASNAP_CALLER                                                                               \
    ((struct asnap_caller){                                                                        \
        .pc = asnap_arch_code_address((uint64_t)(uintptr_t)__builtin_return_address(0)),           \
        .sp = (uint64_t)(uintptr_t)__builtin_dwarf_cfa(),                                          \
        .fp = *(const uint64_t *)__builtin_frame_address(0),                                       \
    })

enum asnap_walk_frame_flags {
    ASNAP_FRAME_STEPPED = 1, /* its caller must be looked up again, not compared */
    ASNAP_FRAME_LAST = 2,    /* it has no caller, whatever the stack holds */
};

/* A frame, and where its caller was found. */
struct asnap_walk_frame {
    uint64_t pc; /* as in a node: where the frame was interrupted, plus 1 */
    uint64_t sp;
    uint64_t fp;
    uint64_t return_word; /* what was at sp + return_offset: the caller's address */
    uint64_t fp_word;     /* what was at sp + fp_offset: the caller's frame pointer, where it
                             was saved */
    int32_t return_offset;
    int32_t fp_offset;
    uint32_t nodes[2];      /* of the stack tree, or ASNAP_TABLE_NONE; see intern.c */
    uint32_t compared_from; /* the frames from this one (without it) to here can be compared */
    uint16_t module;        /* of pc */
    uint16_t flags;
};

_Static_assert(sizeof(struct asnap_walk_frame) == 64, "a frame is one cache line");

struct asnap_walker {
    struct asnap_walker *next;       /* in the pool */
    size_t bytes;                    /* of this structure with the frames that are in it */
    struct asnap_walk_frame *frames; /* [0] is none: the oldest frame is [1] */
    uint32_t capacity;
    uint32_t count;          /* of frames, with [0] */
    uint32_t epoch;          /* asnap_rows_epoch when the frames were found */
    uint32_t limit;          /* the frame limit that the nodes are for */
    uint32_t origin_omitted; /* the origin that was asked for last, and its node */
    uint32_t origin_node;
    unsigned avoid; /* asnap_avoid flags */
    bool forgetful; /* the frames are no use to the next walk */
    struct asnap_reach reach;
    struct asnap_reach *reading; /* what asnap_walker_read asks: reach, or that of one walk */
    struct asnap_registers registers[2];
    struct asnap_cfi cfi;
    struct asnap_walk_frame first_frames[];
};

/* So many frames at most: beyond that a stack is cut. Endless recursion comes there, and
 * total_nframe does not tell such stacks apart. */
enum { ASNAP_WALK_FRAMES_MAX = 1 << 18 };

/* A new walker, or NULL: no memory. `avoid` holds asnap_avoid flags for its walks. */
struct asnap_walker *asnap_walker_create(unsigned avoid);
void asnap_walker_destroy(struct asnap_walker *walker);

/* During a walk: frames are added from the end of the room down, so that they lie oldest
 * first. Adds one before `*first`, in this state; the oldest `kept` of the last walk stay.
 * NULL: no memory, or too many (see asnap_walker_is_full). */
struct asnap_walk_frame *asnap_walker_add(struct asnap_walker *walker, uint32_t kept,
                                          uint32_t *first, const struct asnap_caller *state);

/* Whether it holds as many frames as there may be. */
bool asnap_walker_is_full(const struct asnap_walker *walker);

/* Ends a walk: the new frames follow the oldest `kept` of the last one. */
void asnap_walker_finish(struct asnap_walker *walker, uint32_t kept, uint32_t first);

/* Forgets the last walk. */
void asnap_walker_forget(struct asnap_walker *walker);

/* Walks the stack from `caller` on, which is the most recent frame, to its end. False:
 * there was no memory for it, or the thread was interrupted where it cannot be known. */
bool asnap_walker_walk(struct asnap_walker *walker, const struct asnap_caller *caller);

/* The number of frames of the last walk: 1 or more. */
static inline uint32_t asnap_walker_depth(const struct asnap_walker *walker)
{
    return walker->count - 1;
}

/* The node of the stack that was walked, with `limit` (1 or more) frames or some more; or
 * ASNAP_TABLE_NONE: no memory for it. Not in a handler. */
uint32_t asnap_walker_intern(struct asnap_walker *walker, uint32_t limit);

/* Where all registers are needed: walks from the calling hook on. */
bool asnap_walker_walk_fully(struct asnap_walker *walker, const struct asnap_caller *caller);

/* An asnap_read_word of the stack; the context is the walker. */
bool asnap_walker_read(void *walker, uint64_t address, uint64_t *word);

#endif
