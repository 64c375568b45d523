/* A window over the inferior's memory that moves on through the words of blocks and roots in
 * large pieces, and in pages where some of a piece cannot be read. */
#ifndef ASNAP_GRAPH_WORD_WINDOW_H
#define ASNAP_GRAPH_WORD_WINDOW_H

#include "allocsnap.h"

/* Memory that is not read: none is there, or nothing was ever written to it. Reading it all the
 * same would take as long as it is large. */
struct asnap_hole {
    uint64_t start;
    uint64_t end;
    bool is_zero; /* it is there, and all zeros */
};

struct asnap_word_window {
    const struct asnap_memory *memory;
    const struct asnap_hole *holes; /* sorted, apart from each other */
    size_t hole_count;
    bool is_zero; /* what was asked for last: it is in such a hole */
    uint8_t *bytes;
    uint64_t start; /* what it holds: [start, end) */
    uint64_t end;
    uint64_t by_page; /* up to here one page is read at a time */
};

/* The most that is read at once. */
#define ASNAP_WINDOW_BYTES ((size_t)1 << 20)

/* `holes` may be NULL where there are none, and must live as long. */
struct asnap_error *asnap_word_window_init(struct asnap_word_window *window,
                                           const struct asnap_memory *memory,
                                           const struct asnap_hole *holes, size_t hole_count);
void asnap_word_window_deinit(struct asnap_word_window *window);

/* Lends the bytes from `address` on: *available of them, at least the smaller of `needed` (at
 * most a page) and limit - address. Reads on as far as `likely`, where more will be asked
 * for, beyond `limit`. NULL in *bytes: the *available bytes cannot be read, or are all zeros
 * (window->is_zero). Fails with
 * INTERRUPTED only. */
struct asnap_error *asnap_word_window_at(struct asnap_word_window *window, uint64_t address,
                                         size_t needed, uint64_t limit, uint64_t likely,
                                         const uint8_t **bytes, size_t *available);

#endif
