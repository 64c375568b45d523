/* A window over the inferior's memory that moves on through the words of blocks and roots in
 * large pieces, and in pages where some of a piece cannot be read. */
#ifndef ASNAP_GRAPH_WORD_WINDOW_H
#define ASNAP_GRAPH_WORD_WINDOW_H

#include "allocsnap.h"

struct asnap_word_window {
    const struct asnap_memory *memory;
    uint8_t *bytes;
    uint64_t start; /* what it holds: [start, end) */
    uint64_t end;
    uint64_t by_page; /* up to here one page is read at a time */
};

/* The most that is read at once. */
#define ASNAP_WINDOW_BYTES ((size_t)1 << 20)

struct asnap_error *asnap_word_window_init(struct asnap_word_window *window,
                                           const struct asnap_memory *memory);
void asnap_word_window_deinit(struct asnap_word_window *window);

/* Lends the bytes from `address` on: *available of them, at least the smaller of `needed` (at
 * most a page) and limit - address. Reads on as far as `likely`, where more will be asked
 * for, beyond `limit`. NULL in *bytes: the *available bytes cannot be read. Fails with
 * INTERRUPTED only. */
struct asnap_error *asnap_word_window_at(struct asnap_word_window *window, uint64_t address,
                                         size_t needed, uint64_t limit, uint64_t likely,
                                         const uint8_t **bytes, size_t *available);

#endif
