/* Comparing a stack with what is remembered of it. */
#ifndef ASNAP_HOOKS_WALK_COMPARE_H
#define ASNAP_HOOKS_WALK_COMPARE_H

#include <stdbool.h>
#include <stdint.h>

#include "walker.h"

/* A frame that is found by its frame pointer and is larger may lie on another stack. */
enum { ASNAP_WALK_FRAME_BYTES_MAX = 1 << 16 };

static inline uint64_t asnap_walk_word(uint64_t address)
{
    return *(const uint64_t *)(uintptr_t)address;
}

static inline bool asnap_walk_is_in_state(const struct asnap_walk_frame *frame,
                                          const struct asnap_caller *state)
{
    return frame->step.sp == state->sp && frame->step.words[ASNAP_WORD_PC] == state->pc &&
           ((frame->step.flags & ASNAP_FRAME_FP_MATTERS) == 0 ||
            frame->step.words[ASNAP_WORD_FP] == state->fp);
}

static inline bool asnap_walk_differs(const struct asnap_comparison *comparison)
{
    return __builtin_expect(asnap_walk_word(comparison->place) != comparison->word, 0);
}

/* How many of the comparisons, from the oldest frame on, are to be done before one that
 * differs; UINT32_MAX: none differs. Nothing is read beyond that one: there the stack leads
 * elsewhere now, and what was there may be unmapped. */
static inline uint32_t asnap_walk_compare_words(const struct asnap_comparison *first,
                                                uint32_t count)
{
    const struct asnap_comparison *at = first + count;
    const struct asnap_comparison *few = first + count % 4;
    while (at != few) {
        if (asnap_walk_differs(at - 1) || asnap_walk_differs(at - 2) ||
            asnap_walk_differs(at - 3) || asnap_walk_differs(at - 4))
            break;
        at -= 4;
    }
    while (at != first)
        if (asnap_walk_differs(--at))
            return (uint32_t)(at - first);
    return UINT32_MAX;
}

#endif
