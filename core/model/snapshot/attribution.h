/* The frame of its stack that a block is attributed to. */
#ifndef ASNAP_MODEL_ATTRIBUTION_H
#define ASNAP_MODEL_ATTRIBUTION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reference-counted, and immutable once it is filled. */
struct asnap_attribution {
    _Atomic size_t references;
    bool *in_libc;      /* by frame: it is one of the C library's */
    uint16_t skipped[]; /* by traceback: how many of the most recent frames are passed over;
                           below its frame_count */
};

/* All attributed to the most recent frame, with one reference; NULL where memory is short. */
struct asnap_attribution *asnap_attribution_create(size_t traceback_count, size_t frame_count);

/* Another reference; accepts NULL. */
struct asnap_attribution *asnap_attribution_share(struct asnap_attribution *attribution);

/* Gives a reference back; accepts NULL. */
void asnap_attribution_release(struct asnap_attribution *attribution);

/* The place in a traceback of the frame that its blocks are attributed to; NULL: no frame is
 * passed over. */
static inline uint32_t asnap_skipped_frames(const struct asnap_attribution *attribution,
                                            uint32_t traceback)
{
    return attribution == NULL ? 0 : attribution->skipped[traceback];
}

#endif
