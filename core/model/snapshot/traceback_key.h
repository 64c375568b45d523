/* Tracebacks as numbers that compare as tracemalloc compares tracebacks: oldest
 * frame first, a shorter one before those that continue it. */
#ifndef ASNAP_MODEL_TRACEBACK_KEY_H
#define ASNAP_MODEL_TRACEBACK_KEY_H

#include "store.h"

/* Tracebacks of a store, with a rank for each of its frames. Equal ranks are equal
 * frames; a smaller rank is a smaller frame. */
struct asnap_ranked_store {
    const struct asnap_store *store;
    const uint32_t *frame_rank;
};

uint32_t asnap_traceback_hash(const struct asnap_ranked_store *ranked, uint32_t traceback);

/* Whether two tracebacks, maybe of two stores ranked alike, have equal frames. */
bool asnap_traceback_equal(const struct asnap_ranked_store *left, uint32_t left_traceback,
                           const struct asnap_ranked_store *right, uint32_t right_traceback);

/* How ranks are packed, several to a word. */
struct asnap_traceback_packing {
    uint32_t bits;     /* of a rank */
    uint32_t per_word; /* frames in a word */
};

/* For ranks below `rank_count`. */
struct asnap_traceback_packing asnap_traceback_packing(size_t rank_count);

/* Words that hold the longest traceback of a store. */
uint32_t asnap_traceback_words(const struct asnap_store *store,
                               const struct asnap_traceback_packing *packing);

/* Word `index` of a traceback, the first being the most significant; 0 past its end. */
uint64_t asnap_traceback_word(const struct asnap_ranked_store *ranked,
                              const struct asnap_traceback_packing *packing, uint32_t traceback,
                              uint32_t index);

#endif
