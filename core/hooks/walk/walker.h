/* Walking a thread's stack, and what is remembered of its walks.
 *
 * Each frame that a walk has met is kept: its state (return address, stack pointer and,
 * where a caller is found by it, frame pointer), where on the stack its caller was found,
 * and the caller's frame. A new walk begins at a frame in the state it is given: programs
 * repeat themselves, so it is that which came after the last walk's before, else the one
 * that was met last. From there on, the caller of a frame follows from one or two words of the
 * stack; while those words are what they were, frame by frame, the walk would find what it
 * found, so comparing them is enough. Only where a word differs is a frame looked up
 * again, and its true caller sought among the remembered frames.
 *
 * The frames of a walk lie in a path by depth: the oldest is at 1. */
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

enum asnap_frame_flags {
    ASNAP_FRAME_STEPPED = 1,     /* its caller must be looked up each time, not compared */
    ASNAP_FRAME_LAST = 2,        /* it has no caller, whatever the stack holds */
    ASNAP_FRAME_FP_SAVED = 4,    /* the caller's frame pointer is on the stack */
    ASNAP_FRAME_FP_USED = 8,     /* the caller's place is found by the frame pointer */
    ASNAP_FRAME_FP_MATTERS = 16, /* some older frame's place is found by this frame pointer */
    ASNAP_FRAME_COMPARED = 32,   /* neither it nor an older frame is STEPPED */
    ASNAP_FRAME_BY_CALL = 64,    /* its caller is known by the call alone (wild_call.h) */
};

/* The two words of a frame that its callee has on the stack. */
enum { ASNAP_WORD_PC, ASNAP_WORD_FP, ASNAP_WORDS };

/* What a step from a frame to its caller finds. */
struct asnap_step {
    uint64_t words[ASNAP_WORDS]; /* of this frame; the pc is as in a node: where the frame was
                                    interrupted, plus 1 */
    uint64_t sp;
    int32_t offsets[ASNAP_WORDS]; /* from sp to where those of the caller are */
    int32_t caller_offset;        /* from sp to the caller's */
    uint16_t module;              /* of the pc */
    uint16_t flags;
};

/* A frame that is remembered. It never changes, but for its nodes. */
struct asnap_walk_frame {
    struct asnap_step step;
    uint32_t caller;      /* the caller's frame; 0: none */
    uint32_t comparisons; /* of it and all older frames */
    uint32_t depth;       /* 1 for the oldest frame of the stack */
    uint32_t next;        /* in the list of its bucket */
    uint32_t nodes[2];    /* of the stack tree, or ASNAP_TABLE_NONE; see walk_node.c */
};

/* A word of the stack by which a frame is known to have the caller that it had. */
struct asnap_comparison {
    uint64_t place;
    uint64_t word;
};

_Static_assert(sizeof(struct asnap_walk_frame) == 64, "a frame is one cache line");

/* The frames from one down to the oldest, by depth, and what is to be compared for them to
 * be known as they were, oldest frame first. */
struct asnap_path {
    uint32_t depth; /* of the first; 0: the path is empty */
    uint32_t *frames;
    struct asnap_comparison *comparisons;
};

/* The most recent frames of a stack, down to one that is remembered. */
enum { ASNAP_SUFFIX_FRAMES = 7 };

/* A stack's node, by these frames and the node of the remembered one. */
struct asnap_suffix {
    uint64_t places[ASNAP_SUFFIX_FRAMES]; /* as nodes have them, most recent first; then 0 */
    uint32_t under;                       /* the node below them, written last */
    uint32_t node;
};

/* So many are kept; a power of two. */
enum { ASNAP_SUFFIXES = 8192 };

_Static_assert(sizeof(struct asnap_suffix) == 64, "a suffix is one cache line");

/* Stacks take turns: each has a path of its own, if others do not need it too. */
enum { ASNAP_PATHS = 16 };

struct asnap_walker {
    struct asnap_walker *next; /* in the list where its owner keeps it */
    const void *owner;         /* the thread that has it; for whoever keeps walkers */
    /* In one piece of memory, from the frames on. */
    struct asnap_walk_frame *frames; /* [0] is none */
    struct asnap_step *pending;      /* of the walk: most recent first */
    uint32_t *recent;                /* the frame that was met last, by pc and sp */
    uint32_t *successors;            /* the first frame of the walk that came next, by that of
                                        a walk */
    uint32_t *buckets;               /* lists of frames, by pc, sp and caller */
    uint32_t capacity;               /* of each; a power of two */
    uint32_t count;                  /* of frames, with [0] */
    uint32_t pending_count;
    uint32_t leaf; /* the first frame of the last walk */
    /* In another, from the first path's frames on. */
    struct asnap_path paths[ASNAP_PATHS];
    uint32_t path_count;     /* deep stacks share one */
    uint32_t path_capacity;  /* frames in each path, with [0] */
    uint32_t epoch;          /* asnap_rows_epoch when the frames were found */
    uint32_t limit;          /* the frame limit of the last walk */
    uint32_t nodes_limit;    /* that which the nodes are for */
    uint32_t origin_omitted; /* the origin that was asked for last, and its node */
    uint32_t origin_node;
    unsigned avoid; /* asnap_avoid flags */
    bool forgetful; /* the frames are of no use to the next walk */
    /* Where stacks vary (walk_shortly.c). */
    uint32_t window;         /* walks until it is judged again */
    uint32_t missed;         /* of the window so far, those that met no remembered stack;
                                or no path, while walks are short */
    uint32_t varied_windows; /* that came one after the other */
    uint32_t short_windows;  /* for which walks are short yet */
    uint32_t short_period;   /* as many they were the last time */
    uint32_t suffix_count;   /* frames of the last walk that are not remembered; 0: all
                                are, and it begins with `leaf` */
    uint32_t junction;       /* the depth of the caller of the oldest of them */
    const struct asnap_path *junction_path; /* where it is */
    uint64_t suffix[ASNAP_SUFFIX_FRAMES];   /* their places, as a suffix has them */
    struct asnap_suffix *suffixes;          /* those that were met; NULL: none yet */
    struct asnap_reach reach;
    struct asnap_reach *reading; /* what asnap_walker_read asks: reach, or that of one walk */
    struct asnap_registers registers[2];
    struct asnap_cfi cfi;
};

/* So many frames at most: beyond that a stack is cut. Endless recursion comes there, and
 * total_nframe does not tell such stacks apart. */
enum { ASNAP_WALK_DEPTH_MAX = 1 << 17 };

/* Held while a walker's memory is exchanged for larger, but not by one that avoids waiting: while
 * another holds it, a thread that is no more has left its walker whole. */
extern uint32_t asnap_walker_lock;

/* A new walker, or NULL: no memory. `avoid` holds asnap_avoid flags for its walks; one that
 * avoids waiting, as in a signal handler, is small to begin with. */
struct asnap_walker *asnap_walker_create(unsigned avoid);
void asnap_walker_destroy(struct asnap_walker *walker);

/* Forgets all walks. */
void asnap_walker_forget(struct asnap_walker *walker);

/* Forgets all walks and which memory can be read, before another thread uses it. The last one
 * may have ended in the middle of a walk. */
void asnap_walker_renew(struct asnap_walker *walker);

/* Whether it has remembered so much that it should begin anew. */
bool asnap_walker_is_full(const struct asnap_walker *walker);

/* Walks the stack from `caller` on, which is the most recent frame, to its end, of which
 * `limit` frames (1 or more) are wanted. With 1 the stack is that frame, and its others are not
 * counted. False: there was no memory for it. */
bool asnap_walker_walk(struct asnap_walker *walker, const struct asnap_caller *caller,
                       uint32_t limit);

/* The number of frames of the last walk. */
static inline uint32_t asnap_walker_depth(const struct asnap_walker *walker)
{
    return walker->suffix_count == 0 ? walker->frames[walker->leaf].depth
                                     : walker->junction + walker->suffix_count;
}

/* One frame of the last walk; the depth is from 1, the oldest, to that number. */
struct asnap_walked {
    uint64_t pc;    /* as in a node */
    uint16_t flags; /* asnap_frame_flags */
};

struct asnap_walked asnap_walker_frame(struct asnap_walker *walker, uint32_t depth);

/* The node of the stack that was walked last, with as many frames as that walk's limit or
 * some more. ASNAP_TABLE_NONE: no memory for it. Not in a handler. */
uint32_t asnap_walker_intern(struct asnap_walker *walker);

/* ---- the parts of a walk ---- */

/* Adds a frame in this state to those that wait for their callers to be found. NULL: no
 * memory. */
struct asnap_step *asnap_walker_add(struct asnap_walker *walker, const struct asnap_caller *state);

/* The path that is to be laid from a frame down. Frames never change: where a path has one,
 * it has all older ones. */
static inline struct asnap_path *asnap_walker_path(struct asnap_walker *walker, uint32_t frame)
{
    return &walker->paths[frame & (walker->path_count - 1)];
}

/* Whether a path has a frame; `depth` is the frame's. */
static inline bool asnap_path_has(const struct asnap_path *path, uint32_t frame, uint32_t depth)
{
    return depth <= path->depth && path->frames[depth] == frame;
}

/* Lays a path from a frame down, as far as it is not laid. */
void asnap_walker_lay_path(struct asnap_walker *walker, struct asnap_path *path, uint32_t frame);

/* Gives the frames that wait their callers: the oldest of them has `frame` (0: none). The
 * most recent one, or `frame` where none waits, is the first of the walk. False: no
 * memory. */
bool asnap_walker_settle(struct asnap_walker *walker, uint32_t frame);

/* A walk down to the first remembered frame only. False: there is none near, or it is not as it
 * was, and nothing is done yet. */
bool asnap_walker_walk_shortly(struct asnap_walker *walker, const struct asnap_caller *caller);

/* Judges the walks of a window, and begins another. */
void asnap_walker_begin_window(struct asnap_walker *walker);

/* Whether the next walk is to be short, if it can be. */
static inline bool asnap_walker_is_short(struct asnap_walker *walker)
{
    if (__builtin_expect(walker->window-- == 0, 0))
        asnap_walker_begin_window(walker);
    return walker->short_windows != 0;
}

/* Where all registers are needed: walks from the calling hook on. */
bool asnap_walker_walk_fully(struct asnap_walker *walker, const struct asnap_caller *caller);

/* The frame that was met last with this pc and sp, or another, or 0. */
static inline uint32_t *asnap_walker_recent(const struct asnap_walker *walker, uint64_t pc,
                                            uint64_t sp)
{
    uint64_t hash = (pc ^ sp << 20) * UINT64_C(0x9e3779b97f4a7c15);
    return &walker->recent[hash >> 40 & (walker->capacity - 1)];
}

/* An asnap_read_word of the stack; the context is the walker. */
bool asnap_walker_read(void *walker, uint64_t address, uint64_t *word);

#endif
